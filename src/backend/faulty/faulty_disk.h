// A file system in memory that fails, tears and forgets, at an operation of the caller's choice:
// what the stores are tried on.
//
// What it holds to: a write is in the system's memory until the file is synced; a name (made,
// renamed, removed) until its folder is. When the power goes, each sector of 512 bytes that was not
// synced is kept or lost by the toss of a coin, new sizes without their content among them; of the
// changes of names in a folder those up to some moment are kept, as journals do (a rename from one
// folder to another may be seen in one of them only). After a sync that failed the system takes
// what was written for clean: it is read back, but no later sync brings it to the disk (as on
// Linux).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>

#include "backend/local/file_system.h"

namespace elanus::backend {

enum class Fault {
  kIoError,     // The operation fails and does nothing.
  kShortWrite,  // A write fails with an input/output error after a part of it.
  kNoSpace,     // The disk is full: writes end after a part, new names are refused; syncs work.
  kFailedSync,  // The next sync of a file fails and half of what it should have kept is lost.
  kKill,        // The process dies: this and all later operations fail until Restart.
  kPowerOff,    // The same, and what was not synced may be lost; a write is torn.
  kReadError,   // A read of a file or folder fails with an input/output error.
  kShortRead,   // A read gives less than there is, which the file system tells from its end.
};
std::string_view NameOf(Fault fault);

/// Thread-safe. Files and folders opened before a Restart refuse everything after it.
class FaultyDisk final : public FileSystem {
 public:
  explicit FaultyDisk(uint64_t seed) : rng_(seed) {}

  /// From the operation number `at` on (counted as `operations` does, for faults of reads as
  /// `reads`), `count` operations have this fault. kKill and kPowerOff last until Restart; a
  /// kFailedSync strikes once.
  void Arm(uint64_t at, Fault fault, uint64_t count = 1);
  /// Nothing fails from now on.
  void Disarm();
  /// A fault has struck since it was armed.
  bool has_struck() const;
  /// Operations that change something, since the disk was made: writes, syncs, truncations, names.
  uint64_t operations() const;
  /// Reads of files and folders, likewise.
  uint64_t reads() const;
  /// The process is gone; a new one may open what there is. A pending power failure happens.
  void Restart();
  /// What was not synced is lost, as the class says; then Restart.
  void PowerOff();

  Result<std::unique_ptr<WritableFile>> OpenToWrite(const std::string& path,
                                                    Creation creation) override;
  Result<std::string> Read(const std::string& path) override;
  Result<std::string> ReadRange(const std::string& path, uint64_t offset,
                                size_t bytes_max) override;
  Result<uint64_t> Size(const std::string& path) override;
  Result<Blob> Map(const std::string& path) override;
  Result<std::vector<Entry>> List(const std::string& folder) override;
  Result<std::unique_ptr<Folder>> OpenFolder(const std::string& path) override;
  Result<bool> MakeFolder(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Result<bool> Remove(const std::string& path) override;
  Result<bool> RemoveFolder(const std::string& path) override;

 private:
  friend class FaultyFile;
  friend class FaultyFolder;
  struct Node {
    bool is_folder = false;
    std::string content;          // As the process sees it.
    std::string durable;          // As the disk holds it.
    std::set<uint64_t> unsynced;  // Sectors written since the last sync, failed or not.
  };
  using NodePointer = std::shared_ptr<Node>;
  using Names = std::map<std::string, NodePointer>;
  struct NameChange {
    std::string path;
    NodePointer node;  // Null: removed.
  };

  enum class Kind { kWrite, kSync, kSyncFolder, kTruncate, kName, kRemove };
  /// Counts the operation. An error: it fails; `part`: of a write, how much happens (0 to 1).
  Status Begin(Kind kind, const std::string& path, uint64_t generation, double& part);
  /// Counts the read; as Begin.
  Status BeginRead(const std::string& path);
  Result<NodePointer> FindFile(const std::string& path) const;
  Status CheckAlive(uint64_t generation, const std::string& path) const;
  NodePointer Find(const std::string& path) const;
  void WriteTo(Node& node, uint64_t offset, std::string_view bytes);
  void SetName(const std::string& path, NodePointer node);
  static void Apply(const NameChange& change, Names& names);
  void LosePower();
  void KeepSectors(Node& node, bool all);

  mutable std::mutex mutex_;  // Guards everything below.
  std::mt19937_64 rng_;
  Names names_;                       // As the process sees them.
  Names durable_names_;               // As the disk holds them.
  std::vector<NameChange> unsynced_;  // Since the folders' syncs, in order.
  uint64_t operations_ = 0;
  uint64_t reads_ = 0;
  uint64_t generation_ = 1;
  bool is_dead_ = false;
  bool loses_power_ = false;  // At the Restart to come.
  Fault fault_ = Fault::kIoError;
  uint64_t armed_at_ = 0;
  uint64_t armed_count_ = 0;  // 0: not armed.
  bool has_struck_ = false;
};

}  // namespace elanus::backend
