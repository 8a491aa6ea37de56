// The catalog's time against the log's.
#include "server/catalog_check.h"

#include "backend/local/file_system.h"
#include "model/channel.h"
#include "streaming/channel_owner.h"

namespace elanus::server {
namespace {

constexpr std::string_view kWayOut =
    "Put the whole data directory back from a copy: catalog (meta/), log (wal/) and objects/ "
    "belong together";

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

Status CheckHoldsCatalog(const std::string& data_directory) {
  bool has_data = false;
  for (const char* part : {"/meta", "/wal", "/objects"}) {
    const auto entries = backend::LocalFileSystem().List(data_directory + part);
    if (entries.status().code() == ErrorCode::kKeyNotFound) continue;
    TRY(entries.status());
    if (entries->empty()) continue;
    if (std::string_view(part) == "/meta") return {};
    has_data = true;
  }
  if (has_data) return CatalogIsLost(data_directory);
  return Error(ErrorCode::kKeyNotFound, "{} holds no data: no catalog, no log, no objects",
               data_directory);
}

// Names and fields of collections, their indexes, and which files count stand in the catalog alone:
// what it has lost, log and files cannot tell.
Status CatalogIsLost(const std::string& data_directory) {
  return Error(ErrorCode::kIntegrity,
               "the catalog in {}/meta is lost, and what it held (names and fields of collections, "
               "indexes, which files count) is nowhere else. {}. Nothing was changed",
               data_directory, kWayOut);
}

}  // namespace elanus::server
