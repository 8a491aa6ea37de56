// What to read in one shard, and when.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/timestamp.h"
#include "model/scalar.h"

namespace elanus::model {

/// Whatever schema the shard has.
inline constexpr int32_t kNewestSchema = -1;

/// What to read in one shard, for search and query alike.
struct ShardRead {
  std::string vchannel;
  CollectionId collection;
  std::vector<PartitionId> partitions;  // Empty: every loaded one.
  std::string filter;
  std::map<std::string, Scalar> templates;
  Timestamp guarantee;  // Wait until this much of the log is applied.
  Timestamp read_at;    // 0: what is applied; else exactly this moment.
  bool ignore_growing = false;
  std::vector<FieldId> output_fields;
  Timestamp expired_before;                // Rows inserted before this moment are past their
                                           // time to live.
  FieldId expiry_field;                    // A Timestamptz field: a row with a value lives until
                                           // then. 0: none.
  int64_t expiry_us = 0;                   // The moment that counts for it, in microseconds.
  int32_t schema_version = kNewestSchema;  // That the request was checked against: filter
                                           // and fields mean what they mean there.
  // Less than 1: segments that cannot be read are left out while the others have this share of the
  // flushed rows.
  double data_ratio_min = 1;
  std::string timezone;  // Of times in the filter that do not say theirs; empty: UTC.

  template <class V>
  void Fields(V &v) {
    v(1, "vchannel", vchannel);
    v(2, "collection", collection);
    v(3, "partitions", partitions);
    v(4, "filter", filter);
    v(5, "templates", templates);
    v(6, "guarantee", guarantee);
    v(7, "read_at", read_at);
    v(8, "ignore_growing", ignore_growing);
    v(9, "output_fields", output_fields);
    v(10, "expired_before", expired_before);
    v(11, "expiry_field", expiry_field);
    v(12, "expiry_us", expiry_us);
    v(13, "schema_version", schema_version);
    v(14, "timezone", timezone);
    v(15, "data_ratio_min", data_ratio_min);
  }
};
}  // namespace elanus::model
