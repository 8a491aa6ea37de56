// Reading the files that parameters name.
#include "text/file_param.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>

#include "text/file_source.h"
#include "text/options.h"
#include "text/unicode.h"

namespace elanus::text {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// A text that a file's object has to say.
Result<std::string> TextOf(const json& file, const char* name, const std::string& key) {
  const auto found = file.find(name);
  if (found == file.end() || !found->is_string() || found->get_ref<const std::string&>().empty())
    return Error(ErrorCode::kSegcore, "file {} of {} must be set", name, key);
  return found->get<std::string>();
}

// Where the file lies. Links are followed first, so that none leads out of the folder. Nothing is
// said of what lies outside, not even whether it is there.
Result<fs::path> PathOf(const std::string& given, const std::string& key) {
  const std::string folder = GetTextOptions().files_path;
  if (folder.empty()) {
    return Error(ErrorCode::kSegcore,
                 "{} names a file of the server, which has no folder for such files: "
                 "function.analyzer.local_resource_path is not set",
                 key);
  }
  std::error_code error;
  const fs::path root = fs::canonical(folder, error);
  if (error) {
    return Error(ErrorCode::kSegcore,
                 "the folder of function.analyzer.local_resource_path cannot be read: {}",
                 error.message());
  }
  const fs::path file = fs::canonical(root / given, error);
  const auto in_root = std::mismatch(root.begin(), root.end(), file.begin(), file.end()).first;
  if (in_root == root.end() && fs::is_regular_file(file, error)) return file;
  return Error(ErrorCode::kSegcore,
               "file of {} is not in the folder of function.analyzer.local_resource_path: {}", key,
               given);
}

bool IsUtf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    if (NextCharacter(text, at) == 0xFFFD && text.substr(begin, at - begin) != "\xEF\xBF\xBD")
      return false;
  }
  return true;
}

Result<std::vector<std::string>> LinesOf(std::string_view text, const std::string& file,
                                         const std::string& key) {
  if (!IsUtf8(text)) return Error(ErrorCode::kSegcore, "file of {} is no UTF-8: {}", key, file);
  constexpr std::string_view kSpace = " \t\r\v\f";
  std::vector<std::string> lines;
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const size_t first = line.find_first_not_of(kSpace);
    if (first == std::string_view::npos) continue;
    lines.emplace_back(line.substr(first, line.find_last_not_of(kSpace) + 1 - first));
  }
  return lines;
}

Result<std::vector<std::string>> ReadLines(const std::string& given, const std::string& key) {
  TRY_ASSIGN(const fs::path path, PathOf(given, key));
  std::ifstream in(path, std::ios::binary);
  std::string text;
  const auto bytes_max = static_cast<size_t>(GetTextOptions().file_bytes_max);
  constexpr size_t kPiece = 64 << 10;
  std::vector<char> piece(kPiece);
  while (in && text.size() <= bytes_max) {
    in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    text.append(piece.data(), static_cast<size_t>(in.gcount()));
  }
  if (text.size() > bytes_max) {
    return Error(ErrorCode::kSegcore,
                 "file of {} is larger than function.analyzer.maxFileSize: {}, at most {} bytes",
                 key, given, bytes_max);
  }
  if (!in.eof()) return Error(ErrorCode::kSegcore, "file of {} cannot be read: {}", key, given);
  return LinesOf(text, given, key);
}

}  // namespace

Result<std::vector<std::string>> FileLines(const json& params, const std::string& key) {
  const auto found = params.find(key);
  if (found == params.end()) return std::vector<std::string>();
  if (!found->is_object())
    return Error(ErrorCode::kSegcore, "file config of {} must be object", key);
  TRY_ASSIGN(const std::string type, TextOf(*found, "type", key));
  if (type == "local") {
    TRY_ASSIGN(const std::string path, TextOf(*found, "path", key));
    return ReadLines(path, key);
  }
  if (type != "remote")
    return Error(ErrorCode::kSegcore, "unsupported file type {} of {}", type, key);
  TRY_ASSIGN(const std::string resource, TextOf(*found, "resource_name", key));
  TRY_ASSIGN(const std::string name, TextOf(*found, "file_name", key));
  TRY_ASSIGN(const std::string text, ReadFileResource(resource, name));
  return LinesOf(text, fmt::format("{} of file resource {}", name, resource), key);
}

std::string FileName(const json& params, const std::string& key) {
  const auto found = params.find(key);
  if (found == params.end() || !found->is_object()) return "";
  const auto path = found->find(found->contains("resource_name") ? "file_name" : "path");
  return path == found->end() || !path->is_string() ? "" : path->get<std::string>();
}

}  // namespace elanus::text
