// Builds or opens one index over the vectors of a folder and times the searches it is asked for.
//
//   elanus_ann FOLDER FILE TYPE THREADS [name=value ...]
//
// FOLDER holds base.fbin and query.fbin; the metric is the environment's ELANUS_METRIC (IP or L2).
// FILE is where the index is kept: built when absent. Then one command a line on standard input:
//
//   MODE OUT [name=value ...]     MODE: batch (one call), single (a call a query), parallel
//   (THREADS)
//
// Each writes the rows found (queries x 10 u32) to OUT and prints one line of JSON.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include "base/executor.h"
#include "index/diskann/diskann.h"
#include "index/vector_index.h"

namespace elanus::index {
namespace {

constexpr uint32_t kTop = 10;

double Seconds(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

[[noreturn]] void Fail(std::string_view what) {
  fmt::print(stderr, "elanus_ann: {}\n", what);
  std::exit(1);
}

// The whole file, mapped; lives as long as the program.
Blob Map(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info;
  if (fd < 0 || fstat(fd, &info) != 0) Fail("cannot read " + path);
  const auto size = static_cast<size_t>(info.st_size);
  void* at = mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
  close(fd);
  if (at == MAP_FAILED) Fail("cannot map " + path);
  return {nullptr, {static_cast<const char*>(at), size}, 0};
}

// Two int32 (rows, dimension), then float32.
VectorBlock ReadVectors(const std::string& path) {
  const std::string_view bytes = Map(path).bytes();
  int32_t shape[2];
  std::memcpy(shape, bytes.data(), sizeof(shape));
  const size_t size = static_cast<size_t>(shape[0]) * static_cast<size_t>(shape[1]) * sizeof(float);
  if (bytes.size() != sizeof(shape) + size) Fail(path + " has another size than it says");
  // On huge pages where there are some, as the segments' own vectors lie in memory.
  void* copy = std::aligned_alloc(2 << 20, (size + (2 << 20) - 1) >> 21 << 21);
  madvise(copy, (size + (2 << 20) - 1) >> 21 << 21, MADV_HUGEPAGE);
  std::memcpy(copy, bytes.data() + sizeof(shape), size);
  munmap(const_cast<char*>(bytes.data()), bytes.size());
  return {
      .data = copy, .rows = static_cast<size_t>(shape[0]), .dim = static_cast<uint32_t>(shape[1])};
}

Params Parse(const IndexType& type, Phase phase, std::istream& words) {
  std::map<std::string, std::string> texts;
  for (std::string word; words >> word;) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos) Fail("not name=value: " + word);
    texts[word.substr(0, equals)] = word.substr(equals + 1);
  }
  Result<Params> params = ParseParams(type.params, phase, texts);
  if (!params.ok()) Fail(params.status().message());
  return std::move(*params);
}

// Runs one command line.
void Measure(Context& ctx, Pool& pool, const IndexType& type, const VectorIndex& index,
             VectorBlock queries, const std::string& line) {
  std::istringstream words(line);
  std::string mode;
  std::string out;
  words >> mode >> out;
  const Params params = Parse(type, Phase::kSearch, words);
  std::vector<uint32_t> rows(queries.rows * kTop);
  std::vector<float> scores(rows.size());
  const auto search = [&](Context& context, size_t begin, size_t count) -> Status {
    const VectorBlock part{.data = queries.row(begin), .rows = count, .dim = queries.dim};
    return index.Search(context, part, kTop, params, {},
                        {rows.data() + begin * kTop, scores.data() + begin * kTop});
  };
  const uint64_t blocks = DiskAnnBlocksRead();
  const double wall = Seconds(CLOCK_MONOTONIC);
  const double cpu = Seconds(CLOCK_PROCESS_CPUTIME_ID);
  Status status;
  if (mode == "batch") {
    status = search(ctx, 0, queries.rows);
  } else if (mode == "single") {
    for (size_t q = 0; q < queries.rows && status.ok(); ++q) status = search(ctx, q, 1);
  } else {
    constexpr size_t kAtOnce = 64;
    status = pool.ParallelFor(ctx, (queries.rows + kAtOnce - 1) / kAtOnce, [&](size_t part) {
      return search(ctx, part * kAtOnce, std::min(kAtOnce, queries.rows - part * kAtOnce));
    });
  }
  const double cpu_s = Seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  const double wall_s = Seconds(CLOCK_MONOTONIC) - wall;
  if (!status.ok()) Fail(status.message());
  std::ofstream(out, std::ios::binary)
      .write(reinterpret_cast<const char*>(rows.data()),
             static_cast<std::streamsize>(rows.size() * sizeof(uint32_t)));
  fmt::print("{{\"cpu_s\": {}, \"wall_s\": {}, \"blocks_read\": {}}}\n", cpu_s, wall_s,
             DiskAnnBlocksRead() - blocks);
  std::fflush(stdout);
}

int Run(int argc, char** argv) {
  if (argc < 5) Fail("usage: elanus_ann FOLDER FILE TYPE THREADS [name=value ...]");
  const std::string folder = argv[1];
  const std::string file = argv[2];
  const IndexType* type = FindType(argv[3]);
  if (type == nullptr) Fail(fmt::format("no index type {}", argv[3]));
  const char* metric_name = std::getenv("ELANUS_METRIC");
  const model::Metric metric = metric_name != nullptr && std::string_view(metric_name) == "L2"
                                   ? model::Metric::kL2
                                   : model::Metric::kIp;
  std::string text;
  for (int i = 5; i < argc; ++i) text += std::string(argv[i]) + " ";
  std::istringstream words(text);
  const Params build = Parse(*type, Phase::kBuild, words);
  const VectorBlock base = ReadVectors(folder + "/base.fbin");
  const VectorBlock queries = ReadVectors(folder + "/query.fbin");

  SystemClock clock;
  Context ctx(clock);
  const auto executor = MakeThreadExecutor();
  // The calling thread works too.
  const size_t threads = std::max(1, std::atoi(argv[4]));
  Pool pool(*executor, "bench", std::max<size_t>(1, threads - 1), 1024);
  double build_s = 0;
  double build_cpu_s = 0;
  if (access(file.c_str(), R_OK) != 0) {
    const double wall = Seconds(CLOCK_MONOTONIC);
    const double cpu = Seconds(CLOCK_PROCESS_CPUTIME_ID);
    Result<std::string> bytes =
        type->Build(ctx, base, metric, build, {.pool = threads > 1 ? &pool : nullptr});
    if (!bytes.ok()) Fail(bytes.status().message());
    build_s = Seconds(CLOCK_MONOTONIC) - wall;
    build_cpu_s = Seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    std::ofstream(file, std::ios::binary) << *bytes;
  }
  Blob blob = Map(file);
  const size_t bytes = blob.bytes().size();
  Result<std::unique_ptr<VectorIndex>> index = type->Open(std::move(blob), base, metric);
  if (!index.ok()) Fail(index.status().message());
  fmt::print(
      "{{\"build_s\": {}, \"build_cpu_s\": {}, \"file_bytes\": {}, \"heap_bytes\": {}, "
      "\"rows\": {}}}\n",
      build_s, build_cpu_s, bytes, (*index)->memory_bytes(), base.rows);
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
    if (!line.empty()) Measure(ctx, pool, *type, **index, queries, line);
  }
  return 0;
}

}  // namespace
}  // namespace elanus::index

int main(int argc, char** argv) { return elanus::index::Run(argc, argv); }
