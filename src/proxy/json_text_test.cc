// The bound on how deep a client's JSON nests.
#include "proxy/json_text.h"

#include <gtest/gtest.h>

#include <string>

namespace elanus::proxy {
namespace {

std::string Nested(size_t levels, const std::string& inside) {
  return std::string(levels, '[') + inside + std::string(levels, ']');
}

TEST(JsonText, NestsAsManyLevelsAsTheMessageSays) {
  for (const char* inside : {"", "1", "\"text\"", "1, 2"}) {
    EXPECT_TRUE(ParseJson("it", Nested(100, inside), 100).ok()) << inside;
    const auto refused = ParseJson("it", Nested(101, inside), 100);
    EXPECT_EQ(refused.status().code(), ErrorCode::kInvalidParameter);
    EXPECT_EQ(refused.status().message(), "it nests deeper than 100 levels") << inside;
  }
  EXPECT_TRUE(ParseJson("it", R"({"a": {"b": {}}})", 3).ok());
  EXPECT_FALSE(ParseJson("it", R"({"a": {"b": {}}})", 2).ok());
  EXPECT_FALSE(ParseJson("it", std::string(100'000, '['), 100).ok());
}

TEST(JsonText, ThatIsNoneIsNamed) {
  EXPECT_EQ(ParseJson("it", "{", 3).status().message(), "it is not valid JSON");
}

}  // namespace
}  // namespace elanus::proxy
