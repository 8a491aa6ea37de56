// Analyzers: any parameters are refused with an error or make tokens that lie inside of any text.
#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "target.h"
#include "text/analyzer.h"

namespace elanus::fuzz {
namespace {

constexpr size_t kBytesMax = 4096;

void Analyze(const text::Analyzer& analyzer, std::string_view of) {
  text::Tokens tokens;
  text::Tokens again;
  analyzer.Analyze(of, tokens);
  analyzer.Analyze(of, again);
  if (tokens != again) std::abort();  // Nothing is kept between texts.
  for (const text::Token& token : tokens) {
    if (token.begin > token.end || token.end > of.size()) std::abort();
  }
}

}  // namespace

void Analyzers(const uint8_t* bytes, size_t size) {
  if (size > kBytesMax) return;
  const std::string_view all(reinterpret_cast<const char*>(bytes), size);
  const size_t end = std::min(all.find('\0'), size);
  const std::string_view params = all.substr(0, end);
  const std::string_view of = end < size ? all.substr(end + 1) : std::string_view();
  const auto analyzer = text::AnalyzerOf(params);
  if (!analyzer.ok()) {
    if (analyzer.status().message().empty()) std::abort();
    return;
  }
  Analyze(**analyzer, of);
}

}  // namespace elanus::fuzz
