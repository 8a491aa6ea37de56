// A format on disk as the golden tests see it: how its file is written and what must be in it.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "base/blob.h"
#include "base/status.h"

namespace elanus::golden {

struct GoldenFile {
  std::string name;  // Of the file in each version's folder.
  /// The file's bytes as this build writes them: the same each time, on every machine.
  std::function<std::string()> write;
  /// Opens the bytes and expects the content; the error when they do not open.
  std::function<Status(std::string_view bytes)> check;
  /// The byte that is one higher in the next version of the format. None: the format has no
  /// version, unknown tags are skipped.
  std::optional<size_t> version_at = 8;
};

inline void PrintTo(const GoldenFile& file, std::ostream* out) { *out << file.name; }

/// Columns, delta logs, manifests, the log, the catalog's records.
std::vector<GoldenFile> RecordFiles();
/// Vector indexes and sorted indexes.
std::vector<GoldenFile> IndexFiles();

}  // namespace elanus::golden
