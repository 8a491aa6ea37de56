// Checking what a request says of buckets.
#include <algorithm>
#include <map>

#include "model/order.h"
#include "proxy/rerank/buckets.h"

namespace elanus::proxy {
namespace {

using model::AggregateOp;

constexpr size_t kLevelsMax = 4;
constexpr std::string_view kScore = "_score";

Result<bool> IsDescending(const model::BucketOrder& order) {
  std::string word = order.direction;
  for (char& c : word) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  if (word.empty() || word == "desc") return true;
  if (word == "asc") return false;
  return Invalid("search_aggregation: direction should be asc or desc, got {}", order.direction);
}

class Planner {
 public:
  explicit Planner(const model::CollectionSchema& schema) : schema_(schema) {}

  Result<BucketsPlan> Run(const std::vector<model::BucketLevel>& levels) {
    if (levels.size() > kLevelsMax) {
      return Invalid("search_aggregation has {} levels, at most {} are allowed", levels.size(),
                     kLevelsMax);
    }
    for (const model::BucketLevel& level : levels) {
      TRY_ASSIGN(BucketPlan one, PlanLevel(level));
      // The product is checked against a limit; here it must not wrap around.
      constexpr size_t kLarge = size_t{1} << 40;
      plan_.buckets_max = std::min(kLarge, plan_.buckets_max * one.search_size);
      plan_.hits_max = std::max(plan_.hits_max, one.top_hits);
      plan_.levels.push_back(std::move(one));
    }
    return std::move(plan_);
  }

 private:
  Result<BucketPlan> PlanLevel(const model::BucketLevel& level) {
    BucketPlan plan;
    constexpr int64_t kSizeMax = int64_t{1} << 20;
    if (level.fields.empty()) return Invalid("search_aggregation: a level needs fields");
    if (level.size < 1 || level.size > kSizeMax)
      return Invalid("search_aggregation: size should be in [1, {}], got {}", kSizeMax, level.size);
    const int64_t search_size = level.search_size == 0 ? level.size : level.search_size;
    if (search_size < level.size || search_size > kSizeMax)
      return Invalid("search_aggregation: search_size should be in [size, {}], got {}", kSizeMax,
                     level.search_size);
    plan.size = static_cast<size_t>(level.size);
    plan.search_size = static_cast<size_t>(search_size);
    plan.keys_begin = plan_.keys.size();
    for (const std::string& name : level.fields) TRY(AddKey(name));
    plan.keys_end = plan_.keys.size();
    for (const auto& [alias, metric] : level.metrics) {
      TRY_ASSIGN(BucketMetric planned, PlanMetric(alias, metric));
      plan.metrics.push_back(std::move(planned));
    }
    for (const model::BucketOrder& order : level.order) {
      TRY_ASSIGN(BucketTerm term, PlanTerm(level, order));
      plan.order.push_back(std::move(term));
    }
    if (!level.top_hits) return plan;
    if (level.top_hits->size < 1 || level.top_hits->size > kSizeMax)
      return Invalid("search_aggregation: size of top_hits should be in [1, {}], got {}", kSizeMax,
                     level.top_hits->size);
    plan.top_hits = static_cast<size_t>(level.top_hits->size);
    for (const model::BucketOrder& order : level.top_hits->sort) {
      HitTerm term{.source = {}, .nulls_first = order.nulls_first};
      TRY_ASSIGN(term.is_descending, IsDescending(order));
      TRY_ASSIGN(term.source, SourceNamed(order.key));
      plan.hit_order.push_back(term);
    }
    return plan;
  }

  Status AddKey(const std::string& name) {
    const model::FieldSchema* field = schema_.FindField(name);
    if (field == nullptr || field->is_dynamic)
      return Invalid("search_aggregation: there is no field {}", name);
    const bool is_key = field->type == model::DataType::kBool || model::IsInteger(field->type) ||
                        field->type == model::DataType::kVarChar ||
                        field->type == model::DataType::kTimestamptz;
    if (!is_key) {
      return Invalid("search_aggregation: field {} of type {} cannot be a key", name,
                     model::NameOf(field->type));
    }
    if (std::find(plan_.keys.begin(), plan_.keys.end(), name) != plan_.keys.end())
      return Invalid("search_aggregation: field {} is a key twice", name);
    plan_.keys.push_back(name);
    return {};
  }

  Result<BucketSource> SourceNamed(const std::string& name) {
    if (name == kScore) return BucketSource{.kind = BucketSource::Kind::kScore};
    const model::FieldSchema* field = schema_.FindField(name);
    if (field == nullptr || !model::IsOrdered(field->type))
      return Invalid("search_aggregation: there is no field {} to look at", name);
    plan_.reads.push_back(name);
    return BucketSource{.kind = BucketSource::Kind::kField, .field = field->id};
  }

  Result<BucketMetric> PlanMetric(const std::string& alias,
                                  const model::BucketLevel::Metric& metric) {
    static const std::map<std::string, AggregateOp> kOps = {{"avg", AggregateOp::kAvg},
                                                            {"sum", AggregateOp::kSum},
                                                            {"count", AggregateOp::kCount},
                                                            {"min", AggregateOp::kMin},
                                                            {"max", AggregateOp::kMax}};
    const auto op = kOps.find(metric.op);
    if (alias.empty() || op == kOps.end())
      return Invalid("search_aggregation: metric {} has no known op: {}", alias, metric.op);
    BucketMetric planned{.alias = alias, .op = op->second, .source = {}};
    if (metric.field == "*") {
      if (planned.op != AggregateOp::kCount)
        return Invalid("search_aggregation: * is for count only, metric {}", alias);
      return planned;
    }
    TRY_ASSIGN(planned.source, SourceNamed(metric.field));
    if (planned.source.kind == BucketSource::Kind::kScore || planned.op == AggregateOp::kCount)
      return planned;
    const model::DataType type = schema_.FindField(planned.source.field)->type;
    const bool is_number = model::IsInteger(type) || model::IsFloating(type);
    const bool sums = planned.op == AggregateOp::kSum || planned.op == AggregateOp::kAvg;
    if (sums ? !is_number : type == model::DataType::kBool) {
      return Invalid("search_aggregation: {} is not defined for field {} of type {}", metric.op,
                     metric.field, model::NameOf(type));
    }
    return planned;
  }

  static Result<BucketTerm> PlanTerm(const model::BucketLevel& level,
                                     const model::BucketOrder& order) {
    BucketTerm term{.alias = order.key, .nulls_first = order.nulls_first};
    TRY_ASSIGN(term.is_descending, IsDescending(order));
    if (order.key == "_count") {
      term.kind = BucketTerm::Kind::kCount;
    } else if (order.key == "_key") {
      term.kind = BucketTerm::Kind::kKey;
    } else if (level.metrics.contains(order.key)) {
      term.kind = BucketTerm::Kind::kMetric;
    } else {
      return Invalid("search_aggregation: {} is no metric, _count or _key to order by", order.key);
    }
    return term;
  }

  const model::CollectionSchema& schema_;
  BucketsPlan plan_;
};

}  // namespace

Result<BucketsPlan> PlanBuckets(const model::CollectionSchema& schema,
                                const std::vector<model::BucketLevel>& levels) {
  return Planner(schema).Run(levels);
}

}  // namespace elanus::proxy
