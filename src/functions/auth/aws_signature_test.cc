// Requests are signed as AWS's own examples are.
#include "functions/auth/aws_signature.h"

#include <gtest/gtest.h>

#include "functions/testing/fake_http.h"

namespace elanus::functions {
namespace {

// "get-vanilla" of the test suite that AWS publishes for Signature Version 4.
TEST(SignForAws, AgreesWithThePublishedExample) {
  HttpRequest request{.method = "GET", .url = "https://example.amazonaws.com/"};
  constexpr int64_t kMomentMs = 1'440'938'160'000;  // 20150830T123600Z.
  SignForAws({.id = "AKIDEXAMPLE",
              .secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
              .region = "us-east-1",
              .service = "service"},
             kMomentMs, request);
  EXPECT_EQ(HeaderOf(request, "X-Amz-Date"), "20150830T123600Z");
  EXPECT_EQ(HeaderOf(request, "Authorization"),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
            "SignedHeaders=host;x-amz-date, "
            "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
}

TEST(SignForAws, SignsBodyAndPathAndNeverShowsTheSecret) {
  const auto sign = [](std::string url, std::string body) {
    HttpRequest request{.url = std::move(url), .body = std::move(body)};
    SignForAws({.id = "id", .secret = "hush", .region = "r", .service = "bedrock"}, 0, request);
    const std::string value = HeaderOf(request, "Authorization");
    EXPECT_EQ(value.find("hush"), std::string::npos);
    return value;
  };
  EXPECT_EQ(sign("https://h/model/a%3A0/invoke", "x"), sign("https://h/model/a%3A0/invoke", "x"));
  EXPECT_NE(sign("https://h/model/a%3A0/invoke", "x"), sign("https://h/model/a%3A0/invoke", "y"));
  EXPECT_NE(sign("https://h/model/a%3A0/invoke", "x"), sign("https://h/model/a%3A1/invoke", "x"));
}

TEST(EncodePathPart, KeepsUnreservedCharactersOnly) {
  EXPECT_EQ(EncodePathPart("amazon.titan-v2:0/~_"), "amazon.titan-v2%3A0%2F~_");
}

}  // namespace
}  // namespace elanus::functions
