// A model service as one function uses it: the provider, where it is, which model, and the secret
// that opens it; from the function's parameters, the configuration and the environment.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "functions/options.h"
#include "model/any_case.h"
#include "model/schema.h"

namespace elanus::functions {

/// The value of an environment variable; empty when it is not set.
using Environment = std::function<std::string(const std::string& name)>;
/// That of the process.
Environment ProcessEnvironment();

/// How a service knows who asks.
enum class Auth {
  kOptionalBearer,  // Authorization: Bearer KEY, when a credential is named.
  kBearer,
  kApiKeyHeader,   // api-key: KEY
  kGoogleHeader,   // x-goog-api-key: KEY
  kAws,            // AWS Signature Version 4.
  kGoogleAccount,  // A token for the key of a service account.
};

/// What every provider's table says.
struct ServicePlace {
  std::string_view name;
  std::string_view url;  // Where it is unless the configuration says otherwise; empty: it has to.
  Auth auth = Auth::kBearer;
  std::string_view key_variable = {};  // Of the environment, behind MILVUS_ or MILVUSAI_.
  bool needs_model = true;             // The parameter model_name.
  bool takes_endpoint = false;         // The parameter `endpoint` says where it is.
};

/// How a function asks for a model service.
struct ServiceWish {
  const ServicePlace& place;
  const NamedValues& configured;  // "<provider>.url" and so on.
  const std::vector<model::KeyValue>& params;
};

struct ModelSetup {
  std::string provider;
  std::string url;
  std::string model;
  Auth auth = Auth::kBearer;
  std::string api_key;  // Or the secret half of a pair, or the JSON of a service account.
  std::string access_key_id;
  std::vector<model::KeyValue> params;  // Of the function.
  int64_t timeout_ms = 0;
  uint32_t dim = 0;  // Asked for by the parameter `dim`; 0: the model's own.
  model::DataType output = model::DataType::kFloatVector;

  /// The value of a parameter in whatever case it was written, or null.
  const std::string* Find(std::string_view lower_key) const;
  /// kInvalidParameter when it is there and neither true nor false.
  Result<std::optional<bool>> Bool(std::string_view lower_key) const;
  /// `fallback` when it is not there; kInvalidParameter when it is not positive.
  Result<int64_t> Positive(std::string_view lower_key, int64_t fallback) const;
  /// The value, or `fallback`. kInvalidParameter when it is none of `choices`, "One|Other".
  Result<std::string> Choice(std::string_view lower_key, std::string_view choices,
                             std::string_view fallback) const;
};

/// Errors: kInvalidParameter (disabled, no credential, a wrong parameter), kMissingParameter.
Result<ModelSetup> ResolveSetup(const FunctionOptions& options, const Environment& environment,
                                const ServiceWish& wish);

/// The value of "<provider>.<key>", or null.
const std::string* FindNamed(const NamedValues& values, std::string_view provider,
                             std::string_view key);

using model::FindAnyCase;
using model::Lower;

}  // namespace elanus::functions
