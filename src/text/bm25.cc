// Term counts.
#include "text/bm25.h"

#include <algorithm>
#include <boost/crc.hpp>
#include <cmath>
#include <vector>

namespace elanus::text {
namespace {
constexpr size_t kHashedBytes = 100;
}  // namespace

uint32_t TermId(std::string_view token) {
  boost::crc_32_type crc;
  crc.process_bytes(token.data(), std::min(token.size(), kHashedBytes));
  return crc.checksum() % UINT32_MAX;
}

std::string CountTerms(const Tokens& tokens) {
  std::vector<uint32_t> terms;
  terms.reserve(tokens.size());
  for (const Token& token : tokens) terms.push_back(TermId(token.text));
  std::sort(terms.begin(), terms.end());
  std::string dims;
  std::string counts;
  for (size_t i = 0; i < terms.size();) {
    size_t end = i + 1;
    while (end < terms.size() && terms[end] == terms[i]) ++end;
    const auto count = static_cast<float>(end - i);
    dims.append(reinterpret_cast<const char*>(&terms[i]), sizeof(uint32_t));
    counts.append(reinterpret_cast<const char*>(&count), sizeof(count));
    i = end;
  }
  return dims + counts;
}

double InverseDocumentFrequency(uint64_t rows, uint64_t with_term) {
  const auto all = static_cast<double>(rows);
  const auto some = static_cast<double>(std::min(with_term, rows));
  return std::log(1 + (all - some + 0.5) / (some + 0.5));
}

}  // namespace elanus::text
