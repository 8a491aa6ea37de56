// Reading rows by key.
#include "proxy/ops/fetch.h"

#include <algorithm>
#include <unordered_map>

#include "model/groups.h"
#include "model/shard_of.h"
#include "model/time_to_live.h"

namespace elanus::proxy {
namespace {

model::Scalar KeyAt(const model::ColumnView& keys, size_t i) {
  if (keys.type == model::DataType::kInt64) return keys.Get<int64_t>(i);
  return std::string(keys.Bytes(i));
}

// The keys of each shard, each once.
std::vector<model::ScalarList> KeysOfShards(const model::ColumnView& keys, size_t shards) {
  std::vector<model::ScalarList> of(shards);
  std::unordered_map<std::string_view, bool> met;
  for (size_t i = 0; i < keys.rows; ++i) {
    if (!met.emplace(keys.Bytes(i), true).second) continue;
    of[model::ShardOf(keys, i, shards)].push_back(KeyAt(keys, i));
  }
  return of;
}

}  // namespace

Result<std::vector<Timestamp>> ReadMoments(Context& ctx, Services& services,
                                           const model::CollectionInfo& collection,
                                           Timestamp guarantee) {
  std::vector<Timestamp> moments;
  for (const std::string& vchannel : collection.vchannels) {
    TRY_ASSIGN(const Timestamp moment, services.streaming.ReadMoment(ctx, vchannel, guarantee));
    moments.push_back(moment);
  }
  return moments;
}

Timestamp EndsNow(const Services& services, const model::CollectionInfo& collection) {
  const int64_t now_ms = services.clock.NowMs();
  const bool rows_end =
      model::ExpiredBefore(collection.properties,
                           {.now_ms = now_ms, .default_s = services.options.entity_expiration_s}) !=
          Timestamp() ||
      model::ExpiryField(collection.properties, collection.schema) != FieldId();
  return rows_end ? MakeTimestamp(now_ms) : Timestamp();
}

Result<Timestamp> IteratorMoment(Context& ctx, Services& services,
                                 const model::CollectionInfo& collection, Timestamp named) {
  constexpr Timestamp kBounded(2);  // Up to it a guarantee is a level, as older clients say it.
  if (named > kBounded) return named;
  // The read is open before its moment is chosen: what ends meanwhile is not dropped.
  TRY(ReadMoments(ctx, services, collection, Timestamp()).status());
  return services.coord.oracle.Now(ctx);
}

Result<Fetched> FetchByKeys(Context& ctx, Services& services, const ReadScope& scope,
                            const model::Column& keys, const std::vector<FieldId>& fields) {
  const model::CollectionInfo& collection = *scope.collection;
  const model::CollectionSchema& schema = collection.schema;
  const size_t shards = collection.vchannels.size();
  std::vector<model::ScalarList> wanted = KeysOfShards(keys.view(), shards);
  std::vector<model::PartialRows> parts(shards);
  TRY(services.fan_out.ParallelFor(ctx, shards, [&](size_t shard) -> Status {
    if (wanted[shard].empty()) return {};
    model::ShardQuery query;
    query.read = {.vchannel = collection.vchannels[shard],
                  .collection = collection.id,
                  .partitions = scope.partitions,
                  .filter = fmt::format("{} in {{keys}}", schema.primary_key().name),
                  .templates = {{"keys", model::Scalar(std::move(wanted[shard]))}},
                  .guarantee = std::max(scope.moments[shard], scope.ends),
                  .read_at = scope.moments[shard],
                  .ignore_growing = scope.ignore_growing,
                  .output_fields = fields};
    query.read.schema_version = schema.version;
    query.read.data_ratio_min = scope.data_ratio_min;
    TRY_ASSIGN(parts[shard], services.streaming.Query(ctx, std::move(query)));
    return {};
  }));
  struct Place {
    size_t shard;
    size_t row;
  };
  std::unordered_map<std::string_view, Place> places;
  std::vector<std::vector<model::ColumnView>> columns;
  for (size_t shard = 0; shard < shards; ++shard) {
    const model::ColumnView found = parts[shard].primary_keys.view();
    for (size_t row = 0; row < found.rows; ++row) {
      places.emplace(found.Bytes(row), Place{shard, row});
    }
    columns.push_back(model::ViewsOf(parts[shard].columns));
  }
  Fetched fetched;
  for (FieldId id : fields) {
    const model::FieldSchema* field = schema.FindField(id);
    fetched.columns.push_back(
        model::MakeColumn(id, field->name, field->type, field->element_type, field->dim()));
    fetched.columns.back().is_dynamic = field->is_dynamic;
  }
  const model::ColumnView view = keys.view();
  for (size_t i = 0; i < view.rows; ++i) {
    const auto place = places.find(view.Bytes(i));
    if (place == places.end()) fetched.missing.push_back(i);
    for (size_t c = 0; c < fields.size(); ++c) {
      if (place == places.end())
        fetched.columns[c].AppendNull();
      else
        fetched.columns[c].AppendRow(columns[place->second.shard][c], place->second.row);
    }
  }
  return fetched;
}

Result<std::vector<model::Column>> FetchFound(Context& ctx, Services& services,
                                              const ReadScope& scope, const model::Column& keys,
                                              const std::vector<FieldId>& fields) {
  if (fields.empty()) return std::vector<model::Column>();
  TRY_ASSIGN(Fetched fetched, FetchByKeys(ctx, services, scope, keys, fields));
  if (!fetched.missing.empty()) {
    return Error(ErrorCode::kInconsistentRequery, "{} of {} rows found are gone",
                 fetched.missing.size(), keys.rows);
  }
  return std::move(fetched.columns);
}

}  // namespace elanus::proxy
