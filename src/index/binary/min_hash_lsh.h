// MINHASH_LSH: rows of which a band of the signature equals the query's (Leskovec, Rajaraman and
// Ullman, "Mining of Massive Datasets", chapter 3).
#pragma once

#include "index/binary/binary_block.h"
#include "index/vector_index.h"

namespace elanus::index {
const IndexType& MinHashLshType();
}
