// One process with every role: stores, coordinator, streaming, query and data nodes, proxy and its
// fronts.
#pragma once

#include <memory>

#include "server/config.h"

namespace elanus::server {

class Standalone {
 public:
  /// Opens the data, recovers from the log, listens. Errors say what is in the way.
  static Result<std::unique_ptr<Standalone>> Start(const Config& config);
  /// Stops the fronts, then the roles; nothing acknowledged is lost.
  ~Standalone();
  int port() const;
  int management_port() const;

 private:
  struct Impl;
  explicit Standalone(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace elanus::server
