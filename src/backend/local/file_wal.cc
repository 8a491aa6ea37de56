// The embedded log. Invariants of a stream:
// 1. Files are sorted by first position; only the last one is written.
// 2. `end` is the offset behind the last whole record of the last file; bytes behind it are garbage
// of a failed append.
// 3. A failed sync closes the stream: what the disk holds is unknown until it is read again at the
// next start.
#include "backend/local/file_wal.h"

#include <cstring>
#include <map>
#include <mutex>

#include "backend/local/log_file.h"
#include "base/log.h"

namespace elanus::backend {
namespace {

struct Stream {
  std::mutex
      mutex;  // Held over an append with its sync: appends of one stream are serial by contract.
  std::string directory;
  StreamFiles files;
  std::unique_ptr<WritableFile> last;
  uint64_t end = 0;
  uint64_t position = 0;
  bool closed = false;
};

// Finds the end of the last file, cuts what a crash has torn, and makes the rest durable.
Status RecoverEnd(FileSystem& files, Stream& stream) {
  const LogFile& file = stream.files.logs.back();
  TRY_ASSIGN(const std::string bytes, files.Read(file.path));
  TRY_ASSIGN(const LogEnd end, FindLogEnd(bytes, file));
  if (end.offset < bytes.size()) {
    LogWarn("torn end of the log cut file={} offset={} bytes={}", file.path, end.offset,
            bytes.size() - end.offset);
    TRY(stream.last->Truncate(end.offset));
  }
  // The last group may have come from the system's memory and not from the disk: its writer was
  // killed before the sync, or the sync failed, after which the system holds the pages for clean.
  // Only a new write and a new sync bring them to the disk. Otherwise the next power failure would
  // leave a hole before records that are acknowledged from now on.
  const std::string_view group =
      std::string_view(bytes).substr(end.group_offset, end.offset - end.group_offset);
  TRY(stream.last->Write(end.group_offset, std::span(&group, 1)));
  TRY(stream.last->Sync());
  stream.end = end.offset;
  stream.position = end.position;
  return {};
}

class FileReader final : public store::WalReader {
 public:
  FileReader(FileSystem& system, StreamFiles files, uint64_t after, uint64_t last)
      : system_(system), files_(std::move(files)), position_(after), last_(last) {}

  Result<bool> Next(Context& ctx, store::WalRecord& record) override {
    while (position_ < last_) {
      TRY(ctx.CheckAlive());
      if (offset_ == bytes_.size()) {
        if (next_file_ == files_.logs.size()) return false;
        TRY_ASSIGN(bytes_, system_.Read(files_.logs[next_file_].path));
        ++next_file_;
        offset_ = 0;
        continue;
      }
      const std::string& path = files_.logs[next_file_ - 1].path;
      RecordHeader header;
      std::string_view payload;
      if (!ParseRecord(bytes_, offset_, header, payload)) {
        TRY(CheckRecordVersion(bytes_, offset_, path));
        return DamagedRecord(path, offset_);
      }
      // Positions rise by one: a jump means that a file has gone, or its end.
      if (previous_ != 0 && header.position != previous_ + 1 &&
          files_.gaps.count(header.position) == 0) {
        return MissingRecord(path, offset_, previous_ + 1, header.position);
      }
      previous_ = header.position;
      offset_ += kRecordHeaderBytes + payload.size();
      if (header.position <= position_) continue;
      position_ = header.position;
      record.position = header.position;
      record.payload.assign(payload);
      return true;
    }
    return false;
  }

 private:
  FileSystem& system_;
  const StreamFiles files_;
  uint64_t position_;
  const uint64_t last_;
  uint64_t previous_ = 0;  // Of the record before, given out or passed over.
  size_t next_file_ = 0;
  std::string bytes_;
  size_t offset_ = 0;
};

class FileWal final : public store::Wal {
 public:
  FileWal(std::string directory, const FileWalOptions& options, FileSystem& files)
      : directory_(std::move(directory)), options_(options), files_(files) {}

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
      headers[i] = MakeRecordHeader(records[i], position, stream->position);
      parts.emplace_back(reinterpret_cast<const char*>(&headers[i]), kRecordHeaderBytes);
      parts.push_back(records[i]);
      bytes += kRecordHeaderBytes + records[i].size();
    }
    Status written = stream->last->Write(stream->end, parts);
    if (!written.ok()) {
      // Nothing of it may ever be read, not even after a power failure: until the cut is on the
      // disk, a part that the system has written meanwhile could come back.
      Status cut = stream->last->Truncate(stream->end);
      if (cut.ok() && options_.sync) cut = stream->last->Sync();
      if (!cut.ok()) {
        stream->closed = true;
        return std::move(written).WithContext("the stream is closed");
      }
      return written;
    }
    if (options_.sync) {
      Status synced = stream->last->Sync();
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
    StreamFiles files = stream->files;
    std::vector<LogFile>& logs = files.logs;
    // Files that end at or before `after` need not be read.
    while (logs.size() > 1 && logs[1].first_position <= after + 1) logs.erase(logs.begin());
    return std::unique_ptr<store::WalReader>(
        std::make_unique<FileReader>(files_, std::move(files), after, stream->position));
  }

  Status Truncate(Context&, std::string_view name, store::WalPosition position) override {
    TRY_ASSIGN(Stream * stream, Open(name));
    std::lock_guard<std::mutex> lock(stream->mutex);
    std::vector<LogFile>& logs = stream->files.logs;
    while (logs.size() > 1 && logs[1].first_position <= position + 1) {
      // One that was not there has gone all the same.
      TRY(files_.Remove(logs.front().path).status());
      logs.erase(logs.begin());
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
    TRY(MakeFolders(files_, stream->directory));
    TRY_ASSIGN(stream->files, ListLogFiles(files_, stream->directory));
    if (stream->files.logs.empty()) {
      TRY(AddFile(*stream, 1));
    } else {
      TRY_ASSIGN(stream->last, files_.OpenToWrite(stream->files.logs.back().path,
                                                  FileSystem::Creation::kMustExist));
      TRY(RecoverEnd(files_, *stream));
      // Whoever made the newest file may have died before its name was safe.
      TRY(SyncFolder(files_, stream->directory));
    }
    return streams_.emplace(std::string(name), std::move(stream)).first->second.get();
  }

  Status Rotate(Stream& stream) { return AddFile(stream, stream.position + 1); }

  Status AddFile(Stream& stream, uint64_t first_position) {
    const std::string path = stream.directory + "/" + LogFileName(first_position);
    TRY_ASSIGN(auto file, files_.OpenToWrite(path, FileSystem::Creation::kEmpty));
    TRY(SyncFolder(files_, stream.directory));
    stream.last = std::move(file);
    stream.files.logs.push_back({first_position, path});
    stream.end = 0;
    return {};
  }

  const std::string directory_;
  const FileWalOptions options_;
  FileSystem& files_;
  std::mutex mutex_;  // Guards the map; streams live as long as this.
  std::map<std::string, std::unique_ptr<Stream>, std::less<>> streams_;
};

}  // namespace

Result<std::unique_ptr<store::Wal>> OpenFileWal(const std::string& directory,
                                                const FileWalOptions& options, FileSystem& files) {
  TRY(MakeFolders(files, directory));
  return std::unique_ptr<store::Wal>(std::make_unique<FileWal>(directory, options, files));
}

}  // namespace elanus::backend
