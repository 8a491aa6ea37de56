// All options of the server: nothing but the sum of the modules' own, and how they are read.
#pragma once

#include <map>
#include <string>

#include "backend/backend.h"
#include "backend/log_queue.h"
#include "base/background.h"
#include "coord/admission.h"
#include "coord/catalog.h"
#include "coord/compaction.h"
#include "coord/garbage.h"
#include "coord/index_jobs.h"
#include "coord/snapshots.h"
#include "data/node.h"
#include "functions/options.h"
#include "proxy/collection_limits.h"
#include "proxy/options.h"
#include "query/node.h"
#include "streaming/options.h"
#include "text/options.h"
#include "trees/options.h"
#include "wire/grpc/server.h"
#include "wire/http/management_server.h"

namespace elanus::server {

struct Config {
  std::string data_directory = "elanus-data";
  wire::GrpcOptions grpc;
  wire::ManagementOptions management;
  proxy::ProxyOptions proxy;
  proxy::LimitOptions limits;
  coord::CatalogOptions catalog;
  coord::CompactionOptions compaction;
  coord::GarbageOptions garbage;
  coord::AdmissionOptions admission;
  coord::SnapshotOptions snapshots;
  coord::IndexJobsOptions index_jobs;
  streaming::StreamingOptions streaming;
  query::QueryOptions query;
  data::DataOptions data;
  backend::LocalOptions local;
  backend::ObjectStoreOptions objects;
  backend::QueueOptions queue;
  functions::FunctionOptions functions;
  text::TextOptions text;
  trees::TreesOptions trees;
  BackgroundOptions background;

  /// With the size of segments, whose key is the streaming node's.
  coord::CompactionOptions Compaction() const {
    coord::CompactionOptions options = compaction;
    options.segment_mb_max = streaming.segment_mb_max;
    options.retention_s = streaming.retention_s;
    options.entity_expiration_s = streaming.entity_expiration_s;
    options.auto_index_memory_mb = index_jobs.auto_index_memory_mb;
    return options;
  }

  /// With what holds for rows of any collection.
  proxy::ProxyOptions Proxy() const {
    proxy::ProxyOptions options = proxy;
    options.entity_expiration_s = streaming.entity_expiration_s;
    return options;
  }

  template <class Visitor>
  void Describe(Visitor& visit) {
    grpc.Describe(visit);
    management.Describe(visit);
    proxy.Describe(visit);
    limits.Describe(visit);
    catalog.Describe(visit);
    compaction.Describe(visit);
    garbage.Describe(visit);
    admission.Describe(visit);
    snapshots.Describe(visit);
    index_jobs.Describe(visit);
    streaming.Describe(visit);
    query.Describe(visit);
    data.Describe(visit);
    local.Describe(visit);
    objects.Describe(visit);
    queue.Describe(visit);
    functions.Describe(visit);
    text.Describe(visit);
    trees.Describe(visit);
    background.Describe(visit);
  }
};

/// Reads a YAML file: nested keys joined with '.', as in "proxy.port". Unknown keys and values out
/// of range are refused with their key. Errors: kInvalidParameter, kIoFailed.
Status ReadConfig(const std::string& path, Config& config);

/// Sets one option by its key. kInvalidParameter when it is unknown or out of range.
Status SetOption(Config& config, const std::string& key, const std::string& value);

/// Every option as a page: key, default, unit, range, help; and the keys that are refused, with the
/// reason.
std::string DescribeOptions();

}  // namespace elanus::server
