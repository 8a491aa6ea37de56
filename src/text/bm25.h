// Texts as rows of term counts, which BM25 ranks (Robertson, Zaragoza: The Probabilistic Relevance
// Framework, 2009; the idf of Lucene, which is never negative).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "text/analyzer.h"

namespace elanus::text {

/// The dimension of a token: CRC-32 of its first 100 bytes, modulo 2^32 - 1.
uint32_t TermId(std::string_view token);

/// The sparse row (model/sparse_row.h) of how often each term comes in `tokens`.
std::string CountTerms(const Tokens& tokens);

/// What a term is worth that is in `with_term` of `rows` rows.
double InverseDocumentFrequency(uint64_t rows, uint64_t with_term);

}  // namespace elanus::text
