// Every error elanus can answer: number on the wire, name, legacy number, retriable, blame, HTTP
// status.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace elanus {

/// Numbers are part of the wire contract and are never changed or reused.
enum class ErrorCode : int32_t {
  kOk = 0,
  kServiceNotReady = 1,
  kServiceUnavailable = 2,
  kMemoryLimitExceeded = 3,
  kTooManyRequests = 4,
  kInternal = 5,
  kDiskLimitExceeded = 7,
  kRateLimit = 8,
  kQuotaExceeded = 9,
  kUnimplemented = 10,
  kTimeTickDelay = 11,
  kCollectionNotFound = 100,
  kCollectionNotLoaded = 101,
  kCollectionLimit = 102,
  kCollectionNotFullyLoaded = 103,
  kCollectionLoaded = 104,
  kIllegalSchema = 105,
  kSchemaMismatch = 109,
  kPartitionNotFound = 200,
  kPartitionNotLoaded = 201,
  kGeneralCapacity = 250,
  kChannelNotFound = 500,
  kChannelNotAvailable = 503,
  kSegmentNotFound = 600,
  kSegmentLoadFailed = 604,
  kIndexNotFound = 700,
  kIndexNotSupported = 701,
  kIndexDuplicate = 702,
  kDatabaseNotFound = 800,
  kInvalidDatabaseName = 802,
  kKeyNotFound = 1000,
  kIoFailed = 1001,
  kUnexpectedEof = 1002,
  kSerialization = 1004,
  kIntegrity = 1009,
  kInvalidParameter = 1100,
  kMissingParameter = 1101,
  kParameterTooLarge = 1102,
  kMetricNotFound = 1200,
  kTopicNotFound = 1300,
  kPermissionDenied = 1401,
  kAliasNotFound = 1600,
  kAliasCollectionConflict = 1601,
  kFieldNotFound = 1700,
  kInvalidFieldName = 1701,
  kSegcore = 2000,
  kSegcoreUnsupported = 2001,
  kInconsistentRequery = 2200,
  kQueryPlan = 2201,
  kOldSession = 3001,
  kCanceled = 10000,
  kDeadlineExceeded = 10001,
  kUnexpected = 65535,
};

/// One row of the table.
struct ErrorInfo {
  ErrorCode code;
  std::string_view name;  // The base text users see.
  int32_t legacy_code;    // Field `error_code`, read by old clients.
  bool retriable;         // Trying again can help. Never true for input errors.
  bool is_input_error;    // The content of the request alone caused it.
  int32_t http_status;
};

/// The row of `code`; the row of kUnexpected when the number is unknown.
const ErrorInfo& InfoOf(ErrorCode code);

/// The whole table, ascending by code.
std::span<const ErrorInfo> AllErrors();

}  // namespace elanus
