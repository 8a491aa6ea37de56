// Rates by buckets of one second (of one request, where that takes longer), stored bytes by the
// catalog.
#include "proxy/collection_limits.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>

#include "proxy/metrics.h"

namespace elanus::proxy {
namespace {

constexpr double kMb = 1 << 20;
constexpr int64_t kSecondUs = 1'000'000;
constexpr int64_t kLookUs = 3 * kSecondUs;   // Between two looks at the catalog.
constexpr int64_t kIdleUs = 60 * kSecondUs;  // After that sizes need not be kept.
constexpr double kForeverS = 1e9;
constexpr size_t kKeptMax = 4096;  // Entries before idle ones are looked for.

constexpr std::string_view kCollectionDiskKey = "collection.diskProtection.diskQuota.mb";
constexpr std::string_view kPartitionDiskKey = "partition.diskProtection.diskQuota.mb";

struct RateKey {
  std::string_view key;      // The property, if there is one.
  std::string_view message;  // As it is counted.
  double unit = 1;
};
// In the order of RateKind.
constexpr std::array<RateKey, 5> kRates = {{{"collection.insertRate.max.mb", "insert", kMb},
                                            {"collection.deleteRate.max.mb", "delete", kMb},
                                            {"collection.searchRate.max.vps", "search"},
                                            {"collection.queryRate.max.qps", "query"},
                                            {"", "flush"}}};
// What protections may throttle to. Ours shut a gate and throttle nothing, so these always hold;
// imports are not limited by the contract.
constexpr std::string_view kAlwaysKept[] = {
    "collection.insertRate.min.mb",   "collection.deleteRate.min.mb",
    "collection.searchRate.min.vps",  "collection.queryRate.min.qps",
    "collection.bulkLoadRate.max.mb", "collection.bulkLoadRate.min.mb"};

std::optional<double> NumberOf(std::string_view text) {
  double number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return std::isnan(number) ? std::nullopt : std::optional<double>(number);
}

// Nothing: there is no limit.
std::optional<double> LimitOf(const model::CollectionInfo& collection, std::string_view key) {
  const std::string* text = model::Find(collection.properties, key);
  const std::optional<double> number = text == nullptr ? std::nullopt : NumberOf(*text);
  return number && *number >= 0 ? number : std::nullopt;
}

Status Denied(std::string_view why) {
  return Error(ErrorCode::kQuotaExceeded, "{}[reason={}]", InfoOf(ErrorCode::kQuotaExceeded).name,
               why);
}

}  // namespace

bool IsLimit(std::string_view key) {
  const auto is_key = [&](const auto& known) { return key == known; };
  if (key.empty()) return false;
  return key == kCollectionDiskKey || key == kPartitionDiskKey ||
         std::any_of(std::begin(kAlwaysKept), std::end(kAlwaysKept), is_key) ||
         std::any_of(kRates.begin(), kRates.end(),
                     [&](const RateKey& rate) { return key == rate.key; });
}

Status CheckLimit(const model::KeyValue& property) {
  if (NumberOf(property.value)) return {};
  return Invalid("{} should be a number, got {}", property.key, property.value);
}

CollectionLimits::CollectionLimits(Clock& clock, ListSegments segments, const LimitOptions& options)
    : options_(options), clock_(clock), segments_(std::move(segments)) {}

Status CollectionLimits::CheckSize(size_t bytes) const {
  const int64_t bytes_max = options_.insert_bytes_max;
  if (bytes_max < 0 || bytes <= static_cast<size_t>(bytes_max)) return {};
  return Error(ErrorCode::kParameterTooLarge,
               "the columns have {} bytes, quotaAndLimits.limits.maxInsertSize allows {}", bytes,
               bytes_max);
}

Status CollectionLimits::Take(const model::CollectionInfo& collection, RateKind kind,
                              double amount) {
  if (options_.denies_reads && (kind == RateKind::kSearch || kind == RateKind::kQuery)) {
    return Error(ErrorCode::kQuotaExceeded,
                 "{}[reason=access has been disabled by the administrator]",
                 InfoOf(ErrorCode::kQuotaExceeded).name);
  }
  const RateKey& key = kRates[static_cast<size_t>(kind)];
  const std::optional<double> limit = LimitOf(collection, key.key);
  if (!limit) return {};
  const Share share{.owner = {.collection = collection.id, .database = {}},
                    .rate = *limit * key.unit,
                    .amount = amount,
                    .limit = fmt::format("rate={}", *limit)};
  return TakeAll(kind, {&share, 1});
}

Status CollectionLimits::TakeFlush(std::span<const roles::CollectionSnapshot> collections) {
  const FlushRateOptions& options = options_.flush_rate;
  if (!options.enabled) return {};
  std::map<Owner, Share> shares;
  const auto add = [&](Owner owner, double rate, const char* key) {
    if (rate < 0) return;
    Share& share = shares[owner];
    share = {.owner = owner,
             .rate = rate,
             .amount = share.amount + 1,
             .limit = fmt::format("rate={}, {}", rate, key)};
  };
  std::set<CollectionId> met;
  for (const roles::CollectionSnapshot& collection : collections) {
    if (!met.insert(collection->id).second) continue;
    add({}, options.all_max, FlushRateOptions::kAllKey);
    add({.collection = {}, .database = collection->database}, options.database_max,
        FlushRateOptions::kDatabaseKey);
    add({.collection = collection->id, .database = {}}, options.collection_max,
        FlushRateOptions::kCollectionKey);
  }
  std::vector<Share> all;
  all.reserve(shares.size());
  for (auto& [owner, share] : shares) all.push_back(std::move(share));
  return TakeAll(RateKind::kFlush, all);
}

Status CollectionLimits::TakeAll(RateKind kind, std::span<const Share> shares) {
  if (shares.empty()) return {};
  const std::string_view message = kRates[static_cast<size_t>(kind)].message;
  const int64_t now_us = clock_.MonotonicUs();
  std::lock_guard<std::mutex> lock(mutex_);
  if (buckets_.size() > kKeptMax) {
    std::erase_if(buckets_, [&](const auto& entry) { return entry.second.full_us < now_us; });
  }
  std::vector<Bucket*> buckets;
  for (const Share& share : shares) {
    if (share.rate == 0) {
      CountRate(message, false);
      return Denied("access has been disabled by the administrator");
    }
    const auto [found, is_new] = buckets_.try_emplace({share.owner, kind});
    Bucket& bucket = found->second;
    const double capacity = std::max(share.rate, 1.0);
    const double passed_s = static_cast<double>(now_us - bucket.filled_us) / kSecondUs;
    bucket.left = is_new ? capacity : std::min(capacity, bucket.left + share.rate * passed_s);
    bucket.filled_us = now_us;
    // Of slow rates a part of a request is left most of the time.
    if (bucket.left < std::min(share.amount, 1.0)) {
      CountRate(message, false);
      return Error(ErrorCode::kRateLimit,
                   "{}[{}]: request is rejected by grpc RateLimiter middleware, please retry later",
                   InfoOf(ErrorCode::kRateLimit).name, share.limit);
    }
    buckets.push_back(&bucket);
  }
  CountRate(message, true);
  for (size_t i = 0; i < shares.size(); ++i) {
    const double rate = shares[i].rate;
    Bucket& bucket = *buckets[i];
    bucket.left -= shares[i].amount;
    const double wait_s = std::min((std::max(rate, 1.0) - bucket.left) / rate, kForeverS);
    bucket.full_us = now_us + static_cast<int64_t>(wait_s * kSecondUs);
  }
  return {};
}

Status TakeRate(const Services& services, const model::CollectionInfo& collection, RateKind kind,
                double amount) {
  return services.limits == nullptr ? Status() : services.limits->Take(collection, kind, amount);
}

Result<CollectionLimits::Stored> CollectionLimits::StoredOf(Context& ctx, CollectionId collection) {
  const int64_t now_us = clock_.MonotonicUs();
  {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto known = stored_.find(collection);
    if (known != stored_.end() && now_us - known->second.seen_us < kLookUs) return known->second;
  }
  TRY_ASSIGN(const auto segments, segments_(ctx, collection));
  Stored stored{.seen_us = now_us};
  for (const model::SegmentInfo& segment : segments) {
    int64_t& bytes = stored.bytes[segment.partition];
    bytes += segment.bytes;
    for (const model::SegmentIndexInfo& index : segment.indexes) bytes += index.bytes;
  }
  std::lock_guard<std::mutex> lock(mutex_);
  if (stored_.size() > kKeptMax) {
    std::erase_if(stored_,
                  [&](const auto& entry) { return now_us - entry.second.seen_us > kIdleUs; });
  }
  stored_[collection] = stored;
  return stored;
}

Status CollectionLimits::CheckRoom(Context& ctx, const model::CollectionInfo& collection,
                                   PartitionId partition) {
  const auto whole = LimitOf(collection, kCollectionDiskKey);
  const auto part = LimitOf(collection, kPartitionDiskKey);
  if (!whole && !part) return {};
  TRY_ASSIGN(const Stored stored, StoredOf(ctx, collection.id));
  double all = 0;
  for (const auto& [id, bytes] : stored.bytes) {
    all += static_cast<double>(bytes);
    const bool is_asked = partition == PartitionId() || id == partition;
    if (part && is_asked && static_cast<double>(bytes) >= *part * kMb) {
      return Denied(fmt::format(
          "disk quota exceeded, please allocate more resources: the partition has {} MB", *part));
    }
  }
  if (!whole || all < *whole * kMb) return {};
  return Denied(fmt::format(
      "disk quota exceeded, please allocate more resources: the collection has {} MB", *whole));
}

}  // namespace elanus::proxy
