// How each provider of embeddings is asked, and how it answers: a table, one row a provider.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "functions/setup.h"
#include "functions/texts.h"

namespace elanus::functions {

struct EmbeddingProvider {
  ServicePlace place;
  int64_t batch_max;  // Texts of one request.
  bool has_int8;      // It can make vectors of bytes.
  /// The address of a request.
  Result<std::string> (*address)(const ModelSetup& setup);
  /// Its body. Errors: kInvalidParameter (parameters).
  Result<nlohmann::json> (*body)(const ModelSetup& setup, Texts texts, TextUse use);
  /// Where the answer's vectors are, in the order of the texts; pointers into `answer`. False when
  /// the answer does not look like one.
  bool (*vectors)(const nlohmann::json& answer, std::vector<const nlohmann::json*>& vectors);
};

std::span<const EmbeddingProvider> EmbeddingProviders();

/// By its name in lower case, or null.
const EmbeddingProvider* FindEmbeddingProvider(std::string_view name);

/// The texts of one request of this model.
Result<int64_t> BatchOf(const EmbeddingProvider& provider, const ModelSetup& setup);

}  // namespace elanus::functions
