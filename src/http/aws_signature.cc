// AWS Signature Version 4.
#include "http/aws_signature.h"

#include <fmt/chrono.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <ctime>
#include <map>
#include <vector>

namespace elanus::http {
namespace {

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (char byte : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return hex;
}

std::string Sha256(std::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int bytes = 0;
  EVP_Digest(text.data(), text.size(), digest, &bytes, EVP_sha256(), nullptr);
  return {reinterpret_cast<const char*>(digest), bytes};
}

std::string Hmac(std::string_view key, std::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int bytes = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, &bytes);
  return {reinterpret_cast<const char*>(digest), bytes};
}

std::string Encode(std::string_view text, std::string_view kept) {
  std::string encoded;
  for (char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~' ||
                          kept.find(c) != std::string_view::npos;
    if (is_plain) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// The query's pairs in the order of their bytes.
std::string SortedQuery(std::string_view query) {
  std::vector<std::string_view> pairs;
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    pairs.push_back(query.substr(0, end));
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  std::sort(pairs.begin(), pairs.end());
  return fmt::format("{}", fmt::join(pairs, "&"));
}

}  // namespace

std::string EncodePathPart(std::string_view text) { return Encode(text, ""); }

void SignForAws(const AwsKey& key, int64_t now_ms, Request& request) {
  const std::string time = fmt::format("{:%Y%m%dT%H%M%SZ}", fmt::gmtime(now_ms / 1000));
  const std::string day = time.substr(0, 8);
  const size_t host_at = request.url.find("//") + 2;
  const size_t path_at = std::min(request.url.find('/', host_at), request.url.size());
  const std::string host = request.url.substr(host_at, path_at - host_at);
  const size_t query_at = std::min(request.url.find('?'), request.url.size());
  const std::string path =
      path_at == request.url.size() ? "/" : request.url.substr(path_at, query_at - path_at);
  const std::string query = query_at == request.url.size()
                                ? ""
                                : SortedQuery(std::string_view(request.url).substr(query_at + 1));
  const std::string digest = Hex(Sha256(request.body));
  const bool is_s3 = key.service == "s3";
  if (is_s3) request.headers.emplace_back("X-Amz-Content-Sha256", digest);
  request.headers.emplace_back("X-Amz-Date", time);
  std::map<std::string, std::string> headers = {{"host", host}};
  for (const auto& [name, value] : request.headers) headers[Lower(name)] = value;
  std::string header_lines;
  std::string names;
  for (const auto& [name, value] : headers) {
    header_lines += fmt::format("{}:{}\n", name, value);
    names += (names.empty() ? "" : ";") + name;
  }
  const std::string canonical =
      fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, is_s3 ? path : Encode(path, "/"), query,
                  header_lines, names, digest);
  const std::string scope = fmt::format("{}/{}/{}/aws4_request", day, key.region, key.service);
  const std::string to_sign =
      fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", time, scope, Hex(Sha256(canonical)));
  const std::string of_day = Hmac("AWS4" + key.secret, day);
  const std::string of_service = Hmac(Hmac(of_day, key.region), key.service);
  const std::string signature = Hex(Hmac(Hmac(of_service, "aws4_request"), to_sign));
  request.headers.emplace_back("Authorization",
                               fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, "
                                           "Signature={}",
                                           key.id, scope, names, signature));
}

}  // namespace elanus::http
