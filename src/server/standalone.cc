// The fronts before the roles. Members are declared in the order in which they depend on one
// another and destroyed in the opposite order.
#include "server/standalone.h"

#include <unistd.h>

#include <algorithm>

#include "base/machine.h"
#include "functions/models.h"
#include "http/client.h"
#include "server/role_set.h"
#include "trees/chain_models.h"
#include "wire/http/explain_route.h"
#include "wire/http/garbage_routes.h"
#include "wire/http/metrics_route.h"

namespace elanus::server {
namespace {

// One worker a core: the machine's threads are what a search can use.
size_t Cores() {
  const long cores = ::sysconf(_SC_NPROCESSORS_ONLN);
  return cores > 0 ? static_cast<size_t>(cores) : 1;
}

// With this machine's numbers where the configuration leaves them open.
Config Completed(const Config& config) {
  Config completed = config;
  if (completed.index_jobs.auto_index_memory_mb == 0) {
    completed.index_jobs.auto_index_memory_mb = (ReadMemoryUse().total_bytes / 2) >> 20;
  }
  if (completed.streaming.growing_mb_max == 0) {
    completed.streaming.growing_mb_max = (ReadMemoryUse().total_bytes / 4) >> 20;
  }
  if (completed.grpc.polling_threads == 0) {
    completed.grpc.polling_threads = static_cast<int64_t>(Cores()) + 1;
  }
  return completed;
}

// Model services as the configuration and the environment say, over HTTP by `http`.
std::unique_ptr<functions::Models> OpenModels(Clock& clock, Executor& executor,
                                              const functions::FunctionOptions& options,
                                              std::unique_ptr<http::Client>& http) {
  http = http::MakeClient(
      {.connect_timeout_ms = static_cast<int64_t>(options.connect_timeout_s * 1000),
       .answer_bytes_max = options.answer_bytes_max,
       .idle_max = static_cast<size_t>(options.parallel_batches) * 2,
       .ca_file = options.ca_file});
  return std::make_unique<functions::Models>(
      functions::Models::Parts{.executor = executor,
                               .clock = clock,
                               .http = *http,
                               .environment = functions::ProcessEnvironment()},
      options);
}

}  // namespace

struct Standalone::Impl {
  SystemClock clock;
  std::unique_ptr<Executor> executor = MakeThreadExecutor();
  std::unique_ptr<Executor> background;
  std::shared_ptr<backend::DirectoryLock> lock;
  std::unique_ptr<http::Client> http;
  std::unique_ptr<functions::Models> models;
  std::unique_ptr<RoleSet> roles;
  std::unique_ptr<wire::GrpcServer> grpc;
  std::unique_ptr<wire::ManagementServer> management;
};

Standalone::Standalone(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Standalone::~Standalone() {
  impl_->management.reset();
  impl_->grpc.reset();
}

int Standalone::port() const { return impl_->grpc->port(); }
int Standalone::management_port() const { return impl_->management->port(); }

Result<std::unique_ptr<Standalone>> Standalone::Start(const Config& given) {
  const Config config = Completed(given);
  auto impl = std::make_unique<Impl>();
  Impl& s = *impl;
  s.background = MakeBackgroundExecutor(*s.executor, config.background);
  TRY_ASSIGN(backend::Stores stores,
             backend::OpenStores(config.data_directory, config.local, config.objects));
  s.lock = std::move(stores.lock);
  text::SetTextOptions(config.text);
  trees::SetTreesOptions(config.trees);
  // The calling thread takes part in a search, so one worker fewer fills the cores.
  const size_t workers = std::max<size_t>(1, Cores() - 1);
  TRY_ASSIGN(s.roles,
             RoleSet::Open(
                 {.objects = std::move(stores.objects),
                  .meta = std::move(stores.meta),
                  .wal = std::move(stores.wal)},
                 {.executor = *s.executor,
                  .background = *s.background,
                  .clock = s.clock,
                  .search_threads = workers,
                  .build_threads = workers,
                  .fan_out_threads = workers,
                  .probes = {.memory = ReadMemoryUse,
                             .disk = [directory =
                                          config.data_directory] { return ReadDiskUse(directory); },
                             .stored_bytes = {}}},
                 config));
  s.models = OpenModels(s.clock, *s.executor, config.functions, s.http);
  s.roles->services().models = s.models.get();
  TRY_ASSIGN(s.grpc, wire::GrpcServer::Start(*s.executor, s.roles->services(), config.grpc));
  std::vector<wire::ManagementRoute> routes = wire::GarbageRoutes(s.roles->garbage());
  routes.push_back(wire::ExplainRoute(s.roles->services()));
  routes.push_back(wire::MetricsRoute());
  TRY_ASSIGN(s.management,
             wire::ManagementServer::Start(*s.executor, config.management, std::move(routes)));
  return std::unique_ptr<Standalone>(new Standalone(std::move(impl)));
}

}  // namespace elanus::server
