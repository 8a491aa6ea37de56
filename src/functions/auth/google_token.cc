// Tokens of Google service accounts.
#include "functions/auth/google_token.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <memory>

#include "functions/errors.h"

namespace elanus::functions {
namespace {

using nlohmann::json;

constexpr int64_t kTokenS = 3600;
constexpr int64_t kSpareMs = 60'000;
constexpr double kTokenMsMax = 24 * 3600 * 1000;  // One that lasts longer is asked for anew.
constexpr size_t kTokensMax = 64;
constexpr const char* kScope = "https://www.googleapis.com/auth/cloud-platform";
constexpr const char* kTokenUrl = "https://oauth2.googleapis.com/token";

// Base64 for addresses, without padding (RFC 4648, section 5).
std::string Base64Url(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<size_t>(size));
  while (text.ends_with('=')) text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeDigest {
  void operator()(EVP_MD_CTX* digest) const { EVP_MD_CTX_free(digest); }
};

}  // namespace

Result<std::string> SignClaim(const std::string& email, const std::string& audience,
                              const std::string& pem, int64_t now_ms) {
  const int64_t now_s = now_ms / 1000;
  const json head = {{"alg", "RS256"}, {"typ", "JWT"}};
  const json claim = {{"iss", email},
                      {"scope", kScope},
                      {"aud", audience},
                      {"iat", now_s},
                      {"exp", now_s + kTokenS}};
  std::string text = Base64Url(head.dump()) + "." + Base64Url(claim.dump());
  const std::unique_ptr<BIO, FreeBio> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const std::unique_ptr<EVP_PKEY, FreeKey> key(
      bio == nullptr ? nullptr : PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  const std::unique_ptr<EVP_MD_CTX, FreeDigest> digest(EVP_MD_CTX_new());
  size_t bytes = 0;
  const auto* data = reinterpret_cast<const unsigned char*>(text.data());
  bool good = key != nullptr && digest != nullptr &&
              EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
              EVP_DigestSign(digest.get(), nullptr, &bytes, data, text.size()) == 1;
  std::string signature(bytes, '\0');
  good = good && EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(signature.data()),
                                &bytes, data, text.size()) == 1;
  if (!good) return Invalid("the private_key of a Google account is no key");
  signature.resize(bytes);
  return text + "." + Base64Url(signature);
}

Result<std::string> GoogleTokens::Get(Context& ctx, const std::string& account,
                                      int64_t timeout_ms) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = tokens_.find(account);
    if (found != tokens_.end() && found->second.end_ms > clock_.NowMs() + kSpareMs) {
      return found->second.text;
    }
  }
  const json parsed = json::parse(account, nullptr, /*allow_exceptions=*/false);
  const auto text_of = [&](const char* key) -> std::string {
    return parsed.is_object() && parsed.contains(key) && parsed[key].is_string()
               ? parsed[key].get<std::string>()
               : std::string();
  };
  const std::string email = text_of("client_email");
  if (email.empty()) return Invalid("the credential_json of a Google account has no client_email");
  std::string url = text_of("token_uri");
  if (url.empty()) url = kTokenUrl;
  TRY_ASSIGN(const std::string claim,
             SignClaim(email, url, text_of("private_key"), clock_.NowMs()));
  ServiceCall call{.service = "the token service of Google"};
  call.request.url = url;
  call.request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  call.request.body =
      "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=" + claim;
  call.secrets = {claim};
  call.timeout_ms = timeout_ms;
  TRY_ASSIGN(const json answer, caller_.Call(ctx, call));
  const bool is_token = answer.is_object() && answer.contains("access_token") &&
                        answer["access_token"].is_string() && answer.contains("expires_in") &&
                        answer["expires_in"].is_number();
  if (!is_token) return Error(kFunctionFailed, "{} sent no token", call.service);
  const double lasts_ms = std::clamp(answer["expires_in"].get<double>() * 1000, 0.0, kTokenMsMax);
  Token token{.text = answer["access_token"].get<std::string>(),
              .end_ms = clock_.NowMs() + static_cast<int64_t>(lasts_ms)};
  const std::lock_guard<std::mutex> lock(mutex_);
  if (tokens_.size() >= kTokensMax) tokens_.clear();
  return (tokens_[account] = token).text;
}

}  // namespace elanus::functions
