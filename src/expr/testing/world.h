// A collection of every type of field with random rows, in the two forms that tests need: columns
// for the evaluator, and rows for the reference.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "expr/expr.h"
#include "expr/testing/reference.h"

namespace elanus::expr::testing {

/// Draws by a seed.
class Dice {
 public:
  explicit Dice(uint64_t seed) : rng_(seed) {}
  size_t Below(size_t n) { return rng_() % n; }
  bool OneIn(size_t n) { return Below(n) == 0; }
  template <class List>
  auto Pick(const List& list) -> std::decay_t<decltype(list[0])> {
    return list[Below(std::size(list))];
  }

 private:
  std::mt19937_64 rng_;
};

/// A value that a field of `type` can hold, from few, so that rows and constants often meet.
Datum DrawValue(Dice& dice, model::DataType type);
/// A JSON value at most `depth` levels deep.
Datum DrawJson(Dice& dice, int depth);

/// Fields: id (Int64, the key), flag, n8?, n16, n32, n64?, f32, f64?, s?, numbers? (Array of
/// Int64), small (of Int8), reals (of Float), words? (of VarChar), j? (JSON), g? (Geometry), t?
/// (Timestamptz), v (a vector) and $meta; "?": nullable.
class World final : public ColumnSource {
 public:
  /// `answers`: fields but JSON have an index that answers all it is asked.
  World(uint64_t seed, size_t rows, bool answers);
  using Documents = std::vector<std::string>;
  /// The key and $meta alone, with these documents; table() is empty.
  explicit World(const Documents& documents);

  const model::CollectionSchema& schema() const { return schema_; }
  const std::vector<Row>& table() const { return table_; }

  size_t rows() const override { return columns_[0].rows; }
  Result<model::ColumnView> Read(FieldId field, size_t begin, size_t count) const override;
  model::IndexPromise Estimate(const model::Predicate& predicate) const override;
  Result<model::Coverage> Answer(Context& ctx, const model::Predicate& predicate, Bitset& matches,
                                 Bitset* unknown) const override;

 private:
  void AddField(const char* name, model::DataType type, bool nullable,
                model::DataType element = model::DataType::kNone);
  void AppendValue(const model::FieldSchema& field, const Datum& value);

  model::CollectionSchema schema_;
  std::vector<model::Column> columns_;
  std::vector<Row> table_;
  bool answers_;
};

}  // namespace elanus::expr::testing
