// Analyzers that depend on languages: the identifier of languages, and words by a dictionary.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "text/analyzer.h"
#include "text/options.h"
#include "text/tokenizer/language.h"

namespace elanus::text {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> Words(std::string_view params, std::string_view text) {
  const auto analyzer = AnalyzerOf(params);
  EXPECT_TRUE(analyzer.ok()) << params << ": " << analyzer.status().ToString();
  Tokens tokens;
  if (analyzer.ok()) (*analyzer)->Analyze(text, tokens);
  std::vector<std::string> words;
  for (const Token& token : tokens) {
    EXPECT_EQ(text.substr(token.begin, token.end - token.begin).size(), token.end - token.begin);
    words.push_back(token.text);
  }
  return words;
}

std::string Message(std::string_view params) {
  const auto analyzer = AnalyzerOf(params);
  EXPECT_EQ(analyzer.status().code(), ErrorCode::kSegcore) << params;
  return std::string(analyzer.status().message());
}

TEST(DetectLanguage, KnowsLanguagesFromAFewWords) {
  const std::pair<const char*, const char*> examples[] = {
      {"hello world", "English"},
      {"Das ist ein kleiner Test für die Erkennung", "German"},
      {"Bonjour le monde, comment allez-vous", "French"},
      {"东京大学的学生", "Mandarin"},
      {"東京に行きました", "Japanese"},
      {"안녕하세요", "Korean"},
      {"перед тем как", "Russian"},
      {"สวัสดี", "Thai"}};
  for (const auto& [text, name] : examples) {
    const Language language = DetectLanguage(text);
    EXPECT_EQ(LanguageName(language.code, false), name) << text;
    EXPECT_GT(language.confidence, 0.5) << text;
  }
  EXPECT_EQ(LanguageName(DetectLanguage("东京大学的学生").code, true), "Chinese");
  EXPECT_EQ(DetectLanguage("12345").code, "");
  EXPECT_EQ(DetectLanguage("").code, "");
  EXPECT_EQ(DetectLanguage("\xFF\xFE hello").code, "");
}

TEST(LanguageIdentifier, LeavesATextToTheAnalyzerOfItsLanguage) {
  constexpr const char* kParams = R"({"tokenizer": {"type": "language_identifier",
      "identifier": "whatlang",
      "analyzers": {"default": {"tokenizer": "whitespace"}, "en": {"type": "english"},
                    "Mandarin": {"type": "chinese"}},
      "mapping": {"English": "en"}}})";
  EXPECT_THAT(Words(kParams, "The runners were running"), ElementsAre("runner", "were", "run"));
  EXPECT_THAT(Words(kParams, "东京大学"), testing::Contains("东京大学"));
  EXPECT_THAT(Words(kParams, "Der kleine Hund läuft über die Straße"),
              ElementsAre("Der", "kleine", "Hund", "läuft", "über", "die", "Straße"));
  EXPECT_THAT(Words(kParams, "12 345"), ElementsAre("12", "345"));
}

TEST(LanguageIdentifier, WantsMoreConfidenceThanItsThreshold) {
  constexpr const char* kParams = R"({{"tokenizer": {{"type": "language_identifier",
      "identifier": {{"type": "whatlang", "confidence": {}}},
      "analyzers": {{"default": {{"tokenizer": "whitespace"}}, "English": {{"type": "english"}}}}}},
      "filter": ["lowercase"]}})";
  EXPECT_THAT(Words(fmt::format(kParams, 0.2), "Running water"), ElementsAre("run", "water"));
  EXPECT_THAT(Words(fmt::format(kParams, 1.0), "Running water"), ElementsAre("running", "water"));
}

TEST(LanguageIdentifier, SaysWhatIsWrongWithIt) {
  const auto with = [](std::string_view rest) {
    return Message(fmt::format(R"({{"tokenizer": {{"type": "language_identifier"{}}}}})", rest));
  };
  EXPECT_EQ(with(""), "analyzers must be set");
  EXPECT_EQ(with(R"(,"analyzers":[])"), "analyzers must be dict");
  EXPECT_EQ(with(R"(,"analyzers":{"default":"x"})"),
            "sub analyzer \"default\" params must be dict");
  EXPECT_EQ(with(R"(,"analyzers":{"English":{}})"),
            "default sub analyzer for language identifier analyzer must be set");
  EXPECT_EQ(with(R"(,"analyzers":{"default":{}},"mapping":[])"), "mapping must be dict");
  EXPECT_EQ(with(R"(,"identifier":"guess","analyzers":{"default":{}})"),
            "unknown identifier name: guess");
  EXPECT_EQ(with(R"(,"analyzers":{"default":{"type":"klingon"}})"),
            "unknown build-in analyzer type: klingon");
}

std::string Lindera(std::string_view more) {
  return fmt::format(R"({{"tokenizer": {{"type": "lindera", "dict_kind": "ipadic"{}}}}})", more);
}

TEST(Lindera, FindsJapaneseWords) {
  EXPECT_THAT(Words(Lindera(""), "すもももももももものうち"),
              ElementsAre("すもも", "も", "もも", "も", "もも", "の", "うち"));
  EXPECT_THAT(Words(Lindera(""), "関西国際空港に 行った。"),
              ElementsAre("関西国際空港", "に", "行っ", "た", "。"));
  EXPECT_THAT(Words(Lindera(""), ""), ElementsAre());
}

TEST(Lindera, TakesCompoundsApart) {
  EXPECT_THAT(Words(Lindera(R"(,"mode":"decompose")"), "関西国際空港に行った "),
              ElementsAre("関西", "国際", "空港", "に", "行っ", "た"));
}

TEST(Lindera, FiltersByTags) {
  constexpr const char* kText = "関西国際空港限定の本を買う";
  EXPECT_THAT(
      Words(
          Lindera(
              R"(,"filter":[{"kind":"japanese_stop_tags","tags":["助詞,格助詞,一般","助詞,連体化"]}])"),
          kText),
      ElementsAre("関西国際空港", "限定", "本", "買う"));
  EXPECT_THAT(
      Words(Lindera(R"(,"filter":[{"kind":"japanese_keep_tags","tags":["名詞,一般"]}])"), kText),
      ElementsAre("本"));
  EXPECT_THAT(Words(Lindera(R"(,"filter":[{"kind":"japanese_compound_word",
                                 "tags":["名詞,固有名詞,組織","名詞,サ変接続"]}])"),
                    kText),
              ElementsAre("関西国際空港限定", "の", "本", "を", "買う"));
}

TEST(Lindera, SaysWhatIsWrongWithIt) {
  EXPECT_THAT(Message(R"({"tokenizer": {"type": "lindera"}})"), HasSubstr("must set dict_kind"));
  EXPECT_THAT(Message(R"({"tokenizer": {"type": "lindera", "dict_kind": "latin"}})"),
              HasSubstr("unsupported lindera dict kind"));
  EXPECT_THAT(Message(R"({"tokenizer": {"type": "lindera", "dict_kind": "ko-dic"}})"),
              HasSubstr("function.analyzer.lindera.dictionaries.ko-dic"));
  EXPECT_THAT(Message(Lindera(R"(,"mode":"fast")")), HasSubstr("mode"));
  EXPECT_THAT(Message(Lindera(R"(,"filter":"x")")), HasSubstr("should be array"));
  EXPECT_THAT(Message(Lindera(R"(,"filter":["japanese_keep_tags"])")), HasSubstr("must set tags"));
  EXPECT_THAT(Message(Lindera(R"(,"filter":[{"kind":"korean_stop_tags","tags":["SP"]}])")),
              HasSubstr("another language"));
  EXPECT_THAT(Message(Lindera(R"(,"filter":["x"])")), HasSubstr("unsupported lindera filter"));
}

TEST(TextOptions, SayHowManyAnalyzersAreKept) {
  const TextOptions before = GetTextOptions();
  TextOptions few = before;
  few.analyzers_kept_max = 1;
  SetTextOptions(few);
  constexpr const char* kFirst = R"({"tokenizer":"whitespace","filter":["lowercase"]})";
  const auto first = AnalyzerOf(kFirst);
  EXPECT_EQ(*AnalyzerOf(kFirst), *first);
  (void)AnalyzerOf(R"({"tokenizer":"whitespace"})").status();
  EXPECT_NE(*AnalyzerOf(kFirst), *first) << "another one took its place";
  SetTextOptions(before);
}

}  // namespace
}  // namespace elanus::text
