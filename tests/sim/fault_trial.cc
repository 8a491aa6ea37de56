// The scripted workload on the disk that fails.
#include "tests/sim/fault_trial.h"

#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <rocksdb/env.h>

#include <algorithm>

#include "backend/backend.h"
#include "backend/rocksdb/rocksdb_env.h"
#include "backend/rocksdb/rocksdb_meta_store.h"
#include "proxy/ops.h"

namespace elanus {
namespace {

constexpr uint32_t kDim = 4;
constexpr int64_t kLogFileBytes = 8192;  // Small, so that the log gets several files.
const model::CollectionName kName{.database = "", .collection = "c"};
const model::ReadConsistency kStrong{.level = model::ConsistencyLevel::kStrong};

std::string TextOf(int64_t key, int64_t version) { return fmt::format("row {}.{}", key, version); }

model::Column MakeColumn(const char* name, model::DataType type, uint32_t dim = 0) {
  return model::MakeColumn(FieldId(0), name, type, model::DataType::kNone, dim);
}

std::vector<model::Column> ColumnsOf(const std::vector<int64_t>& keys, int64_t version) {
  model::Column id = MakeColumn("id", model::DataType::kInt64);
  model::Column versions = MakeColumn("version", model::DataType::kInt64);
  model::Column text = MakeColumn("text", model::DataType::kVarChar);
  model::Column vector = MakeColumn("vector", model::DataType::kFloatVector, kDim);
  for (int64_t key : keys) {
    id.AppendFixed(&key);
    versions.AppendFixed(&version);
    text.AppendBytes(TextOf(key, version));
    const float values[kDim] = {static_cast<float>(key), static_cast<float>(version), 1, 2};
    vector.AppendFixed(values);
  }
  return {std::move(id), std::move(versions), std::move(text), std::move(vector)};
}

const model::Column* Find(const std::vector<model::Column>& columns, std::string_view name) {
  for (const model::Column& column : columns) {
    if (column.name == name) return &column;
  }
  return nullptr;
}

std::vector<int64_t> EveryNth(const std::vector<int64_t>& keys, size_t n) {
  std::vector<int64_t> some;
  for (size_t i = 0; i < keys.size(); i += n) some.push_back(keys[i]);
  return some;
}

model::CollectionSchema Schema(const std::string& name) {
  model::CollectionSchema schema{.name = name};
  schema.fields.push_back({.name = "id", .type = model::DataType::kInt64, .is_primary_key = true});
  schema.fields.push_back({.name = "version", .type = model::DataType::kInt64});
  schema.fields.push_back(
      {.name = "text", .type = model::DataType::kVarChar, .type_params = {{"max_length", "64"}}});
  schema.fields.push_back({.name = "vector",
                           .type = model::DataType::kFloatVector,
                           .type_params = {{"dim", std::to_string(kDim)}}});
  return schema;
}

}  // namespace

void RowModel::Begin(const std::vector<int64_t>& keys, int64_t version) {
  for (int64_t key : keys) {
    std::set<int64_t>& allowed = allowed_[key];
    if (allowed.empty()) allowed.insert(0);
    allowed.insert(version);
  }
}

void RowModel::End(const std::vector<int64_t>& keys, int64_t version) {
  for (int64_t key : keys) allowed_[key] = {version};
}

std::vector<int64_t> RowModel::Present() const {
  std::vector<int64_t> keys;
  for (const auto& [key, allowed] : allowed_) {
    if (allowed.count(0) == 0) keys.push_back(key);
  }
  return keys;
}

void RowModel::Compare(const std::map<int64_t, int64_t>& found, const std::string& when) const {
  for (const auto& [key, allowed] : allowed_) {
    const auto row = found.find(key);
    const int64_t version = row == found.end() ? 0 : row->second;
    EXPECT_EQ(allowed.count(version), 1u)
        << "key " << key << " has version " << version << ", may have "
        << fmt::format("{}", fmt::join(allowed, " or ")) << "; " << when;
  }
  for (const auto& [key, version] : found) {
    EXPECT_EQ(allowed_.count(key), 1u) << "key " << key << " was never written; " << when;
  }
}

void RowModel::Decide(const std::map<int64_t, int64_t>& found) {
  for (auto& [key, allowed] : allowed_) {
    const auto row = found.find(key);
    allowed = {row == found.end() ? 0 : row->second};
  }
}

FaultTrial::FaultTrial(std::optional<FaultPoint> point)
    : point_(point),
      executor_(MakeSimExecutor(7)),
      monitor_(executor_->MakeMonitor()),
      disk_(point ? point->at * 31 + static_cast<uint64_t>(point->fault) : 1),
      env_(backend::MakeRocksDbEnv(disk_)) {}

FaultTrial::~FaultTrial() { cluster_.reset(); }

std::string FaultTrial::Where(const std::string& when) const {
  if (!point_) return when;
  return fmt::format("{}; {} at operation {} ({} of them)", when, NameOf(point_->fault), point_->at,
                     point_->count);
}

bool FaultTrial::TryOpen() {
  const auto opened = [&]() -> Status {
    TRY_ASSIGN(auto stores, backend::OpenOn({.files = disk_, .env = env_.get()}, "/data",
                                            {.log_file_bytes_max = kLogFileBytes}));
    TRY_ASSIGN(cluster_, server::OpenFakeCluster({.objects = std::move(stores.objects),
                                                  .meta = std::move(stores.meta),
                                                  .wal = std::move(stores.wal)},
                                                 *executor_, clock_));
    return {};
  }();
  EXPECT_TRUE(opened.ok() || disk_.has_struck()) << Where(opened.ToString());
  return opened.ok();
}

void FaultTrial::Reopen(bool power_fails) {
  cluster_.reset();
  if (power_fails) {
    disk_.PowerOff();
  } else {
    disk_.Restart();
  }
  disk_.Arm(0, backend::Fault::kIoError, 0);  // No fault, and none has struck.
  ASSERT_TRUE(TryOpen()) << Where("the restart");
}

void FaultTrial::Run() {
  if (point_) disk_.Arm(point_->at, point_->fault, point_->count);
  if (TryOpen()) {
    Script();
    reads_ = disk_.reads();
    // Reads go on whatever the disk says, as long as the process lives.
    const bool lives = !point_ || (point_->fault != backend::Fault::kKill &&
                                   point_->fault != backend::Fault::kPowerOff);
    if (lives && is_made_) Compare("in the same process", /*decides=*/false);
  }
  operations_ = disk_.operations();
  has_struck_ = disk_.has_struck();
  // A clean stop, a kill or a power failure ends it, whatever had failed before.
  const bool power_fails = point_ && point_->at % 2 == 0;
  Reopen(power_fails);
  if (testing::Test::HasFatalFailure()) return;
  ExpectCollections("after the restart");
  Compare("after the restart", /*decides=*/true);
  // It goes on.
  MakeCollection();
  Fill(1000, 5);
  Erase(4, false);
  Flush();
  const uint64_t before = acknowledged_;
  Fill(1100, 3);
  EXPECT_EQ(acknowledged_, before + 1) << Where("no write is taken after the restart");
  Compare("after more work", /*decides=*/false);
  // What is acknowledged by now is on the disk, too: nothing rests on what a lost sync had left.
  Reopen(/*power_fails=*/true);
  if (testing::Test::HasFatalFailure()) return;
  Compare("after a power failure at the end", /*decides=*/true);
}

void FaultTrial::Script() {
  MakeCollection();
  Fill(0, 20);
  Fill(20, 20);
  Erase(3, false);
  Flush();
  Rewrite(4);
  Fill(40, 20);
  NameAndDrop();
  Flush();
  Erase(5, true);
  Compact();
  Collect();
  Fill(60, 10);
  Rewrite(7);
  Flush();
  Compact();
  Collect();
  Fill(80, 6);
  Erase(6, false);
}

void FaultTrial::MakeCollection() {
  const auto is_there = proxy::HasCollection(ctx_, services(), kName);
  if (!is_there.ok()) return;
  if (!*is_there) {
    model::CreateCollectionRequest create{.name = kName, .schema = Schema(kName.collection)};
    create.shards_num = 2;
    create.consistency_level = model::ConsistencyLevel::kStrong;
    collections_[kName.collection] = {false, true};
    if (!proxy::CreateCollection(ctx_, services(), create).ok()) return;
  }
  collections_[kName.collection] = {true};
  // Made again when it is there: the same index twice is no error.
  if (!proxy::CreateIndex(ctx_, services(),
                          {.name = kName,
                           .field = "vector",
                           .extra_params = {{"index_type", "HNSW"},
                                            {"metric_type", "L2"},
                                            {"params", R"({"M": 4, "efConstruction": 16})"}}})
           .ok()) {
    return;
  }
  if (!proxy::CreateIndex(
           ctx_, services(),
           {.name = kName, .field = "version", .extra_params = {{"index_type", "INVERTED"}}})
           .ok()) {
    return;
  }
  is_made_ = proxy::Load(ctx_, services(), kName, {}).ok();
}

void FaultTrial::Fill(int64_t first, int64_t rows) {
  std::vector<int64_t> keys;
  for (int64_t i = 0; i < rows; ++i) keys.push_back(first + i);
  Write(keys, /*upsert=*/false);
}

void FaultTrial::Rewrite(size_t every) { Write(EveryNth(rows_.Present(), every), /*upsert=*/true); }

void FaultTrial::Write(const std::vector<int64_t>& keys, bool upsert) {
  if (keys.empty()) return;
  ++version_;
  rows_.Begin(keys, version_);
  const auto written = proxy::Write(ctx_, services(),
                                    {.name = kName,
                                     .columns = ColumnsOf(keys, version_),
                                     .num_rows = keys.size(),
                                     .upsert = upsert});
  ExpectRefusedByTheDisk(written.status());
  if (!written.ok()) return;
  rows_.End(keys, version_);
  ++acknowledged_;
}

void FaultTrial::Erase(size_t every, bool by_filter) {
  const std::vector<int64_t> keys = EveryNth(rows_.Present(), every);
  if (keys.empty()) return;
  rows_.Begin(keys, 0);
  const std::string filter = by_filter
                                 ? fmt::format("id + 0 == {}", fmt::join(keys, " or id + 0 == "))
                                 : fmt::format("id in [{}]", fmt::join(keys, ", "));
  const auto erased = proxy::Delete(ctx_, services(), {.name = kName, .filter = filter});
  ExpectRefusedByTheDisk(erased.status());
  if (!erased.ok()) return;
  rows_.End(keys, 0);
  ++acknowledged_;
}

// What is refused is refused for what the disk did, and says so.
void FaultTrial::ExpectRefusedByTheDisk(const Status& status) const {
  EXPECT_TRUE(status.ok() || disk_.has_struck()) << Where(status.ToString());
}

void FaultTrial::Flush() {
  const auto flush = proxy::Flush(ctx_, services(), "", {kName.collection});
  if (!flush.ok()) return;
  for (int i = 0; i < 50; ++i) {
    const auto flushed = proxy::IsFlushed(ctx_, services(), kName, flush->collections[0].flush_ts);
    if (!flushed.ok() || *flushed) return;
    Pause();
  }
}

void FaultTrial::Compact() {
  const auto ticket = proxy::Compact(ctx_, services(), {.name = kName});
  if (!ticket.ok() || ticket->id == -1) return;
  for (int i = 0; i < 50; ++i) {
    const auto state = proxy::CompactionProgress(ctx_, services(), ticket->id);
    if (!state.ok() || state->executing == 0) return;
    Pause();
  }
}

void FaultTrial::NameAndDrop() {
  const model::CollectionName name{.database = "", .collection = "short_lived"};
  collections_[name.collection] = {false, true};
  model::CreateCollectionRequest create{.name = name, .schema = Schema(name.collection)};
  if (!proxy::CreateCollection(ctx_, services(), create).ok()) return;
  collections_[name.collection] = {true};
  (void)proxy::Write(
      ctx_, services(),
      {.name = name, .columns = ColumnsOf({1, 2, 3}, 1), .num_rows = 3, .upsert = false});
  (void)proxy::Flush(ctx_, services(), "", {name.collection});
  collections_[name.collection] = {false, true};
  if (proxy::DropCollection(ctx_, services(), name).ok()) collections_[name.collection] = {false};
}

void FaultTrial::Collect() { (void)cluster_->garbage().Collect(ctx_); }

// Lets the others work, and time pass once they all wait.
void FaultTrial::Pause() {
  std::lock_guard<Monitor> lock(*monitor_);
  (void)monitor_->WaitFor(1);
}

void FaultTrial::ExpectCollections(const std::string& when) {
  for (auto& [name, allowed] : collections_) {
    const auto found = proxy::HasCollection(ctx_, services(), {.database = "", .collection = name});
    ASSERT_TRUE(found.ok()) << Where(when);
    EXPECT_EQ(allowed.count(*found), 1u)
        << name << (*found ? " is there" : " is not there") << "; " << Where(when);
    allowed = {*found};
  }
}

void FaultTrial::Compare(const std::string& when, bool decides) {
  if (collections_[kName.collection] != std::set<bool>{true} || !is_made_) {
    return;
  }
  bool is_loaded = false;
  for (int i = 0; i < 2000 && !is_loaded; ++i) {
    const auto state = proxy::GetLoadState(ctx_, services(), kName, {});
    is_loaded = state.ok() && *state == model::LoadState::kLoaded;
    if (!is_loaded) Pause();
  }
  ASSERT_TRUE(is_loaded) << "the collection does not load; " << Where(when);
  const auto rows = ReadRows("id >= 0", when);
  const auto by_index = ReadRows("version > 0", when);
  if (!rows || !by_index) return;
  EXPECT_EQ(*rows, *by_index) << "two filters, two answers; " << Where(when);
  rows_.Compare(*rows, Where(when));
  compared_ += rows->size();
  const auto counted = proxy::Query(
      ctx_, services(),
      {.name = kName, .filter = "", .output_fields = {"count(*)"}, .consistency = kStrong});
  ASSERT_TRUE(counted.ok()) << counted.status().ToString() << "; " << Where(when);
  EXPECT_EQ(counted->columns[0].view().Get<int64_t>(0), static_cast<int64_t>(rows->size()))
      << Where(when);
  if (decides) rows_.Decide(*rows);
}

std::optional<std::map<int64_t, int64_t>> FaultTrial::ReadRows(const std::string& filter,
                                                               const std::string& when) {
  const auto result = proxy::Query(ctx_, services(),
                                   {.name = kName,
                                    .filter = filter,
                                    .output_fields = {"id", "version", "text", "vector"},
                                    .consistency = kStrong});
  EXPECT_TRUE(result.ok()) << result.status().ToString() << "; " << Where(when);
  if (!result.ok()) return std::nullopt;
  const model::Column* id = Find(result->columns, "id");
  const model::Column* version = Find(result->columns, "version");
  const model::Column* text = Find(result->columns, "text");
  const model::Column* vector = Find(result->columns, "vector");
  std::map<int64_t, int64_t> rows;
  for (size_t i = 0; i < id->rows; ++i) {
    const auto key = id->view().Get<int64_t>(i);
    const auto its_version = version->view().Get<int64_t>(i);
    EXPECT_TRUE(rows.emplace(key, its_version).second)
        << "key " << key << " twice; " << Where(when);
    EXPECT_EQ(text->view().Bytes(i), TextOf(key, its_version)) << Where(when);
    const float* values = vector->view().values<float>() + i * kDim;
    EXPECT_EQ(values[0], static_cast<float>(key)) << Where(when);
    EXPECT_EQ(values[1], static_cast<float>(its_version)) << Where(when);
  }
  return rows;
}

}  // namespace elanus
