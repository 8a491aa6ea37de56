// Fields that come and go while rows are written, sealed, read and lost in crashes: no row loses a
// value, and no read meets two schemas. Each test runs under several seeds.
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>

#include "base/log.h"
#include "model/partition_key.h"
#include "proxy/ops.h"
#include "server/fake_cluster.h"

namespace elanus::streaming {
namespace {

using model::DataType;
using Value = std::optional<int64_t>;

const model::CollectionName kName{.database = "", .collection = "c"};

class SchemaChangeTest : public testing::TestWithParam<uint64_t> {
 protected:
  SchemaChangeTest() {
    SetLogLevel(LogLevel::kOff);
    Open();
    model::CreateCollectionRequest create{.name = kName};
    create.schema.name = kName.collection;
    create.schema.fields = {
        {.name = "id", .type = DataType::kInt64, .is_primary_key = true},
        {.name = "tenant", .type = DataType::kInt64, .is_partition_key = true},
        {.name = "vec", .type = DataType::kFloatVector, .type_params = {{"dim", "2"}}}};
    create.num_partitions = 3;
    create.shards_num = 2;
    Expect(proxy::CreateCollection(ctx_, services(), create));
    Expect(proxy::CreateIndex(
        ctx_, services(),
        {.name = kName, .field = "vec", .extra_params = {{"metric_type", "L2"}}}));
    Expect(proxy::Load(ctx_, services(), kName, {}));
  }
  ~SchemaChangeTest() override {
    cluster_.reset();
    SetLogLevel(LogLevel::kInfo);
  }

  void Open() {
    cluster_.reset();
    auto opened = server::OpenFakeCluster(disk_, *executor_, clock_, server::FakeConfig());
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    cluster_ = std::move(*opened);
  }
  void Crash() {
    std::mt19937_64 rng(GetParam());
    cluster_.reset();
    disk_.Crash(rng);
    Open();
  }
  proxy::Services& services() { return cluster_->services(); }
  static void Expect(const Status& status) { EXPECT_TRUE(status.ok()) << status.ToString(); }

  // One row; `fields` besides id, tenant and vector.
  Status Write(int64_t id, const std::map<std::string, int64_t>& fields, bool upsert = false) {
    model::WriteRequest write{.name = kName, .num_rows = 1, .upsert = upsert};
    const auto number = [&](const std::string& name, int64_t value) {
      model::Column column =
          model::MakeColumn(FieldId(0), name, DataType::kInt64, DataType::kNone, 0);
      column.AppendFixed(&value);
      write.columns.push_back(std::move(column));
    };
    number("id", id);
    number("tenant", id % 7);
    const float vector[2] = {static_cast<float>(id), 0};
    model::Column vectors =
        model::MakeColumn(FieldId(0), "vec", DataType::kFloatVector, DataType::kNone, 2);
    vectors.AppendFixed(vector);
    write.columns.push_back(std::move(vectors));
    for (const auto& [name, value] : fields) number(name, value);
    return proxy::Write(ctx_, services(), std::move(write)).status();
  }
  Status AddField(const std::string& name, std::optional<int64_t> value = std::nullopt) {
    model::FieldSchema field{.name = name, .type = DataType::kInt64, .nullable = true};
    if (value) field.default_value = model::Scalar(*value);
    return proxy::AddField(ctx_, services(), kName, field);
  }
  Status DropField(const std::string& name) {
    return proxy::DropFromSchema(ctx_, services(), kName, {.field = name});
  }
  void Flush() {
    Expect(proxy::Flush(ctx_, services(), "", {"c"}).status());
    for (int i = 0; i < 3000; ++i) executor_->Yield();
  }
  Result<model::QueryResult> Query(const std::string& filter,
                                   const std::vector<std::string>& fields) {
    for (int i = 0; i < 10'000; ++i) {
      const auto progress = proxy::LoadProgress(ctx_, services(), kName, {});
      if (progress.ok() && *progress == 100) break;
      executor_->Yield();
    }
    return proxy::Query(ctx_, services(),
                        {.name = kName,
                         .filter = filter,
                         .output_fields = fields,
                         .consistency = {.level = model::ConsistencyLevel::kStrong}});
  }
  // The values of a field by key.
  std::map<int64_t, Value> Read(const std::string& field, const std::string& filter = "id >= 0") {
    const auto result = Query(filter, {"id", field});
    EXPECT_TRUE(result.ok()) << result.status().ToString();
    std::map<int64_t, Value> values;
    if (!result.ok()) return values;
    const model::Column* keys = nullptr;
    const model::Column* of_field = nullptr;
    for (const model::Column& column : result->columns) {
      if (column.name == "id") keys = &column;
      if (column.name == field) of_field = &column;
    }
    if (keys == nullptr || of_field == nullptr) {
      ADD_FAILURE() << "no column " << field;
      return values;
    }
    for (size_t i = 0; i < keys->rows; ++i) {
      const model::ColumnView view = of_field->view();
      values[keys->view().Get<int64_t>(i)] =
          view.IsValid(i) ? Value(view.Get<int64_t>(i)) : std::nullopt;
    }
    return values;
  }

  ManualClock clock_;
  Context ctx_{clock_};
  std::unique_ptr<Executor> executor_ = MakeSimExecutor(GetParam());
  store::MemoryDisk disk_{executor_.get()};
  std::unique_ptr<server::RoleSet> cluster_;
};

TEST_P(SchemaChangeTest, RowsOfEveryAgeAndStateHaveTheirValues) {
  std::map<int64_t, Value> first;
  std::map<int64_t, Value> second;
  int64_t next = 0;
  const auto write = [&](std::map<std::string, int64_t> fields) {
    for (int i = 0; i < 10; ++i, ++next) {
      Expect(Write(next, fields));
      first[next] = fields.count("first") > 0 ? Value(fields["first"]) : std::nullopt;
      second[next] = fields.count("second") > 0 ? fields["second"] : 9;
    }
  };
  write({});
  Flush();
  write({});
  Expect(AddField("first"));
  EXPECT_EQ(Read("first"), first);
  write({{"first", 1}});
  Expect(AddField("second", 9));
  write({{"first", 2}, {"second", 3}});
  Flush();
  write({{"second", 4}});
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(Read("first"), first);
    EXPECT_EQ(Read("second"), second);
    EXPECT_EQ(Read("first", "tenant == 3 and first is null").size(), [&] {
      size_t rows = 0;
      for (const auto& [id, value] : first) rows += id % 7 == 3 && !value ? 1 : 0;
      return rows;
    }());
    if (round == 0) Crash();
    if (round == 1) Flush();
  }
}

TEST_P(SchemaChangeTest, ADroppedNameComesBackWithoutItsOldValues) {
  Expect(AddField("f"));
  for (int64_t id = 0; id < 10; ++id) Expect(Write(id, {{"f", id}}));
  Flush();
  for (int64_t id = 10; id < 20; ++id) Expect(Write(id, {{"f", id}}));
  Expect(DropField("f"));
  EXPECT_FALSE(Query("f == 3", {"id"}).ok());
  EXPECT_FALSE(Write(100, {{"f", 1}}).ok());
  Expect(AddField("f", 77));
  for (int round = 0; round < 2; ++round) {
    const auto values = Read("f");
    EXPECT_EQ(values.size(), 20u);
    for (const auto& [id, value] : values) EXPECT_EQ(value, Value(77)) << id;
    Crash();
  }
}

TEST_P(SchemaChangeTest, WritersAndReadersMeetOneSchemaOrTheOther) {
  for (int64_t id = 0; id < 20; ++id) Expect(Write(id, {}));
  Flush();
  bool is_over = false;
  std::map<int64_t, int64_t> written;  // With what the writer gave, or the default.
  const auto writer = executor_->Spawn("writer", [&] {
    for (int64_t id = 100; id < 160; ++id) {
      // Whichever it finds when it looks.
      const auto info = services().coord.catalog.Find(ctx_, kName);
      const bool has_field = (*info)->schema.FindField("f3") != nullptr;
      Status status = Write(id, has_field ? std::map<std::string, int64_t>{{"f3", id}}
                                          : std::map<std::string, int64_t>{});
      ASSERT_TRUE(status.ok()) << status.ToString();
      written[id] = has_field ? id : 3;
    }
  });
  const auto reader = executor_->Spawn("reader", [&] {
    while (!is_over) {
      executor_->Yield();  // A read that waits for nothing never lets the others work.
      const auto result = Query("id < 20", {"*"});
      ASSERT_TRUE(result.ok()) << result.status().ToString();
      for (const model::Column& column : result->columns) {
        ASSERT_EQ(column.rows, 20u) << column.name;
        // A field that was added stands with its default in every row, or not at all.
        if (!column.name.starts_with('f')) continue;
        for (size_t i = 0; i < column.rows; ++i) {
          ASSERT_EQ(column.view().Get<int64_t>(i), column.name[1] - '0');
        }
      }
    }
  });
  for (int64_t field = 0; field < 6; ++field) {
    const std::string name = "f" + std::to_string(field);
    Expect(AddField(name, field));
    EXPECT_EQ(Read(name, "id < 20").size(), 20u);
    if (field == 2) Flush();
    if (field % 2 == 1) Expect(DropField("f" + std::to_string(field - 1)));
    for (int i = 0; i < 200; ++i) executor_->Yield();
  }
  while (written.size() < 60) executor_->Yield();
  is_over = true;
  for (int i = 0; i < 2000; ++i) executor_->Yield();
  for (const auto& [id, value] : Read("f3", "id >= 100"))
    EXPECT_EQ(value, Value(written[id])) << id;
}

INSTANTIATE_TEST_SUITE_P(Seeds, SchemaChangeTest, testing::Range<uint64_t>(1, 5));

}  // namespace
}  // namespace elanus::streaming
