// Highlighting.
#include "text/highlight.h"

#include <algorithm>

namespace elanus::text {
namespace {

// A stretch of the text in bytes.
struct Stretch {
  size_t begin;
  size_t end;
};

// The hits in order, those that overlap as one.
std::vector<Stretch> FindHits(const Analyzer& analyzer, std::string_view text,
                              const std::unordered_set<std::string>& words) {
  Tokens tokens;
  analyzer.Analyze(text, tokens);
  std::vector<Stretch> hits;
  for (const Token& token : tokens) {
    if (words.count(token.text) > 0 && token.end > token.begin)
      hits.push_back({token.begin, token.end});
  }
  std::sort(hits.begin(), hits.end(), [](const Stretch& a, const Stretch& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end > b.end;
  });
  std::vector<Stretch> merged;
  for (const Stretch& hit : hits) {
    if (!merged.empty() && hit.begin < merged.back().end) {
      merged.back().end = std::max(merged.back().end, hit.end);
    } else {
      merged.push_back(hit);
    }
  }
  return merged;
}

bool IsInside(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// `count` characters before or behind a byte that begins one.
size_t Back(std::string_view text, size_t at, uint64_t count) {
  for (; count > 0 && at > 0; --count) {
    --at;
    while (at > 0 && IsInside(text[at])) --at;
  }
  return at;
}
size_t Forth(std::string_view text, size_t at, uint64_t count) {
  for (; count > 0 && at < text.size(); --count) {
    ++at;
    while (at < text.size() && IsInside(text[at])) ++at;
  }
  return at;
}

}  // namespace

std::vector<std::string> Highlight(const Analyzer& analyzer, std::string_view text,
                                   const std::unordered_set<std::string>& words,
                                   const HighlightOptions& options) {
  const std::vector<Stretch> hits = FindHits(analyzer, text, words);
  std::vector<std::string> fragments;
  size_t tag = 0;
  for (size_t i = 0; i < hits.size() && fragments.size() < options.fragments_max;) {
    size_t at = Back(text, hits[i].begin, options.fragment_offset);
    size_t end = std::max(Forth(text, at, options.fragment_size), hits[i].end);
    std::string fragment;
    for (; i < hits.size() && hits[i].begin < end; ++i, ++tag) {
      end = std::max(end, hits[i].end);
      // With an offset a fragment may begin inside a hit of the one before.
      if (hits[i].begin > at) fragment += text.substr(at, hits[i].begin - at);
      fragment += options.pre_tags[tag % options.pre_tags.size()];
      fragment += text.substr(hits[i].begin, hits[i].end - hits[i].begin);
      fragment += options.post_tags[tag % options.post_tags.size()];
      at = hits[i].end;
    }
    fragment += text.substr(at, end - at);
    fragments.push_back(std::move(fragment));
  }
  return fragments;
}

}  // namespace elanus::text
