// The newest schemas of a collection: a read that was checked against one of them runs to its end
// against the same, whatever is changed meanwhile.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "model/schema.h"

namespace elanus::model {

/// Immutable; thread-safe.
class SchemaVersions {
 public:
  using Schema = std::shared_ptr<const CollectionSchema>;

  explicit SchemaVersions(Schema newest) : schemas_{std::move(newest)} {}
  /// With this schema besides, in place of one of its version. One that is older than all that are
  /// kept changes nothing, and beyond kKept the oldest is forgotten.
  SchemaVersions With(Schema schema) const;

  const Schema& newest() const { return schemas_.back(); }
  /// The schema of a version, or the nearest that is kept.
  const Schema& At(int32_t version) const;

 private:
  static constexpr size_t kKept = 16;
  std::vector<Schema> schemas_;  // Ascending by version; at least one.
};

}  // namespace elanus::model
