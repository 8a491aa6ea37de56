// What a model is asked, and about which queries.
#include "proxy/rerank/model_rank.h"

#include <gtest/gtest.h>

namespace elanus::proxy {
namespace {

TEST(ModelRank, QueriesWithoutVectorHaveNoHits) {
  EXPECT_EQ(QueriesWithVector(3, {}), (std::vector<size_t>{0, 1, 2}));
  EXPECT_EQ(QueriesWithVector(2, {0, 1, 0, 1}), (std::vector<size_t>{1, 3}));
  EXPECT_TRUE(QueriesWithVector(0, {0, 0}).empty());
}

TEST(ModelRank, AChainsModelIsTheModelName) {
  model::CollectionSchema schema;
  schema.fields.push_back({.id = FieldId(100), .name = "text", .type = model::DataType::kVarChar});
  model::ChainModel asked{.field = FieldId(100), .queries = {"q"}, .params = {{"Model", "m"}}};
  const ModelRank rank = RankOfChain(asked, schema);
  EXPECT_EQ(rank.field->name, "text");
  EXPECT_EQ(rank.queries, std::vector<std::string>{"q"});
  EXPECT_EQ(*model::Find(rank.params, "model_name"), "m");
  asked.params.push_back({"model_name", "n"});
  EXPECT_EQ(*model::Find(RankOfChain(asked, schema).params, "model_name"), "n");
}

}  // namespace
}  // namespace elanus::proxy
