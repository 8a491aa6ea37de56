// Adding rows up in groups.
#include "model/aggregate.h"

#include "model/groups.h"

namespace elanus::model {
namespace {

int64_t IntegerAt(const ColumnView& values, size_t row) {
  switch (values.type) {
    case DataType::kBool:
    case DataType::kInt8:
      return values.Get<int8_t>(row);
    case DataType::kInt16:
      return values.Get<int16_t>(row);
    case DataType::kInt32:
      return values.Get<int32_t>(row);
    default:
      return values.Get<int64_t>(row);
  }
}

// Appends an integer as a value of the column's type.
void AppendInteger(Column& column, int64_t value) {
  // Little-endian: the low bytes of a number are the smaller number.
  column.AppendFixed(&value);
}

void AppendNumber(Column& column, double value) {
  if (column.type == DataType::kFloat) {
    const auto single = static_cast<float>(value);
    column.AppendFixed(&single);
  } else {
    column.AppendFixed(&value);
  }
}

DataType FinalType(const Aggregate& aggregate) {
  switch (aggregate.op) {
    case AggregateOp::kCount:
      return DataType::kInt64;
    case AggregateOp::kSum:
      return IsFloating(aggregate.type) ? DataType::kDouble : DataType::kInt64;
    case AggregateOp::kAvg:
      return DataType::kDouble;
    case AggregateOp::kMin:
    case AggregateOp::kMax:
      return aggregate.type;
  }
  return DataType::kNone;
}

}  // namespace

Aggregator::Aggregator(std::vector<Column> group_columns, std::vector<Aggregate> aggregates,
                       int64_t groups_max)
    : group_columns_(std::move(group_columns)),
      aggregates_(std::move(aggregates)),
      groups_max_(static_cast<size_t>(groups_max)) {
  if (group_columns_.empty()) {
    places_.emplace("", 0);
    states_.resize(aggregates_.size());
  }
}

Aggregator::Kind Aggregator::KindOf(const Aggregate& aggregate) {
  if (aggregate.type == DataType::kVarChar) return Kind::kText;
  if (aggregate.op == AggregateOp::kAvg || IsFloating(aggregate.type)) return Kind::kNumber;
  return Kind::kInteger;
}

Aggregator::State Aggregator::ValueAt(const Aggregate& aggregate, const ColumnView& values,
                                      size_t row) {
  State state;
  if (aggregate.op == AggregateOp::kCount && aggregate.field == FieldId()) {
    state.count = 1;
    return state;
  }
  if (!values.IsValid(row)) return state;
  state.count = 1;
  if (values.type == DataType::kVarChar) {
    state.text = values.Bytes(row);
  } else if (values.type == DataType::kFloat) {
    state.number = values.Get<float>(row);
  } else if (values.type == DataType::kDouble) {
    state.number = values.Get<double>(row);
  } else if (KindOf(aggregate) == Kind::kNumber) {
    state.number = static_cast<double>(IntegerAt(values, row));
  } else {
    state.integer = IntegerAt(values, row);
  }
  return state;
}

Status Aggregator::Fold(const Aggregate& aggregate, const State& from, State& to) {
  if (from.count == 0) return {};
  const bool is_first = to.count == 0;
  to.count += from.count;
  switch (aggregate.op) {
    case AggregateOp::kCount:
      return {};
    case AggregateOp::kSum:
    case AggregateOp::kAvg:
      to.number += from.number;
      if (__builtin_add_overflow(to.integer, from.integer, &to.integer)) {
        return Error(ErrorCode::kSegcore, "the sum of the field leaves the range of Int64");
      }
      return {};
    case AggregateOp::kMin:
    case AggregateOp::kMax:
      break;
  }
  const bool smaller = from.integer < to.integer || from.number < to.number || from.text < to.text;
  const bool larger = from.integer > to.integer || from.number > to.number || from.text > to.text;
  if (is_first || (aggregate.op == AggregateOp::kMin ? smaller : larger)) {
    const int64_t count = to.count;
    to = from;
    to.count = count;
  }
  return {};
}

Result<Aggregator::State*> Aggregator::StatesOf(std::span<const ColumnView> group, size_t row) {
  if (group_columns_.empty()) return states_.data();
  const auto [found, is_new] = places_.emplace(GroupText(group, row), places_.size());
  if (is_new) {
    if (places_.size() > groups_max_) {
      return Error(ErrorCode::kSegcore, "the query has more than {} groups", groups_max_);
    }
    for (size_t i = 0; i < group.size(); ++i) group_columns_[i].AppendRow(group[i], row);
    states_.resize(states_.size() + aggregates_.size());
  }
  return states_.data() + found->second * aggregates_.size();
}

Status Aggregator::Add(std::span<const ColumnView> group, std::span<const ColumnView> values,
                       size_t row) {
  TRY_ASSIGN(State * states, StatesOf(group, row));
  for (size_t a = 0; a < aggregates_.size(); ++a) {
    TRY(Fold(aggregates_[a], ValueAt(aggregates_[a], values[a], row), states[a]));
  }
  return {};
}

Status Aggregator::Merge(const std::vector<Column>& partial) {
  CHECK(partial.size() == group_columns_.size() + 2 * aggregates_.size());
  const std::vector<ColumnView> views = ViewsOf(partial);
  const std::span<const ColumnView> group = std::span(views).first(group_columns_.size());
  const std::span<const ColumnView> values = std::span(views).subspan(group_columns_.size());
  const size_t rows = views.empty() ? 0 : views[0].rows;
  for (size_t row = 0; row < rows; ++row) {
    TRY_ASSIGN(State * states, StatesOf(group, row));
    for (size_t a = 0; a < aggregates_.size(); ++a) {
      State from;
      from.count = values[2 * a].Get<int64_t>(row);
      const ColumnView& value = values[2 * a + 1];
      switch (KindOf(aggregates_[a])) {
        case Kind::kInteger:
          from.integer = value.Get<int64_t>(row);
          break;
        case Kind::kNumber:
          from.number = value.Get<double>(row);
          break;
        case Kind::kText:
          from.text = value.Bytes(row);
          break;
      }
      TRY(Fold(aggregates_[a], from, states[a]));
    }
  }
  return {};
}

std::vector<Column> Aggregator::Partial() const {
  std::vector<Column> out = group_columns_;
  for (size_t a = 0; a < aggregates_.size(); ++a) {
    Column counts = MakeColumn({}, "", DataType::kInt64, DataType::kNone, 0);
    const Kind kind = KindOf(aggregates_[a]);
    Column values = MakeColumn({}, "",
                               kind == Kind::kInteger  ? DataType::kInt64
                               : kind == Kind::kNumber ? DataType::kDouble
                                                       : DataType::kVarChar,
                               DataType::kNone, 0);
    for (size_t i = a; i < states_.size(); i += aggregates_.size()) {
      AppendInteger(counts, states_[i].count);
      if (kind == Kind::kInteger) AppendInteger(values, states_[i].integer);
      if (kind == Kind::kNumber) AppendNumber(values, states_[i].number);
      if (kind == Kind::kText) values.AppendBytes(states_[i].text);
    }
    out.push_back(std::move(counts));
    out.push_back(std::move(values));
  }
  return out;
}

std::vector<Column> Aggregator::Finish() const {
  std::vector<Column> out = group_columns_;
  for (size_t a = 0; a < aggregates_.size(); ++a) {
    const Aggregate& aggregate = aggregates_[a];
    Column column = MakeColumn({}, "", FinalType(aggregate), DataType::kNone, 0);
    for (size_t i = a; i < states_.size(); i += aggregates_.size()) {
      const State& state = states_[i];
      if (aggregate.op == AggregateOp::kCount) {
        AppendInteger(column, state.count);
      } else if (state.count == 0) {
        column.AppendNull();
      } else if (aggregate.op == AggregateOp::kAvg) {
        AppendNumber(column, state.number / static_cast<double>(state.count));
      } else if (KindOf(aggregate) == Kind::kText) {
        column.AppendBytes(state.text);
      } else if (KindOf(aggregate) == Kind::kNumber) {
        AppendNumber(column, state.number);
      } else {
        AppendInteger(column, state.integer);
      }
    }
    out.push_back(std::move(column));
  }
  return out;
}

}  // namespace elanus::model
