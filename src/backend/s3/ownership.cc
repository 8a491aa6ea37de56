// Data folder and remote root belong to each other.
//
// The folder's file is written first, with an id by chance; then the mark in the store, with the
// same id; then the file once more, saying that the mark is there. A start that was cut short goes
// on with the id it finds.
#include "backend/s3/ownership.h"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <random>

namespace elanus::backend {
namespace {

using Lines = std::map<std::string, std::string>;  // "name: value".

std::string Write(const Lines& lines) {
  std::string text;
  for (const auto& [name, value] : lines) text += fmt::format("{}: {}\n", name, value);
  return text;
}

Lines Read(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const size_t colon = line.find(": ");
    if (colon != std::string_view::npos)
      lines.emplace(line.substr(0, colon), line.substr(colon + 2));
  }
  return lines;
}

std::string MakeId() {
  std::random_device chance;
  std::string id;
  for (int i = 0; i < 4; ++i) id += fmt::format("{:08x}", chance());
  return id;
}

std::string HostName() {
  char name[256] = {};
  return ::gethostname(name, sizeof(name) - 1) == 0 ? name : "?";
}

// Whole or not at all, also after a crash.
Status WriteFile(FileSystem& files, const std::string& directory, const std::string& path,
                 const std::string& text) {
  const std::string aside = path + ".writing";
  TRY_ASSIGN(const auto file, files.OpenToWrite(aside, FileSystem::Creation::kEmpty));
  const std::string_view bytes = text;
  TRY(file->Write(0, std::span(&bytes, 1)));
  TRY(file->Sync());
  TRY(files.Rename(aside, path));
  return SyncFolder(files, directory);
}

Result<Lines> ReadPlace(FileSystem& files, const std::string& directory) {
  auto text = files.Read(directory + std::string(kPlaceFile));
  if (text.status().code() == ErrorCode::kKeyNotFound) return Lines();
  TRY(text.status());
  Lines lines = Read(*text);
  if (lines["id"].empty()) {
    return Error(ErrorCode::kIntegrity, "{}{}: names no id", directory, kPlaceFile);
  }
  return lines;
}

}  // namespace

Status TakeOwnership(Context& ctx, S3Client& client, const std::string& directory,
                     const std::string& bucket, const std::string& root_path, FileSystem& files) {
  const std::string path = directory + std::string(kPlaceFile);
  TRY_ASSIGN(Lines place, ReadPlace(files, directory));
  if (place.empty()) {
    const auto local = files.List(directory + "/objects");
    if (local.ok() && !local->empty()) {
      return Invalid("the objects of {} lie in it: common.storageType should be local", directory);
    }
    place = {{"id", MakeId()}, {"bucket", bucket}, {"root", root_path}, {"is_marked", "false"}};
    TRY(WriteFile(files, directory, path, Write(place)));
  }
  const std::string where = fmt::format("{}, root '{}'", client.Where(), root_path);
  const std::string key = (root_path.empty() ? "" : root_path + "/") + std::string(kOwnerKey);
  const bool is_marked = place["is_marked"] == "true";
  // As long as there is no mark there is no object either, so another root will do.
  const bool is_elsewhere = place["bucket"] != bucket || place["root"] != root_path;
  Result<std::string> mark = client.GetWhole(ctx, key);
  if (mark.status().code() == ErrorCode::kKeyNotFound && !is_marked) {
    TRY_ASSIGN(
        const bool is_ours,
        client.PutNew(ctx, key,
                      Write({{"id", place["id"]}, {"data folder", HostName() + ":" + directory}})));
    // Else of another who was faster, or of a request of ours whose answer was lost.
    mark = is_ours ? Write({{"id", place["id"]}}) : client.GetWhole(ctx, key);
  }
  if (mark.status().code() == ErrorCode::kKeyNotFound) {
    return Invalid(
        "the objects of {} lie in bucket {}, root '{}', and {} does not say that it is theirs",
        directory, place["bucket"], place["root"], where);
  }
  TRY(mark.status());
  Lines owner = Read(*mark);
  if (owner["id"] != place["id"]) {
    return Invalid("{} belongs to another data folder, {}: give {} a root of its own", where,
                   owner["data folder"], directory);
  }
  if (is_marked && !is_elsewhere) return {};
  // A bucket may get another name, as long as what lies there is ours.
  place["bucket"] = bucket;
  place["root"] = root_path;
  place["is_marked"] = "true";
  return WriteFile(files, directory, path, Write(place));
}

Status CheckObjectsAreLocal(const std::string& directory, FileSystem& files) {
  TRY_ASSIGN(Lines place, ReadPlace(files, directory));
  if (place.empty()) return {};
  return Invalid(
      "the objects of {} lie in an object store, bucket {}, root '{}': common.storageType should "
      "be minio",
      directory, place["bucket"], place["root"]);
}

}  // namespace elanus::backend
