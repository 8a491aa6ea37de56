// The newest schemas of a collection.
#include "model/schema_versions.h"

#include <algorithm>

namespace elanus::model {

SchemaVersions SchemaVersions::With(Schema schema) const {
  SchemaVersions next = *this;
  std::vector<Schema>& all = next.schemas_;
  const auto at = std::lower_bound(
      all.begin(), all.end(), schema->version,
      [](const Schema& known, int32_t version) { return known->version < version; });
  if (at != all.end() && (*at)->version == schema->version) {
    *at = std::move(schema);
    return next;
  }
  all.insert(at, std::move(schema));
  if (all.size() > kKept) all.erase(all.begin());
  return next;
}

const SchemaVersions::Schema& SchemaVersions::At(int32_t version) const {
  if (version < 0) return newest();
  for (const Schema& schema : schemas_) {
    if (schema->version >= version) return schema;
  }
  return newest();
}

}  // namespace elanus::model
