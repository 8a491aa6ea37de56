// Copies of objects as files of the local disk, within a bound: those used last.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "backend/local/file_system.h"
#include "store/object_store.h"

namespace elanus::backend {

/// Thread-safe. A copy is complete or not there. Removing one takes nothing from whoever has it
/// open. Invariants: (1) `bytes_` is the sum of `copies_`; (2) beyond the bound the copy used
/// longest ago goes, be it the only one; (3) an entry without its file is a copy that is not there:
/// who removes and who writes the same one meet in any order.
class LocalCopies {
 public:
  /// Takes over what an earlier process has left under `folder`.
  static Result<std::unique_ptr<LocalCopies>> Open(const std::string& folder, int64_t bytes_max,
                                                   FileSystem& files = LocalFileSystem());

  /// The copy, mapped; kKeyNotFound when there is none.
  Result<Blob> Find(Context& ctx, const std::string& key);
  /// A copy on its way, to be handed to Keep instead of being finished.
  Result<std::unique_ptr<store::ObjectWriter>> Write(Context& ctx, const std::string& key);
  /// Finishes it; the copy, which stays open whatever becomes of its file.
  Result<Blob> Keep(Context& ctx, const std::string& key, store::ObjectWriter& writer);
  /// True when there was one.
  bool Remove(Context& ctx, const std::string& key);

 private:
  struct Copy {
    int64_t bytes = 0;
    std::list<std::string>::iterator place;
  };

  LocalCopies(std::unique_ptr<store::ObjectStore> files, int64_t bytes_max)
      : files_(std::move(files)), bytes_max_(bytes_max) {}
  /// Notes a copy; the keys of those that have to go for it.
  std::vector<std::string> Note(const std::string& key, int64_t bytes);
  bool Forget(const std::string& key);

  const std::unique_ptr<store::ObjectStore> files_;
  const int64_t bytes_max_;
  std::mutex mutex_;  // Guards what follows; held for memory work.
  std::map<std::string, Copy> copies_;
  std::list<std::string> used_;  // The last used first.
  int64_t bytes_ = 0;
};

}  // namespace elanus::backend
