// Manifests.
#include "segment/manifest.h"

#include "base/fields.h"
#include "base/framed.h"

namespace elanus::segment {
namespace {

constexpr std::string_view kManifestMagic = "ELMANIFE";
constexpr size_t kTextBytesMax = 1024;  // A longer least or greatest text: no range is kept.

}  // namespace

ColumnRange ColumnRange::Of(const model::BlockStats& stats) {
  const bool is_short =
      stats.text_min.size() <= kTextBytesMax && stats.text_max.size() <= kTextBytesMax;
  return {.nulls = stats.nulls,
          .has_range = stats.has_range && is_short,
          .has_nan = stats.has_nan,
          .int_min = stats.int_min,
          .int_max = stats.int_max,
          .real_min = stats.real_min,
          .real_max = stats.real_max,
          .text_min = is_short ? std::string(stats.text_min) : std::string(),
          .text_max = is_short ? std::string(stats.text_max) : std::string(),
          .box = stats.box};
}

model::BlockStats ColumnRange::stats() const {
  return {.nulls = nulls,
          .has_range = has_range,
          .has_nan = has_nan,
          .int_min = int_min,
          .int_max = int_max,
          .real_min = real_min,
          .real_max = real_max,
          .text_min = text_min,
          .text_max = text_max,
          .box = box};
}

std::string EncodeManifest(const Manifest& manifest) {
  return Frame(kManifestMagic, 1, Encode(manifest));
}

Result<Manifest> DecodeManifest(std::string_view file, std::string_view key) {
  TRY_ASSIGN(const std::string_view payload, Unframe(kManifestMagic, 1, file, key));
  return Decode<Manifest>(payload);
}

}  // namespace elanus::segment
