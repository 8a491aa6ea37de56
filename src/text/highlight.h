// Marks words in a text and cuts out the pieces around them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "text/analyzer.h"

namespace elanus::text {

/// Lengths are in characters.
struct HighlightOptions {
  std::vector<std::string> pre_tags = {"<em>"};  // Taken in turn, as post_tags; neither is empty.
  std::vector<std::string> post_tags = {"</em>"};
  uint64_t fragment_size = 100;
  uint64_t fragments_max = 5;
  uint64_t fragment_offset = 0;  // What a fragment shows before its first hit.
};

/// The fragments of `text` with its tokens that are among `words` marked; none without a hit.
std::vector<std::string> Highlight(const Analyzer& analyzer, std::string_view text,
                                   const std::unordered_set<std::string>& words,
                                   const HighlightOptions& options);

}  // namespace elanus::text
