// The table of errors.
#include "base/error_code.h"

#include <array>

namespace elanus {
namespace {

constexpr bool kRetriable = true;
constexpr bool kFinal = false;
constexpr bool kInput = true;
constexpr bool kSystem = false;

constexpr auto kTable = std::to_array<ErrorInfo>({
    {ErrorCode::kOk, "success", 0, kFinal, kSystem, 200},
    {ErrorCode::kServiceNotReady, "service not ready", 56, kRetriable, kSystem, 503},
    {ErrorCode::kServiceUnavailable, "service unavailable", 1, kRetriable, kSystem, 503},
    {ErrorCode::kMemoryLimitExceeded, "memory limit exceeded", 52, kFinal, kSystem, 507},
    {ErrorCode::kTooManyRequests, "too many concurrent requests, queue is full", 1, kRetriable,
     kSystem, 429},
    {ErrorCode::kInternal, "service internal error", 1, kFinal, kSystem, 500},
    {ErrorCode::kDiskLimitExceeded, "disk limit exceeded", 54, kFinal, kSystem, 507},
    {ErrorCode::kRateLimit, "rate limit exceeded", 49, kRetriable, kSystem, 429},
    {ErrorCode::kQuotaExceeded, "quota exceeded", 48, kFinal, kSystem, 429},
    {ErrorCode::kUnimplemented, "service unimplemented", 1, kFinal, kSystem, 501},
    {ErrorCode::kTimeTickDelay, "time tick long delay", 1, kFinal, kSystem, 503},
    {ErrorCode{12}, "service resource insufficient", 1, kRetriable, kSystem, 503},
    {ErrorCode::kCollectionNotFound, "collection not found", 4, kFinal, kInput, 404},
    {ErrorCode::kCollectionNotLoaded, "collection not loaded", 1, kFinal, kSystem, 409},
    {ErrorCode::kCollectionLimit, "exceeded the limit number of collections", 1, kFinal, kInput,
     409},
    {ErrorCode::kCollectionNotFullyLoaded, "collection not fully loaded", 1, kRetriable, kSystem,
     503},
    {ErrorCode::kCollectionLoaded, "collection already loaded", 1, kFinal, kInput, 409},
    {ErrorCode::kIllegalSchema, "illegal collection schema", 1, kFinal, kInput, 400},
    {ErrorCode{107}, "vector clustering key not allowed", 1, kFinal, kInput, 400},
    {ErrorCode::kSchemaMismatch, "collection schema mismatch", 62, kFinal, kInput, 409},
    {ErrorCode::kPartitionNotFound, "partition not found", 15, kFinal, kInput, 404},
    {ErrorCode::kPartitionNotLoaded, "partition not loaded", 1, kFinal, kSystem, 409},
    {ErrorCode::kGeneralCapacity, "general capacity exceeded", 1, kFinal, kSystem, 409},
    {ErrorCode{300}, "resource group not found", 1, kFinal, kInput, 404},
    {ErrorCode{301}, "resource group already exist, but create with different config", 1, kFinal,
     kInput, 409},
    {ErrorCode{302}, "resource group num reach limit", 1, kFinal, kInput, 400},
    {ErrorCode{303}, "resource group illegal config", 1, kFinal, kInput, 400},
    {ErrorCode{304}, "resource group node not enough", 1, kFinal, kSystem, 409},
    {ErrorCode::kChannelNotFound, "channel not found", 1, kFinal, kSystem, 500},
    {ErrorCode::kChannelNotAvailable, "channel not available", 46, kFinal, kSystem, 503},
    {ErrorCode::kSegmentNotFound, "segment not found", 47, kFinal, kSystem, 404},
    {ErrorCode::kSegmentLoadFailed, "segment load failed", 1, kFinal, kSystem, 500},
    {ErrorCode::kIndexNotFound, "index not found", 25, kFinal, kSystem, 404},
    {ErrorCode::kIndexNotSupported, "index type not supported", 1, kFinal, kSystem, 400},
    {ErrorCode::kIndexDuplicate, "index duplicates", 1, kFinal, kInput, 409},
    {ErrorCode::kDatabaseNotFound, "database not found", 1, kFinal, kInput, 404},
    {ErrorCode::kInvalidDatabaseName, "invalid database name", 1, kFinal, kInput, 400},
    {ErrorCode::kKeyNotFound, "key not found", 1, kFinal, kSystem, 500},
    {ErrorCode::kIoFailed, "IO failed", 1, kFinal, kSystem, 500},
    {ErrorCode::kUnexpectedEof, "unexpected EOF", 1, kRetriable, kSystem, 500},
    {ErrorCode::kSerialization, "data serialization or deserialization failed", 1, kFinal, kSystem,
     500},
    {ErrorCode::kIntegrity, "data integrity check failed", 1, kFinal, kSystem, 500},
    {ErrorCode::kInvalidParameter, "invalid parameter", 5, kFinal, kInput, 400},
    {ErrorCode::kMissingParameter, "missing parameter", 5, kFinal, kInput, 400},
    {ErrorCode::kParameterTooLarge, "parameter too large", 5, kFinal, kInput, 413},
    {ErrorCode::kMetricNotFound, "metric not found", 1, kFinal, kSystem, 404},
    {ErrorCode::kTopicNotFound, "topic not found", 1, kFinal, kSystem, 500},
    {ErrorCode{1302}, "message queue internal error", 1, kFinal, kSystem, 500},
    {ErrorCode::kPermissionDenied, "privilege not permitted", 1, kFinal, kInput, 403},
    {ErrorCode::kAliasNotFound, "alias not found", 1, kFinal, kInput, 404},
    {ErrorCode::kAliasCollectionConflict, "alias and collection name conflict", 1, kFinal, kInput,
     409},
    {ErrorCode::kFieldNotFound, "field not found", 1, kFinal, kInput, 404},
    {ErrorCode::kInvalidFieldName, "field name invalid", 1, kFinal, kInput, 400},
    {ErrorCode::kSegcore, "segcore error", 1, kFinal, kInput, 400},
    {ErrorCode::kSegcoreUnsupported, "segcore unsupported error", 1, kFinal, kInput, 400},
    {ErrorCode{2101}, "importing data failed", 1, kFinal, kSystem, 500},
    {ErrorCode::kInconsistentRequery, "inconsistent requery result", 1, kRetriable, kSystem, 500},
    {ErrorCode::kQueryPlan, "query plan failed", 1, kFinal, kInput, 400},
    {ErrorCode{2304}, "collection does not support clustering compaction", 1, kFinal, kSystem, 400},
    {ErrorCode{2317}, "compaction is blocked by snapshot protection", 1, kRetriable, kSystem, 409},
    {ErrorCode{2400}, "function execution failed", 1, kFinal, kSystem, 500},
    {ErrorCode{2600}, "snapshot not found", 1, kFinal, kSystem, 404},
    {ErrorCode{2601}, "snapshot is pinned", 1, kFinal, kSystem, 409},
    {ErrorCode::kOldSession, "old session exists", 1, kFinal, kSystem, 500},
    {ErrorCode::kCanceled, "context canceled", 1, kFinal, kSystem, 499},
    {ErrorCode::kDeadlineExceeded, "deadline exceeded", 1, kFinal, kSystem, 504},
    {ErrorCode::kUnexpected, "unexpected error", 1, kFinal, kSystem, 500},
});

}  // namespace

const ErrorInfo& InfoOf(ErrorCode code) {
  for (const ErrorInfo& info : kTable) {
    if (info.code == code) return info;
  }
  return kTable.back();
}

std::span<const ErrorInfo> AllErrors() { return kTable; }

}  // namespace elanus
