// One life of a cluster on a disk that fails: a scripted workload with a fault at one operation,
// then restarts, and every answer compared with a model.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "backend/faulty/faulty_disk.h"
#include "base/executor.h"
#include "server/fake_cluster.h"

namespace rocksdb {
class Env;
}

namespace elanus {

/// The operation at which the disk fails, and how.
struct FaultPoint {
  backend::Fault fault = backend::Fault::kIoError;
  uint64_t at = 0;
  uint64_t count = 1;  // Operations that fail.
};

/// Rows by key. A row's values all follow from its key and version; version 0: no row.
class RowModel {
 public:
  /// An operation begins: from here on the rows may have this version.
  void Begin(const std::vector<int64_t>& keys, int64_t version);
  /// It was acknowledged: the rows have this version.
  void End(const std::vector<int64_t>& keys, int64_t version);
  /// Keys that are surely there.
  std::vector<int64_t> Present() const;
  /// Expects that a read found what may be there, and nothing else.
  void Compare(const std::map<int64_t, int64_t>& found, const std::string& when) const;
  /// What was found stays: what was open is decided.
  void Decide(const std::map<int64_t, int64_t>& found);

 private:
  std::map<int64_t, std::set<int64_t>> allowed_;
};

/// Expectations fail with the fault point in their words.
class FaultTrial {
 public:
  explicit FaultTrial(std::optional<FaultPoint> point);
  ~FaultTrial();
  /// Runs the script, restarts, compares, goes on, restarts, compares.
  void Run();
  /// Operations of the disk that the script took.
  uint64_t operations() const { return operations_; }
  /// And reads, which stand apart.
  uint64_t reads() const { return reads_; }
  bool has_struck() const { return has_struck_; }
  /// Operations of the workload that were acknowledged, and rows that were compared.
  uint64_t acknowledged() const { return acknowledged_; }
  uint64_t compared() const { return compared_; }

 private:
  bool TryOpen();
  void Reopen(bool power_fails);
  void Script();
  void MakeCollection();
  void Fill(int64_t first, int64_t rows);
  void Rewrite(size_t every);
  void Erase(size_t every, bool by_filter);
  void Flush();
  void Compact();
  void NameAndDrop();
  void Collect();
  void Write(const std::vector<int64_t>& keys, bool upsert);
  void Compare(const std::string& when, bool decides);
  std::optional<std::map<int64_t, int64_t>> ReadRows(const std::string& filter,
                                                     const std::string& when);
  void ExpectRefusedByTheDisk(const Status& status) const;
  void ExpectCollections(const std::string& when);
  void Pause();
  std::string Where(const std::string& when) const;
  proxy::Services& services() { return cluster_->services(); }

  const std::optional<FaultPoint> point_;
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<Monitor> monitor_;  // Only to wait on.
  ManualClock clock_;
  Context ctx_{clock_};
  backend::FaultyDisk disk_;
  std::unique_ptr<rocksdb::Env> env_;
  std::unique_ptr<server::RoleSet> cluster_;
  RowModel rows_;
  std::map<std::string, std::set<bool>> collections_;  // Whether each may be there, or not.
  bool is_made_ = false;                               // The collection, its indexes and its load.
  int64_t version_ = 0;
  uint64_t operations_ = 0;
  uint64_t reads_ = 0;
  bool has_struck_ = false;
  uint64_t acknowledged_ = 0;
  uint64_t compared_ = 0;
};

}  // namespace elanus
