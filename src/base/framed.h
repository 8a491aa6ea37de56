// Small files with a frame: magic, version, length, checksum. Manifests and delta logs use it.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace elanus {

/// The bytes of a framed file: 8 bytes `magic`, u32 version, u32 zero, u64 length, u64 checksum,
/// payload.
std::string Frame(std::string_view magic, uint32_t version, std::string_view payload);

/// The payload inside `file`. Errors: kIntegrity, naming `key` and the offset of what is wrong.
Result<std::string_view> Unframe(std::string_view magic, uint32_t version_max,
                                 std::string_view file, std::string_view key);

}  // namespace elanus
