// Garbage collection of objects.
//
// Two kinds. What a transaction of the catalog has dropped stands in a record of the same
// transaction. What was written and never became official (a crash, a failed commit) stands
// nowhere: a scan finds objects without a reference, and they go when they have had none for long.
// A scan lists the objects first, then asks what is being written, then reads the catalog: an
// object that is about to become official is in one of the two answers.
#include "coord/garbage.h"

#include <charconv>
#include <map>
#include <mutex>
#include <set>

#include "base/log.h"
#include "coord/garbage_pauses.h"

namespace elanus::coord {
namespace {

constexpr int64_t kTickMs = 1000;

std::vector<std::string_view> Split(std::string_view key) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t slash = key.find('/');
    parts.push_back(key.substr(0, slash));
    if (slash == std::string_view::npos) return parts;
    key.remove_prefix(slash + 1);
  }
}

std::optional<uint64_t> Number(std::string_view text) {
  uint64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

// One of the keys, or what is in it, begins with one of `beginnings`.
bool Meets(const std::vector<std::string>& keys, const std::vector<std::string>& beginnings) {
  for (const std::string& key : keys) {
    for (const std::string& beginning : beginnings) {
      if (key.starts_with(beginning) || beginning.starts_with(key)) return true;
    }
  }
  return false;
}

// One of the keys, or of those in it, is one that must stay.
bool Holds(const std::vector<std::string>& keys, const std::set<std::string>& kept) {
  for (const std::string& key : keys) {
    const auto at = kept.lower_bound(key);
    if (at != kept.end() && (*at == key || (key.ends_with('/') && at->starts_with(key)))) {
      return true;
    }
  }
  return false;
}

/// What must stay.
struct References {
  std::vector<std::string> folders_in_use;
  std::set<std::string> keys_in_use;
  std::set<std::string, std::less<>> segments;            // "<collection>/<segment>".
  std::set<std::string, std::less<>> indexes;             // "<collection>/<index>".
  std::set<std::string, std::less<>> deltas;              // Object keys.
  std::map<std::string, Timestamp, std::less<>> flushed;  // By channel.

  /// Keys of another shape are nobody's garbage.
  bool IsGarbage(std::string_view key) const {
    for (const std::string& folder : folders_in_use) {
      if (key.starts_with(folder)) return false;
    }
    if (keys_in_use.count(std::string(key)) > 0) return false;
    const std::vector<std::string_view> parts = Split(key);
    if (parts.size() != 4) return false;
    const std::string collection(parts[1]);
    if (parts[0] == "segments")
      return segments.count(fmt::format("{}/{}", collection, parts[2])) == 0;
    if (parts[0] == "indexes") {
      return segments.count(fmt::format("{}/{}", collection, parts[2])) == 0 ||
             indexes.count(fmt::format("{}/{}", collection, parts[3])) == 0;
    }
    if (parts[0] != "deltas") return false;
    if (deltas.count(key) > 0) return false;
    const auto channel = flushed.find(parts[2]);
    if (channel == flushed.end()) return true;
    // A flush that is on its way writes deletes newer than the checkpoint.
    const auto newest = Number(parts[3].substr(0, parts[3].find('-')));
    return newest && *newest <= channel->second.value();
  }
};

}  // namespace

struct GarbageCollector::Impl {
  GarbageParts parts;
  const GarbageOptions options;
  Context ctx;  // Of the rounds of the worker; cancelled at the end.
  GarbagePauses pauses;

  std::unique_ptr<Monitor> monitor;  // Guards `stopping` and `is_collecting`.
  bool stopping = false;
  bool is_collecting = false;

  // Of the round that runs.
  std::map<std::string, int64_t> suspects;  // Objects without a reference, first seen at us.
  int64_t next_scan_us = 0;
  bool may_be_unfinished = false;  // Writes that nobody will finish: since a scan, until none is.

  std::unique_ptr<Worker> worker;

  Impl(GarbageParts p, const GarbageOptions& o)
      : parts(std::move(p)),
        options(o),
        ctx(parts.clock),
        pauses(parts.executor, parts.clock),
        monitor(parts.executor.MakeMonitor()),
        next_scan_us(parts.clock.MonotonicUs()) {}

  void Loop() {
    int64_t next_us = parts.clock.MonotonicUs() + options.interval_s * 1'000'000;
    while (true) {
      {
        std::lock_guard<Monitor> lock(*monitor);
        if (!stopping) monitor->WaitFor(kTickMs);
        if (stopping) return;
      }
      if (!options.enabled || parts.clock.MonotonicUs() < next_us) continue;
      next_us = parts.clock.MonotonicUs() + options.interval_s * 1'000'000;
      const Status status = Round(ctx);
      if (!status.ok() && status.code() != ErrorCode::kCanceled) {
        LogWarn("garbage collection failed, it will be tried again error=\"{}\"",
                status.ToString());
      }
    }
  }

  Status Round(Context& round_ctx) {
    {
      std::lock_guard<Monitor> lock(*monitor);
      while (is_collecting) monitor->Wait();
      is_collecting = true;
    }
    Status status = RemoveDropped(round_ctx);
    if (status.ok()) status = RemoveUnknown(round_ctx);
    if (status.ok()) status = EndUnfinished(round_ctx);
    std::lock_guard<Monitor> lock(*monitor);
    is_collecting = false;
    monitor->NotifyAll();
    return status;
  }

  // False: a pause holds it, and it stays.
  Result<bool> Remove(Context& round_ctx, const std::string& object) {
    TRY(round_ctx.CheckAlive());
    if (!pauses.Begin(object)) return false;
    const Status removed = parts.objects.Delete(round_ctx, object);
    pauses.End();
    TRY(removed);
    return true;
  }

  // False: a pause holds some of it.
  Result<bool> RemoveAll(Context& round_ctx, const Garbage& garbage, int64_t& removed) {
    for (const std::string& key : garbage.keys) {
      if (pauses.Holds(key)) return false;
      std::vector<std::string> keys = {key};
      if (key.ends_with('/')) {
        TRY_ASSIGN(keys, parts.objects.List(round_ctx, key));
      }
      for (const std::string& object : keys) {
        TRY_ASSIGN(const bool is_gone, Remove(round_ctx, object));
        if (!is_gone) return false;
        ++removed;
      }
    }
    return true;
  }

  Status RemoveDropped(Context& round_ctx) {
    TRY_ASSIGN(const std::vector<Garbage> all, parts.catalog.ListGarbage(round_ctx));
    const int64_t until_ms = parts.clock.NowMs() - options.dropped_s_min * 1000;
    const std::vector<std::string> in_use = parts.folders_in_use();
    const std::set<std::string> kept = parts.keys_in_use();
    int64_t removed = 0;
    for (const Garbage& garbage : all) {
      if (PhysicalMs(garbage.dropped) > until_ms) break;  // The oldest come first.
      if (Meets(garbage.keys, in_use)) continue;          // A snapshot has some of it.
      if (Holds(garbage.keys, kept)) continue;            // A loaded segment has.
      TRY_ASSIGN(const bool is_gone, RemoveAll(round_ctx, garbage, removed));
      if (!is_gone) continue;
      TRY(parts.catalog.ForgetGarbage(round_ctx, garbage.dropped));
    }
    if (removed > 0) LogInfo("files of what was dropped are gone files={}", removed);
    return {};
  }

  Status RemoveUnknown(Context& round_ctx) {
    const int64_t now_us = parts.clock.MonotonicUs();
    if (now_us >= next_scan_us) {
      TRY(Scan(round_ctx, now_us));
      next_scan_us = now_us + options.scan_interval_h * 3600 * 1'000'000;
    }
    std::vector<std::string> due;
    for (const auto& [key, seen_us] : suspects) {
      if (now_us - seen_us >= options.unknown_s_min * 1'000'000) due.push_back(key);
    }
    if (due.empty()) return {};
    TRY_ASSIGN(const References references, ReadReferences(round_ctx));
    int64_t removed = 0;
    for (const std::string& key : due) {
      if (references.IsGarbage(key)) {
        TRY_ASSIGN(const bool is_gone, Remove(round_ctx, key));
        if (!is_gone) continue;
        ++removed;
      }
      suspects.erase(key);
    }
    if (removed > 0) LogInfo("files that nothing refers to are gone files={}", removed);
    return {};
  }

  // Nobody can see them but who pays for the store: to list them may be denied, and the round is no
  // worse for it.
  Status EndUnfinished(Context& round_ctx) {
    if (!may_be_unfinished) return {};
    TRY(round_ctx.CheckAlive());
    const auto younger = parts.objects.EndUnfinished(round_ctx, options.unknown_s_min * 1000);
    may_be_unfinished = younger.ok() && *younger > 0;
    if (!younger.ok()) {
      LogWarn("unfinished writes stay until the next scan error=\"{}\"",
              younger.status().ToString());
    }
    return {};
  }

  Status Scan(Context& round_ctx, int64_t now_us) {
    std::vector<std::string> keys;
    for (const char* folder : {"segments/", "indexes/", "deltas/"}) {
      TRY_ASSIGN(const std::vector<std::string> found, parts.objects.List(round_ctx, folder));
      keys.insert(keys.end(), found.begin(), found.end());
    }
    TRY_ASSIGN(const References references, ReadReferences(round_ctx));
    std::map<std::string, int64_t> seen;
    for (const std::string& key : keys) {
      if (!references.IsGarbage(key)) continue;
      const auto known = suspects.find(key);
      seen[key] = known == suspects.end() ? now_us : known->second;
    }
    suspects = std::move(seen);
    may_be_unfinished = true;
    return {};
  }

  Result<References> ReadReferences(Context& round_ctx) {
    References references;
    references.folders_in_use = parts.folders_in_use();
    references.keys_in_use = parts.keys_in_use();
    TRY_ASSIGN(const auto collections, parts.catalog.List(round_ctx, model::kDefaultDatabase));
    // All that is being written first, all that is official afterwards.
    for (const auto& info : collections) {
      TRY_ASSIGN(const auto fresh, parts.streaming.FreshSegments(round_ctx, info->id));
      for (SegmentId id : fresh) {
        references.segments.insert(fmt::format("{}/{}", info->id.value(), id.value()));
      }
    }
    TRY_ASSIGN(const auto now, parts.catalog.List(round_ctx, model::kDefaultDatabase));
    for (const auto& info : now) {
      for (const auto& index : info->indexes) {
        references.indexes.insert(fmt::format("{}/{}", info->id.value(), index.id.value()));
      }
      for (const std::string& vchannel : info->vchannels) {
        TRY_ASSIGN(const model::ShardFiles files, parts.catalog.ListShard(round_ctx, vchannel));
        for (const auto& segment : files.segments) {
          references.segments.insert(fmt::format("{}/{}", info->id.value(), segment.id.value()));
        }
        for (const auto& delta : files.deltas) references.deltas.insert(delta.key);
        references.flushed[vchannel] = files.checkpoint.timestamp;
      }
    }
    return references;
  }
};

GarbageCollector::GarbageCollector(GarbageParts parts, const GarbageOptions& options)
    : impl_(std::make_unique<Impl>(std::move(parts), options)) {
  impl_->worker = impl_->parts.executor.Spawn("garbage", [impl = impl_.get()] { impl->Loop(); });
}

GarbageCollector::~GarbageCollector() {
  impl_->ctx.Cancel();
  {
    std::lock_guard<Monitor> lock(*impl_->monitor);
    impl_->stopping = true;
    impl_->monitor->NotifyAll();
  }
  impl_->worker.reset();
}

Result<std::string> GarbageCollector::Pause(Context&, int64_t seconds, CollectionId collection) {
  return impl_->pauses.Pause(seconds, collection);
}

Status GarbageCollector::Resume(Context&, const std::string& ticket) {
  return impl_->pauses.Resume(ticket);
}

Status GarbageCollector::Collect(Context& ctx) { return impl_->Round(ctx); }

}  // namespace elanus::coord
