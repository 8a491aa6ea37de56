// What users of a collection may do: rates of writes and reads and stored bytes by its properties,
// rates of flushes by the configuration.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <string>
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
  kFlush,   // Collections.
};

/// How often users may ask for flushes. Each makes files of what has been written since the last
/// one, however little that is.
struct FlushRateOptions {
  bool enabled = true;
  double all_max = -1;
  double database_max = -1;
  double collection_max = 0.1;

  template <class Visitor>
  void Describe(Visitor& visit) {
    visit(enabled, OptionSpec{"quotaAndLimits.flushRate.enabled", "", 0, 1,
                              "Whether there are limits of how often a flush may be asked for."});
    visit(all_max, OptionSpec{kAllKey, "flushes/s", -1, 1e6,
                              "Collections that may be flushed in a second, on the average; "
                              "-1: no limit, 0: none may."});
    visit(database_max, OptionSpec{kDatabaseKey, "flushes/s", -1, 1e6,
                                   "The same for the collections of each database."});
    visit(collection_max,
          OptionSpec{kCollectionKey, "flushes/s", -1, 1e6,
                     "Flushes of each collection in a second: 0.1 is one in ten seconds. "
                     "Flushes of all collections at once (FlushAll) are not counted."});
  }

  static constexpr const char* kAllKey = "quotaAndLimits.flushRate.max";
  static constexpr const char* kDatabaseKey = "quotaAndLimits.flushRate.db.max";
  static constexpr const char* kCollectionKey = "quotaAndLimits.flushRate.collection.max";
};

/// Limits of every collection.
struct LimitOptions {
  int64_t insert_bytes_max = -1;
  bool denies_reads = false;
  FlushRateOptions flush_rate;

  template <class Visitor>
  void Describe(Visitor& visit) {
    visit(insert_bytes_max,
          OptionSpec{"quotaAndLimits.limits.maxInsertSize", "bytes", -1, 1e12,
                     "Size of the columns of an insert or upsert; -1: no limit."});
    visit(denies_reads, OptionSpec{"quotaAndLimits.limitReading.forceDeny", "", 0, 1,
                                   "Every search and query is refused."});
    flush_rate.Describe(visit);
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

  /// Lets all these collections be flushed, or none: each counts once for itself, for its database
  /// and for the server. Errors: as above.
  Status TakeFlush(std::span<const roles::CollectionSnapshot> collections);

  /// kQuotaExceeded when the files of the collection, or of the partition (0: of any), take up what
  /// they may. As they were up to three seconds ago.
  Status CheckRoom(Context& ctx, const model::CollectionInfo& collection, PartitionId partition);

 private:
  struct Bucket {
    double left = 0;
    int64_t filled_us = 0;
    int64_t full_us = 0;  // From then on it is as if it had never been used.
  };
  // A collection by its id, or a database by its name, or else the server.
  struct Owner {
    CollectionId collection;
    std::string database;
    auto operator<=>(const Owner&) const = default;
  };
  // What a request uses of a rate.
  struct Share {
    Owner owner;
    double rate = 0;
    double amount = 0;
    std::string limit;  // The rate as the user set it, and what set it.
  };
  Status TakeAll(RateKind kind, std::span<const Share> shares);
  struct Stored {
    std::map<PartitionId, int64_t> bytes;
    int64_t seen_us = 0;
  };
  Result<Stored> StoredOf(Context& ctx, CollectionId collection);

  const LimitOptions options_;
  Clock& clock_;
  const ListSegments segments_;
  std::mutex mutex_;  // Guards the members below; held for memory work only.
  std::map<std::pair<Owner, RateKind>, Bucket> buckets_;
  std::map<CollectionId, Stored> stored_;
};

/// CollectionLimits::Take, where there are limits.
Status TakeRate(const Services& services, const model::CollectionInfo& collection, RateKind kind,
                double amount);

}  // namespace elanus::proxy
