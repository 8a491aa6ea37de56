// An index for each value of a key.
#include "index/key_runs.h"

#include <algorithm>
#include <bit>

#include "base/bytes.h"
#include "base/fields.h"
#include "base/framed.h"
#include "index/embedding_list.h"
#include "index/top_k.h"

namespace elanus::index {
namespace {

constexpr std::string_view kMagic = "ELKEYRUN";
constexpr uint32_t kVersion = 1;
constexpr size_t kAlignment = 64;
constexpr size_t kHeadBytes = 16;  // Magic, and the size of the list.

struct Part {
  uint32_t begin = 0;
  uint32_t rows = 0;
  uint64_t offset = 0;
  uint64_t bytes = 0;
  template <class V>
  void Fields(V& v) {
    v(1, "begin", begin);
    v(2, "rows", rows);
    v(3, "offset", offset);
    v(4, "bytes", bytes);
  }
};

struct Directory {
  uint64_t rows = 0;  // Of the segment.
  std::vector<Part> parts;
  template <class V>
  void Fields(V& v) {
    v(1, "rows", rows);
    v(2, "parts", parts);
  }
};

size_t Aligned(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

// Rows [begin, begin + count) of the bits, from bit 0 on. Returns how many are set.
size_t CutBits(BitsetView bits, size_t begin, size_t count, Bitset& cut) {
  cut.Resize(count);
  const size_t shift = begin % 64;
  const size_t first = begin / 64;
  for (size_t w = 0; w < cut.word_count(); ++w) {
    uint64_t word = bits.words[first + w] >> shift;
    if (shift != 0 && first + w + 1 < bits.word_count()) {
      word |= bits.words[first + w + 1] << (64 - shift);
    }
    cut.words()[w] = word;
  }
  cut.ClearTail();
  return cut.Count();
}

class KeyRunsIndex final : public VectorIndex {
 public:
  struct OpenedPart {
    KeyRun run;
    std::unique_ptr<VectorIndex> index;  // Null: rows of no run.
  };

  KeyRunsIndex(Blob file, VectorBlock rows, model::Metric metric, std::vector<OpenedPart> parts)
      : file_(std::move(file)), rows_(rows), metric_(metric), parts_(std::move(parts)) {}

  Status Search(Context& ctx, const SearchRequest& request, Hits hits) const override {
    const size_t nq = request.queries.rows;
    const float scale = model::LargerIsBetter(metric_) ? -1.0f : 1.0f;
    std::vector<TopK> best(nq, TopK(request.k));
    std::vector<uint32_t> rows(nq * request.k);
    std::vector<float> scores(nq * request.k);
    Bitset allowed;
    for (const OpenedPart& part : parts_) {
      SearchRequest of_part = request;
      if (!request.allowed.empty()) {
        const size_t count = CutBits(request.allowed, part.run.begin, part.run.rows, allowed);
        if (count == 0) continue;
        of_part.allowed = count == part.run.rows ? BitsetView() : allowed.view();
      }
      TRY(SearchPart(ctx, part, of_part, {.rows = rows.data(), .scores = scores.data()}));
      for (size_t q = 0; q < nq; ++q) {
        for (size_t i = q * request.k; i < (q + 1) * request.k && rows[i] != kNoRow; ++i) {
          best[q].Push(scale * scores[i], part.run.begin + rows[i]);
        }
      }
    }
    for (size_t q = 0; q < nq; ++q) best[q].WriteTo(hits, q, scale);
    return {};
  }

  size_t rows() const override { return rows_.rows; }
  size_t memory_bytes() const override {
    size_t bytes = 0;
    for (const OpenedPart& part : parts_) {
      if (part.index != nullptr) bytes += part.index->memory_bytes();
    }
    return bytes;
  }

 private:
  Status SearchPart(Context& ctx, const OpenedPart& part, const SearchRequest& request,
                    Hits hits) const {
    std::fill_n(hits.rows, request.queries.rows * request.k, kNoRow);
    if (part.index != nullptr) return part.index->Search(ctx, request, hits);
    const VectorBlock rows = rows_.Slice(part.run.begin, part.run.rows);
    return model::IsMaxSim(metric_) ? SearchExactLists(ctx, rows, metric_, request, hits)
                                    : SearchExact(ctx, rows, metric_, request, hits);
  }

  const Blob file_;
  const VectorBlock rows_;
  const model::Metric metric_;
  const std::vector<OpenedPart> parts_;  // Every row is of one; ascending.
};

Status Damaged(std::string_view why) {
  return Error(ErrorCode::kIntegrity, "an index in parts by key: {}", why);
}

}  // namespace

Result<std::string> BuildKeyRuns(Context& ctx, const IndexType& type, VectorBlock rows,
                                 model::Metric metric, const Params& build,
                                 std::span<const KeyRun> runs, const BuildOptions& options) {
  Directory directory{.rows = rows.rows, .parts = {}};
  std::string parts;
  size_t indexed = 0;
  for (const KeyRun& run : runs) {
    TRY(ctx.CheckAlive());
    BuildOptions of_part = options;
    of_part.on_progress = nullptr;
    TRY_ASSIGN(const std::string file,
               BuildIndex(ctx, type, rows.Slice(run.begin, run.rows), metric, build, of_part));
    directory.parts.push_back(
        {.begin = run.begin, .rows = run.rows, .offset = parts.size(), .bytes = file.size()});
    parts += file;
    parts.resize(Aligned(parts.size()));
    indexed += run.rows;
    if (options.on_progress) {
      options.on_progress(static_cast<double>(indexed) / static_cast<double>(rows.rows));
    }
  }
  const std::string list = Frame(kMagic, kVersion, Encode(directory));
  ByteWriter out;
  out.Raw(kMagic.data(), kMagic.size());
  out.U64(list.size());
  out.Raw(list.data(), list.size());
  std::string file = std::move(out).Take();
  file.resize(Aligned(file.size()));
  return file + parts;
}

bool IsKeyRunsFile(std::string_view file) { return file.starts_with(kMagic); }

Result<std::unique_ptr<VectorIndex>> OpenKeyRuns(const IndexType& type, Blob file, VectorBlock rows,
                                                 model::Metric metric) {
  ByteReader in(file.bytes().substr(std::min(kMagic.size(), file.bytes().size())));
  uint64_t list_bytes = 0;
  std::string_view list;
  if (!IsKeyRunsFile(file.bytes()) || !in.U64(list_bytes) || !in.View(list_bytes, list)) {
    return Damaged("its head is cut off");
  }
  TRY_ASSIGN(const std::string_view payload, Unframe(kMagic, kVersion, list, "index"));
  TRY_ASSIGN(const Directory directory, Decode<Directory>(payload));
  if (directory.rows != rows.rows) return Damaged("it is of other rows");
  const size_t first = Aligned(kHeadBytes + list_bytes);
  std::vector<KeyRunsIndex::OpenedPart> parts;
  uint32_t next = 0;
  const auto fill_to = [&](uint32_t row) {
    if (row > next) parts.push_back({.run = {.begin = next, .rows = row - next}, .index = nullptr});
  };
  for (const Part& part : directory.parts) {
    const size_t size = file.bytes().size();
    if (part.begin < next || part.begin > rows.rows || part.rows > rows.rows - part.begin ||
        part.offset > size || first > size - part.offset ||
        part.bytes > size - part.offset - first) {
      return Damaged("a part lies outside of it");
    }
    fill_to(part.begin);
    next = part.begin + part.rows;
    Blob bytes(std::make_shared<const Blob>(file),
               file.bytes().substr(first + part.offset, part.bytes), 0);
    TRY_ASSIGN(auto index,
               OpenIndex(type, std::move(bytes), rows.Slice(part.begin, part.rows), metric));
    parts.push_back({.run = {.begin = part.begin, .rows = part.rows}, .index = std::move(index)});
  }
  fill_to(static_cast<uint32_t>(rows.rows));
  return std::unique_ptr<VectorIndex>(
      std::make_unique<KeyRunsIndex>(std::move(file), rows, metric, std::move(parts)));
}

}  // namespace elanus::index
