// Names and widths of types.
#include "model/data_type.h"

#include <algorithm>
#include <array>

namespace elanus::model {
namespace {

// In the order of Metric.
constexpr std::array<std::string_view, 15> kMetricNames = {"L2",
                                                           "IP",
                                                           "COSINE",
                                                           "HAMMING",
                                                           "JACCARD",
                                                           "SUBSTRUCTURE",
                                                           "SUPERSTRUCTURE",
                                                           "MHJACCARD",
                                                           "BM25",
                                                           "MAX_SIM",
                                                           "MAX_SIM_COSINE",
                                                           "MAX_SIM_IP",
                                                           "MAX_SIM_L2",
                                                           "MAX_SIM_HAMMING",
                                                           "MAX_SIM_JACCARD"};

}  // namespace

std::string_view NameOf(DataType type) {
  switch (type) {
    case DataType::kNone:
      return "None";
    case DataType::kBool:
      return "Bool";
    case DataType::kInt8:
      return "Int8";
    case DataType::kInt16:
      return "Int16";
    case DataType::kInt32:
      return "Int32";
    case DataType::kInt64:
      return "Int64";
    case DataType::kFloat:
      return "Float";
    case DataType::kDouble:
      return "Double";
    case DataType::kString:
      return "String";
    case DataType::kVarChar:
      return "VarChar";
    case DataType::kArray:
      return "Array";
    case DataType::kJson:
      return "JSON";
    case DataType::kGeometry:
      return "Geometry";
    case DataType::kText:
      return "Text";
    case DataType::kTimestamptz:
      return "Timestamptz";
    case DataType::kBinaryVector:
      return "BinaryVector";
    case DataType::kFloatVector:
      return "FloatVector";
    case DataType::kFloat16Vector:
      return "Float16Vector";
    case DataType::kBFloat16Vector:
      return "BFloat16Vector";
    case DataType::kSparseFloatVector:
      return "SparseFloatVector";
    case DataType::kInt8Vector:
      return "Int8Vector";
    case DataType::kArrayOfVector:
      return "ArrayOfVector";
    case DataType::kArrayOfStruct:
      return "ArrayOfStruct";
    case DataType::kStruct:
      return "Struct";
  }
  return "Unknown";
}

bool IsKnown(DataType type) { return NameOf(type) != "Unknown"; }

uint32_t WidthOf(DataType type, uint32_t dim) {
  switch (type) {
    case DataType::kBool:
    case DataType::kInt8:
      return 1;
    case DataType::kInt16:
      return 2;
    case DataType::kInt32:
    case DataType::kFloat:
      return 4;
    case DataType::kInt64:
    case DataType::kDouble:
    case DataType::kTimestamptz:
      return 8;
    case DataType::kFloatVector:
      return 4 * dim;
    case DataType::kFloat16Vector:
    case DataType::kBFloat16Vector:
      return 2 * dim;
    case DataType::kInt8Vector:
      return dim;
    case DataType::kBinaryVector:
      return dim / 8;
    default:
      return 0;
  }
}

std::string_view NameOf(Metric metric) {
  const auto at = static_cast<size_t>(metric);
  return at < kMetricNames.size() ? kMetricNames[at] : "Unknown";
}

std::optional<Metric> MetricOf(std::string_view name) {
  const auto found = std::find(kMetricNames.begin(), kMetricNames.end(), name);
  if (found == kMetricNames.end()) return std::nullopt;
  return static_cast<Metric>(found - kMetricNames.begin());
}

}  // namespace elanus::model
