// Builds or opens one index over the vectors of a folder and times the searches it is asked for.
//
//   elanus_ann FOLDER FILE TYPE THREADS [name=value ...]
//
// FOLDER holds base.fbin and query.fbin; the metric is the environment's ELANUS_METRIC (IP or L2).
// FILE is where the index is kept: built when absent. Then one command a line on standard input:
//
//   MODE OUT [name=value ...]     MODE: batch (one call), single (a call a query), parallel (the
//   batch on THREADS threads), cold (batch, with nothing of FILE in the page cache), few (single,
//   of the first 50 queries)
//
// `allowed=FILE` among the words names a file of a bit a row: only rows whose bit is set are found.
// Each writes the rows found (queries x 10 u32) to OUT and prints one line of JSON. `stream` in the
// place of a mode and OUT only prints how long it takes to read the vectors once.
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
#include "index/batch.h"
#include "index/diskann/diskann.h"
#include "index/exact_batch.h"
#include "index/vector_index.h"

namespace elanus::index {
namespace {

constexpr uint32_t kTop = 10;
constexpr size_t kFew = 50;

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

// Takes the pages of a mapped file out of memory.
void Forget(const std::string& path, std::string_view mapped) {
  madvise(const_cast<char*>(mapped.data()), mapped.size(), MADV_DONTNEED);
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  // Pages not yet written to the disk would stay.
  if (fd < 0 || fdatasync(fd) != 0 || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) != 0) {
    Fail("cannot forget " + path);
  }
  close(fd);
}

// Bytes that this process has had read from the disk so far.
uint64_t ReadSoFar() {
  std::ifstream counters("/proc/self/io");
  for (std::string name; counters >> name;) {
    uint64_t value = 0;
    counters >> value;
    if (name == "read_bytes:") return value;
  }
  Fail("the system does not count what is read");
}

// Seconds of CPU to read all vectors once, the least of several: what an exact scan cannot beat.
double StreamSeconds(const VectorBlock& base) {
  constexpr int kPasses = 5;
  const auto* words = static_cast<const uint64_t*>(base.data);
  const size_t count = base.rows * base.dim * sizeof(float) / sizeof(uint64_t);
  double least = 1e9;
  for (int pass = 0; pass < kPasses; ++pass) {
    const double begin = Seconds(CLOCK_PROCESS_CPUTIME_ID);
    uint64_t sum = 0;
    for (size_t i = 0; i < count; ++i) sum += words[i];
    // What is read must be wanted, or nothing is.
    volatile const uint64_t used = sum;
    static_cast<void>(used);
    least = std::min(least, Seconds(CLOCK_PROCESS_CPUTIME_ID) - begin);
  }
  return least;
}

std::map<std::string, std::string> ReadWords(std::istream& words) {
  std::map<std::string, std::string> texts;
  for (std::string word; words >> word;) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos) Fail("not name=value: " + word);
    texts[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return texts;
}

Params Parse(const IndexType& type, Phase phase, const std::map<std::string, std::string>& texts) {
  Result<Params> params = ParseParams(type.params, phase, texts);
  if (!params.ok()) Fail(params.status().message());
  return std::move(*params);
}

// The bits of a file, one a row.
Bitset ReadBits(const std::string& path, size_t rows) {
  Bitset bits(rows);
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(bits.words()), static_cast<std::streamsize>((rows + 7) / 8));
  if (!file) Fail("cannot read " + path);
  return bits;
}

struct Opened {
  const IndexType& type;
  const VectorIndex& index;
  const std::string& path;
  std::string_view mapped;
  const VectorBlock& base;
  model::Metric metric;
};

// Runs one command line.
void Measure(Context& ctx, Pool& pool, const Opened& opened, VectorBlock queries,
             const std::string& line) {
  std::istringstream words(line);
  std::string mode;
  std::string out;
  words >> mode >> out;
  if (mode == "stream") {
    fmt::print("{{\"cpu_s\": {}}}\n", StreamSeconds(opened.base));
    std::fflush(stdout);
    return;
  }
  std::map<std::string, std::string> texts = ReadWords(words);
  Bitset allowed;
  if (const auto path = texts.extract("allowed")) {
    allowed = ReadBits(path.mapped(), opened.base.rows);
  }
  const Params params = Parse(opened.type, Phase::kSearch, texts);
  std::vector<uint32_t> rows(queries.rows * kTop);
  std::vector<float> scores(rows.size());
  const auto request = [&](size_t begin, size_t count) -> SearchRequest {
    return {.queries = queries.Slice(begin, count),
            .k = kTop,
            .params = params,
            .allowed = allowed.view()};
  };
  const auto search = [&](Context& context, size_t begin, size_t count) -> Status {
    return opened.index.Search(context, request(begin, count),
                               {rows.data() + begin * kTop, scores.data() + begin * kTop});
  };
  if (mode == "cold") Forget(opened.path, opened.mapped);
  const uint64_t blocks = DiskAnnBlocksRead();
  const uint64_t read = ReadSoFar();
  const double wall = Seconds(CLOCK_MONOTONIC);
  const double cpu = Seconds(CLOCK_PROCESS_CPUTIME_ID);
  Status status;
  if (mode == "batch" || mode == "cold") {
    status = search(ctx, 0, queries.rows);
  } else if (mode == "single" || mode == "few") {
    const size_t count = mode == "single" ? queries.rows : std::min<size_t>(queries.rows, kFew);
    for (size_t q = 0; q < count && status.ok(); ++q) status = search(ctx, q, 1);
  } else if (mode == "parallel" &&
             SharesExactBatch(&opened.type, opened.base, opened.metric, kTop)) {
    // As a query node answers a request,
    status =
        SearchExactTogether(ctx, {.pool = &pool, .max = HelpersMax(pool, {})}, opened.base,
                            opened.metric, request(0, queries.rows), {rows.data(), scores.data()});
  } else if (mode == "parallel") {
    // and cuts one.
    const std::vector<size_t> begins = CutQueries(pool, {}, {.queries = queries.rows});
    status = pool.ParallelFor(ctx, begins.size() - 1, [&](size_t part) {
      return search(ctx, begins[part], begins[part + 1] - begins[part]);
    });
  } else {
    Fail("no mode " + mode);
  }
  const double cpu_s = Seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  const double wall_s = Seconds(CLOCK_MONOTONIC) - wall;
  if (!status.ok()) Fail(status.message());
  std::ofstream(out, std::ios::binary)
      .write(reinterpret_cast<const char*>(rows.data()),
             static_cast<std::streamsize>(rows.size() * sizeof(uint32_t)));
  fmt::print("{{\"cpu_s\": {}, \"wall_s\": {}, \"blocks_read\": {}, \"read_bytes\": {}}}\n", cpu_s,
             wall_s, DiskAnnBlocksRead() - blocks, ReadSoFar() - read);
  std::fflush(stdout);
}

int Run(int argc, char** argv) {
  if (argc < 5) Fail("usage: elanus_ann FOLDER FILE TYPE THREADS [name=value ...]");
  const std::string folder = argv[1];
  const std::string file = argv[2];
  const IndexType* type = FindType(VectorKind::kDense, argv[3]);
  if (type == nullptr) Fail(fmt::format("no index type {}", argv[3]));
  const char* metric_name = std::getenv("ELANUS_METRIC");
  const model::Metric metric = metric_name != nullptr && std::string_view(metric_name) == "L2"
                                   ? model::Metric::kL2
                                   : model::Metric::kIp;
  std::string text;
  for (int i = 5; i < argc; ++i) text += std::string(argv[i]) + " ";
  std::istringstream words(text);
  const Params build = Parse(*type, Phase::kBuild, ReadWords(words));
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
  const std::string_view mapped = blob.bytes();
  Result<std::unique_ptr<VectorIndex>> index = type->Open(std::move(blob), base, metric);
  if (!index.ok()) Fail(index.status().message());
  // What must be in memory: of DISKANN only what opening copied there.
  const size_t heap = (*index)->memory_bytes();
  const size_t memory = type == &DiskAnnType() ? heap : std::max(heap, mapped.size());
  fmt::print(
      "{{\"build_s\": {}, \"build_cpu_s\": {}, \"file_bytes\": {}, \"memory_bytes\": {}, "
      "\"rows\": {}}}\n",
      build_s, build_cpu_s, mapped.size(), memory, base.rows);
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
    if (!line.empty())
      Measure(ctx, pool, {*type, **index, file, mapped, base, metric}, queries, line);
  }
  return 0;
}

}  // namespace
}  // namespace elanus::index

int main(int argc, char** argv) { return elanus::index::Run(argc, argv); }
