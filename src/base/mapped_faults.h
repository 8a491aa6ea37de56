// Mapped files whose disk fails under them. Touching such a page would end the process (SIGBUS);
// here the read goes on with zeros, and whoever has read asks afterwards whether it was all there.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace elanus {

/// Watches a mapping for as long as it lives, which is longer than any read of it. The first watch
/// makes the process handle SIGBUS; one that comes from elsewhere is left to whoever handled it
/// before. Thread-safe.
class MappingWatch {
 public:
  /// `bytes`: the mapping, from its first page on. `path`: of the file, for the error.
  MappingWatch(std::string_view bytes, std::string path);
  ~MappingWatch();
  MappingWatch(const MappingWatch&) = delete;
  MappingWatch& operator=(const MappingWatch&) = delete;

 private:
  const std::string_view bytes_;
};

/// To be asked after reading mapped bytes and before the outcome is used. kIntegrity, with file and
/// offset, once a page of the mapping that `bytes` lie in could not be read: from there on it has
/// zeros. OK for bytes in no watched mapping. Costs one load as long as no mapping is in that
/// state.
Status CheckMapped(std::string_view bytes);

}  // namespace elanus
