// Every tokenizer, by name.
#include <nlohmann/json.hpp>

#include "text/tokenizer/tokenizer.h"

namespace elanus::text {
namespace {

const nlohmann::json kNothing = nlohmann::json::object();

bool NeedsObject(const std::string& name) {
  return name == "lindera" || name == "char_group" || name == "language_identifier" ||
         name == "grpc";
}

}  // namespace

Result<TokenizerPtr> MakeTokenizer(const nlohmann::json& wanted) {
  std::string name;
  const nlohmann::json* params = &kNothing;
  if (wanted.is_string()) {
    name = wanted.get<std::string>();
    if (NeedsObject(name)) return Error(ErrorCode::kSegcore, "{} must be customized", name);
  } else if (wanted.is_object()) {
    const auto type = wanted.find("type");
    if (type == wanted.end()) {
      return Status(ErrorCode::kSegcore, "customized tokenizer must set type");
    }
    if (!type->is_string()) return Status(ErrorCode::kSegcore, "tokenizer type should be string");
    name = type->get<std::string>();
    params = &wanted;
  } else {
    return Status(ErrorCode::kSegcore, "tokenizer name should be string or dict");
  }
  if (name == "standard") return MakeStandardTokenizer(*params);
  if (name == "whitespace") return MakeWhitespaceTokenizer();
  if (name == "icu") return MakeIcuTokenizer();
  if (name == "thai") return MakeThaiTokenizer();
  if (name == "char_group") return MakeCharGroupTokenizer(*params);
  if (name == "jieba") return MakeJiebaTokenizer(*params);
  if (name == "language_identifier") return MakeLanguageIdentifier(*params);
  if (name == "lindera") return MakeLinderaTokenizer(*params);
  if (name == "grpc") {
    return Status(
        ErrorCode::kUnimplemented,
        "the tokenizer grpc is not supported: what it says to its endpoint is not public; "
        "the others cut texts here");
  }
  return Error(ErrorCode::kSegcore, "unsupported tokenizer: {}", name);
}

}  // namespace elanus::text
