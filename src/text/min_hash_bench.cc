// Signatures of texts of 100 words, by the number of hash functions.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "text/min_hash.h"

namespace elanus::text {
namespace {

void Sign(benchmark::State& state, const char* level) {
  const auto hashes = static_cast<uint32_t>(state.range(0));
  model::FieldSchema input{.name = "text", .type = model::DataType::kVarChar};
  model::FieldSchema output{.name = "sign", .type = model::DataType::kBinaryVector};
  output.type_params = {{"dim", std::to_string(32 * hashes)}};
  const model::FunctionSchema function{.name = "sign", .params = {{"token_level", level}}};
  const auto hasher = MinHasher::Of(function, input, output);
  std::string text;
  for (int i = 0; i < 100; ++i) text += fmt::format("word{} ", i * 7919 % 1000);
  for (auto _ : state) benchmark::DoNotOptimize(hasher->Sign(text));
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK_CAPTURE(Sign, word, "word")->Arg(64)->Arg(128)->Arg(512);
BENCHMARK_CAPTURE(Sign, char, "char")->Arg(64)->Arg(128)->Arg(512);

}  // namespace
}  // namespace elanus::text
