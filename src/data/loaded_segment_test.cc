// Files that a data node has written, as a query node loads them: what is found to be damaged, and
// when.
#include <gtest/gtest.h>

#include "base/executor.h"
#include "data/node.h"
#include "data/testing/thousand_rows.h"
#include "expr/json_path.h"
#include "model/text_numbers.h"
#include "segment/sealed.h"
#include "store/memory/memory_disk.h"

namespace elanus::data {
namespace {

constexpr FieldId kDocument{103};

class LoadedSegment : public testing::Test {
 protected:
  LoadedSegment() {
    collection_.schema.fields.push_back(
        {.id = kDocument, .name = "doc", .type = model::DataType::kJson});
    roles::FlushTask rows = ThousandRows();
    rows.columns.push_back(model::MakeColumn(kDocument, "doc", model::DataType::kJson, {}, 0));
    for (int key = 0; key < 1000; ++key) {
      rows.columns.back().AppendBytes(fmt::format(R"({{"p": "{}"}})", key));
    }
    auto flushed = node_.Flush(ctx_, rows);
    EXPECT_TRUE(flushed.ok()) << flushed.status().ToString();
    info_ = *flushed;
  }

  void DamageTheVectors() {
    const std::string key = "segments/3/1/102.col";
    const auto blob = objects_->Open(ctx_, key);
    ASSERT_TRUE(blob.ok());
    std::string bytes(blob->bytes());
    bytes[bytes.size() / 2] ^= 1;
    ASSERT_TRUE(objects_->Put(ctx_, key, bytes).ok());
  }
  std::shared_ptr<segment::Sealed> Open(int64_t budget_bytes) {
    auto opened = segment::Sealed::Open(ctx_,
                                        {.objects = *objects_,
                                         .cache = std::make_shared<segment::PieceCache>(
                                             segment::PieceCacheOptions(), budget_bytes)},
                                        info_, collection_);
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    return *opened;
  }

  ManualClock clock_;
  Context ctx_{clock_};
  std::unique_ptr<Executor> executor_ = MakeThreadExecutor();
  store::MemoryDisk disk_;
  std::unique_ptr<store::ObjectStore> objects_ = disk_.OpenObjects();
  Pool pool_{*executor_, "build", 1, 16};
  Node node_{*executor_, *objects_, pool_, {}};
  model::CollectionInfo collection_ = SmallCollection();
  model::SegmentInfo info_;
};

TEST_F(LoadedSegment, ItsChecksumsAreLookedAtBeforeItIsRead) {
  DamageTheVectors();
  const auto sealed = Open(/*budget_bytes=*/1 << 30);
  EXPECT_EQ(segment::Sealed::Warm(ctx_, {sealed}, segment::WarmUp::kSync).code(),
            ErrorCode::kIntegrity);
}

TEST_F(LoadedSegment, WhatIsLargerThanTheBudgetIsLookedAtWhenItIsRead) {
  DamageTheVectors();
  const auto sealed = Open(/*budget_bytes=*/10'000);
  EXPECT_TRUE(segment::Sealed::Warm(ctx_, {sealed}, segment::WarmUp::kSync).ok());
  EXPECT_EQ(sealed->Snapshot()->Vectors(kVector).status().code(), ErrorCode::kIntegrity);
}

TEST_F(LoadedSegment, AWholeOneIsReadAfterwards) {
  const auto sealed = Open(/*budget_bytes=*/1 << 30);
  ASSERT_TRUE(segment::Sealed::Warm(ctx_, {sealed}, segment::WarmUp::kSync).ok());
  const auto view = sealed->Snapshot();
  const auto blocks = view->Vectors(kVector);
  ASSERT_TRUE(blocks.ok());
  EXPECT_EQ(blocks->at(0).rows, 1000u);
  EXPECT_TRUE(view->CheckFiles().ok());
}

TEST_F(LoadedSegment, AnIndexOfTextsAsNumbersIsAskedWhereTheSchemaReadsThemSo) {
  collection_.indexes.push_back({.id = IndexId(7),
                                 .name = "p",
                                 .field = kDocument,
                                 .type = "INVERTED",
                                 .json_path = "/p",
                                 .json_cast_type = std::string(expr::kStringToDouble)});
  const auto built =
      node_.BuildIndex(ctx_, info_, collection_, collection_.indexes[0], roles::BuildPace::kAll);
  ASSERT_TRUE(built.ok()) << built.status().ToString();
  info_.indexes.push_back(*built);
  const auto sealed = Open(/*budget_bytes=*/1 << 30);
  ASSERT_TRUE(sealed->SyncIndexes(ctx_, info_, collection_).ok());
  // As where the index was dropped and this segment has not heard of it yet.
  const auto texts = std::make_shared<const model::CollectionSchema>(collection_.schema);
  model::CollectionSchema with_numbers = collection_.schema;
  with_numbers.fields.back().type_params.push_back({model::TextNumberKey("/p"), ""});
  const auto numbers = std::make_shared<const model::CollectionSchema>(std::move(with_numbers));
  const model::Predicate predicate{.kind = model::Predicate::Kind::kCompare,
                                   .field = kDocument,
                                   .type = model::DataType::kDouble,
                                   .path = "/p",
                                   .op = model::Compare::kLt,
                                   .values = {10.0}};
  EXPECT_EQ(sealed->Snapshot(numbers)->Estimate(predicate).rows, 10u);
  EXPECT_EQ(sealed->Snapshot(texts)->Estimate(predicate).coverage, model::Coverage::kNone);
}

}  // namespace
}  // namespace elanus::data
