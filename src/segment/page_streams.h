// The streams of search iterators, kept from one page to the next: a page goes on where the last
// one ended, instead of searching past it again.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "base/idle_map.h"
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
                                  "one a segment, and their segments. Without one a page searches "
                                  "anew."});
    visit(idle_s_max, OptionSpec{"queryNode.iterator.maxIdleTime", "seconds", 1, 1e6,
                                 "How long one is kept for a page that does not come."});
  }
};

/// What the streams of an iterator are kept under: its token and a number for all that its pages
/// agree in, so that another search of the same token has streams of its own. Empty without a
/// token. Costs a walk over the whole search, query vector and filter: the shard does it once a
/// page and names the page so.
std::string NameOfPages(const model::ShardSearch& search);

/// A page as every segment of a node is asked for it. Borrows what it names.
struct PageSearch {
  const model::ShardSearch& search;
  const expr::Plan& plan;
  Timestamp read_at;
};

/// A segment's place among the segments that an iterator is searched in, and how many these are.
/// Two segments have no order of hits in common where they have to tell hits apart, so pages end
/// between any two.
struct PagePlace {
  uint64_t place = 0;
  uint64_t places = 1;

  bool operator==(const PagePlace&) const = default;
  /// The next larger number that only this segment uses.
  float After(float order) const;
};

/// All pages of an iterator together hold every hit once, although an index finds some only after
/// worse ones have been given. Such a hit comes with the next page, and the page's bound says so:
/// see model::kScoreField. A stream that is not here any more is opened again at the bound, which
/// loses those that were late and not given yet. A kept stream holds its segment and a few bytes a
/// row. Thread-safe.
class PageStreams {
 public:
  explicit PageStreams(const PageStreamOptions& options)
      : kept_(options.streams_max, options.idle_s_max * 1000) {}

  /// True for the pages of iterators.
  static bool Serves(const model::ShardSearch& search);

  /// As segment::Search, of a search that Serves(); its stream is kept when the iterator has a
  /// name, NameOfPages() in place of the token. `place` is the same for all pages.
  Result<SegmentHits> Page(Context& ctx, std::shared_ptr<const SegmentView> segment,
                           const PageSearch& page, PagePlace place);
  /// The segment of the stream that waits for the next page of this iterator, or null.
  std::shared_ptr<const SegmentView> SegmentOf(Context& ctx, const model::ShardSearch& search,
                                               SegmentId segment);
  /// Lets go of streams whose next page has not come for too long. Costs nothing without any.
  void DropIdle(Context& ctx) { kept_.DropIdle(ctx.clock().NowMs()); }
  /// Lets go of a collection's segments.
  void Forget(CollectionId collection);

 private:
  struct Kept;
  using Key = std::pair<std::string, int64_t>;  // Name and segment.

  IdleMap<Key, std::shared_ptr<Kept>> kept_;
};

}  // namespace elanus::segment
