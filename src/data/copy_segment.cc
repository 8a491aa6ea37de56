// A segment once more, for another collection.
#include "data/node.h"
#include "data/open_file.h"
#include "segment/manifest.h"

namespace elanus::data {

Status Node::CopySegment(Context& ctx, const model::SegmentInfo& from, model::SegmentInfo& to) {
  TRY_ASSIGN(segment::Manifest manifest, OpenManifest(ctx, objects_, from.manifest_key));
  const std::string folder = fmt::format("segments/{}/{}", to.collection.value(), to.id.value());
  manifest.segment = to.id;
  manifest.collection = to.collection;
  manifest.partition = to.partition;
  for (segment::Manifest::File& file : manifest.files) {
    TRY(ctx.CheckAlive());
    // Its checksums are looked at: a damaged copy here would become the file of the other.
    TRY_ASSIGN(const store::OpenedColumn column, OpenColumn(ctx, objects_, file.key));
    file.key = fmt::format("{}/{}.col", folder, file.field.value());
    TRY(objects_.Put(ctx, file.key, column.blob.bytes()));
  }
  to.manifest_key = folder + "/manifest";
  return objects_.Put(ctx, to.manifest_key, segment::EncodeManifest(manifest));
}

}  // namespace elanus::data
