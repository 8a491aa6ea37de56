// Patterns of =~ and !~.
#pragma once

#include <re2/re2.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "expr/like.h"
#include "model/predicate.h"

namespace elanus::expr {

/// RE2's language over UTF-8; `.` matches newlines too, and a match may stand anywhere in the text.
class RegexPattern final : public model::TextTest {
 public:
  /// kInvalidParameter when it is no regular expression.
  static Result<std::shared_ptr<const RegexPattern>> Make(const std::string& pattern);
  bool Matches(std::string_view text) const override;
  std::string_view prefix() const override { return prefix_; }
  const std::vector<std::string>& literals() const override { return literals_; }
  bool is_infix() const override { return false; }

 private:
  explicit RegexPattern(const std::string& pattern);
  re2::RE2 regex_;
  std::string prefix_;
  std::vector<std::string> literals_;
};

/// The same test as a LIKE pattern, when the expression is plain text between an optional ^ and $.
std::optional<LikePattern> AsLike(std::string_view regex);

}  // namespace elanus::expr
