// The disk that fails.
#include "backend/faulty/faulty_disk.h"
#include "base/aligned_copy.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace elanus::backend {
namespace {

constexpr uint64_t kSectorBytes = 512;

std::string ParentOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

Status NotThere(const std::string& path) {
  return Error(ErrorCode::kKeyNotFound, "{} is not there", path);
}

}  // namespace

std::string_view NameOf(Fault fault) {
  switch (fault) {
    case Fault::kIoError:
      return "io error";
    case Fault::kShortWrite:
      return "short write";
    case Fault::kNoSpace:
      return "no space";
    case Fault::kFailedSync:
      return "failed sync";
    case Fault::kKill:
      return "kill";
    case Fault::kPowerOff:
      return "power off";
    case Fault::kReadError:
      return "read error";
    case Fault::kShortRead:
      return "short read";
  }
  return "";
}

class FaultyFile final : public WritableFile {
 public:
  FaultyFile(FaultyDisk& disk, FaultyDisk::NodePointer node, std::string path, uint64_t generation)
      : disk_(disk), node_(std::move(node)), path_(std::move(path)), generation_(generation) {}

  Status Write(uint64_t offset, std::span<const std::string_view> parts) override {
    std::string bytes;
    for (std::string_view part : parts) bytes += part;
    std::lock_guard<std::mutex> lock(disk_.mutex_);
    double part = 1;
    Status failed = disk_.Begin(FaultyDisk::Kind::kWrite, path_, generation_, part);
    const auto written = static_cast<size_t>(part * static_cast<double>(bytes.size()));
    disk_.WriteTo(*node_, offset, std::string_view(bytes).substr(0, written));
    return failed;
  }

  Status Truncate(uint64_t size) override {
    std::lock_guard<std::mutex> lock(disk_.mutex_);
    double part = 1;
    TRY(disk_.Begin(FaultyDisk::Kind::kTruncate, path_, generation_, part));
    // The system may have written a part of what is cut off by now.
    const std::set<uint64_t> unsynced = node_->unsynced;
    disk_.KeepSectors(*node_, /*all=*/false);
    node_->unsynced = unsynced;
    node_->content.resize(size);
    node_->unsynced.insert(size / kSectorBytes);
    return {};
  }

  Status Sync() override {
    std::lock_guard<std::mutex> lock(disk_.mutex_);
    double part = 1;
    Status failed = disk_.Begin(FaultyDisk::Kind::kSync, path_, generation_, part);
    if (failed.ok()) {
      disk_.KeepSectors(*node_, /*all=*/true);
    } else if (part < 1) {
      disk_.KeepSectors(*node_, /*all=*/false);
    }
    return failed;
  }

 private:
  FaultyDisk& disk_;
  const FaultyDisk::NodePointer node_;
  const std::string path_;
  const uint64_t generation_;
};

class FaultyFolder final : public Folder {
 public:
  FaultyFolder(FaultyDisk& disk, std::string path, uint64_t generation)
      : disk_(disk), path_(std::move(path)), generation_(generation) {}

  Status Sync() override {
    std::lock_guard<std::mutex> lock(disk_.mutex_);
    double part = 1;
    TRY(disk_.Begin(FaultyDisk::Kind::kSyncFolder, path_, generation_, part));
    std::erase_if(disk_.unsynced_, [&](const FaultyDisk::NameChange& change) {
      if (ParentOf(change.path) != path_) return false;
      FaultyDisk::Apply(change, disk_.durable_names_);
      return true;
    });
    return {};
  }

 private:
  FaultyDisk& disk_;
  const std::string path_;
  const uint64_t generation_;
};

void FaultyDisk::Arm(uint64_t at, Fault fault, uint64_t count) {
  std::lock_guard<std::mutex> lock(mutex_);
  fault_ = fault;
  armed_at_ = at;
  armed_count_ = count;
  has_struck_ = false;
}

void FaultyDisk::Disarm() {
  std::lock_guard<std::mutex> lock(mutex_);
  armed_count_ = 0;
}

bool FaultyDisk::has_struck() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return has_struck_;
}

uint64_t FaultyDisk::reads() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return reads_;
}

uint64_t FaultyDisk::operations() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return operations_;
}

Status FaultyDisk::CheckAlive(uint64_t generation, const std::string& path) const {
  if (!is_dead_ && generation == generation_) return {};
  return Error(ErrorCode::kIoFailed, "{}: the process is dead", path);
}

Status FaultyDisk::Begin(Kind kind, const std::string& path, uint64_t generation, double& part) {
  part = 0;
  TRY(CheckAlive(generation, path));
  part = 1;
  const uint64_t number = operations_++;
  if (armed_count_ == 0 || number < armed_at_) return {};
  const bool is_due = fault_ == Fault::kFailedSync || number < armed_at_ + armed_count_;
  if (!is_due) return {};
  const double drawn = static_cast<double>(rng_() % 1000) / 1000;
  switch (fault_) {
    case Fault::kIoError:
      part = 0;
      break;
    case Fault::kShortWrite:
      part = kind == Kind::kWrite ? drawn : 0;
      break;
    case Fault::kNoSpace:
      if (kind != Kind::kWrite && kind != Kind::kName) return {};
      part = kind == Kind::kWrite ? drawn : 0;
      has_struck_ = true;
      return IoError("write", path, ENOSPC);
    case Fault::kFailedSync:
      if (kind != Kind::kSync) return {};
      part = 0.5;
      armed_count_ = 0;
      break;
    case Fault::kReadError:
    case Fault::kShortRead:
      return {};  // See BeginRead.
    case Fault::kKill:
    case Fault::kPowerOff:
      part = kind == Kind::kWrite ? drawn : 0;
      is_dead_ = true;
      loses_power_ = fault_ == Fault::kPowerOff;
      armed_count_ = 0;
      break;
  }
  has_struck_ = true;
  return IoError("reach", path, EIO);
}

FaultyDisk::NodePointer FaultyDisk::Find(const std::string& path) const {
  const auto found = names_.find(path);
  return found == names_.end() ? nullptr : found->second;
}

void FaultyDisk::WriteTo(Node& node, uint64_t offset, std::string_view bytes) {
  if (bytes.empty()) return;
  if (node.content.size() < offset + bytes.size()) node.content.resize(offset + bytes.size());
  std::memcpy(node.content.data() + offset, bytes.data(), bytes.size());
  for (uint64_t sector = offset / kSectorBytes; sector * kSectorBytes < offset + bytes.size();
       ++sector) {
    node.unsynced.insert(sector);
  }
}

void FaultyDisk::KeepSectors(Node& node, bool all) {
  const auto is_kept = [&] { return all || rng_() % 2 == 0; };
  // The size first: a file may have grown, or shrunk, without its content.
  if (is_kept()) node.durable.resize(node.content.size());
  for (uint64_t sector : node.unsynced) {
    const uint64_t begin = sector * kSectorBytes;
    if (!is_kept() || begin >= node.content.size() || begin >= node.durable.size()) continue;
    const uint64_t bytes =
        std::min({kSectorBytes, node.content.size() - begin, node.durable.size() - begin});
    std::memcpy(node.durable.data() + begin, node.content.data() + begin, bytes);
  }
  node.unsynced.clear();
}

void FaultyDisk::Apply(const NameChange& change, Names& names) {
  if (change.node == nullptr) {
    names.erase(change.path);
  } else {
    names[change.path] = change.node;
  }
}

void FaultyDisk::SetName(const std::string& path, NodePointer node) {
  unsynced_.push_back({path, std::move(node)});
  Apply(unsynced_.back(), names_);
}

void FaultyDisk::LosePower() {
  Names kept = durable_names_;
  std::map<std::string, size_t> changes;  // By folder; of these some are kept.
  for (const NameChange& change : unsynced_) ++changes[ParentOf(change.path)];
  for (auto& [folder, count] : changes) count = rng_() % (count + 1);
  for (const NameChange& change : unsynced_) {
    size_t& left = changes[ParentOf(change.path)];
    if (left == 0) continue;
    --left;
    Apply(change, kept);
  }
  // What has no folder is nowhere. A folder's name is before the names in it.
  for (auto name = kept.begin(); name != kept.end();) {
    const std::string parent = ParentOf(name->first);
    const bool is_somewhere = parent.empty() || kept.count(parent) > 0;
    name = is_somewhere ? std::next(name) : kept.erase(name);
  }
  for (auto& [path, node] : kept) {
    KeepSectors(*node, /*all=*/false);
    node->content = node->durable;
  }
  names_ = kept;
  durable_names_ = std::move(kept);
  unsynced_.clear();
}

void FaultyDisk::Restart() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (loses_power_) LosePower();
  loses_power_ = false;
  is_dead_ = false;
  armed_count_ = 0;
  ++generation_;
}

void FaultyDisk::PowerOff() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    loses_power_ = true;
  }
  Restart();
}

Result<std::unique_ptr<WritableFile>> FaultyDisk::OpenToWrite(const std::string& path,
                                                              Creation creation) {
  std::lock_guard<std::mutex> lock(mutex_);
  TRY(CheckAlive(generation_, path));
  NodePointer node = Find(path);
  const NodePointer parent = Find(ParentOf(path));
  if (node != nullptr && node->is_folder) return IoError("open", path, EISDIR);
  if (creation == Creation::kMustExist) {
    if (node == nullptr) return NotThere(path);
  } else {
    if (!ParentOf(path).empty() && (parent == nullptr || !parent->is_folder)) return NotThere(path);
    double part = 1;
    TRY(Begin(Kind::kName, path, generation_, part));
    if (node == nullptr) {
      node = std::make_shared<Node>();
      SetName(path, node);
    } else {
      node->content.clear();
      node->unsynced.insert(0);
    }
  }
  return std::unique_ptr<WritableFile>(
      std::make_unique<FaultyFile>(*this, std::move(node), path, generation_));
}

Status FaultyDisk::BeginRead(const std::string& path) {
  TRY(CheckAlive(generation_, path));
  const uint64_t number = reads_++;
  const bool is_of_reads = fault_ == Fault::kReadError || fault_ == Fault::kShortRead;
  if (!is_of_reads || number < armed_at_ || number >= armed_at_ + armed_count_) return {};
  has_struck_ = true;
  if (fault_ == Fault::kReadError) return IoError("read", path, EIO);
  return Error(ErrorCode::kIoFailed, "read {}: fewer bytes than it has", path);
}

Result<FaultyDisk::NodePointer> FaultyDisk::FindFile(const std::string& path) const {
  TRY(CheckAlive(generation_, path));
  NodePointer node = Find(path);
  if (node == nullptr || node->is_folder) return NotThere(path);
  return node;
}

Result<std::string> FaultyDisk::Read(const std::string& path) {
  std::lock_guard<std::mutex> lock(mutex_);
  TRY_ASSIGN(const NodePointer node, FindFile(path));
  TRY(BeginRead(path));
  return node->content;
}

Result<std::string> FaultyDisk::ReadRange(const std::string& path, uint64_t offset,
                                          size_t bytes_max) {
  std::lock_guard<std::mutex> lock(mutex_);
  TRY_ASSIGN(const NodePointer node, FindFile(path));
  TRY(BeginRead(path));
  if (offset >= node->content.size()) return std::string();
  return node->content.substr(offset, bytes_max);
}

Result<uint64_t> FaultyDisk::Size(const std::string& path) {
  std::lock_guard<std::mutex> lock(mutex_);
  TRY_ASSIGN(const NodePointer node, FindFile(path));
  TRY(BeginRead(path));
  return node->content.size();
}

Result<Blob> FaultyDisk::Map(const std::string& path) {
  TRY_ASSIGN(const std::string bytes, Read(path));
  return AlignedCopy(bytes);
}

Result<std::vector<FileSystem::Entry>> FaultyDisk::List(const std::string& folder) {
  std::lock_guard<std::mutex> lock(mutex_);
  TRY(BeginRead(folder));
  const NodePointer node = Find(folder);
  if (node == nullptr || !node->is_folder) return NotThere(folder);
  std::vector<Entry> entries;
  const std::string begin = folder + "/";
  for (auto name = names_.lower_bound(begin);
       name != names_.end() && name->first.starts_with(begin); ++name) {
    const std::string rest = name->first.substr(begin.size());
    if (rest.find('/') != std::string::npos) continue;
    entries.push_back({.name = rest, .is_folder = name->second->is_folder});
  }
  return entries;
}

Result<std::unique_ptr<Folder>> FaultyDisk::OpenFolder(const std::string& path) {
  std::lock_guard<std::mutex> lock(mutex_);
  TRY(CheckAlive(generation_, path));
  const NodePointer node = Find(path);
  // The root, whose name nobody made.
  const bool is_root = path == "/" || path == "." || path.empty();
  if (!is_root && (node == nullptr || !node->is_folder)) return NotThere(path);
  return std::unique_ptr<Folder>(
      std::make_unique<FaultyFolder>(*this, is_root ? "" : path, generation_));
}

Result<bool> FaultyDisk::MakeFolder(const std::string& path) {
  std::lock_guard<std::mutex> lock(mutex_);
  TRY(CheckAlive(generation_, path));
  if (const NodePointer node = Find(path)) {
    if (node->is_folder) return false;
    return IoError("create directory", path, EEXIST);
  }
  if (!ParentOf(path).empty() && Find(ParentOf(path)) == nullptr) return NotThere(path);
  double part = 1;
  TRY(Begin(Kind::kName, path, generation_, part));
  auto node = std::make_shared<Node>();
  node->is_folder = true;
  SetName(path, std::move(node));
  return true;
}

Status FaultyDisk::Rename(const std::string& from, const std::string& to) {
  std::lock_guard<std::mutex> lock(mutex_);
  TRY(CheckAlive(generation_, from));
  const NodePointer node = Find(from);
  const std::string parent = ParentOf(to);
  if (node == nullptr || (!parent.empty() && Find(parent) == nullptr)) return NotThere(from);
  double part = 1;
  TRY(Begin(Kind::kName, to, generation_, part));
  SetName(to, node);
  SetName(from, nullptr);
  return {};
}

Result<bool> FaultyDisk::Remove(const std::string& path) {
  std::lock_guard<std::mutex> lock(mutex_);
  TRY(CheckAlive(generation_, path));
  const NodePointer node = Find(path);
  if (node == nullptr || node->is_folder) return false;
  double part = 1;
  TRY(Begin(Kind::kRemove, path, generation_, part));
  SetName(path, nullptr);
  return true;
}

Result<bool> FaultyDisk::RemoveFolder(const std::string& path) {
  std::lock_guard<std::mutex> lock(mutex_);
  TRY(CheckAlive(generation_, path));
  const NodePointer node = Find(path);
  if (node == nullptr || !node->is_folder) return false;
  const auto inside = names_.lower_bound(path + "/");
  if (inside != names_.end() && inside->first.starts_with(path + "/")) return false;
  double part = 1;
  TRY(Begin(Kind::kRemove, path, generation_, part));
  SetName(path, nullptr);
  return true;
}

}  // namespace elanus::backend
