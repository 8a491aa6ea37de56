// The source of the process, and which resources a schema names.
#include "text/file_source.h"

#include <mutex>
#include <nlohmann/json.hpp>
#include <set>

#include "text/field.h"

namespace elanus::text {
namespace {

using nlohmann::json;

constexpr int kDepthMax = 64;  // Deeper parameters make no analyzer.

struct Source {
  std::mutex mutex;
  FileSource* current = nullptr;
};
Source& OfProcess() {
  static Source source;
  return source;
}

FileSource* CurrentSource() {
  std::lock_guard<std::mutex> lock(OfProcess().mutex);
  return OfProcess().current;
}

void Collect(const json& params, int depth, std::set<std::string>& names) {
  if (depth > kDepthMax) return;
  if (params.is_object()) {
    const auto type = params.find("type");
    const auto name = params.find("resource_name");
    const bool is_file = type != params.end() && *type == "remote" && name != params.end();
    if (is_file && name->is_string()) names.insert(name->get<std::string>());
  }
  // An array's or object's members; a plain value has none.
  if (!params.is_structured()) return;
  for (const json& inner : params) Collect(inner, depth + 1, names);
}

}  // namespace

void SetFileSource(FileSource* source) {
  std::lock_guard<std::mutex> lock(OfProcess().mutex);
  OfProcess().current = source;
}

void ForgetFileSource(const FileSource* source) {
  std::lock_guard<std::mutex> lock(OfProcess().mutex);
  if (OfProcess().current == source) OfProcess().current = nullptr;
}

std::optional<int64_t> FindFileResource(const std::string& resource) {
  FileSource* const source = CurrentSource();
  return source == nullptr ? std::nullopt : source->Find(resource);
}

Result<std::string> ReadFileResource(const std::string& resource, const std::string& file) {
  FileSource* const source = CurrentSource();
  if (source == nullptr) return UnknownFileResource(resource);
  return source->Read(resource, file);
}

Status UnknownFileResource(std::string_view name) {
  return Error(ErrorCode::kSegcore, "file resource: {} not found in local resource list", name);
}

std::vector<std::string> FileResourcesOf(const model::CollectionSchema& schema) {
  std::set<std::string> names;
  for (const model::FieldSchema& field : schema.fields) {
    if (!HasAnalyzer(field)) continue;
    for (const char* key : {"analyzer_params", "multi_analyzer_params"}) {
      const std::string* text = model::Find(field.type_params, key);
      if (text == nullptr) continue;
      const auto too_deep = [](int depth, json::parse_event_t, json&) {
        return depth <= kDepthMax;
      };
      const json params = json::parse(*text, too_deep, /*allow_exceptions=*/false);
      if (!params.is_discarded()) Collect(params, 0, names);
    }
  }
  return {names.begin(), names.end()};
}

}  // namespace elanus::text
