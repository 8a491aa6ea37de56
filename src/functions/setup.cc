// Parameters, places and secrets of model services.
#include "functions/setup.h"

#include <openssl/evp.h>

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace elanus::functions {
namespace {

// Of the environment, by its newer or its older name; `shown` is the newer one.
std::string FromEnvironment(const Environment& environment, std::string_view variable) {
  std::string value = environment(fmt::format("MILVUS_{}", variable));
  return value.empty() ? environment(fmt::format("MILVUSAI_{}", variable)) : value;
}

Result<std::string> DecodeBase64(const std::string& text) {
  std::string decoded(text.size(), '\0');
  const int bytes = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(decoded.data()),
                                    reinterpret_cast<const unsigned char*>(text.data()),
                                    static_cast<int>(text.size()));
  if (bytes < 0) return Status(ErrorCode::kInvalidParameter, "a credential_json is no base64");
  size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  decoded.resize(static_cast<size_t>(bytes) - padding);
  return decoded;
}

// The secrets of one function.
class Credentials {
 public:
  Credentials(const FunctionOptions& options, const Environment& environment,
              const ServiceWish& wish)
      : options_(options), environment_(environment), wish_(wish) {}

  Status Resolve(ModelSetup& setup) const {
    const std::string* name = setup.Find("credential");
    if (name == nullptr || name->empty()) {
      name = FindNamed(wish_.configured, wish_.place.name, "credential");
    }
    if (name != nullptr && !name->empty()) return FromNamed(*name, setup);
    return FromVariables(setup);
  }

 private:
  Result<std::string> Named(const std::string& name, std::string_view kind,
                            std::string_view key) const {
    const std::string* value = FindNamed(options_.credentials, name, key);
    if (value != nullptr && !value->empty()) return *value;
    return Invalid("{} is not a {} crediential, can not find key: {}.{}", name, kind, name, key);
  }

  Status FromNamed(const std::string& name, ModelSetup& setup) const {
    if (setup.auth == Auth::kAws) {
      TRY_ASSIGN(setup.access_key_id, Named(name, "aksk", "access_key_id"));
      TRY_ASSIGN(setup.api_key, Named(name, "aksk", "secret_access_key"));
      return {};
    }
    if (setup.auth == Auth::kGoogleAccount) {
      TRY_ASSIGN(const std::string encoded, Named(name, "gcp", "credential_json"));
      TRY_ASSIGN(setup.api_key, DecodeBase64(encoded));
      return {};
    }
    TRY_ASSIGN(setup.api_key, Named(name, "apikey", "apikey"));
    return {};
  }

  Status FromVariables(ModelSetup& setup) const {
    if (setup.auth == Auth::kOptionalBearer) return {};
    if (setup.auth == Auth::kAws) {
      TRY_ASSIGN(setup.access_key_id, Variable("BEDROCK_ACCESS_KEY_ID"));
      TRY_ASSIGN(setup.api_key, Variable("BEDROCK_SECRET_ACCESS_KEY"));
      return {};
    }
    TRY_ASSIGN(setup.api_key, Variable(wish_.place.key_variable));
    if (setup.auth != Auth::kGoogleAccount) return {};
    std::ifstream file(setup.api_key);  // It names a file.
    if (!file) {
      return Error(ErrorCode::kInvalidParameter, "the file that MILVUS_{} names cannot be read",
                   wish_.place.key_variable);
    }
    setup.api_key.assign(std::istreambuf_iterator<char>(file), {});
    return {};
  }

  Result<std::string> Variable(std::string_view name) const {
    std::string value = FromEnvironment(environment_, name);
    if (!value.empty()) return value;
    return Invalid(
        "missing credentials config or configure the MILVUS_{} environment variable in the server",
        name);
  }

  const FunctionOptions& options_;
  const Environment& environment_;
  const ServiceWish& wish_;
};

Result<std::string> AddressOf(const ServiceWish& wish, const ModelSetup& setup,
                              const Environment& environment) {
  const ServicePlace& place = wish.place;
  const std::string* endpoint = place.takes_endpoint ? setup.Find("endpoint") : nullptr;
  if (endpoint != nullptr) {
    if (endpoint->starts_with("http://") || endpoint->starts_with("https://")) return *endpoint;
    return Invalid("the endpoint of {} should begin with http:// or https://: {}", place.name,
                   *endpoint);
  }
  const std::string* url = FindNamed(wish.configured, place.name, "url");
  if (url != nullptr && !url->empty()) return *url;
  if (place.takes_endpoint) {
    return Error(ErrorCode::kMissingParameter, "{} lost params: endpoint", place.name);
  }
  if (place.url.empty()) return Invalid("the url of {} is not configured", place.name);
  std::string known(place.url);
  const size_t resource = known.find("{resource}");
  if (resource == std::string::npos) return known;
  const std::string* configured = FindNamed(wish.configured, place.name, "resource_name");
  const std::string name = configured != nullptr && !configured->empty()
                               ? *configured
                               : FromEnvironment(environment, "AZURE_OPENAI_RESOURCE_NAME");
  if (name.empty()) {
    return Invalid(
        "{} needs its url or resource_name in the configuration, or the "
        "MILVUS_AZURE_OPENAI_RESOURCE_NAME environment variable",
        place.name);
  }
  return known.replace(resource, std::string_view("{resource}").size(), name);
}

Result<int64_t> ParseWhole(std::string_view key, const std::string& text) {
  int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec == std::errc() && parsed.ptr == text.data() + text.size()) return value;
  return Invalid("{} should be a whole number, got {}", key, text);
}

}  // namespace

Environment ProcessEnvironment() {
  return [](const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return std::string(value == nullptr ? "" : value);
  };
}

const std::string* FindNamed(const NamedValues& values, std::string_view provider,
                             std::string_view key) {
  const auto found = values.find(fmt::format("{}.{}", provider, key));
  return found == values.end() ? nullptr : &found->second;
}

const std::string* ModelSetup::Find(std::string_view lower_key) const {
  return FindAnyCase(params, lower_key);
}

Result<std::optional<bool>> ModelSetup::Bool(std::string_view lower_key) const {
  const std::string* text = Find(lower_key);
  if (text == nullptr) return std::optional<bool>();
  const std::string word = Lower(*text);
  if (word == "true" || word == "1" || word == "t") return std::optional<bool>(true);
  if (word == "false" || word == "0" || word == "f") return std::optional<bool>(false);
  return Invalid("{} should be true or false, got {}", lower_key, *text);
}

Result<int64_t> ModelSetup::Positive(std::string_view lower_key, int64_t fallback) const {
  const std::string* text = Find(lower_key);
  if (text == nullptr) return fallback;
  TRY_ASSIGN(const int64_t value, ParseWhole(lower_key, *text));
  if (value > 0) return value;
  return Invalid("{} should be positive, got {}", lower_key, value);
}

Result<std::string> ModelSetup::Choice(std::string_view lower_key, std::string_view choices,
                                       std::string_view fallback) const {
  const std::string* text = Find(lower_key);
  if (text == nullptr) return std::string(fallback);
  for (std::string_view rest = choices; !rest.empty();) {
    const size_t bar = rest.find('|');
    if (rest.substr(0, bar) == *text) return *text;
    rest = bar == std::string_view::npos ? std::string_view() : rest.substr(bar + 1);
  }
  return Invalid("{} should be one of {}, got {}", lower_key, choices, *text);
}

Result<ModelSetup> ResolveSetup(const FunctionOptions& options, const Environment& environment,
                                const ServiceWish& wish) {
  ModelSetup setup{.provider = std::string(wish.place.name)};
  setup.auth = wish.place.auth;
  setup.params = wish.params;
  if (const std::string* name = setup.Find("model_name")) setup.model = *name;
  if (wish.place.needs_model && setup.model.empty()) {
    return Error(ErrorCode::kMissingParameter, "{} lost params: model_name", wish.place.name);
  }
  TRY_ASSIGN(setup.url, AddressOf(wish, setup, environment));
  while (setup.url.ends_with('/')) setup.url.pop_back();
  TRY(Credentials(options, environment, wish).Resolve(setup));
  TRY_ASSIGN(const int64_t dim, setup.Positive("dim", 0));
  setup.dim = static_cast<uint32_t>(dim);
  setup.timeout_ms = static_cast<int64_t>(options.request_timeout_s * 1000);
  if (const std::string* text = setup.Find("timeout_ms")) {
    const auto given = ParseWhole("timeout_ms", *text);
    if (given.ok() && *given > 0) setup.timeout_ms = *given;  // What is no time is as if absent.
  }
  return setup;
}

}  // namespace elanus::functions
