// How many bytes of text an analyzer takes a second, by analyzer and language of the text.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "text/analyzer.h"

namespace elanus::text {
namespace {

constexpr std::string_view kEnglish =
    "This package contains the shared libraries needed by programs that were compiled against the "
    "Runtime. It provides fast, portable parsing of configuration files (YAML 1.2, JSON) and "
    "helpers for running tests; see https://example.org/docs for 42 examples. ";
constexpr std::string_view kFrench =
    "Ce paquet fournit une bibliothèque partagée très légère, écrite à l’origine pour être "
    "intégrée "
    "dans des systèmes où la mémoire était limitée. Été comme hiver, ça marche. ";
constexpr std::string_view kChinese =
    "我们中出了一个叛徒,小明硕士毕业于中国科学院计算所,后在日本京都大学深造。"
    "他来到了网易杭研大厦,今天天气很好,大家一起去公园散步。";

void Analyze(benchmark::State& state, const char* params, std::string_view sentence) {
  const auto analyzer = AnalyzerOf(params);
  std::string text;
  while (text.size() < 4096) text += sentence;
  Tokens tokens;
  for (auto _ : state) {
    (*analyzer)->Analyze(text, tokens);
    benchmark::DoNotOptimize(tokens.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}

BENCHMARK_CAPTURE(Analyze, standard, "", kEnglish);
BENCHMARK_CAPTURE(Analyze, standard_french, "", kFrench);
BENCHMARK_CAPTURE(Analyze, standard_chinese, "", kChinese);
BENCHMARK_CAPTURE(Analyze, uax29, R"({"tokenizer":{"type":"standard","uax29":true}})", kEnglish);
BENCHMARK_CAPTURE(Analyze, uax29_french, R"({"tokenizer":{"type":"standard","uax29":true}})",
                  kFrench);
BENCHMARK_CAPTURE(Analyze, uax29_chinese, R"({"tokenizer":{"type":"standard","uax29":true}})",
                  kChinese);
BENCHMARK_CAPTURE(Analyze, mapped,
                  R"({"tokenizer":"standard","char_filter":[{"type":"mapping",
                      "mappings":["e=>E","ing=>","see => look"]}]})",
                  kEnglish);
BENCHMARK_CAPTURE(Analyze, whitespace, R"({"tokenizer":"whitespace"})", kEnglish);
BENCHMARK_CAPTURE(Analyze, english, R"({"type":"english"})", kEnglish);
BENCHMARK_CAPTURE(Analyze, chinese, R"({"type":"chinese"})", kChinese);
BENCHMARK_CAPTURE(Analyze, jieba_exact, R"({"tokenizer":{"type":"jieba","mode":"exact"}})",
                  kChinese);
BENCHMARK_CAPTURE(Analyze, jieba_no_model,
                  R"({"tokenizer":{"type":"jieba","mode":"exact","hmm":false}})", kChinese);
BENCHMARK_CAPTURE(Analyze, jieba_english, R"({"tokenizer":"jieba"})", kEnglish);
BENCHMARK_CAPTURE(Analyze, folded,
                  R"({"tokenizer":"standard","filter":["lowercase","asciifolding"]})", kFrench);
BENCHMARK_CAPTURE(Analyze, icu, R"({"tokenizer":"icu"})", kEnglish);

}  // namespace
}  // namespace elanus::text
