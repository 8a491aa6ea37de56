// What an operation may use: the other roles and the limits.
#pragma once

#include "base/clock.h"
#include "base/executor.h"
#include "proxy/options.h"
#include "roles/admission.h"
#include "roles/compaction.h"
#include "roles/coord.h"
#include "roles/file_resources.h"
#include "roles/index_progress.h"
#include "roles/resource_groups.h"
#include "roles/snapshots.h"
#include "roles/streaming.h"

namespace elanus::functions {
class Models;
}

namespace elanus::proxy {

class CollectionLimits;

struct Services {
  roles::Coord coord;
  roles::ResourceGroups& resource_groups;
  roles::Streaming& streaming;
  roles::IndexJobs& index_jobs;
  roles::Compaction& compaction;
  Pool& fan_out;  // For the searches that one request is made of.
  Clock& clock;
  ProxyOptions options;
  roles::Admission* admission = nullptr;           // Null: every write is let in.
  roles::Snapshots* snapshots = nullptr;           // Null: there are none, and none can be made.
  functions::Models* models = nullptr;             // Null: functions that ask model services fail.
  CollectionLimits* limits = nullptr;              // Null: collections have no limits of their own.
  roles::FileResources* file_resources = nullptr;  // Null: there are none, and none can be added.
};

}  // namespace elanus::proxy
