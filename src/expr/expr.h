// Filter text to bound plan to the set of matching rows.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bitset.h"
#include "base/context.h"
#include "base/ids.h"
#include "base/status.h"
#include "model/block_stats.h"
#include "model/column.h"
#include "model/predicate.h"
#include "model/scalar.h"
#include "model/schema.h"

namespace elanus::expr {

/// Values for {name} placeholders.
using Templates = std::map<std::string, model::Scalar>;

struct Node;  // Private to the module.

/// A bound filter: checked against one schema, constants folded, placeholders filled. Immutable,
/// shareable.
class Plan {
 public:
  explicit Plan(std::shared_ptr<const Node> root) : root_(std::move(root)) {}
  /// Null: the filter is always true.
  const Node* root() const { return root_.get(); }
  bool always_true() const { return root_ == nullptr; }
  /// Fields the plan reads.
  std::vector<FieldId> fields() const;
  /// The keys when the whole filter is `pk == v` or `pk in [...]`; as written, duplicates kept.
  const std::optional<std::vector<model::Scalar>>& primary_keys() const { return primary_keys_; }
  void set_primary_keys(std::vector<model::Scalar> keys) { primary_keys_ = std::move(keys); }

 private:
  std::shared_ptr<const Node> root_;
  std::optional<std::vector<model::Scalar>> primary_keys_;
};

/// Parses and binds. Empty or white text is always true. Errors: kInvalidParameter whose message
/// holds "cannot parse expression: <text>" and, for syntax, "line L:C"; kUnimplemented for parts of
/// the language not built yet, by name. `timezone` names the zone of times that do not say theirs;
/// empty: UTC.
Result<Plan> Bind(std::string_view text, const model::CollectionSchema& schema,
                  const Templates& templates, std::string_view timezone = {});

/// Where evaluation finds the data of one segment.
class ColumnSource {
 public:
  virtual ~ColumnSource() = default;
  virtual size_t rows() const = 0;
  /// A view of rows [begin, begin + count) of `field`; count is at most kBatchRows, and a batch
  /// never straddles a multiple of kBatchRows.
  virtual Result<model::ColumnView> Read(FieldId field, size_t begin, size_t count) const = 0;
  /// Of a field, for reports; empty: nobody here knows.
  virtual std::string_view NameOf(FieldId) const { return {}; }
  /// What Answer would do, told in no time. The default has no index.
  virtual model::IndexPromise Estimate(const model::Predicate&) const { return {}; }
  /// Answers a leaf for all rows through an index: the bits set in `matches` (null rows never,
  /// except for kIsNull), which has one zero bit for each row. When `unknown` is not null, the rows
  /// without a value are set there; of a place in JSON those without one of the predicate's type.
  virtual Result<model::Coverage> Answer(Context&, const model::Predicate&, Bitset& /*matches*/,
                                         Bitset* /*unknown*/) const {
    return model::Coverage::kNone;
  }
  /// Of the rows that Read gives for (begin, kBatchRows), or null when nothing is known of them.
  virtual const model::BlockStats* Stats(FieldId, size_t /*begin*/) const { return nullptr; }
};

inline constexpr size_t kBatchRows = 8192;

/// Sets the bits of the rows for which the plan is TRUE (three-valued logic; unknown does not
/// pass). `matches` is resized to source.rows(). Errors: kSegcore for faults seen only at run time,
/// kCanceled.
Status Evaluate(Context& ctx, const Plan& plan, const ColumnSource& source, Bitset& matches);

/// As above, of the rows in `candidates` (one bit for each row) alone: batches without one are not
/// touched, and no index is asked. Of a filter with random_sample it means nothing.
Status EvaluateAmong(Context& ctx, const Plan& plan, const ColumnSource& source,
                     const Bitset& candidates, Bitset& matches);
/// Whether the filter draws rows (random_sample).
bool HasSample(const Plan& plan);

}  // namespace elanus::expr
