// Log files.
#include "backend/local/log_file.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/bytes.h"

namespace elanus::backend {
namespace {

constexpr uint32_t kMagic = 0x43524c45;  // "ELRC": the last letter is the version of the format.
constexpr uint32_t kMagicFamily = 0x00ffffff;
constexpr std::string_view kLogEnding = ".log";
constexpr std::string_view kGapEnding = ".gap";
constexpr std::string_view kBeginEnding = ".begin";
constexpr size_t kDigits = 20;

constexpr std::string_view kWayOut =
    "Restore the file from a copy; or, to go on without this record and everything after it, run "
    "`elanus repair --data DIR`, which says what that is and sets it aside when told to";

uint64_t RecordChecksum(std::string_view payload, uint64_t position, uint64_t durable_before) {
  return Checksum(payload, position * 31 + durable_before);
}

// The position in a file's name; 0 when it is not such a name.
uint64_t PositionIn(std::string_view name, std::string_view ending) {
  uint64_t position = 0;
  if (name.size() != kDigits + ending.size() || !name.ends_with(ending)) return 0;
  const auto parsed = std::from_chars(name.data(), name.data() + kDigits, position);
  return parsed.ec == std::errc() && parsed.ptr == name.data() + kDigits ? position : 0;
}

}  // namespace

RecordHeader MakeRecordHeader(std::string_view payload, uint64_t position,
                              uint64_t durable_before) {
  return {.magic = kMagic,
          .length = static_cast<uint32_t>(payload.size()),
          .position = position,
          .durable_before = durable_before,
          .checksum = RecordChecksum(payload, position, durable_before)};
}

bool ParseRecord(std::string_view file, size_t offset, RecordHeader& header,
                 std::string_view& payload) {
  if (file.size() - offset < kRecordHeaderBytes) return false;
  std::memcpy(&header, file.data() + offset, kRecordHeaderBytes);
  if (header.magic != kMagic || header.length > file.size() - offset - kRecordHeaderBytes) {
    return false;
  }
  payload = file.substr(offset + kRecordHeaderBytes, header.length);
  return header.checksum == RecordChecksum(payload, header.position, header.durable_before);
}

Status CheckRecordVersion(std::string_view file, size_t offset, const std::string& path) {
  uint32_t magic;
  if (file.size() - offset < sizeof(magic)) return {};
  std::memcpy(&magic, file.data() + offset, sizeof(magic));
  if (magic == kMagic || (magic & kMagicFamily) != (kMagic & kMagicFamily)) return {};
  return Error(ErrorCode::kIntegrity,
               "{}: offset {}: version '{}' of a log record, this program reads version 'C'. Start "
               "the program that wrote it; if that was this one, the file is damaged: restore it "
               "from a copy",
               path, offset, static_cast<char>(magic >> 24));
}

std::string LogFileName(uint64_t first_position) {
  return fmt::format("{:020}{}", first_position, kLogEnding);
}
std::string GapFileName(uint64_t first_position) {
  return fmt::format("{:020}{}", first_position, kGapEnding);
}
std::string BeginFileName(uint64_t first_position) {
  return fmt::format("{:020}{}", first_position, kBeginEnding);
}

Status StreamFiles::CheckBegin() const {
  if (begin == 0 || logs.empty() || logs.front().first_position <= begin) return {};
  if (gaps.count(logs.front().first_position) > 0) return {};
  return MissingRecord(logs.front().path, 0, begin, logs.front().first_position);
}

Result<StreamFiles> ListLogFiles(FileSystem& files, const std::string& directory) {
  TRY_ASSIGN(const auto entries, files.List(directory));
  StreamFiles found;
  for (const FileSystem::Entry& entry : entries) {
    if (entry.is_folder) continue;
    if (const uint64_t position = PositionIn(entry.name, kLogEnding); position != 0) {
      found.logs.push_back({position, directory + "/" + entry.name});
    } else if (const uint64_t gap = PositionIn(entry.name, kGapEnding); gap != 0) {
      found.gaps.insert(gap);
    } else if (const uint64_t begin = PositionIn(entry.name, kBeginEnding); begin != 0) {
      found.begin = std::max(found.begin, begin);
    }
  }
  std::sort(found.logs.begin(), found.logs.end(),
            [](const auto& a, const auto& b) { return a.first_position < b.first_position; });
  return found;
}

Result<LogEnd> FindLogEnd(std::string_view bytes, const LogFile& file) {
  LogEnd end{.position = file.first_position - 1};
  RecordHeader header;
  std::string_view payload;
  while (end.offset < bytes.size() && ParseRecord(bytes, end.offset, header, payload) &&
         header.position == end.position + 1) {
    if (header.durable_before == end.position) end.group_offset = end.offset;
    end.position = header.position;
    end.offset += kRecordHeaderBytes + payload.size();
  }
  if (end.offset == bytes.size()) return end;
  TRY(CheckRecordVersion(bytes, end.offset, file.path));
  for (size_t at = end.offset + 1; at + kRecordHeaderBytes <= bytes.size(); ++at) {
    if (ParseRecord(bytes, at, header, payload) && header.durable_before > end.position) {
      return DamagedRecord(file.path, end.offset);
    }
  }
  return end;
}

Status DamagedRecord(const std::string& path, size_t offset) {
  return Error(ErrorCode::kIntegrity,
               "{}: offset {}: a record that was already durable is damaged. {}", path, offset,
               kWayOut);
}

Status MissingRecord(const std::string& path, size_t offset, uint64_t expected, uint64_t found) {
  return Error(ErrorCode::kIntegrity, "{}: offset {}: record {} is missing, the next one is {}. {}",
               path, offset, expected, found, kWayOut);
}

}  // namespace elanus::backend
