// Parameters of analyzers that name files: lists of words, synonyms, dictionaries.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/status.h"

namespace elanus::text {

/// The lines of the file that `params` names under `key`, without white space around them and
/// without empty ones; none when the parameter is not there. {"type": "local", "path": P} is a file
/// in the folder of TextOptions::files_path, by a path in it; {"type": "remote", ...} is a file
/// resource (file_source.h). Reads the file anew each time. Errors: kSegcore (what the parameter
/// says, a file that is not there, too large, outside the folder or no UTF-8), those of storage.
Result<std::vector<std::string>> FileLines(const nlohmann::json& params, const std::string& key);

/// The same file's name, by which formats are told apart; empty when the parameter is not there or
/// names no file.
std::string FileName(const nlohmann::json& params, const std::string& key);

}  // namespace elanus::text
