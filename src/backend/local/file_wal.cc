// The embedded log. Invariants of a stream:
// 1. Files are sorted by first position; only the last one is written.
// 2. `end` is the offset behind the last whole record of the last file; bytes behind it are garbage
// of a failed append.
// 3. A failed sync closes the stream: what the disk holds is unknown until it is read again at the
// next start.
#include "backend/local/file_wal.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

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

// Follows a stream, a few megabytes at a time.
class FileReader final : public store::WalReader {
 public:
  FileReader(FileSystem& system, std::shared_ptr<Stream> stream, uint64_t after)
      : system_(system), stream_(std::move(stream)), position_(after) {}

  Result<bool> Next(Context& ctx, store::WalRecord& record) override {
    if (position_ >= last_) Refresh();
    while (position_ < last_) {
      TRY(ctx.CheckAlive());
      if (file_.path.empty() && !OpenNext()) return false;
      TRY_ASSIGN(const bool has_bytes, Fill());
      if (!has_bytes) {
        if (!OpenNext()) return false;
        continue;
      }
      RecordHeader header;
      std::string_view payload;
      if (!ParseRecord(buffer_, offset_ - buffer_begin_, header, payload)) {
        TRY(CheckRecordVersion(buffer_, offset_ - buffer_begin_, file_.path));
        return DamagedRecord(file_.path, offset_);
      }
      // Positions rise by one: a jump means that a file has gone, or its end.
      if (previous_ != 0 && header.position != previous_ + 1 &&
          files_.gaps.count(header.position) == 0) {
        return MissingRecord(file_.path, offset_, previous_ + 1, header.position);
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
  static constexpr size_t kReadBytes = 4 << 20;

  void Refresh() {
    std::lock_guard<std::mutex> lock(stream_->mutex);
    files_ = stream_->files;
    last_ = stream_->position;
    end_ = stream_->end;
  }

  // The file behind the one that is open; at first the one that holds the wanted record.
  bool OpenNext() {
    const std::vector<LogFile>& logs = files_.logs;
    const uint64_t after = file_.path.empty() ? position_ + 1 : file_.first_position;
    auto next = std::upper_bound(
        logs.begin(), logs.end(), after,
        [](uint64_t position, const LogFile& log) { return position < log.first_position; });
    if (file_.path.empty() && next != logs.begin()) --next;
    if (next == logs.end()) return false;
    file_ = *next;
    offset_ = buffer_begin_ = 0;
    buffer_.clear();
    return true;
  }

  // Bytes of the file that are good to read: behind the end of the last one may be anything.
  uint64_t Limit() const {
    const bool is_last = file_.first_position == files_.logs.back().first_position;
    return is_last ? end_ : UINT64_MAX;
  }

  // Makes a whole record lie in the buffer, when there is one. False: the file is read to its end,
  // or has been cut off meanwhile.
  Result<bool> Fill() {
    size_t needed = kRecordHeaderBytes;
    const auto buffered = [&] { return buffer_begin_ + buffer_.size() - offset_; };
    if (buffered() >= needed) needed += LengthAt(buffer_, offset_ - buffer_begin_);
    while (buffered() < needed) {
      const uint64_t left = Limit() - offset_;
      const uint64_t wanted = std::min<uint64_t>(left, std::max(needed, kReadBytes));
      Result<std::string> bytes =
          wanted == 0 ? std::string() : system_.ReadRange(file_.path, offset_, wanted);
      if (bytes.status().code() == ErrorCode::kKeyNotFound && WasCutOff()) return false;
      TRY_ASSIGN(buffer_, std::move(bytes));
      buffer_begin_ = offset_;
      if (buffer_.empty()) return false;
      if (buffer_.size() < needed) return true;  // The file ends inside the record.
      const size_t whole = kRecordHeaderBytes + LengthAt(buffer_, 0);
      if (whole == needed || buffer_.size() >= whole) break;
      needed = whole;
    }
    return true;
  }

  static uint32_t LengthAt(const std::string& bytes, size_t offset) {
    RecordHeader header;
    std::memcpy(&header, bytes.data() + offset, sizeof(header));
    return header.length;
  }

  // Whoever reads slowly finds the oldest records gone and goes on with those that are left.
  bool WasCutOff() {
    Refresh();
    if (files_.logs.front().first_position <= file_.first_position) return false;
    previous_ = 0;
    return true;
  }

  FileSystem& system_;
  const std::shared_ptr<Stream> stream_;
  StreamFiles files_;  // As of the last look at the stream,
  uint64_t last_ = 0;  // with the newest record,
  uint64_t end_ = 0;   // and the end of the last file.
  uint64_t position_;
  uint64_t previous_ = 0;  // Of the record before, given out or passed over.
  LogFile file_{};
  uint64_t offset_ = 0;  // In the file, of the next record.
  std::string buffer_;
  uint64_t buffer_begin_ = 0;
};

class FileWal final : public store::Wal {
  // A smaller last file stays although nobody needs it: beginning a new one costs some syncs.
  static constexpr uint64_t kNeedlessBytesMax = 1 << 20;
  // As does one of this part of its full size.
  static constexpr uint64_t kFilesOfNeedlessBytes = 16;

 public:
  FileWal(std::string directory, const FileWalOptions& options, FileSystem& files)
      : directory_(std::move(directory)), options_(options), files_(files) {}

  Result<std::vector<store::WalPosition>> Append(
      Context&, std::string_view name, std::span<const std::string_view> records) override {
    TRY_ASSIGN(const auto stream, Open(name));
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
    TRY_ASSIGN(auto stream, Open(name));
    return std::unique_ptr<store::WalReader>(
        std::make_unique<FileReader>(files_, std::move(stream), after));
  }

  Status Truncate(Context&, std::string_view name, store::WalPosition position) override {
    TRY_ASSIGN(const auto stream, Open(name));
    std::lock_guard<std::mutex> lock(stream->mutex);
    std::vector<LogFile>& logs = stream->files.logs;
    // Nobody needs what the last file holds either: a new one lets it go, unless it is not worth
    // it.
    const bool is_worth_it =
        stream->end >= kNeedlessBytesMax ||
        stream->end * kFilesOfNeedlessBytes >= static_cast<uint64_t>(options_.file_bytes_max);
    if (position >= stream->position && is_worth_it && !stream->closed) TRY(Rotate(*stream));
    size_t gone = 0;
    while (gone + 1 < logs.size() && logs[gone + 1].first_position <= position + 1) ++gone;
    if (gone == 0) return {};
    // Said before it is done: otherwise a file that goes missing looks like one that was cut off.
    TRY(MarkBegin(*stream, logs[gone].first_position));
    for (; gone > 0; --gone) {
      // One that was not there has gone all the same.
      TRY(files_.Remove(logs.front().path).status());
      logs.erase(logs.begin());
    }
    return {};
  }

  Result<std::vector<store::WalPage>> Pages(Context&, std::string_view name) override {
    TRY_ASSIGN(const auto stream, Open(name));
    std::lock_guard<std::mutex> lock(stream->mutex);
    const std::vector<LogFile>& logs = stream->files.logs;
    std::vector<store::WalPage> pages;
    for (size_t i = 0; i < logs.size(); ++i) {
      const bool is_last = i + 1 == logs.size();
      uint64_t bytes = stream->end;
      if (!is_last) {
        TRY_ASSIGN(bytes, files_.Size(logs[i].path));
      }
      pages.push_back({.first = logs[i].first_position,
                       .last = is_last ? stream->position : logs[i + 1].first_position - 1,
                       .bytes = static_cast<int64_t>(bytes),
                       .is_closed = !is_last});
    }
    return pages;
  }

  Status Remove(Context&, std::string_view name) override {
    TRY_ASSIGN(const auto stream, Open(name));
    std::lock_guard<std::mutex> map_lock(mutex_);
    std::lock_guard<std::mutex> lock(stream->mutex);
    stream->closed = true;
    stream->last.reset();
    TRY_ASSIGN(const auto entries, files_.List(stream->directory));
    // The newest first: what is left by a crash in between is a log that ends earlier.
    for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
      TRY(files_.Remove(stream->directory + "/" + entry->name).status());
    }
    TRY(files_.RemoveFolder(stream->directory).status());
    TRY(SyncFolder(files_, directory_));
    streams_.erase(streams_.find(name));
    return {};
  }

  Result<store::WalPosition> LastPosition(Context&, std::string_view name) override {
    TRY_ASSIGN(const auto stream, Open(name));
    std::lock_guard<std::mutex> lock(stream->mutex);
    return stream->position;
  }

 private:
  Result<std::shared_ptr<Stream>> Open(std::string_view name) {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto found = streams_.find(name);
    if (found != streams_.end()) return found->second;
    if (name.empty() || name.find('/') != std::string_view::npos || name.starts_with('.')) {
      return Invalid("not a stream name: '{}'", name);
    }
    auto stream = std::make_shared<Stream>();
    stream->directory = fmt::format("{}/{}", directory_, name);
    TRY(MakeFolders(files_, stream->directory));
    TRY_ASSIGN(stream->files, ListLogFiles(files_, stream->directory));
    if (stream->files.logs.empty()) {
      TRY(AddFile(*stream, 1));
    } else {
      TRY(stream->files.CheckBegin());
      TRY_ASSIGN(stream->last, files_.OpenToWrite(stream->files.logs.back().path,
                                                  FileSystem::Creation::kMustExist));
      TRY(RecoverEnd(files_, *stream));
      // Whoever made the newest file may have died before its name was safe.
      TRY(SyncFolder(files_, stream->directory));
    }
    if (stream->files.begin == 0) {
      TRY(MarkBegin(*stream, stream->files.logs.front().first_position));
    }
    return streams_.emplace(std::string(name), std::move(stream)).first->second;
  }

  // A file without content; its name says from where on nothing may be missing.
  Status MarkBegin(Stream& stream, uint64_t begin) {
    const auto path_of = [&](uint64_t at) { return stream.directory + "/" + BeginFileName(at); };
    TRY(files_.OpenToWrite(path_of(begin), FileSystem::Creation::kEmpty).status());
    TRY(SyncFolder(files_, stream.directory));
    const uint64_t before = std::exchange(stream.files.begin, begin);
    // Of several the greatest counts.
    if (before != 0 && before != begin) (void)files_.Remove(path_of(before));
    return {};
  }

  Status Rotate(Stream& stream) { return AddFile(stream, stream.position + 1); }

  Status AddFile(Stream& stream, uint64_t first_position) {
    const std::string path = stream.directory + "/" + LogFileName(first_position);
    auto file = files_.OpenToWrite(path, FileSystem::Creation::kEmpty);
    Status made = file.status();
    if (made.ok()) made = SyncFolder(files_, stream.directory);
    if (!made.ok()) {
      // An empty file of later records hides what goes on in the one before it from the next start.
      const Result<bool> was_there = files_.Remove(path);
      Status undone = was_there.status();
      if (undone.ok() && *was_there) undone = SyncFolder(files_, stream.directory);
      if (!undone.ok()) stream.closed = true;
      return made;
    }
    stream.last = std::move(*file);
    stream.files.logs.push_back({first_position, path});
    stream.end = 0;
    return {};
  }

  const std::string directory_;
  const FileWalOptions options_;
  FileSystem& files_;
  std::mutex mutex_;  // Guards the map. Taken before a stream's own.
  std::map<std::string, std::shared_ptr<Stream>, std::less<>> streams_;
};

}  // namespace

Result<std::unique_ptr<store::Wal>> OpenFileWal(const std::string& directory,
                                                const FileWalOptions& options, FileSystem& files) {
  TRY(MakeFolders(files, directory));
  return std::unique_ptr<store::Wal>(std::make_unique<FileWal>(directory, options, files));
}

}  // namespace elanus::backend
