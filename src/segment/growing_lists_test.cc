// Growing segments that are searched through lists: while rows come and go, under filters, after
// changes of the schema, and when the segment ends before its lists are done.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <map>
#include <random>
#include <set>

#include "segment/growing.h"
#include "segment/search.h"

namespace elanus::segment {
namespace {

using model::Column;
using model::DataType;
using model::Metric;

constexpr uint32_t kDim = 16;
constexpr size_t kRows = 24'000;
constexpr size_t kBatch = 500;
constexpr FieldId kKey{100};
constexpr FieldId kNumber{101};
constexpr FieldId kVector{102};
constexpr FieldId kSecondVector{103};

model::FieldSchema VectorField(FieldId id, const std::string& name) {
  return {.id = id,
          .name = name,
          .type = DataType::kFloatVector,
          .nullable = id == kSecondVector,
          .type_params = {{"dim", std::to_string(kDim)}}};
}

std::shared_ptr<model::CollectionSchema> Schema() {
  auto schema = std::make_shared<model::CollectionSchema>();
  schema->name = "c";
  schema->fields.push_back(
      {.id = kKey, .name = "id", .type = DataType::kInt64, .is_primary_key = true});
  schema->fields.push_back({.id = kNumber, .name = "number", .type = DataType::kInt64});
  schema->fields.push_back(VectorField(kVector, "vector"));
  return schema;
}

class GrowingListsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::mt19937 rng(9);
    std::normal_distribution<float> normal;
    std::vector<float> centres(40 * kDim);
    for (float& value : centres) value = normal(rng);
    for (size_t r = 0; r < kRows + 64; ++r) {
      const size_t centre = rng() % 40;
      for (uint32_t d = 0; d < kDim; ++d) {
        vectors_.push_back(centres[centre * kDim + d] + 0.4f * normal(rng));
      }
      numbers_.push_back(static_cast<int64_t>(rng() % 1000));
    }
    Open({.lists = 16, .probes = 4});
  }
  void Open(const index::GrowingIndexOptions& options) {
    growing_.reset();
    indexer_ = std::make_unique<GrowingIndexer>(*executor_, clock_, options);
    growing_ = std::make_unique<Growing>(SegmentId(1), PartitionId(2), schema_, indexer_.get());
    growing_->SetListedFields(fields_);
  }

  std::vector<Column> Columns(size_t first, size_t count) const {
    std::vector<Column> columns{
        model::MakeColumn(kKey, "id", DataType::kInt64, DataType::kNone, 0),
        model::MakeColumn(kNumber, "number", DataType::kInt64, DataType::kNone, 0),
        model::MakeColumn(kVector, "vector", DataType::kFloatVector, DataType::kNone, kDim)};
    for (size_t row = first; row < first + count; ++row) {
      const auto key = static_cast<int64_t>(row);
      columns[0].AppendFixed(&key);
      columns[1].AppendFixed(&numbers_[row]);
      columns[2].AppendFixed(Vector(row));
    }
    return columns;
  }
  void Append(size_t first, size_t count, uint64_t timestamp) {
    growing_->Append(Columns(first, count), Timestamp(timestamp));
  }
  void AppendAll() {
    for (size_t row = 0; row < kRows; row += kBatch) Append(row, kBatch, 10);
  }
  void Delete(size_t row, uint64_t timestamp) {
    Column keys = model::MakeColumn(kKey, "id", DataType::kInt64, DataType::kNone, 0);
    const auto key = static_cast<int64_t>(row);
    keys.AppendFixed(&key);
    growing_->Delete(keys.view(), Timestamp(timestamp));
  }
  const float* Vector(size_t row) const { return vectors_.data() + row * kDim; }
  // Query q, which is no row.
  size_t QueryRow(size_t q) const { return kRows + q % 64; }

  model::ShardSearch Ask(size_t row, uint32_t k, Metric metric = Metric::kL2) const {
    model::ShardSearch search{.vector_field = kVector, .metric = metric, .k = k};
    search.queries =
        model::MakeColumn(kVector, "vector", DataType::kFloatVector, DataType::kNone, kDim);
    search.queries.AppendFixed(Vector(row));
    return search;
  }
  SegmentHits Run(const SegmentView& view, const model::ShardSearch& search,
                  const std::string& filter = "", uint64_t read_at = 1'000'000) const {
    Context ctx(clock_);
    const auto plan = expr::Bind(filter, view.schema(), {});
    EXPECT_TRUE(plan.ok()) << plan.status().ToString();
    auto hits = Search(ctx, view, *plan, search, Timestamp(read_at));
    EXPECT_TRUE(hits.ok()) << hits.status().ToString();
    return hits.ok() ? std::move(*hits) : SegmentHits();
  }
  // Rows that are answered through lists.
  size_t Listed(const SegmentView& view, FieldId field = kVector,
                Metric metric = Metric::kL2) const {
    Context ctx(clock_);
    model::ShardSearch search = Ask(QueryRow(0), 1);
    uint32_t row;
    float score;
    const auto listed = view.SearchLists(ctx, field, metric, {},
                                         {.queries = index::BlockOf(search.queries.view()), .k = 1},
                                         {.rows = &row, .scores = &score});
    EXPECT_TRUE(listed.ok());
    return listed.value();
  }
  void WaitForLists(FieldId field = kVector, Metric metric = Metric::kL2) {
    const auto view = growing_->Snapshot();
    const auto monitor = executor_->MakeMonitor();
    std::lock_guard<Monitor> lock(*monitor);
    for (int tries = 0; tries < 60'000; ++tries) {
      if (Listed(*view, field, metric) + 1024 + 64 > view->rows()) return;
      monitor->WaitFor(/*timeout_ms=*/1);
    }
    FAIL() << "no lists after a minute";
  }
  // Share of the exact best rows that were found, over 64 queries.
  template <class Passes>
  double Recall(const SegmentView& view, const std::string& filter, Metric metric, Passes passes) {
    constexpr uint32_t kK = 10;
    size_t found = 0;
    size_t wanted = 0;
    for (size_t q = 0; q < 64; ++q) {
      std::vector<std::pair<double, uint32_t>> exact;
      for (uint32_t row = 0; row < view.rows(); ++row) {
        if (passes(row)) exact.emplace_back(Key(QueryRow(q), row, metric), row);
      }
      const size_t k = std::min<size_t>(kK, exact.size());
      std::partial_sort(exact.begin(), exact.begin() + static_cast<ptrdiff_t>(k), exact.end());
      const SegmentHits hits = Run(view, Ask(QueryRow(q), kK, metric), filter);
      for (size_t i = 0; i < k; ++i) {
        found += std::count(hits.rows.begin(), hits.rows.end(), exact[i].second) > 0 ? 1 : 0;
      }
      wanted += k;
    }
    return static_cast<double>(found) / static_cast<double>(wanted);
  }
  double Key(size_t a, size_t b, Metric metric) const {
    double l2 = 0, ip = 0, norm = 0;
    for (size_t d = 0; d < kDim; ++d) {
      l2 += (Vector(a)[d] - Vector(b)[d]) * (Vector(a)[d] - Vector(b)[d]);
      ip += Vector(a)[d] * Vector(b)[d];
      norm += Vector(b)[d] * Vector(b)[d];
    }
    if (metric == Metric::kL2) return l2;
    return metric == Metric::kIp ? -ip : -ip / std::sqrt(norm);
  }

  mutable SystemClock clock_;
  std::unique_ptr<Executor> executor_ = MakeThreadExecutor();
  std::shared_ptr<model::CollectionSchema> schema_ = Schema();
  std::vector<ListedField> fields_{{.field = kVector, .metric = Metric::kL2},
                                   {.field = kVector, .metric = Metric::kIp},
                                   {.field = kVector, .metric = Metric::kCosine}};
  std::vector<float> vectors_;
  std::vector<int64_t> numbers_;
  std::unique_ptr<GrowingIndexer> indexer_;
  std::unique_ptr<Growing> growing_;
};

TEST_F(GrowingListsTest, KeepsItsRecallForEveryMetricAndFilter) {
  AppendAll();
  const auto view = growing_->Snapshot();
  for (const Metric metric : {Metric::kL2, Metric::kIp, Metric::kCosine}) {
    EXPECT_EQ(Listed(*view, kVector, metric), 0u);  // The first search asks for the lists.
    WaitForLists(kVector, metric);
    for (const int64_t below : {1, 10, 100, 500, 900, 990, 1000}) {
      const auto passes = [&](uint32_t row) { return numbers_[row] < below; };
      EXPECT_GE(Recall(*view, "number < " + std::to_string(below), metric, passes), 0.95)
          << model::NameOf(metric) << " number < " << below;
    }
  }
}

TEST_F(GrowingListsTest, AnswersAsAScanAtFullEffort) {
  AppendAll();
  WaitForLists();
  const auto view = growing_->Snapshot();
  Growing scanned(SegmentId(1), PartitionId(2), schema_);
  scanned.Append(Columns(0, kRows), Timestamp(10));
  const auto scanned_view = scanned.Snapshot();
  for (const uint32_t k : {1u, 10u, 16'384u}) {
    for (size_t q = 0; q < 8; ++q) {
      model::ShardSearch search = Ask(QueryRow(q), k);
      search.params = {{"nprobe", "128"}, {"nlist", "128"}};
      const SegmentHits hits = Run(*view, search);
      const SegmentHits exact = Run(*scanned_view, search);
      EXPECT_EQ(hits.rows, exact.rows);
      EXPECT_EQ(hits.scores, exact.scores);
    }
  }
}

TEST_F(GrowingListsTest, ScansWhatHasAFilterOfTheRange) {
  AppendAll();
  WaitForLists();
  model::ShardSearch search = Ask(QueryRow(1), 50);
  const auto view = growing_->Snapshot();
  search.params = {{"nprobe", "128"}, {"nlist", "128"}};
  const SegmentHits all = Run(*view, search);
  search.params = {};
  search.has_radius = search.has_range_filter = true;
  search.range_filter = all.scores[10];
  search.radius = all.scores[40];
  const SegmentHits ranged = Run(*view, search);
  for (size_t i = 0; i < 50; ++i) {
    EXPECT_EQ(ranged.rows[i], i < 30 ? all.rows[i + 10] : index::kNoRow);
  }
}

TEST_F(GrowingListsTest, NeverAnswersDeletedRowsAndAnswersNewOnesAtOnce) {
  AppendAll();
  WaitForLists();
  for (size_t q = 0; q < 32; ++q) {
    const uint32_t best = Run(*growing_->Snapshot(), Ask(QueryRow(q), 1), "", 20).rows[0];
    Delete(best, 21 + q);
    EXPECT_NE(Run(*growing_->Snapshot(), Ask(QueryRow(q), 1), "", 21 + q).rows[0], best);
    // At an earlier moment it is still there.
    EXPECT_EQ(Run(*growing_->Snapshot(), Ask(QueryRow(q), 1), "", 20).rows[0], best);
  }
  Append(QueryRow(40), 1, 100);
  EXPECT_EQ(Run(*growing_->Snapshot(), Ask(QueryRow(40), 1)).rows[0], kRows);
}

TEST_F(GrowingListsTest, SearchesFromManyThreadsWhileItGrowsAndRowsAreDeleted) {
  std::atomic<bool> done{false};
  std::atomic<size_t> deleted_below{0};  // Even rows below this are deleted.
  std::vector<std::unique_ptr<Worker>> readers;
  for (size_t reader = 0; reader < 3; ++reader) {
    readers.push_back(executor_->Spawn("reader", [&, reader] {
      for (size_t q = reader; !done.load(); ++q) {
        const size_t gone = deleted_below.load();
        const auto view = growing_->Snapshot();
        if (view->rows() == 0) continue;
        const SegmentHits hits = Run(*view, Ask(QueryRow(q), 10), q % 2 == 0 ? "" : "number < 800");
        std::set<uint32_t> distinct;
        for (size_t i = 0; i < 10 && hits.rows[i] != index::kNoRow; ++i) {
          const uint32_t row = hits.rows[i];
          ASSERT_LT(row, view->rows());
          EXPECT_TRUE(distinct.insert(row).second);
          EXPECT_FALSE(row % 2 == 0 && row < gone) << row << " was deleted before the search";
          if (i > 0) {
            EXPECT_LE(hits.scores[i - 1], hits.scores[i]);
          }
        }
        // The newest row is found at once, in lists or not.
        const auto last = static_cast<uint32_t>(view->rows() - 1);
        EXPECT_EQ(Run(*view, Ask(last, 1)).rows[0], last);
      }
    }));
  }
  for (size_t row = 0; row < kRows; row += 100) {
    Append(row, 100, 10 + row);
    // An odd row stays the newest.
    for (size_t gone = row; gone < row + 100 && row < kRows / 2; gone += 2) {
      growing_->memory_bytes();
      Delete(gone, 11 + row);
    }
    if (row < kRows / 2) deleted_below.store(row + 100);
  }
  WaitForLists();
  done.store(true);
  readers.clear();
  const auto lives = [](uint32_t row) { return row % 2 == 1 || row >= kRows / 2; };
  EXPECT_GE(Recall(*growing_->Snapshot(), "", Metric::kL2, lives), 0.95);
}

TEST_F(GrowingListsTest, KeepsItsListsWhenAFieldIsAdded) {
  AppendAll();
  WaitForLists();
  const size_t listed = Listed(*growing_->Snapshot());
  auto wider = std::make_shared<model::CollectionSchema>(*schema_);
  wider->version = schema_->version + 1;
  wider->fields.push_back(VectorField(kSecondVector, "second"));
  const size_t bytes = growing_->memory_bytes();
  growing_->SetSchema(wider);
  EXPECT_GE(growing_->memory_bytes(), bytes + kRows * kDim * sizeof(float));
  fields_.push_back({.field = kSecondVector, .metric = Metric::kL2});
  growing_->SetListedFields(fields_);
  EXPECT_GE(Listed(*growing_->Snapshot()), listed);
  EXPECT_GE(Recall(*growing_->Snapshot(), "", Metric::kL2, [](uint32_t) { return true; }), 0.95);
  WaitForLists(kSecondVector);
  // A column stays: reads under way may be on the schema that has it. Only its lists go.
  const size_t both = growing_->memory_bytes();
  growing_->SetSchema(schema_);
  fields_.pop_back();
  growing_->SetListedFields(fields_);
  EXPECT_LE(growing_->memory_bytes(), both);
  EXPECT_GE(Listed(*growing_->Snapshot()), listed);
}

TEST_F(GrowingListsTest, ExportsAndEndsWhileItsListsAreBeingMade) {
  AppendAll();
  const auto view = growing_->Snapshot();
  Listed(*view);  // Starts the work.
  std::vector<Column> columns;
  std::vector<uint64_t> timestamps;
  growing_->Export(columns, timestamps);
  EXPECT_EQ(timestamps.size(), kRows);
  growing_.reset();
  // Snapshots outlive the segment.
  EXPECT_GE(Recall(*view, "", Metric::kL2, [](uint32_t) { return true; }), 0.95);
  indexer_->Stop();
  EXPECT_GE(Recall(*view, "", Metric::kL2, [](uint32_t) { return true; }), 0.95);
}

TEST_F(GrowingListsTest, ScansFieldsThatMustBeExactAndWhenTheOptionIsOff) {
  fields_ = {{.field = kVector, .metric = Metric::kIp}};
  Open({.lists = 16, .probes = 4});
  AppendAll();
  EXPECT_EQ(Listed(*growing_->Snapshot(), kVector, Metric::kL2), 0u);
  WaitForLists(kVector, Metric::kIp);
  growing_->SetListedFields({});
  EXPECT_EQ(Listed(*growing_->Snapshot(), kVector, Metric::kIp), 0u);
  Open({.enabled = false, .lists = 16, .probes = 4});
  AppendAll();
  for (int tries = 0; tries < 3; ++tries) {
    EXPECT_EQ(Listed(*growing_->Snapshot(), kVector, Metric::kIp), 0u);
  }
}

class GrowingSparseTest : public GrowingListsTest {
 protected:
  void SetUp() override {
    schema_->fields[2] = {.id = kVector, .name = "terms", .type = DataType::kSparseFloatVector};
    fields_ = {{.field = kVector, .kind = index::VectorKind::kSparse, .metric = Metric::kIp}};
    GrowingListsTest::SetUp();
    search_.queries = Rows(4);
  }
  Column Rows(size_t count) {
    Column column =
        model::MakeColumn(kVector, "terms", DataType::kSparseFloatVector, DataType::kNone, 0);
    for (size_t row = 0; row < count; ++row) {
      std::map<uint32_t, float> terms;
      while (terms.size() < 8) terms[rng_() % 300] = static_cast<float>(1 + rng_() % 100);
      std::vector<uint32_t> words;
      for (const auto& [dim, value] : terms) words.push_back(dim);
      for (const auto& [dim, value] : terms) words.push_back(std::bit_cast<uint32_t>(value));
      column.AppendBytes({reinterpret_cast<const char*>(words.data()), words.size() * 4});
    }
    return column;
  }
  void AppendSparse(size_t first) {
    auto columns = Columns(first, kBatch);
    columns[2] = Rows(kBatch);
    growing_->Append(columns, Timestamp(10));
  }
  size_t ListedRows() {
    SegmentHits hits = NoHits(search_);
    const auto found = growing_->Snapshot()->SearchLists(
        ctx_, kVector, Metric::kIp, {},
        {.queries = index::BlockOf(search_.queries.view()), .k = search_.k},
        {.rows = hits.rows.data(), .scores = hits.scores.data()});
    EXPECT_TRUE(found.ok());
    return found.value();
  }
  // The hits of the first query by a scan of every block.
  template <class Passes>
  SegmentHits Scan(const SegmentView& view, Passes passes) {
    std::vector<std::pair<float, uint32_t>> best;
    const auto blocks = view.Vectors(kVector);
    EXPECT_TRUE(blocks.ok());
    for (size_t b = 0; b < blocks->size(); ++b) {
      Bitset allowed((*blocks)[b].rows);
      for (size_t i = 0; i < (*blocks)[b].rows; ++i) {
        if (passes(b * kChunkRows + i)) allowed.Set(i);
      }
      SegmentHits hits = NoHits(search_);
      EXPECT_TRUE(index::SearchExact(ctx_, (*blocks)[b], Metric::kIp,
                                     {.queries = index::BlockOf(search_.queries.view()).Slice(0, 1),
                                      .k = search_.k,
                                      .params = {},
                                      .allowed = allowed.view()},
                                     {.rows = hits.rows.data(), .scores = hits.scores.data()})
                      .ok());
      for (size_t i = 0; i < search_.k && hits.rows[i] != index::kNoRow; ++i) {
        best.emplace_back(-hits.scores[i], static_cast<uint32_t>(b * kChunkRows) + hits.rows[i]);
      }
    }
    std::sort(best.begin(), best.end());
    SegmentHits hits;
    for (size_t i = 0; i < std::min<size_t>(search_.k, best.size()); ++i) {
      hits.scores.push_back(-best[i].first);
      hits.rows.push_back(best[i].second);
    }
    return hits;
  }

  Context ctx_{clock_};
  std::mt19937 rng_{3};
  model::ShardSearch search_{.vector_field = kVector, .metric = Metric::kIp, .k = 10};
};

TEST_F(GrowingSparseTest, AnswersExactlyWhileRowsComeAndGo) {
  size_t listed = 0;
  for (size_t row = 0; row < kRows; row += kBatch) {
    AppendSparse(row);
    if (row % 3000 == 0) Delete(row, 20);
    const auto view = growing_->Snapshot();
    const SegmentHits got = Run(*view, search_, "number < 700");
    const SegmentHits want =
        Scan(*view, [&](size_t at) { return numbers_[at] < 700 && (at % 3000 != 0 || at > row); });
    for (size_t i = 0; i < want.rows.size(); ++i) {
      EXPECT_EQ(got.rows[i], want.rows[i]);
      EXPECT_EQ(got.scores[i], want.scores[i]);
    }
    const size_t now = ListedRows();
    EXPECT_GE(now, listed);
    listed = now;
  }
  const auto monitor = executor_->MakeMonitor();
  std::lock_guard<Monitor> lock(*monitor);
  const size_t full = kRows / kChunkRows * kChunkRows;
  for (int tries = 0; tries < 60'000 && listed < full; ++tries) {
    listed = ListedRows();
    monitor->WaitFor(/*timeout_ms=*/1);
  }
  EXPECT_EQ(listed, full);
  EXPECT_GT(growing_->memory_bytes(), kRows * 8 * 8);
}

TEST_F(GrowingSparseTest, EndsWhileItsPostingsAreBeingMade) {
  for (size_t row = 0; row < kRows; row += kBatch) AppendSparse(row);
  ListedRows();  // The first search asks for them.
  const auto view = growing_->Snapshot();
  growing_.reset();
  const SegmentHits got = Run(*view, search_);
  EXPECT_EQ(std::vector(got.rows.begin(), got.rows.begin() + 10),
            Scan(*view, [](size_t) { return true; }).rows);
}

TEST_F(GrowingListsTest, CountsTheMemoryOfRowsKeysAndLists) {
  const size_t empty = growing_->memory_bytes();
  AppendAll();
  const size_t rows = growing_->memory_bytes() - empty;
  const size_t row_bytes = kDim * sizeof(float) + 8 + 8 + 16;  // Columns, and its timestamps.
  EXPECT_GE(rows, kRows * row_bytes + kRows * 20);             // Keys take 20 bytes at least.
  EXPECT_LE(rows, kRows * row_bytes + kRows * 80);
  WaitForLists();
  EXPECT_GE(growing_->memory_bytes(), empty + rows + (2 + kDim) * (kRows - 1024 - 64));
  EXPECT_LE(growing_->memory_bytes(), empty + rows + 40 * kRows);
}

}  // namespace
}  // namespace elanus::segment
