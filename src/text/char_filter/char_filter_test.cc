// Char filters: what they make of a text, and that tokens know where they stand in the source.
#include "text/char_filter/char_filter.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "text/analyzer.h"

namespace elanus::text {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Rows = std::vector<std::string>;

std::string Mapped(const Rows& rows, std::string_view text) {
  const auto filter = MakeMapping(rows);
  EXPECT_TRUE(filter.ok()) << filter.status().ToString();
  return filter.ok() ? (*filter)->Change(text).text : "";
}

Tokens TokensOf(const nlohmann::json& params, std::string_view text) {
  const auto analyzer = AnalyzerOf(params.dump());
  EXPECT_TRUE(analyzer.ok()) << analyzer.status().ToString();
  Tokens tokens;
  if (analyzer.ok()) (*analyzer)->Analyze(text, tokens);
  return tokens;
}

// Char filters with these rows before words between spaces.
nlohmann::json With(const std::vector<Rows>& filters) {
  nlohmann::json params = {{"tokenizer", "whitespace"}, {"char_filter", nlohmann::json::array()}};
  for (const Rows& rows : filters) {
    params["char_filter"].push_back({{"type", "mapping"}, {"mappings", rows}});
  }
  return params;
}

std::string Message(const nlohmann::json& char_filter) {
  const auto analyzer =
      AnalyzerOf(nlohmann::json{{"tokenizer", "standard"}, {"char_filter", char_filter}}.dump());
  EXPECT_EQ(analyzer.status().code(), ErrorCode::kSegcore) << char_filter;
  return std::string(analyzer.status().message());
}

TEST(Mapping, TakesTheLongestAtEachPlace) {
  EXPECT_EQ(Mapped({"a=>1", "ab=>2", "abc=>3"}, "abcabxa"), "32x1");
  EXPECT_EQ(Mapped({"ab => ", "ß=>ss"}, "Straße ab abab!"), "Strasse  !");
  EXPECT_EQ(Mapped({"aa=>a"}, "aaaaa"), "aaa") << "what was put in is not looked at again";
  EXPECT_EQ(Mapped({}, "as it is"), "as it is");
  EXPECT_EQ(Mapped({"x=>y"}, ""), "");
}

TEST(Mapping, SpacesCountWhereTheyAreEscaped) {
  EXPECT_EQ(Mapped({" :) => _happy_ "}, "I am :)"), "I am _happy_");
  EXPECT_EQ(Mapped({R"(\ &\ =>\ and\ )"}, "salt & pepper"), "salt and pepper");
  EXPECT_EQ(Mapped({R"(\=> => \\)"}, "a=>b"), R"(a\b)");
  EXPECT_EQ(Mapped({"new york => ny"}, "in new york"), "in ny");
}

TEST(CharFilter, TokensStandWhereTheirSourceDoes) {
  EXPECT_THAT(TokensOf(With({{"ß=>ss", "- =>"}}), "- Straße x"),
              ElementsAre(Token{"Strasse", 2, 9, 0, 1}, Token{"x", 10, 11, 1, 1}));
  // A token inside of a replacement has all of what was replaced.
  EXPECT_THAT(
      TokensOf(With({{R"(&=>\ and\ )"}}), "a&b"),
      ElementsAre(Token{"a", 0, 1, 0, 1}, Token{"and", 1, 2, 1, 1}, Token{"b", 2, 3, 2, 1}));
  EXPECT_THAT(TokensOf(With({{"xyz=>p q"}}), "axyzb"),
              ElementsAre(Token{"ap", 0, 4, 0, 1}, Token{"qb", 1, 5, 1, 1}));
  // What was taken out belongs to the token around it, not to those beside it.
  EXPECT_THAT(TokensOf(With({{"-=>"}}), "-ab-c- d"),
              ElementsAre(Token{"abc", 1, 5, 0, 1}, Token{"d", 7, 8, 1, 1}));
}

TEST(CharFilter, OneFollowsTheOther) {
  EXPECT_THAT(
      TokensOf(With({{"one=>1", "two=>22"}, {"1=>eins", "2=>x"}}), "one two one"),
      ElementsAre(Token{"eins", 0, 3, 0, 1}, Token{"xx", 4, 7, 1, 1}, Token{"eins", 8, 11, 2, 1}));
}

// Every character of the source is put in capitals' place or kept, so what a token's bytes hold in
// the source is known.
TEST(CharFilter, BytesOfTokensAreThoseOfTheSourceWhateverIsReplaced) {
  std::mt19937 chance(3);
  const auto filter = MakeMapping({"a=>AA", "bb=>B", "c=>", "é=>E"});
  ASSERT_TRUE(filter.ok());
  constexpr std::string_view kParts[] = {"a", "bb", "c", "é", "x", "y", " "};
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (int i = 0; i < 15; ++i) text += kParts[chance() % std::size(kParts)];
    for (const Token& token : TokensOf(With({{"a=>AA", "bb=>B", "c=>", "é=>E"}}), text)) {
      ASSERT_LE(token.end, text.size());
      const std::string_view source =
          std::string_view(text).substr(token.begin, token.end - token.begin);
      EXPECT_EQ((*filter)->Change(source).text, token.text) << text;
    }
  }
}

TEST(CharFilter, SaysWhatIsWrong) {
  using nlohmann::json;
  const auto rows = [](const json& mappings) {
    return Message(json::array({{{"type", "mapping"}, {"mappings", mappings}}}));
  };
  EXPECT_EQ(Message("mapping"), "char_filter params should be array");
  EXPECT_EQ(Message(json::array({"mapping"})), "char filter mapping must be customized");
  EXPECT_EQ(Message(json::array({1})), "char filter should be dict");
  EXPECT_EQ(Message(json::array({json::object()})), "no type field in char filter params");
  EXPECT_EQ(Message(json::array({{{"type", 1}}})), "char filter type should be string");
  EXPECT_EQ(Message(json::array({{{"type", "html"}}})), "unsupport char filter type: html");
  EXPECT_EQ(Message(json::array({{{"type", "mapping"}}})), "char filter mappings should be array");
  EXPECT_EQ(rows("a=>b"), "char filter mappings should be array");
  EXPECT_EQ(rows({1}), "char filter mappings list item should be string");
  EXPECT_THAT(rows({"a"}), HasSubstr("no =>"));
  EXPECT_THAT(rows({"a=>b=>c"}), HasSubstr("two =>"));
  EXPECT_THAT(rows({" =>b"}), HasSubstr("nothing to replace"));
  EXPECT_THAT(rows({R"(\x=>b)"}), HasSubstr("unknown escape"));
  EXPECT_THAT(rows({R"(a=>b\)"}), HasSubstr("unknown escape"));
  EXPECT_THAT(rows({"a=>b", "a => c"}), HasSubstr("twice"));
}

TEST(CharFilter, WhatTheyMakeStaysOfTheTextsOrder) {
  using nlohmann::json;
  const json eightfold = {{"type", "mapping"}, {"mappings", {"a=>aaaaaaaa"}}};
  const json nothing = {{"type", "mapping"}, {"mappings", json::array()}};
  EXPECT_EQ(TokensOf({{"tokenizer", "whitespace"}, {"char_filter", {eightfold, eightfold}}}, "a")
                .at(0)
                .text,
            std::string(64, 'a'));
  EXPECT_THAT(Message({eightfold, eightfold, {{"type", "mapping"}, {"mappings", {"a=>aa"}}}}),
              HasSubstr("at most 64 times"));
  EXPECT_THAT(Message(json(17, nothing)), HasSubstr("at most 16"));
}

}  // namespace
}  // namespace elanus::text
