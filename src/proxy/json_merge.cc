// Merging objects by their text. Both have been parsed where they came from, so that this finds its
// way by brackets and quotes, and gives up where it cannot.
#include "proxy/json_merge.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_map>
#include <vector>

namespace elanus::proxy {
namespace {

struct Member {
  std::string key;
  std::string_view text;  // Key, colon and value.
};

// Takes the members of an object from its text, one after the other.
class Members {
 public:
  explicit Members(std::string_view text) : text_(text) {}

  std::optional<std::vector<Member>> Take() {
    std::vector<Member> members;
    at_ = text_.find_first_not_of("\xEF\xBB\xBF \t\r\n");  // A byte order mark may come first.
    if (at_ >= text_.size() || text_[at_] != '{') return std::nullopt;
    ++at_;
    if (Next() == '}') return members;
    while (true) {
      if (Next() != '"') return std::nullopt;
      const size_t begin = at_;
      SkipString();
      const auto key = nlohmann::json::parse(text_.substr(begin, at_ - begin), nullptr,
                                             /*allow_exceptions=*/false);
      if (!key.is_string() || Next() != ':') return std::nullopt;
      ++at_;
      SkipValue();
      const char after = Next();
      if (after != ',' && after != '}') return std::nullopt;
      members.push_back({.key = key.get<std::string>(), .text = text_.substr(begin, end_ - begin)});
      if (after == '}') return members;
      ++at_;
    }
  }

 private:
  // The next character that is not between tokens; 0 at the end.
  char Next() {
    at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size());
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  void SkipString() {
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
    at_ = std::min(at_ + 1, text_.size());
  }

  // Up to the comma or bracket behind it; what it ends with stands before `end_`.
  void SkipValue() {
    size_t depth = 0;
    end_ = at_;
    for (char c = Next(); c != '\0'; c = Next()) {
      if (depth == 0 && (c == ',' || c == '}')) return;
      if (c == '"') {
        SkipString();
      } else {
        if (c == '{' || c == '[') ++depth;
        if ((c == '}' || c == ']') && depth > 0) --depth;
        ++at_;
      }
      end_ = at_;
    }
  }

  std::string_view text_;
  size_t at_ = 0;
  size_t end_ = 0;
};

}  // namespace

Result<std::string> MergeObjects(std::string_view stored, std::string_view update) {
  const auto changes = Members(update).Take();
  if (!changes) return Invalid("the dynamic field must be a JSON object");
  const auto before = Members(stored).Take();
  if (before && changes->empty()) return std::string(stored);
  std::vector<std::string_view> merged;
  std::unordered_map<std::string_view, size_t> places;
  const auto put = [&](const std::vector<Member>& members) {
    for (const Member& member : members) {
      const auto [place, is_new] = places.emplace(member.key, merged.size());
      if (is_new)
        merged.push_back(member.text);
      else
        merged[place->second] = member.text;
    }
  };
  if (before) put(*before);
  put(*changes);
  std::string text = "{";
  for (std::string_view member : merged) {
    if (text.size() > 1) text += ',';
    text += member;
  }
  return text += '}';
}

}  // namespace elanus::proxy
