// The index of words against the words of each row.
#include "index/word_index.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>

#include "base/aligned_copy.h"
#include "base/clock.h"
#include "index/scalar_index.h"
#include "text/match.h"

namespace elanus::index {
namespace {

using model::Coverage;
using model::DataType;
using model::Predicate;
using model::WordQuery;

class Rows {
 public:
  // Texts of few words, so that phrases come up; every seventh row is null.
  Rows(size_t count, uint32_t seed)
      : column_(model::MakeColumn(FieldId(1), "t", DataType::kVarChar, DataType::kNone, 0)) {
    std::mt19937 random(seed);
    for (size_t i = 0; i < count; ++i) {
      if (i % 7 == 6) {
        column_.AppendNull();
        continue;
      }
      std::string text;
      for (size_t n = random() % 12; n > 0; --n) {
        // Low letters more often than high ones.
        text += std::string(1, static_cast<char>('a' + random() % (1 + random() % 20))) + " ";
      }
      column_.AppendBytes(text);
    }
  }
  model::ColumnView view() const { return column_.view(); }

 private:
  model::Column column_;
};

class WordIndex : public testing::Test {
 protected:
  std::string Build(const Rows& rows) {
    auto bytes = BuildWordIndex(ctx_, rows.view(), **text::AnalyzerOf(""));
    EXPECT_TRUE(bytes.ok());
    return std::move(bytes).value();
  }
  void ExpectAnswers(const Rows& rows, const ScalarIndex& index, const WordQuery& query) {
    Predicate predicate{.kind = Predicate::Kind::kWords, .type = DataType::kVarChar};
    predicate.words = std::make_shared<const WordQuery>(query);
    Bitset matches(rows.view().rows);
    const auto coverage = index.Answer(ctx_, predicate, matches);
    ASSERT_TRUE(coverage.ok());
    EXPECT_EQ(*coverage, Coverage::kExact);
    text::WordMatcher matcher(query);
    text::Tokens tokens;
    size_t found = 0;
    for (size_t i = 0; i < rows.view().rows; ++i) {
      bool expected = false;
      if (rows.view().IsValid(i)) {
        (*text::AnalyzerOf(""))->Analyze(rows.view().Bytes(i), tokens);
        expected = matcher.Matches(tokens);
      }
      ASSERT_EQ(matches.Test(i), expected) << "row " << i << ": " << rows.view().Bytes(i);
      found += expected ? 1 : 0;
    }
    const model::IndexPromise promise = index.Estimate(predicate);
    EXPECT_EQ(promise.coverage, Coverage::kExact);
    EXPECT_GE(promise.rows, found);
  }

  SystemClock clock_;
  Context ctx_{clock_};
};

WordQuery Query(WordQuery::Kind kind, std::string_view words) {
  text::Tokens tokens;
  (*text::AnalyzerOf(""))->Analyze(words, tokens);
  return text::MakeWordQuery(kind, tokens);
}

TEST_F(WordIndex, FindsWhatALookAtEachRowFinds) {
  const Rows rows(3000, 1);
  const auto index = OpenScalarIndex(AlignedCopy(Build(rows)));
  ASSERT_TRUE(index.ok()) << index.status().ToString();
  for (const char* words : {"a", "s", "a b", "b a", "a a", "a b c", "q r s", "a zz", "zz", ""}) {
    for (uint32_t at_least : {1u, 2u, 3u}) {
      WordQuery some = Query(WordQuery::Kind::kSome, words);
      some.at_least = at_least;
      ExpectAnswers(rows, **index, some);
    }
    for (uint32_t slop : {0u, 1u, 2u, 5u}) {
      WordQuery phrase = Query(WordQuery::Kind::kPhrase, words);
      phrase.slop = slop;
      ExpectAnswers(rows, **index, phrase);
    }
    for (uint32_t edits : {0u, 1u}) {
      WordQuery fuzzy = Query(WordQuery::Kind::kFuzzy, words);
      fuzzy.edits = edits;
      ExpectAnswers(rows, **index, fuzzy);
    }
  }
}

TEST_F(WordIndex, KnowsRowsWithoutAText) {
  const Rows rows(20, 2);
  const auto index = OpenScalarIndex(AlignedCopy(Build(rows)));
  ASSERT_TRUE(index.ok());
  Bitset nulls(20);
  (*index)->SetNulls(nulls);
  for (size_t i = 0; i < 20; ++i) EXPECT_EQ(nulls.Test(i), i % 7 == 6);
}

TEST_F(WordIndex, DamageIsSeenOrDoesNoHarm) {
  const std::string bytes = Build(Rows(200, 3));
  for (size_t at = 0; at < bytes.size(); at += 7) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x41);
    EXPECT_FALSE(OpenScalarIndex(AlignedCopy(damaged)).ok()) << at;
  }
  EXPECT_FALSE(OpenScalarIndex(AlignedCopy(bytes.substr(0, bytes.size() / 2))).ok());
}

}  // namespace
}  // namespace elanus::index
