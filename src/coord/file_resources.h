// File resources: named copies of objects, which analyzers read their words from, chains their
// models.
#pragma once

#include <memory>

#include "coord/catalog.h"
#include "roles/file_resources.h"
#include "store/object_store.h"
#include "text/file_source.h"

namespace elanus::coord {

struct FileResourceParts {
  Clock& clock;
  store::ObjectStore& objects;
  Catalog& catalog;
  roles::Oracle& oracle;
};

/// Thread-safe. The parts outlive it, and it outlives whatever makes analyzers: from its opening to
/// its end they read what they name from it.
class FileResources final : public roles::FileResources, private text::FileSource {
 public:
  /// Removes copies that a crash has left without a name.
  static Result<std::unique_ptr<FileResources>> Open(Context& ctx, const FileResourceParts& parts);
  ~FileResources() override;

  Status Add(Context& ctx, const std::string& name, const std::string& path) override;
  Status Remove(Context& ctx, const std::string& name) override;
  std::vector<model::FileResource> List() override;

 private:
  explicit FileResources(const FileResourceParts& parts);
  std::optional<int64_t> Find(const std::string& resource) override;
  Result<std::string> Read(const std::string& resource, const std::string& file) override;

  const FileResourceParts parts_;
};

}  // namespace elanus::coord
