// Bytes on the heap where files that are read in place need them.
#pragma once

#include <string_view>

#include "base/blob.h"

namespace elanus {

/// A copy of `bytes` at a multiple of 64 bytes, as a mapped file's are. Reads of up to 64 bytes
/// past its end stay inside what is allocated.
Blob AlignedCopy(std::string_view bytes);

}  // namespace elanus
