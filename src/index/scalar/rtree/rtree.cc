// RTREE: the boxes around geometries in a packed tree, which gives the rows that may pass a spatial
// test; the column decides. File: the frame and sections of sections.h: a header of u64 (rows); the
// tree in three (tree.h); rows of geometries without a point and null rows (u32).
#include <memory>
#include <string>
#include <vector>

#include "index/scalar/rtree/tree.h"
#include "index/scalar/scalar_types.h"
#include "index/scalar/sections.h"

namespace elanus::index {
namespace {

using model::BoxQuery;
using model::Coverage;
using model::DataType;
using model::Predicate;

constexpr std::string_view kMagic = "ELRTREE1";
constexpr std::string_view kName = "RTREE index";
constexpr size_t kTreeAt = 1;
constexpr size_t kEmptyAt = kTreeAt + kTreeSections;
constexpr size_t kNullAt = kEmptyAt + 1;
constexpr size_t kSections = kNullAt + 1;
constexpr size_t kRowsPerCheck = 65536;

// Rows in a section.
class RowList {
 public:
  RowList() = default;
  explicit RowList(std::string_view bytes) : rows_{bytes.data()}, count_(bytes.size() / 4) {}
  size_t size() const { return count_; }
  uint32_t operator[](size_t i) const { return rows_[i]; }
  void SetIn(Bitset& bits) const {
    for (size_t i = 0; i < count_; ++i) bits.Set(rows_[i]);
  }

 private:
  Numbers<uint32_t> rows_;
  size_t count_ = 0;
};

class RTree final : public ScalarIndex {
 public:
  Blob file;
  uint64_t rows = 0;
  Tree tree;
  RowList empty;
  RowList null;

  model::IndexPromise Estimate(const Predicate& predicate) const override {
    if (predicate.kind == Predicate::Kind::kIsNull) {
      return {.coverage = Coverage::kExact, .rows = null.size()};
    }
    if (!Knows(predicate)) return {};
    const BoxQuery& query = predicate.boxes;
    const uint64_t count = !query.box.is_empty()                  ? tree.Count(query)
                           : query.kind == BoxQuery::Kind::kEqual ? empty.size()
                                                                  : 0;
    return {.coverage = Coverage::kCandidates,
            .rows = count,
            .cost_ns = kWalkNs + static_cast<double>(count) * kCandidateNs};
  }

  Result<Coverage> Answer(Context& ctx, const Predicate& predicate,
                          Bitset& matches) const override {
    TRY(ctx.CheckAlive());
    if (matches.size() != rows) {
      return Error(ErrorCode::kIntegrity, "the {} is of another segment: {} rows, want {}", kName,
                   rows, matches.size());
    }
    if (predicate.kind == Predicate::Kind::kIsNull) {
      SetNulls(matches);
      return Coverage::kExact;
    }
    if (!Knows(predicate)) return Coverage::kNone;
    const BoxQuery& query = predicate.boxes;
    if (query.box.is_empty()) {
      // Only what has no point either can be equal to it.
      if (query.kind == BoxQuery::Kind::kEqual) empty.SetIn(matches);
      return Coverage::kCandidates;
    }
    std::vector<uint32_t> found;
    TRY(tree.Find(ctx, query, found));
    for (uint32_t row : found) matches.Set(row);
    return Coverage::kCandidates;
  }

  void SetNulls(Bitset& bits) const override { null.SetIn(bits); }
  size_t memory_bytes() const override { return file.heap_bytes(); }

  // That every row is in one of the lists, and once.
  bool HasEachRowOnce() const {
    if (rows > UINT32_MAX || tree.entries() + empty.size() + null.size() != rows) return false;
    Bitset seen(rows);
    const auto take = [&](uint32_t row) {
      if (row >= rows || seen.Test(row)) return false;
      seen.Set(row);
      return true;
    };
    for (size_t i = 0; i < tree.entries(); ++i) {
      if (!take(tree.row(i))) return false;
    }
    for (const RowList* list : {&empty, &null}) {
      for (size_t i = 0; i < list->size(); ++i) {
        if (!take((*list)[i])) return false;
      }
    }
    return true;
  }

 private:
  static constexpr double kWalkNs = 2000;
  static constexpr double kCandidateNs = 20;  // To find it; a scan looks at its geometry as well.

  bool Knows(const Predicate& predicate) const {
    if (predicate.kind != Predicate::Kind::kShape || predicate.type != DataType::kGeometry) {
      return false;
    }
    return !predicate.boxes.on_globe || model::IsOnGlobe(tree.around());
  }
};

bool Supports(const ScalarShape& shape) { return shape.type == DataType::kGeometry; }

Result<std::string> Build(Context& ctx, const model::ColumnView& column, const Params&) {
  if (column.type != DataType::kGeometry) {
    return Error(ErrorCode::kIndexNotSupported, "no {} on {}", kName, NameOf(column.type));
  }
  TRY(ctx.CheckAlive());
  std::vector<BoxEntry> entries;
  std::vector<uint32_t> empty;
  std::vector<uint32_t> null;
  for (uint32_t row = 0; row < column.rows; ++row) {
    if (row % kRowsPerCheck == 0) TRY(ctx.CheckAlive());
    if (!column.IsValid(row)) {
      null.push_back(row);
      continue;
    }
    const std::optional<model::Box> box = model::BoxOf(column.Bytes(row));
    if (!box) return Error(ErrorCode::kIntegrity, "row {} holds no geometry", row);
    if (box->is_empty())
      empty.push_back(row);
    else
      entries.push_back({RoundedBox::Around(*box), row});
  }
  const std::vector<uint64_t> header = {column.rows};
  std::vector<std::string> sections = {BytesOf(header)};
  TRY_ASSIGN(std::vector<std::string> packed, PackTree(ctx, std::move(entries)));
  for (std::string& section : packed) sections.push_back(std::move(section));
  sections.push_back(BytesOf(empty));
  sections.push_back(BytesOf(null));
  return WriteSections(kMagic, sections);
}

Result<std::unique_ptr<ScalarIndex>> Open(Blob file) {
  TRY_ASSIGN(const auto sections, ReadSections(kMagic, file.bytes(), kSections, kName));
  const auto broken = [] { return Error(ErrorCode::kIntegrity, "the {} is not whole", kName); };
  auto index = std::make_unique<RTree>();
  if (sections[0].size() != sizeof(index->rows) || sections[kEmptyAt].size() % 4 != 0 ||
      sections[kNullAt].size() % 4 != 0) {
    return broken();
  }
  std::memcpy(&index->rows, sections[0].data(), sizeof(index->rows));
  TRY_ASSIGN(index->tree, Tree::Open(sections.data() + kTreeAt));
  index->empty = RowList(sections[kEmptyAt]);
  index->null = RowList(sections[kNullAt]);
  if (!index->HasEachRowOnce()) return broken();
  index->file = std::move(file);
  return std::unique_ptr<ScalarIndex>(std::move(index));
}

}  // namespace

const ScalarIndexType& RTreeType() {
  static const ScalarIndexType kType{
      .name = "RTREE", .magic = kMagic, .Supports = Supports, .Build = Build, .Open = Open};
  return kType;
}

}  // namespace elanus::index
