// Manifests.
#include "segment/manifest.h"

#include "base/fields.h"
#include "base/framed.h"

namespace elanus::segment {
namespace {

constexpr std::string_view kManifestMagic = "ELMANIFE";

}  // namespace

std::string EncodeManifest(const Manifest& manifest) {
  return Frame(kManifestMagic, 1, Encode(manifest));
}

Result<Manifest> DecodeManifest(std::string_view file, std::string_view key) {
  TRY_ASSIGN(const std::string_view payload, Unframe(kManifestMagic, 1, file, key));
  return Decode<Manifest>(payload);
}

}  // namespace elanus::segment
