// Delta logs: framed ("ELDELTAS"), the payload is the field encoding of model::Deletes.
#include "store/formats/delta_log.h"

#include "base/fields.h"
#include "base/framed.h"

namespace elanus::store {
namespace {
constexpr std::string_view kMagic = "ELDELTAS";
constexpr uint32_t kVersion = 2;  // 1 did not say which partition a key goes from.
}  // namespace

std::string EncodeDeltaLog(const model::Deletes& deletes) {
  return Frame(kMagic, kVersion, Encode(deletes));
}

Result<model::Deletes> DecodeDeltaLog(std::string_view file, std::string_view key) {
  TRY_ASSIGN(const std::string_view payload, Unframe(kMagic, kVersion, file, key));
  TRY_ASSIGN(model::Deletes deletes, Decode<model::Deletes>(payload));
  if (deletes.timestamps.size() != deletes.keys.rows ||
      deletes.partitions.size() != deletes.keys.rows) {
    return Error(ErrorCode::kIntegrity, "{}: keys, timestamps and partitions differ in number",
                 key);
  }
  return deletes;
}

}  // namespace elanus::store
