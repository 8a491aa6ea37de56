// A stream of hits by exact keys out of a stream of candidates by the keys of codes.
#pragma once

#include <memory>
#include <queue>
#include <vector>

#include "index/codes/rescore.h"
#include "index/stream.h"

namespace elanus::index {

struct Candidate {
  float key;
  uint32_t place;  // Of its code.
  uint32_t row;
  bool operator>(const Candidate& o) const { return key > o.key || (key == o.key && row > o.row); }
};

/// Candidates of one query, nearly the nearest first. For one thread.
class CandidateStream {
 public:
  virtual ~CandidateStream() = default;
  virtual void SetQuery(const QueryVector& query) = 0;
  /// False: there are no more.
  virtual Result<bool> Next(Context& ctx, Candidate& next) = 0;
  /// What scores the candidates.
  virtual Scorer& scorer() = 0;
};

/// Scores candidates anew and gives those in the range; some of them wait to be put in order.
class RefiningStream final : public HitStream {
 public:
  /// `scan_rounds`: see Rescorer. `window`: how many wait at least, when there is something to
  /// score by.
  RefiningStream(std::unique_ptr<CandidateStream> candidates, Refiner refiner, bool scan_rounds,
                 model::Metric metric, const StreamRequest& request, size_t window)
      : candidates_(std::move(candidates)),
        rescorer_(std::move(refiner), candidates_->scorer(), scan_rounds),
        range_(request.range, metric),
        scale_(LargerIsBetter(metric) ? -1.0f : 1.0f),
        window_(rescorer_.rescores() ? window : 0),
        query_(request.query.dim, metric) {
    query_.Set(request.query, 0);
    candidates_->SetQuery(query_);
    rescorer_.SetQuery(query_);
  }

  Result<size_t> Next(Context& ctx, size_t count, Hits hits) override {
    TRY(ctx.CheckAlive());
    size_t written = 0;
    while (written < count) {
      TRY(Fill(ctx));
      if (waiting_.empty()) break;
      hits.rows[written] = waiting_.top().row;
      hits.scores[written++] = scale_ * waiting_.top().key;
      waiting_.pop();
      ++given_;
    }
    return written;
  }

 private:
  // Past the range's end nothing comes but what codes have put too far.
  static constexpr size_t kPastMax = 64;
  static constexpr size_t kGivenPerWaiting = 4;

  Status Fill(Context& ctx) {
    // The farther out, the denser rows lie and the more of them a code's error passes over.
    const size_t window = window_ == 0 ? 0 : std::max(window_, given_ / kGivenPerWaiting);
    while (!ended_ && waiting_.size() <= window) {
      Candidate next;
      const Result<bool> more = candidates_->Next(ctx, next);
      if (!more.ok() || !*more) ended_ = true;
      if (!more.ok()) return more.status();
      if (ended_) return {};
      const float key = rescorer_.KeyOf(next.place, next.row, next.key);
      past_ = key >= range_.high ? past_ + 1 : 0;
      if (past_ > std::max(kPastMax, window)) ended_ = true;
      if (!range_.bounds() || range_.Holds(key)) waiting_.push({key, next.row});
    }
    return {};
  }

  const std::unique_ptr<CandidateStream> candidates_;
  Rescorer rescorer_;
  const KeyRange range_;
  const float scale_;
  const size_t window_;
  QueryVector query_;
  std::priority_queue<ScoredRow, std::vector<ScoredRow>, std::greater<>> waiting_;
  size_t given_ = 0;
  size_t past_ = 0;
  bool ended_ = false;
};

}  // namespace elanus::index
