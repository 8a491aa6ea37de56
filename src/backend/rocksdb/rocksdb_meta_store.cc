// The catalog's store on RocksDB.
#include "backend/rocksdb/rocksdb_meta_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <exception>
#include <mutex>
#include <shared_mutex>

#include "backend/rocksdb/commit_mark.h"
#include "backend/rocksdb/log_check.h"
#include "base/log.h"

namespace elanus::backend {
namespace {

Status FromRocks(const rocksdb::Status& status) {
  if (status.ok()) return {};
  if (status.IsNoSpace()) return Status(ErrorCode::kDiskLimitExceeded, status.ToString());
  if (status.IsCorruption()) return Status(ErrorCode::kIntegrity, status.ToString());
  return Status(ErrorCode::kIoFailed, status.ToString());
}

// What RocksDB throws becomes a status: a damaged length makes it ask for more memory than there
// is.
template <class Call>
rocksdb::Status Guarded(const Call& call) {
  try {
    return call();
  } catch (const std::exception& thrown) {
    return rocksdb::Status::Corruption("a file cannot be read", thrown.what());
  }
}

rocksdb::Slice AsSlice(std::string_view text) { return {text.data(), text.size()}; }

// Outside the name space of the callers' keys.
constexpr std::string_view kCommitKey = "!commit";

rocksdb::Options MakeOptions(rocksdb::Env* env) {
  rocksdb::Options options;
  if (env != nullptr) options.env = env;
  options.create_if_missing = true;
  options.write_buffer_size = 2 << 20;
  options.max_open_files = 64;
  options.keep_log_file_num = 1;
  options.info_log_level = rocksdb::WARN_LEVEL;
  options.max_background_jobs = 1;
  options.max_total_wal_size = 8 << 20;
  options.allow_fallocate = false;  // 6 MB ahead, for a catalog of some kilobytes.
  // What failed is resolved here, at the next commit, and not in the background.
  options.max_bgerror_resume_count = 0;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(1 << 20);
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

Result<std::unique_ptr<rocksdb::DB>> OpenDatabase(const std::string& directory, rocksdb::Env* env) {
  rocksdb::DB* db = nullptr;
  Status opened =
      FromRocks(Guarded([&] { return rocksdb::DB::Open(MakeOptions(env), directory, &db); }));
  if (opened.code() == ErrorCode::kIntegrity) {
    return Error(ErrorCode::kIntegrity, "{}: {}. Put the data directory back from a copy",
                 directory, opened.message());
  }
  if (opened.code() == ErrorCode::kIoFailed) {
    return Error(ErrorCode::kIoFailed,
                 "opening the catalog in {}: {}. If a file of it is gone, put the data directory "
                 "back from a copy",
                 directory, opened.message());
  }
  if (!opened.ok()) return std::move(opened).WithContext("opening the catalog in " + directory);
  return std::unique_ptr<rocksdb::DB>(db);
}

// Invariants:
// 1. Each commit also writes its number under kCommitKey, in the same batch; `committed_` is that
// of
//    the last one that succeeded.
// 2. After a failed commit `undo_` holds what its keys had before. RocksDB keeps the failed batch
// out
//    of what it reads, but it may stand in the log, and an opening would bring it back. So nothing
//    is committed until the database was opened again (`Resolve`) and, should the number in it be
//    higher, the batch was undone.
// 3. `mark_` follows `committed_` outside of the database, before the commit is answered. It is
//    never ahead of what the database has synced, so a database that is behind it has lost commits.
// 4. `db_` is null when the second opening failed, or when what a failed batch has to be turned
//    back to could not be read.
class RocksDbMetaStore final : public store::MetaStore {
 public:
  RocksDbMetaStore(std::string directory, rocksdb::Env* env, CommitMark mark,
                   std::unique_ptr<rocksdb::DB> db)
      : directory_(std::move(directory)), env_(env), db_(std::move(db)), mark_(std::move(mark)) {}

  Status ReadCommitNumber() {
    TRY_ASSIGN(committed_, CommitNumber());
    if (committed_ >= mark_.number()) return {};
    return Error(ErrorCode::kIntegrity,
                 "{}: the catalog has lost its newest changes: it ends with commit {}, but commit "
                 "{} was made. Put the whole data directory back from a copy: catalog (meta/), log "
                 "(wal/) and objects/ belong together",
                 directory_, committed_, mark_.number());
  }

  Result<std::optional<std::string>> Get(Context&, std::string_view key) override {
    std::shared_lock<std::shared_mutex> lock(db_mutex_);
    return Read(key);
  }

  Result<std::vector<std::pair<std::string, std::string>>> Scan(Context& ctx,
                                                                std::string_view prefix) override {
    std::shared_lock<std::shared_mutex> lock(db_mutex_);
    TRY(CheckOpen());
    std::vector<std::pair<std::string, std::string>> pairs;
    Status alive;
    const rocksdb::Status read = Guarded([&] {
      const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator({}));
      for (at->Seek(AsSlice(prefix)); at->Valid() && at->key().starts_with(AsSlice(prefix));
           at->Next()) {
        if (pairs.size() % 1024 == 0) alive = ctx.CheckAlive();
        if (!alive.ok()) break;
        if (at->key() == AsSlice(kCommitKey)) continue;
        pairs.emplace_back(at->key().ToString(), at->value().ToString());
      }
      return at->status();
    });
    TRY(alive);
    TRY(FromRocks(read));
    return pairs;
  }

  Result<bool> Commit(Context&, const store::MetaTxn& txn) override {
    // Compares and write are one step for all who write through this store; nobody else opens the
    // directory.
    std::lock_guard<std::mutex> lock(commit_mutex_);
    TRY(Resolve());
    for (const store::MetaTxn::Compare& compare : txn.compares) {
      TRY_ASSIGN(const std::optional<std::string> value, Read(compare.key));
      if (value != compare.value) return false;
    }
    rocksdb::WriteBatch batch;
    for (const auto& [key, value] : txn.puts) TRY(FromRocks(batch.Put(key, value)));
    for (const std::string& key : txn.deletes) TRY(FromRocks(batch.Delete(key)));
    TRY(FromRocks(batch.Put(AsSlice(kCommitKey), std::to_string(committed_ + 1))));
    Status written = Write(batch);
    if (written.ok()) {
      ++committed_;
      Mark();
      return true;
    }
    if (const Status remembered = Remember(txn); !remembered.ok()) {
      std::unique_lock<std::shared_mutex> lock(db_mutex_);
      db_.reset();
      return std::move(written).WithContext("the catalog is closed");
    }
    // Perhaps it was a moment's failure: then the caller's next commit finds all well.
    const Status resolved = Resolve();
    if (!resolved.ok()) {
      LogError("the catalog takes no changes until its disk works directory={} error=\"{}\"",
               directory_, resolved.ToString());
    }
    return written;
  }

 private:
  Status CheckOpen() const {
    if (db_ != nullptr) return {};
    return Error(ErrorCode::kIoFailed,
                 "the catalog {} is closed after a failed change; restart to go on", directory_);
  }

  Result<std::optional<std::string>> Read(std::string_view key) const {
    TRY(CheckOpen());
    std::string value;
    const rocksdb::Status status = Guarded([&] { return db_->Get({}, AsSlice(key), &value); });
    if (status.IsNotFound()) return std::optional<std::string>();
    TRY(FromRocks(status));
    return std::optional<std::string>(std::move(value));
  }

  Status Write(rocksdb::WriteBatch& batch) {
    TRY(CheckOpen());
    rocksdb::WriteOptions options;
    options.sync = true;
    return FromRocks(db_->Write(options, &batch));
  }

  Result<uint64_t> CommitNumber() const {
    TRY_ASSIGN(const std::optional<std::string> text, Read(kCommitKey));
    return text ? std::strtoull(text->c_str(), nullptr, 10) : 0;
  }

  // The commit stands in the database whatever becomes of the mark, so it has not failed: only its
  // loss would not be noticed, until the next one is marked.
  void Mark() {
    const Status marked = mark_.Set(committed_);
    if (!marked.ok()) {
      LogWarn("the number of the catalog's last commit was not written down error=\"{}\"",
              marked.ToString());
    }
  }

  // Keeps what a failed transaction has to be turned back to.
  Status Remember(const store::MetaTxn& txn) {
    auto undo = std::make_unique<rocksdb::WriteBatch>();
    const auto keep = [&](const std::string& key) -> Status {
      TRY_ASSIGN(const std::optional<std::string> value, Read(key));
      return FromRocks(value ? undo->Put(key, *value) : undo->Delete(key));
    };
    for (const auto& [key, value] : txn.puts) TRY(keep(key));
    for (const std::string& key : txn.deletes) TRY(keep(key));
    undo_ = std::move(undo);
    return {};
  }

  // After a failed commit: finds out what the disk holds of it.
  Status Resolve() {
    if (undo_ == nullptr) return {};
    {
      std::unique_lock<std::shared_mutex> lock(db_mutex_);
      // While there is no room an opening would fail, and reads with it.
      TRY(TryToWrite(env_ != nullptr ? *env_ : *rocksdb::Env::Default()));
      db_.reset();
      TRY_ASSIGN(db_, OpenDatabase(directory_, env_));
    }
    TRY_ASSIGN(const uint64_t number, CommitNumber());
    if (number > committed_) {
      rocksdb::WriteBatch batch = *undo_;
      TRY(FromRocks(batch.Put(AsSlice(kCommitKey), std::to_string(number + 1))));
      TRY(Write(batch));
      committed_ = number + 1;
      Mark();
    }
    undo_.reset();
    LogWarn("the catalog was opened again after a failed change directory={}", directory_);
    return {};
  }

  // As much as an opening writes.
  Status TryToWrite(rocksdb::Env& env) const {
    const std::string path = directory_ + "/room.dbtmp";
    const Status written =
        FromRocks(rocksdb::WriteStringToFile(&env, std::string(64 << 10, '\0'), path, true));
    Status removed = FromRocks(env.DeleteFile(path));
    TRY(written);
    return removed;
  }

  const std::string directory_;
  rocksdb::Env* const env_;
  std::mutex commit_mutex_;             // One commit at a time; guards all below but db_.
  mutable std::shared_mutex db_mutex_;  // Held alone to replace db_, which only a commit does.
  std::unique_ptr<rocksdb::DB> db_;
  uint64_t committed_ = 0;
  CommitMark mark_;
  std::unique_ptr<rocksdb::WriteBatch> undo_;  // Null: no commit has failed.
};

}  // namespace

Result<std::unique_ptr<store::MetaStore>> OpenRocksDbMetaStore(const std::string& directory,
                                                               const RocksDbMedium& medium) {
  TRY(MakeFolders(medium.files, directory));
  TRY_ASSIGN(CommitMark mark, CommitMark::Open(medium.files, directory + ".last-commit"));
  TRY(CheckRocksDbIsNamed(medium.files, directory, mark.number() > 0));
  TRY(CheckRocksDbLogs(medium.files, directory));
  TRY_ASSIGN(auto db, OpenDatabase(directory, medium.env));
  auto meta =
      std::make_unique<RocksDbMetaStore>(directory, medium.env, std::move(mark), std::move(db));
  TRY(meta->ReadCommitNumber());
  return std::unique_ptr<store::MetaStore>(std::move(meta));
}

}  // namespace elanus::backend
