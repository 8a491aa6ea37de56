// The scalar index types: one function each, listed in registry.cc.
#pragma once

#include "index/scalar_index.h"

namespace elanus::index {

/// Values in order, each with its row.
const ScalarIndexType& SortedType();
/// Distinct values in order, each with the list of its rows; of arrays the distinct elements.
const ScalarIndexType& InvertedType();
/// Distinct values in order, each with the set of its rows as compressed bitmaps.
const ScalarIndexType& BitmapType();
/// Distinct texts in order, each after the first of a block without the bytes it shares with the
/// text before it, and the list of its rows.
const ScalarIndexType& TrieType();
/// The pieces of min_gram to max_gram bytes of the texts, each with the set of its rows: candidates
/// for patterns.
const ScalarIndexType& NgramType();
/// Boxes around geometries in a tree: candidates for spatial tests.
const ScalarIndexType& RTreeType();
/// Bitmaps when a segment has few distinct values, else what suits many.
const ScalarIndexType& HybridType();
/// Words of texts with their rows and places: what text_match and phrase_match ask.
const ScalarIndexType& WordsType();

}  // namespace elanus::index
