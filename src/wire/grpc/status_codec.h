// A Status as it stands in answers.
#pragma once

#include "base/status.h"

namespace milvus::proto::common {
class Status;
}

namespace elanus::wire {

/// Fills code, legacy code, reason, retriable, detail and the blame, as valid UTF-8. An OK
/// status leaves the message empty.
void EncodeStatus(const elanus::Status& status, milvus::proto::common::Status* to);

}  // namespace elanus::wire
