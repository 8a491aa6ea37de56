// A vector search of one shard or segment. Plain values that could cross a process.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/column.h"
#include "model/data_type.h"
#include "model/requests/function_chain.h"
#include "model/requests/shard_read.h"
#include "model/requests/term_totals.h"

namespace elanus::model {

/// What hits are grouped by: the value of a field, or what stands at a place in JSON.
struct GroupKey {
  FieldId field;
  std::string name;                 // As the request writes it.
  std::string path;                 // As expr::JsonPlace; read of a JSON field only.
  DataType type = DataType::kNone;  // Of the values; kJson: the text of whatever is there.
  bool strict_cast = false;         // JSON: values of another type are null, none is converted.

  template <class V>
  void Fields(V& v) {
    v(1, "field", field);
    v(2, "name", name);
    v(3, "path", path);
    v(4, "type", type);
    v(5, "strict_cast", strict_cast);
  }
};

struct Grouping {
  std::vector<GroupKey> keys;  // Empty: hits are not grouped, and k counts hits, not groups.
  uint32_t group_size = 1;
  std::vector<Column> only;  // One a key: the groups wanted, all rows of which are looked at.

  bool is_on() const { return !keys.empty(); }

  template <class V>
  void Fields(V& v) {
    v(1, "keys", keys);
    v(2, "group_size", group_size);
    v(3, "only", only);
  }
};

/// Changes the scores of the hits that pass a filter.
struct Boost {
  std::string filter;
  double weight = 1;
  bool is_random = false;  // The weight is multiplied by a number in [0, 1) drawn for the row.
  int64_t seed = 0;
  FieldId random_field;  // Int64: equal values draw equal numbers. 0: the row's place draws.

  template <class V>
  void Fields(V& v) {
    v(1, "filter", filter);
    v(2, "weight", weight);
    v(3, "is_random", is_random);
    v(4, "seed", seed);
    v(5, "random_field", random_field);
  }
};

struct Boosting {
  std::vector<Boost> boosts;
  bool sums_boosts = false;  // Those that match are added up, not multiplied.
  bool sums_score = false;   // What comes of them is added to the score, not multiplied.

  template <class V>
  void Fields(V& v) {
    v(1, "boosts", boosts);
    v(2, "sums_boosts", sums_boosts);
    v(3, "sums_score", sums_score);
  }
};

/// A page of an iterator.
struct IteratorCursor {
  std::string token;       // Names the iterator; pages of one come one after another.
  bool has_bound = false;  // Only hits strictly worse than `bound`.
  float bound = 0;
  /// Of the segments that a query node searches: the first one's place among all segments that the
  /// iterator is searched in, the next one's distance, and how many places there are. The shard
  /// fills them in.
  uint64_t place = 0;
  uint64_t place_step = 1;
  uint64_t places = 1;

  template <class V>
  void Fields(V& v) {
    v(1, "token", token);
    v(2, "has_bound", has_bound);
    v(3, "bound", bound);
    v(4, "place", place);
    v(5, "place_step", place_step);
    v(6, "places", places);
  }
};

/// Among the columns of hits by element: which of its row's elements a hit is. Int64.
inline constexpr FieldId kElementField{2};

/// Among the columns of an iterator's hits: their scores, where `scores` says how far the iterator
/// has come with each, which is further than the score of a hit that was found late. Float.
inline constexpr FieldId kScoreField{3};

/// How the elements of a row become one hit, in a search by element.
struct ElementFold {
  enum class Kind : int32_t { kMax = 0, kSum = 1, kAvg = 2, kTopSum = 3, kTopAvg = 4 };
  Kind kind = Kind::kMax;
  uint32_t top = 0;  // kTopSum, kTopAvg: of how many, the best ones.

  template <class V>
  void Fields(V& v) {
    v(1, "kind", kind);
    v(2, "top", top);
  }
};

struct ShardSearch {
  ShardRead read;
  FieldId vector_field;
  Metric metric = Metric::kL2;
  uint32_t k = 0;                             // offset + limit.
  std::map<std::string, std::string> params;  // The search's over those the index was built with.
  bool has_radius = false;
  double radius = 0;
  bool has_range_filter = false;
  double range_filter = 0;
  int32_t round_decimal = -1;
  Column queries;  // Of the field's type, one row a query.
  Grouping grouping;
  Boosting boosting;
  std::optional<IteratorCursor> cursor;
  bool exact = false;  // Every row is compared, whatever the index.
  // The index gives rows and the filter is asked of those alone, instead of the other way round.
  bool iterative_filter = false;
  bool by_element = false;  // Hits are single vectors of rows that are lists of them.
  // By element only: hits are rows again, each with the element that is the best of it.
  std::optional<ElementFold> fold;
  std::vector<ChainStep> chain;  // Changes the scores of each segment's hits, or leaves some out.
  // BM25 only: what the rows of all shards hold, where there are several; a shard that stands alone
  // counts for itself.
  std::optional<TermTotals> totals;
  // BM25 only, set by the shard, which turns the term counts of the queries into weights too.
  double mean_length = 0;

  /// The most hits of a query.
  uint32_t hits_max() const { return grouping.is_on() ? k * grouping.group_size : k; }
  uint32_t nq() const { return static_cast<uint32_t>(queries.rows); }
  /// A key may come once for each of its elements.
  bool repeats_keys() const { return by_element && !fold; }

  template <class V>
  void Fields(V& v) {
    v(1, "read", read);
    v(2, "vector_field", vector_field);
    v(3, "metric", metric);
    v(6, "k", k);
    v(7, "params", params);
    v(8, "has_radius", has_radius);
    v(9, "radius", radius);
    v(10, "has_range_filter", has_range_filter);
    v(11, "range_filter", range_filter);
    v(12, "round_decimal", round_decimal);
    v(13, "queries", queries);
    v(14, "grouping", grouping);
    v(15, "boosting", boosting);
    v(16, "cursor", cursor);
    v(17, "exact", exact);
    v(18, "by_element", by_element);
    v(19, "mean_length", mean_length);
    v(20, "fold", fold);
    v(21, "chain", chain);
    v(22, "iterative_filter", iterative_filter);
    v(23, "totals", totals);
  }
};

}  // namespace elanus::model
