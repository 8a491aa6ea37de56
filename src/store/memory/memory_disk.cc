// Stores in memory.
#include "store/memory/memory_disk.h"

#include <algorithm>

#include "base/aligned_copy.h"
#include "store/object_key.h"

namespace elanus::store {
namespace {
Status Gone() { return Status(ErrorCode::kIoFailed, "the disk has gone: simulated crash"); }
}  // namespace

bool MemoryDisk::Alive(uint64_t generation) {
  if (executor_ != nullptr) executor_->Yield();
  std::lock_guard<std::mutex> lock(mutex_);
  return generation == generation_;
}

class MemoryObjects final : public ObjectStore {
 public:
  explicit MemoryObjects(MemoryDisk& disk) : disk_(disk), generation_(disk.generation_) {}
  Status Put(Context&, std::string_view key, std::string_view bytes) override {
    TRY(CheckObjectKey(key));
    if (!disk_.Alive(generation_)) return Gone();
    std::lock_guard<std::mutex> lock(disk_.mutex_);
    if (disk_.fail_puts_ > 0) {
      --disk_.fail_puts_;
      return Status(ErrorCode::kIoFailed, "injected: the put failed");
    }
    disk_.objects_[std::string(key)] = std::make_shared<const std::string>(bytes);
    return {};
  }
  Result<std::unique_ptr<ObjectWriter>> Create(Context& ctx, std::string_view key) override {
    TRY(CheckObjectKey(key));
    if (!disk_.Alive(generation_)) return Gone();
    return std::unique_ptr<ObjectWriter>(std::make_unique<Writer>(*this, ctx, std::string(key)));
  }
  Result<Blob> Open(Context&, std::string_view key) override {
    TRY(CheckObjectKey(key));
    if (!disk_.Alive(generation_)) return Gone();
    std::lock_guard<std::mutex> lock(disk_.mutex_);
    const auto found = disk_.objects_.find(std::string(key));
    if (found == disk_.objects_.end()) {
      return Error(ErrorCode::kKeyNotFound, "{}[key={}]", InfoOf(ErrorCode::kKeyNotFound).name,
                   key);
    }
    return AlignedCopy(*found->second);  // As the contract says; a std::string is not.
  }
  Result<std::vector<std::string>> List(Context&, std::string_view prefix) override {
    if (!disk_.Alive(generation_)) return Gone();
    std::lock_guard<std::mutex> lock(disk_.mutex_);
    std::vector<std::string> keys;
    for (auto it = disk_.objects_.lower_bound(std::string(prefix));
         it != disk_.objects_.end() && it->first.starts_with(prefix); ++it) {
      keys.push_back(it->first);
    }
    return keys;
  }
  Status Delete(Context&, std::string_view key) override {
    TRY(CheckObjectKey(key));
    if (!disk_.Alive(generation_)) return Gone();
    std::lock_guard<std::mutex> lock(disk_.mutex_);
    disk_.objects_.erase(std::string(key));
    return {};
  }

 private:
  class Writer final : public ObjectWriter {
   public:
    Writer(MemoryObjects& objects, Context& ctx, std::string key)
        : objects_(objects), ctx_(ctx), key_(std::move(key)) {}
    Status Append(std::string_view bytes) override {
      bytes_.append(bytes);
      return {};
    }
    Status Finish() override { return objects_.Put(ctx_, key_, bytes_); }

   private:
    MemoryObjects& objects_;
    Context& ctx_;
    const std::string key_;
    std::string bytes_;
  };

  MemoryDisk& disk_;
  const uint64_t generation_;
};

class MemoryMeta final : public MetaStore {
 public:
  explicit MemoryMeta(MemoryDisk& disk) : disk_(disk), generation_(disk.generation_) {}
  Result<std::optional<std::string>> Get(Context&, std::string_view key) override {
    if (!disk_.Alive(generation_)) return Gone();
    std::lock_guard<std::mutex> lock(disk_.mutex_);
    const auto found = disk_.meta_.find(std::string(key));
    if (found == disk_.meta_.end()) return std::optional<std::string>();
    return std::optional<std::string>(found->second);
  }
  Result<std::vector<std::pair<std::string, std::string>>> Scan(Context&,
                                                                std::string_view prefix) override {
    if (!disk_.Alive(generation_)) return Gone();
    std::lock_guard<std::mutex> lock(disk_.mutex_);
    std::vector<std::pair<std::string, std::string>> pairs;
    for (auto it = disk_.meta_.lower_bound(std::string(prefix));
         it != disk_.meta_.end() && it->first.starts_with(prefix); ++it) {
      pairs.push_back(*it);
    }
    return pairs;
  }
  Result<bool> Commit(Context&, const MetaTxn& txn) override {
    if (!disk_.Alive(generation_)) return Gone();
    std::lock_guard<std::mutex> lock(disk_.mutex_);
    if (disk_.fail_commits_ > 0) {
      --disk_.fail_commits_;
      return Status(ErrorCode::kIoFailed, "injected: the commit failed");
    }
    for (const MetaTxn::Compare& compare : txn.compares) {
      const auto found = disk_.meta_.find(compare.key);
      const bool holds =
          found == disk_.meta_.end() ? !compare.value.has_value() : compare.value == found->second;
      if (!holds) return false;
    }
    for (const auto& [key, value] : txn.puts) disk_.meta_[key] = value;
    for (const std::string& key : txn.deletes) disk_.meta_.erase(key);
    return true;
  }

 private:
  MemoryDisk& disk_;
  const uint64_t generation_;
};

class MemoryWal final : public Wal {
 public:
  explicit MemoryWal(MemoryDisk& disk) : disk_(disk), generation_(disk.generation_) {}
  Result<std::vector<WalPosition>> Append(Context&, std::string_view stream,
                                          std::span<const std::string_view> records) override {
    if (!disk_.Alive(generation_)) return Gone();
    {
      std::lock_guard<std::mutex> lock(disk_.mutex_);
      if (disk_.fail_appends_ > 0) {
        --disk_.fail_appends_;
        return Status(ErrorCode::kIoFailed, "injected: the append failed");
      }
      disk_.streams_[std::string(stream)].pending.assign(records.begin(), records.end());
    }
    // Between here and the sync a crash keeps any part of the records.
    if (!disk_.Alive(generation_)) return Gone();
    std::lock_guard<std::mutex> lock(disk_.mutex_);
    MemoryDisk::Stream& to = disk_.streams_[std::string(stream)];
    std::vector<WalPosition> positions;
    for (std::string& payload : to.pending) {
      to.records.push_back({.position = ++to.last, .payload = std::move(payload)});
      positions.push_back(to.last);
    }
    to.pending.clear();
    return positions;
  }
  Result<std::unique_ptr<WalReader>> Read(Context&, std::string_view stream,
                                          WalPosition after) override {
    if (!disk_.Alive(generation_)) return Gone();
    return std::unique_ptr<WalReader>(
        std::make_unique<Reader>(disk_, generation_, std::string(stream), after));
  }
  Status Truncate(Context&, std::string_view stream, WalPosition position) override {
    if (!disk_.Alive(generation_)) return Gone();
    std::lock_guard<std::mutex> lock(disk_.mutex_);
    MemoryDisk::Stream& from = disk_.streams_[std::string(stream)];
    std::erase_if(from.records,
                  [&](const WalRecord& record) { return record.position <= position; });
    return {};
  }
  Result<std::vector<WalPage>> Pages(Context&, std::string_view stream) override {
    if (!disk_.Alive(generation_)) return Gone();
    std::lock_guard<std::mutex> lock(disk_.mutex_);
    const MemoryDisk::Stream& of = disk_.streams_[std::string(stream)];
    const WalPosition first = of.records.empty() ? of.last + 1 : of.records.front().position;
    std::vector<WalPage> pages = {{.first = first, .last = first - 1}};
    for (const WalRecord& record : of.records) {
      if (pages.back().bytes > kPageBytes) {
        pages.back().is_closed = true;
        pages.push_back({.first = record.position});
      }
      pages.back().last = record.position;
      pages.back().bytes += static_cast<int64_t>(record.payload.size());
    }
    return pages;
  }
  Status Remove(Context&, std::string_view stream) override {
    if (!disk_.Alive(generation_)) return Gone();
    std::lock_guard<std::mutex> lock(disk_.mutex_);
    disk_.streams_.erase(std::string(stream));
    return {};
  }
  Result<WalPosition> LastPosition(Context&, std::string_view stream) override {
    if (!disk_.Alive(generation_)) return Gone();
    std::lock_guard<std::mutex> lock(disk_.mutex_);
    return disk_.streams_[std::string(stream)].last;
  }

 private:
  static constexpr int64_t kPageBytes = 10'000;

  class Reader final : public WalReader {
   public:
    Reader(MemoryDisk& disk, uint64_t generation, std::string stream, WalPosition after)
        : disk_(disk), generation_(generation), stream_(std::move(stream)), after_(after) {}
    Result<bool> Next(Context&, WalRecord& record) override {
      if (!disk_.Alive(generation_)) return Gone();
      std::lock_guard<std::mutex> lock(disk_.mutex_);
      const std::vector<WalRecord>& records = disk_.streams_[stream_].records;
      const auto next =
          std::upper_bound(records.begin(), records.end(), after_,
                           [](WalPosition at, const WalRecord& r) { return at < r.position; });
      if (next == records.end()) return false;
      record = *next;
      after_ = record.position;
      return true;
    }

   private:
    MemoryDisk& disk_;
    const uint64_t generation_;
    const std::string stream_;
    WalPosition after_;
  };

  MemoryDisk& disk_;
  const uint64_t generation_;
};

std::unique_ptr<ObjectStore> MemoryDisk::OpenObjects() {
  return std::make_unique<MemoryObjects>(*this);
}
std::unique_ptr<MetaStore> MemoryDisk::OpenMeta() { return std::make_unique<MemoryMeta>(*this); }
std::unique_ptr<Wal> MemoryDisk::OpenWal() { return std::make_unique<MemoryWal>(*this); }

void MemoryDisk::Crash(std::mt19937_64& rng) {
  std::lock_guard<std::mutex> lock(mutex_);
  ++generation_;
  for (auto& [name, stream] : streams_) {
    // A torn record is one that reopening cuts, so here it is simply not kept.
    const size_t kept = std::uniform_int_distribution<size_t>(0, stream.pending.size())(rng);
    for (size_t i = 0; i < kept; ++i) {
      stream.records.push_back(
          {.position = ++stream.last, .payload = std::move(stream.pending[i])});
    }
    stream.pending.clear();
  }
}

void MemoryDisk::FailAppends(int count) {
  std::lock_guard<std::mutex> lock(mutex_);
  fail_appends_ = count;
}
void MemoryDisk::FailPuts(int count) {
  std::lock_guard<std::mutex> lock(mutex_);
  fail_puts_ = count;
}
void MemoryDisk::FailCommits(int count) {
  std::lock_guard<std::mutex> lock(mutex_);
  fail_commits_ = count;
}

}  // namespace elanus::store
