// Equal rows by their hashes, and by their bytes where hashes are equal.
#include "index/binary/equal_rows.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "index/binary/scorer.h"

namespace elanus::index {
namespace {

constexpr size_t kRowsPerTask = 4096;

}  // namespace

Result<EqualRows> GroupEqualRows(Context& ctx, BinaryBlock rows, Pool* pool) {
  std::vector<std::pair<uint64_t, uint32_t>> by_hash(rows.rows);
  TRY(ForParts(ctx, pool, rows.rows, kRowsPerTask, [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; ++r) {
      by_hash[r] = {Checksum({reinterpret_cast<const char*>(rows.row(r)), rows.row_bytes()}),
                    static_cast<uint32_t>(r)};
    }
  }));
  const auto compare = [&](uint32_t a, uint32_t b) {
    return std::memcmp(rows.row(a), rows.row(b), rows.row_bytes());
  };
  std::sort(by_hash.begin(), by_hash.end(), [&](const auto& a, const auto& b) {
    if (a.first != b.first) return a.first < b.first;
    const int order = compare(a.second, b.second);
    return order != 0 ? order < 0 : a.second < b.second;
  });
  std::vector<uint32_t> first_of(rows.rows);  // The first row of each row's group.
  for (size_t i = 0; i < by_hash.size(); ++i) {
    const auto [hash, row] = by_hash[i];
    const bool is_twin =
        i > 0 && by_hash[i - 1].first == hash && compare(by_hash[i - 1].second, row) == 0;
    first_of[row] = is_twin ? first_of[by_hash[i - 1].second] : row;
  }
  EqualRows groups;
  std::vector<uint32_t> group_of(rows.rows);  // Of first rows.
  for (uint32_t r = 0; r < rows.rows; ++r) {
    if (first_of[r] != r) continue;
    group_of[r] = static_cast<uint32_t>(groups.first.size());
    groups.first.push_back(r);
  }
  groups.twin_start.assign(groups.first.size() + 1, 0);
  for (uint32_t r = 0; r < rows.rows; ++r) {
    if (first_of[r] != r) ++groups.twin_start[group_of[first_of[r]] + 1];
  }
  for (size_t g = 0; g < groups.first.size(); ++g) {
    groups.twin_start[g + 1] += groups.twin_start[g];
  }
  groups.twins.resize(rows.rows - groups.first.size());
  std::vector<uint32_t> next = groups.twin_start;
  for (uint32_t r = 0; r < rows.rows; ++r) {
    if (first_of[r] != r) groups.twins[next[group_of[first_of[r]]]++] = r;
  }
  return groups;
}

}  // namespace elanus::index
