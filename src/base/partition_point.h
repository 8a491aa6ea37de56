// Binary search over positions of what is in order but lies in no array of its own.
#pragma once

namespace elanus {

/// The first position of [begin, end) for which `is_before(position)` is false, `end` where there
/// is none. It must be true for a first part of them and false for the rest.
template <class Position, class IsBefore>
Position PartitionPoint(Position begin, Position end, IsBefore is_before) {
  while (begin < end) {
    const Position middle = begin + (end - begin) / 2;
    if (is_before(middle)) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return begin;
}

}  // namespace elanus
