// Opens the remote object store of a data folder.
#pragma once

#include <memory>
#include <string>

#include "backend/object_store_options.h"
#include "store/object_store.h"

namespace elanus::backend {

/// Makes the bucket when needed, takes ownership of the root, takes over the copies that the folder
/// has. Errors: those of S3Client and of TakeOwnership.
Result<std::unique_ptr<store::ObjectStore>> OpenS3(const std::string& directory,
                                                   const ObjectStoreOptions& options);

}  // namespace elanus::backend
