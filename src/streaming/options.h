// When a growing segment stops growing, and how much may wait.
#pragma once

#include <cstdint>

#include "base/option_spec.h"
#include "index/batch.h"
#include "index/growing_index.h"
#include "model/time_to_live.h"
#include "segment/page_streams.h"

namespace elanus::streaming {

struct StreamingOptions {
  int64_t segment_mb_max = 1024;
  double seal_proportion = 1;
  int64_t growing_s_max = 24 * 60 * 60;
  int64_t idle_s_max = 600;
  int64_t idle_mb_min = 16;
  int64_t growing_mb_max = 0;
  int64_t deletes_max = 500000;
  int64_t delete_bytes_max = 32 << 20;
  int64_t delete_s_max = 600;
  int64_t deletes_beside_rows_max = 5000000;
  int64_t delete_mb_beside_rows_max = 64;
  int64_t append_queue_max = 1024;
  int64_t append_batch_mb_max = 64;
  int64_t unflushed_mb_max = 4096;
  int64_t load_wait_ms = 5000;
  int64_t schema_wait_ms = 10000;
  int64_t retention_s = 0;
  int64_t entity_expiration_s = -1;
  index::GrowingIndexOptions growing_index;
  // As the query node has them, whose keys they are.
  segment::PageStreamOptions pages;
  index::BatchOptions batch;

  template <class Visitor>
  void Describe(Visitor& visit) {
    visit(segment_mb_max, OptionSpec{"dataCoord.segment.maxSize", "MB", 1, 65536,
                                     "Size of a segment: growing ones are sealed at it, small "
                                     "ones are merged up to it."});
    visit(seal_proportion, OptionSpec{"dataCoord.segment.sealProportion", "", 0.0001, 1,
                                      "Of that size: the growing segments of a shard are sealed "
                                      "when they reach it."});
    visit(growing_s_max, OptionSpec{"dataCoord.segment.maxLife", "seconds", 1, 1e9,
                                    "Seal when the oldest row is this old, whatever the size."});
    visit(idle_s_max, OptionSpec{"dataCoord.segment.maxIdleTime", "seconds", 1, 1e9,
                                 "Seal when nothing was written for so long."});
    visit(idle_mb_min, OptionSpec{"dataCoord.segment.minSizeFromIdleToSealed", "MB", 0, 65536,
                                  "Smaller ones are not sealed for being idle."});
    visit(growing_mb_max,
          OptionSpec{"dataCoord.sealPolicy.channel.growingSegmentsMemSize", "MB", 0, 1e7,
                     "Rows in memory of all collections together: beyond it the shards with most "
                     "of them are sealed. 0: a quarter of the machine's memory."});
    visit(deletes_max,
          OptionSpec{"streaming.flush.l0.maxRowNum", "", 1, 1e12,
                     "Deletes of a shard in which no row grows: written when they are so many."});
    visit(delete_bytes_max, OptionSpec{"streaming.flush.l0.maxSize", "bytes", 1, 1e12,
                                       "The same by the memory that they take."});
    visit(delete_s_max, OptionSpec{"streaming.flush.l0.maxLifetime", "seconds", 1, 1e9,
                                   "The same by the age of the oldest."});
    visit(deletes_beside_rows_max,
          OptionSpec{"dataCoord.sealPolicy.channel.blockingL0EntryNum", "", 1, 1e12,
                     "Seal growing rows when so many deletes wait beside them."});
    visit(delete_mb_beside_rows_max,
          OptionSpec{"dataCoord.sealPolicy.channel.blockingL0SizeInMB", "MB", 1, 1e7,
                     "The same by the memory that those deletes take."});
    visit(load_wait_ms, OptionSpec{"queryNode.loadWait", "ms", 0, 1e9,
                                   "How long a read waits for a load that is under way, as after "
                                   "a start, before it is answered that there is one."});
    visit(retention_s, OptionSpec{"common.retentionDuration", "seconds", 0, 1e9,
                                  "How far back reads at a moment of the past are exact: rows "
                                  "deleted since stay in the files. What an open iterator reads "
                                  "stays in any case."});
    visit(entity_expiration_s,
          OptionSpec{"common.entityExpiration", "seconds", -1,
                     static_cast<double>(model::kTimeToLiveSecondsMax),
                     "Age at which rows end whose collection names neither collection.ttl.seconds "
                     "(-1 and 0: they live for ever) nor ttl_field. -1 or 0: they do not end."});
    visit(
        schema_wait_ms,
        OptionSpec{"streaming.schemaWait", "ms", 0, 1e9,
                   "How long a read or write waits at a shard for the newest version of a schema, "
                   "which others know already."});
    visit(append_queue_max, OptionSpec{"streaming.append.queueMax", "", 1, 1e6,
                                       "Writes that may wait for one log stream."});
    visit(append_batch_mb_max, OptionSpec{"streaming.append.batchMaxSize", "MB", 1, 1024,
                                          "Bytes that one group commit may gather."});
    visit(unflushed_mb_max,
          OptionSpec{"streaming.unflushedMaxSize", "MB", 16, 1e7,
                     "Rows in memory and not yet flushed; beyond it writes are refused "
                     "until a flush has ended."});
    growing_index.Describe(visit);
  }
};

}  // namespace elanus::streaming
