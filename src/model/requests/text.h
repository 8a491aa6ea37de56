// Requests about words: running an analyzer, and marking words in the texts of hits.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/requests/data.h"

namespace elanus::model {

struct RunAnalyzerRequest {
  CollectionName name;                      // An empty collection: params say how.
  std::string field;                        // Of the collection: its analyzer.
  std::string analyzer_params;              // JSON.
  std::vector<std::string> analyzer_names;  // Of a field with several: none, one, or one a text.
  std::vector<std::string> texts;
};

struct PhraseSlopRequest {
  std::string analyzer_params;  // JSON.
  std::string phrase;
  std::vector<std::string> texts;
};

struct AnalyzedToken {
  std::string text;
  uint32_t begin = 0;  // In bytes.
  uint32_t end = 0;
  uint32_t position = 0;
  uint32_t length = 1;
  uint32_t hash = 0;  // The dimension it has for BM25.
};

/// How hits are to be highlighted, as on the wire.
struct Highlighter {
  bool is_semantic = false;
  std::vector<KeyValue> params;
};

/// The fragments of one field, aligned with the hits of all queries.
struct FieldHighlights {
  std::string field;
  std::vector<std::vector<std::string>> fragments;
  std::vector<std::vector<float>> scores;  // One a fragment; empty: they have none.
};

struct HighlightedResult {
  SearchResult result;
  std::vector<FieldHighlights> highlights;
};

}  // namespace elanus::model
