// Framing.
#include "base/framed.h"

#include "base/bytes.h"
#include "base/check.h"

namespace elanus {

std::string Frame(std::string_view magic, uint32_t version, std::string_view payload) {
  CHECK(magic.size() == 8);
  ByteWriter out;
  out.Raw(magic.data(), 8);
  out.U32(version);
  out.U32(0);
  out.U64(payload.size());
  out.U64(Checksum(payload, version));
  out.Raw(payload.data(), payload.size());
  return std::move(out).Take();
}

Result<std::string_view> Unframe(std::string_view magic, uint32_t version_max,
                                 std::string_view file, std::string_view key) {
  const auto damaged = [&](size_t offset, const std::string& words) {
    return Error(
        ErrorCode::kIntegrity,
        "{}: offset {}: {}. Restore it from a copy; an index can also be dropped and built "
        "again",
        key, offset, words);
  };
  ByteReader in(file);
  std::string_view found_magic;
  std::string_view payload;
  uint32_t version;
  uint32_t zero;
  uint64_t length;
  uint64_t checksum;
  if (!in.View(8, found_magic) || found_magic != magic) {
    return damaged(0, fmt::format("not a {} file", magic));
  }
  if (!in.U32(version) || !in.U32(zero)) {
    return damaged(8, fmt::format("the {} file ends here", magic));
  }
  if (version == 0 || version > version_max || zero != 0) {
    return damaged(8, fmt::format("version {} of a {} file, this program reads versions up to {}",
                                  version, magic, version_max));
  }
  if (!in.U64(length) || !in.U64(checksum) || in.remaining() != length) {
    return damaged(16,
                   fmt::format("the file has {} bytes, which is not what it says", file.size()));
  }
  in.View(length, payload);
  if (Checksum(payload, version) != checksum) {
    return damaged(32, "checksum does not match, the file is damaged");
  }
  return payload;
}

}  // namespace elanus
