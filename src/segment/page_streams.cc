// Streams between pages.
#include "segment/page_streams.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <set>
#include <tuple>
#include <vector>

#include "base/bytes.h"
#include "base/fields.h"

namespace elanus::segment {
namespace {

constexpr size_t kAheadMax = 4096;  // Hits that wait behind those of a small page.

constexpr float kInfinity = std::numeric_limits<float>::infinity();
// Equal hits that with as many of every other segment would fill half of a page are told apart:
// else a page could end between them, and the bound would leave out the rest. Fewer keep their
// order, that of their keys.
constexpr size_t kEqualShare = 2;

// Floats as integers, neighbours one apart.
int64_t Ordinal(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const auto size = static_cast<int64_t>(bits & 0x7fffffffu);
  return bits == size ? size : -size;
}

float AtOrdinal(int64_t ordinal) {
  const auto size = std::bit_cast<float>(static_cast<uint32_t>(std::abs(ordinal)));
  return ordinal < 0 ? -size : size;
}

struct Hit {
  float order;  // How far the iterator is once it has given the hit; smaller comes earlier.
  float key;    // Smaller is better.
  uint32_t row;
  uint32_t element = 0;
  bool moved = false;  // Its order is not its key, but one that no other hit has.
  bool operator<(const Hit& o) const {
    return std::tie(order, key, row, element) < std::tie(o.order, o.key, o.row, o.element);
  }
};

}  // namespace

float PagePlace::After(float order) const {
  const int64_t next = Ordinal(order) + 1;
  const auto step = static_cast<int64_t>(places);
  const int64_t rest = ((next % step) + step) % step;
  const int64_t wanted = static_cast<int64_t>(place);
  const int64_t found = next + (wanted - rest + step) % step;
  return AtOrdinal(std::min(found, Ordinal(kInfinity)));
}

std::string NameOfPages(const model::ShardSearch& search) {
  if (search.cursor->token.empty()) return {};
  model::ShardSearch same = search;
  same.cursor.reset();
  same.k = 0;
  same.read.guarantee = Timestamp();
  return fmt::format("{}:{:016x}", search.cursor->token, Checksum(Encode(same)));
}

struct PageStreams::Kept {
  std::shared_ptr<const SegmentView> segment;
  model::ShardSearch search;  // The stream reads its query.
  std::unique_ptr<SegmentStream> stream;
  std::vector<Hit> ahead;   // Met and perhaps not given: the next page's bound tells.
  float bound = 0;          // Of the last page; what was not worse is gone.
  float late_order = 0;     // Of the last hit that came too late for its place, at least the bound.
  float reach = kInfinity;  // No page goes on past what the last one gave.
  bool is_at_end = false;
  PagePlace place;
  std::set<float> given_places;  // Orders past the bound that were not a hit's key.

  void MoveTo(float new_bound) {
    bound = new_bound;
    late_order = std::max(late_order, bound);
    std::erase_if(ahead, [&](const Hit& hit) { return hit.order <= bound; });
    given_places.erase(given_places.begin(), given_places.upper_bound(bound));
  }

  // Makes at least `count` hits lie ahead, if there are so many.
  Status Fill(Context& ctx, size_t count, float scale) {
    while (ahead.size() < count && !is_at_end) {
      TRY(ctx.CheckAlive());
      const size_t wanted = count - ahead.size();
      TRY_ASSIGN(const SegmentHits found, stream->Next(ctx, wanted));
      is_at_end = found.rows.size() < wanted;
      for (size_t i = 0; i < found.rows.size(); ++i) {
        const float key = scale * found.scores[i];
        Hit hit{.order = key, .key = key, .row = found.rows[i]};
        if (!found.elements.empty()) hit.element = found.elements[i];
        // Late: it takes the first place past the bound that is its own.
        hit.moved = !(key > bound);
        if (hit.moved) hit.order = late_order = FreePlace(late_order);
        ahead.push_back(hit);
      }
    }
    std::sort(ahead.begin(), ahead.end());
    return {};
  }

  // The next order that no other hit of any segment was given.
  float FreePlace(float after) {
    float order = place.After(after);
    while (!given_places.insert(order).second && order < kInfinity) order = place.After(order);
    return order;
  }

  // Gives equal hits at the front places of their own, if they are many in a page of `k`.
  void TellApart(size_t k) {
    const auto end = std::find_if(ahead.begin(), ahead.end(),
                                  [&](const Hit& hit) { return hit.order != ahead[0].order; });
    const auto equal = std::count_if(ahead.begin(), end, [](const Hit& hit) { return !hit.moved; });
    if (static_cast<size_t>(equal) * place.places * kEqualShare < k || equal == 0) return;
    float order = std::nextafter(ahead[0].order, -kInfinity);
    for (auto hit = ahead.begin(); hit != end; ++hit) {
      if (hit->moved) continue;
      hit->order = order = FreePlace(order);
      hit->moved = true;
    }
    std::sort(ahead.begin(), ahead.end());
  }
};

bool PageStreams::Serves(const model::ShardSearch& search) {
  return search.cursor && search.nq() == 1 && !search.exact;
}

std::shared_ptr<const SegmentView> PageStreams::SegmentOf(Context& ctx,
                                                          const model::ShardSearch& search,
                                                          SegmentId segment) {
  if (!Serves(search)) return nullptr;
  const auto kept = kept_.Find({search.cursor->token, segment.value()}, ctx.clock().NowMs());
  return kept == nullptr ? nullptr : kept->segment;
}

void PageStreams::Forget(CollectionId collection) {
  kept_.DropIf([&](const Key&, const std::shared_ptr<Kept>& kept, int64_t) {
    return kept->search.read.collection == collection;
  });
}

Result<SegmentHits> PageStreams::Page(Context& ctx, std::shared_ptr<const SegmentView> segment,
                                      const PageSearch& page, PagePlace place) {
  DropIdle(ctx);
  const model::ShardSearch& search = page.search;
  const Key key(search.cursor->token, segment->id().value());
  const float scale = model::LargerIsBetter(search.metric) ? -1.0f : 1.0f;
  const float bound = search.cursor->has_bound ? scale * search.cursor->bound : -kInfinity;
  std::shared_ptr<Kept> kept = kept_.Take(key);
  const bool goes_on =
      kept != nullptr && kept->bound <= bound && bound <= kept->reach && kept->place == place;
  if (!goes_on) {
    kept = std::make_shared<Kept>();
    kept->segment = segment;
    kept->search = search;
    kept->late_order = bound;
    kept->place = place;
    TRY_ASSIGN(kept->stream, SegmentStream::Open(ctx, std::move(segment), page.plan, kept->search,
                                                 0, page.read_at));
  }
  kept->MoveTo(bound);
  // More wait for the next page: of an index that gives hits nearly in order, those that come late
  // still find their place.
  const size_t wanted = search.k;
  TRY(kept->Fill(ctx, wanted + std::max(wanted, std::min(kAheadMax, 4 * wanted + 64)), scale));
  kept->TellApart(wanted);
  SegmentHits hits = NoHits(search);
  hits.own_scores.resize(hits.scores.size());
  const size_t count = std::min<size_t>(search.k, kept->ahead.size());
  for (size_t i = 0; i < count; ++i) {
    hits.rows[i] = kept->ahead[i].row;
    hits.scores[i] = scale * kept->ahead[i].order;
    hits.own_scores[i] = scale * kept->ahead[i].key;
    if (search.by_element) hits.elements[i] = kept->ahead[i].element;
  }
  kept->reach = count < search.k ? kInfinity : kept->ahead[count - 1].order;
  if (!search.cursor->token.empty()) kept_.Put(key, std::move(kept), ctx.clock().NowMs());
  return hits;
}

}  // namespace elanus::segment
