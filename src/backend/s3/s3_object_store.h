// Objects in an object store that speaks S3, with copies of those used last on the local disk.
#pragma once

#include <memory>
#include <string>

#include "backend/s3/local_copies.h"
#include "backend/s3/ownership.h"
#include "backend/s3/s3_client.h"

namespace elanus::backend {

struct S3Parts {
  std::unique_ptr<S3Client> client;
  std::unique_ptr<LocalCopies> copies;
  std::unique_ptr<Claim> claim = {};  // Of `client`; null: nobody else can have the root.
  std::string root_path;              // What keys begin with in the store; may be empty.
  size_t part_bytes = 16 << 20;       // Larger objects go up in parts of this size.
};

std::unique_ptr<store::ObjectStore> MakeS3ObjectStore(S3Parts parts);

}  // namespace elanus::backend
