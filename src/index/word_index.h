// The index of the words of texts that text_match and phrase_match ask. It comes with a field that
// enables match, not by a user's wish.
#pragma once

#include <string>
#include <string_view>

#include "base/context.h"
#include "base/status.h"
#include "model/column.h"
#include "text/analyzer.h"

namespace elanus::index {

/// Its name in the catalog, where its entries have the path model::kWordsPath.
inline constexpr std::string_view kWordIndexName = "WORDS";

/// The file's bytes, which OpenScalarIndex opens. `column` is of VarChar and whole. Errors:
/// kIndexNotSupported (another type), kCanceled.
Result<std::string> BuildWordIndex(Context& ctx, const model::ColumnView& column,
                                   const text::Analyzer& analyzer);

}  // namespace elanus::index
