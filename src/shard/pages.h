// What the shards of one node keep of search iterators from one page to the next.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/idle_map.h"
#include "model/requests/shard.h"
#include "segment/page_streams.h"
#include "segment/segment.h"

namespace elanus::shard {

/// What the first page of an iterator was searched in and for. All its pages are: a flush, a
/// compaction or a new index may move rows to other segments meanwhile, whose streams know nothing
/// of what has been given.
struct PageScope {
  std::vector<std::shared_ptr<const segment::SegmentView>> fresh;
  std::vector<SegmentId> loaded;
  uint64_t truncations = 0;   // See State: rows that were truncated are in no later page.
  model::ShardSearch search;  // Of the first page, its terms weighed.
};

/// Thread-safe.
class Pages {
 public:
  using Key = std::pair<std::string, std::string>;  // segment::NameOfPages() and channel.

  explicit Pages(const segment::PageStreamOptions& options)
      : streams(options), scopes(options.streams_max, options.idle_s_max * 1000) {}

  void DropIdle(Context& ctx) {
    streams.DropIdle(ctx);
    scopes.DropIdle(ctx.clock().NowMs());
  }

  segment::PageStreams streams;  // Of growing segments.
  IdleMap<Key, std::shared_ptr<const PageScope>> scopes;
};

}  // namespace elanus::shard
