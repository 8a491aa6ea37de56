// Index files of small, fixed segments. All numbers are small integers and all norms powers of two,
// so distances are exact and the files do not depend on the order in which a machine adds.
#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <random>

#include "base/aligned_copy.h"
#include "base/context.h"
#include "index/scalar_index.h"
#include "index/vector_index.h"
#include "index/word_index.h"
#include "tests/golden/golden_file.h"
#include "text/analyzer.h"

namespace elanus::golden {
namespace {

using index::VectorBlock;
using model::Compare;
using model::DataType;
using model::Metric;
using model::Predicate;
using model::Scalar;

constexpr uint32_t kDim = 16;
constexpr size_t kRows = 48;
constexpr size_t kQueries = 6;
constexpr uint32_t kK = 5;

using Settings = std::map<std::string, double>;

// Four clusters far apart.
std::vector<float> ClusteredRows(size_t rows, uint32_t seed) {
  std::mt19937 rng(seed);
  std::vector<float> values;
  for (size_t r = 0; r < rows; ++r) {
    for (uint32_t d = 0; d < kDim; ++d) {
      const float centre = d / 4 == r % 4 ? 64 : 0;
      values.push_back(centre + static_cast<float>(rng() % 9) - 4);
    }
  }
  return values;
}

// Directions of +-1 with lengths of 4, 8 and 16.
std::vector<float> SignRows(size_t rows, uint32_t seed) {
  std::mt19937 rng(seed);
  std::vector<float> values;
  for (size_t r = 0; r < rows; ++r) {
    const auto scale = static_cast<float>(1 << r % 3);
    for (uint32_t d = 0; d < kDim; ++d) values.push_back(rng() % 2 == 0 ? scale : -scale);
  }
  return values;
}

std::vector<float> RowsFor(Metric metric, size_t rows, uint32_t seed) {
  return metric == Metric::kCosine ? SignRows(rows, seed) : ClusteredRows(rows, seed);
}

VectorBlock BlockOf(const std::vector<float>& values) {
  return {.data = values.data(), .rows = values.size() / kDim, .dim = kDim};
}

struct Found {
  std::vector<uint32_t> rows = std::vector<uint32_t>(kQueries * kK);
  std::vector<float> scores = std::vector<float>(kQueries * kK);
  index::Hits hits() { return {.rows = rows.data(), .scores = scores.data()}; }
};

// `settings`: build parameters beside those that all types get.
GoldenFile VectorFile(std::string name, std::string type_name, Metric metric,
                      Settings settings = {}) {
  const index::IndexType* type = index::FindType(index::VectorKind::kDense, type_name);
  const auto write = [type, metric, settings] {
    SystemClock clock;
    Context ctx(clock);
    index::Params params;
    params.Set("M", 4);
    params.Set("efConstruction", 32);
    params.Set("nlist", 4);
    for (const auto& [key, value] : settings) params.Set(key, value);
    const std::vector<float> rows = RowsFor(metric, kRows, 1);
    auto file = type->Build(ctx, BlockOf(rows), metric, params, {});
    EXPECT_TRUE(file.ok()) << file.status().ToString();
    return file.ok() ? *file : std::string();
  };
  const auto check = [type, metric](std::string_view bytes) -> Status {
    SystemClock clock;
    Context ctx(clock);
    const std::vector<float> rows = RowsFor(metric, kRows, 1);
    const std::vector<float> queries = RowsFor(metric, kQueries, 2);
    TRY_ASSIGN(const auto opened, type->Open(AlignedCopy(bytes), BlockOf(rows), metric));
    index::Params wide;
    wide.Set("ef", kRows);
    wide.Set("nprobe", 4);
    wide.Set("refine_k", kRows);
    wide.Set("reorder_k", kRows);
    Found got;
    Found want;
    TRY(opened->Search(ctx, {.queries = BlockOf(queries), .k = kK, .params = wide}, got.hits()));
    TRY(index::SearchExact(ctx, BlockOf(rows), metric,
                           {.queries = BlockOf(queries), .k = kK, .params = {}}, want.hits()));
    // Equal scores may stand in another order.
    EXPECT_EQ(got.scores, want.scores);
    std::map<uint32_t, int> seen;
    for (size_t i = 0; i < kK; ++i) EXPECT_EQ(seen[got.rows[i]]++, 0);
    return {};
  };
  return {.name = std::move(name), .write = write, .check = check};
}

template <class T>
void AppendValue(model::Column& column, T value) {
  column.AppendFixed(&value);
}

model::Column Int64Column() {
  model::Column column =
      model::MakeColumn(FieldId(101), "number", DataType::kInt64, DataType::kNone, 0);
  for (int64_t v : {int64_t{7}, std::numeric_limits<int64_t>::min(), int64_t{0}, int64_t{7},
                    std::numeric_limits<int64_t>::max(), int64_t{-3}}) {
    AppendValue(column, v);
  }
  column.AppendNull();
  return column;
}

model::Column DoubleColumn() {
  model::Column column =
      model::MakeColumn(FieldId(102), "real", DataType::kDouble, DataType::kNone, 0);
  for (double v : {1.5, std::numeric_limits<double>::quiet_NaN(), -0.0, 1e300, 0.0,
                   -std::numeric_limits<double>::infinity()}) {
    AppendValue(column, v);
  }
  return column;
}

model::Column VarCharColumn() {
  model::Column column =
      model::MakeColumn(FieldId(103), "text", DataType::kVarChar, DataType::kNone, 0);
  for (std::string_view v : {"pear", "", "apple", "z\xc3\xa9", "pe"}) column.AppendBytes(v);
  column.AppendNull();
  column.AppendBytes("pear");
  return column;
}

model::Column BoolColumn() {
  model::Column column =
      model::MakeColumn(FieldId(104), "flag", DataType::kBool, DataType::kNone, 0);
  for (uint8_t v : {1, 0, 0, 1}) AppendValue(column, v);
  return column;
}

// A predicate and the rows it is true for.
struct Question {
  Predicate predicate;
  std::vector<size_t> rows;
};

Question Where(Compare op, Scalar value, std::vector<size_t> rows) {
  return {{.kind = Predicate::Kind::kCompare, .op = op, .values = {std::move(value)}},
          std::move(rows)};
}

model::Column ArrayColumn() {
  model::Column column =
      model::MakeColumn(FieldId(105), "list", DataType::kArray, DataType::kInt16, 0);
  for (const std::vector<int16_t>& list : {std::vector<int16_t>{3, 1, 3}, {}, {2}, {1}}) {
    column.AppendBytes({reinterpret_cast<const char*>(list.data()), list.size() * sizeof(int16_t)});
  }
  column.AppendNull();
  return column;
}

// A point, a line, a null, nothing, and points enough for two levels of a tree.
model::Column GeometryColumn() {
  model::Column column =
      model::MakeColumn(FieldId(106), "place", DataType::kGeometry, DataType::kNone, 0);
  const auto shape = [](uint32_t kind, std::vector<uint32_t> counts, std::vector<double> numbers) {
    std::string bytes(1, '\1');
    bytes.append(reinterpret_cast<const char*>(&kind), sizeof(kind));
    bytes.append(reinterpret_cast<const char*>(counts.data()), counts.size() * sizeof(uint32_t));
    bytes.append(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(double));
    return bytes;
  };
  column.AppendBytes(shape(1, {}, {3, 4}));
  column.AppendBytes(shape(2, {2}, {-8, -8, 1, 2}));
  column.AppendNull();
  column.AppendBytes(shape(7, {0}, {}));
  for (int i = 0; i < 20; ++i) column.AppendBytes(shape(1, {}, {100.0 + i, 50}));
  return column;
}

Question Boxes(model::BoxQuery::Kind kind, model::Box box, std::vector<size_t> rows) {
  return {{.kind = Predicate::Kind::kShape, .boxes = {.kind = kind, .box = box}}, std::move(rows)};
}

// Terms as expr/json_terms.h has them: a place, a mark, a class and a value.
model::Column TermsColumn() {
  using namespace std::string_view_literals;
  model::Column column =
      model::MakeColumn(FieldId(107), "terms", DataType::kArray, DataType::kVarChar, 0);
  const std::vector<std::string_view> rows[] = {
      {"/a\0s1"sv, "/b\0b1"sv}, {"/a\0s2"sv}, {}, {"/a\0s1"sv, "/a\1s1"sv, "/a/0\0s1"sv}};
  for (const auto& row : rows) column.AppendBytes(model::PackTexts(row));
  column.AppendNull();
  return column;
}

GoldenFile ScalarFile(std::string name, const char* type, model::Column (*make)(),
                      std::vector<Question> questions) {
  const auto write = [make, type] {
    SystemClock clock;
    Context ctx(clock);
    const model::Column column = make();
    index::Params params;
    params.Set("min_gram", 2);  // Of NGRAM.
    params.Set("max_gram", 3);
    auto file = index::FindScalarType(type)->Build(ctx, column.view(), params);
    EXPECT_TRUE(file.ok()) << file.status().ToString();
    return file.ok() ? *file : std::string();
  };
  const auto check = [make, questions](std::string_view bytes) -> Status {
    SystemClock clock;
    Context ctx(clock);
    TRY_ASSIGN(const auto opened, index::OpenScalarIndex(AlignedCopy(bytes)));
    const model::Column column = make();
    for (size_t q = 0; q < questions.size(); ++q) {
      const size_t rows = column.rows;
      Predicate predicate = questions[q].predicate;
      predicate.field = column.field_id;
      predicate.type = column.type == DataType::kArray ? column.element_type : column.type;
      Bitset matches(rows);
      TRY_ASSIGN(const model::Coverage coverage, opened->Answer(ctx, predicate, matches));
      EXPECT_NE(coverage, model::Coverage::kNone) << "question " << q;
      std::vector<size_t> found;
      for (size_t row = 0; row < rows; ++row) {
        if (matches.Test(row)) found.push_back(row);
      }
      EXPECT_EQ(found, questions[q].rows) << "question " << q;
    }
    return {};
  };
  return {.name = std::move(name), .write = write, .check = check};
}

GoldenFile TermsFile(std::vector<Question> questions) {
  GoldenFile file = ScalarFile("inverted_json.bin", "INVERTED", TermsColumn, std::move(questions));
  file.write = [] {
    SystemClock clock;
    Context ctx(clock);
    const model::Column column = TermsColumn();
    auto built = index::JsonTermsType().Build(ctx, column.view(), {});
    EXPECT_TRUE(built.ok()) << built.status().ToString();
    return built.ok() ? *built : std::string();
  };
  return file;
}

model::Column WordsColumn() {
  model::Column column =
      model::MakeColumn(FieldId(105), "words", DataType::kVarChar, DataType::kNone, 0);
  for (std::string_view v : {"a rose is a rose", "", "the rose", "is a", "z\xc3\xa9 A"}) {
    column.AppendBytes(v);
  }
  column.AppendNull();
  return column;
}

Question AskWords(const model::WordQuery& query, std::vector<size_t> rows) {
  Predicate predicate{.kind = Predicate::Kind::kWords};
  predicate.path = model::kWordsPath;
  predicate.words = std::make_shared<const model::WordQuery>(query);
  return {predicate, std::move(rows)};
}

// The words of texts, cut by the standard analyzer.
GoldenFile WordFile() {
  using Kind = model::WordQuery::Kind;
  GoldenFile file = ScalarFile(
      "words_varchar.bin", "STL_SORT", WordsColumn,
      {AskWords({.kind = Kind::kSome, .words = {"the", "z\xc3\xa9"}, .positions = {0, 1}}, {2, 4}),
       AskWords({.kind = Kind::kSome,
                 .words = {"a", "rose", "is"},
                 .positions = {0, 1, 2},
                 .at_least = 2},
                {0, 3}),
       AskWords({.kind = Kind::kPhrase, .words = {"a", "rose"}, .positions = {0, 1}}, {0}),
       AskWords({.kind = Kind::kFuzzy, .words = {"rise"}, .positions = {0}, .edits = 1}, {0, 2})});
  file.write = [] {
    SystemClock clock;
    Context ctx(clock);
    const model::Column column = WordsColumn();
    auto built = index::BuildWordIndex(ctx, column.view(), **text::AnalyzerOf(""));
    EXPECT_TRUE(built.ok()) << built.status().ToString();
    return built.ok() ? *built : std::string();
  };
  return file;
}

}  // namespace

std::vector<GoldenFile> IndexFiles() {
  const Question is_null{{.kind = Predicate::Kind::kIsNull}, {6}};
  const Question range{{.kind = Predicate::Kind::kRange,
                        .values = {int64_t{-3}, int64_t{7}},
                        .lower_inclusive = true},
                       {2, 5}};
  const Question prefix{{.kind = Predicate::Kind::kPrefix, .values = {std::string("pe")}},
                        {0, 4, 6}};
  const Question in{{.kind = Predicate::Kind::kIn, .values = {std::string(), std::string("pear")}},
                    {0, 1, 6}};
  const Question is_null_text{{.kind = Predicate::Kind::kIsNull}, {5}};
  const Question any_of{{.kind = Predicate::Kind::kContains, .values = {int64_t{2}, int64_t{3}}},
                        {0, 2}};
  const Question all_of{
      {.kind = Predicate::Kind::kContains, .values = {int64_t{1}, int64_t{3}}, .all = true}, {0}};
  const Question term{{.kind = Predicate::Kind::kIn, .values = {std::string("/a\0s1", 5)}}, {0, 3}};
  const Question terms_between{{.kind = Predicate::Kind::kRange,
                                .values = {std::string("/a\0s", 4), std::string("/a\0s\xff", 5)}},
                               {0, 1, 3}};
  return {
      VectorFile("flat_l2.bin", "FLAT", Metric::kL2),
      VectorFile("flat_cosine.bin", "FLAT", Metric::kCosine),
      VectorFile("ivf_flat_l2.bin", "IVF_FLAT", Metric::kL2),
      VectorFile("hnsw_l2.bin", "HNSW", Metric::kL2),
      VectorFile("hnsw_ip.bin", "HNSW", Metric::kIp),
      VectorFile("hnsw_cosine.bin", "HNSW", Metric::kCosine),
      // Codes refined by whole vectors or by 16-bit floats, which hold these numbers exactly. Of
      // inner products: what a code stands for is no small integer, and its norm would be summed
      // up in another order on another machine.
      VectorFile("ivf_sq8_ip.bin", "IVF_SQ8", Metric::kIp, {{"sq_type", 1}, {"refine", 1}}),
      VectorFile("ivf_pq_ip.bin", "IVF_PQ", Metric::kIp, {{"m", 4}, {"nbits", 2}, {"refine", 1}}),
      VectorFile("ivf_rabitq_l2.bin", "IVF_RABITQ", Metric::kL2, {{"refine", 1}}),
      VectorFile("ivf_rabitq_ip.bin", "IVF_RABITQ", Metric::kIp, {{"rbq_bits", 5}, {"refine", 1}}),
      VectorFile("scann_ip.bin", "SCANN", Metric::kIp, {{"sub_dim", 4}}),
      VectorFile("hnsw_sq_ip.bin", "HNSW_SQ", Metric::kIp, {{"refine", 1}, {"refine_type", 3}}),
      VectorFile("hnsw_pq_ip.bin", "HNSW_PQ", Metric::kIp, {{"m", 4}, {"nbits", 2}, {"refine", 1}}),
      VectorFile("hnsw_prq_ip.bin", "HNSW_PRQ", Metric::kIp,
                 {{"m", 2}, {"nrq", 2}, {"nbits", 3}, {"refine", 1}}),
      ScalarFile("sorted_int64.bin", "STL_SORT", Int64Column,
                 {Where(Compare::kEq, int64_t{7}, {0, 3}), Where(Compare::kLt, int64_t{0}, {1, 5}),
                  Where(Compare::kGe, std::numeric_limits<int64_t>::max(), {4}), range, is_null}),
      ScalarFile("sorted_double.bin", "STL_SORT", DoubleColumn,
                 {Where(Compare::kEq, 0.0, {2, 4}), Where(Compare::kNe, 1.5, {1, 2, 3, 4, 5}),
                  Where(Compare::kLe, 1.5, {0, 2, 4, 5}), Where(Compare::kGt, 1.5, {3})}),
      ScalarFile("sorted_varchar.bin", "STL_SORT", VarCharColumn,
                 {Where(Compare::kEq, std::string("pear"), {0, 6}),
                  Where(Compare::kGt, std::string("pear"), {3}), prefix, in}),
      ScalarFile("sorted_bool.bin", "STL_SORT", BoolColumn,
                 {Where(Compare::kEq, true, {0, 3}), Where(Compare::kNe, true, {1, 2})}),
      ScalarFile("inverted_int64.bin", "INVERTED", Int64Column,
                 {Where(Compare::kEq, int64_t{7}, {0, 3}), range, is_null}),
      ScalarFile("inverted_double.bin", "INVERTED", DoubleColumn,
                 {Where(Compare::kEq, 0.0, {2, 4}), Where(Compare::kNe, 1.5, {1, 2, 3, 4, 5})}),
      ScalarFile("inverted_array.bin", "INVERTED", ArrayColumn, {any_of, all_of}),
      TermsFile({term, terms_between}),
      ScalarFile("bitmap_varchar.bin", "BITMAP", VarCharColumn, {prefix, in, is_null_text}),
      ScalarFile("bitmap_array.bin", "BITMAP", ArrayColumn, {any_of, all_of}),
      ScalarFile("trie_varchar.bin", "Trie", VarCharColumn, {prefix, in, is_null_text}),
      ScalarFile("ngram_varchar.bin", "NGRAM", VarCharColumn, {prefix, is_null_text}),
      WordFile(),
      ScalarFile("rtree_geometry.bin", "RTREE", GeometryColumn,
                 {Boxes(model::BoxQuery::Kind::kMeets, {0, 0, 3, 4}, {0, 1}),
                  Boxes(model::BoxQuery::Kind::kInside, {0, 0, 3, 4}, {0}),
                  Boxes(model::BoxQuery::Kind::kMeets, {118, 50, 200, 60}, {22, 23}),
                  Boxes(model::BoxQuery::Kind::kEqual, {}, {3}),
                  {{.kind = Predicate::Kind::kIsNull}, {2}}}),
  };
}

}  // namespace elanus::golden
