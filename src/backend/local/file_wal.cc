// The embedded log. Invariants of a stream:
// 1. Files are sorted by first position; only the last one is written.
// 2. `end` is the offset behind the last whole record of the last file; bytes behind it are garbage
// of a failed append.
// 3. A failed sync closes the stream: what the disk holds is unknown until it is read again at the
// next start.
#include "backend/local/file_wal.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>

#include "backend/local/file.h"
#include "base/bytes.h"
#include "base/log.h"

namespace elanus::backend {
namespace {

constexpr uint32_t kMagic = 0x43524c45;  // "ELRC": the last letter is the version of the format.
constexpr uint32_t kMagicFamily = 0x00ffffff;
constexpr size_t kHeaderBytes = 32;

struct RecordHeader {
  uint32_t magic;
  uint32_t length;
  uint64_t position;
  uint64_t durable_before;
  uint64_t checksum;
};
static_assert(sizeof(RecordHeader) == kHeaderBytes);

uint64_t RecordChecksum(std::string_view payload, uint64_t position, uint64_t durable_before) {
  return Checksum(payload, position * 31 + durable_before);
}

// The record at `offset`, when a whole and good one begins there.
bool ParseRecord(std::string_view file, size_t offset, RecordHeader& header,
                 std::string_view& payload) {
  if (file.size() - offset < kHeaderBytes) return false;
  std::memcpy(&header, file.data() + offset, kHeaderBytes);
  if (header.magic != kMagic || header.length > file.size() - offset - kHeaderBytes) return false;
  payload = file.substr(offset + kHeaderBytes, header.length);
  return header.checksum == RecordChecksum(payload, header.position, header.durable_before);
}

std::string FileName(uint64_t first_position) { return fmt::format("{:020}.log", first_position); }

struct LogFile {
  uint64_t first_position;
  std::string path;
};

Result<std::vector<LogFile>> ListFiles(const std::string& directory) {
  std::vector<LogFile> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename().string();
    if (name.size() != 24 || !name.ends_with(".log")) continue;
    files.push_back({std::strtoull(name.c_str(), nullptr, 10), entry.path().string()});
  }
  if (error) return IoError("list", directory, error.value());
  std::sort(files.begin(), files.end(),
            [](const auto& a, const auto& b) { return a.first_position < b.first_position; });
  return files;
}

struct Stream {
  std::mutex
      mutex;  // Held over an append with its sync: appends of one stream are serial by contract.
  std::string directory;
  std::vector<LogFile> files;
  File last;
  uint64_t end = 0;
  uint64_t position = 0;
  bool closed = false;
};

Status Damaged(const std::string& path, size_t offset) {
  return Error(
      ErrorCode::kIntegrity,
      "{}: offset {}: a record that was already durable is damaged. Restore the file from a "
      "copy; or, to go on without this record and everything after it, cut the file to {} bytes "
      "and move later files of the folder away",
      path, offset, offset);
}

// A record of a format to come is neither damaged nor a torn end: cutting it would lose rows.
Status CheckVersion(std::string_view file, size_t offset, const std::string& path) {
  uint32_t magic;
  if (file.size() - offset < sizeof(magic)) return {};
  std::memcpy(&magic, file.data() + offset, sizeof(magic));
  if (magic == kMagic || (magic & kMagicFamily) != (kMagic & kMagicFamily)) return {};
  return Error(ErrorCode::kIntegrity,
               "{}: offset {}: version '{}' of a log record, this program reads version 'C'", path,
               offset, static_cast<char>(magic >> 24));
}

// Finds the end of the last file and cuts what a crash has torn.
Status RecoverEnd(Stream& stream) {
  const LogFile& file = stream.files.back();
  TRY_ASSIGN(const std::string bytes, ReadWhole(file.path));
  stream.position = file.first_position - 1;
  size_t offset = 0;
  RecordHeader header;
  std::string_view payload;
  while (offset < bytes.size() && ParseRecord(bytes, offset, header, payload) &&
         header.position == stream.position + 1) {
    stream.position = header.position;
    offset += kHeaderBytes + payload.size();
  }
  stream.end = offset;
  if (offset == bytes.size()) return {};
  TRY(CheckVersion(bytes, offset, file.path));
  for (size_t at = offset + 1; at + kHeaderBytes <= bytes.size(); ++at) {
    if (ParseRecord(bytes, at, header, payload) && header.durable_before > stream.position) {
      return Damaged(file.path, offset);
    }
  }
  LogWarn("torn end of the log cut file={} offset={} bytes={}", file.path, offset,
          bytes.size() - offset);
  if (::ftruncate(stream.last.fd(), static_cast<off_t>(offset)) != 0) {
    return IoError("truncate", file.path, errno);
  }
  return SyncData(stream.last, file.path);
}

class FileReader final : public store::WalReader {
 public:
  FileReader(std::vector<LogFile> files, uint64_t after, uint64_t last)
      : files_(std::move(files)), position_(after), last_(last) {}

  Result<bool> Next(Context& ctx, store::WalRecord& record) override {
    while (position_ < last_) {
      TRY(ctx.CheckAlive());
      if (offset_ == bytes_.size()) {
        if (next_file_ == files_.size()) return false;
        TRY_ASSIGN(bytes_, ReadWhole(files_[next_file_].path));
        ++next_file_;
        offset_ = 0;
        continue;
      }
      RecordHeader header;
      std::string_view payload;
      if (!ParseRecord(bytes_, offset_, header, payload)) {
        TRY(CheckVersion(bytes_, offset_, files_[next_file_ - 1].path));
        return Damaged(files_[next_file_ - 1].path, offset_);
      }
      // Positions rise by one: a jump means that a file has gone, or its end.
      if (previous_ != 0 && header.position != previous_ + 1) {
        return Error(ErrorCode::kIntegrity,
                     "{}: offset {}: record {} is missing, the next one is {}. Restore the file "
                     "before this one from a copy; or, to go on without it and everything after "
                     "it, move this file and later ones of the folder away",
                     files_[next_file_ - 1].path, offset_, previous_ + 1, header.position);
      }
      previous_ = header.position;
      offset_ += kHeaderBytes + payload.size();
      if (header.position <= position_) continue;
      position_ = header.position;
      record.position = header.position;
      record.payload.assign(payload);
      return true;
    }
    return false;
  }

 private:
  const std::vector<LogFile> files_;
  uint64_t position_;
  const uint64_t last_;
  uint64_t previous_ = 0;  // Of the record before, given out or passed over.
  size_t next_file_ = 0;
  std::string bytes_;
  size_t offset_ = 0;
};

class FileWal final : public store::Wal {
 public:
  FileWal(std::string directory, const FileWalOptions& options)
      : directory_(std::move(directory)), options_(options) {}

  Result<std::vector<store::WalPosition>> Append(
      Context&, std::string_view name, std::span<const std::string_view> records) override {
    TRY_ASSIGN(Stream * stream, Open(name));
    std::lock_guard<std::mutex> lock(stream->mutex);
    if (stream->closed) {
      return Error(ErrorCode::kIoFailed,
                   "the log {} is closed after a failed sync; restart to go on", stream->directory);
    }
    if (stream->end >= static_cast<uint64_t>(options_.file_bytes_max)) TRY(Rotate(*stream));
    std::vector<RecordHeader> headers(records.size());
    std::vector<std::string_view> parts;
    uint64_t bytes = 0;
    for (size_t i = 0; i < records.size(); ++i) {
      if (records[i].size() > UINT32_MAX)
        return Invalid("a log record has {} bytes", records[i].size());
      const uint64_t position = stream->position + 1 + i;
      headers[i] = {.magic = kMagic,
                    .length = static_cast<uint32_t>(records[i].size()),
                    .position = position,
                    .durable_before = stream->position,
                    .checksum = RecordChecksum(records[i], position, stream->position)};
      parts.emplace_back(reinterpret_cast<const char*>(&headers[i]), kHeaderBytes);
      parts.push_back(records[i]);
      bytes += kHeaderBytes + records[i].size();
    }
    const std::string& path = stream->files.back().path;
    Status written = WriteAt(stream->last, path, stream->end, parts);
    if (!written.ok()) {
      // Nothing of it may ever be read.
      if (::ftruncate(stream->last.fd(), static_cast<off_t>(stream->end)) != 0)
        stream->closed = true;
      return written;
    }
    if (options_.sync) {
      Status synced = SyncData(stream->last, path);
      if (!synced.ok()) {
        stream->closed = true;
        return std::move(synced).WithContext("the stream is closed");
      }
    }
    stream->end += bytes;
    std::vector<store::WalPosition> positions;
    for (size_t i = 0; i < records.size(); ++i) positions.push_back(++stream->position);
    return positions;
  }

  Result<std::unique_ptr<store::WalReader>> Read(Context&, std::string_view name,
                                                 store::WalPosition after) override {
    TRY_ASSIGN(Stream * stream, Open(name));
    std::lock_guard<std::mutex> lock(stream->mutex);
    std::vector<LogFile> files = stream->files;
    // Files that end at or before `after` need not be read.
    while (files.size() > 1 && files[1].first_position <= after + 1) files.erase(files.begin());
    return std::unique_ptr<store::WalReader>(
        std::make_unique<FileReader>(std::move(files), after, stream->position));
  }

  Status Truncate(Context&, std::string_view name, store::WalPosition position) override {
    TRY_ASSIGN(Stream * stream, Open(name));
    std::lock_guard<std::mutex> lock(stream->mutex);
    while (stream->files.size() > 1 && stream->files[1].first_position <= position + 1) {
      if (::unlink(stream->files.front().path.c_str()) != 0 && errno != ENOENT) {
        return IoError("remove", stream->files.front().path, errno);
      }
      stream->files.erase(stream->files.begin());
    }
    return {};
  }

  Result<store::WalPosition> LastPosition(Context&, std::string_view name) override {
    TRY_ASSIGN(Stream * stream, Open(name));
    std::lock_guard<std::mutex> lock(stream->mutex);
    return stream->position;
  }

 private:
  Result<Stream*> Open(std::string_view name) {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto found = streams_.find(name);
    if (found != streams_.end()) return found->second.get();
    if (name.empty() || name.find('/') != std::string_view::npos || name.starts_with('.')) {
      return Invalid("not a stream name: '{}'", name);
    }
    auto stream = std::make_unique<Stream>();
    stream->directory = fmt::format("{}/{}", directory_, name);
    TRY(MakeDirectories(stream->directory));
    TRY(SyncDirectory(directory_));
    TRY_ASSIGN(stream->files, ListFiles(stream->directory));
    if (stream->files.empty()) {
      TRY(AddFile(*stream, 1));
    } else {
      TRY_ASSIGN(stream->last, OpenFile(stream->files.back().path, O_RDWR));
      TRY(RecoverEnd(*stream));
    }
    return streams_.emplace(std::string(name), std::move(stream)).first->second.get();
  }

  Status Rotate(Stream& stream) { return AddFile(stream, stream.position + 1); }

  static Status AddFile(Stream& stream, uint64_t first_position) {
    const std::string path = stream.directory + "/" + FileName(first_position);
    TRY_ASSIGN(File file, OpenFile(path, O_RDWR | O_CREAT | O_TRUNC));
    TRY(SyncDirectory(stream.directory));
    stream.last = std::move(file);
    stream.files.push_back({first_position, path});
    stream.end = 0;
    return {};
  }

  const std::string directory_;
  const FileWalOptions options_;
  std::mutex mutex_;  // Guards the map; streams live as long as this.
  std::map<std::string, std::unique_ptr<Stream>, std::less<>> streams_;
};

}  // namespace

Result<std::unique_ptr<store::Wal>> OpenFileWal(const std::string& directory,
                                                const FileWalOptions& options) {
  TRY(MakeDirectories(directory));
  return std::unique_ptr<store::Wal>(std::make_unique<FileWal>(directory, options));
}

}  // namespace elanus::backend
