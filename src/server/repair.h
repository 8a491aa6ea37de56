// `elanus repair`: says what stops the log of a data directory from being read, and sets it aside.
#pragma once

#include <string>

#include "base/status.h"

namespace elanus::server {

struct RepairRequest {
  std::string data_directory;
  bool cut = false;  // False: only says what it would do.
};

/// Prints what it finds to standard output; true when nothing stops a start any more. No server may
/// run on the directory (kOldSession). A log alone is repaired: without the catalog nothing could
/// be asked for, so a directory whose catalog is lost or has lost changes is refused as it is
/// (kIntegrity, with the way out). Errors: kKeyNotFound when there is no data, kIoFailed,
/// kIntegrity.
Result<bool> Repair(const RepairRequest& request);

}  // namespace elanus::server
