// Whether the words of a text are what a filter asks for.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "model/predicate.h"
#include "text/token.h"

namespace elanus::text {

/// The words of a query as the analyzer gives them; the caller sets what else it asks.
model::WordQuery MakeWordQuery(model::WordQuery::Kind kind, const Tokens& tokens);

/// A query with what repeats from text to text. Not thread-safe.
class WordMatcher {
 public:
  /// Borrows the query.
  explicit WordMatcher(const model::WordQuery& query);
  bool Matches(const Tokens& tokens);
  /// Of a query for a phrase: as the function PhraseSlop.
  std::optional<uint32_t> PhraseSlop(const Tokens& tokens);

 private:
  bool MatchesSome(const Tokens& tokens) const;
  bool MatchesFuzzy(const Tokens& tokens) const;
  const model::WordQuery& query_;
  std::vector<std::vector<uint32_t>> places_;  // Of each word of a phrase.
};

/// The least slop with which a phrase stands in a text; none where it takes more than query.slop or
/// a word is missing. `places` are the positions of each of its words there, ascending. A step from
/// a word to the next costs how far it is from where the phrase has it.
std::optional<uint32_t> PhraseSlop(const model::WordQuery& query,
                                   std::span<const std::vector<uint32_t>> places);

/// Whether at most `edits` insertions, deletions, replacements and swaps of neighbours of
/// characters make one word the other (optimal string alignment).
bool AreWithin(std::string_view a, std::string_view b, uint32_t edits);

}  // namespace elanus::text
