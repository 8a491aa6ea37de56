// Geometries as text: well-known text (OGC 06-103r4, section 7) to and from what columns hold.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace elanus::geometry {

/// The stored form (model/wkb.h) of a text such as "POLYGON ((0 0, 4 0, 4 4, 0 0))". Tags in any
/// case; points may have z and m, all of a text the same. Errors: kInvalidParameter, with the place
/// in bytes: no such text, a number that is not finite, a line of one point, a ring that is not
/// closed or has fewer than four points, collections deeper than kWkbDepthMax.
Result<std::string> ReadWkt(std::string_view text);

/// The text of a stored geometry: tags in capitals, one blank between words, numbers as short as
/// they can be without an exponent and still be read as the same. Errors: kIntegrity when the bytes
/// are no geometry.
Result<std::string> WriteWkt(std::string_view wkb);

}  // namespace elanus::geometry
