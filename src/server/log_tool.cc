// Reading the log.
#include "server/log_tool.h"

#include <cstdio>

#include "backend/backend.h"
#include "backend/log_queue.h"
#include "base/executor.h"
#include "server/catalog_check.h"
#include "streaming/channel_owner.h"

namespace elanus::server {
namespace {

void PrintTopic(const store::QueueTopic& topic) {
  int64_t bytes = 0;
  for (const store::QueuePage& page : topic.pages) bytes += page.bytes;
  std::puts(fmt::format("{}: newest={} pages={} bytes={}", topic.name, topic.last,
                        topic.pages.size(), bytes)
                .c_str());
  for (const store::QueuePage& page : topic.pages) {
    std::puts(fmt::format("  page end={} bytes={}{}", page.end, page.bytes,
                          page.is_closed ? "" : " (written to)")
                  .c_str());
  }
  for (const auto& [group, position] : topic.positions) {
    std::puts(fmt::format("  group {}: at {}", group, position).c_str());
  }
}

Status PrintChange(const store::WalRecord& record) {
  TRY_ASSIGN(const auto decoded, streaming::DecodeRecord(record.payload));
  const auto& [timestamp, write] = decoded;
  uint64_t inserts = write.columns.empty() ? 0 : write.columns[0].rows;
  for (const auto& more : write.more) inserts += more.columns.empty() ? 0 : more.columns[0].rows;
  std::puts(fmt::format("{} time={} channel={} collection={} partition={} inserts={} deletes={} "
                        "bytes={}",
                        record.position, timestamp.value(), write.vchannel,
                        write.collection.value(), write.partition.value(), inserts,
                        write.delete_keys.rows, record.payload.size())
                .c_str());
  return {};
}

Status PrintChanges(Context& ctx, backend::LogQueue& queue, const LogRequest& request) {
  if (request.group.empty()) {
    TRY_ASSIGN(const auto reader, queue.log().Read(ctx, request.topic, 0));
    store::WalRecord record;
    for (int64_t i = 0; i < request.count; ++i) {
      TRY_ASSIGN(const bool more, reader->Next(ctx, record));
      if (!more) break;
      TRY(PrintChange(record));
    }
    return {};
  }
  Status made = queue.CreateGroup(ctx, request.topic, request.group, {});
  if (!made.ok() && made.code() != store::kConsumerGroup) return made;  // It is there already.
  TRY_ASSIGN(const auto records, queue.Consume(ctx, request.topic, request.group,
                                               static_cast<size_t>(request.count), /*wait_ms=*/0));
  for (const store::WalRecord& record : records) TRY(PrintChange(record));
  return {};
}

}  // namespace

Status ShowLog(const LogRequest& request) {
  TRY(CheckHoldsCatalog(request.data_directory));
  SystemClock clock;
  Context ctx(clock);
  const auto executor = MakeThreadExecutor();
  TRY_ASSIGN(const auto stores, backend::OpenLocal(request.data_directory, {}));
  TRY_ASSIGN(
      const auto queue,
      backend::LogQueue::Open(
          ctx, {.executor = *executor, .clock = clock, .meta = *stores.meta, .wal = *stores.wal},
          {}));
  TRY_ASSIGN(const auto topics, queue->Topics(ctx));
  for (const store::QueueTopic& topic : topics) {
    if (request.topic.empty()) {
      PrintTopic(topic);
    } else if (topic.name == request.topic) {
      return PrintChanges(ctx, *queue, request);
    }
  }
  if (request.topic.empty()) return {};
  return Error(ErrorCode::kTopicNotFound, "{}[topic={}]", InfoOf(ErrorCode::kTopicNotFound).name,
               request.topic);
}

}  // namespace elanus::server
