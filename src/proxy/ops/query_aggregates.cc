// Aggregates of a query.
#include "proxy/ops/query_aggregates.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "proxy/ops/search_params.h"

namespace elanus::proxy {
namespace {

using model::AggregateOp;
using model::DataType;

std::string WithoutBlanks(std::string_view text) {
  std::string kept;
  for (char c : text) {
    if (c != ' ') kept += c;
  }
  return kept;
}

std::optional<AggregateOp> OpOf(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  if (lower == "count") return AggregateOp::kCount;
  if (lower == "sum") return AggregateOp::kSum;
  if (lower == "avg") return AggregateOp::kAvg;
  if (lower == "min") return AggregateOp::kMin;
  if (lower == "max") return AggregateOp::kMax;
  return std::nullopt;
}

// The aggregate that an output field is; none: it is a plain field.
Result<std::optional<model::Aggregate>> ParseAggregate(const model::CollectionSchema& schema,
                                                       std::string_view text) {
  const std::string compact = WithoutBlanks(text);
  const size_t open = compact.find('(');
  if (open == std::string::npos || !compact.ends_with(")"))
    return std::optional<model::Aggregate>();
  const auto op = OpOf(std::string_view(compact).substr(0, open));
  if (!op) return std::optional<model::Aggregate>();
  const std::string name = compact.substr(open + 1, compact.size() - open - 2);
  model::Aggregate aggregate{.op = *op, .field = {}};
  if (name == "*") {
    if (*op != AggregateOp::kCount) return Invalid("only count takes *: {}", text);
    return std::optional(aggregate);
  }
  const model::FieldSchema* field = schema.FindField(name);
  if (field == nullptr) return Invalid("field {} of {} not exist", name, text);
  aggregate.field = field->id;
  aggregate.type = field->type;
  const bool is_number = model::IsInteger(field->type) || model::IsFloating(field->type);
  const bool is_ordered =
      is_number || field->type == DataType::kVarChar || field->type == DataType::kTimestamptz;
  const bool sums = *op == AggregateOp::kSum || *op == AggregateOp::kAvg;
  const bool compares = *op == AggregateOp::kMin || *op == AggregateOp::kMax;
  if ((sums && !is_number) || (compares && !is_ordered)) {
    return Invalid("aggregate {} is not defined for type {}", text, model::NameOf(field->type));
  }
  if (!sums && !compares) aggregate.type = DataType::kNone;  // Values are counted, not looked at.
  return std::optional(aggregate);
}

bool IsGroupable(DataType type) {
  return model::IsInteger(type) || type == DataType::kBool || type == DataType::kVarChar ||
         type == DataType::kTimestamptz;
}

}  // namespace

bool IsAggregate(std::string_view text) {
  const std::string compact = WithoutBlanks(text);
  return compact.ends_with(")") &&
         OpOf(std::string_view(compact).substr(0, compact.find('('))).has_value();
}

Result<AggregatePlan> PlanAggregates(const ProxyOptions& options,
                                     const model::CollectionSchema& schema,
                                     const std::vector<std::string>& output_fields,
                                     const std::string* group_by_fields) {
  AggregatePlan plan;
  if (group_by_fields != nullptr && !group_by_fields->empty()) {
    for (const std::string& name : SplitOutside(*group_by_fields, ',')) {
      const model::FieldSchema* field = schema.FindField(name);
      if (field == nullptr) return Invalid("group by field {} not exist", name);
      if (!IsGroupable(field->type)) {
        return Invalid("group by field {} of type {} is not supported", name,
                       model::NameOf(field->type));
      }
      if (std::find(plan.group_by.begin(), plan.group_by.end(), field->id) != plan.group_by.end())
        return Invalid("group_by_fields names {} twice", name);
      plan.group_by.push_back(field->id);
    }
    if (plan.group_by.size() > static_cast<size_t>(options.group_fields_max)) {
      return Invalid("group_by_fields has {} fields, at most {} are allowed", plan.group_by.size(),
                     options.group_fields_max);
    }
  }
  std::vector<std::string> plain;
  for (const std::string& text : output_fields) {
    TRY_ASSIGN(const auto aggregate, ParseAggregate(schema, text));
    if (aggregate) {
      plan.outputs.push_back(plan.group_by.size() + plan.aggregates.size());
      plan.aggregates.push_back(*aggregate);
      plan.names.push_back(text);
      continue;
    }
    plain.push_back(text);
    const model::FieldSchema* field = schema.FindField(WithoutBlanks(text));
    const auto found = field == nullptr
                           ? plan.group_by.end()
                           : std::find(plan.group_by.begin(), plan.group_by.end(), field->id);
    if (found == plan.group_by.end()) continue;
    plan.outputs.push_back(static_cast<size_t>(found - plan.group_by.begin()));
    plan.names.push_back(field->name);
  }
  if (!plan.is_on()) return plan;
  if (plan.outputs.size() != output_fields.size()) {
    return Invalid("output fields beside aggregates should be group by fields, got {}",
                   fmt::format("{}", fmt::join(plain, ", ")));
  }
  if (plan.outputs.empty()) return Invalid("a query with group by needs output fields");
  return plan;
}

}  // namespace elanus::proxy
