// Chains of steps over hits: what they reckon, what they refuse.
#include "model/score_chain.h"

#include <gtest/gtest.h>

#include <cmath>

namespace elanus::model {
namespace {

ChainStep Map(std::string function, std::vector<std::string> columns,
              std::map<std::string, Scalar> params, std::string output = "$score") {
  ChainStep step{.op = "map",
                 .expression = {.name = std::move(function), .arguments = {}, .params = params},
                 .inputs = {},
                 .outputs = {std::move(output)},
                 .params = {}};
  for (std::string& column : columns) {
    step.expression.arguments.push_back({.column = std::move(column), .literal = {}});
  }
  return step;
}
ChainStep Op(std::string op, std::vector<std::string> inputs,
             std::map<std::string, Scalar> params = {}) {
  return {.op = std::move(op),
          .expression = {},
          .inputs = std::move(inputs),
          .outputs = {},
          .params = std::move(params)};
}

class ScoreChainTest : public testing::Test {
 protected:
  void SetUp() override {
    schema_.fields.push_back(
        {.id = FieldId(100), .name = "id", .type = DataType::kInt64, .is_primary_key = true});
    schema_.fields.push_back({.id = FieldId(101), .name = "price", .type = DataType::kDouble});
    schema_.fields.push_back({.id = FieldId(102), .name = "label", .type = DataType::kVarChar});
    schema_.fields.push_back({.id = FieldId(103), .name = "meta", .type = DataType::kJson});
    for (const FieldSchema& field : schema_.fields) {
      columns_.push_back(MakeColumn(field.id, field.name, field.type, DataType::kNone, 0));
    }
    const std::vector<std::string> labels = {"b", "a", "b", "c"};
    for (int64_t i = 0; i < 4; ++i) {
      const int64_t key = 10 - i;
      const auto price = static_cast<double>(i * i);
      columns_[0].AppendFixed(&key);
      if (i == 2) {
        columns_[1].AppendNull();
      } else {
        columns_[1].AppendFixed(&price);
      }
      columns_[2].AppendBytes(labels[static_cast<size_t>(i)]);
    }
  }

  Result<ScoreChain> Compile(const std::vector<ChainStep>& steps,
                             ChainStage stage = ChainStage::kMerged) {
    return ScoreChain::Compile(steps, stage, schema_);
  }
  // Runs over all hits, or those at `places`.
  void Run(const std::vector<ChainStep>& steps, std::vector<uint32_t> places = {0, 1, 2, 3}) {
    const auto chain = Compile(steps);
    ASSERT_TRUE(chain.ok()) << chain.status().ToString();
    ChainInput input{.keys = columns_[0].view(),
                     .fields = {},
                     .segment_rows = {},
                     .groups = {},
                     .factors = {},
                     .ask = ask_,
                     .predict = predict_};
    for (FieldId id : chain->fields()) {
      input.fields.push_back(columns_[static_cast<size_t>(id.value() - 100)].view());
    }
    scores_ = {0.5f, 0.25f, 0.125f, 1};
    places_ = std::move(places);
    const Status status = chain->Run(input, places_, scores_);
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
  void ExpectInvalid(const std::vector<ChainStep>& steps) {
    EXPECT_EQ(Compile(steps).status().code(), ErrorCode::kInvalidParameter);
  }

  CollectionSchema schema_;
  decltype(ChainInput::ask) ask_;
  decltype(ChainInput::predict) predict_;
  std::vector<Column> columns_;
  std::vector<uint32_t> places_;
  std::vector<float> scores_;
};

TEST_F(ScoreChainTest, CombinesColumnsInEveryMode) {
  const auto combined = [&](const std::string& mode) {
    Run({Map("num_combine", {"$score", "price"}, {{"mode", mode}})});
    return scores_;
  };
  EXPECT_EQ(combined("multiply"), (std::vector<float>{0, 0.25f, 0, 9}));
  EXPECT_EQ(combined("sum"), (std::vector<float>{0.5f, 1.25f, 0.125f, 10}));
  EXPECT_EQ(combined("max"), (std::vector<float>{0.5f, 1, 0.125f, 9}));
  EXPECT_EQ(combined("min"), (std::vector<float>{0, 0.25f, 0, 1}));
  EXPECT_EQ(combined("avg"), (std::vector<float>{0.25f, 0.625f, 0.0625f, 5}));
  Run({Map("num_combine", {"$score", "price"},
           {{"mode", std::string("weighted")}, {"weights", ScalarList{2.0, int64_t{1}}}})});
  EXPECT_EQ(scores_, (std::vector<float>{1, 1.5f, 0.25f, 11}));
}

TEST_F(ScoreChainTest, ReadsWhatEarlierStepsWrote) {
  Run({Map("decay", {"price"},
           {{"function", std::string("linear")}, {"origin", 0.0}, {"scale", 2.0}, {"decay", 0.5}},
           "near"),
       Map("num_combine", {"$score", "near"}, {{"mode", std::string("sum")}}),
       Map("round_decimal", {"$score"}, {{"decimal", int64_t{1}}})});
  // Factors 1, 0.75, none for the null, and never below the decay.
  EXPECT_EQ(scores_, (std::vector<float>{1.5f, 1.0f, 0.1f, 1.5f}));
}

TEST_F(ScoreChainTest, SortsWithATieBreakAndCuts) {
  Run({Op("sort", {"label", "$id"}, {{"desc", true}})});
  EXPECT_EQ(places_, (std::vector<uint32_t>{3, 2, 0, 1})) << "of equal labels the smaller key";
  Run({Op("sort", {"price"}, {{"desc", true}})});
  EXPECT_EQ(places_, (std::vector<uint32_t>{3, 1, 0, 2})) << "a null is last";
  Run({Op("sort", {"$score"}), Op("limit", {}, {{"limit", int64_t{2}}, {"offset", int64_t{1}}})});
  EXPECT_EQ(places_, (std::vector<uint32_t>{0, 1}));
}

TEST_F(ScoreChainTest, KeepsAFewHitsOfEachGroup) {
  Run({Op("group_by", {"label"})});
  EXPECT_EQ(places_, (std::vector<uint32_t>{0, 1, 3}));
  Run({Op("group_by", {"label"}, {{"group_size", int64_t{2}}, {"limit", int64_t{1}}})});
  EXPECT_EQ(places_, (std::vector<uint32_t>{0, 2}));
}

TEST_F(ScoreChainTest, AsksTreesWithTheNumbersOfAHitNullsMissing) {
  std::vector<std::vector<float>> asked;
  predict_ = [&](size_t forest, std::span<const float> features) {
    asked.emplace_back(features.begin(), features.end());
    return forest == 0 ? static_cast<double>(asked.size()) : 7.0;
  };
  const std::vector<ChainStep> steps = {
      Map("xgboost", {"price", "$score"}, {{"model_resource", std::string("a")}}),
      Map("xgboost", {"$score"},
          {{"model_resource", std::string("b")}, {"output", std::string("raw")}}, "other")};
  EXPECT_EQ(Compile(steps)->forests(),
            (std::vector<ChainForest>{{.resource = "a", .features = 2, .is_raw = false},
                                      {.resource = "b", .features = 1, .is_raw = true}}));
  Run(steps);
  EXPECT_EQ(scores_, (std::vector<float>{1, 2, 3, 4}));
  ASSERT_EQ(asked.size(), 8u);
  EXPECT_EQ(asked[1], (std::vector<float>{1, 0.25f}));
  EXPECT_TRUE(std::isnan(asked[2][0])) << "a null";
  EXPECT_EQ(asked[2][1], 0.125f);
  EXPECT_EQ(asked[4], (std::vector<float>{1})) << "what the first has written";
}

TEST_F(ScoreChainTest, TouchesOnlyTheHitsOfItsQuery) {
  Run({Map("num_combine", {"$score", "$score"}, {{"mode", std::string("sum")}})}, {1, 2});
  EXPECT_EQ(scores_, (std::vector<float>{0.5f, 0.5f, 0.25f, 1}));
  EXPECT_EQ(places_, (std::vector<uint32_t>{1, 2}));
}

std::map<std::string, Scalar> Service(std::map<std::string, Scalar> more = {}) {
  more["queries"] = ScalarList{std::string("a query")};
  more["provider"] = std::string("tei");
  return more;
}

TEST_F(ScoreChainTest, AsksAModelOnlyAboutTheHitsThatAreLeft) {
  std::vector<uint32_t> asked;
  ask_ = [&](size_t model, std::span<const uint32_t> places, std::span<double> scores) -> Status {
    EXPECT_EQ(model, 0u);
    asked.assign(places.begin(), places.end());
    for (size_t i = 0; i < places.size(); ++i) scores[i] = 10.0 * places[i];
    return {};
  };
  Run({Op("sort", {"$id"}, {{"desc", false}}), Op("limit", {}, {{"limit", int64_t{2}}}),
       Map("rerank_model", {"label"}, Service(), "fit"),
       Map("num_combine", {"$score", "fit"}, {{"mode", std::string("sum")}}),
       Op("sort", {"fit"}, {{"desc", true}})});
  EXPECT_EQ(asked, (std::vector<uint32_t>{3, 2}));
  EXPECT_EQ(places_, (std::vector<uint32_t>{3, 2}));
  EXPECT_EQ(scores_, (std::vector<float>{0.5f, 0.25f, 20.125f, 31}));
  ask_ = [](size_t, std::span<const uint32_t>, std::span<double>) -> Status {
    ADD_FAILURE() << "there is nothing to ask about";
    return {};
  };
  Run({Op("limit", {}, {{"limit", int64_t{1}}, {"offset", int64_t{4}}}),
       Map("rerank_model", {"label"}, Service())});
  EXPECT_TRUE(places_.empty());
}

TEST_F(ScoreChainTest, SaysWhatItAsksOfModels) {
  const auto chain =
      Compile({Map("rerank_model", {"label"},
                   Service({{"top", int64_t{3}}, {"truncate", true}, {"share", 0.5}}))});
  ASSERT_TRUE(chain.ok()) << chain.status().ToString();
  ASSERT_EQ(chain->models().size(), 1u);
  const ChainModel& model = chain->models()[0];
  EXPECT_EQ(model.field, FieldId(102));
  EXPECT_EQ(chain->fields(), std::vector<FieldId>{FieldId(102)});
  EXPECT_EQ(model.queries, std::vector<std::string>{"a query"});
  EXPECT_EQ(*Find(model.params, "top"), "3");
  EXPECT_EQ(*Find(model.params, "truncate"), "true");
  EXPECT_EQ(*Find(model.params, "share"), "0.5");
  EXPECT_EQ(Find(model.params, "queries"), nullptr);
  ExpectInvalid({Map("rerank_model", {"price"}, Service())});
  ExpectInvalid({Map("rerank_model", {"label", "label"}, Service())});
  ExpectInvalid({Map("rerank_model", {"label"}, {{"provider", std::string("tei")}})});
  ExpectInvalid({Map("rerank_model", {"label"}, {{"queries", ScalarList{std::string()}}})});
  ExpectInvalid({Map("rerank_model", {"label"}, Service({{"tags", ScalarList{1.0}}}))});
  EXPECT_EQ(
      Compile({Map("rerank_model", {"label"}, Service())}, ChainStage::kSegment).status().code(),
      ErrorCode::kInvalidParameter);
}

TEST_F(ScoreChainTest, BoostsRowsThatPassAFilter) {
  const std::map<std::string, Scalar> boost = {{"weight", 2.0}, {"filter", std::string("id > 7")}};
  std::map<std::string, Scalar> sum = boost;
  sum["boost_mode"] = std::string("sum");
  const auto chain =
      Compile({Map("boost_score", {}, boost), Map("boost_score", {"price"}, sum, "x"),
               Map("num_combine", {"$score", "x"}, {{"mode", std::string("sum")}})},
              ChainStage::kSegment);
  ASSERT_TRUE(chain.ok()) << chain.status().ToString();
  ASSERT_EQ(chain->boosts().size(), 2u);
  EXPECT_EQ(chain->boosts()[0].filter, "id > 7");
  EXPECT_FALSE(chain->boosts()[0].is_random);
  const double none = std::nan("");
  const ChainInput input{.keys = columns_[0].view(),
                         .fields = {columns_[1].view()},
                         .segment_rows = {},
                         .groups = {},
                         .factors = {{2, none, 2, none}, {none, 3, 3, none}},
                         .ask = {}};
  std::vector<uint32_t> places = {0, 1, 2, 3};
  std::vector<float> scores = {0.5f, 0.25f, 0.125f, 1};
  ASSERT_TRUE(chain->Run(input, places, scores).ok());
  // Prices 0, 1, none, 9: a null counts as 0.
  EXPECT_EQ(scores, (std::vector<float>{1, 4.25f, 0.25f, 10}));
}

TEST_F(ScoreChainTest, BoostsAtRandomAsAnObjectSays) {
  const auto compiled = [&](std::map<std::string, Scalar> params) {
    return Compile({Map("boost_score", {"$score"}, params)}, ChainStage::kSegment);
  };
  const auto chain = compiled({{"weight", int64_t{1}},
                               {"random_score", Scalar()},
                               {"random_score.seed", int64_t{7}},
                               {"random_score.field", std::string("id")}});
  ASSERT_TRUE(chain.ok()) << chain.status().ToString();
  EXPECT_TRUE(chain->boosts()[0].is_random);
  EXPECT_EQ(chain->boosts()[0].seed, 7);
  EXPECT_EQ(chain->boosts()[0].random_field, FieldId(100));
  const std::vector<std::map<std::string, Scalar>> bad = {
      {},
      {{"weight", std::string("2")}},
      {{"weight", 1.0}, {"random_score", std::string("{}")}},
      {{"weight", 1.0}, {"random_score", Scalar()}, {"random_score.field", std::string("price")}},
      {{"weight", 1.0}, {"random_score", Scalar()}, {"random_score.seed", std::string("x")}},
      {{"weight", 1.0}, {"random_score", Scalar()}, {"random_score.sead", int64_t{1}}},
      {{"weight", 1.0}, {"boost_mode", std::string("divide")}}};
  for (const auto& params : bad) {
    EXPECT_EQ(compiled(params).status().code(), ErrorCode::kInvalidParameter);
  }
  ExpectInvalid({Map("boost_score", {"$score"}, {{"weight", 1.0}})});  // Of merged hits.
}

TEST_F(ScoreChainTest, RefusesWhatMakesNoSense) {
  const std::map<std::string, Scalar> curve = {
      {"function", std::string("exp")}, {"origin", 0.0}, {"scale", 1.0}};
  ExpectInvalid({});
  ExpectInvalid({Op("shuffle", {})});
  ExpectInvalid({Op("filter", {"$score"})});
  ExpectInvalid({Op("limit", {}, {{"limit", int64_t{0}}})});
  ExpectInvalid({Op("limit", {}, {{"limit", int64_t{1}}, {"offset", int64_t{-1}}})});
  ExpectInvalid({Op("sort", {})});
  ExpectInvalid({Op("sort", {"nobody"})});
  ExpectInvalid({Op("sort", {"meta"})});
  ExpectInvalid({Op("group_by", {"$score"})});
  ExpectInvalid({Op("select", {"$id"}), Op("sort", {"price"})});
  ExpectInvalid({Map("guess", {"price"}, {})});
  ExpectInvalid({Map("decay", {"label"}, curve)});
  ExpectInvalid({Map("decay", {"price", "$score"}, curve)});
  ExpectInvalid({Map("decay", {"price"}, {})});
  ExpectInvalid({Map("num_combine", {"price"}, {})});
  ExpectInvalid({Map("num_combine", {"price", "$score"}, {{"mode", std::string("best")}})});
  ExpectInvalid({Map("num_combine", {"price", "$score"}, {{"mode", std::string("weighted")}})});
  ExpectInvalid({Map("round_decimal", {"$score"}, {{"decimal", int64_t{7}}})});
  ExpectInvalid({Map("round_decimal", {"$score"}, {{"decimal", int64_t{1}}}, "price")});
  ExpectInvalid({Map("round_decimal", {"$score"}, {{"decimal", int64_t{1}}}, "$id")});
  ExpectInvalid({Map("round_decimal", {"$seg_offset"}, {{"decimal", int64_t{1}}})});
  const std::map<std::string, Scalar> model = {{"model_resource", std::string("m")}};
  ExpectInvalid({Map("xgboost", {}, model)});
  ExpectInvalid({Map("xgboost", {"label"}, model)});
  ExpectInvalid({Map("xgboost", {"price"}, {})});
  ExpectInvalid({Map("xgboost", {"price"}, {{"model_resource", int64_t{1}}})});
  ExpectInvalid({Map("xgboost", {"price"}, {{"model_resource", std::string("m")}, {"x", 1.0}})});
  ExpectInvalid({Map("xgboost", {"price"},
                     {{"model_resource", std::string("m")}, {"output", std::string("leaf")}})});
  EXPECT_TRUE(Compile({Map("round_decimal", {"$seg_offset"}, {{"decimal", int64_t{1}}})},
                      ChainStage::kSegment)
                  .ok());
}

}  // namespace
}  // namespace elanus::model
