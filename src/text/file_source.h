// Where file resources come from, which parameters of analyzers name: {"type": "remote",
// "resource_name": R, "file_name": F}, and steps of chains. One source for the whole process, as
// analyzers are.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "model/schema.h"

namespace elanus::text {

/// Thread-safe.
class FileSource {
 public:
  virtual ~FileSource() = default;
  /// The number of the resource, which no other ever has, whatever its name; none: not there.
  virtual std::optional<int64_t> Find(const std::string& resource) = 0;
  /// The bytes of the file in the resource; `file` is its name, or empty: whatever it is called.
  /// Errors: kSegcore (there is none), those of storage.
  virtual Result<std::string> Read(const std::string& resource, const std::string& file) = 0;
};

/// Analyzers that are made from now on read from `source`, until ForgetFileSource. Thread-safe.
void SetFileSource(FileSource* source);
/// Nothing, when another has been set since.
void ForgetFileSource(const FileSource* source);
/// What `source` says. Without one: UnknownFileResource.
Result<std::string> ReadFileResource(const std::string& resource, const std::string& file = "");
/// What `source` says. Without one: none.
std::optional<int64_t> FindFileResource(const std::string& resource);

/// Kept analyzers are made anew when they are next asked for: a resource may be another file now.
/// Those in use stay as they are. Thread-safe.
void ForgetAnalyzers();

/// What is said of a resource that is not there. kSegcore.
Status UnknownFileResource(std::string_view name);

/// The resources that analyzers of the schema's fields name, each once.
std::vector<std::string> FileResourcesOf(const model::CollectionSchema& schema);

}  // namespace elanus::text
