// Sparse search beside a plain scan of posting lists, on generated SPLADE-like vectors.
//
//   elanus_sparse ROWS [name=value ...]    queries=64 k=10 nnz=120 query_nnz=44 topics=2000 seed=1
//
// Terms follow Zipf's law over 30522 dimensions; a share of each row's terms comes from its topic,
// weights are lognormal. Rows stand in random order. Prints one line of JSON a method: queries per
// second of CPU time on one thread, and the recall of the baseline's hits; first what was made.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/aligned_copy.h"
#include "index/sparse/sparse.h"
#include "index/sparse/sparse_block.h"

namespace elanus::index {
namespace {

constexpr uint32_t kDims = 30522;

double CpuSeconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

struct Sparse {
  std::vector<uint64_t> bounds = {0};
  std::vector<uint32_t> words;  // Of each row its dimensions, then the bits of its values.
  VectorBlock block() const {
    return {.data = words.data(),
            .rows = bounds.size() - 1,
            .element = ElementType::kSparse,
            .bounds = bounds.data()};
  }
};

// Draws vectors: which terms, and how much of each.
class Generator {
 public:
  Generator(uint32_t seed, uint32_t topics) : rng_(seed), topics_(topics) {
    for (uint32_t i = 0; i < kDims; ++i) {
      total_ += 1.0 / (i + 50.0);
      cumulative_.push_back(total_);
      names_.push_back(i);
    }
    std::shuffle(names_.begin(), names_.end(), rng_);
  }
  void Add(double mean, double spread, Sparse& to) {
    std::lognormal_distribution<double> size(std::log(mean) - spread * spread / 2, spread);
    const auto wanted = static_cast<size_t>(std::clamp(size(rng_), 4.0, mean * 4));
    const uint64_t topic = topics_ == 0 ? 0 : rng_() % topics_;
    std::map<uint32_t, float> terms;  // Of each only the first draw counts.
    std::lognormal_distribution<float> weight(-0.7f, 0.7f);
    while (terms.size() < wanted) {
      const bool of_topic = topics_ != 0 && rng_() % 10 < 4;
      uint32_t rank = Rank(Uniform());
      if (of_topic) {
        // One of the topic's 200 terms, which a hash picks.
        uint64_t hash = (topic * 1000003 + rng_() % 200) * 0x9e3779b97f4a7c15;
        hash = (hash ^ (hash >> 31)) * 0xbf58476d1ce4e5b9;
        rank = Rank(static_cast<double>((hash ^ (hash >> 29)) >> 11) * 0x1p-53);
      }
      terms.emplace(names_[rank], (of_topic ? 1.4f : 1.0f) * std::min(weight(rng_), 3.5f));
    }
    for (const auto& [dim, value] : terms) to.words.push_back(dim);
    for (const auto& [dim, value] : terms) to.words.push_back(std::bit_cast<uint32_t>(value));
    to.bounds.push_back(to.words.size() * sizeof(uint32_t));
  }

 private:
  double Uniform() { return static_cast<double>(rng_() >> 11) * 0x1p-53; }
  uint32_t Rank(double u) const {
    const auto found = std::upper_bound(cumulative_.begin(), cumulative_.end(), u * total_);
    return static_cast<uint32_t>(std::min<std::ptrdiff_t>(found - cumulative_.begin(), kDims - 1));
  }

  std::mt19937_64 rng_;
  const uint32_t topics_;
  double total_ = 0;
  std::vector<double> cumulative_;
  std::vector<uint32_t> names_;
};

// The baseline: each term's (row, value) pairs added to a sum a row, then the best k of all sums.
class PlainScan {
 public:
  explicit PlainScan(const SparseBlock& rows) : sums_(rows.rows), starts_(kDims + 1) {
    for (size_t r = 0; r < rows.rows; ++r) {
      for (uint32_t dim : rows.dims_of(r)) ++starts_[dim + 1];
    }
    for (uint32_t d = 0; d < kDims; ++d) starts_[d + 1] += starts_[d];
    postings_.resize(rows.non_zeros());
    std::vector<uint64_t> next(starts_.begin(), starts_.end() - 1);
    for (size_t r = 0; r < rows.rows; ++r) {
      const auto dims = rows.dims_of(r);
      for (size_t i = 0; i < dims.size(); ++i) {
        postings_[next[dims[i]]++] = {static_cast<uint32_t>(r), rows.values_of(r)[i]};
      }
    }
  }
  void Search(const SparseBlock& queries, uint32_t k, uint32_t* rows) {
    for (size_t q = 0; q < queries.rows; ++q) {
      std::fill(sums_.begin(), sums_.end(), 0.0f);
      const auto dims = queries.dims_of(q);
      for (size_t i = 0; i < dims.size(); ++i) {
        const float weight = queries.values_of(q)[i];
        const uint32_t dim = dims[i];
        const Posting* end = postings_.data() + starts_[dim + 1];
        for (const Posting* p = postings_.data() + starts_[dim]; p < end; ++p) {
          sums_[p->row] += weight * p->value;
        }
        met_ += starts_[dim + 1] - starts_[dim];
      }
      std::vector<std::pair<float, uint32_t>> best;  // The smallest in front.
      for (uint32_t r = 0; r < sums_.size(); ++r) {
        if (sums_[r] <= 0 || (best.size() == k && sums_[r] <= best.front().first)) continue;
        if (best.size() == k) {
          std::pop_heap(best.begin(), best.end(), std::greater<>());
          best.pop_back();
        }
        best.emplace_back(sums_[r], r);
        std::push_heap(best.begin(), best.end(), std::greater<>());
      }
      for (uint32_t i = 0; i < k; ++i) rows[q * k + i] = i < best.size() ? best[i].second : kNoRow;
    }
  }
  uint64_t met() const { return met_; }

 private:
  struct Posting {
    uint32_t row;
    float value;
  };
  std::vector<float> sums_;
  std::vector<uint64_t> starts_;
  std::vector<Posting> postings_;
  uint64_t met_ = 0;
};

double Recall(const std::vector<uint32_t>& got, const std::vector<uint32_t>& want, uint32_t k) {
  size_t hits = 0;
  for (size_t q = 0; q < want.size() / k; ++q) {
    const std::set<uint32_t> truth(want.begin() + q * k, want.begin() + (q + 1) * k);
    for (uint32_t i = 0; i < k; ++i) hits += truth.count(got[q * k + i]);
  }
  return static_cast<double>(hits) / static_cast<double>(want.size());
}

int Run(size_t rows, std::map<std::string, double> options) {
  const auto get = [&](const char* name, double fallback) {
    return options.count(name) != 0 ? options[name] : fallback;
  };
  const auto k = static_cast<uint32_t>(get("k", 10));
  const auto nq = static_cast<size_t>(get("queries", 64));
  Generator generator(static_cast<uint32_t>(get("seed", 1)),
                      static_cast<uint32_t>(get("topics", 2000)));
  Sparse base;
  Sparse queries;
  for (size_t i = 0; i < rows; ++i) generator.Add(get("nnz", 120), 0.4, base);
  for (size_t i = 0; i < nq; ++i) generator.Add(get("query_nnz", 44), 0.3, queries);
  const VectorBlock block = base.block();
  const uint64_t non_zeros = SparseBlock(block).non_zeros();

  std::vector<uint32_t> truth(nq * k);
  double plain_seconds = 0;
  {
    PlainScan plain(block);
    plain.Search(queries.block(), k, truth.data());  // Once to warm up.
    const double start = CpuSeconds();
    plain.Search(queries.block(), k, truth.data());
    plain_seconds = CpuSeconds() - start;
    fmt::print(
        "{{\"rows\": {}, \"row_values\": {:.1f}, \"query_values\": {:.1f}, \"query_postings\": "
        "{:.0f}}}\n",
        rows, static_cast<double>(non_zeros) / static_cast<double>(rows),
        static_cast<double>(SparseBlock(queries.block()).non_zeros()) / static_cast<double>(nq),
        static_cast<double>(plain.met()) / 2 / static_cast<double>(nq));
    fmt::print("{{\"method\": \"plain scan\", \"drop\": 0, \"qps\": {:.1f}, \"recall\": 1}}\n",
               static_cast<double>(nq) / plain_seconds);
  }
  SystemClock clock;
  Context ctx(clock);
  const char* names[] = {"TAAT_NAIVE", "DAAT_WAND", "DAAT_MAXSCORE"};
  for (int algorithm : {0, 2, 1}) {
    if (algorithm == 1 && get("wand", 0) == 0) continue;
    Params build;
    build.Set("inverted_index_algo", algorithm);
    double start = CpuSeconds();
    const auto bytes =
        SparseInvertedType().Build(ctx, block, model::Metric::kIp, build, BuildOptions{});
    if (!bytes.ok()) return 1;
    const double build_seconds = CpuSeconds() - start;
    start = CpuSeconds();
    const auto index = SparseInvertedType().Open(AlignedCopy(*bytes), block, model::Metric::kIp);
    if (!index.ok()) return 1;
    const double open_seconds = CpuSeconds() - start;
    for (double drop : {0.0, 0.2, 0.4}) {
      Params search;
      search.Set("drop_ratio_search", drop);
      std::vector<uint32_t> got(nq * k);
      std::vector<float> scores(nq * k);
      double seconds = 1e9;
      for (int turn = 0; turn < 3; ++turn) {
        start = CpuSeconds();
        const Status status =
            (*index)->Search(ctx, {.queries = queries.block(), .k = k, .params = search},
                             {.rows = got.data(), .scores = scores.data()});
        if (!status.ok()) return 1;
        seconds = std::min(seconds, CpuSeconds() - start);
      }
      fmt::print(
          "{{\"method\": \"{}\", \"drop\": {}, \"qps\": {:.1f}, \"recall\": {:.4f}, "
          "\"build_cpu_s\": {:.1f}, \"open_cpu_s\": {:.2f}, \"bytes_per_posting\": {:.2f}}}\n",
          names[algorithm], drop, static_cast<double>(nq) / seconds, Recall(got, truth, k),
          build_seconds, open_seconds,
          static_cast<double>(bytes->size()) / static_cast<double>(non_zeros));
    }
  }
  return 0;
}

}  // namespace
}  // namespace elanus::index

int main(int argc, char** argv) {
  std::map<std::string, double> options;
  for (int i = 2; i < argc; ++i) {
    const std::string word = argv[i];
    const size_t equals = word.find('=');
    if (equals != std::string::npos) {
      options[word.substr(0, equals)] = std::strtod(word.c_str() + equals + 1, nullptr);
    }
  }
  if (argc < 2) {
    fmt::print(stderr, "usage: elanus_sparse ROWS [name=value ...]\n");
    return 2;
  }
  return elanus::index::Run(std::strtoul(argv[1], nullptr, 10), options);
}
