// For tests: a meta store that can be told to refuse commits, and a catalog on top of one that
// survives restarts.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "base/fields.h"
#include "coord/catalog.h"
#include "coord/oracle.h"
#include "store/memory/memory_disk.h"

namespace elanus::coord {

/// Passes everything on; while `refusing`, commits fail and leave nothing.
class RefusingMeta final : public store::MetaStore {
 public:
  explicit RefusingMeta(std::unique_ptr<store::MetaStore> inner) : inner_(std::move(inner)) {}
  Result<std::optional<std::string>> Get(Context& ctx, std::string_view key) override {
    return inner_->Get(ctx, key);
  }
  Result<std::vector<std::pair<std::string, std::string>>> Scan(Context& ctx,
                                                                std::string_view prefix) override {
    return inner_->Scan(ctx, prefix);
  }
  Result<bool> Commit(Context& ctx, const store::MetaTxn& txn) override {
    ++commits;
    if (refusing) return Status(ErrorCode::kIoFailed, "refused");
    return inner_->Commit(ctx, txn);
  }
  bool refusing = false;
  int commits = 0;

 private:
  std::unique_ptr<store::MetaStore> inner_;
};

/// Oracle and catalog of one process on `disk`; making a second one after the first is a restart.
struct Process {
  Process(store::MemoryDisk& disk, Executor& executor, Clock& clock, CatalogOptions options = {})
      : ctx(clock), meta(disk.OpenMeta()) {
    auto opened_oracle = Oracle::Open(ctx, meta, executor, clock);
    EXPECT_TRUE(opened_oracle.ok()) << opened_oracle.status().ToString();
    oracle = std::move(*opened_oracle);
    auto opened = Catalog::Open(ctx, meta, *oracle, executor, options);
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    catalog = std::move(*opened);
  }
  /// Everything a reader of the catalog can see, as text to compare.
  std::string Everything() {
    std::string all;
    auto list = catalog->List(ctx, "");
    EXPECT_TRUE(list.ok());
    for (const auto& info : *list) {
      model::CollectionInfo copy = *info;
      all += Encode(copy);
      auto segments = catalog->ListSegments(ctx, copy.id);
      EXPECT_TRUE(segments.ok());
      for (const auto& segment : *segments) all += Encode(segment);
      for (const std::string& vchannel : copy.vchannels) {
        auto deltas = catalog->ListDeltas(ctx, vchannel);
        EXPECT_TRUE(deltas.ok());
        for (const auto& delta : *deltas) all += Encode(delta);
        auto checkpoint = catalog->Checkpoint(ctx, vchannel);
        EXPECT_TRUE(checkpoint.ok());
        all += Encode(*checkpoint);
      }
    }
    for (const auto& resource : catalog->ListFileResources()) all += Encode(resource);
    return all;
  }
  roles::CollectionSnapshot Find(const std::string& name) {
    auto found = catalog->Find(ctx, model::CollectionName{.collection = name});
    EXPECT_TRUE(found.ok()) << found.status().ToString();
    return found.ok() ? *found : nullptr;
  }

  Context ctx;
  RefusingMeta meta;
  std::unique_ptr<Oracle> oracle;
  std::unique_ptr<Catalog> catalog;
};

/// "id" Int64 key and "vec" FloatVector of 4 dimensions, dynamic.
inline model::CreateCollectionRequest MakeRequest(const std::string& name, int32_t shards = 1) {
  model::FieldSchema id{.name = "id", .type = model::DataType::kInt64, .is_primary_key = true};
  model::FieldSchema vec{.name = "vec", .type = model::DataType::kFloatVector};
  vec.type_params = {{"dim", "4"}};
  model::CreateCollectionRequest request;
  request.name.collection = name;
  request.schema.name = name;
  request.schema.enable_dynamic_field = true;
  request.schema.fields = {id, vec};
  request.shards_num = shards;
  return request;
}

inline model::SegmentInfo MakeSegment(const model::CollectionInfo& info, int64_t id,
                                      size_t partition = 0, int64_t rows = 10) {
  return {.id = SegmentId(id),
          .collection = info.id,
          .partition = info.partitions[partition].id,
          .vchannel = info.vchannels[0],
          .rows = rows,
          .manifest_key = fmt::format("manifest/{}", id)};
}

inline model::FlushCommit MakeFlush(const model::CollectionInfo& info,
                                    std::vector<model::SegmentInfo> segments, uint64_t checkpoint) {
  model::FlushCommit commit;
  commit.vchannel = info.vchannels[0];
  commit.collection = info.id;
  commit.segments = std::move(segments);
  commit.checkpoint = checkpoint;
  commit.checkpoint_ts = Timestamp(checkpoint * 10);
  return commit;
}

inline model::CompactionCommit MakeCompaction(const model::CollectionInfo& info,
                                              const std::vector<int64_t>& inputs,
                                              std::optional<model::SegmentInfo> output) {
  model::CompactionCommit commit;
  commit.collection = info.id;
  commit.vchannel = info.vchannels[0];
  for (int64_t input : inputs) commit.inputs.emplace_back(input);
  if (output) commit.outputs = {std::move(*output)};
  return commit;
}

}  // namespace elanus::coord
