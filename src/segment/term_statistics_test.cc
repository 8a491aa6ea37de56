// Statistics of terms.
#include "segment/term_statistics.h"

#include <gtest/gtest.h>

namespace elanus::segment {
namespace {

std::string Row(const std::vector<std::pair<uint32_t, float>>& terms) {
  std::string dims;
  std::string counts;
  for (const auto& [term, count] : terms) {
    dims.append(reinterpret_cast<const char*>(&term), sizeof(term));
    counts.append(reinterpret_cast<const char*>(&count), sizeof(count));
  }
  return dims + counts;
}

TEST(TermStatistics, AddUpOverRowsAndSegments) {
  model::Column rows = model::MakeColumn(FieldId(1), "s", model::DataType::kSparseFloatVector,
                                         model::DataType::kNone, 0);
  rows.AppendBytes(Row({{3, 2}, {9, 1}}));
  rows.AppendBytes("");
  rows.AppendBytes(Row({{9, 4}}));
  TermStatistics first;
  first.Add(rows.view());
  TermStatistics second;
  second.Add(rows.view().Slice(2, 1));
  const std::vector<uint32_t> terms = {3, 5, 9};
  model::TermTotals totals;
  totals.with_term.resize(terms.size());
  first.AddTo(terms, totals);
  second.AddTo(terms, totals);
  EXPECT_EQ(totals.rows, 4u);
  EXPECT_EQ(totals.tokens, 11.0);
  EXPECT_EQ(totals.with_term, (std::vector<uint64_t>{1, 0, 3}));
  EXPECT_DOUBLE_EQ(totals.mean_length(), 11.0 / 4);
}

TEST(TermStatistics, AreKeptForBm25FieldsOnly) {
  model::CollectionSchema schema;
  schema.fields.resize(2);
  schema.fields[0] = {
      .id = FieldId(100), .name = "plain", .type = model::DataType::kSparseFloatVector};
  schema.fields[1] = {.id = FieldId(101),
                      .name = "ranked",
                      .type = model::DataType::kSparseFloatVector,
                      .is_function_output = true};
  schema.functions.push_back(
      {.name = "f", .type = model::FunctionType::kBm25, .inputs = {"text"}, .outputs = {"ranked"}});
  const StatisticsOfFields fields = MakeStatistics(schema);
  ASSERT_EQ(fields.size(), 1u);
  EXPECT_EQ(fields.begin()->first, 101);
}

}  // namespace
}  // namespace elanus::segment
