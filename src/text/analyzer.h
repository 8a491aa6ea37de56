// Turns texts into tokens, as `analyzer_params` say: char filters, a tokenizer and filters.
#pragma once

#include <memory>
#include <string_view>

#include "base/status.h"
#include "text/token.h"

namespace elanus::text {

/// Immutable; thread-safe.
class Analyzer {
 public:
  virtual ~Analyzer() = default;
  /// Replaces `tokens` by those of `text`, which is UTF-8; bytes that are not are separators.
  virtual void Analyze(std::string_view text, Tokens& tokens) const = 0;
};

using AnalyzerPtr = std::shared_ptr<const Analyzer>;

/// The analyzer of a JSON object {"type": ...} or {"char_filter": [...], "tokenizer": ...,
/// "filter": [...]}; empty text and {} are the standard one. The latest ones are kept and shared.
/// Errors: kSegcore, whose message says what is wrong; kUnimplemented for parts that are not built.
Result<AnalyzerPtr> AnalyzerOf(std::string_view params);

}  // namespace elanus::text
