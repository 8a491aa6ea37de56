// The file of the last commit's number.
#include "backend/rocksdb/commit_mark.h"

#include <optional>

#include "base/bytes.h"

namespace elanus::backend {
namespace {

constexpr size_t kSlots = 2;
constexpr size_t kSlotBytes = 16;
constexpr size_t kSlotDistance = 512;  // Each in a sector of its own: one is never torn with both.

std::string EncodeSlot(uint64_t number) {
  ByteWriter out;
  out.U64(number);
  out.U64(Checksum(out.view()));
  return std::move(out).Take();
}

std::optional<uint64_t> DecodeSlot(std::string_view file, size_t slot) {
  if (file.size() < slot * kSlotDistance + kSlotBytes) return {};
  const std::string_view bytes = file.substr(slot * kSlotDistance, kSlotBytes);
  ByteReader in(bytes);
  uint64_t number = 0;
  uint64_t checksum = 0;
  if (!in.U64(number) || !in.U64(checksum) || checksum != Checksum(bytes.substr(0, 8))) return {};
  return number;
}

}  // namespace

Result<CommitMark> CommitMark::Open(FileSystem& files, std::string path) {
  CommitMark mark(files, std::move(path));
  const Result<std::string> file = files.Read(mark.path_);
  if (file.status().code() == ErrorCode::kKeyNotFound) return mark;
  TRY(file.status());
  bool is_whole = false;
  for (size_t slot = 0; slot < kSlots; ++slot) {
    const std::optional<uint64_t> number = DecodeSlot(*file, slot);
    if (!number || *number < mark.number_) continue;
    is_whole = true;
    mark.number_ = *number;
    mark.slot_ = slot;
  }
  if (is_whole) return mark;
  return Error(
      ErrorCode::kIntegrity,
      "{}: the number of the catalog's last commit is damaged. Put the data directory back "
      "from a copy; if meta/ is known to be whole, remove this file",
      mark.path_);
}

Status CommitMark::Set(uint64_t number) {
  if (number_ == 0) return Create(number);
  if (file_ == nullptr) {
    TRY_ASSIGN(file_, files_->OpenToWrite(path_, FileSystem::Creation::kMustExist));
  }
  const size_t slot = (slot_ + 1) % kSlots;
  const std::string bytes = EncodeSlot(number);
  const std::string_view part = bytes;
  TRY(file_->Write(slot * kSlotDistance, std::span(&part, 1)));
  TRY(file_->Sync());
  number_ = number;
  slot_ = slot;
  return {};
}

// Under another name first, so that there is never a file without a number.
Status CommitMark::Create(uint64_t number) {
  const std::string aside = path_ + ".new";
  TRY_ASSIGN(const auto file, files_->OpenToWrite(aside, FileSystem::Creation::kEmpty));
  std::string bytes = EncodeSlot(number);
  bytes.resize(kSlotDistance);
  bytes += EncodeSlot(0);
  const std::string_view part = bytes;
  TRY(file->Write(0, std::span(&part, 1)));
  TRY(file->Sync());
  TRY(files_->Rename(aside, path_));
  const size_t slash = path_.rfind('/');
  TRY(SyncFolder(*files_, slash == std::string::npos ? "."
                          : slash == 0               ? "/"
                                                     : path_.substr(0, slash)));
  number_ = number;
  slot_ = 0;
  return {};
}

}  // namespace elanus::backend
