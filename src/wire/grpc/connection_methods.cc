// Connection, health, versions, databases.
#include <array>

#include "milvus.pb.h"
#include "wire/grpc/unary.h"

namespace elanus::wire {
namespace {

namespace pb = milvus::proto::milvus;
namespace common = milvus::proto::common;

// What SDKs gate features on; elanus speaks the contract of this version.
constexpr const char* kSpokenVersion = "v3.0.0";

Status CheckDatabase(const Call& call) {
  if (call.database.empty() || call.database == model::kDefaultDatabase) return {};
  return Error(ErrorCode::kDatabaseNotFound, "{}[database={}]",
               InfoOf(ErrorCode::kDatabaseNotFound).name, call.database);
}

Status Connect(Call& call, const pb::ConnectRequest&, pb::ConnectResponse& answer) {
  TRY(CheckDatabase(call));
  TRY_ASSIGN(const Timestamp id, call.services.coord.oracle.Now(call.ctx));
  answer.mutable_status();
  auto* info = answer.mutable_server_info();
  info->set_build_tags(kSpokenVersion);
  info->set_deploy_mode("STANDALONE");
  info->set_git_commit("elanus");
  answer.set_identifier(static_cast<int64_t>(id.value()));
  return {};
}

Status GetVersion(Call&, const pb::GetVersionRequest&, pb::GetVersionResponse& answer) {
  answer.mutable_status();
  answer.set_version(kSpokenVersion);
  return {};
}

Status CheckHealth(Call&, const pb::CheckHealthRequest&, pb::CheckHealthResponse& answer) {
  answer.mutable_status();
  answer.set_ishealthy(true);
  return {};
}

Status GetComponentStates(Call&, const pb::GetComponentStatesRequest&,
                          pb::ComponentStates& answer) {
  answer.mutable_status();
  answer.mutable_state()->set_nodeid(kNodeId);
  answer.mutable_state()->set_role("proxy");
  answer.mutable_state()->set_state_code(common::StateCode::Healthy);
  return {};
}

Status AllocTimestamp(Call& call, const pb::AllocTimestampRequest&,
                      pb::AllocTimestampResponse& answer) {
  TRY_ASSIGN(const Timestamp now, call.services.coord.oracle.Now(call.ctx));
  answer.mutable_status();
  answer.set_timestamp(now.value());
  return {};
}

Status ListDatabases(Call&, const pb::ListDatabasesRequest&, pb::ListDatabasesResponse& answer) {
  answer.mutable_status();
  answer.add_db_names(std::string(model::kDefaultDatabase));
  answer.add_created_timestamp(0);
  answer.add_db_ids(1);
  return {};
}

Status DescribeDatabase(Call& call, const pb::DescribeDatabaseRequest&,
                        pb::DescribeDatabaseResponse& answer) {
  TRY(CheckDatabase(call));
  answer.mutable_status();
  answer.set_db_name(std::string(model::kDefaultDatabase));
  answer.set_dbid(1);
  return {};
}

constexpr auto kMethods = std::to_array<Method>({
    {"Connect", Unary<pb::ConnectRequest, pb::ConnectResponse, Connect>},
    {"GetVersion", Unary<pb::GetVersionRequest, pb::GetVersionResponse, GetVersion>},
    {"CheckHealth", Unary<pb::CheckHealthRequest, pb::CheckHealthResponse, CheckHealth>},
    {"GetComponentStates",
     Unary<pb::GetComponentStatesRequest, pb::ComponentStates, GetComponentStates>},
    {"AllocTimestamp",
     Unary<pb::AllocTimestampRequest, pb::AllocTimestampResponse, AllocTimestamp>},
    {"ListDatabases", Unary<pb::ListDatabasesRequest, pb::ListDatabasesResponse, ListDatabases>},
    {"DescribeDatabase",
     Unary<pb::DescribeDatabaseRequest, pb::DescribeDatabaseResponse, DescribeDatabase>},
});

}  // namespace

std::span<const Method> ConnectionMethods() { return kMethods; }

}  // namespace elanus::wire
