// Languages by CLD2, and their names.
#include "text/tokenizer/language.h"

#include <cstdio>  // CLD2's header needs it and does not say so.

#include <cld2/public/compact_lang_det.h>
#include <cld2/public/encodings.h>

#include <climits>

namespace elanus::text {
namespace {

struct Name {
  std::string_view code;
  std::string_view whatlang;
  std::string_view lingua = {};  // Empty: the same.
};

constexpr Name kNames[] = {
    {"af", "Afrikaans"},
    {"am", "Amharic"},
    {"ar", "Arabic"},
    {"az", "Azerbaijani"},
    {"be", "Belarusian"},
    {"bg", "Bulgarian"},
    {"bn", "Bengali"},
    {"bs", "Bosnian"},
    {"ca", "Catalan"},
    {"cs", "Czech"},
    {"cy", "Welsh"},
    {"da", "Danish"},
    {"de", "German"},
    {"el", "Greek"},
    {"en", "English"},
    {"eo", "Esperanto"},
    {"es", "Spanish"},
    {"et", "Estonian"},
    {"eu", "Basque"},
    {"fa", "Persian"},
    {"fi", "Finnish"},
    {"fr", "French"},
    {"ga", "Irish"},
    {"gu", "Gujarati"},
    {"hi", "Hindi"},
    {"hr", "Croatian"},
    {"hu", "Hungarian"},
    {"hy", "Armenian"},
    {"id", "Indonesian"},
    {"is", "Icelandic"},
    {"it", "Italian"},
    {"iw", "Hebrew"},
    {"ja", "Japanese"},
    {"jw", "Javanese"},
    {"ka", "Georgian"},
    {"kk", "Kazakh"},
    {"km", "Khmer"},
    {"kn", "Kannada"},
    {"ko", "Korean"},
    {"la", "Latin"},
    {"lt", "Lithuanian"},
    {"lv", "Latvian"},
    {"mk", "Macedonian"},
    {"ml", "Malayalam"},
    {"mn", "Mongolian"},
    {"mr", "Marathi"},
    {"ms", "Malay"},
    {"my", "Burmese"},
    {"ne", "Nepali"},
    {"nl", "Dutch"},
    {"nn", "Nynorsk"},
    {"no", "Bokmal"},
    {"or", "Oriya"},
    {"pa", "Punjabi"},
    {"pl", "Polish"},
    {"pt", "Portuguese"},
    {"ro", "Romanian"},
    {"ru", "Russian"},
    {"si", "Sinhalese"},
    {"sk", "Slovak"},
    {"sl", "Slovene"},
    {"sn", "Shona"},
    {"so", "Somali"},
    {"sq", "Albanian"},
    {"sr", "Serbian"},
    {"st", "Sotho"},
    {"sv", "Swedish"},
    {"sw", "Swahili"},
    {"ta", "Tamil"},
    {"te", "Telugu"},
    {"th", "Thai"},
    {"tk", "Turkmen"},
    {"tl", "Tagalog"},
    {"tn", "Tswana"},
    {"tr", "Turkish"},
    {"ts", "Tsonga"},
    {"uk", "Ukrainian"},
    {"ur", "Urdu"},
    {"uz", "Uzbek"},
    {"vi", "Vietnamese"},
    {"xh", "Xhosa"},
    {"yi", "Yiddish"},
    {"yo", "Yoruba"},
    {"zu", "Zulu"},
    {"zh", "Mandarin", "Chinese"},
    {"zh-Hant", "Mandarin", "Chinese"},
};

}  // namespace

Language DetectLanguage(std::string_view text) {
  const CLD2::CLDHints no_hints = {nullptr, nullptr, CLD2::UNKNOWN_ENCODING,
                                   CLD2::UNKNOWN_LANGUAGE};
  CLD2::Language languages[3];
  int percents[3];
  double scores[3];
  int text_bytes = 0;
  int valid_bytes = 0;
  bool is_reliable = false;
  const auto size = static_cast<int>(text.size() > INT_MAX ? INT_MAX : text.size());
  // Short texts get an answer too: what is unlikely has little confidence.
  CLD2::ExtDetectLanguageSummaryCheckUTF8(text.data(), size, /*is_plain_text=*/true, &no_hints,
                                          CLD2::kCLDFlagBestEffort, languages, percents, scores,
                                          nullptr, &text_bytes, &is_reliable, &valid_bytes);
  if (valid_bytes < size || languages[0] == CLD2::UNKNOWN_LANGUAGE) return {};
  const double share = percents[0] / 100.0;
  return {.code = CLD2::LanguageCode(languages[0]), .confidence = is_reliable ? share : share / 2};
}

std::string_view LanguageName(std::string_view code, bool as_lingua) {
  for (const Name& name : kNames) {
    if (name.code == code) return as_lingua && !name.lingua.empty() ? name.lingua : name.whatlang;
  }
  return code;
}

}  // namespace elanus::text
