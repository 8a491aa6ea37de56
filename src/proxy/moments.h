// Timestamptz values where clients see them: texts, read and written by the clocks of a time zone.
#pragma once

#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/time_zone.h"
#include "model/column.h"
#include "model/requests/collection.h"
#include "model/timestamptz.h"

namespace elanus::proxy {

/// A property of collections, and a parameter of reads.
inline constexpr std::string_view kTimeZoneKey = "timezone";

/// The zone that `properties` name, UTC when none. kInvalidParameter when there is no such zone.
Result<TimeZone> ZoneOf(const std::vector<model::KeyValue>& properties);

/// Makes texts moments; columns of moments stay. Errors: kInvalidParameter, naming the field.
Status ReadMoments(const model::FieldSchema& field, const TimeZone& zone, model::Column& column);

/// Makes defaults of Timestamptz fields that are texts moments. Errors: kInvalidParameter.
Status ReadDefaultMoments(const TimeZone& zone, model::CollectionSchema& schema);

/// How an answer shows moments.
struct MomentForm {
  TimeZone zone;
  std::vector<model::TimePart> parts;  // Empty: as texts.
};

/// What the parameters `timezone` and `time_fields` of a read of the collection say. Errors:
/// kInvalidParameter.
Result<MomentForm> MomentFormOf(const std::vector<model::KeyValue>& params,
                                const model::CollectionInfo& collection);

/// Turns columns of moments into what clients see: texts, in a VarChar column whose element type is
/// Timestamptz; or the wanted parts of each, as Array of Int64.
void ShowMoments(const MomentForm& form, std::vector<model::Column>& columns);

}  // namespace elanus::proxy
