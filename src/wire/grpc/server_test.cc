// The gRPC front as a client sees it: what it answers to good, bad, unknown and too many calls, and
// that it goes on.
#include "wire/grpc/server.h"

#include <arpa/inet.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <mutex>
#include <random>

#include "milvus.pb.h"
#include "server/fake_cluster.h"
#include "wire/grpc/health.h"
#include "wire/grpc/method.h"

namespace elanus::wire {
namespace {

namespace pb = milvus::proto::milvus;
namespace common = milvus::proto::common;
namespace schema = milvus::proto::schema;

const std::string kService = "/milvus.proto.milvus.MilvusService/";
constexpr int kPatienceMs = 20'000;

/// A call on its way; the channel may have many.
class Pending {
 public:
  Pending(grpc::GenericStub& stub, const std::string& path, const std::string& bytes,
          const std::string& database, int timeout_ms) {
    if (!database.empty()) context_.AddMetadata("dbname", database);
    context_.set_deadline(
        gpr_time_add(gpr_now(GPR_CLOCK_REALTIME), gpr_time_from_millis(timeout_ms, GPR_TIMESPAN)));
    const grpc::Slice slice(bytes);
    reader_ = stub.PrepareUnaryCall(&context_, path, grpc::ByteBuffer(&slice, 1), &queue_);
    reader_->StartCall();
    reader_->Finish(&answer_, &status_, this);
  }
  /// Whether it has been answered, which is waited for a moment.
  bool IsDone(int wait_ms) {
    void* tag;
    bool ok;
    const auto until =
        gpr_time_add(gpr_now(GPR_CLOCK_REALTIME), gpr_time_from_millis(wait_ms, GPR_TIMESPAN));
    done_ = done_ || queue_.AsyncNext(&tag, &ok, until) == grpc::CompletionQueue::GOT_EVENT;
    return done_;
  }
  grpc::Status Wait(std::string* bytes = nullptr) {
    EXPECT_TRUE(IsDone(2 * kPatienceMs));
    grpc::Slice flat;
    if (status_.ok() && bytes != nullptr && answer_.DumpToSingleSlice(&flat).ok())
      bytes->assign(reinterpret_cast<const char*>(flat.begin()), flat.size());
    return status_;
  }

 private:
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::ClientAsyncResponseReader<grpc::ByteBuffer>> reader_;
  grpc::ByteBuffer answer_;
  grpc::Status status_;
  bool done_ = false;
};

class Client {
 public:
  explicit Client(int port)
      : channel_(grpc::CreateChannel("127.0.0.1:" + std::to_string(port),
                                     grpc::InsecureChannelCredentials())),
        stub_(channel_) {}
  std::unique_ptr<Pending> Start(const std::string& path, const std::string& bytes = "",
                                 int timeout_ms = kPatienceMs) {
    return std::make_unique<Pending>(stub_, path, bytes, database, timeout_ms);
  }
  grpc::Status Send(const std::string& path, const std::string& bytes,
                    std::string* answer = nullptr) {
    return Start(path, bytes)->Wait(answer);
  }
  /// A call that must be delivered.
  template <class Answer>
  Answer Ask(const std::string& method, const google::protobuf::Message& request) {
    std::string bytes;
    const grpc::Status status = Send(kService + method, request.SerializeAsString(), &bytes);
    EXPECT_TRUE(status.ok()) << method << ": " << status.error_message();
    Answer answer;
    EXPECT_TRUE(answer.ParseFromString(bytes)) << method;
    return answer;
  }
  grpc::GenericStub& stub() { return stub_; }

  std::string database;  // Sent as a header.

 private:
  std::shared_ptr<grpc::Channel> channel_;
  grpc::GenericStub stub_;
};

/// Numbers whose giving out the test decides.
class GuardedOracle final : public roles::Oracle {
 public:
  explicit GuardedOracle(Executor& executor) : monitor_(executor.MakeMonitor()) {}
  Result<Timestamp> Now(Context& ctx) override {
    std::lock_guard<Monitor> lock(*monitor_);
    ++asked_;
    monitor_->NotifyAll();
    while (held_ && ctx.CheckAlive().ok()) monitor_->WaitFor(5);
    const Status alive = ctx.CheckAlive();
    if (!alive.ok()) {
      ++left_;
      monitor_->NotifyAll();
      return alive;
    }
    if (on_now_) on_now_();
    return Timestamp(77);
  }
  Result<int64_t> AllocateIds(Context&, int64_t) override { return 1; }

  void Hold(bool held) {
    std::lock_guard<Monitor> lock(*monitor_);
    held_ = held;
    monitor_->NotifyAll();
  }
  /// Waits until that many calls have asked and that many of them have given up.
  bool Reached(int asked, int left) {
    std::lock_guard<Monitor> lock(*monitor_);
    for (int waited = 0; waited < kPatienceMs && (asked_ < asked || left_ < left); waited += 5)
      monitor_->WaitFor(5);
    return asked_ >= asked && left_ >= left;
  }
  int asked() const {
    std::lock_guard<Monitor> lock(*monitor_);
    return asked_;
  }
  void OnNow(std::function<void()> action) {
    std::lock_guard<Monitor> lock(*monitor_);
    on_now_ = std::move(action);
  }

 private:
  std::unique_ptr<Monitor> monitor_;
  std::function<void()> on_now_;
  bool held_ = false;
  int asked_ = 0;
  int left_ = 0;
};

class GrpcServerTest : public testing::Test {
 protected:
  void SetUp() override {
    auto cluster = server::OpenFakeCluster(disk_, *executor_, clock_);
    ASSERT_TRUE(cluster.ok()) << cluster.status().ToString();
    cluster_ = *std::move(cluster);
    Restart({}, cluster_->services());
  }
  void Restart(GrpcOptions options, proxy::Services& services) {
    options.address = "127.0.0.1";
    options.port = 0;
    auto server = GrpcServer::Start(*executor_, services, options);
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    server_ = *std::move(server);
    client_ = std::make_unique<Client>(server_->port());
  }
  /// Serves with the oracle that the test decides about.
  void RestartGuarded(GrpcOptions options) {
    proxy::Services& all = cluster_->services();
    guarded_.emplace(proxy::Services{
        .coord = {.catalog = all.coord.catalog, .oracle = oracle_, .segments = all.coord.segments},
        .resource_groups = all.resource_groups,
        .streaming = all.streaming,
        .index_jobs = all.index_jobs,
        .compaction = all.compaction,
        .fan_out = all.fan_out,
        .clock = clock_,
        .options = {}});
    Restart(options, *guarded_);
  }
  Client& client() { return *client_; }
  /// Waits until a worker runs the call. The client's library gets on only while its queue is
  /// asked.
  bool HasBegun(Pending& call) {
    for (int waited = 0; waited < kPatienceMs && oracle_.asked() == 0; waited += 5) call.IsDone(5);
    return oracle_.asked() > 0;
  }
  void ExpectGoesOn() {
    EXPECT_FALSE(client()
                     .Ask<pb::GetVersionResponse>("GetVersion", pb::GetVersionRequest())
                     .version()
                     .empty());
  }
  void CreateCollection(const std::string& name) {
    schema::CollectionSchema fields;
    fields.set_name(name);
    auto* key = fields.add_fields();
    key->set_name("id");
    key->set_data_type(schema::Int64);
    key->set_is_primary_key(true);
    auto* vector = fields.add_fields();
    vector->set_name("vector");
    vector->set_data_type(schema::FloatVector);
    auto* dim = vector->add_type_params();
    dim->set_key("dim");
    dim->set_value("2");
    pb::CreateCollectionRequest create;
    create.set_collection_name(name);
    create.set_schema(fields.SerializeAsString());
    const auto status = client().Ask<common::Status>("CreateCollection", create);
    ASSERT_EQ(status.code(), 0) << status.reason();
  }
  static pb::InsertRequest TwoRows(const std::string& name) {
    pb::InsertRequest insert;
    insert.set_collection_name(name);
    insert.set_num_rows(2);
    auto* ids = insert.add_fields_data();
    ids->set_field_name("id");
    ids->set_type(schema::Int64);
    for (int64_t id : {1, 2}) ids->mutable_scalars()->mutable_long_data()->add_data(id);
    auto* vectors = insert.add_fields_data();
    vectors->set_field_name("vector");
    vectors->set_type(schema::FloatVector);
    vectors->mutable_vectors()->set_dim(2);
    for (float v : {1.f, 2.f, 3.f, 4.f})
      vectors->mutable_vectors()->mutable_float_vector()->add_data(v);
    return insert;
  }
  int64_t CountRows(const std::string& name) {
    pb::GetCollectionStatisticsRequest request;
    request.set_collection_name(name);
    const auto answer =
        client().Ask<pb::GetCollectionStatisticsResponse>("GetCollectionStatistics", request);
    EXPECT_EQ(answer.status().code(), 0) << answer.status().reason();
    return answer.stats_size() == 1 ? std::stoll(answer.stats(0).value()) : -1;
  }

  store::MemoryDisk disk_;
  SystemClock clock_;
  std::unique_ptr<Executor> executor_ = MakeThreadExecutor();
  GuardedOracle oracle_{*executor_};
  std::unique_ptr<server::RoleSet> cluster_;
  std::optional<proxy::Services> guarded_;
  std::unique_ptr<GrpcServer> server_;
  std::unique_ptr<Client> client_;
};

// A connection that speaks only what the test sends.
int Connect(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_GE(fd, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  return fd;
}

std::vector<std::string> ContractMethods() {
  const auto* service =
      pb::ConnectRequest::descriptor()->file()->FindServiceByName("MilvusService");
  std::vector<std::string> names;
  for (int i = 0; i < service->method_count(); ++i) names.push_back(service->method(i)->name());
  return names;
}

TEST_F(GrpcServerTest, AMethodThatIsNotBuiltAnswersUnimplementedWithItsName) {
  int unbuilt = 0;
  for (const std::string& name : ContractMethods()) {
    if (FindMethod(name) != nullptr) continue;
    ++unbuilt;
    const grpc::Status status = client().Send(kService + name, "");
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED) << name;
    EXPECT_NE(status.error_message().find("/" + name + " "), std::string::npos)
        << status.error_message();
  }
  EXPECT_GT(unbuilt, 0);
  for (const char* path : {"/milvus.proto.milvus.MilvusService/", "/Search", "/a.b/Search", "/"}) {
    EXPECT_EQ(client().Send(path, "").error_code(), grpc::StatusCode::UNIMPLEMENTED) << path;
  }
  ExpectGoesOn();
}

TEST_F(GrpcServerTest, EveryMethodAnswersAnEmptyMessageAndRefusesBytesThatAreNone) {
  int built = 0;
  for (const std::string& name : ContractMethods()) {
    if (FindMethod(name) == nullptr) continue;
    ++built;
    const grpc::Status empty = client().Send(kService + name, "");
    EXPECT_TRUE(empty.ok()) << name << ": " << empty.error_message();
    for (const std::string& bytes : {std::string("\xFF"), std::string("\x0A\x7F")}) {
      const grpc::Status status = client().Send(kService + name, bytes);
      EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << name;
      EXPECT_NE(status.error_message().find(name), std::string::npos) << status.error_message();
    }
  }
  EXPECT_GT(built, 30);
}

TEST_F(GrpcServerTest, HealthIsServing) {
  std::string answer;
  ASSERT_TRUE(client().Send(std::string(kHealthCheckPath), "", &answer).ok());
  EXPECT_EQ(answer, std::string("\x08\x01", 2));
}

TEST_F(GrpcServerTest, RowsThatWereInsertedAreCounted) {
  CreateCollection("c");
  const auto answer = client().Ask<pb::MutationResult>("Insert", TwoRows("c"));
  EXPECT_EQ(answer.status().code(), 0) << answer.status().reason();
  EXPECT_EQ(answer.insert_cnt(), 2);
  ASSERT_EQ(answer.ids().int_id().data_size(), 2);
  EXPECT_EQ(answer.ids().int_id().data(1), 2);
  EXPECT_EQ(answer.succ_index_size(), 2);
  EXPECT_EQ(CountRows("c"), 2);
}

TEST_F(GrpcServerTest, AFailedWriteNamesItsRowsAndStoresNone) {
  CreateCollection("c");
  pb::InsertRequest insert = TwoRows("c");
  insert.mutable_fields_data(1)->mutable_vectors()->set_dim(4);
  const auto answer = client().Ask<pb::MutationResult>("Insert", insert);
  EXPECT_EQ(answer.status().code(), 1100);
  ASSERT_EQ(answer.err_index_size(), 2);
  EXPECT_EQ(answer.err_index(1), 1u);
  EXPECT_EQ(answer.succ_index_size(), 0);
  EXPECT_EQ(CountRows("c"), 0);
}

TEST_F(GrpcServerTest, MoreRowsThanAMessageCanHoldAreRefusedBeforeMemoryIsTaken) {
  CreateCollection("c");
  for (const char* method : {"Insert", "Upsert"}) {
    for (uint32_t rows : {UINT32_MAX, 1u << 31, 1000u}) {
      pb::InsertRequest insert = TwoRows("c");
      insert.set_num_rows(rows);
      const auto answer = client().Ask<pb::MutationResult>(method, insert);
      EXPECT_EQ(answer.status().code(), 1100) << method;
      EXPECT_EQ(answer.err_index_size(), 0) << method;
      insert.clear_fields_data();
      EXPECT_EQ(client().Ask<pb::MutationResult>(method, insert).status().code(), 1100) << method;
    }
  }
  EXPECT_EQ(CountRows("c"), 0);
}

TEST_F(GrpcServerTest, TruncatedMessagesAreRefusedOrJudgedAsWhatTheyAre) {
  CreateCollection("c");
  const std::string whole = TwoRows("c").SerializeAsString();
  int refused = 0;
  for (const char* method : {"Insert", "Upsert", "Search", "Query", "Delete", "CreateCollection"}) {
    for (size_t end = 1; end < whole.size(); ++end) {
      const grpc::Status status = client().Send(kService + method, whole.substr(0, end));
      if (status.ok()) continue;  // Cut where it still is a message.
      ++refused;
      ASSERT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << status.error_message();
    }
  }
  EXPECT_GT(refused, 100);
  EXPECT_EQ(CountRows("c"), 0);
}

TEST_F(GrpcServerTest, DamagedMessagesGetAnAnswerAndTheServerGoesOn) {
  CreateCollection("c");
  const std::string whole = TwoRows("c").SerializeAsString();
  std::mt19937 random(5);
  const std::vector<std::string> methods = ContractMethods();
  for (int round = 0; round < 1500; ++round) {
    std::string bytes = whole;
    for (uint32_t i = 0; i <= random() % 4; ++i)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    const std::string& method = round % 2 == 0 ? "Insert" : methods[random() % methods.size()];
    const grpc::StatusCode code = client().Send(kService + method, bytes).error_code();
    EXPECT_TRUE(code == grpc::StatusCode::OK || code == grpc::StatusCode::INVALID_ARGUMENT ||
                code == grpc::StatusCode::UNIMPLEMENTED)
        << method << " " << code;
  }
  ExpectGoesOn();
}

TEST_F(GrpcServerTest, ACallWithoutAMessageIsRefused) {
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  auto call = client().stub().PrepareCall(&context, kService + "GetVersion", &queue);
  void* tag;
  bool ok;
  call->StartCall(&tag);
  ASSERT_TRUE(queue.Next(&tag, &ok));
  call->WritesDone(&tag);
  ASSERT_TRUE(queue.Next(&tag, &ok));
  grpc::Status status;
  call->Finish(&status, &tag);
  ASSERT_TRUE(queue.Next(&tag, &ok));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << status.error_message();
}

pb::SearchRequest SearchWith(const std::vector<std::string>& vectors) {
  common::PlaceholderGroup group;
  auto* placeholder = group.add_placeholders();
  placeholder->set_tag("$0");
  placeholder->set_type(common::PlaceholderType::FloatVector);
  for (const std::string& vector : vectors) placeholder->add_values(vector);
  pb::SearchRequest search;
  search.set_collection_name("c");
  search.set_placeholder_group(group.SerializeAsString());
  return search;
}

TEST_F(GrpcServerTest, QueryVectorsOfUnequalLengthAreRefused) {
  CreateCollection("c");
  const std::string whole(8, '\0');
  // An empty first one used to pass, and the search then read beyond the numbers it had got.
  for (const auto& vectors : std::vector<std::vector<std::string>>{
           {"", whole}, {whole, ""}, {""}, {"", ""}, {whole, whole + whole}, {"abc"}}) {
    const auto answer = client().Ask<pb::SearchResults>("Search", SearchWith(vectors));
    EXPECT_EQ(answer.status().code(), 1100) << answer.status().reason();
    EXPECT_NE(answer.status().reason().find("query vector"), std::string::npos)
        << answer.status().reason();
  }
}

TEST_F(GrpcServerTest, AnErrorThatQuotesHalfACharacterCanBeRead) {
  CreateCollection("c");
  pb::QueryRequest query;
  query.set_collection_name("c");
  query.set_expr("ä > 1");
  const auto answer = client().Ask<pb::QueryResults>("Query", query);
  EXPECT_EQ(answer.status().code(), 1100) << answer.status().reason();
}

TEST_F(GrpcServerTest, TheDatabaseOfTheHeaderCountsWhereTheMessageNamesNone) {
  CreateCollection("c");
  client().database = "nowhere";
  pb::DescribeCollectionRequest describe;
  describe.set_collection_name("c");
  const auto missing = client().Ask<pb::DescribeCollectionResponse>("DescribeCollection", describe);
  EXPECT_EQ(missing.status().code(), 800) << missing.status().reason();
  describe.set_db_name("default");
  const auto found = client().Ask<pb::DescribeCollectionResponse>("DescribeCollection", describe);
  EXPECT_EQ(found.status().code(), 0) << found.status().reason();
}

TEST_F(GrpcServerTest, AMessageAboveTheLimitIsRefused) {
  Restart({.receive_bytes_max = 2048}, cluster_->services());
  const grpc::Status status = client().Send(kService + "Insert", std::string(4096, '\0'));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
  ExpectGoesOn();
}

TEST_F(GrpcServerTest, AnAnswerAboveTheLimitIsRefused) {
  Restart({.send_bytes_max = 4}, cluster_->services());
  const grpc::Status status = client().Send(kService + "GetVersion", "");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
}

TEST_F(GrpcServerTest, AFullQueueRefusesAtOnceAndWhatWaitsIsAnswered) {
  RestartGuarded({.request_workers = 1, .request_queue_max = 1});
  oracle_.Hold(true);
  const auto running = client().Start(kService + "AllocTimestamp");
  ASSERT_TRUE(HasBegun(*running));
  std::vector<std::unique_ptr<Pending>> calls;
  for (int i = 0; i < 3; ++i) calls.push_back(client().Start(kService + "GetVersion"));
  // One waits, whichever came first; the others are refused while it does.
  int done = 0;
  for (int waited_ms = 0; done < 2 && waited_ms < kPatienceMs; waited_ms += 15) {
    done = 0;
    for (const auto& call : calls) done += call->IsDone(5) ? 1 : 0;
  }
  EXPECT_EQ(done, 2);
  oracle_.Hold(false);
  EXPECT_TRUE(running->Wait().ok());
  int answered = 0;
  for (const auto& call : calls) {
    const grpc::Status status = call->Wait();
    answered += status.ok() ? 1 : 0;
    if (status.ok()) continue;
    EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_NE(status.error_message().find("[limit=1]"), std::string::npos)
        << status.error_message();
  }
  EXPECT_EQ(answered, 1);
  ExpectGoesOn();
}

TEST_F(GrpcServerTest, ACallerWhoseTimeIsUpEndsItsRequest) {
  RestartGuarded({});
  oracle_.Hold(true);
  const auto call = client().Start(kService + "AllocTimestamp", "", /*timeout_ms=*/1000);
  EXPECT_EQ(call->Wait().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(oracle_.Reached(1, 1)) << "the worker was not told";
  oracle_.Hold(false);
}

TEST_F(GrpcServerTest, AThrowingLibraryFailsItsRequestOnly) {
  RestartGuarded({});
  oracle_.OnNow([] { throw std::bad_alloc(); });
  EXPECT_EQ(client().Send(kService + "AllocTimestamp", "").error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  oracle_.OnNow([] { throw std::runtime_error("broken"); });
  EXPECT_EQ(client().Send(kService + "AllocTimestamp", "").error_code(),
            grpc::StatusCode::INTERNAL);
  ExpectGoesOn();
}

TEST_F(GrpcServerTest, StoppingAnswersWhatRunsAndRefusesWhatIsNew) {
  RestartGuarded({});
  oracle_.Hold(true);
  const auto running = client().Start(kService + "AllocTimestamp");
  ASSERT_TRUE(HasBegun(*running));
  auto stopping = executor_->Spawn("stop", [&] { server_.reset(); });
  grpc::StatusCode code = grpc::StatusCode::OK;
  for (int i = 0; i < 1000 && code == grpc::StatusCode::OK; ++i)
    code = client().Send(kService + "GetVersion", "").error_code();
  EXPECT_TRUE(code == grpc::StatusCode::UNAVAILABLE || code == grpc::StatusCode::CANCELLED) << code;
  oracle_.Hold(false);
  std::string bytes;
  EXPECT_TRUE(running->Wait(&bytes).ok());
  pb::AllocTimestampResponse answer;
  ASSERT_TRUE(answer.ParseFromString(bytes));
  EXPECT_EQ(answer.timestamp(), 77u);
  stopping.reset();
  EXPECT_EQ(server_, nullptr);
}

// A query that names the moment that many milliseconds ahead.
pb::QueryRequest QueryIn(Clock& clock, int64_t ms) {
  pb::QueryRequest query;
  query.set_collection_name("c");
  query.set_expr("id == 1");
  query.set_consistency_level(common::ConsistencyLevel::Customized);
  query.set_guarantee_timestamp(MakeTimestamp(clock.NowMs() + ms).value());
  return query;
}

common::Status StatusIn(const std::string& bytes) {
  pb::QueryResults answer;
  EXPECT_TRUE(answer.ParseFromString(bytes));
  return answer.status();
}

constexpr int kNotLoaded = 101;

TEST_F(GrpcServerTest, AReadWhoseGuaranteeLiesAheadIsAnsweredWhenTimeHasComeThatFar) {
  Restart({.request_workers = 1, .polling_threads = 1}, cluster_->services());
  CreateCollection("c");
  const int64_t begin_us = clock_.MonotonicUs();
  std::vector<std::unique_ptr<Pending>> calls;
  for (int i = 0; i < 20; ++i) {
    calls.push_back(client().Start(kService + "Query", QueryIn(clock_, 1000).SerializeAsString()));
  }
  // None of them holds the only thread.
  for (int i = 0; i < 20; ++i) ExpectGoesOn();
  for (const auto& call : calls) {
    std::string bytes;
    ASSERT_TRUE(call->Wait(&bytes).ok());
    // It was run: nobody has loaded the collection.
    EXPECT_EQ(StatusIn(bytes).code(), kNotLoaded) << StatusIn(bytes).reason();
  }
  EXPECT_GE(clock_.MonotonicUs() - begin_us, 1'000'000);
}

TEST_F(GrpcServerTest, AReadThatWaitsForItsTimeEndsWithItsCaller) {
  Restart({.request_queue_max = 1}, cluster_->services());
  CreateCollection("c");
  const std::string in_an_hour = QueryIn(clock_, 3'600'000).SerializeAsString();
  const auto late = client().Start(kService + "Query", in_an_hour, /*timeout_ms=*/300);
  EXPECT_EQ(late->Wait().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  const auto pause = executor_->MakeMonitor();
  // The place is free again for the next one, which is refused as long as it is not.
  grpc::StatusCode code = grpc::StatusCode::OK;
  for (int tries = 0; tries < 100 && code != grpc::StatusCode::DEADLINE_EXCEEDED; ++tries) {
    code = client().Start(kService + "Query", in_an_hour, /*timeout_ms=*/200)->Wait().error_code();
    EXPECT_TRUE(code == grpc::StatusCode::DEADLINE_EXCEEDED ||
                code == grpc::StatusCode::RESOURCE_EXHAUSTED)
        << code;
    std::lock_guard<Monitor> lock(*pause);
    pause->WaitFor(20);
  }
  EXPECT_EQ(code, grpc::StatusCode::DEADLINE_EXCEEDED);
}

TEST_F(GrpcServerTest, OneMoreReadThanMayWaitForItsTimeIsRefused) {
  Restart({.request_queue_max = 2}, cluster_->services());
  CreateCollection("c");
  std::vector<std::unique_ptr<Pending>> calls;
  for (int i = 0; i < 3; ++i) {
    calls.push_back(client().Start(kService + "Query", QueryIn(clock_, 1500).SerializeAsString()));
  }
  int refused = 0;
  for (const auto& call : calls) {
    const grpc::Status status = call->Wait();
    refused += status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED ? 1 : 0;
  }
  EXPECT_EQ(refused, 1);
}

TEST_F(GrpcServerTest, StoppingDoesNotWaitForReadsThatWaitForTheirTime) {
  CreateCollection("c");
  const auto waiting =
      client().Start(kService + "Query", QueryIn(clock_, 3'600'000).SerializeAsString());
  for (int i = 0; i < 20; ++i) waiting->IsDone(10);
  ASSERT_FALSE(waiting->IsDone(1));
  const int64_t begin_us = clock_.MonotonicUs();
  server_.reset();
  EXPECT_LT(clock_.MonotonicUs() - begin_us, 3'000'000);
  EXPECT_EQ(waiting->Wait().error_code(), grpc::StatusCode::UNAVAILABLE);
}

// gRPC closes a connection when its client agrees. This one never does, as one that is suspended.
TEST_F(GrpcServerTest, StoppingDoesNotWaitForAnIdleClient) {
  const int fd = Connect(server_->port());
  const std::string hello =
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string("\0\0\0\4\0\0\0\0\0", 9);
  ASSERT_EQ(::send(fd, hello.data(), hello.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(hello.size()));
  char byte;
  ASSERT_EQ(::recv(fd, &byte, 1, 0), 1);  // The server's settings: it knows the client.
  const int64_t begin_us = clock_.MonotonicUs();
  server_.reset();
  EXPECT_LT(clock_.MonotonicUs() - begin_us, 3'000'000);
  ::close(fd);
}

TEST_F(GrpcServerTest, StoppingAtAnyMomentIsClean) {
  for (int round = 0; round < 100; ++round) {
    Restart({}, cluster_->services());
    std::vector<std::unique_ptr<Pending>> calls;
    for (int i = 0; i < round % 20; ++i) calls.push_back(client().Start(kService + "GetVersion"));
    if (!calls.empty() && round % 3 == 0) calls[0]->Wait();
    server_.reset();
    for (const auto& call : calls) {
      const grpc::StatusCode code = call->Wait().error_code();
      EXPECT_TRUE(code == grpc::StatusCode::OK || code == grpc::StatusCode::UNAVAILABLE ||
                  code == grpc::StatusCode::CANCELLED)
          << code;
    }
  }
}

TEST_F(GrpcServerTest, APortInUseIsRefusedByItsNumber) {
  const auto second = GrpcServer::Start(*executor_, cluster_->services(),
                                        {.address = "127.0.0.1", .port = server_->port()});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().code(), ErrorCode::kIoFailed);
  EXPECT_NE(second.status().message().find(std::to_string(server_->port())), std::string::npos);
}

// Sends the bytes on a connection of its own and waits until the server closes it or has nothing to
// say for a moment.
void SendRaw(int port, const std::string& bytes) {
  const int fd = Connect(port);
  (void)::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
  char buffer[4096];
  while (::poll(&waiting, 1, 20) > 0 && ::recv(fd, buffer, sizeof(buffer), 0) > 0) {
  }
  ::close(fd);
}

TEST_F(GrpcServerTest, RandomBytesOnThePortDoNotStopIt) {
  std::mt19937 random(3);
  const std::string preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  const std::string settings("\0\0\0\4\0\0\0\0\0", 9);
  for (const std::string& start :
       {std::string(), preface, preface + settings, std::string("GET / HTTP/1.1\r\n\r\n"),
        std::string("\x16\x03\x01")}) {
    for (size_t length : {0, 1, 9, 100, 10'000}) {
      std::string bytes = start;
      for (size_t i = 0; i < length; ++i) bytes.push_back(static_cast<char>(random()));
      SendRaw(server_->port(), bytes);
    }
  }
  ExpectGoesOn();
}

}  // namespace
}  // namespace elanus::wire
