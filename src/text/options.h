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
  std::string files_path;             // Where files lie that parameters name; empty: nowhere.
  int64_t file_bytes_max = 64 << 20;  // Of one such file.

  template <class Visitor>
  void Describe(Visitor& visit) {
    visit(analyzers_kept_max, OptionSpec{"function.analyzer.maxKept", "", 1, 1e6,
                                         "Analyzers that are kept ready, the latest used."});
    visit(files_path,
          OptionSpec{"function.analyzer.local_resource_path", "", 0, 0,
                     "Folder of the files that parameters of analyzers may name (stop_words_file "
                     "and its like); no other file is read. Empty: they may name none."});
    visit(file_bytes_max,
          OptionSpec{"function.analyzer.maxFileSize", "bytes", 1, 4e9, "Largest such file."});
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
