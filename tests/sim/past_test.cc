// Reads at moments of the past: while rows are written, replaced and deleted, segments flushed and
// compacted and garbage collected without grace, a read at any moment within the retention finds
// exactly what was there then.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>

#include "proxy/ops.h"
#include "server/fake_cluster.h"

namespace elanus {
namespace {

constexpr int64_t kRetentionS = 60;
const model::CollectionName kName{.database = "", .collection = "c"};

using Rows = std::map<int64_t, int64_t>;  // Version by key.

class Past : public testing::TestWithParam<uint64_t> {
 protected:
  // What is read here is itself a read that stays open for a while: for a moment, so that the
  // retention decides.
  Past() : Past(kRetentionS, /*idle_s=*/1) {}
  Past(int64_t retention_s, int64_t idle_s) {
    server::Config config = server::FakeConfig();
    config.streaming.retention_s = retention_s;
    config.query.pages.idle_s_max = idle_s;
    auto opened = server::OpenFakeCluster(disk_, *executor_, clock_, config);
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    cluster_ = std::move(*opened);
    model::CreateCollectionRequest create{.name = kName};
    create.schema.name = "c";
    create.schema.fields.push_back(
        {.name = "id", .type = model::DataType::kInt64, .is_primary_key = true});
    create.schema.fields.push_back({.name = "version", .type = model::DataType::kInt64});
    create.schema.fields.push_back(
        {.name = "vec", .type = model::DataType::kFloatVector, .type_params = {{"dim", "4"}}});
    create.shards_num = 2;
    create.consistency_level = model::ConsistencyLevel::kStrong;
    EXPECT_TRUE(proxy::CreateCollection(ctx_, services(), create).ok());
    EXPECT_TRUE(
        proxy::CreateIndex(ctx_, services(),
                           {.name = kName, .field = "vec", .extra_params = {{"metric_type", "L2"}}})
            .ok());
    EXPECT_TRUE(proxy::Load(ctx_, services(), kName, {}).ok());
  }
  proxy::Services& services() { return cluster_->services(); }

  void Note(Timestamp moment) { history_.push_back({moment, rows_}); }

  void Write(const std::vector<int64_t>& keys, bool upsert) {
    ++version_;
    model::Column id = model::MakeColumn(FieldId(0), "id", model::DataType::kInt64, {}, 0);
    model::Column version =
        model::MakeColumn(FieldId(0), "version", model::DataType::kInt64, {}, 0);
    model::Column vec = model::MakeColumn(FieldId(0), "vec", model::DataType::kFloatVector, {}, 4);
    for (int64_t key : keys) {
      const float values[4] = {static_cast<float>(key), static_cast<float>(version_), 0, 1};
      id.AppendFixed(&key);
      version.AppendFixed(&version_);
      vec.AppendFixed(values);
      rows_[key] = version_;
    }
    const auto written =
        proxy::Write(ctx_, services(),
                     {.name = kName,
                      .columns = {std::move(id), std::move(version), std::move(vec)},
                      .num_rows = keys.size(),
                      .upsert = upsert});
    ASSERT_TRUE(written.ok()) << written.status().ToString();
    Note(written->timestamp);
  }

  void Erase(const std::vector<int64_t>& keys) {
    std::string list;
    for (int64_t key : keys) {
      list += fmt::format("{}{}", list.empty() ? "" : ", ", key);
      rows_.erase(key);
    }
    const auto erased =
        proxy::Delete(ctx_, services(), {.name = kName, .filter = fmt::format("id in [{}]", list)});
    ASSERT_TRUE(erased.ok()) << erased.status().ToString();
    Note(erased->timestamp);
  }

  std::vector<int64_t> SomePresent(size_t count) {
    std::vector<int64_t> keys;
    for (const auto& [key, version] : rows_) keys.push_back(key);
    std::shuffle(keys.begin(), keys.end(), rng_);
    if (keys.size() > count) keys.resize(count);
    return keys;
  }

  Rows ReadAt(Timestamp moment) {
    const auto found = proxy::Query(ctx_, services(),
                                    {.name = kName,
                                     .filter = "id >= 0",
                                     .output_fields = {"id", "version"},
                                     .params = {{"iterator", "true"}, {"limit", "1000"}},
                                     .consistency = {.use_default = false,
                                                     .level = model::ConsistencyLevel::kCustomized,
                                                     .guarantee = moment}});
    EXPECT_TRUE(found.ok()) << found.status().ToString();
    return found.ok() ? RowsOf(*found) : Rows();
  }

  static Rows RowsOf(const model::QueryResult& found) {
    Rows rows;
    const auto id = std::find_if(found.columns.begin(), found.columns.end(),
                                 [](const auto& column) { return column.name == "id"; });
    const auto version = std::find_if(found.columns.begin(), found.columns.end(),
                                      [](const auto& column) { return column.name == "version"; });
    for (size_t i = 0; i < id->rows; ++i) {
      EXPECT_TRUE(rows.emplace(id->view().Get<int64_t>(i), version->view().Get<int64_t>(i)).second);
    }
    return rows;
  }

  // Everything within the retention; what is older may be gone.
  void ExpectThePast() {
    const int64_t oldest_ms = clock_.NowMs() - kRetentionS * 1000;
    while (!history_.empty() && PhysicalMs(history_.front().moment) <= oldest_ms) {
      history_.pop_front();
    }
    for (size_t i = 0; i < history_.size(); i += 1 + rng_() % 3) {
      EXPECT_EQ(ReadAt(history_[i].moment), history_[i].rows)
          << "seed " << GetParam() << ", " << (clock_.NowMs() - PhysicalMs(history_[i].moment))
          << " ms ago";
      ++compared_;
    }
  }

  // Lets the others work until they all wait.
  void Settle() {
    for (int i = 0; i < 20; ++i) {
      std::lock_guard<Monitor> lock(*monitor_);
      while (monitor_->WaitFor(1)) {
      }
    }
  }

  struct Moment {
    Timestamp moment;
    Rows rows;
  };

  std::mt19937_64 rng_{GetParam()};
  std::unique_ptr<Executor> executor_ = MakeSimExecutor(GetParam());
  std::unique_ptr<Monitor> monitor_ = executor_->MakeMonitor();
  ManualClock clock_;
  Context ctx_{clock_};
  store::MemoryDisk disk_;
  std::unique_ptr<server::RoleSet> cluster_;
  Rows rows_;
  std::deque<Moment> history_;
  int64_t version_ = 0;
  int64_t next_key_ = 0;
  int compared_ = 0;
};

TEST_P(Past, IsReadExactlyWithinTheRetention) {
  for (int step = 0; step < 120; ++step) {
    clock_.AdvanceMs(static_cast<int64_t>(rng_() % 1500));
    switch (rng_() % 6) {
      case 0:
      case 1: {
        std::vector<int64_t> keys;
        for (int i = 0; i < 12; ++i) keys.push_back(next_key_++);
        Write(keys, /*upsert=*/false);
        break;
      }
      case 2:
        if (!rows_.empty()) Write(SomePresent(5), /*upsert=*/true);
        break;
      case 3:
        if (!rows_.empty()) Erase(SomePresent(6));
        break;
      case 4:
        ASSERT_TRUE(proxy::Flush(ctx_, services(), "", {"c"}).ok());
        Settle();
        break;
      case 5:
        (void)proxy::Compact(ctx_, services(), {.name = kName});
        Settle();
        (void)cluster_->garbage().Collect(ctx_);
        break;
    }
    if (HasFatalFailure()) return;
    if (step % 8 == 7) ExpectThePast();
    if (HasFailure()) return;
  }
  EXPECT_GT(compared_, 100);
  EXPECT_EQ(ReadAt(history_.back().moment), rows_);
}

TEST_P(Past, RowsDeletedBeforeTheRetentionGoForGood) {
  std::vector<int64_t> keys;
  for (int64_t key = 0; key < 100; ++key) keys.push_back(key);
  Write(keys, false);
  Erase({keys.begin(), keys.begin() + 90});
  const auto rows_in_files = [&] {
    int64_t rows = 0;
    const auto info = *services().coord.catalog.Find(ctx_, kName);
    const auto segments = *services().coord.segments.ListSegments(ctx_, info->id);
    for (const auto& segment : segments) rows += segment.rows;
    return rows;
  };
  ASSERT_TRUE(proxy::Flush(ctx_, services(), "", {"c"}).ok());
  Settle();
  EXPECT_EQ(rows_in_files(), 100) << "for readers of the past";
  clock_.AdvanceMs((kRetentionS + 1) * 1000);
  ASSERT_TRUE(proxy::Compact(ctx_, services(), {.name = kName}).ok());
  Settle();
  EXPECT_EQ(rows_in_files(), 10);
  EXPECT_EQ(ReadAt(MakeTimestamp(clock_.NowMs())), rows_);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Past, testing::Range<uint64_t>(1, 9));

// An iterator is read page by page while its rows change under it. There is no retention.
class OpenIterator : public Past {
 protected:
  static constexpr int64_t kIdleS = 30;
  OpenIterator() : Past(0, kIdleS) {}

  // The page behind `last`; the first one, at moment 0, tells the moment of all.
  Rows Page(int64_t last, Timestamp& moment) {
    constexpr const char* kPageRows = "7";
    model::QueryRequest request{.name = kName,
                                .filter = fmt::format("id > {}", last),
                                .output_fields = {"id", "version"},
                                .params = {{"iterator", "true"}, {"limit", kPageRows}}};
    if (moment != Timestamp()) {
      request.consistency = {
          .use_default = false, .level = model::ConsistencyLevel::kCustomized, .guarantee = moment};
    }
    const auto found = proxy::Query(ctx_, services(), request);
    EXPECT_TRUE(found.ok()) << found.status().ToString();
    if (!found.ok()) return {};
    if (moment == Timestamp()) moment = found->session;
    return RowsOf(*found);
  }

  void ChangeSomething() {
    switch (rng_() % 4) {
      case 0:
        if (!rows_.empty()) Write(SomePresent(8), /*upsert=*/true);
        break;
      case 1:
        if (!rows_.empty()) Erase(SomePresent(8));
        break;
      case 2:
        ASSERT_TRUE(proxy::Flush(ctx_, services(), "", {"c"}).ok());
        break;
      case 3:
        (void)proxy::Compact(ctx_, services(), {.name = kName});
        break;
    }
    Settle();
    (void)cluster_->garbage().Collect(ctx_);
  }

  int64_t RowsInFiles() {
    int64_t rows = 0;
    const auto info = *services().coord.catalog.Find(ctx_, kName);
    const auto segments = *services().coord.segments.ListSegments(ctx_, info->id);
    for (const auto& segment : segments) rows += segment.rows;
    return rows;
  }
};

TEST_P(OpenIterator, GivesEveryRowOfItsMoment) {
  std::vector<int64_t> keys;
  for (int64_t key = 0; key < 90; ++key) keys.push_back(key);
  Write(keys, false);
  for (int change = 0; change < 6; ++change) ChangeSomething();
  const Rows expected = rows_;
  Timestamp moment;
  Rows given;
  int64_t last = -1;
  while (true) {
    const Rows page = Page(last, moment);
    if (page.empty()) break;
    given.insert(page.begin(), page.end());
    last = page.rbegin()->first;
    for (int change = 0; change < 4; ++change) {
      // The pages come late, yet in time.
      clock_.AdvanceMs(static_cast<int64_t>(rng_() % (kIdleS * 1000 / 4)));
      ChangeSomething();
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_EQ(given, expected);
  // Nobody reads on: what is deleted goes.
  clock_.AdvanceMs((kIdleS + 1) * 1000);
  ASSERT_TRUE(proxy::Flush(ctx_, services(), "", {"c"}).ok());
  Settle();
  (void)proxy::Compact(ctx_, services(), {.name = kName});
  Settle();
  EXPECT_EQ(RowsInFiles(), static_cast<int64_t>(rows_.size()));
}

INSTANTIATE_TEST_SUITE_P(Seeds, OpenIterator, testing::Range<uint64_t>(1, 17));

}  // namespace
}  // namespace elanus
