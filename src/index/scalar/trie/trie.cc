// Trie: distinct texts with shared beginnings left out, each with the list of its rows.
#include "index/scalar/ordered.h"
#include "index/scalar/scalar_types.h"
#include "index/scalar/term_index.h"

namespace elanus::index {
namespace {

using model::DataType;

constexpr TermLayout kLayout{
    .magic = "ELTRIE01", .name = "Trie index", .has_sets = false, .has_front_coding = true};

bool Supports(const ScalarShape& shape) {
  return shape.type == DataType::kVarChar && !shape.is_json_path;
}

Result<std::string> Build(Context& ctx, const model::ColumnView& column, const Params&) {
  return BuildTermIndex(ctx, column, kLayout);
}

Result<std::unique_ptr<ScalarIndex>> Open(Blob file) {
  return OpenTermIndex(std::move(file), kLayout);
}

}  // namespace

const ScalarIndexType& TrieType() {
  static const ScalarIndexType kType{
      .name = "Trie", .magic = kLayout.magic, .Supports = Supports, .Build = Build, .Open = Open};
  return kType;
}

}  // namespace elanus::index
