// What the properties of a collection let its users do: rates of writes and reads, stored bytes.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/option_spec.h"
#include "proxy/services.h"

namespace elanus::proxy {

enum class RateKind {
  kInsert,  // Bytes of rows, upserts too.
  kDelete,  // Bytes of the filter.
  kSearch,  // Query vectors.
  kQuery,   // Requests.
};

/// Limits of every collection.
struct LimitOptions {
  int64_t insert_bytes_max = -1;

  template <class Visitor>
  void Describe(Visitor& visit) {
    visit(insert_bytes_max,
          OptionSpec{"quotaAndLimits.limits.maxInsertSize", "bytes", -1, 1e12,
                     "Size of the columns of an insert or upsert; -1: no limit."});
  }
};

/// Whether the property is one of these limits. Its value is checked by CheckLimit.
bool IsLimit(std::string_view key);
/// kInvalidParameter when the value of such a property is no number.
Status CheckLimit(const model::KeyValue& property);

/// Keeps count of what was used. Thread-safe.
class CollectionLimits {
 public:
  using ListSegments =
      std::function<Result<std::vector<model::SegmentInfo>>(Context&, CollectionId)>;
  CollectionLimits(Clock& clock, ListSegments segments, const LimitOptions& options = {});

  /// kParameterTooLarge when an insert or upsert may not have so many bytes.
  Status CheckSize(size_t bytes) const;

  /// Lets a request pass that uses `amount` of what the collection may. A large one passes when
  /// anything is left, and the next ones wait until it is paid for. kRateLimit: later;
  /// kQuotaExceeded: never, the rate is 0.
  Status Take(const model::CollectionInfo& collection, RateKind kind, double amount);

  /// kQuotaExceeded when the files of the collection, or of the partition (0: of any), take up what
  /// they may. As they were up to three seconds ago.
  Status CheckRoom(Context& ctx, const model::CollectionInfo& collection, PartitionId partition);

 private:
  struct Bucket {
    double left = 0;
    int64_t filled_us = 0;
  };
  struct Stored {
    std::map<PartitionId, int64_t> bytes;
    int64_t seen_us = 0;
  };
  Result<Stored> StoredOf(Context& ctx, CollectionId collection);

  const LimitOptions options_;
  Clock& clock_;
  const ListSegments segments_;
  std::mutex mutex_;  // Guards the members below; held for memory work only.
  std::map<std::pair<CollectionId, RateKind>, Bucket> buckets_;
  std::map<CollectionId, Stored> stored_;
};

/// CollectionLimits::Take, where there are limits.
Status TakeRate(const Services& services, const model::CollectionInfo& collection, RateKind kind,
                double amount);

}  // namespace elanus::proxy
