// The analyzers of a field, as its type parameters say.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "model/schema.h"
#include "text/analyzer.h"

namespace elanus::text {

/// Whether a type parameter says true: 1, t, T, true, True or TRUE.
bool IsSet(const model::FieldSchema& field, std::string_view param);
inline bool HasAnalyzer(const model::FieldSchema& field) { return IsSet(field, "enable_analyzer"); }
inline bool HasMatch(const model::FieldSchema& field) { return IsSet(field, "enable_match"); }

/// The analyzer of `analyzer_params`. Errors: as AnalyzerOf.
Result<AnalyzerPtr> AnalyzerOf(const model::FieldSchema& field);

/// The analyzers of a field: one, or by `multi_analyzer_params` one for each value of another
/// field. Immutable; thread-safe.
class FieldAnalyzers {
 public:
  /// Errors: as AnalyzerOf; kInvalidParameter (multi_analyzer_params).
  static Result<FieldAnalyzers> Of(const model::FieldSchema& field);
  bool is_multiple() const { return !by_field_.empty(); }
  /// The field whose value names the analyzer of a row; empty: there is one for all.
  const std::string& by_field() const { return by_field_; }
  /// The analyzer called `name`, or an alias of it; any other name: the default one.
  const Analyzer& Named(std::string_view name) const;

 private:
  std::string by_field_;
  std::map<std::string, AnalyzerPtr, std::less<>> analyzers_;  // "default" is among them.
  std::map<std::string, std::string, std::less<>> aliases_;
};

}  // namespace elanus::text
