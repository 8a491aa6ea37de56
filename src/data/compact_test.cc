// Compaction of files: which rows stay, in which order, and which deletes are still needed.
#include <gtest/gtest.h>

#include "base/executor.h"
#include "data/node.h"
#include "expr/expr.h"
#include "segment/prune.h"
#include "segment/sealed.h"
#include "store/formats/delta_log.h"
#include "store/memory/memory_disk.h"
#include "store/testing/forwarding_store.h"

namespace elanus::data {
namespace {

using model::DataType;

constexpr CollectionId kCollection{3};
constexpr PartitionId kP1{11};
constexpr PartitionId kP2{12};

struct Row {
  int64_t key;
  uint64_t inserted;
  std::string text;
  auto operator<=>(const Row&) const = default;
};
void PrintTo(const Row& row, std::ostream* out) {
  *out << row.key << "@" << row.inserted << " " << row.text;
}

/// Notes in which pieces objects are written.
class PieceNotingStore final : public store::ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  Status Put(Context& ctx, std::string_view key, std::string_view content) override {
    Note(content);
    return ForwardingStore::Put(ctx, key, content);
  }
  Result<std::unique_ptr<store::ObjectWriter>> Create(Context& ctx, std::string_view key) override {
    TRY_ASSIGN(auto writer, ForwardingStore::Create(ctx, key));
    return std::unique_ptr<store::ObjectWriter>(std::make_unique<Writer>(*this, std::move(writer)));
  }

  size_t bytes = 0;
  size_t largest_piece = 0;

 private:
  class Writer final : public store::ObjectWriter {
   public:
    Writer(PieceNotingStore& store, std::unique_ptr<store::ObjectWriter> inner)
        : store_(store), inner_(std::move(inner)) {}
    Status Append(std::string_view piece) override {
      store_.Note(piece);
      return inner_->Append(piece);
    }
    Status Finish() override { return inner_->Finish(); }

   private:
    PieceNotingStore& store_;
    const std::unique_ptr<store::ObjectWriter> inner_;
  };

  void Note(std::string_view piece) {
    bytes += piece.size();
    largest_piece = std::max(largest_piece, piece.size());
  }
};

class CompactTest : public testing::Test {
 protected:
  CompactTest() {
    collection_.id = kCollection;
    collection_.schema.name = "c";
    collection_.schema.fields.push_back(
        {.id = FieldId(100), .name = "id", .type = DataType::kInt64, .is_primary_key = true});
    collection_.schema.fields.push_back(
        {.id = FieldId(101), .name = "text", .type = DataType::kVarChar});
  }

  // Rows 1 to `count` with the moments up to which they live, 100 for each key; the last has none.
  Result<model::SegmentInfo> FlushWithMoments(int64_t count) {
    collection_.schema.fields.push_back(
        {.id = FieldId(102), .name = "until", .type = DataType::kTimestamptz, .nullable = true});
    roles::FlushTask task{
        .segment = SegmentId(1), .collection = kCollection, .partition = kP1, .vchannel = "v"};
    for (const model::FieldSchema& field : collection_.schema.fields) {
      task.columns.push_back(model::MakeColumn(field.id, field.name, field.type, {}, 0));
    }
    for (int64_t key = 1; key <= count; ++key) {
      const int64_t until = key * 100;
      task.columns[0].AppendFixed(&key);
      task.columns[1].AppendBytes("t");
      if (key == count)
        task.columns[2].AppendNull();
      else
        task.columns[2].AppendFixed(&until);
      task.row_timestamps.push_back(10);
    }
    return node_.Flush(ctx_, task);
  }

  model::SegmentInfo Flush(int64_t id, const std::vector<Row>& rows, PartitionId partition = kP1) {
    roles::FlushTask task{.segment = SegmentId(id),
                          .collection = kCollection,
                          .partition = partition,
                          .vchannel = "v"};
    for (const model::FieldSchema& field : collection_.schema.fields) {
      task.columns.push_back(
          model::MakeColumn(field.id, field.name, field.type, field.element_type, 0));
    }
    for (const Row& row : rows) {
      task.columns[0].AppendFixed(&row.key);
      if (task.columns.size() > 1) task.columns[1].AppendBytes(row.text);
      task.row_timestamps.push_back(row.inserted);
    }
    auto flushed = node_.Flush(ctx_, task);
    EXPECT_TRUE(flushed.ok()) << flushed.status().ToString();
    return *flushed;
  }
  struct Gone {
    int64_t key;
    uint64_t at;
    PartitionId partition;
    auto operator<=>(const Gone&) const = default;
  };
  model::DeltaInfo Deltas(const std::vector<Gone>& gone) {
    model::Deletes deletes;
    for (const Gone& one : gone) {
      model::Column key = model::MakeColumn(FieldId(0), "", DataType::kInt64, DataType::kNone, 0);
      key.AppendFixed(&one.key);
      deletes.Append(key.view(), Timestamp(one.at), one.partition);
    }
    auto written = node_.FlushDeletes(ctx_, kCollection, "v", deletes);
    EXPECT_TRUE(written.ok());
    return *written;
  }
  std::vector<Gone> ReadDeltas(const model::DeltaInfo& info) {
    const auto blob = objects_->Open(ctx_, info.key);
    EXPECT_TRUE(blob.ok());
    const auto deletes = store::DecodeDeltaLog(blob->bytes(), info.key);
    EXPECT_TRUE(deletes.ok());
    std::vector<Gone> gone;
    for (size_t i = 0; i < deletes->keys.rows; ++i) {
      gone.push_back(
          {deletes->keys.view().Get<int64_t>(i), deletes->timestamps[i], deletes->partitions[i]});
    }
    return gone;
  }
  std::vector<Row> ReadRows(const model::SegmentInfo& info) {
    const segment::SealedParts parts{
        .objects = *objects_,
        .cache = std::make_shared<segment::PieceCache>(segment::PieceCacheOptions(), 1 << 30)};
    const auto opened = segment::Sealed::Open(ctx_, parts, info, collection_);
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    if (!opened.ok()) return {};
    const auto view = (*opened)->Snapshot();
    std::vector<Row> rows;
    for (size_t i = 0; i < view->rows(); ++i) {
      const auto key = view->Read(FieldId(100), i, 1);
      const auto text = view->Read(FieldId(101), i, 1);
      EXPECT_TRUE(key.ok() && text.ok());
      rows.push_back({key->Get<int64_t>(0), *view->RowTimestamps(i),
                      text->IsValid(0) ? std::string(text->Bytes(0)) : "null"});
    }
    return rows;
  }
  roles::CompactionResult Compact(std::vector<model::SegmentInfo> inputs,
                                  std::vector<model::DeltaInfo> deltas = {},
                                  uint64_t expired_before = 0) {
    auto result = node_.Compact(ctx_,
                                {.output = SegmentId(99),
                                 .inputs = std::move(inputs),
                                 .deltas = std::move(deltas),
                                 .deletes_until = Timestamp(1000),
                                 .expired_before = Timestamp(expired_before)},
                                collection_);
    EXPECT_TRUE(result.ok()) << result.status().ToString();
    return result.ok() ? *result : roles::CompactionResult();
  }

  ManualClock clock_;
  Context ctx_{clock_};
  std::unique_ptr<Executor> executor_ = MakeThreadExecutor();
  Pool pool_{*executor_, "build", 1, 8};
  store::MemoryDisk disk_;
  std::unique_ptr<store::ObjectStore> objects_ = disk_.OpenObjects();
  Node node_{*executor_, *objects_, pool_, DataOptions()};
  model::CollectionInfo collection_;
};

TEST_F(CompactTest, RowsOfSeveralSegmentsBecomeOneInTheOrderOfTheirTimestamps) {
  const auto late = Flush(1, {{1, 50, "a"}, {2, 51, "b"}, {3, 70, "c"}});
  const auto early = Flush(2, {{9, 10, "x"}, {8, 60, "y"}});
  const auto result = Compact({late, early});
  ASSERT_TRUE(result.output);
  EXPECT_EQ(
      ReadRows(*result.output),
      (std::vector<Row>{{9, 10, "x"}, {1, 50, "a"}, {2, 51, "b"}, {8, 60, "y"}, {3, 70, "c"}}));
  EXPECT_EQ(result.output->id, SegmentId(99));
  EXPECT_EQ(result.output->partition, kP1);
  EXPECT_EQ(result.output->vchannel, "v");
  EXPECT_EQ(result.output->rows, 5);
  EXPECT_EQ(result.output->oldest, Timestamp(10));
  EXPECT_EQ(result.output->newest, Timestamp(70));
  EXPECT_EQ(result.output->deletes_applied, Timestamp(1000));
  EXPECT_GT(result.output->bytes, 0);
  EXPECT_EQ(result.rows_removed, 0);
}

TEST_F(CompactTest, DeletedVersionsGoAndNewerOnesAndThoseOfOtherPartitionsStay) {
  const auto first = Flush(1, {{1, 10, "old"}, {2, 11, "b"}, {3, 12, "c"}});
  const auto second = Flush(2, {{1, 20, "new"}, {4, 21, "d"}});
  const auto deltas = Deltas({{1, 20, {}},   // An upsert: at the moment of its own row.
                              {3, 30, kP2},  // Of another partition.
                              {4, 5, {}},    // Older than the row.
                              {2, 31, kP1}});
  const auto result = Compact({first, second}, {deltas});
  ASSERT_TRUE(result.output);
  EXPECT_EQ(ReadRows(*result.output),
            (std::vector<Row>{{3, 12, "c"}, {1, 20, "new"}, {4, 21, "d"}}));
  EXPECT_EQ(result.rows_removed, 2);
}

TEST_F(CompactTest, DeletesOfSeveralLogsAreAppliedTogether) {
  const auto input = Flush(1, {{1, 10, "a"}, {2, 10, "b"}, {3, 40, "c"}});
  const auto result = Compact({input}, {Deltas({{1, 15, {}}, {3, 20, {}}}), Deltas({{2, 30, {}}})});
  ASSERT_TRUE(result.output);
  EXPECT_EQ(ReadRows(*result.output), (std::vector<Row>{{3, 40, "c"}}));
}

TEST_F(CompactTest, NothingIsWrittenWhenTheOnlyInputLosesNoRow) {
  const auto input = Flush(1, {{1, 10, "a"}});
  const auto before = *objects_->List(ctx_, "");
  const auto result = Compact({input}, {}, 10);
  EXPECT_TRUE(result.is_unchanged);
  EXPECT_FALSE(result.output);
  EXPECT_EQ(*objects_->List(ctx_, ""), before);
}

TEST_F(CompactTest, TheOnlyInputIsWrittenAnewWhenItIsToBeClusteredAndIsNot) {
  const auto input = Flush(1, {{1, 10, "b"}, {2, 11, "a"}});
  roles::CompactionTask task{.output = SegmentId(99),
                             .inputs = {input},
                             .deletes_until = Timestamp(1000),
                             .is_clustering = true,
                             .sort_by = FieldId(101)};
  const auto result = node_.Compact(ctx_, task, collection_);
  ASSERT_TRUE(result.ok() && result->output) << result.status().ToString();
  EXPECT_EQ(ReadRows(*result->output), (std::vector<Row>{{2, 11, "a"}, {1, 10, "b"}}));
  EXPECT_EQ(result->output->clustered_by, FieldId(101));
  EXPECT_FALSE(result->output->is_sorted_by_key);
  task.inputs = {*result->output};
  const auto again = node_.Compact(ctx_, task, collection_);
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->is_unchanged) << "once is enough";
}

TEST_F(CompactTest, ExpiredRowsGoAndMayLeaveNothing) {
  const auto first = Flush(1, {{1, 10, "a"}, {2, 20, "b"}});
  const auto second = Flush(2, {{3, 30, "c"}});
  const auto some = Compact({first, second}, {}, 20);
  ASSERT_TRUE(some.output);
  EXPECT_EQ(ReadRows(*some.output), (std::vector<Row>{{2, 20, "b"}, {3, 30, "c"}}));
  const auto none = Compact({first, second}, {}, 31);
  EXPECT_FALSE(none.output);
  EXPECT_FALSE(none.is_unchanged);
  EXPECT_EQ(none.rows_removed, 3);
}

TEST_F(CompactTest, AFieldThatOnlySomeInputsHaveIsFilledInTheOthers) {
  const model::FieldSchema text = collection_.schema.fields[1];
  collection_.schema.fields.pop_back();
  const auto old = Flush(1, {{1, 10, ""}});
  const auto also_old = Flush(2, {{2, 11, ""}});
  collection_.schema.fields.push_back(text);
  collection_.schema.fields[1].nullable = true;
  const auto young = Flush(3, {{3, 20, "c"}});
  const auto filled = Compact({old, young});
  ASSERT_TRUE(filled.output);
  EXPECT_EQ(ReadRows(*filled.output), (std::vector<Row>{{1, 10, "null"}, {3, 20, "c"}}));
  const auto left_out = Compact({old, also_old});
  ASSERT_TRUE(left_out.output);
  EXPECT_EQ(ReadRows(*left_out.output), (std::vector<Row>{{1, 10, "null"}, {2, 11, "null"}}));
}

TEST_F(CompactTest, RowsAreSortedByKeyAndKeepTheirMoments) {
  const auto first = Flush(1, {{7, 10, "g"}, {2, 11, "b"}, {5, 30, "e"}});
  const auto second = Flush(2, {{1, 20, "a"}, {2, 21, "B"}});
  const auto result = node_.Compact(
      ctx_, {.output = SegmentId(99), .inputs = {first, second}, .sort_by = FieldId(100)},
      collection_);
  ASSERT_TRUE(result.ok() && result->output);
  EXPECT_EQ(
      ReadRows(*result->output),
      (std::vector<Row>{{1, 20, "a"}, {2, 11, "b"}, {2, 21, "B"}, {5, 30, "e"}, {7, 10, "g"}}));
  EXPECT_EQ(result->output->oldest, Timestamp(10));
  EXPECT_EQ(result->output->newest, Timestamp(30));
  // Later compactions do without the first order.
  EXPECT_EQ(
      ReadRows(*Compact({*result->output, Flush(3, {{9, 15, "i"}})}).output),
      (std::vector<Row>{
          {7, 10, "g"}, {2, 11, "b"}, {9, 15, "i"}, {1, 20, "a"}, {2, 21, "B"}, {5, 30, "e"}}));
}

TEST_F(CompactTest, RowsOfAnotherFieldsOrderAreCutIntoSeveralSegmentsWithRangesOfTheirOwn) {
  std::vector<Row> rows;
  for (int64_t i = 0; i < 1000; ++i) {
    rows.push_back({i, static_cast<uint64_t>(10 + i), fmt::format("{:04}", (i * 7) % 1000)});
  }
  const auto input = Flush(1, rows);
  const auto result = node_.Compact(ctx_,
                                    {.output = SegmentId(90),
                                     .inputs = {input},
                                     .sort_by = FieldId(101),
                                     .more_outputs = {SegmentId(91), SegmentId(92), SegmentId(93)},
                                     .output_bytes_max = input.bytes / 3},
                                    collection_);
  ASSERT_TRUE(result.ok() && result->output);
  ASSERT_EQ(result->more_outputs.size(), 3u);
  std::string last;
  size_t count = 0;
  std::vector<model::SegmentInfo> outputs = {*result->output};
  outputs.insert(outputs.end(), result->more_outputs.begin(), result->more_outputs.end());
  for (const model::SegmentInfo& output : outputs) {
    const segment::SealedParts parts{
        .objects = *objects_,
        .cache = std::make_shared<segment::PieceCache>(segment::PieceCacheOptions(), 1 << 30)};
    const auto view = (*segment::Sealed::Open(ctx_, parts, output, collection_))->Snapshot();
    const auto range = view->WholeStats(FieldId(101));
    ASSERT_TRUE(range && range->has_range);
    EXPECT_GT(range->text_min, last);
    last = range->text_max;
    EXPECT_FALSE(view->IsInTimeOrder());
    count += view->rows();
    EXPECT_EQ(ReadRows(output).front().text, range->text_min);
    // Nothing of the others can pass.
    const auto plan =
        expr::Bind(fmt::format("text == \"{}\"", last), collection_.schema, expr::Templates());
    ASSERT_TRUE(plan.ok());
    for (const model::SegmentInfo& other : outputs) {
      const auto other_view = (*segment::Sealed::Open(ctx_, parts, other, collection_))->Snapshot();
      EXPECT_EQ(segment::CannotMatch(ctx_, *other_view, *plan), other.id != output.id);
    }
  }
  EXPECT_EQ(count, 1000u);
}

TEST_F(CompactTest, RowsGoThatAFieldLetsLiveNoLonger) {
  const auto input = FlushWithMoments(3);
  ASSERT_TRUE(input.ok());
  const auto result = node_.Compact(
      ctx_,
      {.output = SegmentId(9), .inputs = {*input}, .expiry_field = FieldId(102), .expiry_us = 100},
      collection_);
  ASSERT_TRUE(result.ok() && result->output);
  EXPECT_EQ(ReadRows(*result->output), (std::vector<Row>{{2, 10, "t"}, {3, 10, "t"}}));
}

TEST_F(CompactTest, RowsDeletedOfLateStayForReadersOfThePast) {
  const auto input = Flush(1, {{1, 10, "a"}, {2, 11, "b"}, {3, 12, "c"}});
  const auto deltas = Deltas({{1, 20, {}}, {2, 40, {}}});
  const auto result = node_.Compact(ctx_,
                                    {.output = SegmentId(99),
                                     .inputs = {input},
                                     .deltas = {deltas},
                                     .deletes_until = Timestamp(1000),
                                     .reclaim_until = Timestamp(30)},
                                    collection_);
  ASSERT_TRUE(result.ok() && result->output);
  EXPECT_EQ(ReadRows(*result->output), (std::vector<Row>{{2, 11, "b"}, {3, 12, "c"}}));
  EXPECT_EQ(result->rows_removed, 1);
  EXPECT_EQ(result->rows_hidden, 1);
  EXPECT_EQ(result->output->deleted_rows, 1);
  EXPECT_EQ(result->output->deletes_counted, Timestamp(1000));
  EXPECT_EQ(result->output->deletes_applied, Timestamp(30)) << "the delta log is still needed";
  const auto again = node_.Compact(ctx_,
                                   {.output = SegmentId(98),
                                    .inputs = {*result->output},
                                    .deltas = {deltas},
                                    .deletes_until = Timestamp(1000),
                                    .reclaim_until = Timestamp(30)},
                                   collection_);
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->is_unchanged);
  EXPECT_EQ(again->rows_hidden, 1);
}

TEST_F(CompactTest, ALargeColumnIsWrittenInPieces) {
  // The peak of what the object store is handed at once, not of the whole column.
  std::vector<Row> rows;
  for (int64_t i = 0; i < 4000; ++i) {
    rows.push_back({(i * 7919) % 4000, static_cast<uint64_t>(10 + i), std::string(2000, 'x')});
  }
  const auto input = Flush(1, rows);
  PieceNotingStore noting(*objects_);
  Node node(*executor_, noting, pool_, DataOptions());
  const auto result = node.Compact(ctx_,
                                   {.output = SegmentId(99),
                                    .inputs = {input},
                                    .expired_before = Timestamp(11),
                                    .sort_by = FieldId(100)},
                                   collection_);
  ASSERT_TRUE(result.ok() && result->output) << result.status().ToString();
  EXPECT_GT(noting.bytes, 8'000'000u);
  EXPECT_LE(noting.largest_piece, 1u << 20);
  std::sort(rows.begin(), rows.end());
  rows.erase(
      std::find_if(rows.begin(), rows.end(), [](const Row& row) { return row.inserted == 10; }));
  EXPECT_TRUE(ReadRows(*result->output) == rows);
}

TEST_F(CompactTest, RowsPastTheMomentOfAFieldAreCounted) {
  const auto input = FlushWithMoments(4);
  ASSERT_TRUE(input.ok());
  EXPECT_EQ(*node_.CountExpired(ctx_, *input, FieldId(102), 99), 0);
  EXPECT_EQ(*node_.CountExpired(ctx_, *input, FieldId(102), 200), 2);
  EXPECT_EQ(*node_.CountExpired(ctx_, *input, FieldId(102), 5000), 3) << "null lives for ever";
  EXPECT_EQ(*node_.CountExpired(ctx_, *input, FieldId(109), 5000), 0) << "older than the field";
}

TEST_F(CompactTest, ACanceledCompactionEnds) {
  const auto input = Flush(1, {{1, 10, "a"}});
  ctx_.Cancel();
  EXPECT_EQ(
      node_.Compact(ctx_, {.output = SegmentId(9), .inputs = {input}}, collection_).status().code(),
      ErrorCode::kCanceled);
}

TEST_F(CompactTest, DamagedInputsAreRefusedByName) {
  auto input = Flush(1, {{1, 10, "a"}, {2, 11, "b"}});
  const std::string key = "segments/3/1/101.col";
  const auto blob = objects_->Open(ctx_, key);
  std::string bytes(blob->bytes());
  bytes[30] ^= 1;  // In the header.
  ASSERT_TRUE(objects_->Put(ctx_, key, bytes).ok());
  const auto result = node_.Compact(
      ctx_, {.output = SegmentId(9), .inputs = {input, Flush(2, {{3, 12, "c"}})}}, collection_);
  EXPECT_EQ(result.status().code(), ErrorCode::kIntegrity);
  EXPECT_NE(result.status().ToString().find(key), std::string::npos) << result.status().ToString();
}

TEST_F(CompactTest, MergedDeltaLogsKeepTheEarliestDeleteOfEachRowAndNoOther) {
  const auto first = Flush(1, {{1, 10, "a"}, {2, 11, "b"}, {3, 12, "c"}});
  const auto second = Flush(2, {{1, 25, "a"}, {5, 26, "e"}}, kP2);
  const auto old = Deltas({{1, 20, {}}, {1, 22, {}}, {7, 23, {}}});
  const auto young = Deltas({{1, 30, kP2}, {2, 31, kP2}, {3, 32, {}}});
  const auto result = node_.MergeDeletes(ctx_,
                                         {.output = 500,
                                          .collection = kCollection,
                                          .vchannel = "v",
                                          .deltas = {old, young},
                                          .segments = {first, second}},
                                         collection_);
  ASSERT_TRUE(result.ok()) << result.status().ToString();
  EXPECT_EQ(result->deleted_rows, (std::vector<int64_t>{2, 1}));
  ASSERT_TRUE(result->delta);
  EXPECT_EQ(ReadDeltas(*result->delta),
            (std::vector<Gone>{{1, 20, {}}, {1, 30, kP2}, {3, 32, {}}}));
  EXPECT_EQ(result->delta->newest, Timestamp(32));
  EXPECT_EQ(result->delta->rows, 3);
  EXPECT_NE(result->delta->key, young.key) << "an input that others may still read";
  const auto none = node_.MergeDeletes(ctx_,
                                       {.output = 501,
                                        .collection = kCollection,
                                        .vchannel = "v",
                                        .deltas = {old},
                                        .segments = {Flush(4, {{7, 40, "z"}})}},
                                       collection_);
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(none->delta);
}

// The term counts of each row, as many as it has terms; -1: null.
std::vector<int> TermsOf(Context& ctx, store::ObjectStore& objects, const model::SegmentInfo& info,
                         const model::CollectionInfo& collection) {
  const segment::SealedParts parts{
      .objects = objects,
      .cache = std::make_shared<segment::PieceCache>(segment::PieceCacheOptions(), 1 << 30)};
  const auto opened = segment::Sealed::Open(ctx, parts, info, collection);
  EXPECT_TRUE(opened.ok()) << opened.status().ToString();
  const auto view = (*opened)->Snapshot();
  std::vector<int> terms;
  for (size_t i = 0; i < view->rows(); ++i) {
    const auto counts = view->Read(FieldId(102), i, 1);
    EXPECT_TRUE(counts.ok());
    terms.push_back(counts->IsValid(0) ? static_cast<int>(counts->Bytes(0).size() / 8) : -1);
  }
  return terms;
}

// A field 102 that a function makes of the text.
void AddTermCounts(model::CollectionSchema& schema) {
  schema.fields.push_back({.id = FieldId(102),
                           .name = "counts",
                           .type = DataType::kSparseFloatVector,
                           .is_function_output = true});
  schema.functions = {{.name = "count",
                       .type = model::FunctionType::kBm25,
                       .inputs = {"text"},
                       .outputs = {"counts"}}};
}

TEST_F(CompactTest, AFieldThatAFunctionFillsIsMadeForSegmentsThatLackIt) {
  model::CollectionSchema& schema = collection_.schema;
  schema.fields[1].type_params = {{"enable_analyzer", "true"}};
  std::vector<Row> rows;
  for (int64_t i = 0; i < 3000; ++i) rows.push_back({i, 10, i % 2 == 0 ? "two words" : "one"});
  const auto old = Flush(1, rows);
  EXPECT_EQ(old.fields,
            (std::vector<FieldId>{FieldId(100), FieldId(101), segment::kTimestampField}));
  EXPECT_TRUE(Compact({old}).is_unchanged);

  AddTermCounts(schema);
  EXPECT_EQ(TermsOf(ctx_, *objects_, old, collection_), std::vector<int>(3000, -1));
  const auto result = Compact({old}, {Deltas({{.key = 7, .at = 20, .partition = {}}})});
  ASSERT_TRUE(result.output);
  EXPECT_EQ(result.output->rows, 2999);
  EXPECT_NE(std::find(result.output->fields.begin(), result.output->fields.end(), FieldId(102)),
            result.output->fields.end());
  const std::vector<int> terms = TermsOf(ctx_, *objects_, *result.output, collection_);
  ASSERT_EQ(terms.size(), 2999u);
  EXPECT_EQ(terms[0], 2);
  EXPECT_EQ(terms[1], 1);
  EXPECT_EQ(terms[7], 2) << "the row of key 8";
  EXPECT_EQ(terms[2998], 1);
  EXPECT_TRUE(Compact({*result.output}).is_unchanged) << "once is enough";
}

TEST_F(CompactTest, OneInputMayHaveAFieldThatIsMadeForTheOther) {
  model::CollectionSchema& schema = collection_.schema;
  schema.fields[1].type_params = {{"enable_analyzer", "true"}};
  const auto old = Flush(1, {{1, 10, "one"}, {2, 20, "two words"}});
  AddTermCounts(schema);
  roles::FlushTask task{
      .segment = SegmentId(2), .collection = kCollection, .partition = kP1, .vchannel = "v"};
  for (const model::FieldSchema& field : schema.fields) {
    task.columns.push_back(model::MakeColumn(field.id, field.name, field.type, {}, 0));
  }
  const int64_t key = 3;
  task.columns[0].AppendFixed(&key);
  task.columns[1].AppendBytes("what it says");
  task.columns[2].AppendBytes("");  // Kept as it is.
  task.row_timestamps.push_back(30);
  const auto fresh = node_.Flush(ctx_, task);
  ASSERT_TRUE(fresh.ok());
  const auto result = Compact({old, *fresh});
  ASSERT_TRUE(result.output);
  EXPECT_EQ(TermsOf(ctx_, *objects_, *result.output, collection_), (std::vector<int>{1, 2, 0}));
}

}  // namespace
}  // namespace elanus::data
