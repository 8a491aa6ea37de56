// Ordered, durable log streams, one per physical channel. Embedded files now, Kafka later.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/status.h"

namespace elanus::store {

/// Where a record stands in its stream. Increases; gaps are allowed. 0 is before every record.
using WalPosition = uint64_t;

struct WalRecord {
  WalPosition position = 0;
  std::string payload;
};

/// Records that lie together and go together.
struct WalPage {
  WalPosition first = 0;
  WalPosition last = 0;  // Before `first`: none yet.
  int64_t bytes = 0;
  bool is_closed = false;  // Nothing is added to it any more.
};

/// Reads a stream in order. Not thread-safe; the log outlives it.
class WalReader {
 public:
  virtual ~WalReader() = default;
  /// True and the next record, or false at the end of what is durable; asked again later it goes on
  /// with what has come since. kIntegrity when a record in
  /// the middle of the stream is damaged; the message names file, offset and the way out.
  virtual Result<bool> Next(Context& ctx, WalRecord& record) = 0;
};

/// Thread-safe; one writer per stream is expected.
class Wal {
 public:
  virtual ~Wal() = default;
  /// Appends the records in order and returns their positions once all are durable (one sync for
  /// all). After an error none of them will ever be read, or, when the error says the stream is
  /// closed, the outcome is open until restart. Errors: kIoFailed, kDiskLimitExceeded.
  virtual Result<std::vector<WalPosition>> Append(Context& ctx, std::string_view stream,
                                                  std::span<const std::string_view> records) = 0;
  /// Records with position > `after`.
  virtual Result<std::unique_ptr<WalReader>> Read(Context& ctx, std::string_view stream,
                                                  WalPosition after) = 0;
  /// Records up to and with `position` are no longer needed and may be deleted.
  virtual Status Truncate(Context& ctx, std::string_view stream, WalPosition position) = 0;
  /// Oldest first; the last one is not closed.
  virtual Result<std::vector<WalPage>> Pages(Context& ctx, std::string_view stream) = 0;
  /// Forgets the stream with everything in it. Nobody may use it meanwhile.
  virtual Status Remove(Context& ctx, std::string_view stream) = 0;
  /// Position of the newest durable record; 0 when there is none.
  virtual Result<WalPosition> LastPosition(Context& ctx, std::string_view stream) = 0;
};

}  // namespace elanus::store
