// Where objects are kept: with the data, or in an object store that speaks S3.
#pragma once

#include <cstdint>
#include <string>

#include "base/option_spec.h"

namespace elanus::backend {

struct ObjectStoreOptions {
  std::string storage_type = "local";
  std::string address = "localhost";
  int64_t port = 9000;
  std::string access_key_id = "minioadmin";
  std::string secret_access_key = "minioadmin";
  bool use_ssl = false;
  std::string ca_file;
  std::string bucket = "a-bucket";
  std::string root_path = "files";
  std::string region;
  bool use_virtual_host = false;
  int64_t request_timeout_ms = 10'000;
  int64_t list_keys_max = 0;
  std::string use_iam = "false";
  std::string cloud_provider = "aws";
  int64_t copy_mb_max = 0;

  bool is_remote() const { return storage_type != "local"; }

  template <class Visitor>
  void Describe(Visitor& visit) {
    visit(storage_type, OptionSpec{"common.storageType", "", 0, 0,
                                   "Where files of segments and indexes are kept: in the data "
                                   "folder, or (minio and remote alike) in an object store that "
                                   "speaks S3. A data folder stays with what it began with.",
                                   "local|minio|remote"});
    visit(address,
          OptionSpec{"minio.address", "", 0, 0,
                     "Host of the object store; a port behind a ':' is taken before minio.port."});
    visit(port, OptionSpec{"minio.port", "", 1, 65535, "Port of the object store."});
    visit(access_key_id, OptionSpec{"minio.accessKeyID", "", 0, 0, "Who asks it."});
    visit(secret_access_key,
          OptionSpec{"minio.secretAccessKey", "", 0, 0, "What signs the requests; never shown."});
    visit(use_ssl, OptionSpec{"minio.useSSL", "", 0, 1, "https."});
    visit(ca_file, OptionSpec{"minio.ssl.tlsCACert", "", 0, 0,
                              "File, in PEM, of who vouches for the object store; empty: as the "
                              "machine has it."});
    visit(bucket, OptionSpec{"minio.bucketName", "", 0, 0, "Made when it is not there."});
    visit(root_path, OptionSpec{"minio.rootPath", "", 0, 0,
                                "What the names of all objects begin with. One data folder has it "
                                "for itself: another is refused."});
    visit(region, OptionSpec{"minio.region", "", 0, 0, "Empty: us-east-1."});
    visit(use_virtual_host,
          OptionSpec{"minio.useVirtualHost", "", 0, 1,
                     "The bucket is a part of the host's name, not of the path."});
    visit(request_timeout_ms,
          OptionSpec{"minio.requestTimeoutMs", "ms", 100, 1e7,
                     "A connection that takes so long, or a request of which no byte moves for so "
                     "long, is tried again."});
    visit(list_keys_max, OptionSpec{"minio.listObjectsMaxKeys", "", 0, 1e6,
                                    "Keys of one answer of a listing; 0: as many as it gives."});
    visit(use_iam, OptionSpec{"minio.useIAM", "", 0, 0,
                              "Roles of a cloud instead of keys are not supported.", "false"});
    visit(cloud_provider,
          OptionSpec{"minio.cloudProvider", "", 0, 0,
                     "S3 as AWS and MinIO speak it; no other is supported.", "aws"});
    visit(copy_mb_max, OptionSpec{"minio.localCopy.maxSize", "MB", 0, 1e12,
                                  "Of the objects' copies in the data folder, those used last "
                                  "stay up to this size; 0: half of the room on its disk."});
  }
};

}  // namespace elanus::backend
