// What each way of searching a graph under a filter costs, and which one is taken.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace elanus::index {

/// Of one call: depends on how many rows its filter allows, not on where they lie. Costs are in
/// nanoseconds, measured on embeddings of 384 dimensions and on clusters of 128.
class GraphFilterCosts {
 public:
  struct Shape {
    size_t code_bytes = 0;
    size_t nodes = 0;
    size_t allowed = 0;     // Of the nodes, one at least.
    size_t beam = 0;        // Of a search without the filter.
    size_t candidates = 0;  // That are scored anew.
    size_t cells = 0;       // 0: there are none.
    size_t dim = 0;
  };
  explicit GraphFilterCosts(const Shape& shape)
      : distance_(kDistance + kDistanceByte * static_cast<double>(shape.code_bytes)),
        is_small_(shape.code_bytes <= kSmallCodeBytes),
        allowed_(static_cast<double>(shape.allowed)),
        nodes_(static_cast<double>(shape.nodes)),
        share_(allowed_ / nodes_),
        beam_(static_cast<double>(shape.beam)),
        cells_(static_cast<double>(shape.cells)),
        dim_(static_cast<double>(shape.dim)),
        wanted_(static_cast<double>(shape.candidates) + kWantedOfBeam * beam_) {}

  double share() const { return share_; }
  double distance() const { return distance_; }

  /// Of a scan of what is allowed: by codes, or by sketches first.
  double Scan(bool by_sketches) const {
    if (by_sketches) return kSketchScanBegins * distance_ + kSketch * allowed_;
    return allowed_ * distance_ / (is_small_ ? kCodeScanAdvantage : kExactAdvantage);
  }

  /// Allowed rows that a scan of the nearest cells meets, at most and at least. On clusters the
  /// most are twice as many as hold the best rows, however far these are from the query; they cost
  /// about what two walks do. Ten times the nodes have twice as many rows that are about as near.
  size_t cell_rows() const {
    const double growth = std::pow(std::max(1.0, nodes_ / kCellRowsNodes), kCellRowsGrowth);
    return static_cast<size_t>(kCellRowsOfBeam * growth * beam_);
  }
  size_t cell_rows_least() const { return static_cast<size_t>(kCellRowsLeastOfBeam * beam_); }
  /// Of such a scan. Where a filter allows one row in ten, ten are looked up for each that is met.
  double Cells() const {
    const double rows = kCellRowsMet * static_cast<double>(cell_rows_least());
    return cells_ * (kCell + kCellNumber * dim_) +
           rows * (distance_ / kCellAdvantage + kCellRow / share_);
  }

  /// Allowed nodes that WalkNear looks for: the candidates and, since a few may be missed, more.
  size_t near_wanted() const { return static_cast<size_t>(std::ceil(wanted_)); }
  /// Breadth of its walk: must meet as many nodes as hold the wanted ones.
  size_t near_ef() const {
    return static_cast<size_t>(std::ceil(std::max(beam_, Around() / kDistancesPerEf)));
  }
  double Near() const {
    const double ef = static_cast<double>(near_ef());
    return ef * kDistancesPerEf * distance_ + kNearBegins + kMetPerEf * ef +
           kFollow * std::max(0.0, Around() - ef);
  }

  /// Breadth of a walk among allowed nodes: its links are not those that the graph was built for.
  size_t among_ef() const { return static_cast<size_t>(beam_ + kBeamForSkipped * (1 - share_)); }
  double Among() const {
    return static_cast<double>(among_ef()) * kDistancesPerEf * (distance_ + kLookUp / share_);
  }
  /// Of a walk through all nodes for as many allowed ones as the beam is wide.
  double Past() const { return beam_ * kDistancesPerEf * distance_ / share_; }

 private:
  // Distances of a walk per unit of ef, at ef 64, and what one costs with what is left of its cache
  // misses.
  static constexpr double kDistancesPerEf = 12;
  static constexpr double kDistance = 10;
  static constexpr double kDistanceByte = 0.14;
  // Scoring an allowed row in an exact scan is cheaper than a step of a walk, which also pays for
  // cache misses; on codes of a few hundred bytes by far.
  static constexpr double kExactAdvantage = 1.5;
  static constexpr double kCodeScanAdvantage = 4.5;
  static constexpr size_t kSmallCodeBytes = 512;
  // A sketch is cheaper still; a scan by them goes on with some rows by their codes.
  static constexpr double kSketch = 14;
  static constexpr double kSketchScanBegins = 100;
  // Putting a cell in order; a number of its centroid; looking up whether a row is allowed. Rows of
  // a cell lie one after the other. Mostly a scan meets so many times the least rows.
  static constexpr double kCell = 6;
  static constexpr double kCellNumber = 0.03;
  static constexpr double kCellRow = 1;
  static constexpr double kCellAdvantage = 2.7;
  static constexpr double kCellRowsMet = 2;
  static constexpr double kCellRowsOfBeam = 80;
  static constexpr double kCellRowsNodes = 100'000;
  static constexpr double kCellRowsGrowth = 0.2;
  static constexpr double kCellRowsLeastOfBeam = 16;
  // WalkNear: which of the nodes met are allowed; following the links of one to allowed nodes.
  static constexpr double kNearBegins = 4'000;
  static constexpr double kMetPerEf = 300;
  static constexpr double kFollow = 100;
  static constexpr double kWantedOfBeam = 0.3;
  // A walk among allowed nodes looks for them, the farther the fewer there are.
  static constexpr double kLookUp = 12;
  static constexpr double kBeamForSkipped = 50;

  // The nodes nearest to the query that hold the wanted ones.
  double Around() const { return wanted_ / share_; }

  const double distance_;
  const bool is_small_;
  const double allowed_, nodes_, share_, beam_, cells_, dim_, wanted_;
};

}  // namespace elanus::index
