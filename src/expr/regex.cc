// Regular expressions, and the plain texts in them that every match must hold.
#include "expr/regex.h"

namespace elanus::expr {
namespace {

constexpr std::string_view kSigns = "\\^$.|?*+()[]{}";

re2::RE2::Options Options() {
  re2::RE2::Options options;
  options.set_dot_nl(true);
  options.set_log_errors(false);
  return options;
}

// Takes the last code point away: it may be missing in a match.
void DropLast(std::string& text) {
  while (!text.empty() && (text.back() & 0xC0) == 0x80) text.pop_back();
  if (!text.empty()) text.pop_back();
}

// Runs of plain characters before the first bracket, group or escape: what follows those may mean
// anything. With an alternative anywhere nothing is required. Sets `prefix` when ^ stands first.
std::vector<std::string> LiteralsOf(std::string_view regex, std::string& prefix) {
  std::vector<std::string> literals;
  if (regex.find('|') != std::string_view::npos) return literals;
  std::string run;
  bool is_first = true;
  const bool is_anchored = regex.starts_with('^');
  const auto end_run = [&] {
    if (is_first && is_anchored) prefix = run;
    is_first = false;
    if (!run.empty()) literals.push_back(std::move(run));
    run.clear();
  };
  for (size_t i = is_anchored ? 1 : 0; i < regex.size(); ++i) {
    const char c = regex[i];
    if (kSigns.find(c) == std::string_view::npos) {
      run += c;
      continue;
    }
    if (c == '*' || c == '?' || c == '{') DropLast(run);
    end_run();
    if (c == '(' || c == '[' || c == '\\') return literals;
    if (c == '{') {
      // A count ends at the brace; without one it is text, and what follows is still required.
      const size_t close = regex.find('}', i);
      if (close == std::string_view::npos) return literals;
      i = close;
    }
  }
  end_run();
  return literals;
}

}  // namespace

RegexPattern::RegexPattern(const std::string& pattern) : regex_(pattern, Options()) {
  literals_ = LiteralsOf(pattern, prefix_);
}

Result<std::shared_ptr<const RegexPattern>> RegexPattern::Make(const std::string& pattern) {
  std::shared_ptr<const RegexPattern> made(new RegexPattern(pattern));
  if (!made->regex_.ok()) return Invalid("invalid regular expression: {}", made->regex_.error());
  return made;
}

bool RegexPattern::Matches(std::string_view text) const {
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), regex_);
}

std::optional<LikePattern> AsLike(std::string_view regex) {
  using Kind = LikePattern::Kind;
  const bool begins = regex.starts_with('^');
  if (begins) regex.remove_prefix(1);
  const bool ends = regex.ends_with('$');
  if (ends) regex.remove_suffix(1);
  if (regex.find_first_of(kSigns) != std::string_view::npos) return std::nullopt;
  const Kind kind =
      begins ? (ends ? Kind::kEquals : Kind::kPrefix) : (ends ? Kind::kSuffix : Kind::kInfix);
  return LikePattern::OfLiteral(kind, std::string(regex));
}

}  // namespace elanus::expr
