// Analyzers from their JSON, and the ones that are kept.
#include "text/analyzer.h"

#include <list>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "text/char_filter/char_filter.h"
#include "text/file_source.h"
#include "text/filter/filter.h"
#include "text/options.h"
#include "text/tokenizer/tokenizer.h"

namespace elanus::text {
namespace {

using nlohmann::json;

constexpr int kDepthMax = 32;
// What char filters may make of a text stays of its order.
constexpr size_t kCharFiltersMax = 16;
constexpr double kGrowthMax = 64;

class Chain final : public Analyzer {
 public:
  std::vector<CharFilterPtr> char_filters;
  TokenizerPtr tokenizer;
  std::vector<FilterPtr> filters;

  void Analyze(std::string_view text, Tokens& tokens) const override {
    tokens.clear();
    Tokenize(text, 0, tokens);
    for (const FilterPtr& filter : filters) filter->Apply(tokens);
  }

 private:
  // The tokens of what the char filters from the i-th on make of `text`, with the bytes of `text`.
  void Tokenize(std::string_view text, size_t i, Tokens& tokens) const {
    if (i == char_filters.size()) return tokenizer->Tokenize(text, tokens);
    const ChangedText changed = char_filters[i]->Change(text);
    Tokenize(changed.text, i + 1, tokens);
    changed.PointToSource(tokens);
  }
};

Result<std::vector<std::string>> StopWords(const json& params) {
  std::vector<std::string> words;
  const auto found = params.find("stop_words");
  if (found == params.end()) return words;
  if (!found->is_array()) {
    return Status(ErrorCode::kSegcore, "filter stop_words should be array");
  }
  for (const auto& item : *found) {
    if (!item.is_string()) {
      return Status(ErrorCode::kSegcore, "filter stop_words list item should be string");
    }
    words.push_back(item.get<std::string>());
  }
  return words;
}

// A built-in analyzer is a chain, written as its users could write it.
struct BuiltIn {
  std::string_view name;
  std::string_view chain;
};
constexpr BuiltIn kBuiltIn[] = {
    {"standard", R"({"tokenizer": "standard", "filter": ["lowercase"]})"},
    {"english", R"({"tokenizer": "standard", "filter": ["lowercase",
        {"type": "stemmer", "language": "english"}, {"type": "stop", "stop_words": ["_english_"]}]})"},
    {"chinese", R"({"tokenizer": "jieba", "filter": ["cnalphanumonly"]})"},
    {"arabic", R"({"tokenizer": "standard", "filter": ["lowercase", "decimaldigit",
        "arabic_normalization", {"type": "stemmer", "language": "arabic"},
        {"type": "stop", "stop_words": ["_arabic_"]}]})"},
    {"thai", R"({"tokenizer": "thai", "filter": ["lowercase", "decimaldigit",
        {"type": "stop", "stop_words": ["_thai_"]}]})"},
};

// The items of a list, made one by one; nothing where there is none.
template <class Part>
Status MakeParts(const json& params, const char* key, Result<Part> (*make)(const json&),
                 std::vector<Part>& parts) {
  const auto list = params.find(key);
  if (list == params.end()) return {};
  if (!list->is_array()) return Error(ErrorCode::kSegcore, "{} params should be array", key);
  for (const auto& item : *list) {
    TRY_ASSIGN(Part part, make(item));
    if (part != nullptr) parts.push_back(std::move(part));
  }
  return {};
}

Status CheckGrowth(const std::vector<CharFilterPtr>& char_filters) {
  if (char_filters.size() > kCharFiltersMax) {
    return Error(ErrorCode::kSegcore, "there are too many char filters: got {}, at most {}",
                 char_filters.size(), kCharFiltersMax);
  }
  double growth = 1;
  for (const CharFilterPtr& filter : char_filters) growth *= filter->growth();
  if (growth <= kGrowthMax) return {};
  return Error(ErrorCode::kSegcore,
               "char filters may make a text at most {} times as long, these {} times", kGrowthMax,
               growth);
}

Result<std::shared_ptr<Chain>> Custom(const json& params) {
  auto chain = std::make_shared<Chain>();
  for (const auto& [key, value] : params.items()) {
    if (key != "tokenizer" && key != "filter" && key != "char_filter") {
      return Error(ErrorCode::kSegcore, "unknown analyzer option key: {}", key);
    }
  }
  const auto tokenizer = params.find("tokenizer");
  if (tokenizer == params.end()) {
    return Status(ErrorCode::kSegcore, "tokenizer name or type must be set");
  }
  TRY_ASSIGN(chain->tokenizer, MakeTokenizer(*tokenizer));
  TRY(MakeParts(params, "char_filter", MakeCharFilter, chain->char_filters));
  TRY(CheckGrowth(chain->char_filters));
  TRY(MakeParts(params, "filter", MakeFilter, chain->filters));
  return chain;
}

Result<std::shared_ptr<Chain>> FromBuiltIn(const json& params) {
  const json& type = params["type"];
  if (!type.is_string()) return Status(ErrorCode::kSegcore, "analyzer type should be string");
  for (const BuiltIn& known : kBuiltIn) {
    if (type != known.name) continue;
    TRY_ASSIGN(auto chain, Custom(json::parse(known.chain)));
    TRY_ASSIGN(auto words, StopWords(params));
    if (!words.empty()) chain->filters.push_back(MakeStop(std::move(words)));
    return chain;
  }
  return Error(ErrorCode::kSegcore, "unknown build-in analyzer type: {}",
               type.get_ref<const std::string&>());
}

Result<AnalyzerPtr> Make(std::string_view text) {
  json params = json::object();
  if (!text.empty()) {
    bool too_deep = false;
    const auto watch = [&](int depth, json::parse_event_t, json&) {
      too_deep = too_deep || depth > kDepthMax;
      return !too_deep;
    };
    params = json::parse(text, watch, /*allow_exceptions=*/false);
    if (too_deep || params.is_discarded() || !params.is_object()) {
      return Error(ErrorCode::kSegcore, "analyzer params is not a JSON object: {}", text);
    }
  }
  if (params.empty()) params["type"] = "standard";
  TRY_ASSIGN(AnalyzerPtr made, params.contains("type") ? FromBuiltIn(params) : Custom(params));
  return made;
}

// The latest analyzers by their JSON. Making one reads tables; a search cannot wait for that.
class Kept {
 public:
  Result<AnalyzerPtr> Get(std::string_view params) {
    int64_t round = 0;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      round = forgotten_;
      for (auto it = list_.begin(); it != list_.end(); ++it) {
        if (it->first != params) continue;
        list_.splice(list_.begin(), list_, it);
        return list_.front().second;
      }
    }
    TRY_ASSIGN(AnalyzerPtr made, Make(params));
    std::lock_guard<std::mutex> lock(mutex_);
    // One that was begun before all were forgotten may have read what is not there any more.
    if (round != forgotten_) return made;
    list_.emplace_front(params, made);
    Cut();
    return made;
  }

  void Forget() {
    std::lock_guard<std::mutex> lock(mutex_);
    list_.clear();
    ++forgotten_;
  }

  void Set(const TextOptions& options) {
    std::lock_guard<std::mutex> lock(mutex_);
    options_ = options;
    Cut();
  }
  TextOptions options() {
    std::lock_guard<std::mutex> lock(mutex_);
    return options_;
  }

 private:
  void Cut() {
    while (list_.size() > static_cast<size_t>(options_.analyzers_kept_max)) list_.pop_back();
  }

  std::mutex mutex_;  // Guards the members below.
  std::list<std::pair<std::string, AnalyzerPtr>> list_;
  TextOptions options_;
  int64_t forgotten_ = 0;  // How often.
};

Kept& OfProcess() {
  static Kept kept;
  return kept;
}

}  // namespace

Result<AnalyzerPtr> AnalyzerOf(std::string_view params) { return OfProcess().Get(params); }

void ForgetAnalyzers() { OfProcess().Forget(); }

void SetTextOptions(const TextOptions& options) { OfProcess().Set(options); }
TextOptions GetTextOptions() { return OfProcess().options(); }

}  // namespace elanus::text
