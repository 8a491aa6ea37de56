// Access tokens of Google service accounts: a claim signed with the account's key is exchanged for
// a token (RFC 7523), which is kept until shortly before it ends.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "functions/caller.h"

namespace elanus::functions {

/// Thread-safe. Borrows its parts.
class GoogleTokens {
 public:
  GoogleTokens(Clock& clock, ServiceCaller& caller) : clock_(clock), caller_(caller) {}

  /// A token that is good for another minute. `account` is the JSON of the account's key. Errors:
  /// kInvalidParameter (the JSON or its key), those of ServiceCaller.
  Result<std::string> Get(Context& ctx, const std::string& account, int64_t timeout_ms);

 private:
  struct Token {
    std::string text;
    int64_t end_ms = 0;
  };

  Clock& clock_;
  ServiceCaller& caller_;
  std::mutex mutex_;                     // Guards `tokens_`; not held while one is fetched.
  std::map<std::string, Token> tokens_;  // By account.
};

/// The claim that is exchanged: a JSON web token for `audience`, signed with RS256 by the key in
/// PEM. kInvalidParameter when the key is none.
Result<std::string> SignClaim(const std::string& email, const std::string& audience,
                              const std::string& pem, int64_t now_ms);

}  // namespace elanus::functions
