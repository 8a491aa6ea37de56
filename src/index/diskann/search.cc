// A search walks the graph by the codes in memory. Each step takes the nearest nodes it has not
// been to, `beamwidth` of them, and reads their blocks together. What a block holds is used whole:
// all its vectors are scored exactly, and its nodes that the walk would come to anyway are expanded
// at once. The answer is the best of all that was scored exactly. With a filter only allowed rows
// count, and the cheaper of such a walk and a scan of the allowed rows' codes is taken.
#include "index/diskann/search.h"

#include <algorithm>
#include <limits>
#include <queue>

#include "index/codes/dense_rows.h"
#include "index/diskann/blocks.h"
#include "index/key_range.h"
#include "index/top_k.h"

namespace elanus::index {
namespace {

constexpr int64_t kSearchListMin = 16;
constexpr int kStepsPerCheck = 8;
constexpr size_t kScanTile = 1024;
constexpr double kExcludedMax = 0.93;  // From here on only a scan.
// Bytes of codes whose scoring (0.8 ns a byte) costs as much as reading a block and expanding a
// node: 3 us with the block in memory, 15 from an SSD with eight on their way.
constexpr double kCodeBytesPerRead = 10'000;
constexpr double kReadsPerListEntry = 1.2;
constexpr size_t kRangeSlack = 8;

struct SearchShape {
  uint32_t k = 0;
  size_t list = 0;   // Candidates of the walk, k at least.
  size_t width = 0;  // Blocks read at once.
  double excluded_max = kExcludedMax;
  bool excluded_max_given = false;
};

// Which nodes and blocks a walk has met, a set a thread: walks never nest.
struct Marks {
  VisitedSet met;       // Nodes whose code was scored.
  VisitedSet expanded;  // Nodes whose links were followed.
  VisitedSet scored;    // Blocks whose vectors were scored.
  void Begin(size_t nodes, size_t blocks) {
    met.Begin(nodes);
    expanded.Begin(nodes);
    scored.Begin(blocks);
  }
};
Marks& ThreadMarks() {
  thread_local Marks marks;
  return marks;
}

// One call's state for its queries, one after the other.
class DiskSearch {
 public:
  DiskSearch(const OpenedDisk& disk, model::Metric metric, Context& ctx, const SearchShape& shape,
             const SearchRequest& request)
      : disk_(disk),
        metric_(metric),
        ctx_(ctx),
        shape_(shape),
        allowed_(request.allowed),
        allowed_count_(allowed_.empty() ? disk.header.nodes : allowed_.Count()),
        range_(request.range, metric),
        distance_(static_cast<ElementType>(disk.header.element),
                  static_cast<uint32_t>(disk.header.dim), metric == model::Metric::kL2),
        scorer_(disk.codec->NewScorer(disk.packed)),
        reader_(disk),
        best_(shape.k),
        query_(static_cast<uint32_t>(disk.header.dim), metric),
        code_query_(disk.header.code_dim, 0.0f),
        keys_(std::max<size_t>(disk.header.degree, kScanTile)) {}

  Status Run(const VectorBlock& queries, size_t slot, Hits hits) {
    query_.Set(queries, slot);
    std::copy_n(query_.unit(), disk_.header.dim, code_query_.begin());
    scorer_->SetQuery(code_query_.data());
    const bool scaled = disk_.header.scaled != 0;
    query_scale_ = scaled ? InverseNorm(query_.plain(), disk_.header.dim) : 1.0f;
    prepared_ = distance_.PrepareFloats(scaled ? query_.plain() : query_.unit(), scratch_);
    scored_ = 0;
    const size_t wanted = std::min<size_t>(shape_.k, allowed_count_);
    if (ScanIsCheaper(wanted)) {
      TRY(Scan());
    } else {
      TRY_ASSIGN(const bool complete, Walk());
      // Parts of the graph may not be reachable (many equal rows): what was asked for is there.
      if (!complete || scored_ < wanted) TRY(Scan());
    }
    best_.WriteTo(hits, slot, metric_ == model::Metric::kL2 ? 1.0f : -1.0f);
    return {};
  }

 private:
  struct Farther {
    bool operator()(const Neighbour& a, const Neighbour& b) const { return b < a; }
  };

  double ScoresPerRead() const {
    return kCodeBytesPerRead / static_cast<double>(disk_.header.code_bytes);
  }
  double ScanScores() const {
    const double reads = static_cast<double>(std::min(shape_.list, allowed_count_));
    return static_cast<double>(allowed_count_) + reads * ScoresPerRead();
  }
  bool ScanIsCheaper(size_t wanted) const {
    if (wanted * 2 >= allowed_count_) return true;  // Half of all rows: a walk saves nothing.
    if (allowed_count_ == disk_.header.nodes) return false;  // A range may still be given up.
    const double share =
        static_cast<double>(allowed_count_) / static_cast<double>(disk_.header.nodes);
    if (1 - share >= shape_.excluded_max) return true;
    if (shape_.excluded_max_given) return false;
    const double walk =
        static_cast<double>(shape_.list) * kReadsPerListEntry * ScoresPerRead() / share;
    return ScanScores() < walk;
  }

  bool IsAllowed(uint32_t place) const {
    return allowed_.empty() || allowed_.Test(disk_.rows[place]);
  }
  float Bound() const {
    return nearest_.size() < shape_.list ? std::numeric_limits<float>::infinity()
                                         : nearest_.top().key;
  }
  // A node whose code has been scored: worth a step, and if allowed a candidate?
  bool Meet(float key, uint32_t place) {
    if (key >= Bound()) return false;
    // What a range leaves out is only walked past; its vector is scored on the way.
    if (IsAllowed(place) && !(key < range_.low)) {
      nearest_.push({key, place});
      if (nearest_.size() > shape_.list) nearest_.pop();
    }
    return true;
  }

  Result<bool> Walk();
  void TakeStep();
  void UseBlock(uint32_t block);
  void Expand(const NodeView& node);
  Status Scan();

  NodeView NodeAt(uint32_t place) const {
    const NodeShape& shape = disk_.shape;
    const auto block = static_cast<uint32_t>(place / shape.nodes_per_block);
    return {reader_.Block(block) + place % shape.nodes_per_block * shape.node_bytes, shape};
  }
  void Push(uint32_t place) {
    const NodeView node = NodeAt(place);
    float key = distance_.One(prepared_, node.vector());
    if (disk_.header.scaled != 0) key *= query_scale_ * node.scale();
    scored_ += key < range_.low ? 0 : 1;
    if (!range_.bounds() || range_.Holds(key)) best_.Push(key, disk_.rows[place]);
  }

  const OpenedDisk& disk_;
  const model::Metric metric_;
  Context& ctx_;
  const SearchShape shape_;
  const BitsetView allowed_;
  const size_t allowed_count_;
  const KeyRange range_;
  const ElementDistance distance_;
  const std::unique_ptr<Scorer> scorer_;
  BlockReader reader_;
  TopK best_;
  Marks& marks_ = ThreadMarks();
  std::priority_queue<Neighbour, std::vector<Neighbour>, Farther> open_;  // To be expanded.
  std::priority_queue<Neighbour> nearest_;  // The `list` best allowed; the worst on top.
  QueryVector query_;
  std::vector<float> code_query_;   // What the codes are scored against,
  const void* prepared_ = nullptr;  // and the vectors.
  float query_scale_ = 1.0f;
  size_t scored_ = 0;  // Vectors of the query that are not below the range.
  std::vector<float> scratch_;
  std::vector<uint32_t> blocks_;  // Of one step.
  std::vector<uint32_t> steps_;   // Nodes of one step.
  std::vector<uint32_t> batch_;
  std::vector<float> keys_;
  std::vector<float> block_keys_;  // Of the nodes of one block.
};

// False when it was given up because a scan costs less.
Result<bool> DiskSearch::Walk() {
  const size_t per_block = disk_.shape.nodes_per_block;
  marks_.Begin(disk_.header.nodes, disk_.shape.Blocks(disk_.header.nodes));
  open_ = {};
  nearest_ = {};
  const bool may_give_up =
      (allowed_count_ < disk_.header.nodes && !shape_.excluded_max_given) || range_.has_low();
  const auto blocks_max = static_cast<uint64_t>(ScanScores() / ScoresPerRead()) + shape_.width;
  uint64_t blocks_used = 0;
  const auto entry = static_cast<uint32_t>(disk_.header.entry);
  marks_.met.Visit(entry);
  scorer_->Score(&entry, 1, keys_.data());
  Meet(keys_[0], entry);
  open_.push({keys_[0], entry});
  for (int step = 1;; ++step) {
    if (step % kStepsPerCheck == 0) TRY(ctx_.CheckAlive());
    steps_.clear();
    blocks_.clear();
    while (blocks_.size() < shape_.width && !open_.empty() && open_.top().key <= Bound()) {
      const uint32_t place = open_.top().node;
      open_.pop();
      if (!marks_.expanded.Visit(place)) continue;
      steps_.push_back(place);
      const auto block = static_cast<uint32_t>(place / per_block);
      if (std::find(blocks_.begin(), blocks_.end(), block) == blocks_.end()) {
        blocks_.push_back(block);
      }
    }
    if (steps_.empty()) return true;
    if (may_give_up && blocks_used > blocks_max) {
      best_.Clear();
      return false;
    }
    blocks_used += blocks_.size();
    reader_.Fetch(blocks_);
    TakeStep();
  }
}

void DiskSearch::TakeStep() {
  for (uint32_t place : steps_) Expand(NodeAt(place));
  for (uint32_t block : blocks_) {
    if (marks_.scored.Visit(block)) UseBlock(block);
  }
}

// Scores the vectors of a block that is met for the first time, and follows the links of those
// nodes that are among the nearest so far.
void DiskSearch::UseBlock(uint32_t block) {
  const size_t per_block = disk_.shape.nodes_per_block;
  const size_t begin = block * per_block;
  const size_t end = std::min<size_t>(disk_.header.nodes, begin + per_block);
  for (size_t place = begin; place < end; ++place) {
    if (IsAllowed(static_cast<uint32_t>(place))) Push(static_cast<uint32_t>(place));
  }
  if (per_block == 1) return;
  block_keys_.resize(end - begin);
  scorer_->ScoreRange(begin, end - begin, block_keys_.data());
  for (size_t i = begin; i < end; ++i) {
    const auto place = static_cast<uint32_t>(i);
    const float key = block_keys_[i - begin];
    if (marks_.met.Visit(place)) Meet(key, place);
    if (key <= Bound() && marks_.expanded.Visit(place)) Expand(NodeAt(place));
  }
}

void DiskSearch::Expand(const NodeView& node) {
  batch_.clear();
  // The file was checked when it was opened; what comes from the disk now is looked at again.
  const size_t degree = std::min<size_t>(node.degree(), disk_.header.degree);
  for (size_t i = 0; i < degree; ++i) {
    const uint32_t other = node.link(i);
    if (other >= disk_.header.nodes || !marks_.met.Visit(other)) continue;
    __builtin_prefetch(disk_.packed.codes + other * disk_.header.code_bytes);
    batch_.push_back(other);
  }
  scorer_->Score(batch_.data(), batch_.size(), keys_.data());
  for (size_t i = 0; i < batch_.size(); ++i) {
    if (Meet(keys_[i], batch_[i])) open_.push({keys_[i], batch_[i]});
  }
}

// Scores the codes of all allowed rows and reads the vectors of the best `list` of them; with a
// range that leaves out the nearest rows those of many on both sides of its lower end: rows lie
// dense out there, and codes put many of them on the wrong side.
Status DiskSearch::Scan() {
  const size_t wanted = range_.has_low() ? kRangeSlack * shape_.list : shape_.list;
  const auto list = static_cast<uint32_t>(std::min(wanted, allowed_count_));
  TopK nearest(list);
  TopK below(list);
  uint32_t places[kScanTile];
  for (size_t begin = 0; begin < disk_.header.nodes; begin += kScanTile) {
    TRY(ctx_.CheckAlive());
    const size_t end = std::min<size_t>(disk_.header.nodes, begin + kScanTile);
    size_t count = 0;
    for (size_t place = begin; place < end; ++place) {
      places[count] = static_cast<uint32_t>(place);  // No branch: chance would mispredict it.
      count += IsAllowed(places[count]) ? 1 : 0;
    }
    scorer_->Score(places, count, keys_.data());
    for (size_t i = 0; i < count; ++i) {
      if (keys_[i] < range_.low) {
        below.Push(-keys_[i], places[i]);
      } else {
        nearest.Push(keys_[i], places[i]);
      }
    }
  }
  batch_.clear();
  const auto take = [&](float, uint32_t place) { batch_.push_back(place); };
  nearest.ForEach(take);
  below.ForEach(take);
  std::sort(batch_.begin(), batch_.end());  // Places of one block together.
  best_.Clear();
  for (size_t begin = 0; begin < batch_.size(); begin += shape_.width) {
    TRY(ctx_.CheckAlive());
    const size_t end = std::min(batch_.size(), begin + shape_.width);
    blocks_.clear();
    for (size_t i = begin; i < end; ++i) {
      const auto block = static_cast<uint32_t>(batch_[i] / disk_.shape.nodes_per_block);
      if (blocks_.empty() || blocks_.back() != block) blocks_.push_back(block);
    }
    reader_.Fetch(blocks_);
    for (size_t i = begin; i < end; ++i) Push(batch_[i]);
  }
  return {};
}

class DiskIndex final : public VectorIndex {
 public:
  DiskIndex(OpenedDisk disk, model::Metric metric, size_t beam_width)
      : disk_(std::move(disk)), metric_(metric), beam_width_(beam_width) {}

  Status Search(Context& ctx, const SearchRequest& request, Hits hits) const override {
    const VectorBlock& queries = request.queries;
    const uint32_t k = request.k;
    const Params& params = request.params;
    int64_t list = params.GetInt("search_list", std::max<int64_t>(k, kSearchListMin));
    if (list < k) {
      return Error(
          ErrorCode::kSegcore,
          "failed to search: out_of_range_in_json: search_list({}) should be larger than k({})",
          list, k);
    }
    if (request.range.bounds()) {
      const int64_t most = params.GetInt("max_k", std::numeric_limits<int64_t>::max());
      list = std::max(list, params.GetInt("min_k", kRangeListMin));
      list = std::min(list, std::max<int64_t>(k, most));
    }
    const size_t nodes = disk_.header.nodes;
    if (nodes == 0) {
      std::fill_n(hits.rows, queries.rows * k, kNoRow);
      std::fill_n(hits.scores, queries.rows * k, 0.0f);
      return {};
    }
    SearchShape shape{.k = k, .list = std::min<size_t>(static_cast<size_t>(list), nodes)};
    shape.width =
        static_cast<size_t>(params.GetInt("beamwidth", static_cast<int64_t>(beam_width_)));
    const double threshold = params.Get("filter_threshold", -1);
    if (threshold >= 0) {
      shape.excluded_max = threshold;
      shape.excluded_max_given = true;
    }
    DiskSearch search(disk_, metric_, ctx, shape, request);
    for (size_t q = 0; q < queries.rows; ++q) TRY(search.Run(queries, q, hits));
    return {};
  }
  size_t rows() const override { return disk_.header.nodes; }
  size_t memory_bytes() const override { return disk_.memory_bytes(); }

 private:
  const OpenedDisk disk_;
  const model::Metric metric_;
  const size_t beam_width_;
};

}  // namespace

std::unique_ptr<VectorIndex> MakeDiskIndex(OpenedDisk disk, model::Metric metric,
                                           size_t beam_width) {
  ExpectRandomReads(disk);
  return std::make_unique<DiskIndex>(std::move(disk), metric, beam_width);
}

}  // namespace elanus::index
