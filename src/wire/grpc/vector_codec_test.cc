// Query vectors: every placeholder type, and groups that are none.
#include "wire/grpc/vector_codec.h"

#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "common.pb.h"
#include "model/sparse_row.h"

namespace elanus::wire {
namespace {

namespace common = milvus::proto::common;
using model::DataType;

std::string Group(common::PlaceholderType type, const std::vector<std::string>& values) {
  common::PlaceholderGroup group;
  auto* placeholder = group.add_placeholders();
  placeholder->set_tag("$0");
  placeholder->set_type(type);
  for (const std::string& value : values) placeholder->add_values(value);
  return group.SerializeAsString();
}

struct Kind {
  common::PlaceholderType placeholder;
  DataType type;
  uint32_t dim;  // Of eight bytes.
};

constexpr Kind kDense[] = {
    {common::BinaryVector, DataType::kBinaryVector, 64},
    {common::FloatVector, DataType::kFloatVector, 2},
    {common::Float16Vector, DataType::kFloat16Vector, 4},
    {common::BFloat16Vector, DataType::kBFloat16Vector, 4},
    {common::Int8Vector, DataType::kInt8Vector, 8},
};

TEST(QueryVectors, OfEveryDenseTypeAreTheRowsOfAColumn) {
  for (const Kind& kind : kDense) {
    SCOPED_TRACE(NameOf(kind.type));
    const auto queries = DecodeQueries(Group(kind.placeholder, {"01234567", "abcdefgh"}));
    ASSERT_TRUE(queries.ok()) << queries.status().ToString();
    EXPECT_EQ(queries->type, kind.type);
    EXPECT_EQ(queries->dim, kind.dim);
    ASSERT_EQ(queries->rows, 2u);
    EXPECT_EQ(queries->view().Bytes(1), "abcdefgh");
  }
}

TEST(QueryVectors, OfSparsePairsMayBeOfAnyLengthAndEmpty) {
  const std::string pairs("\x01\0\0\0\0\0\x80\x3f\x05\0\0\0\0\0\0\x40", 16);
  const auto queries = DecodeQueries(Group(common::SparseFloatVector, {pairs, "", "12345678"}));
  ASSERT_TRUE(queries.ok()) << queries.status().ToString();
  EXPECT_EQ(queries->type, DataType::kSparseFloatVector);
  EXPECT_EQ(queries->dim, 0u);
  ASSERT_EQ(queries->rows, 3u);
  EXPECT_EQ(model::SparseRowToPairs(queries->view().Bytes(0)), pairs);
  EXPECT_EQ(queries->view().Bytes(1), "");
}

TEST(QueryVectors, MayBeMissing) {
  const auto queries = DecodeQueries(Group(common::FloatVector, {}));
  ASSERT_TRUE(queries.ok());
  EXPECT_EQ(queries->rows, 0u);
}

TEST(QueryVectors, ThatAreNotWholeOrNotAlikeAreRefused) {
  for (const Kind& kind : kDense) {
    SCOPED_TRACE(NameOf(kind.type));
    EXPECT_EQ(DecodeQueries(Group(kind.placeholder, {""})).status().code(),
              ErrorCode::kInvalidParameter);
    EXPECT_EQ(DecodeQueries(Group(kind.placeholder, {"01234567", "0123"})).status().code(),
              ErrorCode::kInvalidParameter);
  }
  for (const auto type : {common::FloatVector, common::Float16Vector, common::BFloat16Vector,
                          common::SparseFloatVector}) {
    EXPECT_EQ(DecodeQueries(Group(type, {"0"})).status().code(), ErrorCode::kInvalidParameter);
  }
}

TEST(QueryVectors, OfATypeThatNoFieldHasAreRefused) {
  for (const auto type : {common::None, common::Int64, common::EmbListSparseFloatVector,
                          static_cast<common::PlaceholderType>(77)}) {
    EXPECT_EQ(DecodeQueries(Group(type, {"01234567"})).status().code(),
              ErrorCode::kInvalidParameter)
        << type;
  }
}

TEST(QueryVectors, ComeInOneGroupOfOnePlaceholder) {
  const google::protobuf::LogSilencer silence;
  common::PlaceholderGroup two;
  two.add_placeholders()->set_type(common::FloatVector);
  two.add_placeholders()->set_type(common::FloatVector);
  for (const std::string& bytes : {std::string(), std::string("no group"), two.SerializeAsString()})
    EXPECT_EQ(DecodeQueries(bytes).status().code(), ErrorCode::kInvalidParameter);
}

TEST(QueryVectors, OfDamagedGroupsAreSoundOrRefused) {
  const google::protobuf::LogSilencer silence;
  std::mt19937 random(3);
  int sound = 0;
  int refused = 0;
  for (int type : {100, 101, 102, 103, 104, 105}) {
    const std::string whole =
        Group(static_cast<common::PlaceholderType>(type), {"01234567", "abcdefgh", "ABCDEFGH"});
    for (int round = 0; round < 2000; ++round) {
      std::string bytes = whole.substr(0, whole.size() - random() % 3);
      bytes[random() % bytes.size()] = static_cast<char>(random());
      const auto queries = DecodeQueries(bytes);
      queries.ok() ? ++sound : ++refused;
      if (!queries.ok()) continue;
      for (size_t i = 0; i < queries->rows; ++i) {
        EXPECT_LE(queries->view().Bytes(i).data() + queries->view().Bytes(i).size(),
                  reinterpret_cast<const char*>(queries->data.data()) + queries->data.size());
      }
    }
  }
  EXPECT_GT(sound, 100);
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace elanus::wire
