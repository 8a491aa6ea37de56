// Analyzers: the examples of the contract, and each tokenizer and filter.
#include "text/analyzer.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace elanus::text {
namespace {

using testing::ElementsAre;

Tokens TokensOf(std::string_view params, std::string_view text) {
  const auto analyzer = AnalyzerOf(params);
  EXPECT_TRUE(analyzer.ok()) << params << ": " << analyzer.status().ToString();
  Tokens tokens;
  if (analyzer.ok()) (*analyzer)->Analyze(text, tokens);
  return tokens;
}

std::vector<std::string> Words(std::string_view params, std::string_view text) {
  std::vector<std::string> words;
  for (const Token& token : TokensOf(params, text)) words.push_back(token.text);
  return words;
}

// A chain of the standard tokenizer and one filter.
std::vector<std::string> Filtered(std::string_view filter, std::string_view text) {
  return Words(fmt::format(R"({{"tokenizer":"standard","filter":[{}]}})", filter), text);
}

std::string Message(std::string_view params) {
  const auto analyzer = AnalyzerOf(params);
  EXPECT_FALSE(analyzer.ok()) << params;
  EXPECT_EQ(analyzer.status().code(), ErrorCode::kSegcore) << params;
  return std::string(analyzer.status().message());
}

TEST(Analyzer, StandardCutsAtWhatIsNoLetterAndNoNumber) {
  EXPECT_THAT(
      TokensOf("{}", "Big-Cats, 42!"),
      ElementsAre(Token{"big", 0, 3, 0, 1}, Token{"cats", 4, 8, 1, 1}, Token{"42", 10, 12, 2, 1}));
  EXPECT_THAT(TokensOf("", "Ünï x"), ElementsAre(Token{"ünï", 0, 5, 0, 1}, Token{"x", 6, 7, 1, 1}));
  EXPECT_THAT(Words("", ""), ElementsAre());
  EXPECT_THAT(Words("",
                    "a\xFF\xC3"
                    "b"),
              ElementsAre("a", "b"));
}

TEST(Analyzer, StopWordsLeaveTheirPlacesFree) {
  EXPECT_THAT(TokensOf(R"({"type":"standard","stop_words":["cats"]})", "Big-Cats, 42!"),
              ElementsAre(Token{"big", 0, 3, 0, 1}, Token{"42", 10, 12, 2, 1}));
}

TEST(Analyzer, EnglishStemsAndThenStops) {
  EXPECT_THAT(Words(R"({"type":"english"})", "The runners were running"),
              ElementsAre("runner", "were", "run"));
  EXPECT_THAT(Words(R"({"type":"english","stop_words":["run"]})", "The runners were running"),
              ElementsAre("runner", "were"));
}

TEST(Analyzer, FiltersDoWhatTheirNamesSay) {
  EXPECT_THAT(Words(R"({"tokenizer":"whitespace"})", "A-b c"), ElementsAre("A-b", "c"));
  EXPECT_THAT(Filtered(R"("asciifolding","lowercase")", "Ünï Ａb æ"),
              ElementsAre("uni", "ab", "ae"));
  EXPECT_THAT(Filtered(R"({"type":"length","max":3})", "abc abcd"), ElementsAre("abc"));
  EXPECT_THAT(
      Filtered(R"("lowercase",{"type":"stop","stop_words":["_english_","foo"]})", "The foo bar"),
      ElementsAre("bar"));
  EXPECT_THAT(Filtered(R"({"type":"stop","stop_words":["the"]})", "The the"), ElementsAre("The"));
  EXPECT_THAT(Filtered(R"({"type":"decompounder","word_list":["rain","coat"]})", "raincoat rainy"),
              ElementsAre("rain", "coat", "rainy"));
  EXPECT_THAT(Filtered(R"({"type":"regex","expr":"^[0-9]+$"})", "a1 22"), ElementsAre("22"));
  EXPECT_THAT(Filtered(R"x({"type":"regex","expr":"^(?!a)"})x", "ab ba"), ElementsAre("ba"));
  EXPECT_THAT(Filtered(R"("alphanumonly")", "a1 é 中"), ElementsAre("a1"));
  EXPECT_THAT(Words(R"({"tokenizer":"icu","filter":["cncharonly"]})", "我 a"), ElementsAre("我"));
  EXPECT_THAT(Words(R"({"tokenizer":"whitespace","filter":["removepunct"]})", "a b. c"),
              ElementsAre("a", "c"));
  EXPECT_THAT(Filtered(R"("decimaldigit")", "١٢٣ ४"), ElementsAre("123", "4"));
  EXPECT_THAT(Filtered(R"("arabic_normalization")", "أحمد مدرسة"), ElementsAre("احمد", "مدرسه"));
  EXPECT_THAT(Filtered(R"({"type":"stemmer","language":"German"})", "aufeinanderfolgenden"),
              ElementsAre("aufeinanderfolg"));
}

TEST(Analyzer, SynonymsTakeAWordsPlace) {
  EXPECT_THAT(Filtered(R"({"type":"synonym","synonyms":["car, auto"],"expand":false})", "auto"),
              ElementsAre("car"));
  EXPECT_THAT(Filtered(R"({"type":"synonym","synonyms":["car, auto"]})", "x auto"),
              testing::UnorderedElementsAre("x", "car", "auto"));
  EXPECT_THAT(Filtered(R"({"type":"synonym","synonyms":["a => b, c"],"expand":false})", "a"),
              ElementsAre("b", "c"));
  EXPECT_THAT(Filtered(R"({"type":"synonym","synonyms":["a => b"]})", "a"), ElementsAre("a", "b"));
  const Tokens tokens =
      TokensOf(R"({"tokenizer":"standard","filter":[{"type":"synonym","synonyms":["car, auto"]}]})",
               "x auto");
  for (const Token& token : tokens) EXPECT_EQ(token.position, token.text == "x" ? 0u : 1u);
  for (const char* row : {"a b, c", "a => b => c", R"(a\\x, b)", R"(a\\)", ","}) {
    Message(fmt::format(
        R"({{"tokenizer":"standard","filter":[{{"type":"synonym","synonyms":["{}"]}}]}})", row));
  }
}

TEST(Analyzer, CharGroupCutsAtTheListed) {
  EXPECT_THAT(Words(R"({"tokenizer":{"type":"char_group","delimiters":["_","digit"]}})", "ab_c1d"),
              ElementsAre("ab", "c", "d"));
}

std::string Uax29(std::string_view more = "") {
  return fmt::format(R"({{"tokenizer":{{"type":"standard","uax29":true{}}}}})", more);
}

TEST(Analyzer, StandardTakesTheWordsOfUax29) {
  EXPECT_THAT(Words(Uax29(), "The 2 QUICK Brown-Foxes jumped over the lazy dog's bone."),
              ElementsAre("The", "2", "QUICK", "Brown", "Foxes", "jumped", "over", "the", "lazy",
                          "dog's", "bone"));
  EXPECT_THAT(Words(Uax29(), "can't 3.14 1,000.5 a.b 1:2 foo_bar __ x"),
              ElementsAre("can't", "3.14", "1,000.5", "a.b", "1", "2", "foo_bar", "x"));
  EXPECT_THAT(Words(Uax29(), "ג׳ירפה צה\"ל カタカナ ひら 漢字"),
              ElementsAre("ג׳ירפה", "צה\"ל", "カタカナ", "ひ", "ら", "漢", "字"));
  EXPECT_THAT(Words(R"({"tokenizer":{"type":"standard","uax29":false}})", "dog's"),
              ElementsAre("dog", "s"));
  EXPECT_THAT(TokensOf(Uax29(), "é, b"),
              ElementsAre(Token{"é", 0, 2, 0, 1}, Token{"b", 4, 5, 1, 1}));
}

TEST(Analyzer, Uax29KeepsEmojiAndNoOtherSymbols) {
  EXPECT_THAT(
      Words(Uax29(),
            "hi 😀👍🏽! 👩‍👩‍👧 🇩🇪🇫🇷 ❤️ #️⃣ ❤ © ™ # * $"),
      ElementsAre("hi", "😀", "👍🏽", "👩‍👩‍👧", "🇩🇪", "🇫🇷", "❤️", "#️⃣"));
}

TEST(Analyzer, Uax29CutsLongWords) {
  EXPECT_THAT(
      TokensOf(Uax29(R"(,"max_token_length":3)"), "ab äbcdéfg h"),
      ElementsAre(Token{"ab", 0, 2, 0, 1}, Token{"äbc", 3, 7, 1, 1}, Token{"déf", 7, 11, 2, 1},
                  Token{"g", 11, 12, 3, 1}, Token{"h", 13, 14, 4, 1}));
  const std::string longest(255, 'a');
  EXPECT_THAT(Words(Uax29(), longest + "bc"), ElementsAre(longest, "bc"));
}

TEST(Analyzer, IcuKeepsEveryPiece) {
  EXPECT_THAT(TokensOf(R"({"tokenizer":"icu"})", "é b."),
              ElementsAre(Token{"é", 0, 2, 0, 1}, Token{" ", 2, 3, 1, 1}, Token{"b", 3, 4, 2, 1},
                          Token{".", 4, 5, 3, 1}));
  EXPECT_THAT(Words(R"({"type":"thai"})", "สวัสดีชาวโลก 1"), testing::Not(testing::Contains(" ")));
}

TEST(Analyzer, JiebaTakesTheMostProbableWords) {
  EXPECT_THAT(
      TokensOf(R"({"tokenizer":{"type":"jieba","dict":["甲乙"],"mode":"exact","hmm":false}})",
               "甲乙丙"),
      ElementsAre(Token{"甲乙", 0, 6, 0, 2}, Token{"丙", 6, 9, 2, 1}));
  EXPECT_THAT(Words(R"({"tokenizer":{"type":"jieba","mode":"exact"}})", "我来到北京清华大学"),
              ElementsAre("我", "来到", "北京", "清华大学"));
  EXPECT_THAT(Words(R"({"tokenizer":{"type":"jieba","mode":"exact"}})", "他来到了网易杭研大厦"),
              ElementsAre("他", "来到", "了", "网易", "杭研", "大厦"));
  EXPECT_THAT(
      Words(R"({"tokenizer":{"type":"jieba","mode":"exact","hmm":false}})", "他来到了网易杭研大厦"),
      ElementsAre("他", "来到", "了", "网易", "杭", "研", "大厦"));
  EXPECT_THAT(
      Words(R"({"type":"chinese"})", "小明硕士毕业于中国科学院计算所，后在日本京都大学深造"),
      ElementsAre("小明", "硕士", "毕业", "于", "中国", "科学", "学院", "科学院", "中国科学院",
                  "计算", "计算所", "后", "在", "日本", "京都", "大学", "日本京都大学", "深造"));
  EXPECT_THAT(Words(R"({"type":"chinese"})", "版本3.14% abc"), ElementsAre("版本", "3.14%", "abc"));
  EXPECT_THAT(
      Words(R"({"tokenizer":{"type":"jieba","dict":["_default_","杭研大厦"],"mode":"exact"}})",
            "网易杭研大厦"),
      ElementsAre("网易", "杭研大厦"));
}

TEST(Analyzer, PinyinStandsBesideTheWord) {
  EXPECT_THAT(Words(R"({"tokenizer":{"type":"jieba","mode":"exact"},"filter":["pinyin"]})", "中国"),
              testing::UnorderedElementsAre("zhong", "guo", "中国"));
  EXPECT_THAT(Words(R"({"tokenizer":"standard","filter":[{"type":"pinyin","keep_original":false,
      "keep_full_pinyin":false,"keep_joined_full_pinyin":true,
      "keep_separate_first_letter":true}]})",
                    "中国"),
              testing::UnorderedElementsAre("zhongguo", "z", "g"));
}

TEST(Analyzer, SaysWhatIsWrong) {
  const std::pair<const char*, const char*> kCases[] = {
      {R"({"type":"klingon"})", "unknown build-in analyzer type: klingon"},
      {R"({"type":1})", "analyzer type should be string"},
      {R"({"type":"standard","stop_words":"a"})", "filter stop_words should be array"},
      {R"({"filter":["lowercase"]})", "tokenizer name or type must be set"},
      {R"({"tokenizer":1})", "tokenizer name should be string or dict"},
      {R"({"tokenizer":{}})", "customized tokenizer must set type"},
      {R"({"tokenizer":"nosuch"})", "unsupported tokenizer: nosuch"},
      {R"({"tokenizer":"lindera"})", "lindera must be customized"},
      {R"({"tokenizer":"standard","filter":["nofilter"]})", "filter not found :nofilter"},
      {R"({"tokenizer":"standard","filter":"lowercase"})", "filter params should be array"},
      {R"({"tokenizer":"standard","filter":[{"type":"lowercase"}]})", "unsupport filter type"},
      {R"({"tokenizer":"standard","filter":[{}]})", "no type field in filter params"},
      {R"({"tokenizer":"standard","filter":[{"type":2}]})", "filter type should be string"},
      {R"({"tokenizer":"standard","foo":1})", "unknown analyzer option key: foo"},
      {R"({"tokenizer":{"type":"standard","uax29":"true"}})", "uax29 must be boolean"},
      {R"({"tokenizer":{"type":"standard","max_token_length":9}})", "for uax29 only"},
      {R"({"tokenizer":{"type":"standard","uax29":true,"max_token_length":0}})", "1 to 1048576"},
      {R"({"tokenizer":{"type":"standard","uax29":true,"max_token_length":1048577}})",
       "got 1048577"},
      {R"({"tokenizer":{"type":"standard","uax29":true,"max_token_length":"9"}})", "integer"},
      {R"({"tokenizer":{"type":"jieba","mode":"fast"}})", "must be \"exact\" or \"search\""},
      {R"({"tokenizer":{"type":"jieba","dict":["_default_","_default_"]}})", "only set one"},
      {R"({"tokenizer":{"type":"jieba","hmm":1}})", "must be boolean"},
      {R"({"tokenizer":"standard","filter":[{"type":"stemmer","language":"elvish"}]})",
       "unsupport language: elvish"},
      {R"({"tokenizer":"standard","filter":[{"type":"length"}]})", "lenth max param"},
      {R"({"tokenizer":"standard","filter":[{"type":"regex","expr":"("}]})", "regex expression"},
      {R"({"tokenizer":"standard","filter":[{"type":"decompounder"}]})", "word list is empty"},
      {R"({"tokenizer":"standard","filter":[{"type":"pinyin","keep_original":1}]})",
       "keep_original must be a boolean value"},
      {"not json", "not a JSON object"},
      {"[]", "not a JSON object"},
  };
  for (const auto& [params, words] : kCases) {
    EXPECT_THAT(Message(params), testing::HasSubstr(words)) << params;
  }
  const auto later = AnalyzerOf(R"({"tokenizer":{"type":"grpc","endpoint":"http://x"}})");
  EXPECT_EQ(later.status().code(), ErrorCode::kUnimplemented);
}

}  // namespace
}  // namespace elanus::text
