// The searches of a hybrid search run side by side: shown by meeting, not by a measured time.
#include <gtest/gtest.h>

#include <mutex>
#include <optional>

#include "proxy/ops.h"
#include "roles/testing/stand_ins.h"
#include "server/fake_cluster.h"

namespace elanus::proxy {
namespace {

constexpr size_t kSearches = 4;

// Searches begin to answer once so many have begun, or not at all.
class Meeting final : public roles::StandInStreaming {
 public:
  Meeting(Executor& executor, roles::Streaming& real, int64_t patience_ms)
      : real_(real), patience_ms_(patience_ms), monitor_(executor.MakeMonitor()) {}

  Result<model::PartialHits> Search(Context& ctx, model::ShardSearch search) override {
    {
      constexpr int64_t kLookMs = 10;
      std::lock_guard<Monitor> lock(*monitor_);
      ++begun_;
      monitor_->NotifyAll();
      for (int64_t waited = 0; begun_ < kSearches; waited += kLookMs) {
        if (waited >= patience_ms_) return Status(ErrorCode::kInternal, "the others do not begin");
        monitor_->WaitFor(kLookMs);
      }
    }
    return real_.Search(ctx, std::move(search));
  }
  Result<Timestamp> ReadMoment(Context& ctx, const std::string& vchannel,
                               Timestamp guarantee) override {
    return real_.ReadMoment(ctx, vchannel, guarantee);
  }
  Result<model::PartialRows> Query(Context& ctx, model::ShardQuery query) override {
    return real_.Query(ctx, std::move(query));
  }

 private:
  roles::Streaming& real_;
  const int64_t patience_ms_;
  std::unique_ptr<Monitor> monitor_;
  size_t begun_ = 0;
};

class HybridSearchTest : public testing::Test {
 protected:
  static constexpr uint32_t kDim = 2;

  void SetUp() override {
    auto opened = server::OpenFakeCluster(disk_, *executor_, clock_);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    cluster_ = std::move(*opened);
    Services& services = cluster_->services();
    model::CreateCollectionRequest create{.name = kName};
    create.schema.name = kName.collection;
    create.schema.fields.push_back(
        {.name = "id", .type = model::DataType::kInt64, .is_primary_key = true});
    create.schema.fields.push_back({.name = "v",
                                    .type = model::DataType::kFloatVector,
                                    .type_params = {{"dim", std::to_string(kDim)}}});
    Expect(CreateCollection(ctx_, services, create));
    Expect(CreateIndex(ctx_, services,
                       {.name = kName, .field = "v", .extra_params = {{"metric_type", "L2"}}}));
    Expect(Load(ctx_, services, kName, {}));
    UntilLoaded(services);
    model::WriteRequest write{.name = kName, .num_rows = 8};
    model::Column ids =
        model::MakeColumn(FieldId(0), "id", model::DataType::kInt64, model::DataType::kNone, 0);
    model::Column vectors = Vectors();
    for (int64_t id = 0; id < 8; ++id) {
      ids.AppendFixed(&id);
      const float v[kDim] = {static_cast<float>(id), 0};
      vectors.AppendFixed(v);
    }
    write.columns = {std::move(ids), std::move(vectors)};
    Expect(Write(ctx_, services, std::move(write)).status());
  }
  void UntilLoaded(Services& services) {
    constexpr int64_t kLookMs = 10;
    const auto monitor = executor_->MakeMonitor();
    std::lock_guard<Monitor> lock(*monitor);
    for (int64_t waited = 0; waited < 30'000; waited += kLookMs) {
      const auto state = GetLoadState(ctx_, services, kName, {});
      ASSERT_TRUE(state.ok()) << state.status().ToString();
      if (*state == model::LoadState::kLoaded) return;
      monitor->WaitFor(kLookMs);
    }
    FAIL() << "it is not loaded";
  }
  static void Expect(const Status& status) { ASSERT_TRUE(status.ok()) << status.ToString(); }
  static model::Column Vectors() {
    return model::MakeColumn(FieldId(0), "v", model::DataType::kFloatVector, model::DataType::kNone,
                             kDim);
  }

  // With so many workers besides the thread that asks.
  Result<model::SearchResult> Search(size_t workers, int64_t patience_ms) {
    model::HybridSearchRequest request{.name = kName, .rank_params = {{"limit", "3"}}};
    for (size_t i = 0; i < kSearches; ++i) {
      model::SearchRequest part{.name = kName, .anns_field = "v"};
      part.params = {{"topk", "3"}, {"metric_type", "L2"}};
      part.queries = Vectors();
      const float query[kDim] = {static_cast<float>(i), 0};
      part.queries.AppendFixed(query);
      request.requests.push_back(std::move(part));
    }
    request.consistency.level = model::ConsistencyLevel::kStrong;
    Services& all = cluster_->services();
    Pool pool(*executor_, "fan", workers, /*queue_max=*/64);
    Meeting meeting(*executor_, all.streaming, patience_ms);
    Services services{.coord = all.coord,
                      .resource_groups = all.resource_groups,
                      .streaming = meeting,
                      .index_jobs = all.index_jobs,
                      .compaction = all.compaction,
                      .fan_out = pool,
                      .clock = all.clock,
                      .options = all.options};
    return HybridSearch(ctx_, services, std::move(request));
  }

  const model::CollectionName kName{.database = "", .collection = "c"};
  ManualClock clock_;
  Context ctx_{clock_};
  std::unique_ptr<Executor> executor_ = MakeThreadExecutor();
  store::MemoryDisk disk_;
  std::unique_ptr<server::RoleSet> cluster_;
};

TEST_F(HybridSearchTest, ItsSearchesRunAtTheSameTime) {
  const auto result = Search(kSearches - 1, /*patience_ms=*/30'000);
  ASSERT_TRUE(result.ok()) << result.status().ToString();
  EXPECT_EQ(result->primary_keys.rows, 3u);
}

// What the test above would see if they ran one after another.
TEST_F(HybridSearchTest, WithoutWorkersForAllOfThemTheyDoNotMeet) {
  const auto result = Search(kSearches - 2, /*patience_ms=*/200);
  EXPECT_EQ(result.status().code(), ErrorCode::kInternal) << result.status().ToString();
}

}  // namespace
}  // namespace elanus::proxy
