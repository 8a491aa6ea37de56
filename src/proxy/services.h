// What an operation may use: the other roles and the limits.
#pragma once

#include "base/clock.h"
#include "proxy/options.h"
#include "roles/compaction.h"
#include "roles/coord.h"
#include "roles/index_progress.h"
#include "roles/streaming.h"

namespace elanus::proxy {

struct Services {
  roles::Coord coord;
  roles::Streaming& streaming;
  roles::IndexJobs& index_jobs;
  roles::Compaction& compaction;
  Clock& clock;
  ProxyOptions options;
};

}  // namespace elanus::proxy
