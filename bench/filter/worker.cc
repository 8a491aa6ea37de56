// Times elanus's filters over columns in memory, on one core: without an index and with one.
//   elanus_filter generate ROWS FOLDER   writes the rows as CSV, for others to read
//   elanus_filter measure ROWS REPEATS   prints one line of JSON for each filter
// The rows follow from their number alone, so both see the same.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "expr/expr.h"
#include "expr/json_path.h"
#include "index/scalar_index.h"

namespace elanus {
namespace {

using model::Column;
using model::DataType;

// JSON and arrays: one row in so many.
constexpr size_t kNestedShare = 10;

uint64_t Mix(uint64_t x) {  // splitmix64.
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}
uint64_t Draw(size_t row, uint64_t field) { return Mix(row * 16 + field); }

int32_t NumberOf(size_t row) { return static_cast<int32_t>(Draw(row, 1) % 1'000'000); }
int64_t KeyOf(size_t row) { return static_cast<int64_t>(Draw(row, 2) % 10'000'000); }
double RealOf(size_t row) { return static_cast<double>(Draw(row, 3) >> 11) * 0x1.0p-53; }
int8_t ClassOf(size_t row) { return static_cast<int8_t>(Draw(row, 4) % 50); }
std::string TextOf(size_t row) {
  uint64_t bits = Draw(row, 5);
  std::string text;
  for (uint64_t length = 8 + Draw(row, 6) % 17; length > 0; --length) {
    text += static_cast<char>('a' + bits % 26);
    bits = Mix(bits);
  }
  return text;
}
std::string JsonOf(size_t row) {
  const uint64_t bits = Draw(row, 7);
  return fmt::format(
      R"({{"name": "{}", "a": {{"b": {}, "c": [1, 2, {}]}}, "flag": {}, "more": "{}"}})",
      TextOf(row + 1), bits % 1000, bits % 7, bits % 2 == 0, TextOf(row + 2));
}
std::vector<int32_t> ListOf(size_t row) {
  std::vector<int32_t> list;
  for (uint64_t n = 0; n < 1 + Draw(row, 8) % 9; ++n) {
    list.push_back(static_cast<int32_t>(Draw(row, 32 + n) % 1000));
  }
  return list;
}

// Fields by name; `nested` have a row in ten.
struct Field {
  const char* name;
  DataType type;
  DataType element = DataType::kNone;
  bool is_nested = false;
};
constexpr Field kFields[] = {{"n", DataType::kInt32},
                             {"k", DataType::kInt64},
                             {"d", DataType::kDouble},
                             {"c", DataType::kInt8},
                             {"s", DataType::kVarChar},
                             {"j", DataType::kJson, DataType::kNone, true},
                             {"a", DataType::kArray, DataType::kInt32, true}};

class Table final : public expr::ColumnSource {
 public:
  Table(size_t rows, bool nested) : rows_(nested ? rows / kNestedShare : rows) {
    for (const Field& field : kFields) {
      if (field.is_nested != nested) continue;
      model::FieldSchema schema;
      schema.id = FieldId(100 + static_cast<int64_t>(columns_.size()));
      schema.name = field.name;
      schema.type = field.type;
      schema.element_type = field.element;
      columns_.push_back(model::MakeColumn(schema.id, field.name, field.type, field.element, 0));
      schema_.fields.push_back(std::move(schema));
    }
    for (size_t row = 0; row < rows_; ++row) nested ? AppendNested(row) : AppendPlain(row);
  }

  size_t rows() const override { return rows_; }
  Result<model::ColumnView> Read(FieldId field, size_t begin, size_t count) const override {
    return column(field).view().Slice(begin, count);
  }
  model::IndexPromise Estimate(const model::Predicate& predicate) const override {
    const auto found = indexes_.find({predicate.field.value(), predicate.path});
    return found == indexes_.end() ? model::IndexPromise() : found->second->Estimate(predicate);
  }
  Result<model::Coverage> Answer(Context& ctx, const model::Predicate& predicate, Bitset& matches,
                                 Bitset*) const override {
    return indexes_.at({predicate.field.value(), predicate.path})->Answer(ctx, predicate, matches);
  }

  const model::CollectionSchema& schema() const { return schema_; }

  // Gives a field, or a place in JSON, an index; the file's bytes.
  size_t AddIndex(const std::string& place, const char* type, const char* cast) {
    SystemClock clock;
    Context ctx(clock);
    index::Params params;
    params.Set("min_gram", 3);
    params.Set("max_gram", 3);
    const index::ScalarIndexType& made = *index::FindScalarType(type);
    const model::FieldSchema* field = schema_.FindField(place);
    std::string path;
    Result<std::string> file = std::string();
    if (field == nullptr) {
      const auto parsed = expr::ParseJsonPlace(place, schema_);
      field = schema_.FindField(parsed->field);
      path = parsed->path;
      const auto values = expr::ExtractJson(ctx, column(field->id).view(), path, cast);
      file = made.Build(ctx, values->view(), params);
    } else {
      file = made.Build(ctx, column(field->id).view(), params);
    }
    const auto owner = std::make_shared<const std::string>(std::move(*file));
    indexes_[{field->id.value(), path}] =
        std::move(*index::OpenScalarIndex(Blob(owner, *owner, owner->size())));
    return owner->size();
  }
  void DropIndexes() { indexes_.clear(); }

 private:
  const Column& column(FieldId field) const {
    return columns_[static_cast<size_t>(field.value() - 100)];
  }
  void AppendPlain(size_t row) {
    const int32_t number = NumberOf(row);
    const int64_t key = KeyOf(row);
    const double real = RealOf(row);
    const int8_t of_class = ClassOf(row);
    columns_[0].AppendFixed(&number);
    columns_[1].AppendFixed(&key);
    columns_[2].AppendFixed(&real);
    columns_[3].AppendFixed(&of_class);
    columns_[4].AppendBytes(TextOf(row));
  }
  void AppendNested(size_t row) {
    columns_[0].AppendBytes(JsonOf(row));
    const std::vector<int32_t> list = ListOf(row);
    columns_[1].AppendBytes({reinterpret_cast<const char*>(list.data()), list.size() * 4});
  }

  size_t rows_;
  model::CollectionSchema schema_;
  std::vector<Column> columns_;
  std::map<std::pair<int64_t, std::string>, std::unique_ptr<index::ScalarIndex>> indexes_;
};

struct Wanted {
  const char* place;
  const char* type;
  const char* cast = "";
};
struct Question {
  const char* name;
  std::string filter;
  bool is_nested;
  std::vector<Wanted> indexes;
};

std::vector<Question> Questions() {
  std::string keys;
  for (int i = 0; i < 1000; ++i)
    keys += fmt::format("{}{}", i == 0 ? "" : ", ", i * 9973 % 10'000'000);
  return {
      {"range_int", "500000 <= n < 510000", false, {{"n", "STL_SORT"}}},
      {"range_double", "0.25 <= d < 0.26", false, {{"d", "INVERTED"}}},
      {"equal_class", "c == 7", false, {{"c", "BITMAP"}}},
      {"in_1000", "k in [" + keys + "]", false, {{"k", "STL_SORT"}}},
      {"and_four",
       "n < 5000 and d > 0.5 and k < 8000000 and s >= \"b\"",
       false,
       {{"n", "STL_SORT"}}},
      {"or_four",
       "n == 5 or k == 77 or d < 0.0001 or s < \"aab\"",
       false,
       {{"n", "STL_SORT"}, {"k", "STL_SORT"}, {"d", "STL_SORT"}, {"s", "Trie"}}},
      {"like_prefix", "s like \"abc%\"", false, {{"s", "Trie"}}},
      {"like_infix", "s like \"%xyz%\"", false, {{"s", "NGRAM"}}},
      {"json_path", "j[\"a\"][\"b\"] >= 990", true, {{"j[\"a\"][\"b\"]", "INVERTED", "DOUBLE"}}},
      {"array_contains", "array_contains(a, 17)", true, {{"a", "INVERTED"}}},
  };
}

struct Timing {
  size_t count = 0;
  double ms = 1e300;
};

// The best of `repeats` evaluations; binding is part of none.
Timing Time(const Table& table, const std::string& filter, int repeats) {
  SystemClock clock;
  Context ctx(clock);
  const auto plan = expr::Bind(filter, table.schema(), {});
  CHECK(plan.ok());
  Timing timing;
  for (int i = 0; i < repeats; ++i) {
    Bitset matches;
    const auto begin = std::chrono::steady_clock::now();
    CHECK(expr::Evaluate(ctx, *plan, table, matches).ok());
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    timing.ms = std::min(timing.ms, took.count());
    timing.count = matches.Count();
  }
  return timing;
}

void Measure(size_t rows, int repeats) {
  Table plain(rows, /*nested=*/false);
  Table nested(rows, /*nested=*/true);
  for (const Question& question : Questions()) {
    Table& table = question.is_nested ? nested : plain;
    const Timing scan = Time(table, question.filter, repeats);
    size_t bytes = 0;
    for (const Wanted& index : question.indexes) {
      bytes += table.AddIndex(index.place, index.type, index.cast);
    }
    const Timing indexed = Time(table, question.filter, repeats);
    table.DropIndexes();
    CHECK(indexed.count == scan.count);
    fmt::print(
        "{{\"name\": \"{}\", \"rows\": {}, \"count\": {}, \"scan_ms\": {:.4f}, \"index_ms\": "
        "{:.4f}, "
        "\"index_bytes\": {}}}\n",
        question.name, table.rows(), scan.count, scan.ms, indexed.ms, bytes);
    std::fflush(stdout);
  }
}

void Generate(size_t rows, const std::string& folder) {
  std::ofstream plain(folder + "/plain.csv");
  plain << "n,k,d,c,s\n";
  for (size_t row = 0; row < rows; ++row) {
    plain << fmt::format("{},{},{:.17g},{},{}\n", NumberOf(row), KeyOf(row), RealOf(row),
                         static_cast<int>(ClassOf(row)), TextOf(row));
  }
  std::ofstream nested(folder + "/nested.tsv");
  nested << "j\ta\n";
  for (size_t row = 0; row < rows / kNestedShare; ++row) {
    nested << JsonOf(row) << fmt::format("\t[{}]\n", fmt::join(ListOf(row), ","));
  }
}

}  // namespace
}  // namespace elanus

int main(int argc, char** argv) {
  const std::string mode = argc == 4 ? argv[1] : "";
  const auto rows = static_cast<size_t>(argc == 4 ? std::atoll(argv[2]) : 0);
  if (mode == "generate") {
    elanus::Generate(rows, argv[3]);
  } else if (mode == "measure") {
    elanus::Measure(rows, std::atoi(argv[3]));
  } else {
    std::fputs("usage: elanus_filter generate ROWS FOLDER | measure ROWS REPEATS\n", stderr);
    return 2;
  }
  return 0;
}
