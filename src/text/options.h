// What the operator says about analyzers. They are shared by the whole process, so are these.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/option_spec.h"

namespace elanus::text {

struct TextOptions {
  int64_t analyzers_kept_max = 64;  // One with a dictionary of its own takes up to 10 MB.
  std::map<std::string, std::string> dictionaries;  // Directories, by their dict_kind.

  template <class Visitor>
  void Describe(Visitor& visit) {
    visit(analyzers_kept_max, OptionSpec{"function.analyzer.maxKept", "", 1, 1e6,
                                         "Analyzers that are kept ready, the latest used."});
    visit(dictionaries,
          OptionSpec{"function.analyzer.lindera.dictionaries.", "", 0, 0,
                     "Directory of each dictionary of the lindera tokenizer, in MeCab's format; "
                     "ipadic and unidic are found where Debian puts them.",
                     "ipadic|ipadic-neologd|unidic|ko-dic|cc-cedict"});
  }
};

/// Makes the options those of the process: analyzers that are made later follow them. Thread-safe.
void SetTextOptions(const TextOptions& options);
/// Those of the process.
TextOptions GetTextOptions();

}  // namespace elanus::text
