// What rows hold in a field they were written without: the default value, an empty object, or null.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "model/column.h"
#include "model/schema.h"

namespace elanus::segment {

/// `rows` rows of filler for `field`.
model::Column FillColumn(const model::FieldSchema& field, size_t rows);

/// A chunk of filler for each field that was added to a collection, which all of its segments
/// share. Thread-safe.
class Fillers {
 public:
  std::shared_ptr<const model::Column> Of(const model::FieldSchema& field);

 private:
  std::mutex mutex_;  // Guards `columns_`; held while one is made.
  std::map<int64_t, std::weak_ptr<const model::Column>> columns_;  // By field id.
};

}  // namespace elanus::segment
