// The streams of search iterators, kept from one page to the next: a page goes on where the last
// one ended, instead of searching past it again.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/option_spec.h"
#include "segment/search.h"

namespace elanus::segment {

struct PageStreamOptions {
  int64_t streams_max = 256;
  int64_t idle_s_max = 60;

  template <class Visitor>
  void Describe(Visitor& visit) {
    visit(streams_max, OptionSpec{"queryNode.iterator.maxStreams", "", 0, 1e6,
                                  "Streams of search iterators that are kept for their next page, "
                                  "one a segment. Without one a page searches anew."});
    visit(idle_s_max, OptionSpec{"queryNode.iterator.maxIdleTime", "seconds", 1, 1e6,
                                 "How long one is kept for a page that does not come."});
  }
};

/// All pages of an iterator together hold every hit once, although an index finds some only after
/// worse ones have been given. Such a hit comes with the next page, and the page's bound says so:
/// see model::kScoreField. A stream that is not here any more is opened again at the bound, which
/// loses those that were late and not given yet. A kept stream holds its segment and a few bytes a
/// row. Thread-safe.
class PageStreams {
 public:
  explicit PageStreams(const PageStreamOptions& options) : options_(options) {}

  /// True for the pages of iterators.
  static bool Serves(const model::ShardSearch& search);

  /// As segment::Search, for a search that Serves(); its stream is kept when the iterator has a
  /// name, which it gets with its first page.
  Result<SegmentHits> Page(Context& ctx, std::shared_ptr<const SegmentView> segment,
                           const expr::Plan& plan, const model::ShardSearch& search,
                           Timestamp read_at);
  /// Lets go of streams whose next page has not come for too long. Costs nothing without any.
  void DropIdle(Context& ctx);
  /// Lets go of a segment.
  void Forget(SegmentId segment);

 private:
  struct Kept;
  using Key = std::pair<std::string, int64_t>;  // Token and segment.

  std::shared_ptr<Kept> Take(const Key& key);
  void Keep(Context& ctx, const Key& key, std::shared_ptr<Kept> kept);
  void DropIf(const std::function<bool(const Key&, const Kept&)>& goes);

  const PageStreamOptions options_;
  std::mutex mutex_;
  std::map<Key, std::shared_ptr<Kept>> kept_;  // Guarded by mutex_.
  std::atomic<bool> has_kept_{false};          // Whether there is anything in it; a hint.
};

}  // namespace elanus::segment
