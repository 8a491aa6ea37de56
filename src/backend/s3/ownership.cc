// Data folder and remote root belong to each other.
//
// The folder's file is written first, with an id by chance; then the mark in the store, with the
// same id; then the file once more, saying that the mark is there. A start that was cut short goes
// on with the id it finds. In the same three steps each start renews a claim, also by chance, which
// tells copies of a folder apart: they have the same id.
#include "backend/s3/ownership.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <thread>

#include "base/log.h"

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
      lines.insert_or_assign(std::string(line.substr(0, colon)), line.substr(colon + 2));
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

/// What an owner's mark says.
struct Mark {
  bool is_there = false;
  Lines lines;
  std::string tag;
};

Result<Mark> ReadMark(Context& ctx, S3Client& client, const std::string& key) {
  auto read = client.GetWhole(ctx, key);
  if (read.status().code() == ErrorCode::kKeyNotFound) return Mark();
  TRY(read.status());
  return Mark{.is_there = true, .lines = Read(read->bytes), .tag = std::move(read->tag)};
}

// Whether the mark is of this folder, and of no copy of it that has been started since: each start
// writes a claim into both, so a folder whose claim is not the mark's was not the last to start.
Status CheckIsOurs(Lines owner, Lines place, const std::string& where,
                   const std::string& directory) {
  if (owner["id"] != place["id"]) {
    return Invalid("{} belongs to another data folder, {}: give {} a root of its own", where,
                   owner["data folder"], directory);
  }
  const std::string& claim = owner["claim"];
  const bool is_known = claim.empty() || claim == place["claim"] || claim == place["next_claim"];
  if (is_known) return {};
  return Invalid(
      "{} has been taken over by a copy of {}, {}: give this one a root of its own or, when it is "
      "the one to go on, stop the other for good and write 'claim: {}' into {}{}",
      where, directory, owner["data folder"], claim, directory, kPlaceFile);
}

}  // namespace

Status Claim::Check(Context& ctx) {
  const int64_t now_us = ctx.clock().MonotonicUs();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    TRY(Status(lost_));
    if (seen_us_ != INT64_MIN && now_us - seen_us_ < kBelievedMs * 1000) return {};
  }
  const auto mark = client_.GetWhole(ctx, key_);
  if (!mark.ok() && mark.status().code() != ErrorCode::kKeyNotFound) return mark.status();
  Lines owner = Read(mark.ok() ? mark->bytes : "");
  const std::lock_guard<std::mutex> lock(mutex_);
  if (owner["claim"] == id_) {
    seen_us_ = now_us;
    return {};
  }
  lost_ = Error(ErrorCode::kIoFailed,
                "{}, {}: {} has taken it over, and this server writes nothing more",
                client_.Where(), key_, owner.empty() ? "nobody knows who" : owner["data folder"]);
  LogError("the objects are somebody else's by now error=\"{}\"", lost_.ToString());
  return lost_;
}

Result<std::unique_ptr<Claim>> TakeOwnership(Context& ctx, S3Client& client,
                                             const std::string& directory,
                                             const std::string& bucket,
                                             const std::string& root_path, FileSystem& files,
                                             int64_t settle_ms) {
  const std::string path = directory + std::string(kPlaceFile);
  TRY_ASSIGN(Lines place, ReadPlace(files, directory));
  if (place.empty()) {
    const auto local = files.List(directory + "/objects");
    if (local.ok() && !local->empty()) {
      return Invalid("the objects of {} lie in it: common.storageType should be local", directory);
    }
    place = {{"id", MakeId()}, {"bucket", bucket}, {"root", root_path}, {"is_marked", "false"}};
  }
  const std::string where = fmt::format("{}, root '{}'", client.Where(), root_path);
  const std::string key = (root_path.empty() ? "" : root_path + "/") + std::string(kOwnerKey);
  const bool is_marked = place["is_marked"] == "true";
  TRY_ASSIGN(const Mark before, ReadMark(ctx, client, key));
  Lines owner = before.lines;
  if (!before.is_there && is_marked) {
    return Invalid(
        "the objects of {} lie in bucket {}, root '{}', and {} does not say that it is theirs",
        directory, place["bucket"], place["root"], where);
  }
  if (before.is_there) {
    TRY(CheckIsOurs(owner, place, where, directory));
  }

  // Both sides know the claim before it holds: whichever is cut short, the next start goes on.
  const std::string claim = MakeId();
  const std::string here = HostName() + ":" + directory;
  if (before.is_there) place["claim"] = owner["claim"];
  place["next_claim"] = claim;
  TRY(WriteFile(files, directory, path, Write(place)));
  const std::string mark = Write({{"id", place["id"]}, {"data folder", here}, {"claim", claim}});
  TRY_ASSIGN(const bool is_written, before.is_there
                                        ? client.PutInPlaceOf(ctx, key, mark, before.tag)
                                        : client.PutNew(ctx, key, mark));
  if (!is_written) {
    // Somebody was faster; or the answer to the same request was lost, and it is ours.
    TRY_ASSIGN(const Mark now, ReadMark(ctx, client, key));
    Lines winner = now.lines;
    if (winner["claim"] != claim) {
      TRY(CheckIsOurs(winner, place, where, directory));
      return Invalid("{} is being taken by another start of {}", where, directory);
    }
  }
  // A bucket may get another name, as long as what lies there is ours.
  place = {{"id", place["id"]},
           {"bucket", bucket},
           {"root", root_path},
           {"is_marked", "true"},
           {"claim", claim}};
  TRY(WriteFile(files, directory, path, Write(place)));
  if (!owner["claim"].empty() && owner["data folder"] != here) {
    LogInfo("the objects were those of another place, which may still write: waiting place=\"{}\"",
            owner["data folder"]);
    std::this_thread::sleep_for(std::chrono::milliseconds(settle_ms));
  }
  return std::make_unique<Claim>(client, key, claim);
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
