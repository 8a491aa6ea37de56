// INVERTED over whole JSON documents: what stands at each of their places, as texts, with the rows.
// Its file is that of an INVERTED index of arrays, but any text of a row answers for it, in ranges
// too.
#include "index/scalar/scalar_types.h"
#include "index/scalar/term_index.h"

namespace elanus::index {
namespace {

constexpr TermLayout kLayout{.magic = "ELJSONIX",
                             .name = "INVERTED index of documents",
                             .has_sets = false,
                             .has_front_coding = true,
                             .asks_elements = true};

Result<std::string> Build(Context& ctx, const model::ColumnView& column, const Params&) {
  return BuildTermIndex(ctx, column, kLayout);
}

Result<std::unique_ptr<ScalarIndex>> Open(Blob file) {
  return OpenTermIndex(std::move(file), kLayout);
}

}  // namespace

const ScalarIndexType& JsonTermsType() {
  static const ScalarIndexType kType{.name = "INVERTED_JSON",
                                     .magic = kLayout.magic,
                                     .is_internal = true,
                                     .Supports = [](const ScalarShape&) { return false; },
                                     .Build = Build,
                                     .Open = Open};
  return kType;
}

}  // namespace elanus::index
