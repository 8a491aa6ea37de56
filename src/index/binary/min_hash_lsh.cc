// MINHASH_LSH. A band's hashes stand in order, equal ones by row; hashes are uniform, so a small
// directory on their upper bits leads within a few entries of any, and a miss costs one look: what
// a Bloom filter would save.
//
// Framed "ELBLSH01": 32 zero bytes; the header; then for each band, each padded to 64 bytes: the
// directory (2^directory_bits + 1 u32: where hashes of each prefix begin), hashes (rows u64),
// row numbers (rows u32). A search reads all of it in place.
#include "index/binary/min_hash_lsh.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstring>

#include "base/bytes.h"
#include "base/framed.h"
#include "index/binary/exact.h"
#include "index/binary/min_hash.h"
#include "index/top_k.h"

namespace elanus::index {
namespace {

constexpr std::string_view kMagic = "ELBLSH01";
constexpr size_t kLead = 32;  // With the frame's 32 bytes the content is 64-byte aligned.
constexpr size_t kRowsPerDirectoryEntry = 4;
constexpr size_t kRowsPerCheck = 1 << 16;

struct Header {
  uint64_t rows, dim, element_bytes, bands, directory_bits, keeps_rows;
};

struct Layout {
  size_t directory, hashes, numbers;  // From a band's begin.
  size_t band_bytes;
  size_t end;
  explicit Layout(const Header& h) {
    const auto align = [](size_t n) { return (n + 63) / 64 * 64; };
    directory = 0;
    hashes = align(((size_t{1} << h.directory_bits) + 1) * 4);
    numbers = align(hashes + h.rows * 8);
    band_bytes = align(numbers + h.rows * 4);
    end = align(sizeof(Header)) + h.bands * band_bytes;
  }
  static size_t BandsBegin() { return (sizeof(Header) + 63) / 64 * 64; }
};

uint64_t DirectoryBits(uint64_t rows) {
  return static_cast<uint64_t>(std::bit_width(rows / kRowsPerDirectoryEntry));
}

// The directory entry of a hash. No bits: all share one.
size_t PrefixOf(uint64_t hash, uint64_t directory_bits) {
  return directory_bits == 0 ? 0 : static_cast<size_t>(hash >> (64 - directory_bits));
}

uint64_t BandHash(const uint8_t* signature, size_t band, const SignatureShape& shape) {
  return Checksum(
      {reinterpret_cast<const char*>(signature + band * shape.band_bytes()), shape.band_bytes()});
}

// One band of an opened file.
struct Band {
  const uint32_t* directory;
  const uint64_t* hashes;
  const uint32_t* numbers;

  // The rows with this hash, ascending.
  std::span<const uint32_t> Find(uint64_t hash, uint64_t directory_bits) const {
    const size_t prefix = PrefixOf(hash, directory_bits);
    const uint64_t* end = hashes + directory[prefix + 1];
    const auto [from, to] = std::equal_range(hashes + directory[prefix], end, hash);
    return {numbers + (from - hashes), static_cast<size_t>(to - from)};
  }
};

class MinHashLsh final : public VectorIndex {
 public:
  MinHashLsh(Blob file, const char* content, const Header& header, const SignatureShape& shape,
             BinaryBlock rows)
      : file_(std::move(file)), content_(content), header_(header), shape_(shape), rows_(rows) {}
  Status Search(Context& ctx, const SearchRequest& request, Hits hits) const override;
  size_t rows() const override { return rows_.rows; }
  size_t memory_bytes() const override { return file_.heap_bytes(); }

 private:
  Band BandAt(size_t i) const {
    const Layout at(header_);
    const char* base = content_ + Layout::BandsBegin() + i * at.band_bytes;
    return {.directory = reinterpret_cast<const uint32_t*>(base + at.directory),
            .hashes = reinterpret_cast<const uint64_t*>(base + at.hashes),
            .numbers = reinterpret_cast<const uint32_t*>(base + at.numbers)};
  }
  // The allowed rows of equal bands: at most `band_max` of each band, a row once for each band it
  // shares, in order.
  Status Collect(Context& ctx, const uint8_t* query, BitsetView allowed, size_t band_max,
                 std::vector<uint32_t>& rows) const;

  const Blob file_;
  const char* content_;
  const Header header_;
  const SignatureShape shape_;
  const BinaryBlock rows_;
};

Status MinHashLsh::Collect(Context& ctx, const uint8_t* query, BitsetView allowed, size_t band_max,
                           std::vector<uint32_t>& rows) const {
  rows.clear();
  for (size_t b = 0; b < header_.bands; ++b) {
    TRY(ctx.CheckAlive());
    size_t taken = 0;
    size_t looked = 0;
    for (uint32_t row : BandAt(b).Find(BandHash(query, b, shape_), header_.directory_bits)) {
      if (++looked % kRowsPerCheck == 0) TRY(ctx.CheckAlive());
      if (!allowed.empty() && !allowed.Test(row)) continue;
      rows.push_back(row);
      if (++taken == band_max) break;
    }
  }
  std::sort(rows.begin(), rows.end());
  return {};
}

// Rows of which more bands are equal first, then by number; at most `count` of them.
void KeepLikeliest(std::vector<uint32_t>& rows, size_t count) {
  std::vector<std::pair<uint32_t, uint32_t>> by_bands;  // Bands in common, downwards; row.
  for (size_t i = 0; i < rows.size();) {
    size_t end = i;
    while (end < rows.size() && rows[end] == rows[i]) ++end;
    by_bands.emplace_back(UINT32_MAX - static_cast<uint32_t>(end - i), rows[i]);
    i = end;
  }
  const size_t kept = std::min(count, by_bands.size());
  std::partial_sort(by_bands.begin(), by_bands.begin() + static_cast<ptrdiff_t>(kept),
                    by_bands.end());
  rows.resize(kept);
  for (size_t i = 0; i < kept; ++i) rows[i] = by_bands[i].second;
}

Status MinHashLsh::Search(Context& ctx, const SearchRequest& request, Hits hits) const {
  const bool with_jaccard = request.params.GetBool("mh_search_with_jaccard", false);
  if (request.range.bounds()) {
    return Status(ErrorCode::kSegcoreUnsupported,
                  "failed to search: MINHASH_LSH has no range search");
  }
  if (with_jaccard && header_.keeps_rows == 0) {
    return Status(ErrorCode::kSegcore,
                  "failed to search: invalid_param_in_json: mh_search_with_jaccard needs an index "
                  "built with with_raw_data");
  }
  const size_t k = request.k;
  const auto refined = static_cast<size_t>(
      std::max(std::min(request.params.Get("refine_k", 1), 1.0 * kNoRow), 1.0 * request.k));
  TopK best(request.k);
  std::vector<uint32_t> rows;
  for (size_t q = 0; q < request.queries.rows; ++q) {
    const uint8_t* query = BinaryBlock(request.queries).row(q);
    TRY(Collect(ctx, query, request.allowed, with_jaccard ? SIZE_MAX : k, rows));
    if (with_jaccard) {
      KeepLikeliest(rows, refined);
      for (uint32_t row : rows) best.Push(-EstimateJaccard(query, rows_.row(row), shape_), row);
    } else {
      rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
      for (size_t i = 0; i < std::min(k, rows.size()); ++i) best.Push(-1.0f, rows[i]);
    }
    best.WriteTo(hits, q, -1.0f);
  }
  return {};
}

// Writes one band's tables to `base`.
void WriteBand(BinaryBlock rows, size_t band, const SignatureShape& shape, const Header& header,
               char* base) {
  std::vector<std::pair<uint64_t, uint32_t>> entries(rows.rows);
  for (uint32_t r = 0; r < rows.rows; ++r) entries[r] = {BandHash(rows.row(r), band, shape), r};
  std::sort(entries.begin(), entries.end());
  const Layout at(header);
  auto* directory = reinterpret_cast<uint32_t*>(base + at.directory);
  auto* hashes = reinterpret_cast<uint64_t*>(base + at.hashes);
  auto* numbers = reinterpret_cast<uint32_t*>(base + at.numbers);
  for (size_t i = 0; i < entries.size(); ++i) {
    hashes[i] = entries[i].first;
    numbers[i] = entries[i].second;
    ++directory[PrefixOf(entries[i].first, header.directory_bits) + 1];
  }
  for (size_t p = 0; p < size_t{1} << header.directory_bits; ++p) directory[p + 1] += directory[p];
}

Header HeaderOf(uint64_t rows, uint32_t dim, const SignatureShape& shape, const Params& build) {
  return {.rows = rows,
          .dim = dim,
          .element_bytes = shape.element_bytes,
          .bands = shape.bands,
          .directory_bits = DirectoryBits(rows),
          .keeps_rows = build.GetBool("with_raw_data", false)};
}

Result<std::string> Build(Context& ctx, VectorBlock rows, model::Metric, const Params& build,
                          const BuildOptions& options) {
  if (rows.rows >= kNoRow) {
    return Invalid("MINHASH_LSH holds fewer than 2^32 - 1 rows, got {}", rows.rows);
  }
  TRY(ctx.CheckAlive());
  TRY_ASSIGN(const SignatureShape shape, ShapeOf(rows.dim, build));
  const Header header = HeaderOf(rows.rows, rows.dim, shape, build);
  const Layout at(header);
  std::string payload(kLead + at.end, '\0');
  char* base = payload.data() + kLead;
  std::memcpy(base, &header, sizeof(header));
  std::atomic<uint32_t> done{0};
  TRY(ForParts(ctx, options.pool, shape.bands, 1, [&](size_t band, size_t) {
    WriteBand(rows, band, shape, header, base + Layout::BandsBegin() + band * at.band_bytes);
    if (options.on_progress) options.on_progress((done.fetch_add(1) + 1.0) / shape.bands);
  }));
  return Frame(kMagic, 1, payload);
}

// A search follows directories and numbers without looking.
bool BandIsGood(const char* base, const Layout& at, const Header& h) {
  const auto* directory = reinterpret_cast<const uint32_t*>(base + at.directory);
  const auto* numbers = reinterpret_cast<const uint32_t*>(base + at.numbers);
  const size_t entries = size_t{1} << h.directory_bits;
  if (directory[0] != 0 || directory[entries] != h.rows) return false;
  for (size_t p = 0; p < entries; ++p) {
    if (directory[p] > directory[p + 1]) return false;
  }
  return std::all_of(numbers, numbers + h.rows, [&](uint32_t row) { return row < h.rows; });
}

Result<std::unique_ptr<VectorIndex>> Open(Blob file, VectorBlock rows, model::Metric) {
  TRY_ASSIGN(const std::string_view payload, Unframe(kMagic, 1, file.bytes(), "MINHASH_LSH index"));
  const Status damaged(ErrorCode::kIntegrity,
                       "the MINHASH_LSH index does not belong to this segment");
  if (payload.size() < kLead + sizeof(Header)) return damaged;
  const std::string_view content = payload.substr(kLead);
  Header h;
  std::memcpy(&h, content.data(), sizeof(h));
  if (h.rows != rows.rows || h.dim != rows.dim || h.element_bytes < 1 || h.element_bytes > 32 ||
      h.dim / 8 % h.element_bytes != 0 || h.directory_bits != DirectoryBits(h.rows) ||
      h.keeps_rows > 1) {
    return damaged;
  }
  const uint64_t elements = h.dim / 8 / h.element_bytes;
  if (h.bands < 1 || h.bands > elements || Layout(h).end != content.size()) return damaged;
  const Layout at(h);
  for (size_t b = 0; b < h.bands; ++b) {
    if (!BandIsGood(content.data() + Layout::BandsBegin() + b * at.band_bytes, at, h)) {
      return damaged;
    }
  }
  const SignatureShape shape{.element_bytes = static_cast<uint32_t>(h.element_bytes),
                             .elements = static_cast<uint32_t>(elements),
                             .bands = static_cast<uint32_t>(h.bands),
                             .band_elements = static_cast<uint32_t>(elements / h.bands)};
  return std::unique_ptr<VectorIndex>(
      std::make_unique<MinHashLsh>(std::move(file), content.data(), h, shape, rows));
}

size_t EstimateMemory(const RowShape& rows, const Params& build) {
  const Result<SignatureShape> shape = ShapeOf(rows.dim, build);
  if (!shape.ok()) return 0;  // Never built.
  return 2 * kLead + Layout(HeaderOf(rows.rows, rows.dim, *shape, build)).end;
}

}  // namespace

const IndexType& MinHashLshType() {
  static constexpr std::array kMetrics = {model::Metric::kMinHashJaccard};
  // What only moves bytes about is checked and changes nothing: the tables are read where they lie
  // in the mapped file.
  static constexpr auto kParams = std::to_array<ParamSpec>({
      kElementWidthBuildSpec,
      kBandBuildSpec,
      {"with_raw_data", Phase::kBuild, ParamKind::kBool, 0, 0, 1,
       "Lets searches compare whole signatures."},
      {"mh_lsh_aligned_block_size", Phase::kBuild, ParamKind::kInteger, 4096, 4096, 2147483647,
       "Accepted; tables are read in place."},
      {"mh_lsh_code_in_mem", Phase::kBuild, ParamKind::kBool, 1, 0, 1,
       "Accepted; signatures are the segment's own."},
      {"mh_lsh_shared_bloom_filter", Phase::kBuild, ParamKind::kBool, 0, 0, 1,
       "Accepted; a directory does a filter's work."},
      {"mh_lsh_bloom_false_positive_prob", Phase::kBuild, ParamKind::kNumber, 0.01, 0, 1,
       "Accepted; a directory does a filter's work."},
      kElementWidthSearchSpec,
      kBandSearchSpec,
      kWithJaccardSpec,
      {"refine_k", Phase::kSearch, ParamKind::kNumber, 1, 1, 4294967295.0,
       "Rows compared with mh_search_with_jaccard; k at least."},
      {"mh_lsh_batch_search", Phase::kSearch, ParamKind::kBool, 0, 0, 1,
       "Accepted; the answer is the same."},
  });
  static const IndexType kType{
      .name = "MINHASH_LSH",
      .kind = VectorKind::kBinary,
      .metrics = kMetrics,
      .params = kParams,
      .Check = [](uint32_t dim, const Params& build) { return ShapeOf(dim, build).status(); },
      .EstimateMemory = EstimateMemory,
      .Build = Build,
      .Open = Open};
  return kType;
}

}  // namespace elanus::index
