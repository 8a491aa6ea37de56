// Where a thing lies in a file, by a table of bounds that may lie in a mapped file, too.
#pragma once

#include <cstdint>

namespace elanus {

struct Extent {
  uint64_t begin = 0;
  uint64_t bytes = 0;
};

/// From `*begin` to `*end`, two places of one table of bounds. Each is read once: a mapped page
/// that fails between the two reads has zeros from then on, to the end of its file
/// (base/mapped_faults.h), and what ends before it begins is empty. So the extent lies within what
/// the table spans, whenever the page fails.
inline Extent ExtentOf(const uint64_t* begin, const uint64_t* end) {
  const uint64_t from = __atomic_load_n(begin, __ATOMIC_RELAXED);
  const uint64_t to = __atomic_load_n(end, __ATOMIC_RELAXED);
  return {.begin = from, .bytes = to < from ? 0 : to - from};
}

}  // namespace elanus
