// Search whose hits come with the parts of their texts that answer a query, as a model finds them.
#pragma once

#include "model/requests/text.h"
#include "proxy/services.h"

namespace elanus::proxy {

/// As SearchAndHighlight, for a semantic highlighter. Errors: kInvalidParameter, and those of
/// functions::Models besides.
Result<model::HighlightedResult> SearchAndHighlightMeaning(Context& ctx, Services& services,
                                                           model::SearchRequest request,
                                                           const model::Highlighter& highlighter);

}  // namespace elanus::proxy
