// The catalog's time against the log's.
#include "server/catalog_check.h"

#include "model/channel.h"
#include "streaming/channel_owner.h"

namespace elanus::server {
namespace {

constexpr std::string_view kWayOut =
    "Put the whole data directory back from a copy: catalog (meta/), log (wal/) and objects/ "
    "belong "
    "together";

}  // namespace

Status CheckCatalogBelongs(Context& ctx, const coord::Oracle& oracle,
                           const CatalogSurroundings& around) {
  for (size_t i = 0; i < around.log_streams; ++i) {
    const std::string stream = model::StreamName(i);
    TRY_ASSIGN(const store::WalPosition last, around.wal.LastPosition(ctx, stream));
    if (last == 0) continue;
    TRY_ASSIGN(const auto reader, around.wal.Read(ctx, stream, last - 1));
    store::WalRecord record;
    TRY_ASSIGN(const bool has_record, reader->Next(ctx, record));
    if (!has_record) continue;
    TRY_ASSIGN(const auto decoded, streaming::DecodeRecord(record.payload));
    if (decoded.first < oracle.opened_at()) continue;
    return Error(
        ErrorCode::kIntegrity,
        "the catalog is lost or older than the log: record {} of {} was written later than "
        "anything that the catalog knows. {}",
        last, stream, kWayOut);
  }
  if (oracle.opened_at() != Timestamp()) return {};
  TRY_ASSIGN(const auto objects, around.objects.List(ctx, ""));
  if (objects.empty()) return {};
  return Error(ErrorCode::kIntegrity,
               "the catalog is empty, but there are {} objects, {} the first of them. {}",
               objects.size(), objects.front(), kWayOut);
}

}  // namespace elanus::server
