// MINHASH_LSH: rows of which a band of the signature equals the query's (Leskovec, Rajaraman and
// Ullman, "Mining of Massive Datasets", chapter 3).
#pragma once

#include "index/binary_index.h"

namespace elanus::index {
const BinaryIndexType& MinHashLshType();
}
