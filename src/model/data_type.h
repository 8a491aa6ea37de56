// Field types and metrics, with the numbers they have on the wire.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace elanus::model {

enum class DataType : int32_t {
  kNone = 0,
  kBool = 1,
  kInt8 = 2,
  kInt16 = 3,
  kInt32 = 4,
  kInt64 = 5,
  kFloat = 10,
  kDouble = 11,
  kString = 20,
  kVarChar = 21,
  kArray = 22,
  kJson = 23,
  kGeometry = 24,
  kText = 25,
  kTimestamptz = 26,
  kBinaryVector = 100,
  kFloatVector = 101,
  kFloat16Vector = 102,
  kBFloat16Vector = 103,
  kSparseFloatVector = 104,
  kInt8Vector = 105,
  kArrayOfVector = 106,
  kArrayOfStruct = 200,
  kStruct = 201,
};

/// "Int64", "FloatVector", ...; "Unknown" for other numbers.
std::string_view NameOf(DataType type);
/// True for numbers the wire contract defines.
bool IsKnown(DataType type);
constexpr bool IsVector(DataType type) {
  return static_cast<int32_t>(type) >= 100 && static_cast<int32_t>(type) <= 106;
}
constexpr bool IsInteger(DataType type) {
  return type >= DataType::kInt8 && type <= DataType::kInt64;
}
constexpr bool IsFloating(DataType type) {
  return type == DataType::kFloat || type == DataType::kDouble;
}
/// Bytes of one value of a fixed-width type (bool 1, int8 1, ..., double 8); for dense vectors of
/// `dim` dimensions dim times the element; 0 for variable-width types.
uint32_t WidthOf(DataType type, uint32_t dim = 0);

/// How two vectors are compared. The numbers are ours and stand in index files.
enum class Metric : int32_t {
  kL2 = 0,
  kIp = 1,
  kCosine = 2,
  kHamming = 3,         // Bits that differ.
  kJaccard = 4,         // 1 - |a and b| / |a or b|; 0 between two rows without a set bit.
  kSubstructure = 5,    // Reserved: a name that an index may carry and no search answers.
  kSuperstructure = 6,  // As kSubstructure.
  kMinHashJaccard = 7,  // "MHJACCARD": similarity of MinHash signatures.
  kBm25 = 8,
  // Between lists of vectors: the sum, over the query's vectors, of the best score that each has
  // among the row's vectors.
  kMaxSim = 9,  // The same as kMaxSimCosine, under the name the user gave.
  kMaxSimCosine = 10,
  kMaxSimIp = 11,
  kMaxSimL2 = 12,
  kMaxSimHamming = 13,
  kMaxSimJaccard = 14,
};

std::string_view NameOf(Metric metric);
/// Upper-case names only, as on the wire.
std::optional<Metric> MetricOf(std::string_view name);
/// True when a larger score is better.
constexpr bool LargerIsBetter(Metric metric) {
  switch (metric) {
    case Metric::kIp:
    case Metric::kCosine:
    case Metric::kMinHashJaccard:
    case Metric::kBm25:
    case Metric::kMaxSim:
    case Metric::kMaxSimCosine:
    case Metric::kMaxSimIp:
      return true;
    case Metric::kL2:
    case Metric::kHamming:
    case Metric::kJaccard:
    case Metric::kSubstructure:
    case Metric::kSuperstructure:
    case Metric::kMaxSimL2:
    case Metric::kMaxSimHamming:
    case Metric::kMaxSimJaccard:
      return false;
  }
  return false;
}
/// True of the metrics between lists of vectors.
constexpr bool IsMaxSim(Metric metric) { return metric >= Metric::kMaxSim; }
/// What a metric between lists compares two of their vectors with; other metrics as they are.
constexpr Metric ElementMetric(Metric metric) {
  switch (metric) {
    case Metric::kMaxSim:
    case Metric::kMaxSimCosine:
      return Metric::kCosine;
    case Metric::kMaxSimIp:
      return Metric::kIp;
    case Metric::kMaxSimL2:
      return Metric::kL2;
    case Metric::kMaxSimHamming:
      return Metric::kHamming;
    case Metric::kMaxSimJaccard:
      return Metric::kJaccard;
    default:
      return metric;
  }
}

}  // namespace elanus::model
