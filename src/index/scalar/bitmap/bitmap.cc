// BITMAP: distinct values, each with the set of its rows. For columns of few values.
#include "index/scalar/ordered.h"
#include "index/scalar/scalar_types.h"
#include "index/scalar/term_index.h"

namespace elanus::index {
namespace {

using model::DataType;

constexpr TermLayout kLayout{
    .magic = "ELBITMAP", .name = "BITMAP index", .has_sets = true, .has_front_coding = false};

bool Supports(const ScalarShape& shape) {
  const DataType type = shape.type == DataType::kArray ? shape.element_type : shape.type;
  if (shape.is_primary_key || (shape.is_json_path && shape.type == DataType::kArray)) return false;
  return type == DataType::kBool || model::IsInteger(type) || type == DataType::kVarChar;
}

Result<std::string> Build(Context& ctx, const model::ColumnView& column, const Params&) {
  return BuildTermIndex(ctx, column, kLayout);
}

Result<std::unique_ptr<ScalarIndex>> Open(Blob file) {
  return OpenTermIndex(std::move(file), kLayout);
}

}  // namespace

const ScalarIndexType& BitmapType() {
  static const ScalarIndexType kType{
      .name = "BITMAP", .magic = kLayout.magic, .Supports = Supports, .Build = Build, .Open = Open};
  return kType;
}

}  // namespace elanus::index
