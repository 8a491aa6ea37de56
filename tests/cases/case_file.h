// A case as it stands in a text file: what to make, what to do, and what should come of it.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/schema.h"

namespace elanus::cases {

using Json = nlohmann::json;

/// One statement: `verb @partition,... body   outcome expected`.
struct Step {
  int line = 0;
  std::string verb;
  std::vector<std::string> partitions;
  std::string body;
  std::string outcome;   // "ids", "hits", "rows", "count", "error"; empty: it should just succeed.
  std::string expected;  // What follows the outcome's word.
};

struct Case {
  std::string name;
  std::vector<Step> steps;
};

/// A file's statements. The error names the line.
Result<Case> ParseCase(std::string name, std::string_view text);

/// What `schema` says.
struct SchemaLine {
  model::CollectionSchema schema;
  int32_t shards = 0;
  std::string timezone;  // Empty: the server's choice.
};
Result<SchemaLine> ParseSchema(std::string_view body);

/// What `index` says: a field, a metric (vector fields only) and one or more ways to build it.
struct IndexLine {
  struct Choice {
    std::string type;  // "none": no index this time.
    std::string params;
  };
  std::string field;
  std::string metric;
  std::vector<Choice> choices;
};
Result<IndexLine> ParseIndex(std::string_view body);

/// Names of the ways to run a case: one for each choice of its index lines, at least one.
std::vector<std::string> Variants(const Case& parsed);

/// Words separated by blanks; blanks inside quotes, brackets and braces do not separate.
std::vector<std::string> Words(std::string_view text);

/// A value as it is written: JSON, or a bare word, which is a text.
Result<Json> ParseValue(const std::string& word);

/// The rows behind `rows`: JSON objects one after another.
Result<std::vector<Json>> ParseObjects(const std::string& text);

}  // namespace elanus::cases
