// Making buckets.
#include "proxy/rerank/buckets.h"

#include <algorithm>
#include <unordered_map>

#include "model/aggregate.h"
#include "model/groups.h"
#include "model/order.h"

namespace elanus::proxy {
namespace {

using model::Bucket;
using model::DataType;
using model::Scalar;

Scalar ValueAt(const model::ColumnView& values, size_t row) {
  if (!values.IsValid(row)) return {};
  switch (values.type) {
    case DataType::kBool:
      return values.Get<uint8_t>(row) != 0;
    case DataType::kInt8:
      return int64_t{values.Get<int8_t>(row)};
    case DataType::kInt16:
      return int64_t{values.Get<int16_t>(row)};
    case DataType::kInt32:
      return int64_t{values.Get<int32_t>(row)};
    case DataType::kInt64:
    case DataType::kTimestamptz:
      return values.Get<int64_t>(row);
    case DataType::kFloat:
      return double{values.Get<float>(row)};
    case DataType::kDouble:
      return values.Get<double>(row);
    default:
      return std::string(values.Bytes(row));
  }
}

template <class T>
int Compare(const T& a, const T& b) {
  return a < b ? -1 : b < a;
}

// Nulls where they are wanted, whatever the direction.
int CompareScalars(const Scalar& a, const Scalar& b, bool is_descending, bool nulls_first) {
  if (a.is_null() || b.is_null()) {
    const int order = int(a.is_null()) - int(b.is_null());
    return nulls_first ? -order : order;
  }
  int order = 0;
  if (a.is_string()) {
    order = Compare(a.as_string(), b.as_string());
  } else if (a.is_bool()) {
    order = Compare(a.as_bool(), b.as_bool());
  } else if (a.is_int() && b.is_int()) {
    order = Compare(a.as_int(), b.as_int());
  } else {
    order = Compare(a.number(), b.number());
  }
  return is_descending ? -order : order;
}

class BucketMaker {
 public:
  BucketMaker(const BucketsPlan& plan, const model::SearchResult& result)
      : plan_(plan), result_(result), keys_(model::ViewsOf(result.group_values)) {
    scores_ = model::MakeColumn({}, "_score", DataType::kFloat, DataType::kNone, 0);
    for (float score : result.scores) scores_.AppendFixed(&score);
  }

  // The buckets of these hits, whose order is that of the groups.
  Result<std::vector<Bucket>> Make(size_t level, const std::vector<uint32_t>& hits) {
    const BucketPlan& plan = plan_.levels[level];
    const auto own = std::span(keys_).subspan(plan.keys_begin, plan.keys_end - plan.keys_begin);
    std::unordered_map<std::string, size_t> places;
    std::vector<std::vector<uint32_t>> members;
    for (uint32_t hit : hits) {
      std::string text = model::GroupText(own, hit);
      auto found = places.find(text);
      if (found == places.end()) {
        if (members.size() == plan.search_size) continue;
        found = places.emplace(std::move(text), members.size()).first;
        members.emplace_back();
      }
      members[found->second].push_back(hit);
    }
    std::vector<Bucket> buckets;
    for (const std::vector<uint32_t>& of_bucket : members) {
      TRY_ASSIGN(Bucket bucket, Fill(level, of_bucket));
      buckets.push_back(std::move(bucket));
    }
    Sort(plan, buckets);
    if (buckets.size() > plan.size) buckets.resize(plan.size);
    return buckets;
  }

 private:
  Result<Bucket> Fill(size_t level, const std::vector<uint32_t>& hits) {
    const BucketPlan& plan = plan_.levels[level];
    Bucket bucket;
    for (size_t k = plan.keys_begin; k < plan.keys_end; ++k) {
      const model::Column& column = result_.group_values[k];
      bucket.key.push_back({column.field_id, column.name, ValueAt(keys_[k], hits[0])});
    }
    bucket.count = static_cast<int64_t>(hits.size());
    for (const BucketMetric& metric : plan.metrics) {
      TRY_ASSIGN(bucket.metrics[metric.alias], Reckon(metric, hits));
    }
    bucket.hits = hits;
    std::stable_sort(bucket.hits.begin(), bucket.hits.end(),
                     [&](uint32_t a, uint32_t b) { return CompareHits(plan, a, b) < 0; });
    if (bucket.hits.size() > plan.top_hits) bucket.hits.resize(plan.top_hits);
    if (level + 1 < plan_.levels.size()) {
      TRY_ASSIGN(bucket.buckets, Make(level + 1, hits));
    }
    return bucket;
  }

  const model::Column& ColumnOf(const BucketSource& source) const {
    if (source.kind == BucketSource::Kind::kField) {
      for (const model::Column& column : result_.columns) {
        if (column.field_id == source.field) return column;
      }
    }
    return scores_;
  }

  Result<Scalar> Reckon(const BucketMetric& metric, const std::vector<uint32_t>& hits) const {
    const model::Column& column = ColumnOf(metric.source);
    model::Aggregate aggregate{.op = metric.op, .field = {}, .type = column.type};
    if (metric.source.kind != BucketSource::Kind::kHits) aggregate.field = FieldId(1);
    model::Aggregator sum({}, {aggregate}, 1);
    const model::ColumnView view = column.view();
    for (uint32_t hit : hits) TRY(sum.Add({}, {&view, 1}, hit));
    const std::vector<model::Column> results = sum.Finish();
    return ValueAt(results[0].view(), 0);
  }

  int CompareHits(const BucketPlan& plan, uint32_t a, uint32_t b) const {
    const model::OrderField by_score{.field = {}, .is_descending = plan_.larger_is_better};
    const model::ColumnView scores = scores_.view();
    for (const HitTerm& term : plan.hit_order) {
      const model::ColumnView values = ColumnOf(term.source).view();
      const int order = model::CompareInOrder(
          {.field = {}, .is_descending = term.is_descending, .nulls_first = term.nulls_first},
          values, a, values, b);
      if (order != 0) return order;
    }
    return model::CompareInOrder(by_score, scores, a, scores, b);
  }

  static int CompareKeys(const BucketTerm& term, const Bucket& a, const Bucket& b) {
    for (size_t k = 0; k < a.key.size(); ++k) {
      const int order =
          CompareScalars(a.key[k].value, b.key[k].value, term.is_descending, term.nulls_first);
      if (order != 0) return order;
    }
    return 0;
  }

  static void Sort(const BucketPlan& plan, std::vector<Bucket>& buckets) {
    std::stable_sort(buckets.begin(), buckets.end(), [&](const Bucket& a, const Bucket& b) {
      for (const BucketTerm& term : plan.order) {
        int order = 0;
        if (term.kind == BucketTerm::Kind::kCount) {
          order = term.is_descending ? Compare(b.count, a.count) : Compare(a.count, b.count);
        } else if (term.kind == BucketTerm::Kind::kKey) {
          order = CompareKeys(term, a, b);
        } else {
          order = CompareScalars(a.metrics.at(term.alias), b.metrics.at(term.alias),
                                 term.is_descending, term.nulls_first);
        }
        if (order != 0) return order < 0;
      }
      return false;
    });
  }

  const BucketsPlan& plan_;
  const model::SearchResult& result_;
  const std::vector<model::ColumnView> keys_;
  model::Column scores_;
};

}  // namespace

Result<std::vector<Bucket>> MakeBuckets(const BucketsPlan& plan, const model::SearchResult& result,
                                        size_t begin, size_t end) {
  std::vector<uint32_t> hits;
  for (size_t i = begin; i < end; ++i) hits.push_back(static_cast<uint32_t>(i));
  return BucketMaker(plan, result).Make(0, hits);
}

}  // namespace elanus::proxy
