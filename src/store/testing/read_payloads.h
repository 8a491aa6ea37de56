// For tests of logs: what a stream holds.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "store/wal.h"

namespace elanus::store {

/// The payloads of all records of a stream, in order.
inline Result<std::vector<std::string>> ReadPayloads(Context& ctx, Wal& wal,
                                                     std::string_view stream) {
  TRY_ASSIGN(const auto reader, wal.Read(ctx, stream, 0));
  std::vector<std::string> payloads;
  WalRecord record;
  while (true) {
    TRY_ASSIGN(const bool more, reader->Next(ctx, record));
    if (!more) return payloads;
    payloads.push_back(record.payload);
  }
}

}  // namespace elanus::store
