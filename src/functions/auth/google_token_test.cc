// Tokens are asked for with a signed claim, kept, and asked for again before they end.
#include "functions/auth/google_token.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "functions/testing/fake_http.h"

namespace elanus::functions {
namespace {

using nlohmann::json;

std::string NewKey() {
  EVP_PKEY* key = EVP_RSA_gen(2048);
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  char* text = nullptr;
  const long bytes = BIO_get_mem_data(bio, &text);
  std::string pem(text, static_cast<size_t>(bytes));
  BIO_free(bio);
  EVP_PKEY_free(key);
  return pem;
}

struct Fixture {
  explicit Fixture(FakeHttp::Answer answer)
      : http(std::move(answer)),
        caller(*executor, clock, http, FunctionOptions{.backoff_ms = 1}),
        tokens(clock, caller),
        ctx(clock) {}
  std::unique_ptr<Executor> executor = MakeThreadExecutor();
  ManualClock clock;
  FakeHttp http;
  ServiceCaller caller;
  GoogleTokens tokens;
  Context ctx;
};

TEST(GoogleTokens, KeepATokenUntilShortlyBeforeItsEnd) {
  int made = 0;
  Fixture f([&](const http::Request&) {
    return Json({{"access_token", "token " + std::to_string(++made)}, {"expires_in", 3600}});
  });
  const std::string account =
      json{{"client_email", "me@x"}, {"private_key", NewKey()}, {"token_uri", "http://t/token"}}
          .dump();
  EXPECT_EQ(*f.tokens.Get(f.ctx, account, 1000), "token 1");
  f.clock.AdvanceMs(3'500'000);
  EXPECT_EQ(*f.tokens.Get(f.ctx, account, 1000), "token 1");
  f.clock.AdvanceMs(50'000);
  EXPECT_EQ(*f.tokens.Get(f.ctx, account, 1000), "token 2");
  ASSERT_EQ(f.http.requests.size(), 2u);
  EXPECT_EQ(f.http.requests[0].url, "http://t/token");
  const std::string& body = f.http.requests[0].body;
  const std::string claim = body.substr(body.rfind('=') + 1);
  EXPECT_EQ(std::count(claim.begin(), claim.end(), '.'), 2);
}

TEST(GoogleTokens, KeepATokenThatLastsForEverForADay) {
  int made = 0;
  Fixture f([&](const http::Request&) {
    return Json({{"access_token", "token " + std::to_string(++made)}, {"expires_in", 1e300}});
  });
  const std::string account =
      json{{"client_email", "me@x"}, {"private_key", NewKey()}, {"token_uri", "http://t/token"}}
          .dump();
  EXPECT_EQ(*f.tokens.Get(f.ctx, account, 1000), "token 1");
  f.clock.AdvanceMs(23 * 3'600'000);
  EXPECT_EQ(*f.tokens.Get(f.ctx, account, 1000), "token 1");
  f.clock.AdvanceMs(3'600'000);
  EXPECT_EQ(*f.tokens.Get(f.ctx, account, 1000), "token 2");
}

TEST(GoogleTokens, RefuseWhatIsNoAccount) {
  Fixture f([](const http::Request&) { return Json({{"nothing", 1}}); });
  EXPECT_EQ(f.tokens.Get(f.ctx, "{}", 1000).status().code(), ErrorCode::kInvalidParameter);
  const std::string no_key = json{{"client_email", "me"}, {"private_key", "x"}}.dump();
  EXPECT_EQ(f.tokens.Get(f.ctx, no_key, 1000).status().code(), ErrorCode::kInvalidParameter);
  const std::string account = json{{"client_email", "me"}, {"private_key", NewKey()}}.dump();
  EXPECT_EQ(f.tokens.Get(f.ctx, account, 1000).status().code(), ErrorCode{2400});
}

}  // namespace
}  // namespace elanus::functions
