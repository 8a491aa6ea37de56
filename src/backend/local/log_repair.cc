// Finding what is damaged in a log, and cutting there.
#include "backend/local/log_repair.h"

#include <algorithm>
#include <optional>
#include <set>

#include "backend/local/log_file.h"

namespace elanus::backend {
namespace {

// The greatest position of a whole record anywhere in the bytes; 0 when there is none.
uint64_t NewestIn(std::string_view bytes) {
  uint64_t newest = 0;
  RecordHeader header;
  std::string_view payload;
  for (size_t at = 0; at + kRecordHeaderBytes <= bytes.size();) {
    if (ParseRecord(bytes, at, header, payload)) {
      newest = std::max(newest, header.position);
      at += kRecordHeaderBytes + payload.size();
    } else {
      ++at;
    }
  }
  return newest;
}

Status WriteFile(FileSystem& files, const std::string& path, std::string_view bytes) {
  TRY_ASSIGN(const auto file, files.OpenToWrite(path, FileSystem::Creation::kEmpty));
  TRY(file->Write(0, std::span(&bytes, 1)));
  return file->Sync();
}

// Keeps what is behind the damage under another name, and cuts it off.
Status CutFile(FileSystem& files, const LogDamage& damage, const std::string& ending) {
  TRY_ASSIGN(const std::string bytes, files.Read(damage.file));
  if (bytes.size() <= damage.offset) return {};
  TRY(WriteFile(files, damage.file + ending, std::string_view(bytes).substr(damage.offset)));
  TRY(SyncFolder(files, damage.directory));
  TRY_ASSIGN(const auto file, files.OpenToWrite(damage.file, FileSystem::Creation::kMustExist));
  TRY(file->Truncate(damage.offset));
  return file->Sync();
}

// Reads a stream from its first record to the first place that stops it.
class StreamCheck {
 public:
  StreamCheck(FileSystem& files, std::string directory, uint64_t needed)
      : files_(files), needed_(needed) {
    damage_.directory = std::move(directory);
  }

  Result<std::optional<LogDamage>> Run() {
    Result<StreamFiles> listed = ListLogFiles(files_, damage_.directory);
    if (listed.status().code() != ErrorCode::kKeyNotFound) {
      TRY_ASSIGN(stream_, std::move(listed));
    }
    for (size_t i = 0; i < stream_.logs.size(); ++i) {
      TRY_ASSIGN(const bool is_good, CheckFile(i));
      if (!is_good) return std::optional(damage_);
    }
    next_ = std::max<uint64_t>(next_, 1);
    if (needed_ < next_) return std::optional<LogDamage>();
    damage_.words = fmt::format(
        "{}: the log ends before record {}, but records up to {} were read from it: files are "
        "missing",
        damage_.directory, next_, needed_);
    damage_.first_lost = next_;
    damage_.next_position = needed_ + 1;
    return std::optional(damage_);
  }

 private:
  // False: the damage is in this file.
  Result<bool> CheckFile(size_t i) {
    const LogFile& log = stream_.logs[i];
    TRY_ASSIGN(const std::string bytes, files_.Read(log.path));
    damage_.file = log.path;
    Status problem;
    if (i == 0) {
      next_ = log.first_position;
      problem = stream_.CheckBegin();
      damage_.is_at_begin = !problem.ok();
      if (damage_.is_at_begin) next_ = stream_.begin;
    }
    size_t offset = 0;
    RecordHeader header;
    std::string_view payload;
    while (problem.ok() && offset < bytes.size()) {
      if (!ParseRecord(bytes, offset, header, payload)) {
        TRY(CheckRecordVersion(bytes, offset, log.path));
        problem = DamagedRecord(log.path, offset);
        break;
      }
      if (header.position != next_ && stream_.gaps.count(header.position) == 0) {
        problem = MissingRecord(log.path, offset, next_, header.position);
        break;
      }
      next_ = header.position + 1;
      offset += kRecordHeaderBytes + payload.size();
    }
    // An empty file says which record is the next, when that is no secret.
    if (bytes.empty() && stream_.gaps.count(log.first_position) > 0) next_ = log.first_position;
    damage_.offset = offset;
    const bool is_last = i + 1 == stream_.logs.size();
    const bool is_torn = is_last && !damage_.is_at_begin && FindLogEnd(bytes, log).ok();
    if (problem.ok() || is_torn) return true;
    damage_.words = problem.message();
    damage_.lost_bytes = bytes.size() - offset;
    damage_.first_lost = next_;
    uint64_t newest = std::max(NewestIn(std::string_view(bytes).substr(offset)), needed_);
    for (size_t later = i + 1; later < stream_.logs.size(); ++later) {
      const LogFile& other = stream_.logs[later];
      TRY_ASSIGN(const std::string content, files_.Read(other.path));
      newest = std::max({newest, other.first_position - 1, NewestIn(content)});
      damage_.later_files.push_back(other.path);
      damage_.lost_bytes += content.size();
    }
    damage_.next_position = std::max(newest + 1, next_);
    return false;
  }

  FileSystem& files_;
  const uint64_t needed_;
  StreamFiles stream_;
  uint64_t next_ = 0;  // The position that the next record should have.
  LogDamage damage_;
};

}  // namespace

Result<std::vector<LogDamage>> FindLogDamage(FileSystem& files, const std::string& directory,
                                             const std::map<std::string, uint64_t>& needed) {
  std::set<std::string> streams;
  for (const auto& [stream, position] : needed) streams.insert(stream);
  const auto entries = files.List(directory);
  if (entries.status().code() != ErrorCode::kKeyNotFound) {
    TRY(entries.status());
    for (const FileSystem::Entry& entry : *entries) {
      if (entry.is_folder) streams.insert(entry.name);
    }
  }
  std::vector<LogDamage> all;
  for (const std::string& stream : streams) {
    const auto position = needed.find(stream);
    StreamCheck check(files, directory + "/" + stream,
                      position == needed.end() ? 0 : position->second);
    TRY_ASSIGN(auto damage, check.Run());
    if (damage) all.push_back(std::move(*damage));
  }
  return all;
}

Status CutLog(FileSystem& files, const LogDamage& damage) {
  const std::string ending = fmt::format(".cut-{}", damage.next_position);
  TRY(MakeFolders(files, damage.directory));
  // The gap first: from here on a reader accepts that records are missing before this one.
  TRY(WriteFile(files, damage.directory + "/" + GapFileName(damage.next_position),
                fmt::format("given up: records from {} on, bytes {}\n{}\n", damage.first_lost,
                            damage.lost_bytes, damage.words)));
  if (!damage.file.empty()) TRY(CutFile(files, damage, ending));
  for (const std::string& later : damage.later_files) TRY(files.Rename(later, later + ending));
  TRY(WriteFile(files, damage.directory + "/" + LogFileName(damage.next_position), ""));
  // Last: until then the log is refused, and the next repair begins anew.
  if (damage.is_at_begin) {
    TRY(WriteFile(files, damage.directory + "/" + BeginFileName(damage.next_position), ""));
  }
  return SyncFolder(files, damage.directory);
}

}  // namespace elanus::backend
