// Merging JSON objects.
#include "proxy/json_merge.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace elanus::proxy {
namespace {

std::string Merged(std::string_view stored, std::string_view update) {
  const auto merged = MergeObjects(stored, update);
  return merged.ok() ? *merged : std::string(merged.status().message());
}

TEST(JsonMerge, ReplacesKeysInPlaceAndAddsOthersBehind) {
  EXPECT_EQ(Merged(R"({"b":1,"a":2})", R"({"c":3,"b":[4]})"), R"({"b":[4],"a":2,"c":3})");
  EXPECT_EQ(Merged("{}", R"({"a":1})"), R"({"a":1})");
  EXPECT_EQ(Merged(R"({ "a" : {"x": 1} })", R"({"a":{"y":2}})"), R"({"a":{"y":2}})")
      << "the top level only";
  EXPECT_EQ(Merged(R"({"a":1})", R"({"a":null})"), R"({"a":null})");
}

TEST(JsonMerge, LeavesEveryOtherValueAsItWasWritten) {
  const std::string stored =
      R"({"big":123456789012345678901234567890,"f":1.10,"e":1E+2,"long":0.1234567890123456789,)"
      R"("s":"\u00e9 \" , } { \\","l":[1, {"x": "]"}, []],"o":{ } })";
  EXPECT_EQ(Merged(stored, "{}"), stored);
  const std::string merged = Merged(stored, R"({ "new" : true })");
  for (const char* value :
       {"123456789012345678901234567890", "1.10", "1E+2", R"([1, {"x": "]"}, []])",
        "0.1234567890123456789", R"("\u00e9 \" , } { \\")"}) {
    EXPECT_NE(merged.find(value), std::string::npos) << value;
  }
  auto want = nlohmann::json::parse(stored);
  want["new"] = true;
  EXPECT_EQ(nlohmann::json::parse(merged), want);
}

TEST(JsonMerge, KnowsKeysHoweverTheyAreWritten) {
  EXPECT_EQ(Merged(R"({"\u0061":1,"q\"":2})", R"({"a":3,"q\u0022":4})"), R"({"a":3,"q\u0022":4})");
  EXPECT_EQ(Merged(R"({"":1})", R"({"":2})"), R"({"":2})");
}

TEST(JsonMerge, TakesTheLastOfAKeyThatIsThereTwice) {
  EXPECT_EQ(Merged(R"({"a":1,"b":2,"a":3})", R"({"c":4,"c":5})"), R"({"a":3,"b":2,"c":5})");
}

TEST(JsonMerge, TakesWhatIsStoredAndNoObjectForAnEmptyOne) {
  for (const char* stored :
       {"", "null", "[1]", "{", R"({"a")", R"({"a":1)", R"({"a":1,)", R"({"a\)"}) {
    EXPECT_EQ(Merged(stored, R"({"b":2})"), R"({"b":2})") << stored;
    EXPECT_EQ(Merged(stored, "{}"), "{}") << stored;
    EXPECT_FALSE(MergeObjects("{}", stored).ok()) << stored;
  }
}

TEST(JsonMerge, SkipsSpaceAndAByteOrderMark) {
  EXPECT_EQ(Merged("\xEF\xBB\xBF \n{ \"a\" :\t1 , \"b\" : [ 1 ] } ", " {\"c\":2}\n"),
            "{\"a\" :\t1,\"b\" : [ 1 ],\"c\":2}");
}

}  // namespace
}  // namespace elanus::proxy
