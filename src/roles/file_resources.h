// What whoever keeps file resources answers.
#pragma once

#include <string>
#include <vector>

#include "base/context.h"
#include "base/status.h"
#include "model/requests/file_resource.h"

namespace elanus::roles {

/// Thread-safe.
class FileResources {
 public:
  virtual ~FileResources() = default;
  /// Copies the object at `path` and gives the copy a name. The same again: success. Errors:
  /// kInvalidParameter (there is no such object, it is too large, the name has another path, there
  /// are too many).
  virtual Status Add(Context& ctx, const std::string& name, const std::string& path) = 0;
  /// Unknown: success. Errors: kInvalidParameter (an analyzer of some collection names it).
  virtual Status Remove(Context& ctx, const std::string& name) = 0;
  /// By name.
  virtual std::vector<model::FileResource> List() = 0;
};

}  // namespace elanus::roles
