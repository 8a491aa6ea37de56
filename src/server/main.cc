// The program: `elanus serve`, `elanus repair`, `elanus log`, `elanus options`, `elanus version`.
#include <signal.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/machine.h"
#include "server/config.h"
#include "server/log_tool.h"
#include "server/repair.h"
#include "server/standalone.h"

namespace elanus::server {
namespace {

constexpr const char* kUsage =
    "usage: elanus serve [--data DIR] [--port N] [--management-port N] [--config FILE] [--set "
    "KEY=VALUE]...\n"
    "       elanus repair --data DIR [--cut]    says what is damaged in the log, and cuts there\n"
    "       elanus log --data DIR [--topic NAME [--group NAME] [--count N]]    lists the log's "
    "streams, or\n"
    "                   the changes in one; with a group those that it has not had yet\n"
    "       elanus options    lists every configuration key\n"
    "       elanus version\n";

Status ParsePort(const std::string& name, const std::string& text, int64_t& port) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), port);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || port < 0 ||
      port > 65535) {
    return Invalid("{} should be a port from 0 to 65535, got {}", name, text);
  }
  return {};
}

Status ParseArguments(const std::vector<std::string>& arguments, Config& config) {
  // The file first, so that the command line wins whatever its order.
  for (size_t i = 0; i + 1 < arguments.size(); ++i) {
    if (arguments[i] == "--config") TRY(ReadConfig(arguments[i + 1], config));
  }
  for (size_t i = 0; i < arguments.size(); i += 2) {
    const std::string& name = arguments[i];
    if (i + 1 == arguments.size()) return Invalid("{} needs a value", name);
    const std::string& value = arguments[i + 1];
    if (name == "--config") continue;
    if (name == "--data") {
      config.data_directory = value;
    } else if (name == "--port") {
      TRY(ParsePort(name, value, config.grpc.port));
    } else if (name == "--management-port") {
      TRY(ParsePort(name, value, config.management.port));
    } else if (name == "--set") {
      const size_t equals = value.find('=');
      if (equals == std::string::npos) return Invalid("--set takes KEY=VALUE, got {}", value);
      TRY(SetOption(config, value.substr(0, equals), value.substr(equals + 1)));
    } else {
      return Invalid("unknown argument: {}", name);
    }
  }
  return {};
}

int Serve(const std::vector<std::string>& arguments) {
  Config config;
  if (const Status parsed = ParseArguments(arguments, config); !parsed.ok()) {
    std::fprintf(stderr, "elanus: %s\n%s", std::string(parsed.message()).c_str(), kUsage);
    return 2;
  }
  ReturnLargeBuffers();
  // Blocked before any thread starts, so that only the wait below gets them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  auto server = Standalone::Start(config);
  if (!server.ok()) {
    std::fprintf(stderr, "elanus: %s\n", std::string(server.status().message()).c_str());
    return 1;
  }
  std::printf("elanus ready: port=%d management_port=%d\n", (*server)->port(),
              (*server)->management_port());
  std::fflush(stdout);
  int caught = 0;
  sigwait(&signals, &caught);
  LogInfo("stopping signal={}", strsignal(caught));
  server->reset();
  LogInfo("stopped");
  return 0;
}

int RunRepair(const std::vector<std::string>& arguments) {
  RepairRequest request;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--cut") {
      request.cut = true;
    } else if (arguments[i] == "--data" && i + 1 < arguments.size()) {
      request.data_directory = arguments[++i];
    } else {
      std::fprintf(stderr, "elanus: unknown argument: %s\n%s", arguments[i].c_str(), kUsage);
      return 2;
    }
  }
  if (request.data_directory.empty()) {
    std::fprintf(stderr, "elanus: repair needs --data DIR\n%s", kUsage);
    return 2;
  }
  const Result<bool> repaired = Repair(request);
  if (!repaired.ok()) {
    std::fprintf(stderr, "elanus: %s\n", std::string(repaired.status().message()).c_str());
    return 1;
  }
  return *repaired ? 0 : 1;
}

int RunLog(const std::vector<std::string>& arguments) {
  LogRequest request;
  for (size_t i = 0; i + 1 < arguments.size(); i += 2) {
    const std::string& name = arguments[i];
    const std::string& value = arguments[i + 1];
    const char* end = value.data() + value.size();
    if (name == "--data") {
      request.data_directory = value;
    } else if (name == "--topic") {
      request.topic = value;
    } else if (name == "--group") {
      request.group = value;
    } else if (name != "--count" || std::from_chars(value.data(), end, request.count).ptr != end ||
               request.count < 1) {
      std::fprintf(stderr, "elanus: unknown argument: %s %s\n%s", name.c_str(), value.c_str(),
                   kUsage);
      return 2;
    }
  }
  if (request.data_directory.empty() || arguments.size() % 2 != 0) {
    std::fprintf(stderr, "elanus: log needs --data DIR, and each word its value\n%s", kUsage);
    return 2;
  }
  const Status shown = ShowLog(request);
  if (shown.ok()) return 0;
  std::fprintf(stderr, "elanus: %s\n", std::string(shown.message()).c_str());
  return 1;
}

int Main(int argc, char** argv) {
  const std::string command = argc > 1 ? argv[1] : "";
  const std::vector<std::string> rest(argv + std::min(argc, 2), argv + argc);
  if (command == "serve") return Serve(rest);
  if (command == "repair") return RunRepair(rest);
  if (command == "log") return RunLog(rest);
  if (command == "options") {
    std::fputs(DescribeOptions().c_str(), stdout);
    return 0;
  }
  if (command == "version" || command == "--version") {
    std::puts("elanus " ELANUS_VERSION);
    return 0;
  }
  std::fputs(kUsage, command == "help" || command == "--help" ? stdout : stderr);
  return command == "help" || command == "--help" ? 0 : 2;
}

}  // namespace
}  // namespace elanus::server

int main(int argc, char** argv) { return elanus::server::Main(argc, argv); }
