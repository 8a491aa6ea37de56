// Delta logs: framed ("ELDELTAS"), the payload is the field encoding of model::Deletes.
#include "store/formats/delta_log.h"

#include "base/fields.h"
#include "base/framed.h"

namespace elanus::store {
namespace {
constexpr std::string_view kMagic = "ELDELTAS";
}

std::string EncodeDeltaLog(const model::Deletes& deletes) {
  return Frame(kMagic, 1, Encode(deletes));
}

Result<model::Deletes> DecodeDeltaLog(std::string_view file, std::string_view key) {
  TRY_ASSIGN(const std::string_view payload, Unframe(kMagic, 1, file, key));
  TRY_ASSIGN(model::Deletes deletes, Decode<model::Deletes>(payload));
  if (deletes.timestamps.size() != deletes.keys.rows) {
    return Error(ErrorCode::kIntegrity, "{}: keys and timestamps differ in number", key);
  }
  return deletes;
}

}  // namespace elanus::store
