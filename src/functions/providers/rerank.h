// How each provider of rerankers is asked how well texts answer a query: a table, one row a
// provider.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "functions/setup.h"
#include "functions/texts.h"

namespace elanus::functions {

struct RerankProvider {
  ServicePlace place;
  int64_t batch_max;      // Texts of one request, unless max_client_batch_size says it.
  std::string_view path;  // Behind the address.
  /// The body of a request. Errors: kInvalidParameter (parameters).
  Result<nlohmann::json> (*body)(const ModelSetup& setup, std::string_view query, Texts texts);
  /// Where the scores are, in the order of the texts; pointers into `answer`. False when the answer
  /// does not look like one.
  bool (*scores)(const nlohmann::json& answer, std::vector<const nlohmann::json*>& scores);
};

/// By its name in lower case, or null.
const RerankProvider* FindRerankProvider(std::string_view name);

}  // namespace elanus::functions
