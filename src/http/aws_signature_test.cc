// Requests are signed as AWS's own examples are.
#include "http/aws_signature.h"

#include <gtest/gtest.h>

namespace elanus::http {
namespace {

// "get-vanilla" of the test suite that AWS publishes for Signature Version 4.
TEST(SignForAws, AgreesWithThePublishedExample) {
  Request request{.method = "GET", .url = "https://example.amazonaws.com/"};
  constexpr int64_t kMomentMs = 1'440'938'160'000;  // 20150830T123600Z.
  SignForAws({.id = "AKIDEXAMPLE",
              .secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
              .region = "us-east-1",
              .service = "service"},
             kMomentMs, request);
  EXPECT_EQ(HeaderOf(request.headers, "X-Amz-Date"), "20150830T123600Z");
  EXPECT_EQ(HeaderOf(request.headers, "Authorization"),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
            "SignedHeaders=host;x-amz-date, "
            "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
}

TEST(SignForAws, SignsBodyAndPathAndNeverShowsTheSecret) {
  const auto sign = [](std::string url, std::string body) {
    Request request{.url = std::move(url), .body = std::move(body)};
    SignForAws({.id = "id", .secret = "hush", .region = "r", .service = "bedrock"}, 0, request);
    const std::string value = HeaderOf(request.headers, "Authorization");
    EXPECT_EQ(value.find("hush"), std::string::npos);
    return value;
  };
  EXPECT_EQ(sign("https://h/model/a%3A0/invoke", "x"), sign("https://h/model/a%3A0/invoke", "x"));
  EXPECT_NE(sign("https://h/model/a%3A0/invoke", "x"), sign("https://h/model/a%3A0/invoke", "y"));
  EXPECT_NE(sign("https://h/model/a%3A0/invoke", "x"), sign("https://h/model/a%3A1/invoke", "x"));
}

// "GET Bucket Lifecycle" and "GET Object" of the examples in the documentation of Amazon S3,
// "Signature Calculations for the Authorization Header".
TEST(SignForAws, AgreesWithTheExamplesOfS3) {
  constexpr int64_t kMomentMs = 1'369'353'600'000;  // 20130524T000000Z.
  const AwsKey key{.id = "AKIAIOSFODNN7EXAMPLE",
                   .secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                   .region = "us-east-1",
                   .service = "s3"};
  const auto signature = [&](Request request) {
    SignForAws(key, kMomentMs, request);
    const std::string value = HeaderOf(request.headers, "Authorization");
    return value.substr(value.find("Signature=") + 10);
  };
  EXPECT_EQ(
      signature({.method = "GET", .url = "https://examplebucket.s3.amazonaws.com/?lifecycle="}),
      "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
  EXPECT_EQ(signature({.method = "GET",
                       .url = "https://examplebucket.s3.amazonaws.com/?prefix=J&max-keys=2"}),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
  EXPECT_EQ(signature({.method = "GET",
                       .url = "https://examplebucket.s3.amazonaws.com/test.txt",
                       .headers = {{"Range", "bytes=0-9"}}}),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(EncodePathPart, KeepsUnreservedCharactersOnly) {
  EXPECT_EQ(EncodePathPart("amazon.titan-v2:0/~_"), "amazon.titan-v2%3A0%2F~_");
}

}  // namespace
}  // namespace elanus::http
