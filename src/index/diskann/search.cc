// A search walks the graph by the codes in memory. Each step takes the nearest nodes it has not
// been to, `beamwidth` of them, and reads their blocks together. What a block holds is used whole:
// all its vectors are scored exactly, and its nodes that the walk would come to anyway are expanded
// at once. The answer is the best of all that was scored exactly. With a filter only allowed rows
// count, and what costs least is taken of three ways: a walk over all nodes until enough allowed
// ones are met, a short walk that steps on few of the other nodes, and a scan of the allowed rows'
// codes.
#include "index/diskann/search.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "base/prefetch.h"
#include "index/cells/allowed_cells.h"
#include "index/codes/dense_rows.h"
#include "index/diskann/blocks.h"
#include "index/key_range.h"
#include "index/top_k.h"

namespace elanus::index {
namespace {

constexpr int64_t kSearchListMin = 16;
constexpr int kStepsPerCheck = 8;
constexpr size_t kScanTile = 1024;
constexpr size_t kAtOnce = 16;  // Codes that are scored in one go.
// Bytes of codes whose scoring (0.12 ns a byte) costs as much as reading a block in a walk, whose
// nodes' links are then scored: 4 us with the block in memory. A scan only reads.
constexpr double kCodeBytesPerRead = 33'000;
constexpr double kScanReadCost = 0.3;
// The blocks that a walk reads.
constexpr double kReadsPerListEntry = 0.7;
constexpr double kReadsOnTheWay = 25;
constexpr size_t kRangeSlack = 8;
// Where a smaller share is allowed, a walk steps on fewer of the other nodes than lie among the
// nearest: on this times `list` / share of them, where a filter drawn at random leaves (1 - share)
// * `list` / share. It begins at the nearest of so many allowed rows from all over the segment.
constexpr double kShortWalkShareMax = 0.4;
constexpr double kPasses = 0.45;
constexpr size_t kSeeds = 256;
// Of a scan, as many times `list`.
constexpr size_t kFarCandidates = 4;
// Rows of cells that are met at least and at most; in scorings of a code what it costs to put a
// cell in order, to score a row of one, and to look up whether it is allowed.
constexpr size_t kCellRowsLeast = 1024;
constexpr size_t kCellRowsMost = 8192;
constexpr double kCellCost = 1.5;
constexpr double kCellRowCost = 2;
constexpr double kCellLookUpCost = 0.15;
// How many times what codes have erred by a row may be nearer than its code says.
constexpr float kErrorSlack = 1.5f;

struct SearchShape {
  uint32_t k = 0;
  size_t list = 0;           // Candidates of the walk, k at least.
  size_t width = 0;          // Blocks read at once.
  double excluded_max = -1;  // See filter_threshold; below 0: what costs less.
};

enum class Way : uint8_t { kWalk, kShortWalk, kCells, kScan };

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
    const Way way = Cheapest(wanted);
    if (way == Way::kScan) {
      TRY(Scan());
    } else if (way == Way::kCells) {
      TRY(ScanCells());
      if (scored_ < wanted) TRY(Scan());
    } else {
      TRY_ASSIGN(const bool complete, Walk(way == Way::kShortWalk ? Passes() : 0));
      // Parts of the graph may not be reachable (many equal rows): what was asked for is there.
      if (!complete || scored_ < wanted) TRY(Scan());
    }
    best_.WriteTo(hits, slot, metric_ == model::Metric::kL2 ? 1.0f : -1.0f);
    return {};
  }

 private:
  // Costs, in scorings of a code.
  double ScoresPerRead() const {
    return kCodeBytesPerRead / static_cast<double>(disk_.header.code_bytes);
  }
  double ScanScores() const { return static_cast<double>(allowed_count_) + CandidateScores(); }
  // Rows of cells, most of which are looked up in vain where few are allowed.
  double CellScores() const {
    if (disk_.cells == nullptr || range_.bounds()) return std::numeric_limits<double>::infinity();
    const double rows = static_cast<double>(kCellRowsLeast);
    return kCellCost * static_cast<double>(disk_.cells->count()) +
           rows * (kCellRowCost + kCellLookUpCost / Share()) + CandidateScores();
  }
  // Of a scan, to be read. Where rows lie in clusters codes tell less which are nearest far from
  // the query, and more are read; near it reading ends early there.
  size_t Candidates() const {
    const size_t times = disk_.cells == nullptr ? 1 : kFarCandidates;
    return std::min(times * shape_.list, allowed_count_);
  }
  // Mostly a scan stops reading after some more than `list`.
  double CandidateScores() const {
    const double reads = static_cast<double>(std::min(shape_.list, allowed_count_));
    return kScanReadCost * reads * ScoresPerRead();
  }
  double WalkScores(double list) const {
    return (list * kReadsPerListEntry + kReadsOnTheWay) * ScoresPerRead();
  }
  double Share() const {
    return static_cast<double>(allowed_count_) / static_cast<double>(disk_.header.nodes);
  }
  size_t Passes() const {
    return static_cast<size_t>(kPasses / Share() * static_cast<double>(shape_.list)) + 1;
  }

  Way Cheapest(size_t wanted) const {
    if (wanted * 2 >= allowed_count_) return Way::kScan;  // Half of all rows: a walk saves nothing.
    // A range may still be given up.
    if (allowed_count_ == disk_.header.nodes) return Way::kWalk;
    const double share = Share();
    if (shape_.excluded_max >= 0) {
      return 1 - share >= shape_.excluded_max ? Way::kScan : Way::kWalk;
    }
    const double walk = WalkScores(static_cast<double>(shape_.list) / share);
    const double short_walk = share <= kShortWalkShareMax
                                  ? WalkScores(static_cast<double>(shape_.list + Passes()))
                                  : walk;
    const double cells = CellScores();
    if (ScanScores() < std::min({walk, short_walk, cells})) return Way::kScan;
    if (cells < std::min(walk, short_walk)) return Way::kCells;
    return short_walk < walk ? Way::kShortWalk : Way::kWalk;
  }

  bool IsAllowed(uint32_t row) const { return allowed_.empty() || allowed_.Test(row); }
  static float BoundOf(const std::vector<Neighbour>& heap, size_t size) {
    return heap.size() < size ? std::numeric_limits<float>::infinity() : heap.front().key;
  }
  static void Keep(std::vector<Neighbour>& heap, size_t size, Neighbour neighbour) {
    heap.push_back(neighbour);
    std::push_heap(heap.begin(), heap.end());
    if (heap.size() <= size) return;
    std::pop_heap(heap.begin(), heap.end());
    heap.pop_back();
  }
  float Bound() const { return BoundOf(nearest_, shape_.list); }
  // Up to which key a node is worth a step.
  float BoundFor(uint32_t row) const {
    const float bound = Bound();
    return passes_ == 0 || IsAllowed(row) ? bound : std::min(bound, BoundOf(passed_, passes_));
  }
  // A node whose code has been scored: if allowed a candidate, and worth a step?
  bool Meet(float key, uint32_t row) {
    if (key >= Bound()) return false;
    if (!IsAllowed(row)) {
      if (passes_ == 0) return true;
      if (key >= BoundOf(passed_, passes_)) return false;
      Keep(passed_, passes_, {key, row});
      return true;
    }
    // What a range leaves out is only walked past; its vector is scored on the way.
    if (!(key < range_.low)) Keep(nearest_, shape_.list, {key, row});
    return true;
  }
  void Open(float key, uint32_t row) {
    open_.push_back({key, row});
    std::push_heap(open_.begin(), open_.end(), IsFarther);
  }
  static bool IsFarther(const Neighbour& a, const Neighbour& b) { return b < a; }

  Result<bool> Walk(size_t passes);
  void Begin(size_t passes);
  void MeetSeeds();
  void MeetBatch();
  void ChooseStep();
  void TakeStep();
  void UseBlock(uint32_t block);
  void Expand(const NodeView& node);
  Status Scan();
  Status ScanCells();
  void ScoreAhead(const uint32_t* rows, size_t count);
  Status ReadBest();
  size_t NextAllowed(size_t& next, uint32_t* rows) const;

  uint32_t BlockOf(uint32_t row) const {
    return disk_.places[row] / static_cast<uint32_t>(disk_.shape.nodes_per_block);
  }
  NodeView NodeAt(size_t place) const {
    const NodeShape& shape = disk_.shape;
    const auto block = static_cast<uint32_t>(place / shape.nodes_per_block);
    return {reader_.Block(block) + place % shape.nodes_per_block * shape.node_bytes, shape};
  }
  NodeView NodeOf(uint32_t row) const { return NodeAt(disk_.places[row]); }
  // Scores a vector; its key.
  float Push(const NodeView& node, uint32_t row) {
    float key = distance_.One(prepared_, node.vector());
    if (disk_.header.scaled != 0) key *= query_scale_ * node.scale();
    scored_ += key < range_.low ? 0 : 1;
    if (!range_.bounds() || range_.Holds(key)) best_.Push(key, row);
    return key;
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
  size_t passes_ = 0;               // Of this walk: nodes not allowed that it may step on; 0: any.
  std::vector<Neighbour> open_;     // A heap, the nearest in front: to be expanded.
  std::vector<Neighbour> nearest_;  // A heap, the farthest in front: the `list` best allowed.
  std::vector<Neighbour> passed_;   // The same of the `passes_` best that are not allowed.
  QueryVector query_;
  std::vector<float> code_query_;   // What the codes are scored against,
  const void* prepared_ = nullptr;  // and the vectors.
  float query_scale_ = 1.0f;
  size_t scored_ = 0;  // Vectors of the query that are not below the range.
  std::vector<float> scratch_;
  std::vector<uint32_t> blocks_;                 // Of one step.
  std::vector<uint32_t> steps_;                  // Nodes of one step.
  std::vector<uint32_t> batch_;                  // Nodes whose codes are to be scored.
  std::vector<float> keys_;                      // Of the batch.
  std::vector<Neighbour> candidates_;            // Of a scan, to be read.
  std::unique_ptr<AllowedCells> allowed_cells_;  // Made by the first query that needs them.
};

void DiskSearch::Begin(size_t passes) {
  marks_.Begin(disk_.header.nodes, disk_.shape.Blocks(disk_.header.nodes));
  passes_ = passes;
  open_.clear();
  nearest_.clear();
  passed_.clear();
  batch_.clear();
  if (passes > 0) MeetSeeds();
  const auto entry = static_cast<uint32_t>(disk_.header.entry);
  if (marks_.met.Visit(entry)) {
    // Whether it is allowed or not: it leads into the graph.
    scorer_->Score(&entry, 1, keys_.data());
    Meet(keys_[0], entry);
    Open(keys_[0], entry);
  }
}

// Allowed rows of all parts of the segment, where a short walk begins.
void DiskSearch::MeetSeeds() {
  const size_t words = allowed_.word_count();
  const size_t stride = (words + kSeeds - 1) / kSeeds;
  for (size_t begin = 0; begin < words; begin += stride) {
    const size_t end = std::min(words, begin + stride);
    size_t at = begin;
    while (at < end && allowed_.words[at] == 0) ++at;
    if (at == end) continue;
    const auto row =
        static_cast<uint32_t>(at * 64 + static_cast<size_t>(std::countr_zero(allowed_.words[at])));
    marks_.met.Visit(row);
    batch_.push_back(row);
  }
  MeetBatch();
}

// False when it was given up because a scan costs less.
Result<bool> DiskSearch::Walk(size_t passes) {
  Begin(passes);
  const bool may_give_up =
      (allowed_count_ < disk_.header.nodes && shape_.excluded_max < 0) || range_.has_low();
  const auto blocks_max = static_cast<uint64_t>(ScanScores() / ScoresPerRead()) + shape_.width;
  uint64_t blocks_used = 0;
  for (int step = 1;; ++step) {
    if (step % kStepsPerCheck == 0) TRY(ctx_.CheckAlive());
    ChooseStep();
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

// The nearest open nodes of `width` blocks.
void DiskSearch::ChooseStep() {
  steps_.clear();
  blocks_.clear();
  while (blocks_.size() < shape_.width && !open_.empty() && open_.front().key <= Bound()) {
    const auto [key, row] = open_.front();
    std::pop_heap(open_.begin(), open_.end(), IsFarther);
    open_.pop_back();
    if (key > BoundFor(row) || !marks_.expanded.Visit(row)) continue;
    steps_.push_back(row);
    const uint32_t block = BlockOf(row);
    if (std::find(blocks_.begin(), blocks_.end(), block) == blocks_.end()) blocks_.push_back(block);
  }
}

void DiskSearch::TakeStep() {
  for (uint32_t row : steps_) NodeOf(row).PrefetchLinks();
  for (uint32_t row : steps_) Expand(NodeOf(row));
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
  batch_.clear();
  for (size_t place = begin; place < end; ++place) {
    const NodeView node = NodeAt(place);
    const uint32_t row = node.row();
    // The file was checked when it was opened; what comes from the disk now is looked at again.
    if (row >= disk_.header.nodes) continue;
    if (IsAllowed(row)) Push(node, row);
    batch_.push_back(row);
  }
  if (per_block == 1) return;
  scorer_->Score(batch_.data(), batch_.size(), keys_.data());
  steps_.clear();
  for (size_t i = 0; i < batch_.size(); ++i) {
    if (marks_.met.Visit(batch_[i])) Meet(keys_[i], batch_[i]);
    if (keys_[i] <= BoundFor(batch_[i]) && marks_.expanded.Visit(batch_[i]))
      steps_.push_back(batch_[i]);
  }
  for (uint32_t row : steps_) Expand(NodeOf(row));
}

void DiskSearch::Expand(const NodeView& node) {
  batch_.clear();
  // As in UseBlock.
  const size_t degree = std::min<size_t>(node.degree(), disk_.header.degree);
  for (size_t i = 0; i < degree; ++i) {
    const uint32_t other = node.link(i);
    if (other >= disk_.header.nodes || !marks_.met.Visit(other)) continue;
    Prefetch(disk_.packed.codes + other * disk_.header.code_bytes);
    batch_.push_back(other);
  }
  MeetBatch();
}

void DiskSearch::MeetBatch() {
  scorer_->Score(batch_.data(), batch_.size(), keys_.data());
  for (size_t i = 0; i < batch_.size(); ++i) {
    if (Meet(keys_[i], batch_[i])) Open(keys_[i], batch_[i]);
  }
}

// The codes of rows that lie anywhere, to keys_: some are on their way into the cache while others
// are scored.
void DiskSearch::ScoreAhead(const uint32_t* rows, size_t count) {
  const auto prefetch = [&](size_t begin) {
    for (size_t i = begin; i < std::min(count, begin + kAtOnce); ++i) {
      PrefetchBytes(disk_.packed.codes + size_t{rows[i]} * disk_.header.code_bytes,
                    disk_.header.code_bytes);
    }
  };
  prefetch(0);
  for (size_t begin = 0; begin < count; begin += kAtOnce) {
    prefetch(begin + kAtOnce);
    scorer_->Score(rows + begin, std::min(kAtOnce, count - begin), keys_.data() + begin);
  }
}

// The codes of allowed rows in the nearest cells.
Status DiskSearch::ScanCells() {
  if (allowed_cells_ == nullptr) {
    allowed_cells_ =
        std::make_unique<AllowedCells>(*disk_.cells, disk_.cell_rows, allowed_, allowed_count_);
  }
  allowed_cells_->Begin(query_.unit());
  TopK nearest(static_cast<uint32_t>(Candidates()));
  CellRows rows(std::max(kCellRowsLeast, Candidates()), kCellRowsMost);
  while (!rows.IsEnough() && allowed_cells_->Next(batch_)) {
    TRY(ctx_.CheckAlive());
    for (uint32_t& number : batch_) number = disk_.cell_rows[number];
    const float bound = nearest.bound();
    for (size_t begin = 0; begin < batch_.size(); begin += kScanTile) {
      const size_t count = std::min(kScanTile, batch_.size() - begin);
      ScoreAhead(batch_.data() + begin, count);
      for (size_t i = 0; i < count; ++i) nearest.Push(keys_[i], batch_[begin + i]);
    }
    rows.Add(batch_.size(), nearest.bound() < bound);
  }
  candidates_.clear();
  nearest.ForEach([&](float key, uint32_t row) { candidates_.push_back({key, row}); });
  return ReadBest();
}

// The next allowed rows from `next` on, at most kScanTile; 0 at the end.
size_t DiskSearch::NextAllowed(size_t& next, uint32_t* rows) const {
  size_t count = 0;
  if (allowed_.empty()) {
    const size_t end = std::min<size_t>(disk_.header.nodes, next + kScanTile);
    while (next < end) rows[count++] = static_cast<uint32_t>(next++);
    return count;
  }
  size_t word = next / 64;
  count = ListBits(allowed_, word, rows, kScanTile);
  next = word * 64;
  return count;
}

// Scores the codes of all allowed rows for the best `list` of them; with a range that leaves out
// the nearest rows those of many on both sides of its lower end: rows lie dense out there, and
// codes put many of them on the wrong side.
Status DiskSearch::Scan() {
  const size_t wanted = range_.has_low() ? kRangeSlack * shape_.list : Candidates();
  const auto list = static_cast<uint32_t>(std::min(wanted, allowed_count_));
  TopK nearest(list);
  TopK below(list);
  uint32_t rows[kScanTile];
  size_t next = 0;
  while (const size_t count = NextAllowed(next, rows)) {
    TRY(ctx_.CheckAlive());
    ScoreAhead(rows, count);
    for (size_t i = 0; i < count; ++i) {
      if (keys_[i] < range_.low) {
        below.Push(-keys_[i], rows[i]);
      } else {
        nearest.Push(keys_[i], rows[i]);
      }
    }
  }
  candidates_.clear();
  nearest.ForEach([&](float key, uint32_t row) { candidates_.push_back({key, row}); });
  below.ForEach([&](float key, uint32_t row) { candidates_.push_back({-key, row}); });
  return ReadBest();
}

// Reads the vectors of a scan's candidates, the nearest first, until the codes of the others say
// that they are farther than the k best, by more than codes have erred so far.
Status DiskSearch::ReadBest() {
  std::partial_sort(candidates_.begin(), candidates_.end(), candidates_.end());
  best_.Clear();
  float erred = 0;
  for (size_t begin = 0; begin < candidates_.size(); begin += shape_.width) {
    TRY(ctx_.CheckAlive());
    const size_t end = std::min(candidates_.size(), begin + shape_.width);
    blocks_.clear();
    for (size_t i = begin; i < end; ++i) {
      const uint32_t block = BlockOf(candidates_[i].node);
      if (std::find(blocks_.begin(), blocks_.end(), block) == blocks_.end()) {
        blocks_.push_back(block);
      }
    }
    reader_.Fetch(blocks_);
    for (size_t i = begin; i < end; ++i) {
      const auto [key, row] = candidates_[i];
      if (!range_.bounds() && best_.full() && key - kErrorSlack * erred >= best_.bound()) return {};
      erred = std::max(erred, key - Push(NodeOf(row), row));
    }
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
    shape.excluded_max = params.Get("filter_threshold", -1);
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
