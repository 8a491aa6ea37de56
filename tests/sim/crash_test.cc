// A whole cluster under a seed: writers, deleters, readers, flushes, compactions and garbage
// collection without grace interleave in an order drawn from it, now and then the collection is
// truncated, and at moments drawn from it writes to the stores fail and the power goes. While it
// runs and after reopening every acknowledged row is there, every deleted one gone, none half
// there, and a truncation has happened to all rows or to none.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "base/log.h"
#include "proxy/ops.h"
#include "server/fake_cluster.h"

namespace elanus {
namespace {

constexpr uint32_t kDim = 4;
const model::CollectionName kName{.database = "", .collection = "c"};

enum class Fate { kPending, kThere, kDeleting, kGone };

class Simulation {
 public:
  int truncations() const { return truncations_; }

  explicit Simulation(uint64_t seed)
      : seed_(seed),
        rng_(seed),
        executor_(MakeSimExecutor(seed)),
        monitor_(executor_->MakeMonitor()),
        disk_(executor_.get()) {}

  void Run() {
    Open();
    if (HasFatalFailure()) return;
    Create();
    for (int round = 0; round < 3; ++round) {
      Storm({.crash = true, .faults = round > 0});
      Open();
      if (HasFatalFailure()) return;
      Verify();
    }
    // Power stays on: what failed is made good. Then nothing is in flight when it goes.
    Storm({.crash = false, .faults = true});
    FlushAll();
    Verify();
    CompactAll();
    Verify();
    ExpectNothingUnused();
    disk_.Crash(rng_);
    Open();
    if (HasFatalFailure()) return;
    Verify();
    cluster_.reset();
  }

 private:
  static bool HasFatalFailure() { return testing::Test::HasFatalFailure(); }

  void Open() {
    cluster_.reset();
    auto opened = server::OpenFakeCluster(disk_, *executor_, clock_);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString() << " seed " << seed_;
    cluster_ = std::move(*opened);
  }

  void Create() {
    Context ctx(clock_);
    model::CreateCollectionRequest create{.name = kName};
    create.schema.name = "c";
    create.schema.fields.push_back(
        {.name = "id", .type = model::DataType::kInt64, .is_primary_key = true});
    create.schema.fields.push_back({.name = "vec",
                                    .type = model::DataType::kFloatVector,
                                    .type_params = {{"dim", std::to_string(kDim)}}});
    create.shards_num = 2;
    create.consistency_level = model::ConsistencyLevel::kStrong;
    ASSERT_TRUE(proxy::CreateCollection(ctx, services(), create).ok());
    ASSERT_TRUE(
        proxy::CreateIndex(ctx, services(),
                           {.name = kName, .field = "vec", .extra_params = {{"metric_type", "L2"}}})
            .ok());
    ASSERT_TRUE(proxy::Load(ctx, services(), kName, {}).ok());
  }

  struct Weather {
    bool crash;   // One worker pulls the plug somewhere.
    bool faults;  // Another one makes writes to the stores fail now and then.
  };

  // Several workers at once.
  void Storm(Weather weather) {
    std::vector<std::unique_ptr<Worker>> workers;
    for (int w = 0; w < 3; ++w) {
      const uint64_t worker_seed = rng_();
      workers.push_back(
          executor_->Spawn("writer", [this, worker_seed] { WriteSome(worker_seed); }));
    }
    workers.push_back(executor_->Spawn("reader", [this] { ReadSome(); }));
    workers.push_back(executor_->Spawn("flusher", [this] {
      Context ctx(clock_);
      for (int i = 0; i < 6; ++i) {
        for (int pause = 0; pause < 15; ++pause) executor_->Yield();
        (void)proxy::Flush(ctx, services(), "", {"c"});
      }
    }));
    workers.push_back(executor_->Spawn("compactor", [this] {
      Context ctx(clock_);
      for (int i = 0; i < 8; ++i) {
        for (int pause = 0; pause < 20; ++pause) executor_->Yield();
        // Asked for, or by the clock.
        if (i % 2 == 0)
          clock_.AdvanceMs(61'000);
        else
          (void)proxy::Compact(ctx, services(), {.name = kName, .deletes_only = i % 3 == 2});
        (void)cluster_->garbage().Collect(ctx);
      }
    }));
    if (const uint64_t at = rng_() % 500; at < 250) {
      workers.push_back(executor_->Spawn("truncator", [this, at] { Truncate(at); }));
    }
    if (weather.faults) {
      const uint64_t worker_seed = rng_();
      workers.push_back(executor_->Spawn("faults", [this, worker_seed] { FailSome(worker_seed); }));
    }
    if (weather.crash) {
      const uint64_t at = rng_() % 400;
      workers.push_back(executor_->Spawn("plug", [this, at] {
        for (uint64_t i = 0; i < at; ++i) executor_->Yield();
        disk_.Crash(rng_);
      }));
    }
    workers.clear();
    disk_.FailPuts(0);
    disk_.FailCommits(0);
    disk_.FailAppends(0);
  }

  void FailSome(uint64_t worker_seed) {
    std::mt19937_64 rng(worker_seed);
    for (int i = 0; i < 12; ++i) {
      for (uint64_t pause = rng() % 40; pause > 0; --pause) executor_->Yield();
      const int count = static_cast<int>(1 + rng() % 2);
      switch (rng() % 4) {
        case 0:
          disk_.FailCommits(count);
          break;
        case 1:
          disk_.FailAppends(count);
          break;
        default:
          disk_.FailPuts(count);
      }
    }
  }

  // From when it is asked for on, a row may be gone; those of writes that have no answer yet are
  // before it or behind it.
  void Truncate(uint64_t pauses) {
    for (uint64_t i = 0; i < pauses; ++i) executor_->Yield();
    std::vector<int64_t> rows;
    truncating_ = true;
    for (auto& [key, fate] : fate_) {
      if (fate == Fate::kThere) {
        rows.push_back(key);
        fate = Fate::kDeleting;
      }
      if (fate == Fate::kPending) unsure_.insert(key);
    }
    Context ctx(clock_);
    const Status truncated = proxy::TruncateCollection(ctx, services(), kName);
    truncating_ = false;
    if (!truncated.ok()) {
      truncated_or_not_.push_back(std::move(rows));
      return;
    }
    ++truncations_;
    // So has a delete or a truncation that failed before, if it had left them.
    for (const auto& group : truncated_or_not_) rows.insert(rows.end(), group.begin(), group.end());
    truncated_or_not_.clear();
    for (int64_t key : rows) fate_[key] = Fate::kGone;
  }

  // Lets the others work, and time pass once they all wait.
  void Pause() {
    std::lock_guard<Monitor> lock(*monitor_);
    (void)monitor_->WaitFor(1);
  }

  void FlushAll() {
    Context ctx(clock_);
    const auto flush = proxy::Flush(ctx, services(), "", {"c"});
    ASSERT_TRUE(flush.ok()) << flush.status().ToString() << " seed " << seed_;
    for (int i = 0; i < 1000; ++i) {
      const auto flushed = proxy::IsFlushed(ctx, services(), kName, flush->collections[0].flush_ts);
      if (flushed.ok() && *flushed) return;
      Pause();
    }
    FAIL() << "a flush that failed is not made good, seed " << seed_;
  }

  void CompactAll() {
    Context ctx(clock_);
    // What ran already when it was asked for the first time may leave work for the second.
    for (int round = 0;; ++round) {
      const auto ticket = proxy::Compact(ctx, services(), {.name = kName});
      ASSERT_TRUE(ticket.ok()) << ticket.status().ToString() << " seed " << seed_;
      if (ticket->id == -1) break;
      ASSERT_LT(round, 3) << "there is always something to compact, seed " << seed_;
      for (int i = 0; i < 10'000; ++i) {
        const auto state = proxy::CompactionProgress(ctx, services(), ticket->id);
        ASSERT_TRUE(state.ok());
        EXPECT_EQ(state->failed, 0) << "seed " << seed_;
        if (state->executing == 0) break;
        Pause();
      }
    }
    // One segment a shard, and nothing deleted in them.
    const auto info = proxy::DescribeCollection(ctx, services(), kName, {});
    ASSERT_TRUE(info.ok());
    for (const std::string& vchannel : (*info)->vchannels) {
      const auto files = services().coord.segments.ListShard(ctx, vchannel);
      ASSERT_TRUE(files.ok());
      EXPECT_LE(files->segments.size(), 1u) << "seed " << seed_;
      EXPECT_TRUE(files->deltas.empty()) << "seed " << seed_;
    }
  }

  // After a collection of garbage the disk holds what the catalog names and nothing else.
  void ExpectNothingUnused() {
    Context ctx(clock_);
    // The segments of the load before the last may still be on their way.
    for (int round = 0; round < 2; ++round) {
      const Status collected = cluster_->garbage().Collect(ctx);
      ASSERT_TRUE(collected.ok()) << collected.ToString() << " seed " << seed_;
    }
    const auto info = services().coord.catalog.Find(ctx, kName);
    ASSERT_TRUE(info.ok());
    const auto segments = services().coord.segments.ListSegments(ctx, (*info)->id);
    ASSERT_TRUE(segments.ok());
    size_t manifests = 0;
    const auto objects = disk_.OpenObjects();
    const auto keys = objects->List(ctx, "");
    ASSERT_TRUE(keys.ok());
    for (const std::string& key : *keys) {
      manifests += key.ends_with("/manifest") ? 1 : 0;
      const bool is_used =
          std::any_of(segments->begin(), segments->end(), [&](const model::SegmentInfo& segment) {
            return key.find(fmt::format("/{}/", segment.id.value())) != std::string::npos;
          });
      EXPECT_TRUE(is_used) << key << " is left, seed " << seed_;
    }
    EXPECT_EQ(manifests, segments->size()) << "a segment has lost its files, seed " << seed_;
  }

  static model::Column Keys(const std::vector<int64_t>& keys) {
    model::Column column =
        model::MakeColumn(FieldId(0), "id", model::DataType::kInt64, model::DataType::kNone, 0);
    for (int64_t key : keys) column.AppendFixed(&key);
    return column;
  }

  void WriteSome(uint64_t worker_seed) {
    std::mt19937_64 rng(worker_seed);
    Context ctx(clock_);
    std::vector<int64_t> mine;
    for (int i = 0; i < 15; ++i) {
      if (!mine.empty() && rng() % 3 == 0) {
        const int64_t key = mine[rng() % mine.size()];
        if (fate_[key] != Fate::kThere) continue;
        fate_[key] = Fate::kDeleting;
        const auto deleted = proxy::Delete(
            ctx, services(), {.name = kName, .filter = "id == " + std::to_string(key)});
        if (deleted.ok()) fate_[key] = Fate::kGone;
        continue;
      }
      std::vector<int64_t> keys;
      for (uint64_t n = 1 + rng() % 8; n > 0; --n) keys.push_back(next_key_++);
      for (int64_t key : keys) fate_[key] = Fate::kPending;
      if (truncating_) unsure_.insert(keys.begin(), keys.end());
      model::WriteRequest write{.name = kName, .num_rows = keys.size(), .upsert = rng() % 2 == 0};
      model::Column vectors = model::MakeColumn(FieldId(0), "vec", model::DataType::kFloatVector,
                                                model::DataType::kNone, kDim);
      for (int64_t key : keys) {
        const float v[kDim] = {static_cast<float>(key), 1, 2, 3};
        vectors.AppendFixed(v);
      }
      write.columns = {Keys(keys), std::move(vectors)};
      const auto written = proxy::Write(ctx, services(), std::move(write));
      if (!written.ok()) continue;
      for (int64_t key : keys) {
        if (unsure_.count(key) > 0) continue;
        fate_[key] = Fate::kThere;
        mine.push_back(key);
      }
    }
  }

  // Strong: whatever was acknowledged before the read began is seen by it.
  void ReadSome() {
    Context ctx(clock_);
    for (int i = 0; i < 10; ++i) {
      const std::map<int64_t, Fate> before = fate_;
      const auto keys = ReadKeys(ctx);
      if (!keys.ok()) continue;  // Still loading, or the plug is out.
      for (const auto& [key, fate] : before) {
        const Fate now = fate_[key];
        if (fate == Fate::kThere && now == Fate::kThere) {
          EXPECT_EQ(keys->count(key), 1u)
              << "an acknowledged row is not seen, key " << key << " seed " << seed_;
        }
        if (fate == Fate::kGone) {
          EXPECT_EQ(keys->count(key), 0u)
              << "a deleted row is seen, key " << key << " seed " << seed_;
        }
      }
      executor_->Yield();
    }
  }

  Result<std::map<int64_t, int>> ReadKeys(Context& ctx) {
    TRY_ASSIGN(const auto result,
               proxy::Query(ctx, services(),
                            {.name = kName,
                             .filter = "id >= 0",
                             .output_fields = {"id"},
                             .consistency = {.level = model::ConsistencyLevel::kStrong}}));
    std::map<int64_t, int> keys;
    for (const model::Column& column : result.columns) {
      if (column.name != "id") continue;
      for (size_t i = 0; i < column.rows; ++i) ++keys[column.view().Get<int64_t>(i)];
    }
    return keys;
  }

  void Verify() {
    Context ctx(clock_);
    for (int i = 0; i < 10'000; ++i) {
      const auto state = proxy::GetLoadState(ctx, services(), kName, {});
      if (state.ok() && *state == model::LoadState::kLoaded) break;
      Pause();
    }
    const auto keys = ReadKeys(ctx);
    ASSERT_TRUE(keys.ok()) << keys.status().ToString() << " seed " << seed_;
    for (const std::vector<int64_t>& group : truncated_or_not_) {
      const auto there = std::count_if(group.begin(), group.end(),
                                       [&](int64_t key) { return keys->count(key) > 0; });
      EXPECT_TRUE(there == 0 || static_cast<size_t>(there) == group.size())
          << "a truncation took " << group.size() - there << " of " << group.size() << " rows, seed "
          << seed_;
    }
    truncated_or_not_.clear();
    unsure_.clear();
    for (auto& [key, fate] : fate_) {
      const size_t there = keys->count(key);
      if (fate == Fate::kThere) {
        EXPECT_EQ(there, 1u) << "a row is lost, key " << key << " seed " << seed_;
      }
      if (fate == Fate::kGone) {
        EXPECT_EQ(there, 0u) << "a row is back, key " << key << " seed " << seed_;
      }
      // What was not answered may have happened or not; from now on it is what it is.
      if (fate == Fate::kPending || fate == Fate::kDeleting)
        fate = there ? Fate::kThere : Fate::kGone;
    }
  }

  proxy::Services& services() { return cluster_->services(); }

  const uint64_t seed_;
  std::mt19937_64 rng_;
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<Monitor> monitor_;  // Only to wait on.
  ManualClock clock_;
  store::MemoryDisk disk_;
  std::unique_ptr<server::RoleSet> cluster_;
  std::map<int64_t, Fate> fate_;
  int64_t next_key_ = 0;
  bool truncating_ = false;
  std::set<int64_t> unsure_;                            // Written while a truncation ran.
  std::vector<std::vector<int64_t>> truncated_or_not_;  // Rows of truncations without an answer.
  int truncations_ = 0;
};

// ELANUS_SIM_SEED runs one seed, ELANUS_SIM_SEEDS another number of them.
TEST(Simulation, LosesNothingThatWasAcknowledgedWhenStoresFailAndThePowerGoes) {
  SetLogLevel(LogLevel::kOff);  // Failures are the point here; their log lines are noise.
  if (const char* one = std::getenv("ELANUS_SIM_SEED")) {
    Simulation(std::strtoull(one, nullptr, 10)).Run();
    return;
  }
  const char* many = std::getenv("ELANUS_SIM_SEEDS");
  const uint64_t seeds = many != nullptr ? std::strtoull(many, nullptr, 10) : 20;
  int truncations = 0;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    Simulation simulation(seed);
    simulation.Run();
    if (testing::Test::HasFailure()) return;
    truncations += simulation.truncations();
  }
  EXPECT_GT(truncations, 0) << "the simulation has truncated nothing";
}

}  // namespace
}  // namespace elanus
