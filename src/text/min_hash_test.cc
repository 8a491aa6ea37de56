// Signatures are what their definition says, and agree as much as the texts overlap.
#include "text/min_hash.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <set>

#include "base/bytes.h"

namespace elanus::text {
namespace {

using model::KeyValue;

model::FieldSchema TextField() {
  model::FieldSchema field;
  field.name = "text";
  field.type = model::DataType::kVarChar;
  return field;
}

Result<MinHasher> Make(uint32_t dim, std::vector<KeyValue> params) {
  const model::FunctionSchema function{.name = "sign",
                                       .type = model::FunctionType::kMinHash,
                                       .inputs = {"text"},
                                       .outputs = {"vector"},
                                       .params = std::move(params)};
  const model::FieldSchema output{.name = "vector",
                                  .type = model::DataType::kBinaryVector,
                                  .type_params = {{"dim", std::to_string(dim)}}};
  return MinHasher::Of(function, TextField(), output);
}

std::vector<uint32_t> Elements(const std::string& signature) {
  std::vector<uint32_t> elements(signature.size() / 4);
  std::memcpy(elements.data(), signature.data(), signature.size());
  return elements;
}

// By the definition, slowly.
std::vector<uint32_t> ByHand(const std::set<std::string>& shingles, size_t hashes, uint64_t seed) {
  constexpr uint64_t kPrime = (uint64_t{1} << 61) - 1;
  std::mt19937_64 rng(seed);
  std::vector<uint32_t> elements;
  for (size_t i = 0; i < hashes; ++i) {
    const uint64_t a = rng() % (kPrime - 1) + 1;
    const uint64_t b = rng() % kPrime;
    uint32_t least = 0xFFFFFFFF;
    for (const std::string& shingle : shingles) {
      const uint64_t x = Checksum(shingle) & 0xFFFFFFFF;
      least = std::min(least, static_cast<uint32_t>((a * x + b) % kPrime));
    }
    elements.push_back(least);
  }
  return elements;
}

TEST(MinHasher, SignsShinglesOfWords) {
  const auto hasher = Make(32 * 20, {});
  ASSERT_TRUE(hasher.ok()) << hasher.status().ToString();
  EXPECT_EQ(Elements(hasher->Sign("The quick brown Fox jumps")),
            ByHand({"thequickbrown", "quickbrownfox", "brownfoxjumps"}, 20, 1234));
  EXPECT_EQ(Elements(hasher->Sign("Two words")), ByHand({"twowords"}, 20, 1234));
}

TEST(MinHasher, SignsShinglesOfBytes) {
  const auto hasher = Make(
      96, {{"Token_Level", "CHAR"}, {"shingle_size", "2"}, {"seed", "7"}, {"num_hashes", "3"}});
  ASSERT_TRUE(hasher.ok()) << hasher.status().ToString();
  EXPECT_EQ(Elements(hasher->Sign("abca")), ByHand({"ab", "bc", "ca"}, 3, 7));
  EXPECT_EQ(Elements(hasher->Sign("a")), ByHand({"a"}, 3, 7));
}

TEST(MinHasher, SignsNothingWithOnes) {
  for (const char* level : {"word", "character"}) {
    const auto hasher = Make(64, {{"token_level", level}});
    EXPECT_EQ(hasher->Sign(""), std::string(8, '\xFF'));
  }
}

TEST(MinHasher, TakesTheFirstBytesOfSha1) {
  const auto hasher = Make(32, {{"hash_function", "sha1"}, {"token_level", "char"}});
  // SHA-1 of "abc" begins with a9 99 3e 36.
  std::mt19937_64 rng(1234);
  constexpr uint64_t kPrime = (uint64_t{1} << 61) - 1;
  const uint64_t a = rng() % (kPrime - 1) + 1;
  const uint64_t b = rng() % kPrime;
  const auto expected = static_cast<uint32_t>((a * 0x363E99A9 + b) % kPrime);
  EXPECT_EQ(Elements(hasher->Sign("abc")), std::vector<uint32_t>{expected});
}

TEST(MinHasher, AgreesAsMuchAsTheTextsOverlap) {
  const auto hasher = Make(32 * 512, {{"shingle_size", "1"}});
  std::string first;
  std::string second;
  for (int i = 0; i < 90; ++i) {
    if (i < 60) first += fmt::format("w{} ", i);
    if (i >= 30) second += fmt::format("w{} ", i);
  }
  const auto a = Elements(hasher->Sign(first));
  const auto b = Elements(hasher->Sign(second));
  size_t equal = 0;
  for (size_t i = 0; i < a.size(); ++i) equal += a[i] == b[i];
  EXPECT_NEAR(static_cast<double>(equal) / static_cast<double>(a.size()), 1.0 / 3, 0.08);
}

TEST(MinHasher, RefusesWhatMakesNoSense) {
  const std::vector<std::pair<uint32_t, std::vector<KeyValue>>> bad = {
      {96, {{"num_hashes", "4"}}},
      {104, {}},
      {96, {{"num_hashes", "0"}}},
      {96, {{"shingle_size", "0"}}},
      {96, {{"hash_function", "md5"}}},
      {96, {{"token_level", "line"}}},
      {96, {{"seed", "x"}}},
      {96, {{"num_hashes", "576460752303423491"}}}};
  for (const auto& [dim, params] : bad) {
    EXPECT_EQ(Make(dim, params).status().code(), ErrorCode::kInvalidParameter)
        << dim << (params.empty() ? "" : params[0].key);
  }
}

}  // namespace
}  // namespace elanus::text
