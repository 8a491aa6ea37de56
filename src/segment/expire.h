// Rows past their time to live are hidden from reads, from the moment on that they are.
#pragma once

#include "model/requests/shard_read.h"
#include "segment/segment.h"

namespace elanus::segment {

/// `visible` without the rows of the segment inserted before `expired_before`. Of rows that ascend
/// by insert timestamp it costs a look at log2(rows) of them, and a copy of the bits when some have
/// expired; of rows in another order a look at each when the oldest has.
Visible HideExpired(const SegmentView& segment, Visible visible, Timestamp expired_before);

/// `visible` without the rows whose value of `field`, a Timestamptz, is `expiry_us` or earlier;
/// null: they live for ever. Errors: those of reading the field.
Result<Visible> HideExpiredByField(const SegmentView& segment, Visible visible, FieldId field,
                                   int64_t expiry_us);

/// The rows visible at `read_at` without those past their time to live. Errors: as above.
Result<Visible> VisibleRows(const SegmentView& segment, const model::ShardRead& read,
                            Timestamp read_at);

}  // namespace elanus::segment
