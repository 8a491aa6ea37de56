// Matching words.
#include "text/match.h"

#include <algorithm>
#include <limits>

#include "text/unicode.h"

namespace elanus::text {

model::WordQuery MakeWordQuery(model::WordQuery::Kind kind, const Tokens& tokens) {
  model::WordQuery query{.kind = kind};
  for (const Token& token : tokens) {
    query.words.push_back(token.text);
    query.positions.push_back(token.position);
  }
  return query;
}

WordMatcher::WordMatcher(const model::WordQuery& query)
    : query_(query),
      places_(query.kind == model::WordQuery::Kind::kPhrase ? query.words.size() : 0) {}

bool WordMatcher::Matches(const Tokens& tokens) {
  if (query_.words.empty()) return false;
  switch (query_.kind) {
    case model::WordQuery::Kind::kSome:
      return MatchesSome(tokens);
    case model::WordQuery::Kind::kFuzzy:
      return MatchesFuzzy(tokens);
    case model::WordQuery::Kind::kPhrase:
      return PhraseSlop(tokens).has_value();
  }
  return false;
}

std::optional<uint32_t> WordMatcher::PhraseSlop(const Tokens& tokens) {
  for (auto& places : places_) places.clear();
  for (const Token& token : tokens) {
    for (size_t w = 0; w < places_.size(); ++w) {
      if (token.text == query_.words[w]) places_[w].push_back(token.position);
    }
  }
  return text::PhraseSlop(query_, places_);
}

bool WordMatcher::MatchesSome(const Tokens& tokens) const {
  uint32_t found = 0;
  for (const std::string& word : query_.words) {
    const bool is_there = std::any_of(tokens.begin(), tokens.end(),
                                      [&](const Token& token) { return token.text == word; });
    if (is_there && ++found >= query_.at_least) return true;
  }
  return false;
}

bool WordMatcher::MatchesFuzzy(const Tokens& tokens) const {
  return std::any_of(tokens.begin(), tokens.end(), [&](const Token& token) {
    return std::any_of(query_.words.begin(), query_.words.end(), [&](const std::string& word) {
      return AreWithin(token.text, word, query_.edits);
    });
  });
}

std::optional<uint32_t> PhraseSlop(const model::WordQuery& query,
                                   std::span<const std::vector<uint32_t>> places) {
  // Of each place of the latest word: where the phrase would begin, and the least cost to get here.
  struct Way {
    int64_t start;
    int64_t cost;
  };
  constexpr int64_t kFar = std::numeric_limits<int64_t>::max() / 4;
  std::vector<Way> ways;
  std::vector<Way> next;
  for (size_t w = 0; w < places.size(); ++w) {
    next.clear();
    for (uint32_t place : places[w]) {
      next.push_back({int64_t{place} - int64_t{query.positions[w]}, w == 0 ? 0 : kFar});
    }
    if (w > 0) {
      // The nearest cheap way from the left, then from the right.
      int64_t best = kFar;
      size_t at = 0;
      for (Way& way : next) {
        for (; at < ways.size() && ways[at].start <= way.start; ++at) {
          best = std::min(best, ways[at].cost - ways[at].start);
        }
        if (best < kFar) way.cost = best + way.start;
      }
      best = kFar;
      at = ways.size();
      for (size_t i = next.size(); i-- > 0;) {
        for (; at > 0 && ways[at - 1].start >= next[i].start; --at) {
          best = std::min(best, ways[at - 1].cost + ways[at - 1].start);
        }
        if (best < kFar) next[i].cost = std::min(next[i].cost, best - next[i].start);
      }
    }
    std::erase_if(next, [&](const Way& way) { return way.cost > int64_t{query.slop}; });
    if (next.empty()) return std::nullopt;
    ways.swap(next);
  }
  const auto least = std::min_element(ways.begin(), ways.end(),
                                      [](const Way& a, const Way& b) { return a.cost < b.cost; });
  if (least == ways.end()) return std::nullopt;
  return static_cast<uint32_t>(least->cost);
}

bool AreWithin(std::string_view a, std::string_view b, uint32_t edits) {
  if (a == b) return true;
  if (edits == 0) return false;
  std::vector<char32_t> left;
  std::vector<char32_t> right;
  for (size_t at = 0; at < a.size();) left.push_back(NextCharacter(a, at));
  for (size_t at = 0; at < b.size();) right.push_back(NextCharacter(b, at));
  const size_t longer = std::max(left.size(), right.size());
  if (longer - std::min(left.size(), right.size()) > edits) return false;
  // Rows of the table of distances: two back, one back, this.
  std::vector<uint32_t> older(right.size() + 1);
  std::vector<uint32_t> old(right.size() + 1);
  std::vector<uint32_t> now(right.size() + 1);
  for (size_t j = 0; j <= right.size(); ++j) old[j] = static_cast<uint32_t>(j);
  for (size_t i = 1; i <= left.size(); ++i) {
    now[0] = static_cast<uint32_t>(i);
    uint32_t least = now[0];
    for (size_t j = 1; j <= right.size(); ++j) {
      const uint32_t replaced = old[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
      now[j] = std::min({old[j] + 1, now[j - 1] + 1, replaced});
      const bool is_swap =
          i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
      if (is_swap) now[j] = std::min(now[j], older[j - 2] + 1);
      least = std::min(least, now[j]);
    }
    // A swap reaches back two rows.
    if (least > edits && *std::min_element(old.begin(), old.end()) > edits) return false;
    std::swap(older, old);
    std::swap(old, now);
  }
  return old[right.size()] <= edits;
}

}  // namespace elanus::text
