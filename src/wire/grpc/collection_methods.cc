// Collections, partitions, loading.
#include <algorithm>
#include <array>

#include "milvus.pb.h"
#include "model/back_fill.h"
#include "proxy/load_place.h"
#include "proxy/ops.h"
#include "proxy/segments.h"
#include "wire/grpc/schema_codec.h"
#include "wire/grpc/unary.h"

namespace elanus::wire {
namespace {

namespace pb = milvus::proto::milvus;
namespace common = milvus::proto::common;
namespace schema_pb = milvus::proto::schema;

std::vector<std::string> Names(const google::protobuf::RepeatedPtrField<std::string>& names) {
  return {names.begin(), names.end()};
}
uint64_t UtcMs(Timestamp t) { return static_cast<uint64_t>(PhysicalMs(t)); }

Status CreateCollection(Call& call, const pb::CreateCollectionRequest& request, common::Status&) {
  schema_pb::CollectionSchema schema;
  if (!schema.ParseFromString(request.schema())) {
    return Error(ErrorCode::kUnexpected, "the schema of the collection cannot be decoded");
  }
  model::CreateCollectionRequest create{.name = NameOf(call, request)};
  TRY_ASSIGN(create.schema, DecodeSchema(schema));
  create.shards_num = request.shards_num();
  create.consistency_level = static_cast<model::ConsistencyLevel>(request.consistency_level());
  create.properties = DecodePairs(request.properties());
  create.num_partitions = request.num_partitions();
  return proxy::CreateCollection(call.ctx, call.services, std::move(create));
}

Status DropCollection(Call& call, const pb::DropCollectionRequest& request, common::Status&) {
  return proxy::DropCollection(call.ctx, call.services, NameOf(call, request));
}

Status TruncateCollection(Call& call, const pb::TruncateCollectionRequest& request,
                          pb::TruncateCollectionResponse& answer) {
  TRY(proxy::TruncateCollection(call.ctx, call.services, NameOf(call, request)));
  answer.mutable_status();
  return {};
}

Status HasCollection(Call& call, const pb::HasCollectionRequest& request,
                     pb::BoolResponse& answer) {
  TRY_ASSIGN(const bool has, proxy::HasCollection(call.ctx, call.services, NameOf(call, request)));
  answer.mutable_status();
  answer.set_value(has);
  return {};
}

void Describe(const model::CollectionInfo& info, const std::string& asked,
              pb::DescribeCollectionResponse& answer) {
  answer.mutable_status();
  EncodeSchema(info, answer.mutable_schema());
  answer.set_collectionid(info.id.value());
  answer.set_collection_name(asked.empty() ? info.schema.name : asked);
  answer.set_db_name(info.database);
  answer.set_db_id(1);
  for (const std::string& channel : info.vchannels) {
    answer.add_virtual_channel_names(channel);
    answer.add_physical_channel_names(channel.substr(0, channel.rfind('_')));
  }
  answer.set_shards_num(static_cast<int32_t>(info.vchannels.size()));
  answer.set_num_partitions(static_cast<int64_t>(info.partitions.size()));
  answer.set_consistency_level(static_cast<common::ConsistencyLevel>(info.consistency_level));
  EncodePairs(ShownProperties(info), answer.mutable_properties());
  answer.set_created_timestamp(info.created.value());
  answer.set_created_utc_timestamp(UtcMs(info.created));
  answer.set_update_timestamp(info.updated.value());
  answer.set_update_timestamp_str(std::to_string(info.updated.value()));
}

Status DescribeCollection(Call& call, const pb::DescribeCollectionRequest& request,
                          pb::DescribeCollectionResponse& answer) {
  TRY_ASSIGN(const auto info,
             proxy::DescribeCollection(call.ctx, call.services, NameOf(call, request),
                                       CollectionId(request.collectionid())));
  Describe(*info, request.collection_name(), answer);
  return {};
}

Status BatchDescribeCollection(Call& call, const pb::BatchDescribeCollectionRequest& request,
                               pb::BatchDescribeCollectionResponse& answer) {
  if (request.collection_name_size() == 0 && request.collectionid_size() == 0) {
    return Error(ErrorCode::kMissingParameter, "no collection is named");
  }
  answer.mutable_status();
  const auto one = [&](const std::string& name, CollectionId id) {
    pb::DescribeCollectionResponse& response = *answer.add_responses();
    const auto info = proxy::DescribeCollection(
        call.ctx, call.services, {.database = call.database, .collection = name}, id);
    if (info.ok())
      Describe(**info, name, response);
    else
      EncodeStatus(info.status(), response.mutable_status());
  };
  for (const std::string& name : request.collection_name()) one(name, CollectionId());
  for (int64_t id : request.collectionid()) one("", CollectionId(id));
  return {};
}

Status ShowCollections(Call& call, const pb::ShowCollectionsRequest& request,
                       pb::ShowCollectionsResponse& answer) {
  const bool in_memory = request.type() == pb::ShowType::InMemory;
  // The names count for what is loaded only.
  TRY_ASSIGN(const auto shown, proxy::ListCollections(call.ctx, call.services, call.database,
                                                      in_memory ? Names(request.collection_names())
                                                                : std::vector<std::string>()));
  answer.mutable_status();
  for (const auto& info : shown) {
    if (in_memory) {
      if (!info->loaded) continue;
      TRY_ASSIGN(const int64_t progress, call.services.streaming.LoadProgress(call.ctx, info->id));
      answer.add_inmemory_percentages(progress);
      answer.add_query_service_available(progress == 100);
    }
    answer.add_collection_names(info->schema.name);
    answer.add_collection_ids(info->id.value());
    answer.add_created_timestamps(info->created.value());
    answer.add_created_utc_timestamps(UtcMs(info->created));
    answer.add_shards_num(static_cast<int32_t>(info->vchannels.size()));
  }
  return {};
}

Status AlterCollection(Call& call, const pb::AlterCollectionRequest& request, common::Status&) {
  model::CollectionName name = NameOf(call, request);
  if (name.collection.empty() && request.collectionid() != 0) {
    TRY_ASSIGN(const auto info, proxy::DescribeCollection(call.ctx, call.services, name,
                                                          CollectionId(request.collectionid())));
    name.collection = info->schema.name;
  }
  return proxy::AlterCollection(call.ctx, call.services, name, DecodePairs(request.properties()),
                                Names(request.delete_keys()));
}

Status RenameCollection(Call& call, const pb::RenameCollectionRequest& request, common::Status&) {
  if (!request.newdbname().empty() && request.newdbname() != model::kDefaultDatabase) {
    return Error(ErrorCode::kDatabaseNotFound, "{}[database={}]",
                 InfoOf(ErrorCode::kDatabaseNotFound).name, request.newdbname());
  }
  return proxy::RenameCollection(call.ctx, call.services,
                                 {.database = call.database, .collection = request.oldname()},
                                 request.newname());
}

template <class Answer>
void RowCount(int64_t rows, Answer& answer) {
  answer.mutable_status();
  auto* stat = answer.add_stats();
  stat->set_key("row_count");
  stat->set_value(std::to_string(rows));
}

Status GetCollectionStatistics(Call& call, const pb::GetCollectionStatisticsRequest& request,
                               pb::GetCollectionStatisticsResponse& answer) {
  TRY_ASSIGN(const int64_t rows,
             proxy::CountRows(call.ctx, call.services, NameOf(call, request), ""));
  RowCount(rows, answer);
  TRY_ASSIGN(const auto info, proxy::DescribeCollection(call.ctx, call.services,
                                                        NameOf(call, request), CollectionId()));
  if (info->schema.version == 0) return {};
  TRY_ASSIGN(auto segments, proxy::ListSegments(call.ctx, call.services, NameOf(call, request)));
  // Rows that are in no file have every field.
  std::erase_if(segments, [](const model::SegmentInfo& segment) {
    return segment.state != model::SegmentState::kFlushed;
  });
  // Other fields without files are filled when they are read, so these are up to date at once.
  const auto consistent =
      std::count_if(segments.begin(), segments.end(), [&](const model::SegmentInfo& segment) {
        return model::FieldsToFill(info->schema, segment).empty();
      });
  const auto add = [&](const char* key, size_t count) {
    auto* stat = answer.add_stats();
    stat->set_key(key);
    stat->set_value(std::to_string(count));
  };
  add("schema_version_consistent_segments", static_cast<size_t>(consistent));
  add("schema_version_total_segments", segments.size());
  return {};
}

Status GetPartitionStatistics(Call& call, const pb::GetPartitionStatisticsRequest& request,
                              pb::GetPartitionStatisticsResponse& answer) {
  TRY_ASSIGN(const int64_t rows, proxy::CountRows(call.ctx, call.services, NameOf(call, request),
                                                  request.partition_name()));
  RowCount(rows, answer);
  return {};
}

Status CreatePartition(Call& call, const pb::CreatePartitionRequest& request, common::Status&) {
  return proxy::CreatePartition(call.ctx, call.services, NameOf(call, request),
                                request.partition_name());
}
Status DropPartition(Call& call, const pb::DropPartitionRequest& request, common::Status&) {
  return proxy::DropPartition(call.ctx, call.services, NameOf(call, request),
                              request.partition_name());
}
Status HasPartition(Call& call, const pb::HasPartitionRequest& request, pb::BoolResponse& answer) {
  TRY_ASSIGN(const bool has, proxy::HasPartition(call.ctx, call.services, NameOf(call, request),
                                                 request.partition_name()));
  answer.mutable_status();
  answer.set_value(has);
  return {};
}

Status ShowPartitions(Call& call, const pb::ShowPartitionsRequest& request,
                      pb::ShowPartitionsResponse& answer) {
  TRY_ASSIGN(const auto info,
             proxy::DescribeCollection(call.ctx, call.services, NameOf(call, request),
                                       CollectionId(request.collectionid())));
  answer.mutable_status();
  for (const model::PartitionInfo& partition : info->partitions) {
    if (request.type() == pb::ShowType::InMemory) {
      if (!info->IsLoaded(partition.id)) continue;
      TRY_ASSIGN(const int64_t progress, call.services.streaming.LoadProgress(call.ctx, info->id));
      answer.add_inmemory_percentages(progress);
    }
    answer.add_partition_names(partition.name);
    answer.add_partitionids(partition.id.value());
    answer.add_created_timestamps(partition.created.value());
    answer.add_created_utc_timestamps(UtcMs(partition.created));
  }
  return {};
}

template <class Request>
model::LoadFields LoadFieldsOf(const Request& request) {
  return {.names = Names(request.load_fields()),
          .skip_dynamic_field = request.skip_load_dynamic_field()};
}

template <class Request>
proxy::LoadPlace PlaceOf(const Request& request) {
  const auto priority = request.load_params().find("load_priority");
  return {.replicas = request.replica_number(),
          .resource_groups = Names(request.resource_groups()),
          .is_refresh = request.refresh(),
          .is_of_partitions = std::is_same_v<Request, pb::LoadPartitionsRequest>,
          .priority = priority == request.load_params().end() ? "" : priority->second};
}

Status LoadCollection(Call& call, const pb::LoadCollectionRequest& request, common::Status&) {
  return proxy::LoadAt(call.ctx, call.services, NameOf(call, request), {}, LoadFieldsOf(request),
                       PlaceOf(request));
}
Status LoadPartitions(Call& call, const pb::LoadPartitionsRequest& request, common::Status&) {
  if (request.partition_names_size() == 0) return Invalid("due to no partition specified");
  return proxy::LoadAt(call.ctx, call.services, NameOf(call, request),
                       Names(request.partition_names()), LoadFieldsOf(request), PlaceOf(request));
}
Status ReleaseCollection(Call& call, const pb::ReleaseCollectionRequest& request, common::Status&) {
  return proxy::Release(call.ctx, call.services, NameOf(call, request), {});
}
Status ReleasePartitions(Call& call, const pb::ReleasePartitionsRequest& request, common::Status&) {
  if (request.partition_names_size() == 0) return Invalid("due to no partition specified");
  return proxy::Release(call.ctx, call.services, NameOf(call, request),
                        Names(request.partition_names()));
}

Status GetLoadingProgress(Call& call, const pb::GetLoadingProgressRequest& request,
                          pb::GetLoadingProgressResponse& answer) {
  TRY_ASSIGN(const int64_t progress,
             proxy::LoadProgress(call.ctx, call.services, NameOf(call, request),
                                 Names(request.partition_names())));
  answer.mutable_status();
  answer.set_progress(progress);
  answer.set_refresh_progress(progress);
  return {};
}

Status GetLoadState(Call& call, const pb::GetLoadStateRequest& request,
                    pb::GetLoadStateResponse& answer) {
  TRY_ASSIGN(const model::LoadState state,
             proxy::GetLoadState(call.ctx, call.services, NameOf(call, request),
                                 Names(request.partition_names())));
  answer.mutable_status();
  answer.set_state(static_cast<common::LoadState>(state));
  return {};
}

constexpr auto kMethods = std::to_array<Method>({
    {"CreateCollection", Unary<pb::CreateCollectionRequest, common::Status, CreateCollection>},
    {"DropCollection", Unary<pb::DropCollectionRequest, common::Status, DropCollection>},
    {"TruncateCollection",
     Unary<pb::TruncateCollectionRequest, pb::TruncateCollectionResponse, TruncateCollection>},
    {"HasCollection", Unary<pb::HasCollectionRequest, pb::BoolResponse, HasCollection>},
    {"DescribeCollection",
     Unary<pb::DescribeCollectionRequest, pb::DescribeCollectionResponse, DescribeCollection>},
    {"BatchDescribeCollection",
     Unary<pb::BatchDescribeCollectionRequest, pb::BatchDescribeCollectionResponse,
           BatchDescribeCollection>},
    {"ShowCollections",
     Unary<pb::ShowCollectionsRequest, pb::ShowCollectionsResponse, ShowCollections>},
    {"AlterCollection", Unary<pb::AlterCollectionRequest, common::Status, AlterCollection>},
    {"RenameCollection", Unary<pb::RenameCollectionRequest, common::Status, RenameCollection>},
    {"GetCollectionStatistics",
     Unary<pb::GetCollectionStatisticsRequest, pb::GetCollectionStatisticsResponse,
           GetCollectionStatistics>},
    {"GetPartitionStatistics", Unary<pb::GetPartitionStatisticsRequest,
                                     pb::GetPartitionStatisticsResponse, GetPartitionStatistics>},
    {"CreatePartition", Unary<pb::CreatePartitionRequest, common::Status, CreatePartition>},
    {"DropPartition", Unary<pb::DropPartitionRequest, common::Status, DropPartition>},
    {"HasPartition", Unary<pb::HasPartitionRequest, pb::BoolResponse, HasPartition>},
    {"ShowPartitions",
     Unary<pb::ShowPartitionsRequest, pb::ShowPartitionsResponse, ShowPartitions>},
    {"LoadCollection", Unary<pb::LoadCollectionRequest, common::Status, LoadCollection>},
    {"LoadPartitions", Unary<pb::LoadPartitionsRequest, common::Status, LoadPartitions>},
    {"ReleaseCollection", Unary<pb::ReleaseCollectionRequest, common::Status, ReleaseCollection>},
    {"ReleasePartitions", Unary<pb::ReleasePartitionsRequest, common::Status, ReleasePartitions>},
    {"GetLoadingProgress",
     Unary<pb::GetLoadingProgressRequest, pb::GetLoadingProgressResponse, GetLoadingProgress>},
    {"GetLoadState", Unary<pb::GetLoadStateRequest, pb::GetLoadStateResponse, GetLoadState>},
});

}  // namespace

std::span<const Method> CollectionMethods() { return kMethods; }

}  // namespace elanus::wire
