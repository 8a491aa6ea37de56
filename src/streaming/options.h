// When a growing segment stops growing, and how much may wait.
#pragma once

#include <cstdint>

#include "base/option_spec.h"

namespace elanus::streaming {

struct StreamingOptions {
  int64_t segment_mb_max = 1024;
  int64_t growing_s_max = 24 * 60 * 60;
  int64_t append_queue_max = 1024;
  int64_t append_batch_mb_max = 64;
  int64_t unflushed_mb_max = 4096;

  template <class Visitor>
  void Describe(Visitor& visit) {
    visit(segment_mb_max, OptionSpec{"dataCoord.segment.maxSize", "MB", 1, 65536,
                                     "Seal the growing segments of a shard at this size."});
    visit(growing_s_max, OptionSpec{"dataCoord.segment.maxLife", "seconds", 1, 1e9,
                                    "Seal when the oldest row is this old, whatever the size."});
    visit(append_queue_max, OptionSpec{"streaming.append.queueMax", "", 1, 1e6,
                                       "Writes that may wait for one log stream."});
    visit(append_batch_mb_max, OptionSpec{"streaming.append.batchMaxSize", "MB", 1, 1024,
                                          "Bytes that one group commit may gather."});
    visit(unflushed_mb_max,
          OptionSpec{"streaming.unflushedMaxSize", "MB", 16, 1e7,
                     "Rows in memory and not yet flushed; beyond it writes are refused "
                     "until a flush has ended."});
  }
};

}  // namespace elanus::streaming
