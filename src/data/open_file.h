// Opens files of segments, looking at their checksums.
#pragma once

#include <string>

#include "segment/manifest.h"
#include "store/formats/column_file.h"
#include "store/open_checked.h"

namespace elanus::data {

/// Errors of both: as ObjectStore::Open; kIntegrity.
inline Result<store::OpenedColumn> OpenColumn(Context& ctx, store::ObjectStore& objects,
                                              const std::string& key) {
  return store::OpenChecked(ctx, objects, key,
                            [&](Blob blob) { return store::OpenColumnFile(std::move(blob), key); });
}

inline Result<segment::Manifest> OpenManifest(Context& ctx, store::ObjectStore& objects,
                                              const std::string& key) {
  return store::OpenChecked(ctx, objects, key, [&](const Blob& blob) {
    return segment::DecodeManifest(blob.bytes(), key);
  });
}

}  // namespace elanus::data
