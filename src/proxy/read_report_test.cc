// Reports of reads: who gets one, and what it looks like.
#include "proxy/read_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace elanus::proxy {
namespace {

class ReadReportTest : public testing::Test {
 protected:
  // A search of two hits that runs one step of 3 ms.
  Result<model::SearchResult> Run(std::vector<std::string> output_fields) {
    model::SearchRequest request;
    request.output_fields = std::move(output_fields);
    return Reported(ctx_, options_, "Search", std::move(request),
                    [&](Context& within, const model::SearchRequest& one) {
                      ProfileStep step(within, "segment");
                      step.Says("rows", 7);
                      step.Says("by", "HNSW");
                      clock_.AdvanceMs(3);
                      asked_ = one.output_fields;
                      return Answer();
                    });
  }
  static Result<model::SearchResult> Answer() {
    model::SearchResult result;
    result.nq = 1;
    result.counts = {2};
    result.scores = {0.5f, 0.25f};
    result.output_fields = {"id"};
    return result;
  }

  ManualClock clock_;
  Context ctx_{clock_};
  ProxyOptions options_;
  std::vector<std::string> asked_;
};

TEST_F(ReadReportTest, AnAnswerIsAsItWasWhenNobodyAsks) {
  const auto result = Run({"id", "name"});
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result->columns.empty());
  EXPECT_EQ(result->explain, "");
  EXPECT_EQ(asked_, (std::vector<std::string>{"id", "name"}));
}

TEST_F(ReadReportTest, TheFirstRowHasTheTextAndTheOthersNothing) {
  const auto result = Run({"id", "$explain"});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(asked_, std::vector<std::string>{"id"});
  EXPECT_EQ(result->output_fields, (std::vector<std::string>{"id", "$explain"}));
  ASSERT_EQ(result->columns.size(), 1u);
  const model::ColumnView column = result->columns[0].view();
  ASSERT_EQ(column.rows, 2u);
  const std::string text(column.Bytes(0));
  EXPECT_TRUE(text.starts_with("Search ")) << text;
  EXPECT_NE(text.find("\n  segment "), std::string::npos) << text;
  EXPECT_NE(text.find("3.000 ms"), std::string::npos) << text;
  EXPECT_NE(text.find("  | rows: 7, by: HNSW\n"), std::string::npos) << text;
  EXPECT_EQ(column.Bytes(1), "");
}

TEST_F(ReadReportTest, TheJsonHasTheSameSteps) {
  const auto result = Run({"$explain_json"});
  ASSERT_TRUE(result.ok());
  const auto json = nlohmann::json::parse(result->columns[0].view().Bytes(0));
  EXPECT_EQ(json, nlohmann::json::parse(result->explain));
  EXPECT_EQ(json["step"], "Search");
  EXPECT_EQ(json["wall_us"], 3000);
  EXPECT_EQ(json["steps"][0]["step"], "segment");
  EXPECT_EQ(json["steps"][0]["facts"]["rows"], 7);
  EXPECT_EQ(json["steps"][0]["facts"]["by"], "HNSW");
}

TEST_F(ReadReportTest, StepsPastTheLimitAreCounted) {
  options_.explain_steps_max = 0;
  const auto result = Run({"$explain_json"});
  ASSERT_TRUE(result.ok());
  const auto json = nlohmann::json::parse(result->explain);
  EXPECT_EQ(json["steps_left_out"], 1);
  EXPECT_FALSE(json.contains("steps"));
}

TEST_F(ReadReportTest, APartOfAProfiledReadReportsIntoItsReport) {
  options_.slow_query_explain = true;
  ProfileStep whole(ctx_, "query", true, 100);
  model::SearchRequest request;
  const auto result = Reported(whole.ctx(), options_, "Search", std::move(request),
                               [&](Context& within, const model::SearchRequest&) {
                                 ProfileStep step(within, "segment");
                                 return Answer();
                               });
  ASSERT_TRUE(result.ok());
  whole.End();
  ASSERT_EQ(whole.tree()->children.size(), 1u);
  EXPECT_EQ(whole.tree()->children[0]->name, "segment");
}

}  // namespace
}  // namespace elanus::proxy
