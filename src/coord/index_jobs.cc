// Background index builds.
#include "coord/index_jobs.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>

#include "base/log.h"
#include "coord/auto_choice.h"
#include "model/back_fill.h"

namespace elanus::coord {
struct IndexJobs::Impl {
  roles::Coord coord;
  roles::Data& data;
  std::function<void(CollectionId)> on_built;
  const IndexJobsOptions options;
  Context ctx;

  std::unique_ptr<Monitor> monitor;  // Guards the members below.
  std::set<CollectionId> waiting;    // A set: bounded by the collections there are.
  std::set<CollectionId> building;   // Each by one worker.
  std::map<CollectionId, std::map<IndexId, std::string>> failures;  // Of the latest try.
  bool stopping = false;

  std::vector<std::unique_ptr<Worker>> workers;

  Impl(Executor& executor, Clock& clock, roles::Coord c, roles::Data& d,
       std::function<void(CollectionId)> callback, const IndexJobsOptions& o)
      : coord(c),
        data(d),
        on_built(std::move(callback)),
        options(o),
        ctx(clock),
        monitor(executor.MakeMonitor()) {}

  void Loop() {
    while (true) {
      CollectionId collection;
      {
        std::lock_guard<Monitor> lock(*monitor);
        const auto next = [&] {
          return std::find_if(waiting.begin(), waiting.end(),
                              [&](CollectionId id) { return building.count(id) == 0; });
        };
        while (next() == waiting.end() && !stopping) monitor->Wait();
        if (stopping) return;
        collection = *next();
        waiting.erase(collection);
        building.insert(collection);
      }
      const Status status = BuildMissing(collection);
      {
        std::lock_guard<Monitor> lock(*monitor);
        building.erase(collection);
        monitor->NotifyAll();  // It may wait again.
      }
      if (status.code() == ErrorCode::kCollectionNotFound) {
        std::lock_guard<Monitor> lock(*monitor);
        failures.erase(collection);
      } else if (!status.ok() && status.code() != ErrorCode::kCanceled) {
        LogError("index build failed collection={} error=\"{}\"", collection.value(),
                 status.ToString());
      }
    }
  }

  Status BuildMissing(CollectionId collection) {
    {
      std::lock_guard<Monitor> lock(*monitor);
      failures.erase(collection);
    }
    TRY_ASSIGN(const auto segments, coord.segments.ListSegments(ctx, collection));
    int64_t rows = 0;
    for (const model::SegmentInfo& segment : segments) rows += segment.rows;
    Status first_error;
    for (const model::SegmentInfo& segment : segments) {
      // Fresh for each: an index may have been dropped during the last build.
      TRY_ASSIGN(const auto info, coord.catalog.Find(ctx, collection));
      for (const model::IndexInfo& index : info->indexes) {
        if (HasIndex(segment, index.id)) continue;
        TRY(ctx.CheckAlive());
        Status built = BuildOne(segment, *info, index, rows);
        if (built.ok()) continue;
        if (built.code() == ErrorCode::kCanceled) return built;
        TRY_ASSIGN(const bool is_there, IsThere(segment));
        if (!is_there) break;  // Compacted or dropped meanwhile, its files may be gone.
        std::lock_guard<Monitor> lock(*monitor);
        failures[collection].emplace(index.id, built.ToString());
        if (first_error.ok()) first_error = std::move(built);
      }
    }
    return first_error;
  }

  // `rows`: of all segments.
  Status BuildOne(const model::SegmentInfo& segment, const model::CollectionInfo& info,
                  const model::IndexInfo& index, int64_t rows) {
    const model::IndexInfo wanted = ChosenFor(
        index, info, {.segment = segment.rows, .collection = rows}, options.auto_index_memory_mb);
    TRY_ASSIGN(model::SegmentIndexInfo built,
               data.BuildIndex(ctx, segment, info, wanted, roles::BuildPace::kAll));
    NoteChoice(wanted, built);
    TRY(coord.segments.CommitIndex(ctx, segment.id, std::move(built)));
    on_built(info.id);
    return {};
  }

  Result<bool> IsThere(const model::SegmentInfo& segment) {
    TRY_ASSIGN(const auto segments, coord.segments.ListSegments(ctx, segment.collection));
    return std::any_of(segments.begin(), segments.end(),
                       [&](const auto& other) { return other.id == segment.id; });
  }

  static bool HasIndex(const model::SegmentInfo& segment, IndexId index) {
    for (const auto& built : segment.indexes) {
      if (built.index == index) return true;
    }
    return false;
  }
};

IndexJobs::IndexJobs(Executor& executor, Clock& clock, roles::Coord coord, roles::Data& data,
                     std::function<void(CollectionId)> on_built, const IndexJobsOptions& options)
    : impl_(std::make_unique<Impl>(executor, clock, coord, data, std::move(on_built), options)) {
  for (int64_t i = 0; i < options.builds_max; ++i) {
    impl_->workers.push_back(
        executor.Spawn(fmt::format("index-jobs-{}", i), [impl = impl_.get()] { impl->Loop(); }));
  }
}

IndexJobs::~IndexJobs() {
  impl_->ctx.Cancel();
  {
    std::lock_guard<Monitor> lock(*impl_->monitor);
    impl_->stopping = true;
    impl_->monitor->NotifyAll();
  }
  impl_->workers.clear();
}

void IndexJobs::Kick(CollectionId collection) {
  std::lock_guard<Monitor> lock(*impl_->monitor);
  impl_->waiting.insert(collection);
  impl_->monitor->NotifyAll();
}

namespace {

void Count(const model::SegmentIndexInfo& built, std::vector<roles::ChosenIndex>& chosen) {
  const auto same = std::find_if(chosen.begin(), chosen.end(), [&](const auto& known) {
    return known.type == built.type && known.build_params == built.build_params;
  });
  if (same == chosen.end()) {
    chosen.push_back({.type = built.type, .build_params = built.build_params, .segments = 1});
  } else {
    ++same->segments;
  }
}

FieldId FieldOf(const model::CollectionInfo& info, IndexId id) {
  for (const model::IndexInfo& index : info.indexes) {
    if (index.id == id) return index.field;
  }
  return {};
}

}  // namespace

Status IndexJobs::KickAll(Context& ctx) {
  TRY_ASSIGN(const auto collections, impl_->coord.catalog.List(ctx, model::kDefaultDatabase));
  for (const auto& collection : collections) Kick(collection->id);
  return {};
}

Result<roles::IndexProgress> IndexJobs::Progress(Context& ctx, CollectionId collection,
                                                 IndexId index) {
  TRY_ASSIGN(const auto info, impl_->coord.catalog.Find(ctx, collection));
  TRY_ASSIGN(const auto segments, impl_->coord.segments.ListSegments(ctx, collection));
  const FieldId field = FieldOf(*info, index);
  roles::IndexProgress progress;
  for (const model::SegmentInfo& segment : segments) {
    progress.total_rows += segment.rows;
    // Of rows that are still to be filled there is nothing to index yet.
    const std::vector<FieldId> lacking = model::FieldsToFill(info->schema, segment);
    if (std::find(lacking.begin(), lacking.end(), field) != lacking.end()) continue;
    for (const model::SegmentIndexInfo& built : segment.indexes) {
      if (built.index != index) continue;
      progress.indexed_rows += segment.rows;
      if (!built.type.empty()) Count(built, progress.chosen);
    }
  }
  progress.pending_rows = progress.total_rows - progress.indexed_rows;
  if (progress.pending_rows > 0) progress.state = model::IndexState::kInProgress;
  if (progress.pending_rows == 0) return progress;
  std::lock_guard<Monitor> lock(*impl_->monitor);
  const auto of_collection = impl_->failures.find(collection);
  if (of_collection == impl_->failures.end()) return progress;
  if (const auto failed = of_collection->second.find(index);
      failed != of_collection->second.end()) {
    progress.state = model::IndexState::kFailed;
    progress.fail_reason = failed->second;
  }
  return progress;
}

}  // namespace elanus::coord
