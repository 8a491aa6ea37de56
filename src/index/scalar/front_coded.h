// Texts in order, each without the bytes it shares with the one before it: front coding, which
// saves what a trie saves and needs no pointers (Witten, Moffat and Bell, "Managing Gigabytes",
// 4.1).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "index/scalar/ordered.h"

namespace elanus::index {

/// Two sections: u64 offsets of the blocks of 16 texts (blocks + 1) into the second; of each text
/// the varint of bytes shared with the one before (none for a block's first), the varint of the
/// rest's length, and the rest. `texts` rise.
std::vector<std::string> EncodeFrontCoded(const std::vector<std::string_view>& texts);

/// Errors: kIntegrity when the sections do not hold `count` texts.
Result<std::unique_ptr<OrderedValues>> OpenFrontCoded(std::string_view offsets,
                                                      std::string_view bytes, size_t count);

}  // namespace elanus::index
