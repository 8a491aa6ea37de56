// What models predict, against XGBoost itself, and what is refused.
#include "trees/xgboost.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

namespace elanus::trees {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::string FileOf(const std::string& name) {
  std::ifstream file(std::filesystem::path(ELANUS_TREE_MODELS) / name, std::ios::binary);
  EXPECT_TRUE(file.good()) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}
json Expected() { return json::parse(FileOf("expected.json")); }

std::vector<float> RowOf(const json& from) {
  std::vector<float> row;
  for (const json& value : from) {
    row.push_back(value.is_null() ? std::numeric_limits<float>::quiet_NaN() : value.get<float>());
  }
  return row;
}

TEST(XgboostTest, PredictsWhatXgboostPredicts) {
  const json expected = Expected();
  ASSERT_EQ(expected["models"].size(), 16u);
  for (const auto& [name, values] : expected["models"].items()) {
    const auto forest = ReadXgboost(FileOf(name));
    ASSERT_TRUE(forest.ok()) << name << ": " << forest.status().ToString();
    EXPECT_EQ(forest->features(), 4u);
    for (size_t i = 0; i < expected["rows"].size(); ++i) {
      const std::vector<float> row = RowOf(expected["rows"][i]);
      const auto raw = values["raw"][i].get<double>();
      const auto predicted = values["default"][i].get<double>();
      EXPECT_NEAR(forest->Margin(row), raw, 1e-5 * std::max(1.0, std::abs(raw))) << name << i;
      EXPECT_NEAR(forest->Predict(row), predicted, 1e-5 * std::max(1.0, std::abs(predicted)))
          << name << i;
    }
  }
}

TEST(XgboostTest, TheSameModelInJsonAndInUbjsonPredictsTheSame) {
  const json expected = Expected();
  for (const auto& [name, values] : expected["models"].items()) {
    const std::string bytes = FileOf(name);
    const json whole = bytes[1] == '"' ? json::parse(bytes) : json::from_ubjson(bytes);
    const auto first = ReadXgboost(bytes);
    const auto as_json = ReadXgboost(whole.dump());
    const std::vector<uint8_t> packed = json::to_ubjson(whole, true, true);
    const auto as_ubjson =
        ReadXgboost({reinterpret_cast<const char*>(packed.data()), packed.size()});
    ASSERT_TRUE(first.ok() && as_json.ok() && as_ubjson.ok()) << name;
    for (const json& row : expected["rows"]) {
      EXPECT_EQ(as_json->Margin(RowOf(row)), first->Margin(RowOf(row))) << name;
      EXPECT_EQ(as_ubjson->Margin(RowOf(row)), first->Margin(RowOf(row))) << name;
    }
  }
}

TEST(XgboostTest, RefusesWhatItDoesNotKnowByName) {
  const auto refusal = [](const std::string& bytes) {
    const Status status = ReadXgboost(bytes).status();
    EXPECT_EQ(status.code(), ErrorCode::kInvalidParameter);
    return std::string(status.message());
  };
  EXPECT_THAT(refusal(FileOf("refused_linear.ubj")), HasSubstr("booster 'gblinear'"));
  EXPECT_THAT(refusal(FileOf("refused_classes.json")), HasSubstr("objective 'multi:softprob'"));
  json model = json::parse(FileOf("reg_squarederror.json"));
  model["learner"]["learner_model_param"]["num_target"] = "2";
  EXPECT_THAT(refusal(model.dump()), HasSubstr("num_target is 2"));
  EXPECT_THAT(refusal("one,two\nthree,four\n"), HasSubstr("no JSON or UBJSON"));
  EXPECT_THAT(refusal(""), HasSubstr("no JSON or UBJSON"));
  EXPECT_THAT(refusal("{}"), HasSubstr("booster ''"));
}

// A model with one tree of three nodes, whose tree is damaged by `change`.
std::string Damaged(const std::function<void(json& tree)>& change) {
  json tree = {{"left_children", {1, -1, -1}},      {"right_children", {2, -1, -1}},
               {"split_indices", {0, 0, 0}},        {"split_conditions", {0.5, 10, 20}},
               {"default_left", {1, 0, 0}},         {"split_type", {0, 0, 0}},
               {"categories", json::array()},       {"categories_nodes", json::array()},
               {"categories_sizes", json::array()}, {"categories_segments", json::array()}};
  change(tree);
  const json learner = {{"gradient_booster",
                         {{"name", "gbtree"}, {"model", {{"tree_info", {0}}, {"trees", {tree}}}}}},
                        {"learner_model_param", {{"base_score", "1E0"}, {"num_feature", "2"}}},
                        {"objective", {{"name", "reg:squarederror"}}}};
  return json{{"learner", learner}}.dump();
}

TEST(XgboostTest, RefusesDamagedTrees) {
  const auto whole = ReadXgboost(Damaged([](json&) {}));
  ASSERT_TRUE(whole.ok()) << whole.status().ToString();
  EXPECT_EQ(whole->Margin(std::vector<float>{0.4f, 0}), 11);
  EXPECT_EQ(whole->Margin(std::vector<float>{0.5f, 0}), 21);
  EXPECT_EQ(whole->Margin(std::vector<float>{NAN, 0}), 11);
  struct Damage {
    const char* list;
    json values;
    const char* words;
  };
  const std::vector<Damage> damages = {
      {"left_children", {3, -1, -1}, "left_children"},
      {"left_children", {-2, -1, -1}, "left_children"},
      {"left_children", {0.5, -1, -1}, "left_children"},
      {"left_children", {0, -1, -1}, "two parents"},
      {"left_children", {2, -1, -1}, "two parents"},
      {"left_children", {-1, -1, -1}, "left_children"},
      {"left_children", json::array(), "no nodes"},
      {"right_children", {1, -1, -1}, "two parents"},
      {"right_children", {2, -1}, "right_children should have 3 entries"},
      {"right_children", {1e300, -1, -1}, "right_children"},
      {"split_indices", {2, 0, 0}, "there are 2 features"},
      {"split_indices", {-1, 0, 0}, "split_indices"},
      {"split_conditions", {1e39, 0, 0}, "finite"},
      {"split_conditions", {0, 1e39, 0}, "finite"},
      {"split_conditions", {"0", 0, 0}, "no number"},
      {"split_conditions", {nullptr, 0, 0}, "null"},
      {"split_conditions", {json::array(), 0, 0}, "should hold numbers"},
      {"default_left", {2, 0, 0}, "default_left"},
      {"split_type", {2, 0, 0}, "split_type"},
      {"split_type", {1, 0, 0}, "splits by no categories"},
      {"split_type", {1}, "split_type should have 3 entries"},
      {"categories_nodes", {0}, "categories_segments should have 1 entries"},
  };
  for (const Damage& damage : damages) {
    const Status status =
        ReadXgboost(Damaged([&](json& tree) { tree[damage.list] = damage.values; })).status();
    EXPECT_EQ(status.code(), ErrorCode::kInvalidParameter) << damage.list << damage.values;
    EXPECT_THAT(std::string(status.message()), HasSubstr(damage.words)) << damage.values;
  }
}

TEST(XgboostTest, RefusesDamagedCategories) {
  const auto with = [](json categories, json nodes, json begins, json sizes) {
    return ReadXgboost(Damaged([&](json& tree) {
      tree["split_type"] = {1, 0, 0};
      tree["categories"] = std::move(categories);
      tree["categories_nodes"] = std::move(nodes);
      tree["categories_segments"] = std::move(begins);
      tree["categories_sizes"] = std::move(sizes);
    }));
  };
  const auto whole = with({5, 3}, {0}, {0}, {2});
  ASSERT_TRUE(whole.ok()) << whole.status().ToString();
  EXPECT_EQ(whole->Margin(std::vector<float>{3, 0}), 21) << "those that are named go right";
  EXPECT_EQ(whole->Margin(std::vector<float>{5, 0}), 21);
  EXPECT_EQ(whole->Margin(std::vector<float>{4, 0}), 11);
  EXPECT_EQ(whole->Margin(std::vector<float>{-1, 0}), 11);
  EXPECT_EQ(whole->Margin(std::vector<float>{1e30f, 0}), 11);
  EXPECT_FALSE(with({5, 3}, {3}, {0}, {2}).ok());
  EXPECT_FALSE(with({5, 3}, {1}, {0}, {2}).ok());
  EXPECT_FALSE(with({5, 3}, {0}, {1}, {2}).ok());
  EXPECT_FALSE(with({5, 3}, {0}, {3}, {0}).ok());
  EXPECT_FALSE(with({5, 3}, {0}, {0}, {-1}).ok());
  EXPECT_FALSE(with({5, -3}, {0}, {0}, {2}).ok());
  EXPECT_FALSE(with({5, 3.5}, {0}, {0}, {2}).ok());
}

TEST(XgboostTest, RefusesTreesThatAreTooDeep) {
  const auto chain = [](int depth) {
    return ReadXgboost(Damaged([&](json& tree) {
      for (const char* list : {"left_children", "right_children", "split_indices",
                               "split_conditions", "default_left", "split_type"})
        tree[list] = json::array();
      for (int node = 0; node < 2 * depth + 1; ++node) {
        const bool splits = node % 2 == 0 && node < 2 * depth;
        tree["left_children"].push_back(splits ? node + 1 : -1);
        tree["right_children"].push_back(splits ? node + 2 : -1);
        for (const char* list : {"split_indices", "split_conditions", "default_left", "split_type"})
          tree[list].push_back(0);
      }
    }));
  };
  EXPECT_TRUE(chain(1024).ok());
  EXPECT_THAT(std::string(chain(1025).status().message()), HasSubstr("deeper than 1024"));
}

TEST(XgboostTest, RefusesFilesThatAreCutAnywhere) {
  for (const char* name : {"base.ubj", "dart.json"}) {
    const std::string bytes = FileOf(name);
    for (size_t end = 0; end < bytes.size(); end += 37) {
      EXPECT_EQ(ReadXgboost(bytes.substr(0, end)).status().code(), ErrorCode::kInvalidParameter)
          << name << end;
    }
  }
}

TEST(XgboostTest, BytesThatPromiseMoreThanTheyAreAreRefusedAtOnce) {
  const std::string billions("\x7f\xff\xff\xff", 4);
  EXPECT_THAT(std::string(ReadXgboost("{i\1a[$Z#l" + billions).status().message()),
              HasSubstr("a list of 2147483647 in 13 bytes"));
  EXPECT_FALSE(ReadXgboost("{i\1a" + std::string(1 << 20, '[')).ok());
  EXPECT_FALSE(ReadXgboost("{\"a\":" + std::string(1 << 20, '[')).ok());
}

}  // namespace
}  // namespace elanus::trees
