// A packed R-tree: boxes in the order of a Hilbert curve, and around every sixteen neighbours one
// box more, up to a single one (Kamel and Faloutsos 1993, "On packing R-trees"; Guttman 1984,
// "R-trees: a dynamic index structure for spatial searching").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/status.h"
#include "index/scalar/sections.h"
#include "model/box.h"

namespace elanus::index {

/// A box in single precision, rounded outward: 16 bytes instead of 32, and what meets the exact box
/// meets it. Rounding keeps order, so that a box inside another is inside it afterwards.
struct RoundedBox {
  float min_x, min_y, max_x, max_y;

  static RoundedBox Around(const model::Box& box);
  bool Meets(const RoundedBox& other) const {
    return min_x <= other.max_x && other.min_x <= max_x && min_y <= other.max_y &&
           other.min_y <= max_y;
  }
  bool Holds(const RoundedBox& inner) const {
    return min_x <= inner.min_x && inner.max_x <= max_x && min_y <= inner.min_y &&
           inner.max_y <= max_y;
  }
};

/// What is indexed: the box around a row's geometry.
struct BoxEntry {
  RoundedBox box;
  uint32_t row;
};

inline constexpr size_t kTreeSections = 3;

/// Three sections: the boxes of the entries (16 bytes each), their rows (u32), and the boxes of the
/// nodes, level by level from the lowest. Children have no pointers: those of node i are the 16
/// from 16 i on of the level below. Errors: kCanceled.
Result<std::vector<std::string>> PackTree(Context& ctx, std::vector<BoxEntry> entries);

/// Immutable; thread-safe. Borrows the sections.
class Tree {
 public:
  /// Errors: kIntegrity when the sections are not those of a tree.
  static Result<Tree> Open(const std::string_view* sections);

  size_t entries() const { return entries_; }
  uint32_t row(size_t entry) const { return rows_[entry]; }
  /// Around everything; of a tree without entries empty.
  model::Box around() const;

  /// About how many entries may pass; exact when they are few. Looks at some hundred boxes.
  uint64_t Count(const model::BoxQuery& query) const;
  /// Appends the rows of the entries that may pass. `query.box` is not empty. Errors: kCanceled.
  Status Find(Context& ctx, const model::BoxQuery& query, std::vector<uint32_t>& rows) const;

 private:
  struct Level {
    size_t begin;  // Of its nodes in nodes_; of the entries' own level none.
    size_t count;
  };
  struct Asked {
    model::BoxQuery::Kind kind;
    RoundedBox box;
    bool MayPassIn(const RoundedBox& node) const;
    bool MayPass(const RoundedBox& entry) const;
  };
  static Asked AskedOf(const model::BoxQuery& query) {
    return {query.kind, RoundedBox::Around(query.box)};
  }
  bool Passes(const Asked& asked, size_t level, size_t i) const {
    return level == 0 ? asked.MayPass(boxes_[i])
                      : asked.MayPassIn(nodes_[levels_[level].begin + i]);
  }

  size_t entries_ = 0;
  Numbers<RoundedBox> boxes_;
  Numbers<uint32_t> rows_;
  Numbers<RoundedBox> nodes_;
  std::vector<Level> levels_;  // The entries, their nodes, and so on; empty without entries.
};

}  // namespace elanus::index
