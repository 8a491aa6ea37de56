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

// -- Shapes of answers that several providers share
// -------------------------------------------------

/// The value at a path of member names, or null.
const nlohmann::json* At(const nlohmann::json& json, std::initializer_list<const char*> path);
/// Member `value` of each of `items`, put in the order of their member `index`, or as they come
/// where they have none.
bool InOrder(const nlohmann::json* items, const char* index, const char* value,
             std::vector<const nlohmann::json*>& values);
/// Each of `items`.
bool AsTheyCome(const nlohmann::json* items, std::vector<const nlohmann::json*>& values);

}  // namespace elanus::functions
