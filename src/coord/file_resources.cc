// Copies of objects by name.
#include "coord/file_resources.h"

#include <set>

#include "base/log.h"
#include "text/options.h"

namespace elanus::coord {
namespace {

constexpr std::string_view kFolder = "resources/";
// What the server itself writes is nobody's list of words.
constexpr std::string_view kOwnFolders[] = {"segments/", "indexes/", "deltas/", kFolder};

std::string_view FileOf(std::string_view path) { return path.substr(path.rfind('/') + 1); }

Status NoSuchPath(const std::string& path) {
  return Invalid("file resource path not exist: {}", path);
}

}  // namespace

FileResources::FileResources(const FileResourceParts& parts) : parts_(parts) {
  text::SetFileSource(this);
}
FileResources::~FileResources() { text::ForgetFileSource(this); }

Result<std::unique_ptr<FileResources>> FileResources::Open(Context& ctx,
                                                           const FileResourceParts& parts) {
  std::set<std::string, std::less<>> named;
  for (const model::FileResource& resource : parts.catalog.ListFileResources()) {
    named.insert(resource.copy);
  }
  // What was removed stands in the catalog as garbage, and goes by its record.
  TRY_ASSIGN(const auto garbage, parts.catalog.ListGarbage(ctx));
  for (const Garbage& one : garbage) named.insert(one.keys.begin(), one.keys.end());
  TRY_ASSIGN(const std::vector<std::string> copies, parts.objects.List(ctx, kFolder));
  for (const std::string& key : copies) {
    if (named.count(key) == 0) TRY(parts.objects.Delete(ctx, key));
  }
  return std::unique_ptr<FileResources>(new FileResources(parts));
}

Status FileResources::Add(Context& ctx, const std::string& name, const std::string& path) {
  if (const auto known = parts_.catalog.FindFileResource(name)) {
    // The copy is what counts, whether the path still leads to something or not.
    if (known->path == path) return {};
    return Invalid("file resource {} already exists", name);
  }
  for (std::string_view folder : kOwnFolders) {
    if (path.starts_with(folder)) return NoSuchPath(path);
  }
  const auto bytes = parts_.objects.Open(ctx, path);
  const ErrorCode code = bytes.status().code();
  if (code == ErrorCode::kKeyNotFound || code == ErrorCode::kInvalidParameter) {
    return NoSuchPath(path);
  }
  TRY(bytes.status());
  const int64_t bytes_max = text::GetTextOptions().file_bytes_max;
  if (bytes->bytes().size() > static_cast<size_t>(bytes_max)) {
    return Invalid("file resource {} is larger than function.analyzer.maxFileSize: {}, at most {}",
                   name, bytes->bytes().size(), bytes_max);
  }
  model::FileResource resource{.name = name, .path = path};
  TRY_ASSIGN(resource.id, parts_.oracle.AllocateIds(ctx, 1));
  resource.copy = fmt::format("{}{}/{}", kFolder, resource.id, FileOf(path));
  const std::string copy = resource.copy;
  TRY(parts_.objects.Put(ctx, copy, bytes->bytes()));
  const Result<bool> added = parts_.catalog.AddFileResource(ctx, std::move(resource));
  // A commit that failed may have been made all the same, so its copy stays until the next start.
  const bool is_refused = added.status().code() == ErrorCode::kInvalidParameter;
  if (is_refused || (added.ok() && !*added)) TRY(parts_.objects.Delete(ctx, copy));
  TRY(added.status());
  LogInfo("file resource added name={} path={}", name, path);
  return {};
}

Status FileResources::Remove(Context& ctx, const std::string& name) {
  TRY(parts_.catalog.RemoveFileResource(ctx, name));
  // Another file may get the name.
  text::ForgetAnalyzers();
  return {};
}

std::vector<model::FileResource> FileResources::List() {
  return parts_.catalog.ListFileResources();
}

std::optional<int64_t> FileResources::Find(const std::string& resource) {
  const auto known = parts_.catalog.FindFileResource(resource);
  return known ? std::optional(known->id) : std::nullopt;
}

Result<std::string> FileResources::Read(const std::string& resource, const std::string& file) {
  const auto known = parts_.catalog.FindFileResource(resource);
  if (!known) return text::UnknownFileResource(resource);
  if (!file.empty() && FileOf(known->copy) != file) {
    return Error(ErrorCode::kSegcore, "file {} is not in file resource {}, which is {}", file,
                 resource, FileOf(known->copy));
  }
  Context ctx(parts_.clock);
  TRY_ASSIGN(const Blob copy, parts_.objects.Open(ctx, known->copy));
  return std::string(copy.bytes());
}

}  // namespace elanus::coord
