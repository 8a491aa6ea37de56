// Random filters over a collection of every type of field, through the whole server: rows that
// grow, that are flushed, that are indexed, and all of them after a restart pass the filters that a
// plain reading of the language says.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/log.h"
#include "expr/testing/random_filter.h"
#include "expr/testing/text_numbers.h"
#include "index/scalar_index.h"
#include "proxy/ops.h"
#include "server/fake_cluster.h"

namespace elanus {
namespace {

using expr::testing::Datum;
using expr::testing::Dice;
using expr::testing::DrawFilter;
using expr::testing::Filter;
using expr::testing::Row;
using expr::testing::ShareOf;
using expr::testing::Truth;
using expr::testing::World;
using model::DataType;

const model::CollectionName kName{.database = "", .collection = "world"};
constexpr size_t kRows = 240;
constexpr int kFilters = 250;  // In each state.
constexpr uint64_t kSeeds[] = {1, 2, 3};
constexpr int kAllFilters = 3 * 6 * kFilters;
constexpr int kPlaceFilters = 100;  // Of a place in JSON, in each state; beside all others.

// A column of the world as a request carries it: small integers as int32.
model::Column AsSent(const model::FieldSchema& field, const model::ColumnView& view) {
  const auto wide = [](DataType type) {
    return type == DataType::kInt8 || type == DataType::kInt16 ? DataType::kInt32 : type;
  };
  const auto widened = [](DataType type, const char* bytes) {
    int32_t number = 0;
    if (type == DataType::kInt8)
      number = static_cast<int8_t>(*bytes);
    else {
      int16_t narrow;
      std::memcpy(&narrow, bytes, 2);
      number = narrow;
    }
    return number;
  };
  model::Column sent = model::MakeColumn(FieldId(0), field.name, wide(field.type),
                                         wide(field.element_type), view.dim);
  sent.is_dynamic = field.is_dynamic;
  for (size_t row = 0; row < view.rows; ++row) {
    if (!view.IsValid(row)) {
      sent.AppendNull();
    } else if (wide(field.type) != field.type) {
      const int32_t number = widened(field.type, view.Bytes(row).data());
      sent.AppendFixed(&number);
    } else if (wide(field.element_type) != field.element_type) {
      std::string packed;
      const uint32_t width = model::WidthOf(field.element_type);
      const std::string_view bytes = view.Bytes(row);
      for (size_t at = 0; at < bytes.size(); at += width) {
        const int32_t number = widened(field.element_type, bytes.data() + at);
        packed.append(reinterpret_cast<const char*>(&number), 4);
      }
      sent.AppendBytes(packed);
    } else {
      sent.AppendRow(view, row);
    }
  }
  return sent;
}

class States : public testing::TestWithParam<uint64_t> {
 protected:
  States() {
    SetLogLevel(LogLevel::kOff);
    Open();
  }
  ~States() override {
    cluster_.reset();
    SetLogLevel(LogLevel::kInfo);
  }

  void Open() {
    cluster_.reset();
    auto opened = server::OpenFakeCluster(disk_, *executor_, clock_);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    cluster_ = std::move(*opened);
  }
  proxy::Services& services() { return cluster_->services(); }
  static void Expect(const Status& status) { ASSERT_TRUE(status.ok()) << status.ToString(); }

  void Create() {
    model::CreateCollectionRequest create{.name = kName};
    create.schema.name = kName.collection;
    create.schema.enable_dynamic_field = true;
    for (model::FieldSchema field : world_.schema().fields) {
      if (field.is_dynamic) continue;
      field.id = FieldId();
      const bool has_texts =
          field.type == DataType::kVarChar || field.element_type == DataType::kVarChar;
      if (has_texts) model::Put(field.type_params, "max_length", "100");
      if (field.type == DataType::kArray) model::Put(field.type_params, "max_capacity", "10");
      if (field.type == DataType::kFloatVector) model::Put(field.type_params, "dim", "2");
      create.schema.fields.push_back(std::move(field));
    }
    Expect(proxy::CreateCollection(ctx_, services(), create));
    Expect(proxy::CreateIndex(
        ctx_, services(), {.name = kName, .field = "v", .extra_params = {{"metric_type", "L2"}}}));
    Expect(proxy::Load(ctx_, services(), kName, {}));
    AwaitLoad();
  }

  // Rows [begin, end) of the world, those that it makes not finite as zeros, which no client can
  // send otherwise.
  void Insert(size_t begin, size_t end) {
    model::WriteRequest write{.name = kName, .num_rows = end - begin};
    for (const model::FieldSchema& field : world_.schema().fields) {
      const auto view = world_.Read(field.id, begin, end - begin);
      ASSERT_TRUE(view.ok());
      model::Column sent = AsSent(field, *view);
      if (field.type == DataType::kDouble) {
        for (size_t i = 0; i < sent.rows; ++i) {
          double number;
          std::memcpy(&number, sent.data.data() + i * 8, 8);
          if (std::isfinite(number)) continue;
          number = 0;
          std::memcpy(sent.data.data() + i * 8, &number, 8);
          rows_[begin + i][field.name] = Datum::Real(0);
        }
      }
      write.columns.push_back(std::move(sent));
    }
    Expect(proxy::Write(ctx_, services(), std::move(write)).status());
  }

  // An index on every field that can have one, of a type that the dice choose.
  void Index(Dice& dice) {
    for (const model::FieldSchema& field : world_.schema().fields) {
      if (field.type == DataType::kFloatVector) continue;
      if (field.type == DataType::kJson) {
        IndexPlace(field.is_dynamic ? "a" : "j[\"a\"]", field.is_dynamic ? "a" : "j", dice);
        if (!field.is_dynamic) IndexPlace("j[\"b\"][0]", "j", dice);
        continue;
      }
      std::vector<std::string> types = {"AUTOINDEX"};
      for (const auto* type : index::AllScalarTypes()) {
        const index::ScalarShape shape{.type = field.type,
                                       .element_type = field.element_type,
                                       .is_primary_key = field.is_primary_key};
        if (!type->is_internal && type->Supports(shape)) types.emplace_back(type->name);
      }
      Expect(proxy::CreateIndex(
          ctx_, services(),
          {.name = kName,
           .field = field.name,
           .extra_params = {
               {"index_type", dice.Pick(types)}, {"min_gram", "1"}, {"max_gram", "2"}}}));
    }
    for (int i = 0; i < 100'000 && !IsIndexed(); ++i) executor_->Yield();
    ASSERT_TRUE(IsIndexed());
  }
  void IndexPlace(const std::string& place, const std::string& field, Dice& dice) {
    const char* casts[] = {"BOOL", "DOUBLE", "VARCHAR", "ARRAY_DOUBLE", "ARRAY_VARCHAR"};
    Expect(proxy::CreateIndex(ctx_, services(),
                              {.name = kName,
                               .field = field,
                               .index_name = "place_" + std::to_string(places_++),
                               .extra_params = {{"index_type", "INVERTED"},
                                                {"json_path", place},
                                                {"json_cast_type", dice.Pick(casts)}}}));
  }
  bool IsIndexed() {
    const auto indexes = proxy::DescribeIndex(ctx_, services(), kName, "", "");
    EXPECT_TRUE(indexes.ok());
    for (const model::IndexDescription& one : *indexes) {
      if (one.info.field != FieldId() && one.pending_rows > 0) return false;
    }
    return true;
  }

  void Flush() {
    const auto flush = proxy::Flush(ctx_, services(), "", {kName.collection});
    ASSERT_TRUE(flush.ok());
    for (int i = 0; i < 100'000; ++i) {
      const auto done = proxy::IsFlushed(ctx_, services(), kName, flush->collections[0].flush_ts);
      ASSERT_TRUE(done.ok());
      if (*done) return;
      executor_->Yield();
    }
    FAIL() << "the flush never ends";
  }
  void Restart() {
    Open();
    AwaitLoad();
  }
  void AwaitLoad() {
    for (int i = 0; i < 100'000; ++i) {
      const auto progress = proxy::LoadProgress(ctx_, services(), kName, {});
      if (progress.ok() && *progress == 100) return;
      executor_->Yield();
    }
    FAIL() << "the load never ends";
  }

  Result<std::set<int64_t>> Matching(const Filter& filter) {
    TRY_ASSIGN(const auto found,
               proxy::Query(ctx_, services(),
                            {.name = kName,
                             .filter = filter.text,
                             .templates = filter.templates,
                             .output_fields = {"id"},
                             .params = {{"limit", "1000"}},
                             .consistency = {.level = model::ConsistencyLevel::kStrong}}));
    std::set<int64_t> ids;
    for (size_t i = 0; i < found.columns[0].rows; ++i) {
      ids.insert(found.columns[0].view().Get<int64_t>(i));
    }
    return ids;
  }

  // So many filters of the seed pass the rows that they should.
  void ExpectFilters(const char* state, int filters) {
    for (int i = 0; i < ShareOf(filters, kAllFilters); ++i) {
      const Filter filter = DrawFilter(dice_, static_cast<int>(dice_.Below(4)));
      std::set<int64_t> wanted;
      for (size_t row = 0; row < inserted_; ++row) {
        if (filter.truth(rows_[row]) == Truth::kTrue) wanted.insert(static_cast<int64_t>(row));
      }
      const auto found = Matching(filter);
      ASSERT_TRUE(found.ok()) << state << ": " << found.status().ToString();
      ASSERT_EQ(*found, wanted) << state << ", filter " << i << ": " << filter.text;
    }
  }

  // Rows of keys p and q: p has values as they are, q as they are where texts count as numbers. p
  // has an index that makes them count, q perhaps one that does not.
  void CreateTwoWays() {
    model::CreateCollectionRequest create{.name = kName};
    create.schema.name = kName.collection;
    create.schema.enable_dynamic_field = true;
    create.schema.fields = {
        {.name = "id", .type = DataType::kInt64, .is_primary_key = true},
        {.name = "v", .type = DataType::kFloatVector, .type_params = {{"dim", "2"}}}};
    Expect(proxy::CreateCollection(ctx_, services(), create));
    Expect(proxy::CreateIndex(
        ctx_, services(), {.name = kName, .field = "v", .extra_params = {{"metric_type", "L2"}}}));
    Expect(proxy::CreateIndex(ctx_, services(),
                              {.name = kName,
                               .field = "p",
                               .index_name = "numbers",
                               .extra_params = {{"index_type", "INVERTED"},
                                                {"json_path", "p"},
                                                {"json_cast_type", "DOUBLE"},
                                                {"json_cast_function", "STRING_TO_DOUBLE"}}}));
    if (dice_.OneIn(2)) IndexPlace("q", "q", dice_);
    Expect(proxy::Load(ctx_, services(), kName, {}));
    AwaitLoad();
  }
  void InsertTwoWays(size_t begin, size_t end) {
    model::WriteRequest write{.name = kName, .num_rows = end - begin};
    model::Column ids = model::MakeColumn(FieldId(0), "id", DataType::kInt64, DataType::kNone, 0);
    model::Column vectors =
        model::MakeColumn(FieldId(0), "v", DataType::kFloatVector, DataType::kNone, 2);
    model::Column documents =
        model::MakeColumn(FieldId(0), "$meta", DataType::kJson, DataType::kNone, 0);
    documents.is_dynamic = true;
    for (size_t i = begin; i < end; ++i) {
      const auto id = static_cast<int64_t>(i);
      const float vector[] = {0, 1};
      ids.AppendFixed(&id);
      vectors.AppendFixed(vector);
      const auto value = dice_.Pick(expr::testing::kTextsAndNumbers);
      documents.AppendBytes(dice_.OneIn(10)
                                ? "{}"
                                : fmt::format(R"({{"p": {}, "q": {}}})", value.text, value.number));
    }
    write.columns = {std::move(ids), std::move(vectors), std::move(documents)};
    Expect(proxy::Write(ctx_, services(), std::move(write)).status());
  }
  // A condition on numbers of a place that is called @.
  std::string NumbersOfPlace() {
    std::string text = expr::testing::DrawNumberTest(dice_, "@");
    if (dice_.OneIn(3)) text = fmt::format("({}) and id % 2 == 0", text);
    if (dice_.OneIn(3)) text = fmt::format("({}) or id in [3, 5, 150]", text);
    return text;
  }
  void ExpectTwoWays(const char* state) {
    for (int i = 0; i < kPlaceFilters; ++i) {
      const std::string text = NumbersOfPlace();
      const auto of_place = [&](char place) {
        Filter filter{.text = text, .templates = {}, .truth = {}};
        std::replace(filter.text.begin(), filter.text.end(), '@', place);
        return Matching(filter);
      };
      const auto cast = of_place('p');
      const auto plain = of_place('q');
      ASSERT_TRUE(cast.ok() && plain.ok()) << state << ": " << text;
      ASSERT_EQ(*cast, *plain) << state << ": " << text;
    }
  }

  ManualClock clock_;
  Context ctx_{clock_};
  std::unique_ptr<Executor> executor_ = MakeSimExecutor(GetParam());
  store::MemoryDisk disk_{executor_.get()};
  std::unique_ptr<server::RoleSet> cluster_;
  Dice dice_{GetParam() + 1000};
  World world_{GetParam(), kRows, /*answers=*/false};
  std::vector<Row> rows_ = world_.table();
  size_t inserted_ = 0;
  int places_ = 0;
};

TEST_P(States, FiltersPassTheSameRowsGrowingFlushedIndexedAndRestarted) {
  Create();
  Insert(0, kRows / 2);
  inserted_ = kRows / 2;
  ExpectFilters("growing", kFilters);
  Flush();
  ExpectFilters("flushed", kFilters);
  Index(dice_);
  ExpectFilters("indexed", kFilters);
  Insert(kRows / 2, kRows);
  inserted_ = kRows;
  ExpectFilters("indexed and growing", kFilters);
  Restart();
  ExpectFilters("restarted", kFilters);
  Flush();
  for (int i = 0; i < 100'000 && !IsIndexed(); ++i) executor_->Yield();
  Restart();
  ExpectFilters("indexed and restarted", kFilters);
}

TEST_P(States, TextsCountAsNumbersWhereAnIndexCastsThem) {
  CreateTwoWays();
  InsertTwoWays(0, kRows / 2);
  ExpectTwoWays("growing");
  Flush();
  for (int i = 0; i < 100'000 && !IsIndexed(); ++i) executor_->Yield();
  ExpectTwoWays("indexed");
  InsertTwoWays(kRows / 2, kRows);
  ExpectTwoWays("indexed and growing");
  Restart();
  ExpectTwoWays("restarted");
}

INSTANTIATE_TEST_SUITE_P(Seeds, States, testing::ValuesIn(kSeeds));

}  // namespace
}  // namespace elanus
