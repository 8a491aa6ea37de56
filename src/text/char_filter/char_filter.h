// The first part of an analyzer, where it has one: changes the text before it is cut into tokens.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "text/token.h"

namespace elanus::text {

/// A changed text that knows which bytes of its source each of its own stands for.
struct ChangedText {
  /// `text` has [begin, end) where the source has [source_begin, source_end).
  struct Change {
    uint32_t begin;
    uint32_t end;
    uint32_t source_begin;
    uint32_t source_end;
  };
  std::string text;
  std::vector<Change> changes;  // Ascending, apart.

  /// Makes the bytes that tokens of `text` tell those of the source. A token that begins or ends
  /// inside a change has all that was changed.
  void PointToSource(Tokens& tokens) const;
};

/// Immutable; thread-safe.
class CharFilter {
 public:
  virtual ~CharFilter() = default;
  virtual ChangedText Change(std::string_view text) const = 0;
  /// How many times as long as before a text may be after, at most.
  virtual double growth() const = 0;
};

using CharFilterPtr = std::unique_ptr<const CharFilter>;

/// Puts one text in another's place, the longest first: rows "from => to". Errors: kSegcore.
Result<CharFilterPtr> MakeMapping(const std::vector<std::string>& rows);

/// A char filter from its object. Errors: kSegcore.
Result<CharFilterPtr> MakeCharFilter(const nlohmann::json& wanted);

}  // namespace elanus::text
