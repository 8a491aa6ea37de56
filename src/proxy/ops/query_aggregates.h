// Aggregates in the output fields of a query: count(*), sum(price), ..., by groups or not.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/requests/shard.h"
#include "model/schema.h"
#include "proxy/options.h"

namespace elanus::proxy {

/// What a query with aggregates or group fields asks for and answers.
struct AggregatePlan {
  std::vector<FieldId> group_by;
  std::vector<model::Aggregate> aggregates;
  /// One an output field, in their order: which column of group fields, then aggregates, it is.
  std::vector<size_t> outputs;
  std::vector<std::string> names;  // Of the columns, as the request writes them.

  bool is_on() const { return !group_by.empty() || !aggregates.empty(); }
  /// No more than count(*).
  bool is_count() const {
    return group_by.empty() && aggregates.size() == 1 &&
           aggregates[0].op == model::AggregateOp::kCount && aggregates[0].field == FieldId();
  }
};

/// Whether an output field is written as an aggregate, of whatever field: sum(price), COUNT(*).
bool IsAggregate(std::string_view text);

/// Reads the output fields and `group_by_fields` of a query. Errors: kInvalidParameter.
Result<AggregatePlan> PlanAggregates(const ProxyOptions& options,
                                     const model::CollectionSchema& schema,
                                     const std::vector<std::string>& output_fields,
                                     const std::string* group_by_fields);

}  // namespace elanus::proxy
