// LIKE patterns, sorted into the classes that have a fast test.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/predicate.h"

namespace elanus::expr {

/// % any sequence, _ one UTF-8 code point, \ escapes the next byte; matches the whole value,
/// case-sensitive.
class LikePattern final : public model::TextTest {
 public:
  enum class Kind { kEquals, kPrefix, kSuffix, kInfix, kGeneral };
  /// kSegcore when the pattern ends in a lone backslash.
  static Result<LikePattern> Make(std::string_view pattern);
  /// All but kGeneral, around `literal`, in which nothing is a sign.
  static LikePattern OfLiteral(Kind kind, std::string literal);
  bool Matches(std::string_view text) const override;
  std::string_view prefix() const override { return prefix_; }
  const std::vector<std::string>& literals() const override { return literals_; }
  bool is_infix() const override { return kind_ == Kind::kInfix && !literals_.empty(); }
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
  std::string prefix_;
  std::vector<std::string> literals_;
  std::vector<Piece> pieces_;
};

}  // namespace elanus::expr
