// The catalog's store on RocksDB.
#include "backend/rocksdb/rocksdb_meta_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <mutex>

#include "backend/local/file.h"

namespace elanus::backend {
namespace {

Status FromRocks(const rocksdb::Status& status) {
  if (status.ok()) return {};
  if (status.IsNoSpace()) return Status(ErrorCode::kDiskLimitExceeded, status.ToString());
  if (status.IsCorruption()) return Status(ErrorCode::kIntegrity, status.ToString());
  return Status(ErrorCode::kIoFailed, status.ToString());
}

rocksdb::Slice AsSlice(std::string_view text) { return {text.data(), text.size()}; }

class RocksDbMetaStore final : public store::MetaStore {
 public:
  explicit RocksDbMetaStore(std::unique_ptr<rocksdb::DB> db) : db_(std::move(db)) {}

  Result<std::optional<std::string>> Get(Context&, std::string_view key) override {
    std::string value;
    const rocksdb::Status status = db_->Get({}, AsSlice(key), &value);
    if (status.IsNotFound()) return std::optional<std::string>();
    TRY(FromRocks(status));
    return std::optional<std::string>(std::move(value));
  }

  Result<std::vector<std::pair<std::string, std::string>>> Scan(Context& ctx,
                                                                std::string_view prefix) override {
    std::vector<std::pair<std::string, std::string>> pairs;
    const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator({}));
    for (at->Seek(AsSlice(prefix)); at->Valid() && at->key().starts_with(AsSlice(prefix));
         at->Next()) {
      if (pairs.size() % 1024 == 0) TRY(ctx.CheckAlive());
      pairs.emplace_back(at->key().ToString(), at->value().ToString());
    }
    TRY(FromRocks(at->status()));
    return pairs;
  }

  Result<bool> Commit(Context& ctx, const store::MetaTxn& txn) override {
    // Compares and write are one step for all who write through this store; nobody else opens the
    // directory.
    std::lock_guard<std::mutex> lock(mutex_);
    for (const store::MetaTxn::Compare& compare : txn.compares) {
      TRY_ASSIGN(const std::optional<std::string> value, Get(ctx, compare.key));
      if (value != compare.value) return false;
    }
    rocksdb::WriteBatch batch;
    for (const auto& [key, value] : txn.puts) TRY(FromRocks(batch.Put(key, value)));
    for (const std::string& key : txn.deletes) TRY(FromRocks(batch.Delete(key)));
    rocksdb::WriteOptions options;
    options.sync = true;
    TRY(FromRocks(db_->Write(options, &batch)));
    return true;
  }

 private:
  std::unique_ptr<rocksdb::DB> db_;
  std::mutex mutex_;
};

}  // namespace

Result<std::unique_ptr<store::MetaStore>> OpenRocksDbMetaStore(const std::string& directory) {
  TRY(MakeDirectories(directory));
  rocksdb::Options options;
  options.create_if_missing = true;
  options.write_buffer_size = 2 << 20;
  options.max_open_files = 64;
  options.keep_log_file_num = 1;
  options.info_log_level = rocksdb::WARN_LEVEL;
  options.max_background_jobs = 1;
  options.max_total_wal_size = 8 << 20;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(1 << 20);
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  rocksdb::DB* db = nullptr;
  Status opened = FromRocks(rocksdb::DB::Open(options, directory, &db));
  if (!opened.ok()) return std::move(opened).WithContext("opening the catalog in " + directory);
  return std::unique_ptr<store::MetaStore>(
      std::make_unique<RocksDbMetaStore>(std::unique_ptr<rocksdb::DB>(db)));
}

}  // namespace elanus::backend
