// XML of S3, by Boost's property tree.
#include "backend/s3/answers.h"

#include <time.h>

#include <boost/property_tree/ptree.hpp>
#include <boost/property_tree/xml_parser.hpp>
#include <sstream>

namespace elanus::backend {
namespace {

using Tree = boost::property_tree::ptree;

// Its parser nests with the document, which the size of an answer bounds.
constexpr size_t kBytesMax = 8 << 20;

std::optional<Tree> Parse(std::string_view body) {
  if (body.empty() || body.size() > kBytesMax) return std::nullopt;
  std::istringstream in{std::string(body)};
  Tree tree;
  try {
    boost::property_tree::read_xml(in, tree);
  } catch (const boost::property_tree::ptree_error&) {
    return std::nullopt;
  }
  return tree;
}

Status NotA(std::string_view what) {
  return Error(ErrorCode::kSerialization, "the answer is no {} in XML", what);
}

}  // namespace

S3Refusal ReadRefusal(std::string_view body) {
  const auto tree = Parse(body);
  if (!tree) return {};
  return {.code = tree->get("Error.Code", ""), .message = tree->get("Error.Message", "")};
}

Result<S3Page> ReadPage(std::string_view body) {
  const auto tree = Parse(body);
  const auto list = tree ? tree->get_child_optional("ListBucketResult") : boost::none;
  if (!list) return NotA("ListBucketResult");
  S3Page page;
  for (const auto& [name, content] : *list) {
    if (name != "Contents") continue;
    const auto key = content.get_optional<std::string>("Key");
    if (!key) return NotA("ListBucketResult with keys");
    page.keys.push_back(*key);
  }
  const auto is_cut = list->get_optional<std::string>("IsTruncated");
  if (!is_cut) return NotA("ListBucketResult with IsTruncated");
  if (*is_cut == "true") {
    page.next = list->get("NextContinuationToken", "");
    if (page.next.empty()) return NotA("ListBucketResult with NextContinuationToken");
  }
  return page;
}

Result<std::string> ReadUploadId(std::string_view body) {
  const auto tree = Parse(body);
  std::string id = tree ? tree->get("InitiateMultipartUploadResult.UploadId", "") : "";
  if (id.empty()) return NotA("InitiateMultipartUploadResult");
  return id;
}

std::optional<int64_t> ReadHttpTime(const std::string& text) {
  std::tm time{};
  if (::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &time) == nullptr) return std::nullopt;
  return ::timegm(&time);
}

std::optional<int64_t> ReadXmlTime(const std::string& text) {
  std::tm time{};
  if (::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &time) == nullptr) return std::nullopt;
  return ::timegm(&time);
}

Result<S3UploadPage> ReadUploads(std::string_view body) {
  const auto tree = Parse(body);
  const auto list = tree ? tree->get_child_optional("ListMultipartUploadsResult") : boost::none;
  if (!list) return NotA("ListMultipartUploadsResult");
  S3UploadPage page;
  for (const auto& [name, content] : *list) {
    if (name != "Upload") continue;
    const auto begun_s = ReadXmlTime(content.get("Initiated", ""));
    S3Upload upload{.key = content.get("Key", ""),
                    .id = content.get("UploadId", ""),
                    .begun_s = begun_s.value_or(0)};
    if (upload.key.empty() || upload.id.empty() || !begun_s) {
      return NotA("ListMultipartUploadsResult with keys, ids and times");
    }
    page.uploads.push_back(std::move(upload));
  }
  if (list->get("IsTruncated", "") == "true") {
    page.next_key = list->get("NextKeyMarker", "");
    page.next_id = list->get("NextUploadIdMarker", "");
    if (page.next_key.empty()) return NotA("ListMultipartUploadsResult with NextKeyMarker");
  }
  return page;
}

std::string WriteParts(const std::vector<std::string>& tags) {
  Tree tree;
  Tree& parts = tree.add("CompleteMultipartUpload", "");
  for (size_t i = 0; i < tags.size(); ++i) {
    Tree& part = parts.add("Part", "");
    part.add("PartNumber", i + 1);
    part.add("ETag", tags[i]);
  }
  std::ostringstream out;
  boost::property_tree::write_xml(out, tree);
  return std::move(out).str();
}

}  // namespace elanus::backend
