// Hits in buckets: their keys, numbers, order and hits; what a request may not ask for.
#include "proxy/rerank/buckets.h"

#include <gtest/gtest.h>

namespace elanus::proxy {
namespace {

using model::BucketLevel;
using model::Column;
using model::DataType;

model::CollectionSchema Schema() {
  model::CollectionSchema schema;
  schema.fields.push_back(
      {.id = FieldId(100), .name = "id", .type = DataType::kInt64, .is_primary_key = true});
  schema.fields.push_back({.id = FieldId(101), .name = "city", .type = DataType::kVarChar});
  schema.fields.push_back({.id = FieldId(102), .name = "stars", .type = DataType::kInt8});
  schema.fields.push_back({.id = FieldId(103), .name = "price", .type = DataType::kDouble});
  schema.fields.push_back({.id = FieldId(104), .name = "meta", .type = DataType::kJson});
  return schema;
}

struct Hotel {
  int64_t id;
  const char* city;  // Null: none.
  int8_t stars;
  double price;
  float score;
};

class BucketsTest : public testing::Test {
 protected:
  // The best group first, its hits together, as a grouped search gives them.
  const std::vector<Hotel> hotels_ = {{1, "Oslo", 3, 80, 0.9f},   {2, "Oslo", 3, 60, 0.5f},
                                      {3, "Rome", 4, 120, 0.8f},  {4, "Oslo", 5, 300, 0.7f},
                                      {5, nullptr, 3, 40, 0.65f}, {6, "Rome", 3, 70, 0.6f},
                                      {7, "Rome", 3, 90, 0.1f}};

  model::SearchResult Result(const std::vector<std::string>& keys) {
    model::SearchResult result;
    const model::CollectionSchema schema = Schema();
    for (const char* name : {"id", "city", "stars", "price"}) {
      const model::FieldSchema& field = *schema.FindField(name);
      Column column = model::MakeColumn(field.id, field.name, field.type, DataType::kNone, 0);
      for (const Hotel& hotel : hotels_) Append(hotel, column);
      if (std::find(keys.begin(), keys.end(), name) != keys.end()) {
        result.group_values.push_back(column);
      }
      result.columns.push_back(std::move(column));
    }
    for (const Hotel& hotel : hotels_) result.scores.push_back(hotel.score);
    return result;
  }
  static void Append(const Hotel& hotel, Column& column) {
    if (column.name == "city") {
      if (hotel.city == nullptr) return column.AppendNull();
      return column.AppendBytes(hotel.city);
    }
    if (column.name == "id") return column.AppendFixed(&hotel.id);
    if (column.name == "stars") return column.AppendFixed(&hotel.stars);
    column.AppendFixed(&hotel.price);
  }
  std::vector<model::Bucket> Make(const std::vector<BucketLevel>& levels) {
    const auto plan = PlanBuckets(Schema(), levels);
    EXPECT_TRUE(plan.ok()) << plan.status().ToString();
    const model::SearchResult result = Result(plan->keys);
    auto buckets = MakeBuckets(*plan, result, 0, hotels_.size());
    EXPECT_TRUE(buckets.ok()) << buckets.status().ToString();
    return *buckets;
  }
  static void ExpectInvalid(const BucketLevel& level) {
    EXPECT_EQ(PlanBuckets(Schema(), {level}).status().code(), ErrorCode::kInvalidParameter);
  }
};

TEST_F(BucketsTest, CountsAndReckonsOverTheHitsOfEach) {
  BucketLevel level{.fields = {"city"}, .size = 5};
  level.metrics = {{"n", {"count", "*"}},          {"mean", {"avg", "price"}},
                   {"stars", {"sum", "stars"}},    {"best", {"max", "_score"}},
                   {"cheapest", {"min", "price"}}, {"first", {"min", "city"}}};
  const auto buckets = Make({level});
  ASSERT_EQ(buckets.size(), 3u);
  EXPECT_EQ(buckets[0].key[0].value, model::Scalar(std::string("Oslo")));
  EXPECT_EQ(buckets[0].key[0].field, FieldId(101));
  EXPECT_EQ(buckets[1].key[0].value, model::Scalar(std::string("Rome")));
  EXPECT_TRUE(buckets[2].key[0].value.is_null()) << "rows without a city are a bucket";
  EXPECT_EQ(buckets[0].count, 3);
  const auto& metrics = buckets[0].metrics;
  EXPECT_EQ(metrics.at("n"), model::Scalar(int64_t{3}));
  EXPECT_NEAR(metrics.at("mean").as_double(), 440.0 / 3, 1e-9);
  EXPECT_EQ(metrics.at("stars"), model::Scalar(int64_t{11}));
  EXPECT_NEAR(metrics.at("best").as_double(), 0.9, 1e-6);
  EXPECT_EQ(metrics.at("cheapest"), model::Scalar(60.0));
  EXPECT_TRUE(buckets[2].metrics.at("first").is_null());
  EXPECT_TRUE(buckets[0].hits.empty()) << "nobody has asked for hits";
}

TEST_F(BucketsTest, AreOrderedAndCut) {
  BucketLevel level{.fields = {"city"}, .size = 2, .search_size = 3};
  level.metrics = {{"mean", {"avg", "price"}}};
  level.order = {{.key = "mean", .direction = "asc"}};
  auto buckets = Make({level});
  ASSERT_EQ(buckets.size(), 2u);
  EXPECT_TRUE(buckets[0].key[0].value.is_null());
  EXPECT_EQ(buckets[1].key[0].value, model::Scalar(std::string("Rome")));
  level.order = {{.key = "_count"}, {.key = "_key", .direction = "desc"}};
  buckets = Make({level});
  EXPECT_EQ(buckets[0].key[0].value, model::Scalar(std::string("Rome")));
  EXPECT_EQ(buckets[1].key[0].value, model::Scalar(std::string("Oslo")));
  level.order = {{.key = "_key", .direction = "asc", .nulls_first = true}};
  EXPECT_TRUE(Make({level})[0].key[0].value.is_null());
  level.search_size = 2;
  level.order = {{.key = "mean", .direction = "asc"}};
  EXPECT_EQ(Make({level})[0].key[0].value, model::Scalar(std::string("Rome")))
      << "only the two of the best hits are looked at";
}

TEST_F(BucketsTest, ShowTheirBestHitsInTheOrderAskedFor) {
  BucketLevel level{.fields = {"city"}, .size = 2};
  level.top_hits = {.size = 2, .sort = {}};
  EXPECT_EQ(Make({level})[0].hits, (std::vector<uint32_t>{0, 3})) << "by score";
  level.top_hits->sort = {{.key = "price", .direction = "asc"}};
  EXPECT_EQ(Make({level})[0].hits, (std::vector<uint32_t>{1, 0}));
  level.top_hits->sort = {{.key = "stars"}, {.key = "_score", .direction = "asc"}};
  EXPECT_EQ(Make({level})[1].hits, (std::vector<uint32_t>{2, 6}));
}

TEST_F(BucketsTest, HoldBucketsOfTheNextLevel) {
  BucketLevel cities{.fields = {"city"}, .size = 2};
  BucketLevel stars{.fields = {"stars"}, .size = 2};
  stars.metrics = {{"n", {"count", "price"}}};
  stars.top_hits = {.size = 1, .sort = {}};
  const auto buckets = Make({cities, stars});
  ASSERT_EQ(buckets.size(), 2u);
  ASSERT_EQ(buckets[0].buckets.size(), 2u);
  EXPECT_EQ(buckets[0].buckets[0].key[0].value, model::Scalar(int64_t{3}));
  EXPECT_EQ(buckets[0].buckets[0].count, 2);
  EXPECT_EQ(buckets[0].buckets[0].metrics.at("n"), model::Scalar(int64_t{2}));
  EXPECT_EQ(buckets[0].buckets[1].hits, (std::vector<uint32_t>{3}));
  EXPECT_EQ(buckets[1].buckets[0].key[0].value, model::Scalar(int64_t{4}));
}

TEST_F(BucketsTest, KnowWhatASearchHasToFindForThem) {
  BucketLevel cities{.fields = {"city"}, .size = 2, .search_size = 5};
  cities.top_hits = {.size = 4, .sort = {{.key = "price"}}};
  const BucketLevel stars{.fields = {"stars"}, .size = 3};
  const auto plan = PlanBuckets(Schema(), {cities, stars});
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->keys, (std::vector<std::string>{"city", "stars"}));
  EXPECT_EQ(plan->reads, (std::vector<std::string>{"price"}));
  EXPECT_EQ(plan->buckets_max, 15u);
  EXPECT_EQ(plan->hits_max, 4u);
}

TEST_F(BucketsTest, RefuseWhatMakesNoSense) {
  const BucketLevel good{.fields = {"city"}, .size = 2};
  ExpectInvalid({.fields = {}, .size = 2});
  ExpectInvalid({.fields = {"city"}, .size = 0});
  ExpectInvalid({.fields = {"city"}, .size = 3, .search_size = 2});
  ExpectInvalid({.fields = {"nobody"}, .size = 2});
  ExpectInvalid({.fields = {"price"}, .size = 2});
  ExpectInvalid({.fields = {"meta"}, .size = 2});
  ExpectInvalid({.fields = {"city", "city"}, .size = 2});
  const auto with_metric = [&](const char* op, const char* field) {
    BucketLevel level = good;
    level.metrics = {{"m", {op, field}}};
    return level;
  };
  ExpectInvalid(with_metric("median", "price"));
  ExpectInvalid(with_metric("sum", "*"));
  ExpectInvalid(with_metric("sum", "city"));
  ExpectInvalid(with_metric("avg", "nobody"));
  ExpectInvalid(with_metric("count", "meta"));
  BucketLevel level = good;
  level.order = {{.key = "mean"}};
  ExpectInvalid(level);
  level.order = {{.key = "_key", .direction = "up"}};
  ExpectInvalid(level);
  level = good;
  level.top_hits = {.size = 0, .sort = {}};
  ExpectInvalid(level);
  level.top_hits = {.size = 1, .sort = {{.key = "meta"}}};
  ExpectInvalid(level);
  EXPECT_FALSE(PlanBuckets(Schema(), {good, good}).ok()) << "a field on two levels";
  const BucketLevel stars{.fields = {"stars"}, .size = 1};
  const BucketLevel ids{.fields = {"id"}, .size = 1};
  EXPECT_EQ(PlanBuckets(Schema(), {good, stars, ids, good, good}).status().code(),
            ErrorCode::kInvalidParameter);
}

}  // namespace
}  // namespace elanus::proxy
