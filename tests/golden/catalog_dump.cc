// A catalog with one of everything, its pairs as text.
#include "tests/golden/catalog_dump.h"

#include <gtest/gtest.h>

#include "base/executor.h"
#include "base/fields.h"
#include "coord/catalog.h"
#include "coord/oracle.h"
#include "store/memory/memory_disk.h"

namespace elanus::golden {
namespace {

using model::DataType;
using model::FieldSchema;

const model::CollectionName kName{.database = "", .collection = "golden"};
constexpr int64_t kNowMs = 1'700'000'000'000;

// Oracle and catalog on a disk, at a moment that stands still.
struct Coordinator {
  explicit Coordinator(store::MemoryDisk& disk) : meta(disk.OpenMeta()) {}
  Status Open() {
    TRY_ASSIGN(oracle, coord::Oracle::Open(ctx, *meta, *executor, clock));
    TRY_ASSIGN(catalog, coord::Catalog::Open(ctx, *meta, *oracle, *executor, {}));
    return {};
  }
  ManualClock clock{kNowMs};
  Context ctx{clock};
  std::unique_ptr<Executor> executor = MakeThreadExecutor();
  std::unique_ptr<store::MetaStore> meta;
  std::unique_ptr<coord::Oracle> oracle;
  std::unique_ptr<coord::Catalog> catalog;
};

model::CreateCollectionRequest MakeRequest() {
  FieldSchema id{.name = "id", .type = DataType::kInt64, .is_primary_key = true, .auto_id = true};
  FieldSchema vector{
      .name = "vector", .type = DataType::kFloatVector, .type_params = {{"dim", "4"}}};
  FieldSchema text{.name = "text",
                   .description = "a text",
                   .type = DataType::kVarChar,
                   .nullable = true,
                   .type_params = {{"max_length", "100"}},
                   .default_value = std::string("none")};
  FieldSchema tags{.name = "tags",
                   .type = DataType::kArray,
                   .element_type = DataType::kInt32,
                   .type_params = {{"max_capacity", "8"}}};
  FieldSchema number{.name = "number", .type = DataType::kInt64, .default_value = int64_t{-5}};
  FieldSchema flag{.name = "flag", .type = DataType::kBool, .default_value = false};
  FieldSchema real{.name = "real", .type = DataType::kDouble, .default_value = 0.5};
  model::CreateCollectionRequest request;
  request.name = kName;
  request.schema = {.name = kName.collection,
                    .description = "one of everything",
                    .enable_dynamic_field = true,
                    .fields = {id, vector, text, tags, number, flag, real}};
  request.shards_num = 2;
  request.consistency_level = model::ConsistencyLevel::kSession;
  request.properties = {{"collection.ttl.seconds", "3600"}};
  return request;
}

model::FlushCommit MakeFlush(const model::CollectionInfo& info) {
  const auto segment = [&](int64_t id, size_t partition, int64_t rows) {
    return model::SegmentInfo{.id = SegmentId(id),
                              .collection = info.id,
                              .partition = info.partitions[partition].id,
                              .vchannel = info.vchannels[0],
                              .rows = rows,
                              .manifest_key = fmt::format("segments/0/{}/manifest", id)};
  };
  return {.vchannel = info.vchannels[0],
          .collection = info.id,
          .segments = {segment(1000, 0, 5), segment(1001, 1, 0)},
          .deltas = {{.key = "deltas/0/1",
                      .collection = info.id,
                      .vchannel = info.vchannels[0],
                      .rows = 3}},
          .checkpoint = 77,
          .checkpoint_ts = MakeTimestamp(kNowMs, 9)};
}

Status Fill(Coordinator& process) {
  Context& ctx = process.ctx;
  coord::Catalog& catalog = *process.catalog;
  TRY(catalog.CreateCollection(ctx, MakeRequest()));
  TRY(catalog.CreatePartition(ctx, kName, "part"));
  TRY_ASSIGN(const auto info, catalog.Find(ctx, kName));
  TRY(catalog.CreateIndex(
      ctx, info->id,
      {.name = "by_vector",
       .field = FieldId(101),
       .type = "HNSW",
       .metric = "COSINE",
       .build_params = {{"M", "18"}, {"efConstruction", "240"}},
       .user_params = {{"index_type", "AUTOINDEX"}, {"metric_type", "COSINE"}}}));
  TRY(catalog.CommitFlush(ctx, MakeFlush(*info)));
  TRY_ASSIGN(const auto indexed, catalog.Find(ctx, kName));
  TRY(catalog.CommitIndex(ctx, SegmentId(1000),
                          {.index = indexed->indexes[0].id, .key = "indexes/0/1000/2"}));
  TRY(catalog
          .AddFileResource(
              ctx,
              {.id = 7, .name = "stops", .path = "dicts/stop.txt", .copy = "resources/7/stop.txt"})
          .status());
  return catalog.SetLoaded(ctx, info->id, {info->partitions[1].id});
}

void ExpectCollection(const model::CollectionInfo& info) {
  const model::CreateCollectionRequest want = MakeRequest();
  EXPECT_EQ(info.database, "default");
  EXPECT_EQ(info.schema.description, want.schema.description);
  EXPECT_TRUE(info.schema.enable_dynamic_field);
  ASSERT_EQ(info.schema.fields.size(), want.schema.fields.size() + 1);
  for (size_t i = 0; i < want.schema.fields.size(); ++i) {
    FieldSchema field = want.schema.fields[i];
    field.id = FieldId(100 + static_cast<int64_t>(i));
    EXPECT_TRUE(info.schema.fields[i] == field) << field.name;
  }
  EXPECT_TRUE(info.schema.fields.back().is_dynamic);
  EXPECT_EQ(info.consistency_level, model::ConsistencyLevel::kSession);
  EXPECT_EQ(info.properties, (std::vector<model::KeyValue>{{"collection.ttl.seconds", "3600"},
                                                           {"timezone", "UTC"}}));
  ASSERT_EQ(info.vchannels.size(), 2u);
  EXPECT_EQ(info.vchannels[1], fmt::format("elanus-dml-0_{}v1", info.id.value()));
  ASSERT_EQ(info.partitions.size(), 2u);
  EXPECT_EQ(info.partitions[0].name, "_default");
  EXPECT_EQ(info.partitions[1].name, "part");
  EXPECT_EQ(PhysicalMs(info.created), kNowMs);
  EXPECT_TRUE(info.loaded);
  EXPECT_EQ(info.loaded_partitions, std::vector<PartitionId>{info.partitions[1].id});
  ASSERT_EQ(info.indexes.size(), 1u);
  EXPECT_EQ(info.indexes[0].name, "by_vector");
  EXPECT_EQ(info.indexes[0].field, FieldId(101));
  EXPECT_EQ(info.indexes[0].type, "HNSW");
  EXPECT_EQ(info.indexes[0].metric, "COSINE");
  EXPECT_EQ(info.indexes[0].build_params,
            (std::vector<model::KeyValue>{{"M", "18"}, {"efConstruction", "240"}}));
  EXPECT_EQ(info.indexes[0].user_params.size(), 2u);
}

Status ExpectSegments(Coordinator& process, const model::CollectionInfo& info) {
  const model::FlushCommit want = MakeFlush(info);
  TRY_ASSIGN(const auto segments, process.catalog->ListSegments(process.ctx, info.id));
  EXPECT_EQ(segments.size(), want.segments.size());
  for (size_t i = 0; i < std::min(segments.size(), want.segments.size()); ++i) {
    model::SegmentInfo segment = want.segments[i];
    if (i == 0) segment.indexes = {{.index = info.indexes[0].id, .key = "indexes/0/1000/2"}};
    // The encoding names every field, so equal bytes are equal segments.
    EXPECT_EQ(Encode(segments[i]), Encode(segment));
  }
  TRY_ASSIGN(const auto deltas, process.catalog->ListDeltas(process.ctx, info.vchannels[0]));
  EXPECT_EQ(deltas.size(), 1u);
  if (deltas.size() == 1) {
    EXPECT_EQ(Encode(deltas[0]), Encode(want.deltas[0]));
  }
  TRY_ASSIGN(const auto checkpoint, process.catalog->Checkpoint(process.ctx, info.vchannels[0]));
  EXPECT_EQ(checkpoint.position, want.checkpoint);
  EXPECT_EQ(checkpoint.timestamp, want.checkpoint_ts);
  return {};
}

int DigitOf(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

}  // namespace

std::string PrintPairs(const std::map<std::string, std::string>& pairs) {
  std::string text;
  for (const auto& [key, value] : pairs) {
    text += key + ' ';
    for (char c : value) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
    text += '\n';
  }
  return text;
}

std::map<std::string, std::string> ParsePairs(std::string_view text) {
  std::map<std::string, std::string> pairs;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const size_t space = line.find(' ');
    std::string& value = pairs[std::string(line.substr(0, space))];
    for (size_t i = space + 1; i + 1 < line.size(); i += 2) {
      value.push_back(static_cast<char>(DigitOf(line[i]) * 16 + DigitOf(line[i + 1])));
    }
  }
  return pairs;
}

std::string WriteCatalog() {
  store::MemoryDisk disk;
  Coordinator process(disk);
  Status filled = process.Open();
  if (filled.ok()) filled = Fill(process);
  EXPECT_TRUE(filled.ok()) << filled.ToString();
  auto pairs = process.meta->Scan(process.ctx, "");
  EXPECT_TRUE(pairs.ok());
  return PrintPairs({pairs->begin(), pairs->end()});
}

Status CheckCatalog(std::string_view text) {
  store::MemoryDisk disk;
  Coordinator process(disk);
  store::MetaTxn txn;
  for (auto& [key, value] : ParsePairs(text)) txn.puts.emplace_back(key, value);
  TRY_ASSIGN(const bool applied, process.meta->Commit(process.ctx, txn));
  EXPECT_TRUE(applied);
  TRY(process.Open());
  TRY_ASSIGN(const auto info, process.catalog->Find(process.ctx, kName));
  ExpectCollection(*info);
  if (testing::Test::HasFailure()) return {};
  TRY(ExpectSegments(process, *info));
  const auto resources = process.catalog->ListFileResources();
  EXPECT_EQ(resources.size(), 1u);
  if (resources.size() == 1) {
    EXPECT_EQ(resources[0].id, 7);
    EXPECT_EQ(resources[0].name, "stops");
    EXPECT_EQ(resources[0].path, "dicts/stop.txt");
    EXPECT_EQ(resources[0].copy, "resources/7/stop.txt");
  }
  // Moments and ids go on above everything that was given out.
  TRY_ASSIGN(const Timestamp now, process.oracle->Now(process.ctx));
  EXPECT_GE(PhysicalMs(now), kNowMs + 3000);
  TRY_ASSIGN(const int64_t id, process.oracle->AllocateIds(process.ctx, 1));
  EXPECT_GE(id, 100'000);
  return {};
}

}  // namespace elanus::golden
