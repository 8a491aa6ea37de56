// Stores in memory.
#include "store/memory/memory_disk.h"

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
  Result<Blob> Open(Context&, std::string_view key) override {
    TRY(CheckObjectKey(key));
    if (!disk_.Alive(generation_)) return Gone();
    std::lock_guard<std::mutex> lock(disk_.mutex_);
    const auto found = disk_.objects_.find(std::string(key));
    if (found == disk_.objects_.end()) {
      return Error(ErrorCode::kKeyNotFound, "{}[key={}]", InfoOf(ErrorCode::kKeyNotFound).name,
                   key);
    }
    // Aligned as the contract says; a std::string is not.
    const std::string& bytes = *found->second;
    std::shared_ptr<uint8_t[]> copy(new (std::align_val_t(64)) uint8_t[bytes.size() + 1],
                                    [](uint8_t* p) { operator delete[](p, std::align_val_t(64)); });
    std::memcpy(copy.get(), bytes.data(), bytes.size());
    const std::string_view view(reinterpret_cast<const char*>(copy.get()), bytes.size());
    return Blob(std::shared_ptr<const void>(copy, copy.get()), view, bytes.size());
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

class MemoryReader final : public WalReader {
 public:
  explicit MemoryReader(std::vector<WalRecord> records) : records_(std::move(records)) {}
  Result<bool> Next(Context&, WalRecord& record) override {
    if (at_ == records_.size()) return false;
    record = records_[at_++];
    return true;
  }

 private:
  std::vector<WalRecord> records_;
  size_t at_ = 0;
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
    std::lock_guard<std::mutex> lock(disk_.mutex_);
    std::vector<WalRecord> records;
    for (const WalRecord& record : disk_.streams_[std::string(stream)].records) {
      if (record.position > after) records.push_back(record);
    }
    return std::unique_ptr<WalReader>(std::make_unique<MemoryReader>(std::move(records)));
  }
  Status Truncate(Context&, std::string_view stream, WalPosition position) override {
    if (!disk_.Alive(generation_)) return Gone();
    std::lock_guard<std::mutex> lock(disk_.mutex_);
    std::erase_if(disk_.streams_[std::string(stream)].records,
                  [&](const WalRecord& record) { return record.position <= position; });
    return {};
  }
  Result<WalPosition> LastPosition(Context&, std::string_view stream) override {
    if (!disk_.Alive(generation_)) return Gone();
    std::lock_guard<std::mutex> lock(disk_.mutex_);
    return disk_.streams_[std::string(stream)].last;
  }

 private:
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
