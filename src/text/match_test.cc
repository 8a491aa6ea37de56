// Words, phrases and near words; term counts; highlighting.
#include "text/match.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "text/bm25.h"
#include "text/field.h"
#include "text/highlight.h"

namespace elanus::text {
namespace {

using Kind = model::WordQuery::Kind;
using testing::ElementsAre;

Tokens Standard(std::string_view text) {
  Tokens tokens;
  (*AnalyzerOf(""))->Analyze(text, tokens);
  return tokens;
}

bool Phrase(std::string_view text, std::string_view phrase, uint32_t slop) {
  model::WordQuery query = MakeWordQuery(Kind::kPhrase, Standard(phrase));
  query.slop = slop;
  return WordMatcher(query).Matches(Standard(text));
}

TEST(Match, PhrasesStandAsWritten) {
  EXPECT_TRUE(Phrase("the quick brown fox", "quick brown", 0));
  EXPECT_FALSE(Phrase("the quick brown fox", "quick fox", 0));
  EXPECT_TRUE(Phrase("the quick brown fox", "quick fox", 1));
  EXPECT_FALSE(Phrase("fox quick the", "quick fox", 1));
  EXPECT_TRUE(Phrase("fox quick the", "quick fox", 2));
  EXPECT_TRUE(Phrase("a b a b c", "a b c", 0));
  EXPECT_FALSE(Phrase("a b x c", "a b c", 0));
  EXPECT_TRUE(Phrase("a x b x c", "a b c", 2));
  EXPECT_FALSE(Phrase("a x b x c", "a b c", 1));
  EXPECT_TRUE(Phrase("one", "one", 0));
  EXPECT_FALSE(Phrase("one", "", 0));
}

TEST(Match, TheLeastSlopOfAPhraseIsKnown) {
  const auto slop = [](std::string_view text, std::string_view phrase) {
    model::WordQuery query = MakeWordQuery(Kind::kPhrase, Standard(phrase));
    query.slop = UINT32_MAX;
    return WordMatcher(query).PhraseSlop(Standard(text));
  };
  EXPECT_EQ(slop("the quick brown fox", "quick brown"), 0u);
  EXPECT_EQ(slop("the quick brown fox", "quick fox"), 1u);
  EXPECT_EQ(slop("fox quick", "quick fox"), 2u);
  EXPECT_EQ(slop("a x x b x a x b", "a b"), 1u) << "the cheapest of several";
  EXPECT_EQ(slop("quick", "quick fox"), std::nullopt);
  EXPECT_EQ(slop("quick", ""), std::nullopt);
}

TEST(Match, EachWordOfAQueryCounts) {
  const auto some = [](std::string_view text, std::string_view words, uint32_t at_least) {
    model::WordQuery query = MakeWordQuery(Kind::kSome, Standard(words));
    query.at_least = at_least;
    return WordMatcher(query).Matches(Standard(text));
  };
  EXPECT_TRUE(some("the quick fox", "fox dog", 1));
  EXPECT_FALSE(some("the quick fox", "fox dog", 2));
  EXPECT_FALSE(some("quick", "quick", 2));
  EXPECT_TRUE(some("quick", "quick quick", 2));
  EXPECT_FALSE(some("quick", "", 1));
}

TEST(Match, NearWordsCountCharactersAndSwaps) {
  EXPECT_TRUE(AreWithin("quick", "quik", 1));
  EXPECT_TRUE(AreWithin("quick", "qiuck", 1));
  EXPECT_FALSE(AreWithin("quick", "qick x", 1));
  EXPECT_TRUE(AreWithin("zürich", "zurich", 1));
  EXPECT_FALSE(AreWithin("abc", "cab", 1));
  EXPECT_TRUE(AreWithin("abc", "cab", 2));
  EXPECT_FALSE(AreWithin("", "abc", 2));
  EXPECT_TRUE(AreWithin("", "ab", 2));
}

TEST(Bm25, CountsTermsByTheirChecksum) {
  EXPECT_EQ(TermId("123456789"), 0xCBF43926u);
  EXPECT_EQ(TermId(std::string(100, 'x')), TermId(std::string(200, 'x')));
  const std::string row = CountTerms(Standard("b a a"));
  ASSERT_EQ(row.size(), 16u);
  uint32_t dims[2];
  float counts[2];
  std::memcpy(dims, row.data(), 8);
  std::memcpy(counts, row.data() + 8, 8);
  EXPECT_LT(dims[0], dims[1]);
  EXPECT_EQ(counts[dims[0] == TermId("a") ? 0 : 1], 2.0f);
  EXPECT_EQ(CountTerms({}), "");
  EXPECT_NEAR(InverseDocumentFrequency(3, 1), 0.9808, 1e-4);
}

std::vector<std::string> Mark(std::string_view text, const HighlightOptions& options = {}) {
  return Highlight(**AnalyzerOf(""), text, {"two"}, options);
}

TEST(Highlight, CutsFragmentsAroundHits) {
  EXPECT_THAT(Mark("one two three two"), ElementsAre("<em>two</em> three <em>two</em>"));
  EXPECT_THAT(Mark("one two three two", {.fragment_offset = 4}),
              ElementsAre("one <em>two</em> three <em>two</em>"));
  EXPECT_THAT(Mark("one two three two", {.fragment_size = 4}),
              ElementsAre("<em>two</em> ", "<em>two</em>"));
  EXPECT_THAT(Mark("one two three two", {.fragment_size = 1, .fragments_max = 1}),
              ElementsAre("<em>two</em>"));
  EXPECT_THAT(Mark("one two three two", {.fragments_max = 0}), ElementsAre());
  EXPECT_THAT(Mark("nothing"), ElementsAre());
  EXPECT_THAT(Mark("é two é two", {.pre_tags = {"[", "("},
                                   .post_tags = {"]", ")"},
                                   .fragment_size = 5,
                                   .fragment_offset = 2}),
              ElementsAre("é [two]", "é (two)"));
}

TEST(Field, TakesTheAnalyzerOfARowsLanguage) {
  model::FieldSchema field;
  field.type_params = {
      {"multi_analyzer_params",
       R"({"analyzers":{"default":{},"en":{"type":"english"}},"by_field":"lang","alias":{"eng":"en"}})"}};
  const auto analyzers = FieldAnalyzers::Of(field);
  ASSERT_TRUE(analyzers.ok()) << analyzers.status().ToString();
  EXPECT_EQ(analyzers->by_field(), "lang");
  Tokens tokens;
  for (const char* name : {"en", "eng"}) {
    analyzers->Named(name).Analyze("running", tokens);
    EXPECT_EQ(tokens[0].text, "run");
  }
  analyzers->Named("fr").Analyze("running", tokens);
  EXPECT_EQ(tokens[0].text, "running");
  for (const char* bad : {R"({})", R"({"by_field":1})", R"({"by_field":"l"})",
                          R"({"by_field":"l","analyzers":{"en":{}}})",
                          R"({"by_field":"l","analyzers":{"default":{}},"alias":[]})", "x"}) {
    field.type_params = {{"multi_analyzer_params", bad}};
    EXPECT_EQ(FieldAnalyzers::Of(field).status().code(), ErrorCode::kInvalidParameter) << bad;
  }
}

}  // namespace
}  // namespace elanus::text
