// RocksDB's logs: blocks of 32 KB, in them records: checksum (4 bytes), length (2), type (1),
// bytes. A write is one record of type full, or first, middle ..., last. No record crosses a block;
// what is left of a block when less than a header fits is zeros.
#include "backend/rocksdb/log_check.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace elanus::backend {
namespace {

constexpr size_t kBlockBytes = 32768;
constexpr size_t kHeaderBytes = 7;
constexpr uint8_t kFull = 1;
constexpr uint8_t kFirst = 2;
constexpr uint8_t kLast = 4;

// CRC-32C, as RocksDB takes it over type and bytes, and then masks it.
uint32_t MaskedChecksum(std::string_view bytes) {
  static const std::array<uint32_t, 256> table = [] {
    std::array<uint32_t, 256> made{};
    for (uint32_t byte = 0; byte < 256; ++byte) {
      uint32_t remainder = byte;
      for (int bit = 0; bit < 8; ++bit) {
        remainder = remainder >> 1 ^ (remainder & 1 ? 0x82f63b78u : 0u);
      }
      made[byte] = remainder;
    }
    return made;
  }();
  uint32_t sum = 0xffffffffu;
  for (const char c : bytes) sum = sum >> 8 ^ table[(sum ^ static_cast<uint8_t>(c)) & 0xff];
  sum = ~sum;
  return (sum >> 15 | sum << 17) + 0xa282ead8u;
}

// The type of the whole and good record at `offset`, and its bytes with the header; 0: none is
// there.
uint8_t RecordAt(std::string_view file, size_t offset, size_t& bytes) {
  const size_t block_end = std::min(file.size(), (offset / kBlockBytes + 1) * kBlockBytes);
  if (block_end - offset < kHeaderBytes) return 0;
  uint32_t checksum;
  uint16_t length;
  std::memcpy(&checksum, file.data() + offset, 4);
  std::memcpy(&length, file.data() + offset + 4, 2);
  const auto type = static_cast<uint8_t>(file[offset + 6]);
  if (type < kFull || type > kLast || length > block_end - offset - kHeaderBytes) return 0;
  if (MaskedChecksum(file.substr(offset + 6, 1 + size_t{length})) != checksum) return 0;
  bytes = kHeaderBytes + length;
  return type;
}

// Where the records that follow one another from the beginning end.
size_t EndOfRecords(std::string_view file) {
  size_t at = 0;
  while (at < file.size()) {
    const size_t left = kBlockBytes - at % kBlockBytes;
    if (left < kHeaderBytes) {
      at += left;
      continue;
    }
    size_t bytes = 0;
    if (RecordAt(file, at, bytes) == 0) break;
    at += bytes;
  }
  return std::min(at, file.size());
}

}  // namespace

Status CheckRocksDbLogs(FileSystem& files, const std::string& directory) {
  TRY_ASSIGN(const auto entries, files.List(directory));
  for (const FileSystem::Entry& entry : entries) {
    if (entry.is_folder || !entry.name.ends_with(".log")) continue;
    const std::string path = directory + "/" + entry.name;
    TRY_ASSIGN(const std::string file, files.Read(path));
    const size_t end = EndOfRecords(file);
    for (size_t at = end + 1; at + kHeaderBytes <= file.size(); ++at) {
      size_t bytes = 0;
      const uint8_t type = RecordAt(file, at, bytes);
      if (type != kFull && type != kFirst) continue;
      return Error(ErrorCode::kIntegrity,
                   "{}: offset {}: a record that was already durable is damaged. Put the data "
                   "directory back from a copy",
                   path, end);
    }
  }
  return {};
}

Status CheckRocksDbIsNamed(FileSystem& files, const std::string& directory, bool has_commits) {
  TRY_ASSIGN(const auto entries, files.List(directory));
  bool has_data = has_commits;
  for (const FileSystem::Entry& entry : entries) {
    if (entry.name == "CURRENT") return {};
    has_data = has_data || entry.name.ends_with(".log") || entry.name.ends_with(".sst");
  }
  if (!has_data) return {};
  return Error(
      ErrorCode::kIntegrity,
      "{}: the file CURRENT of the catalog is gone. Put the data directory back from a copy",
      directory);
}

}  // namespace elanus::backend
