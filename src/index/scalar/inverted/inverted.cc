// INVERTED: distinct values, each with the list of its rows.
#include "index/scalar/ordered.h"
#include "index/scalar/scalar_types.h"
#include "index/scalar/term_index.h"

namespace elanus::index {
namespace {

using model::DataType;

constexpr TermLayout kLayout{
    .magic = "ELINVERT", .name = "INVERTED index", .has_sets = false, .has_front_coding = false};

bool Supports(const ScalarShape& shape) {
  const DataType type = shape.type == DataType::kArray ? shape.element_type : shape.type;
  return IsOrdered(type) && type != DataType::kTimestamptz;
}

Result<std::string> Build(Context& ctx, const model::ColumnView& column, const Params&) {
  return BuildTermIndex(ctx, column, kLayout);
}

Result<std::unique_ptr<ScalarIndex>> Open(Blob file) {
  return OpenTermIndex(std::move(file), kLayout);
}

}  // namespace

const ScalarIndexType& InvertedType() {
  static const ScalarIndexType kType{.name = "INVERTED",
                                     .magic = kLayout.magic,
                                     .Supports = Supports,
                                     .Build = Build,
                                     .Open = Open};
  return kType;
}

}  // namespace elanus::index
