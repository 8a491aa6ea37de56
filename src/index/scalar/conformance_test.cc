// Every scalar index type against a plain scan, over every type of column that it supports, and
// against damaged files.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <random>

#include "base/framed.h"
#include "index/scalar_index.h"

namespace elanus::index {
namespace {

using model::Column;
using model::Compare;
using model::Coverage;
using model::DataType;
using model::Predicate;
using model::Scalar;

using Value = std::optional<std::vector<Scalar>>;  // None: null. Of no array one scalar.

constexpr DataType kTypes[] = {DataType::kBool,    DataType::kInt8,    DataType::kInt16,
                               DataType::kInt32,   DataType::kInt64,   DataType::kFloat,
                               DataType::kDouble,  DataType::kVarChar, DataType::kTimestamptz,
                               DataType::kGeometry};
constexpr Compare kCompares[] = {Compare::kEq, Compare::kNe, Compare::kLt,
                                 Compare::kLe, Compare::kGt, Compare::kGe};

std::string BytesOf(DataType type, const Scalar& value) {
  const auto bytes = [](auto number) {
    return std::string(reinterpret_cast<const char*>(&number), sizeof(number));
  };
  if (value.is_string()) return value.as_string();
  if (type == DataType::kFloat) return bytes(static_cast<float>(value.as_double()));
  if (value.is_double()) return bytes(value.as_double());
  // Little-endian: the first bytes are the narrow value.
  return bytes(value.is_bool() ? int64_t{value.as_bool()} : value.as_int())
      .substr(0, model::WidthOf(type));
}

Column ColumnOf(const ScalarShape& shape, const std::vector<Value>& rows) {
  Column column = model::MakeColumn(FieldId(100), "f", shape.type, shape.element_type, 0);
  for (const Value& value : rows) {
    if (!value) {
      column.AppendNull();
    } else if (shape.type == DataType::kVarChar || shape.type == DataType::kGeometry) {
      column.AppendBytes(value->at(0).as_string());
    } else if (shape.type != DataType::kArray) {
      column.AppendFixed(BytesOf(shape.type, value->at(0)).data());
    } else if (shape.element_type == DataType::kVarChar) {
      std::vector<std::string_view> texts;
      for (const Scalar& item : *value) texts.push_back(item.as_string());
      column.AppendBytes(model::PackTexts(texts));
    } else {
      std::string bytes;
      for (const Scalar& item : *value) bytes += BytesOf(shape.element_type, item);
      column.AppendBytes(bytes);
    }
  }
  return column;
}

Blob BlobOf(std::string_view bytes, size_t shift = 0) {
  auto owner = std::make_shared<const std::string>(std::string(shift, 'x') + std::string(bytes));
  return Blob(owner, std::string_view(*owner).substr(shift), owner->size());
}

Params ParamsOf(const ScalarIndexType& type) {
  Params params;
  for (const ParamSpec& spec : type.params) {
    if (spec.name == "min_gram") params.Set(spec.name, 2);
    if (spec.name == "max_gram") params.Set(spec.name, 3);
  }
  return params;
}

std::string FileOf(const ScalarIndexType& type, const ScalarShape& shape,
                   const std::vector<Value>& rows) {
  SystemClock clock;
  Context ctx(clock);
  auto file = type.Build(ctx, ColumnOf(shape, rows).view(), ParamsOf(type));
  EXPECT_TRUE(file.ok()) << type.name << ": " << file.status().ToString();
  return file.ok() ? *file : "";
}

std::unique_ptr<ScalarIndex> IndexOf(const ScalarIndexType& type, const ScalarShape& shape,
                                     const std::vector<Value>& rows) {
  auto index = OpenScalarIndex(BlobOf(FileOf(type, shape, rows)));
  EXPECT_TRUE(index.ok()) << type.name << ": " << index.status().ToString();
  return std::move(index).value();
}

// A pattern `prefix%literal%`.
class Pattern final : public model::TextTest {
 public:
  Pattern(std::string prefix, std::string literal) : prefix_(std::move(prefix)) {
    if (!literal.empty()) literals_ = {std::move(literal)};
    if (!prefix_.empty()) literals_.push_back(prefix_);
  }
  bool Matches(std::string_view text) const override {
    if (!text.starts_with(prefix_)) return false;
    const std::string_view rest = text.substr(prefix_.size());
    return literals_.empty() || literals_[0] == prefix_ ||
           rest.find(literals_[0]) != std::string_view::npos;
  }
  std::string_view prefix() const override { return prefix_; }
  const std::vector<std::string>& literals() const override { return literals_; }
  bool is_infix() const override { return prefix_.empty() && literals_.size() == 1; }

 private:
  std::string prefix_;
  std::vector<std::string> literals_;
};

// What the language says of one value, written down once more and as plainly as can be.
bool Holds(const Scalar& a, Compare op, const Scalar& b) {
  switch (op) {
    case Compare::kEq:
      return a.is_double() ? a.as_double() == b.as_double() : a == b;
    case Compare::kNe:
      return !Holds(a, Compare::kEq, b);
    case Compare::kLt:
      if (a.is_string()) return a.as_string() < b.as_string();
      if (a.is_double()) return a.as_double() < b.as_double();
      return a.is_bool() ? a.as_bool() < b.as_bool() : a.as_int() < b.as_int();
    case Compare::kLe:
      return Holds(a, Compare::kLt, b) || Holds(a, Compare::kEq, b);
    case Compare::kGt:
      return Holds(b, Compare::kLt, a);
    case Compare::kGe:
      return Holds(b, Compare::kLe, a);
  }
  return false;
}

bool Passes(const Value& value, const Predicate& p) {
  if (p.kind == Predicate::Kind::kIsNull) return !value;
  if (!value) return false;
  const auto is_one_of = [](const Scalar& wanted, const std::vector<Scalar>& list) {
    return std::any_of(list.begin(), list.end(),
                       [&](const Scalar& one) { return Holds(one, Compare::kEq, wanted); });
  };
  if (p.kind == Predicate::Kind::kShape) {
    return p.boxes.MayPass(*model::BoxOf(value->at(0).as_string()));
  }
  if (p.kind == Predicate::Kind::kContains) {
    const auto has = [&](const Scalar& wanted) { return is_one_of(wanted, *value); };
    return p.all ? std::all_of(p.values.begin(), p.values.end(), has)
                 : std::any_of(p.values.begin(), p.values.end(), has);
  }
  const Scalar& one = value->at(0);
  switch (p.kind) {
    case Predicate::Kind::kCompare:
      return Holds(one, p.op, p.values[0]);
    case Predicate::Kind::kIn:
      return is_one_of(one, p.values);
    case Predicate::Kind::kRange:
      return Holds(one, p.lower_inclusive ? Compare::kGe : Compare::kGt, p.values[0]) &&
             Holds(one, p.upper_inclusive ? Compare::kLe : Compare::kLt, p.values[1]);
    case Predicate::Kind::kPrefix:
      return one.as_string().starts_with(p.values[0].as_string());
    case Predicate::Kind::kText:
      return p.text->Matches(one.as_string());
    default:
      return false;
  }
}

class Dice {
 public:
  explicit Dice(uint64_t seed) : rng_(seed) {}
  size_t Below(size_t n) { return rng_() % n; }

  // From few values, so that equal ones are frequent, with the ends of the type among them.
  Scalar ValueOf(DataType type) {
    const int64_t small = static_cast<int64_t>(Below(7)) - 3;
    const bool is_edge = Below(10) == 0;
    switch (type) {
      case DataType::kBool:
        return small > 0;
      case DataType::kInt8:
        return is_edge ? int64_t{-128} : small;
      case DataType::kInt16:
        return is_edge ? int64_t{32767} : small;
      case DataType::kInt32:
        return is_edge ? int64_t{INT32_MIN} : small;
      case DataType::kInt64:
      case DataType::kTimestamptz:
        return is_edge ? INT64_MIN + small + 3 : small;
      case DataType::kVarChar:
        return is_edge ? std::string("\xff\x00\xff", 3) : Text();
      case DataType::kGeometry:
        return is_edge         ? PointWkb(NAN, NAN)
               : Below(2) == 0 ? PointWkb(Place(), Place())
                               : LineWkb();
      default: {
        const double edges[] = {NAN, INFINITY, -INFINITY, -0.0};
        return is_edge ? edges[Below(4)] : static_cast<double>(small) / 2;
      }
    }
  }
  std::string Text() {
    std::string text;
    for (size_t n = Below(7); n > 0; --n) text += Below(3) == 0 ? 'b' : 'a';
    return text;
  }

  // Few places, so that boxes often touch; some beyond the globe, one beyond single precision.
  double Place() {
    const double edges[] = {1e300, -1e300, 1e-30, 200};
    return Below(40) == 0 ? edges[Below(4)] : static_cast<double>(Below(9)) * 0.7 - 3;
  }
  static std::string PointWkb(double x, double y) {
    return std::string("\1\1\0\0\0", 5) + NumberBytes(x) + NumberBytes(y);
  }
  std::string LineWkb() {
    std::string bytes("\1\2\0\0\0\2\0\0\0", 9);
    for (int i = 0; i < 4; ++i) bytes += NumberBytes(Place());
    return bytes;
  }
  static std::string NumberBytes(double number) {
    return std::string(reinterpret_cast<const char*>(&number), sizeof(number));
  }
  Predicate ShapePredicate() {
    using Kind = model::BoxQuery::Kind;
    constexpr Kind kKinds[] = {Kind::kMeets, Kind::kInside, Kind::kCovers, Kind::kEqual};
    Predicate p{
        .kind = Predicate::Kind::kShape, .field = FieldId(100), .type = DataType::kGeometry};
    p.boxes.kind = kKinds[Below(4)];
    p.boxes.on_globe = Below(4) == 0;
    for (size_t points = Below(3); points > 0; --points) p.boxes.box.Add(Place(), Place());
    return p;
  }

  Predicate PredicateOf(const ScalarShape& shape) {
    using Kind = Predicate::Kind;
    if (shape.type == DataType::kGeometry && Below(5) > 0) return ShapePredicate();
    const bool is_array = shape.type == DataType::kArray;
    Predicate p{.field = FieldId(100), .type = is_array ? shape.element_type : shape.type};
    constexpr Kind kKinds[] = {Kind::kCompare, Kind::kIn,     Kind::kRange,
                               Kind::kIsNull,  Kind::kPrefix, Kind::kText};
    p.kind = kKinds[Below(shape.type == DataType::kVarChar ? 6 : 4)];
    if (shape.type == DataType::kGeometry) p.kind = Kind::kIsNull;
    if (is_array && p.kind != Kind::kIsNull) p.kind = Kind::kContains;
    p.op = kCompares[Below(6)];
    p.lower_inclusive = Below(2) == 0;
    p.upper_inclusive = Below(2) == 0;
    p.all = Below(2) == 0;
    const size_t values = p.kind == Kind::kRange      ? 2
                          : p.kind == Kind::kIn       ? Below(5)
                          : p.kind == Kind::kContains ? 1 + Below(3)
                          : p.kind == Kind::kText     ? 0
                                                      : 1;
    for (size_t i = 0; i < values; ++i) p.values.push_back(ValueOf(p.type));
    if (p.kind == Kind::kText)
      p.text = std::make_shared<Pattern>(Below(2) == 0 ? "" : Text(), Text());
    return p;
  }

  std::vector<Value> RowsOf(const ScalarShape& shape, size_t count) {
    const bool is_array = shape.type == DataType::kArray;
    std::vector<Value> rows;
    for (size_t i = 0; i < count; ++i) {
      Value& row = rows.emplace_back();
      if (Below(6) == 0) continue;
      row.emplace();
      for (size_t n = is_array ? Below(4) : 1; n > 0; --n) {
        row->push_back(ValueOf(is_array ? shape.element_type : shape.type));
      }
    }
    return rows;
  }

 private:
  std::mt19937_64 rng_;
};

struct Answered {
  Coverage coverage = Coverage::kNone;
  std::string rows;  // As 0 and 1.
};

Answered AnswerOf(const ScalarIndex& index, size_t rows, const Predicate& predicate) {
  SystemClock clock;
  Context ctx(clock);
  Bitset matches(rows);
  const auto coverage = index.Answer(ctx, predicate, matches);
  EXPECT_TRUE(coverage.ok()) << coverage.status().ToString();
  Answered answered{.coverage = coverage.ok() ? *coverage : Coverage::kNone};
  for (size_t i = 0; i < rows; ++i) answered.rows += matches.Test(i) ? '1' : '0';
  return answered;
}

std::string ScanOf(const std::vector<Value>& rows, const Predicate& predicate) {
  std::string text;
  for (const Value& value : rows) text += Passes(value, predicate) ? '1' : '0';
  return text;
}

class ScalarConformance : public testing::TestWithParam<const ScalarIndexType*> {
 protected:
  const ScalarIndexType& type() const { return *GetParam(); }
  // Every shape that the type supports.
  std::vector<ScalarShape> Shapes() const {
    std::vector<ScalarShape> shapes;
    for (DataType element : kTypes) {
      for (const ScalarShape& shape :
           {ScalarShape{.type = element}, ScalarShape{DataType::kArray, element}}) {
        if (type().Supports(shape)) shapes.push_back(shape);
      }
    }
    return shapes;
  }
  static std::string NameOf(const ScalarShape& shape) {
    return std::string(model::NameOf(shape.type)) + " " +
           std::string(model::NameOf(shape.element_type));
  }

  // Holds an answer against a scan; gives how far the index went.
  static Coverage Check(const ScalarIndex& index, const std::vector<Value>& rows,
                        const Predicate& p) {
    const Answered got = AnswerOf(index, rows.size(), p);
    const std::string wanted = ScanOf(rows, p);
    const model::IndexPromise promise = index.Estimate(p);
    const auto words = [&] {
      return fmt::format("kind {} op {} of {}", static_cast<int>(p.kind), static_cast<int>(p.op),
                         model::NameOf(p.type));
    };
    EXPECT_EQ(promise.coverage, got.coverage) << words();
    if (got.coverage == Coverage::kNone) {
      EXPECT_EQ(got.rows, std::string(rows.size(), '0')) << words();
      return got.coverage;
    }
    if (got.coverage == Coverage::kExact) {
      EXPECT_EQ(got.rows, wanted) << words();
      const auto count = std::count(wanted.begin(), wanted.end(), '1');
      EXPECT_GE(promise.rows, static_cast<uint64_t>(count)) << words();
    }
    for (size_t i = 0; i < rows.size(); ++i) {
      EXPECT_TRUE(wanted[i] == '0' || got.rows[i] == '1') << words() << ": row " << i << " is lost";
      EXPECT_TRUE(rows[i] || p.kind == Predicate::Kind::kIsNull || got.rows[i] == '0') << words();
    }
    return got.coverage;
  }
};

TEST_P(ScalarConformance, AnswersAsAPlainScanForEveryTypeOfColumn) {
  ASSERT_FALSE(Shapes().empty());
  for (const ScalarShape& shape : Shapes()) {
    Dice dice(static_cast<uint64_t>(shape.type) * 100 + static_cast<uint64_t>(shape.element_type));
    size_t answered = 0;
    for (size_t count : {0u, 1u, 2u, 63u, 64u, 200u}) {
      const std::vector<Value> rows = dice.RowsOf(shape, count);
      const auto index = IndexOf(type(), shape, rows);
      for (int i = 0; i < 200 && !HasFailure(); ++i) {
        const Predicate p = dice.PredicateOf(shape);
        if (Check(*index, rows, p) != Coverage::kNone) ++answered;
      }
      ASSERT_FALSE(HasFailure()) << NameOf(shape) << ", " << count << " rows";
    }
    EXPECT_GT(answered, 100u) << NameOf(shape);
  }
}

TEST_P(ScalarConformance, AnswersOverMoreThanOneBlockOfRows) {
  for (const ScalarShape& shape : Shapes()) {
    const DataType element = shape.type == DataType::kArray ? shape.element_type : shape.type;
    if (element != DataType::kBool && element != DataType::kInt32 &&
        element != DataType::kVarChar) {
      continue;  // The blocks know no types.
    }
    Dice dice(5);
    const std::vector<Value> rows = dice.RowsOf(shape, 140'000);
    const auto index = IndexOf(type(), shape, rows);
    for (int i = 0; i < 4; ++i) Check(*index, rows, dice.PredicateOf(shape));
    ASSERT_FALSE(HasFailure()) << NameOf(shape);
  }
}

TEST_P(ScalarConformance, TakesAColumnWithoutValues) {
  for (const ScalarShape& shape : Shapes()) {
    Dice dice(6);
    const std::vector<Value> rows(70);
    const auto index = IndexOf(type(), shape, rows);
    for (int i = 0; i < 20; ++i) Check(*index, rows, dice.PredicateOf(shape));
    Bitset nulls(70);
    index->SetNulls(nulls);
    EXPECT_EQ(nulls.Count(), 70u);
  }
}

TEST_P(ScalarConformance, LeavesOtherTypesToTheScan) {
  for (const ScalarShape& shape : Shapes()) {
    const auto index = IndexOf(type(), shape, {std::nullopt});
    const DataType element = shape.type == DataType::kArray ? shape.element_type : shape.type;
    Predicate p{.type = element == DataType::kVarChar ? DataType::kInt64 : DataType::kVarChar};
    p.kind = shape.type == DataType::kArray ? Predicate::Kind::kContains : Predicate::Kind::kIn;
    EXPECT_EQ(AnswerOf(*index, 1, p).coverage, Coverage::kNone) << NameOf(shape);
    // Of an array no single value can be asked, and the other way round.
    p.type = element;
    p.kind = shape.type == DataType::kArray ? Predicate::Kind::kIn : Predicate::Kind::kContains;
    EXPECT_EQ(AnswerOf(*index, 1, p).coverage, Coverage::kNone) << NameOf(shape);
  }
}

TEST_P(ScalarConformance, IsNotForEveryTypeOfField) {
  SystemClock clock;
  Context ctx(clock);
  for (DataType other : {DataType::kJson, DataType::kFloatVector, DataType::kGeometry}) {
    if (type().name == "RTREE" && other == DataType::kGeometry) continue;
    EXPECT_FALSE(type().Supports({.type = other}));
    const Column column = model::MakeColumn(FieldId(1), "f", other, DataType::kNone, 4);
    EXPECT_EQ(type().Build(ctx, column.view(), ParamsOf(type())).status().code(),
              ErrorCode::kIndexNotSupported);
  }
}

TEST_P(ScalarConformance, RefusesASegmentOfAnotherSize) {
  SystemClock clock;
  Context ctx(clock);
  const ScalarShape shape = Shapes()[0];
  const auto index = IndexOf(type(), shape, {std::nullopt, std::nullopt});
  Bitset matches(1);
  const Predicate p{.kind = Predicate::Kind::kIsNull, .type = shape.type};
  EXPECT_EQ(index->Answer(ctx, p, matches).status().code(), ErrorCode::kIntegrity);
}

TEST_P(ScalarConformance, StopsWhenCancelled) {
  SystemClock clock;
  Context ctx(clock);
  ctx.Cancel();
  const ScalarShape shape = Shapes()[0];
  const Column column = ColumnOf(shape, {std::nullopt});
  EXPECT_EQ(type().Build(ctx, column.view(), ParamsOf(type())).status().code(),
            ErrorCode::kCanceled);
  const auto index = IndexOf(type(), shape, {std::nullopt});
  Bitset matches(1);
  const Predicate p{.kind = Predicate::Kind::kIsNull, .type = shape.type};
  EXPECT_EQ(index->Answer(ctx, p, matches).status().code(), ErrorCode::kCanceled);
}

TEST_P(ScalarConformance, OpensAtAnyAddress) {
  const ScalarShape shape = Shapes().back();
  Dice dice(9);
  const std::vector<Value> rows = dice.RowsOf(shape, 50);
  const auto index = OpenScalarIndex(BlobOf(FileOf(type(), shape, rows), /*shift=*/1));
  ASSERT_TRUE(index.ok());
  for (int i = 0; i < 20; ++i) Check(**index, rows, dice.PredicateOf(shape));
}

// Opens a damaged file; when it opens, asks it everything: the answers may be wrong, but nothing
// outside the index may be touched. Gives whether it was refused.
bool IsRefused(std::string_view file, const ScalarShape& shape, Dice& dice) {
  const auto index = OpenScalarIndex(BlobOf(file));
  if (!index.ok()) {
    EXPECT_EQ(index.status().code(), ErrorCode::kIntegrity) << index.status().ToString();
    return true;
  }
  SystemClock clock;
  Context ctx(clock);
  for (int i = 0; i < 20; ++i) {
    Bitset matches(12);
    const Predicate p = dice.PredicateOf(shape);
    (void)(*index)->Estimate(p);
    (void)(*index)->Answer(ctx, p, matches);
  }
  return false;
}

TEST_P(ScalarConformance, RefusesAFileCutOrChangedAnywhere) {
  for (const ScalarShape& shape : Shapes()) {
    Dice dice(7);
    const std::string good = FileOf(type(), shape, dice.RowsOf(shape, 12));
    ASSERT_FALSE(IsRefused(good, shape, dice));
    for (size_t size = 0; size < good.size(); ++size) {
      EXPECT_TRUE(IsRefused(std::string_view(good).substr(0, size), shape, dice)) << size;
    }
    for (size_t at = 0; at < good.size(); ++at) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (1 << dice.Below(8)));
      EXPECT_TRUE(IsRefused(bad, shape, dice)) << at;
    }
  }
}

TEST_P(ScalarConformance, IsHarmlessWhenTheFrameIsRightAndTheContentWrong) {
  for (const ScalarShape& shape : Shapes()) {
    Dice dice(8);
    const std::string good = FileOf(type(), shape, dice.RowsOf(shape, 12));
    const std::string magic = good.substr(0, 8);
    const auto unframed = Unframe(magic, 1, good, "test");
    ASSERT_TRUE(unframed.ok());
    const std::string payload(*unframed);
    for (size_t size = 0; size < payload.size(); size += 3) {
      EXPECT_TRUE(IsRefused(Frame(magic, 1, payload.substr(0, size)), shape, dice)) << size;
    }
    for (size_t at = 0; at < payload.size(); ++at) {
      for (int flip : {0x01, 0x80, 0xff}) {
        std::string bad = payload;
        bad[at] = static_cast<char>(bad[at] ^ flip);
        (void)IsRefused(Frame(magic, 1, bad), shape, dice);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(AllTypes, ScalarConformance,
                         testing::ValuesIn(AllScalarTypes().begin(), AllScalarTypes().end()),
                         [](const auto& info) { return std::string(info.param->name); });

TEST(ScalarTypes, AreFoundByNameAndAlias) {
  EXPECT_EQ(FindScalarType("TRIE"), FindScalarType("Trie"));
  EXPECT_EQ(FindScalarType("MARISA-TRIE"), FindScalarType("Trie"));
  EXPECT_EQ(FindScalarType("SORTED"), FindScalarType("STL_SORT"));
  EXPECT_EQ(FindScalarType("inverted"), nullptr);
}

// Which type goes with which column: the table of the interface.
TEST(ScalarTypes, SupportWhatTheTableSays) {
  const auto supports = [](std::string_view name, ScalarShape shape) {
    return FindScalarType(name)->Supports(shape);
  };
  const ScalarShape bools{DataType::kArray, DataType::kBool};
  const ScalarShape reals{DataType::kArray, DataType::kDouble};
  EXPECT_TRUE(supports("INVERTED", {DataType::kBool}));
  EXPECT_TRUE(supports("INVERTED", reals));
  EXPECT_FALSE(supports("INVERTED", {DataType::kTimestamptz}));
  EXPECT_TRUE(supports("BITMAP", {DataType::kBool}));
  EXPECT_TRUE(supports("BITMAP", bools));
  EXPECT_FALSE(supports("BITMAP", {DataType::kDouble}));
  EXPECT_FALSE(supports("BITMAP", reals));
  EXPECT_FALSE(supports("BITMAP", {DataType::kInt64, DataType::kNone, /*is_primary_key=*/true}));
  EXPECT_TRUE(supports("STL_SORT", {DataType::kTimestamptz}));
  EXPECT_FALSE(supports("STL_SORT", {DataType::kBool}));
  EXPECT_FALSE(supports("STL_SORT", reals));
  EXPECT_TRUE(supports("Trie", {DataType::kVarChar}));
  EXPECT_FALSE(supports("Trie", {DataType::kInt64}));
  EXPECT_TRUE(supports("RTREE", {DataType::kGeometry}));
  EXPECT_FALSE(supports("RTREE", {DataType::kVarChar}));
  EXPECT_FALSE(supports("INVERTED", {DataType::kGeometry}));
  EXPECT_TRUE(supports("NGRAM", {DataType::kVarChar}));
  EXPECT_FALSE(supports("NGRAM", {DataType::kInt8}));
}

TEST(ScalarTypes, NgramAsksForBothLengthsInOrder) {
  const ScalarIndexType& ngram = *FindScalarType("NGRAM");
  Params params;
  EXPECT_EQ(ngram.CheckParams(params).code(), ErrorCode::kMissingParameter);
  params.Set("min_gram", 3);
  EXPECT_EQ(ngram.CheckParams(params).code(), ErrorCode::kMissingParameter);
  params.Set("max_gram", 2);
  EXPECT_EQ(ngram.CheckParams(params).code(), ErrorCode::kInvalidParameter);
  params.Set("max_gram", 3);
  EXPECT_TRUE(ngram.CheckParams(params).ok());
}

TEST(ScalarTypes, NgramLeavesPatternsWithoutALongLiteralToTheScan) {
  const ScalarShape shape{.type = DataType::kVarChar};
  const std::vector<Value> rows = {Value({Scalar(std::string("abcd"))})};
  const auto index = IndexOf(*FindScalarType("NGRAM"), shape, rows);  // Of 2 to 3 bytes.
  const auto ask = [&](std::string prefix, std::string literal) {
    Predicate p{.kind = Predicate::Kind::kText, .type = DataType::kVarChar};
    p.text = std::make_shared<Pattern>(std::move(prefix), std::move(literal));
    return AnswerOf(*index, 1, p).coverage;
  };
  EXPECT_EQ(ask("", "b"), Coverage::kNone);
  EXPECT_EQ(ask("", "bc"), Coverage::kExact) << "one piece is the whole question";
  EXPECT_EQ(ask("", "abcd"), Coverage::kCandidates);
  EXPECT_EQ(ask("ab", "d"), Coverage::kCandidates);
}

TEST(ScalarTypes, HybridTakesBitmapsForFewValuesOnly) {
  SystemClock clock;
  Context ctx(clock);
  const auto magic = [&](int64_t distinct, DataType type) {
    std::vector<Value> rows;
    for (int64_t i = 0; i < 300; ++i) {
      const int64_t value = i % distinct;
      rows.push_back(Value({type == DataType::kDouble ? Scalar(double(value)) : Scalar(value)}));
    }
    return FileOf(*FindScalarType("HYBRID"), {.type = type}, rows).substr(0, 8);
  };
  EXPECT_EQ(magic(99, DataType::kInt64), FindScalarType("BITMAP")->magic);
  EXPECT_EQ(magic(100, DataType::kInt64), FindScalarType("STL_SORT")->magic);
  EXPECT_EQ(magic(2, DataType::kDouble), FindScalarType("STL_SORT")->magic)
      << "no bitmaps of floats";
}

}  // namespace
}  // namespace elanus::index
