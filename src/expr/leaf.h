// What the planner asks of a leaf: its form as a predicate for indexes, what scanning it costs, and
// what statistics tell of it.
#pragma once

#include <optional>

#include "expr/node.h"
#include "model/block_stats.h"
#include "model/predicate.h"

namespace elanus::expr {

/// The predicate form of a leaf; none for leaves that no index can know.
std::optional<model::Predicate> AsPredicate(const Node& node);

/// Nanoseconds that a scan takes for one row, about. Measured with bench/filter.
double ScanNs(const Node& node);

enum class Verdict : uint8_t { kMixed, kNone, kAll };
/// What the statistics of a block tell of a test: kNone when no row passes, kAll when every valid
/// row does. `node` is a kTest over a plain column, or spatial.
Verdict Judge(const Node& node, const model::BlockStats& stats);

}  // namespace elanus::expr
