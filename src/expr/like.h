// LIKE patterns, sorted into the classes that have a fast test.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace elanus::expr {

/// % any sequence, _ one UTF-8 code point, \ escapes the next byte; matches the whole value,
/// case-sensitive.
class LikePattern {
 public:
  enum class Kind { kEquals, kPrefix, kSuffix, kInfix, kGeneral };
  /// kSegcore when the pattern ends in a lone backslash.
  static Result<LikePattern> Make(std::string_view pattern);
  bool Matches(std::string_view text) const;
  Kind kind() const { return kind_; }
  /// Of all kinds but kGeneral.
  const std::string& literal() const { return literal_; }

 private:
  struct Piece {
    enum class Kind { kText, kOne, kAny } kind;
    std::string text;
  };
  bool MatchFrom(size_t piece, std::string_view text) const;
  Kind kind_ = Kind::kEquals;
  std::string literal_;
  std::vector<Piece> pieces_;
};

}  // namespace elanus::expr
