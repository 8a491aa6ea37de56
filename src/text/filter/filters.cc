// Every filter, by name.
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "text/file_param.h"
#include "text/filter/filter.h"

namespace elanus::text {
namespace {

using nlohmann::json;

Result<std::vector<std::string>> TextsOf(const json& params, const std::string& filter,
                                         const char* key) {
  std::vector<std::string> texts;
  const auto found = params.find(key);
  if (found == params.end()) return texts;
  if (!found->is_array()) {
    return Error(ErrorCode::kSegcore, "filter {} should be array", key);
  }
  for (const auto& item : *found) {
    if (!item.is_string()) {
      return Error(ErrorCode::kSegcore, "{} filter {} list item should be string", filter, key);
    }
    texts.push_back(item.get<std::string>());
  }
  return texts;
}

// The texts of a list and those of a file, one a line, which follow them.
Result<std::vector<std::string>> TextsAndLines(const json& params, const std::string& filter,
                                               const char* key, const char* file_key) {
  TRY_ASSIGN(auto texts, TextsOf(params, filter, key));
  TRY_ASSIGN(auto lines, FileLines(params, file_key));
  std::move(lines.begin(), lines.end(), std::back_inserter(texts));
  return texts;
}

Result<FilterPtr> Length(const json& params) {
  const auto max = params.find("max");
  if (max == params.end() || !max->is_number_unsigned()) {
    return Status(ErrorCode::kSegcore, "lenth max param was none or not uint");
  }
  return MakeLength(max->get<uint64_t>());
}

Result<FilterPtr> Stop(const json& params) {
  TRY_ASSIGN(auto words, TextsAndLines(params, "stop", "stop_words", "stop_words_file"));
  return MakeStop(std::move(words));
}

Result<FilterPtr> Stem(const json& params) {
  const auto language = params.find("language");
  if (language == params.end() || !language->is_string()) {
    return Status(ErrorCode::kSegcore, "stemmer filter language should be set, as a string");
  }
  return MakeStemmer(language->get<std::string>());
}

Result<FilterPtr> Decompound(const json& params) {
  TRY_ASSIGN(auto words, TextsAndLines(params, "decompounder", "word_list", "word_list_file"));
  if (words.empty()) return Status(ErrorCode::kSegcore, "decompounder word list is empty");
  return MakeDecompounder(std::move(words));
}

Result<FilterPtr> Match(const json& params) {
  const auto expression = params.find("expr");
  if (expression == params.end()) {
    return Status(ErrorCode::kSegcore, "must set expr for regex filter");
  }
  if (!expression->is_string()) return Status(ErrorCode::kSegcore, "expr must be string");
  return MakeRegex(expression->get<std::string>());
}

Status Flag(const json& params, const char* key, bool& flag) {
  const auto found = params.find(key);
  if (found == params.end()) return {};
  if (!found->is_boolean()) {
    return Error(ErrorCode::kSegcore, "{} must be a boolean value", key);
  }
  flag = found->get<bool>();
  return {};
}

Result<FilterPtr> Synonyms(const json& params) {
  TRY_ASSIGN(const auto rows, TextsAndLines(params, "synonym", "synonyms", "synonyms_file"));
  bool expand = true;
  TRY(Flag(params, "expand", expand));
  return MakeSynonym(rows, expand);
}

Result<FilterPtr> Spoken(const json& params) {
  PinyinOptions options;
  TRY(Flag(params, "keep_original", options.keep_original));
  TRY(Flag(params, "keep_full_pinyin", options.keep_full_pinyin));
  TRY(Flag(params, "keep_joined_full_pinyin", options.keep_joined_full_pinyin));
  TRY(Flag(params, "keep_separate_first_letter", options.keep_separate_first_letter));
  return MakePinyin(options);
}

constexpr std::pair<std::string_view, FilterPtr (*)()> kPlain[] = {
    {"lowercase", MakeLowercase},
    {"alphanumonly", MakeAlphanumOnly},
    {"cncharonly", MakeChineseOnly},
    {"cnalphanumonly", MakeChineseAlphanumOnly},
    {"removepunct", MakeRemovePunctuation},
    {"decimaldigit", MakeDecimalDigit},
    {"arabic_normalization", MakeArabicNormalization},
};

constexpr std::pair<std::string_view, Result<FilterPtr> (*)(const json&)> kCustom[] = {
    {"length", Length}, {"stop", Stop},        {"stemmer", Stem},  {"decompounder", Decompound},
    {"regex", Match},   {"synonym", Synonyms}, {"pinyin", Spoken},
};

}  // namespace

Result<FilterPtr> MakeFilter(const json& wanted) {
  if (wanted.is_string()) {
    const auto& name = wanted.get_ref<const std::string&>();
    for (const auto& [known, make] : kPlain) {
      if (name == known) return make();
    }
    if (name == "asciifolding") return MakeAsciiFolding();
    if (name == "pinyin") return MakePinyin({});
    return Error(ErrorCode::kSegcore, "build analyzer failed, filter not found :{}", name);
  }
  if (!wanted.is_object()) return FilterPtr();
  const auto type = wanted.find("type");
  if (type == wanted.end()) return Status(ErrorCode::kSegcore, "no type field in filter params");
  if (!type->is_string()) return Status(ErrorCode::kSegcore, "filter type should be string");
  const auto& name = type->get_ref<const std::string&>();
  for (const auto& [known, make] : kCustom) {
    if (name == known) return make(wanted);
  }
  return Error(ErrorCode::kSegcore, "unsupport filter type: {}", name);
}

}  // namespace elanus::text
