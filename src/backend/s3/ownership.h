// Which data folder the objects of a remote store belong to, noted on both sides.
#pragma once

#include <string>

#include "backend/local/file_system.h"
#include "backend/s3/s3_client.h"

namespace elanus::backend {

/// The file in a data folder that says where its objects lie.
inline constexpr std::string_view kPlaceFile = "/object-store";
/// The object that says whose the others beside it are; no key of an object, as it begins with '.'.
inline constexpr std::string_view kOwnerKey = ".owner";

/// Makes the data folder the owner of what lies under `root_path`, or finds that it is. The mark
/// there is written on the condition that there is none, so that of two folders one wins. Errors:
/// kInvalidParameter when the root is another's, when the folder's objects lie elsewhere, or when
/// the mark has gone from a root that was the folder's.
Status TakeOwnership(Context& ctx, S3Client& client, const std::string& directory,
                     const std::string& bucket, const std::string& root_path,
                     FileSystem& files = LocalFileSystem());

/// kInvalidParameter when the data folder's objects lie in a remote store.
Status CheckObjectsAreLocal(const std::string& directory, FileSystem& files = LocalFileSystem());

}  // namespace elanus::backend
