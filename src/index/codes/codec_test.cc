// What every codec promises: keys are of what it decodes to, all ways to score agree, and what is
// saved opens as the same codec or not at all.
#include "index/codes/codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "index/codes/additive_codec.h"
#include "index/codes/codec_sample.h"
#include "index/codes/codecs.h"
#include "index/codes/fast_scan_codec.h"
#include "index/codes/rotated_codec.h"
#include "simd/fast_scan.h"

namespace elanus::index {
namespace {

constexpr uint32_t kDims[] = {1, 2, 7, 96, 128, 129, 384, 1000};
constexpr Shape kShapes[] = {Shape::kNormal, Shape::kConstant, Shape::kExtreme};
constexpr size_t kRows = 70;  // Two whole blocks of the fast scan and a part of one.
constexpr double kRounding = 2e-6;

struct CodecCase {
  std::string name;
  std::function<std::unique_ptr<Codec>(VectorBlock, bool is_l2)> train;
};
void PrintTo(const CodecCase& codec, std::ostream* out) { *out << codec.name; }

uint32_t LargestPart(uint32_t dim, uint32_t most) {
  while (dim % most != 0) --most;
  return most;
}

CodecCase Untrained(std::string name, CodeKind kind) {
  return {std::move(name),
          [kind](VectorBlock rows, bool is_l2) { return TrainCodec(kind, rows, is_l2); }};
}

CodecCase Raw(std::string name, ElementType element) {
  return {std::move(name), [element](VectorBlock rows, bool is_l2) {
            return MakeRowCodec(element, rows.dim, is_l2 ? model::Metric::kL2 : model::Metric::kIp);
          }};
}

CodecCase Additive(std::string name, uint32_t layers, uint32_t bits) {
  return {std::move(name), [=](VectorBlock rows, bool is_l2) {
            SystemClock clock;
            Context ctx(clock);
            const AdditiveShape shape{
                .spaces = LargestPart(rows.dim, 8), .layers = layers, .bits = bits};
            return std::move(TrainAdditiveCodec(ctx, rows, shape, is_l2, nullptr)).value();
          }};
}

CodecCase Rabitq(int bits) {
  return {"rabitq" + std::to_string(bits),
          [bits](VectorBlock rows, bool is_l2) { return MakeRabitqCodec(bits, rows.dim, is_l2); }};
}

CodecCase FastScan(uint32_t part_dim) {
  return {"fast_scan" + std::to_string(part_dim), [part_dim](VectorBlock rows, bool is_l2) {
            SystemClock clock;
            Context ctx(clock);
            return std::move(TrainFastScanCodec(ctx, rows, LargestPart(rows.dim, part_dim), is_l2,
                                                nullptr))
                .value();
          }};
}

CodecCase Rotated() {
  return {"rotated", [](VectorBlock rows, bool is_l2) { return TrainRotatedCodec(rows, is_l2); }};
}

std::vector<CodecCase> AllCodecs() {
  std::vector<CodecCase> cases = {
      Untrained("float32", CodeKind::kFloat32),   Untrained("float16", CodeKind::kFloat16),
      Untrained("bfloat16", CodeKind::kBFloat16), Untrained("sq8", CodeKind::kSq8),
      Untrained("sq6", CodeKind::kSq6),           Untrained("sq4", CodeKind::kSq4),
      Raw("raw_float16", ElementType::kFloat16),  Raw("raw_bfloat16", ElementType::kBFloat16)};
  for (uint32_t bits : {1u, 4u, 5u, 8u, 9u, 12u}) {
    cases.push_back(Additive("pq" + std::to_string(bits), 1, bits));
  }
  for (uint32_t bits : {1u, 4u, 5u, 8u}) {
    cases.push_back(Additive("prq" + std::to_string(bits), 3, bits));
  }
  for (int bits = 1; bits <= 9; ++bits) cases.push_back(Rabitq(bits));
  cases.push_back(Rotated());
  cases.push_back(FastScan(1));
  cases.push_back(FastScan(2));
  return cases;
}

// How far Score and Below may be from ScoreExact: what a query loses when it is rounded.
class Rounding {
 public:
  Rounding(const Codec& codec, const Sample& sample, bool is_l2)
      : kind_(codec.kind()), is_l2_(is_l2), dim_(sample.dim), saved_(codec.Save()) {}

  double Of(const float* query) const {
    const double factor = is_l2_ ? 2 : 1;
    switch (kind_) {
      case CodeKind::kSq8:
        return factor * OfCodes(query, 128);
      case CodeKind::kSq6:
        return factor * OfCodes(query, 32);
      case CodeKind::kSq4:
        return factor * OfCodes(query, 8);
      case CodeKind::kFastScan:
        return factor * OfTables(query);
      default:
        return 0;
    }
  }

 private:
  float At(size_t i) const {
    float value;
    std::memcpy(&value, saved_.data() + i * sizeof(value), sizeof(value));
    return value;
  }
  // Half a step of the rounded query times the largest code, counted from the middle.
  double OfCodes(const float* query, double most) const {
    double largest = 0;
    for (size_t d = 0; d < dim_; ++d) {
      largest = std::max(largest, std::abs(static_cast<double>(query[d]) * At(dim_ + d)));
    }
    return 0.5 * largest / 127 * most * static_cast<double>(dim_);
  }
  // Half a step of the tables for each part.
  double OfTables(const float* query) const {
    uint32_t part_dim;
    std::memcpy(&part_dim, saved_.data(), sizeof(part_dim));
    double widest = 0;
    double total = 0;
    for (size_t begin = 0; begin < dim_; begin += part_dim) {
      double least = std::numeric_limits<double>::infinity();
      double most = -least;
      for (size_t w = 0; w < 16; ++w) {
        double product = 0;
        for (size_t d = begin; d < begin + part_dim; ++d) product += query[d] * At(1 + d * 16 + w);
        least = std::min(least, product);
        most = std::max(most, product);
      }
      widest = std::max(widest, most - least);
      total += most - least;
    }
    const double step = std::max(widest / simd::kFastScanEntryMax, total / 60000);
    return 0.5 * step * static_cast<double>(dim_ / part_dim);
  }

  const CodeKind kind_;
  const bool is_l2_;
  const size_t dim_;
  const std::string saved_;
};

// What float32 arithmetic may change of a key.
class Slack {
 public:
  Slack(const Codec& codec, const Sample& sample) : dim_(sample.dim) {
    double largest = 0;
    for (size_t r = 0; r < sample.count(); ++r) {
      decoded_.push_back(Decoded(codec, sample.row(r), dim_));
      const double square = Product(sample.row(r), sample.row(r), dim_);
      squares_.push_back(square + Product(decoded_[r].data(), decoded_[r].data(), dim_));
      largest = std::max(largest, square);
    }
    // Words of codebooks may be far larger than the row they stand for: as large as the largest.
    const bool has_words =
        codec.kind() == CodeKind::kAdditive || codec.kind() == CodeKind::kFastScan;
    words_ = has_words ? std::sqrt(largest * dim_) : 0;
  }
  const float* decoded(size_t row) const { return decoded_[row].data(); }
  double Of(const float* query, size_t row) const {
    const double square = Product(query, query, dim_);
    return kRounding * (square + squares_[row] + words_ * std::sqrt(square) + 1e-30);
  }

 private:
  const uint32_t dim_;
  std::vector<std::vector<float>> decoded_;
  std::vector<double> squares_;
  double words_ = 0;
};

class CodecPromises : public testing::TestWithParam<CodecCase> {
 protected:
  // Calls check(codec, sample, queries, is_l2) for all dimensions, shapes and metrics.
  template <class Check>
  void ForAll(Check check) {
    for (uint32_t dim : kDims) {
      for (Shape shape : kShapes) {
        const Sample sample = Draw(shape, kRows, dim, dim);
        Sample queries = Draw(Shape::kNormal, 2, dim, dim + 1);
        queries.values.insert(queries.values.end(), dim, 0.0f);
        queries.values.insert(queries.values.end(), sample.row(3), sample.row(3) + dim);
        for (bool is_l2 : {true, false}) {
          SCOPED_TRACE(
              fmt::format("dim {} shape {} {}", dim, static_cast<int>(shape), is_l2 ? "L2" : "IP"));
          check(*GetParam().train(sample.block(), is_l2), sample, queries, is_l2);
        }
      }
    }
  }
};

TEST_P(CodecPromises, ScoresWhatItDecodesTo) {
  ForAll([](const Codec& codec, const Sample& sample, const Sample& queries, bool is_l2) {
    // Estimates: see rabitq_codec_test.cc, rotated_codec_test.cc.
    if (codec.kind() == CodeKind::kRabitq || codec.kind() == CodeKind::kRotated) return;
    const Packed packed = Pack(codec, sample.block());
    const auto scorer = codec.NewScorer(packed.rows());
    const Slack slack(codec, sample);
    for (size_t q = 0; q < queries.count(); ++q) {
      scorer->SetQuery(queries.row(q));
      for (uint32_t r = 0; r < sample.count(); ++r) {
        ASSERT_NEAR(scorer->ScoreExact(r),
                    KeyOf(is_l2, queries.row(q), slack.decoded(r), sample.dim),
                    slack.Of(queries.row(q), r))
            << "query " << q << " row " << r;
      }
    }
  });
}

TEST_P(CodecPromises, ScoresAllWaysTheSameButForTheRoundingOfTheQuery) {
  ForAll([](const Codec& codec, const Sample& sample, const Sample& queries, bool is_l2) {
    const Packed packed = Pack(codec, sample.block());
    const auto scorer = codec.NewScorer(packed.rows());
    const Rounding rounding(codec, sample, is_l2);
    const Slack arithmetic(codec, sample);
    const auto count = static_cast<uint32_t>(sample.count());
    std::vector<float> keys(count);
    for (size_t q = 0; q < queries.count(); ++q) {
      scorer->SetQuery(queries.row(q));
      scorer->ScoreRange(0, count, keys.data());
      std::vector<double> slack(count);
      for (uint32_t r = 0; r < count; ++r) {
        slack[r] = 2 * arithmetic.Of(queries.row(q), r);
        const double rounded = slack[r] + 1.01 * rounding.Of(queries.row(q));
        ASSERT_NEAR(keys[r], scorer->ScoreExact(r), rounded) << "query " << q << " row " << r;
      }
      // Rows in any order, any number of them, from any place.
      for (uint32_t some = 0; some <= 9; ++some) {
        std::vector<uint32_t> rows(some);
        for (uint32_t i = 0; i < some; ++i) rows[i] = (i * 31 + some * 17) % count;
        std::vector<float> scored(some);
        scorer->Score(rows.data(), some, scored.data());
        for (uint32_t i = 0; i < some; ++i) {
          ASSERT_NEAR(scored[i], keys[rows[i]], slack[rows[i]]) << "query " << q;
        }
        std::vector<float> range(some);
        scorer->ScoreRange(count - some, some, range.data());
        for (uint32_t i = 0; i < some; ++i) {
          ASSERT_NEAR(range[i], keys[count - some + i], slack[count - some + i]) << "query " << q;
        }
      }
    }
  });
}

TEST_P(CodecPromises, KeepsTheRowsBelowABound) {
  ForAll([](const Codec& codec, const Sample& sample, const Sample& queries, bool is_l2) {
    const Packed packed = Pack(codec, sample.block());
    const auto scorer = codec.NewScorer(packed.rows());
    const Rounding rounding(codec, sample, is_l2);
    const Slack arithmetic(codec, sample);
    constexpr float kOffset = -0.75f;
    std::vector<float> keys(kRows);
    for (size_t q = 0; q < queries.count(); ++q) {
      scorer->SetQuery(queries.row(q));
      scorer->ScoreRange(0, kRows, keys.data());
      std::vector<double> slacks(kRows);
      for (size_t r = 0; r < kRows; ++r) {
        slacks[r] =
            1.01 * rounding.Of(queries.row(q)) + 2 * arithmetic.Of(queries.row(q), r) + 1e-6;
      }
      std::vector<float> sorted = keys;
      std::sort(sorted.begin(), sorted.end());
      const float infinity = std::numeric_limits<float>::infinity();
      for (float bound : {-infinity, sorted[kRows / 4], sorted[kRows / 2], infinity}) {
        for (size_t count : {size_t{1}, size_t{32}, size_t{33}, kRows}) {
          std::vector<uint32_t> rows(count);
          std::vector<float> kept_keys(count);
          const size_t kept =
              scorer->Below(0, count, kOffset, bound, rows.data(), kept_keys.data());
          std::vector<bool> is_kept(count, false);
          for (size_t i = 0; i < kept; ++i) {
            ASSERT_LT(rows[i], count);
            ASSERT_FALSE(is_kept[rows[i]]);
            is_kept[rows[i]] = true;
            ASSERT_LE(kept_keys[i], bound);
          }
          for (size_t i = 0, at = 0; i < count; ++i) {
            const double slack = slacks[i];
            const double key = static_cast<double>(keys[i]) + kOffset;
            ASSERT_TRUE(is_kept[i] || key > bound - slack) << "row " << i << " of " << count;
            ASSERT_TRUE(!is_kept[i] || key <= bound + slack) << "row " << i << " of " << count;
            if (!is_kept[i]) continue;
            ASSERT_NEAR(kept_keys[at++], key, slack) << "row " << i;
          }
        }
      }
    }
  });
}

TEST_P(CodecPromises, OpensAsItWasSaved) {
  ForAll([](const Codec& codec, const Sample& sample, const Sample& queries, bool is_l2) {
    auto opened = OpenCodec(codec.kind(), sample.dim, is_l2, codec.Save());
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    const Codec& again = **opened;
    ASSERT_EQ(again.kind(), codec.kind());
    ASSERT_EQ(again.row_bytes(), codec.row_bytes());
    ASSERT_EQ(again.block_rows(), codec.block_rows());
    ASSERT_EQ(again.has_terms(), codec.has_terms());
    ASSERT_EQ(again.has_exact_terms(), codec.has_exact_terms());
    ASSERT_EQ(again.Save(), codec.Save());
    const Packed packed = Pack(codec, sample.block());
    ASSERT_EQ(Pack(again, sample.block()).codes, packed.codes);
    ASSERT_TRUE(again.Holds(packed.rows()));
    const auto before = codec.NewScorer(packed.rows());
    const auto after = again.NewScorer(packed.rows());
    for (size_t q = 0; q < queries.count(); ++q) {
      before->SetQuery(queries.row(q));
      after->SetQuery(queries.row(q));
      for (uint32_t r = 0; r < sample.count(); ++r) {
        ASSERT_EQ(after->ScoreExact(r), before->ScoreExact(r));
      }
    }
  });
}

TEST_P(CodecPromises, RefusesWhatWasNotSaved) {
  for (uint32_t dim : {1u, 7u, 96u}) {
    const Sample sample = Draw(Shape::kNormal, kRows, dim, dim);
    const auto codec = GetParam().train(sample.block(), true);
    const std::string saved = codec->Save();
    const auto code_of = [&](std::string_view bytes) {
      return OpenCodec(codec->kind(), dim, true, bytes).status().code();
    };
    EXPECT_EQ(code_of(saved + '\0'), ErrorCode::kIntegrity);
    EXPECT_EQ(code_of(saved + saved + saved + '\1'), ErrorCode::kIntegrity);
    for (size_t size = 0; size < saved.size(); size += 1 + saved.size() / 50) {
      EXPECT_EQ(code_of(std::string_view(saved).substr(0, size)), ErrorCode::kIntegrity) << size;
    }
    // Numbers at the start say how much there is.
    for (size_t at = 0; at < std::min<size_t>(saved.size(), 16); ++at) {
      if (saved.size() < 16 || codec->kind() == CodeKind::kSq8 || codec->kind() == CodeKind::kSq6 ||
          codec->kind() == CodeKind::kSq4 || (codec->kind() == CodeKind::kFastScan && at >= 4)) {
        break;
      }
      std::string bad = saved;
      bad[at] = '\x7f';
      const auto opened = OpenCodec(codec->kind(), dim, true, bad);
      // More bits than the words need are no harm.
      if (opened.ok()) {
        EXPECT_EQ((*opened)->Save(), bad);
      } else {
        EXPECT_EQ(opened.status().code(), ErrorCode::kIntegrity);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, CodecPromises, testing::ValuesIn(AllCodecs()),
                         [](const auto& info) { return info.param.name; });

TEST(OpenCodec, RefusesKindsThatAreNotThere) {
  for (uint32_t kind : {0u, 10u, 0xffffffffu}) {
    EXPECT_EQ(OpenCodec(static_cast<CodeKind>(kind), 8, true, "").status().code(),
              ErrorCode::kIntegrity);
  }
}

TEST(EstimateRowBytes, IsWhatAPackedRowTakes) {
  for (CodeKind kind : {CodeKind::kFloat32, CodeKind::kFloat16, CodeKind::kBFloat16, CodeKind::kSq8,
                        CodeKind::kSq6, CodeKind::kSq4}) {
    for (uint32_t dim : kDims) {
      const Sample sample = Draw(Shape::kNormal, 4, dim, 1);
      const auto codec = TrainCodec(kind, sample.block(), true);
      EXPECT_EQ(EstimateRowBytes(kind, dim), codec->row_bytes() + (codec->has_terms() ? 4u : 0u));
    }
  }
}

class PackRowsTest : public testing::Test {
 protected:
  SystemClock clock_;
  Context ctx_{clock_};
  std::unique_ptr<Executor> executor_ = MakeThreadExecutor();
  Pool pool_{*executor_, "build", 2, 64};
};

TEST_F(PackRowsTest, PutsRowsAndTermsInOrderOnOneThreadOrSeveral) {
  const Sample sample = Draw(Shape::kNormal, 3000, 24, 5);
  const auto codec = TrainCodec(CodeKind::kSq8, sample.block(), true);
  std::vector<uint32_t> backwards(sample.count());
  for (size_t i = 0; i < backwards.size(); ++i) {
    backwards[i] = static_cast<uint32_t>(backwards.size() - 1 - i);
  }
  const uint32_t* const orders[] = {nullptr, backwards.data()};
  for (const uint32_t* order : orders) {
    for (Pool* pool : {static_cast<Pool*>(nullptr), &pool_}) {
      std::string codes(sample.count() * codec->row_bytes(), '\0');
      std::vector<float> terms(sample.count());
      ASSERT_TRUE(
          PackRows(ctx_, *codec, sample.block(), order, pool, codes.data(), terms.data()).ok());
      for (size_t i = 0; i < sample.count(); ++i) {
        const float* row = sample.row(order == nullptr ? i : order[i]);
        ASSERT_EQ(codes.substr(i * codec->row_bytes(), codec->row_bytes()), Encoded(*codec, row));
        const std::vector<float> decoded = Decoded(*codec, row, 24);
        ASSERT_NEAR(terms[i], Product(decoded.data(), decoded.data(), 24), 1e-4);
      }
    }
  }
}

TEST_F(PackRowsTest, StopsWhenCancelled) {
  const Sample sample = Draw(Shape::kNormal, 10, 4, 5);
  const auto codec = TrainCodec(CodeKind::kFloat16, sample.block(), true);
  std::string codes(10 * codec->row_bytes(), '\0');
  ctx_.Cancel();
  EXPECT_EQ(PackRows(ctx_, *codec, sample.block(), nullptr, nullptr, codes.data(), nullptr).code(),
            ErrorCode::kCanceled);
}

}  // namespace
}  // namespace elanus::index
