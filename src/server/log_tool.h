// What stands in the log, for people: its streams, and the changes in one of them.
#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"

namespace elanus::server {

struct LogRequest {
  std::string data_directory;
  std::string topic;    // Empty: all of them, with their pages and groups.
  std::string group;    // Goes on where the group was, and moves it; made when it is new.
  int64_t count = 100;  // Changes to print at most.
};

/// Prints to the standard output. Of a data directory that no server has open. Errors: kOldSession
/// (it has), kTopicNotFound, kIntegrity, kIoFailed.
Status ShowLog(const LogRequest& request);

}  // namespace elanus::server
