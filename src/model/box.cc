// Boxes around geometries.
#include "model/box.h"

#include <algorithm>
#include <cmath>

#include "model/wkb.h"

namespace elanus::model {
namespace {

bool AddPoints(WkbReader& in, const WkbHead& head, Box& box) {
  uint32_t count;
  if (!in.ReadCount(head.numbers * sizeof(double), count)) return false;
  double point[kWkbNumbersMax];
  for (uint32_t i = 0; i < count; ++i) {
    if (!in.ReadPoint(head, point)) return false;
    box.Add(point[0], point[1]);
  }
  return true;
}

bool AddShape(WkbReader& in, int depth, Box& box) {
  WkbHead head;
  if (depth > kWkbDepthMax || !in.ReadHead(head)) return false;
  uint32_t count;
  switch (head.kind) {
    case WkbKind::kPoint: {
      double point[kWkbNumbersMax];
      if (!in.ReadPoint(head, point)) return false;
      if (!std::isnan(point[0])) box.Add(point[0], point[1]);
      return true;
    }
    case WkbKind::kLineString:
      return AddPoints(in, head, box);
    case WkbKind::kPolygon:
      if (!in.ReadCount(sizeof(uint32_t), count)) return false;
      for (uint32_t i = 0; i < count; ++i) {
        if (!AddPoints(in, head, box)) return false;
      }
      return true;
    default:
      if (!in.ReadCount(kWkbBytesMin, count)) return false;
      for (uint32_t i = 0; i < count; ++i) {
        if (!AddShape(in, depth + 1, box)) return false;
      }
      return true;
  }
}

}  // namespace

void Box::Add(double x, double y) {
  min_x = std::min(min_x, x);
  min_y = std::min(min_y, y);
  max_x = std::max(max_x, x);
  max_y = std::max(max_y, y);
}

void Box::Add(const Box& other) {
  min_x = std::min(min_x, other.min_x);
  min_y = std::min(min_y, other.min_y);
  max_x = std::max(max_x, other.max_x);
  max_y = std::max(max_y, other.max_y);
}

bool BoxQuery::MayPass(const Box& around) const {
  if (around.is_empty() || box.is_empty()) {
    return kind == Kind::kEqual && around.is_empty() && box.is_empty();
  }
  if (on_globe && !IsOnGlobe(around)) return true;
  switch (kind) {
    case Kind::kMeets:
      return box.Meets(around);
    case Kind::kInside:
      return box.Holds(around);
    case Kind::kCovers:
      return around.Holds(box);
    case Kind::kEqual:
      return around == box;
  }
  return true;
}

bool BoxQuery::MayPassWithin(const Box& around) const {
  if (box.is_empty()) return kind == Kind::kEqual;
  if (around.is_empty()) return false;
  if (on_globe && !IsOnGlobe(around)) return true;
  return kind == Kind::kMeets || kind == Kind::kInside ? around.Meets(box) : around.Holds(box);
}

bool IsOnGlobe(const Box& box) {
  return box.min_x >= -180 && box.max_x <= 180 && box.min_y >= -90 && box.max_y <= 90;
}

std::optional<Box> BoxOf(std::string_view wkb) {
  WkbReader in(wkb);
  Box box;
  if (!AddShape(in, 0, box) || !in.at_end()) return std::nullopt;
  return box;
}

}  // namespace elanus::model
