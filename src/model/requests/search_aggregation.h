// Hits of a search sorted into buckets: what a request asks for, and the buckets.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "model/requests/search.h"
#include "model/scalar.h"

namespace elanus::model {

/// A bucket and all in it. Its hits are places among those of AggregatedResult::hits.
struct Bucket {
  struct Key {
    FieldId field;
    std::string name;
    Scalar value;  // Null, a bool, an integer or a text.
  };
  std::vector<Key> key;  // Of its own level.
  int64_t count = 0;
  std::map<std::string, Scalar> metrics;
  std::vector<uint32_t> hits;
  std::vector<Bucket> buckets;
};

struct AggregatedResult {
  SearchResult hits;  // All that lie in buckets, whether the buckets show them or not.
  std::vector<std::vector<Bucket>> buckets;  // Of each query.
};

}  // namespace elanus::model
