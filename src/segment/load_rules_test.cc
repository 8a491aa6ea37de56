// Whose word counts for how a column or an index is held.
#include "segment/load_rules.h"

#include <gtest/gtest.h>

namespace elanus::segment {
namespace {

using model::DataType;

model::CollectionInfo Collection() {
  model::CollectionInfo info;
  info.schema.fields.push_back({.id = FieldId(100), .name = "id", .type = DataType::kInt64});
  info.schema.fields.push_back(
      {.id = FieldId(101), .name = "vector", .type = DataType::kFloatVector});
  return info;
}

TEST(LoadRules, TakesTheOptionsWhereNobodySaysOtherwise) {
  const model::CollectionInfo info = Collection();
  LoadOptions options;
  options.maps_vector_fields = false;
  options.warms_scalar_fields = "async";
  EXPECT_TRUE(RuleOfField(options, info, info.schema.fields[0]).is_mapped);
  EXPECT_EQ(RuleOfField(options, info, info.schema.fields[0]).warm_up, WarmUp::kAsync);
  EXPECT_FALSE(RuleOfField(options, info, info.schema.fields[1]).is_mapped);
  EXPECT_EQ(RuleOfField(options, info, info.schema.fields[1]).warm_up, WarmUp::kDisable);
  EXPECT_EQ(RuleOfIndex(options, info, {.field = FieldId(101)}).warm_up, WarmUp::kSync);
}

TEST(LoadRules, TheIndexComesBeforeTheFieldAndTheFieldBeforeTheCollection) {
  model::CollectionInfo info = Collection();
  model::FieldSchema& vector = info.schema.fields[1];
  info.properties = {{"mmap.enabled", "false"}, {"warmup.vectorIndex", "disable"}};
  model::IndexInfo index{.field = vector.id};
  EXPECT_FALSE(RuleOfField({}, info, vector).is_mapped);
  EXPECT_FALSE(RuleOfIndex({}, info, index).is_mapped);
  EXPECT_EQ(RuleOfIndex({}, info, index).warm_up, WarmUp::kDisable);
  vector.type_params = {{"mmap_enabled", "true"}, {"warmup", "sync"}};
  EXPECT_TRUE(RuleOfField({}, info, vector).is_mapped);
  EXPECT_EQ(RuleOfField({}, info, vector).warm_up, WarmUp::kSync);
  EXPECT_TRUE(RuleOfIndex({}, info, index).is_mapped);
  index.user_params = {{"mmap.enabled", "false"}, {"warmup", "async"}};
  EXPECT_FALSE(RuleOfIndex({}, info, index).is_mapped);
  EXPECT_EQ(RuleOfIndex({}, info, index).warm_up, WarmUp::kAsync);
}

}  // namespace
}  // namespace elanus::segment
