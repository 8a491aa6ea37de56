// The power goes at every moment of a change that brings a field and its index: afterwards both are
// there, or neither is.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/log.h"
#include "model/text_numbers.h"
#include "proxy/ops.h"
#include "server/fake_cluster.h"
#include "text/field.h"

namespace elanus::streaming {
namespace {

using model::DataType;

const model::CollectionName kName{.database = "", .collection = "c"};

model::FieldSchema Words(const std::string& name) {
  return {.name = name,
          .type = DataType::kVarChar,
          .nullable = true,
          .type_params = {
              {"max_length", "100"}, {"enable_analyzer", "true"}, {"enable_match", "true"}}};
}
model::CreateCollectionRequest Collection() {
  model::CreateCollectionRequest create{.name = kName};
  create.schema.name = kName.collection;
  create.schema.enable_dynamic_field = true;
  create.schema.fields = {
      {.name = "id", .type = DataType::kInt64, .is_primary_key = true},
      Words("text"),
      {.name = "vec", .type = DataType::kFloatVector, .type_params = {{"dim", "2"}}}};
  return create;
}
model::CreateIndexRequest NumbersOfP() {
  return {.name = kName,
          .field = "p",
          .index_name = "numbers",
          .extra_params = {{"index_type", "INVERTED"},
                           {"json_path", "p"},
                           {"json_cast_type", "DOUBLE"},
                           {"json_cast_function", "STRING_TO_DOUBLE"}}};
}
model::NewFunctionField Bm25OfText() {
  return {.field = {.name = "counts", .type = DataType::kSparseFloatVector},
          .function = {.name = "bm25",
                       .type = model::FunctionType::kBm25,
                       .inputs = {"text"},
                       .outputs = {"counts"}},
          .index_name = "",
          .index_params = {{"index_type", "SPARSE_INVERTED_INDEX"}, {"metric_type", "BM25"}}};
}

bool HasIndex(const model::CollectionInfo& info, const model::FieldSchema& field,
              std::string_view path) {
  return std::any_of(info.indexes.begin(), info.indexes.end(), [&](const auto& index) {
    return index.field == field.id && index.json_path == path;
  });
}

using Step = std::function<Status(Context&, proxy::Services&)>;
// Whether a collection is as a step leaves it.
using Outcome = bool (*)(const model::CollectionInfo&);

Status Create(Context& ctx, proxy::Services& services) {
  return proxy::CreateCollection(ctx, services, Collection());
}

class SchemaCrashTest : public testing::Test {
 protected:
  SchemaCrashTest() { SetLogLevel(LogLevel::kOff); }
  ~SchemaCrashTest() override {
    cluster_.reset();
    SetLogLevel(LogLevel::kInfo);
  }

  // The power goes at later and later moments of `step`, under several orders of threads, until it
  // is done before under all; it is not half done at any.
  void CrashAtEveryMomentOf(const Step& step, Outcome outcome, const std::vector<Step>& before) {
    constexpr int kMomentsMax = 2000;
    constexpr uint64_t kSeeds = 8;
    int crashes = 0;
    for (int moment = 0; moment < kMomentsMax; ++moment) {
      const int crashes_before = crashes;
      for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
        bool is_done = false;
        CrashOnce(step, outcome, before, moment, seed, is_done);
        if (HasFailure()) FAIL() << "the power went at moment " << moment << ", seed " << seed;
        crashes += is_done ? 0 : 1;
      }
      if (crashes > crashes_before) continue;
      EXPECT_GT(crashes, 3);
      return;
    }
    FAIL() << "it never ends";
  }

 private:
  void CrashOnce(const Step& step, Outcome outcome, const std::vector<Step>& before, int moment,
                 uint64_t seed, bool& is_done) {
    Begin(seed);
    for (const Step& one : before) ASSERT_TRUE(one(ctx_, cluster_->services()).ok());
    is_done = RunUntilCrash(step, moment);
    Open();
    if (HasFatalFailure()) return;
    const auto found = proxy::DescribeCollection(ctx_, cluster_->services(), kName, {});
    if (found.ok()) ExpectWhole(**found);
    if (!is_done) return;
    ASSERT_TRUE(found.ok()) << found.status().ToString();
    EXPECT_TRUE(outcome(**found)) << "it was acknowledged";
  }
  void Begin(uint64_t seed) {
    cluster_.reset();
    disk_.reset();
    executor_ = MakeSimExecutor(seed);
    disk_ = std::make_unique<store::MemoryDisk>(executor_.get());
    Open();
  }
  void Open() {
    cluster_.reset();
    auto opened = server::OpenFakeCluster(*disk_, *executor_, clock_, server::FakeConfig());
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    cluster_ = std::move(*opened);
  }
  // Whether it was done when the power went.
  bool RunUntilCrash(const Step& step, int moment) {
    bool is_done = false;
    bool has_crashed = false;
    std::vector<std::unique_ptr<Worker>> workers;
    workers.push_back(executor_->Spawn("changer", [&] {
      Context ctx(clock_);
      is_done = step(ctx, cluster_->services()).ok() && !has_crashed;
    }));
    workers.push_back(executor_->Spawn("plug", [&] {
      for (int i = 0; i < moment && !is_done; ++i) executor_->Yield();
      std::mt19937_64 rng(1);
      has_crashed = true;
      disk_->Crash(rng);
    }));
    workers.clear();
    return is_done;
  }

  // What needs an index has it.
  static void ExpectWhole(const model::CollectionInfo& info) {
    for (const model::FieldSchema& field : info.schema.fields) {
      EXPECT_TRUE(!text::HasMatch(field) || HasIndex(info, field, model::kWordsPath));
      EXPECT_TRUE(!field.is_function_output || HasIndex(info, field, ""));
      if (field.is_dynamic) {
        EXPECT_EQ(model::HasTextNumbers(field, "/p"), HasIndex(info, field, "/p"));
      }
    }
  }

  ManualClock clock_;
  Context ctx_{clock_};
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<store::MemoryDisk> disk_;
  std::unique_ptr<server::RoleSet> cluster_;
};

TEST_F(SchemaCrashTest, ANewCollectionHasTheIndexesOfItsWords) {
  CrashAtEveryMomentOf(Create, [](const model::CollectionInfo&) { return true; }, {});
}

TEST_F(SchemaCrashTest, AFieldComesWithTheIndexOfItsWords) {
  const Step add = [](Context& ctx, proxy::Services& services) {
    return proxy::AddField(ctx, services, kName, Words("more"));
  };
  CrashAtEveryMomentOf(
      add, [](const auto& info) { return info.schema.FindField("more") != nullptr; }, {Create});
}

TEST_F(SchemaCrashTest, AFunctionsFieldComesWithItsIndex) {
  const Step add = [](Context& ctx, proxy::Services& services) {
    return proxy::AddFunctionField(ctx, services, kName, Bm25OfText());
  };
  CrashAtEveryMomentOf(
      add, [](const auto& info) { return info.schema.FindField("counts") != nullptr; }, {Create});
}

TEST_F(SchemaCrashTest, TextsCountAsNumbersWhileAnIndexCastsThem) {
  const Step create = [](Context& ctx, proxy::Services& services) {
    return proxy::CreateIndex(ctx, services, NumbersOfP());
  };
  const Step drop = [](Context& ctx, proxy::Services& services) {
    return proxy::DropIndex(ctx, services, kName, "", "numbers");
  };
  const auto has = [](const model::CollectionInfo& info) {
    return HasIndex(info, *info.schema.dynamic_field(), "/p");
  };
  CrashAtEveryMomentOf(create, has, {Create});
  CrashAtEveryMomentOf(
      drop, [](const auto& info) { return !HasIndex(info, *info.schema.dynamic_field(), "/p"); },
      {Create, create});
}

}  // namespace
}  // namespace elanus::streaming
