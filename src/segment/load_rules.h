// How the columns and indexes of a loaded segment are held: mapped or on the heap, opened when the
// segment is loaded or when somebody first needs them.
#pragma once

#include <string>

#include "base/option_spec.h"
#include "model/requests/collection.h"

namespace elanus::segment {

enum class WarmUp {
  kDisable,  // Opened when somebody first needs it.
  kSync,     // Opened before the segment counts as loaded.
  kAsync,    // Opened in the background once it is loaded.
};

struct LoadRule {
  bool is_mapped = true;
  WarmUp warm_up = WarmUp::kSync;
};

/// What holds where neither collection, field nor index says otherwise.
struct LoadOptions {
  bool maps_vector_fields = true;
  bool maps_vector_indexes = true;
  bool maps_scalar_fields = true;
  bool maps_scalar_indexes = true;
  std::string warms_vector_fields = "disable";
  std::string warms_vector_indexes = "sync";
  std::string warms_scalar_fields = "sync";
  std::string warms_scalar_indexes = "sync";

  template <class Visitor>
  void Describe(Visitor& visit) {
    constexpr const char* kMaps =
        "Mapped from the file; false: copied to the heap. Collection, field and index may say "
        "otherwise: mmap.enabled.";
    visit(maps_vector_fields, OptionSpec{"queryNode.mmap.vectorField", "", 0, 1, kMaps});
    visit(maps_vector_indexes, OptionSpec{"queryNode.mmap.vectorIndex", "", 0, 1, kMaps});
    visit(maps_scalar_fields, OptionSpec{"queryNode.mmap.scalarField", "", 0, 1, kMaps});
    visit(maps_scalar_indexes, OptionSpec{"queryNode.mmap.scalarIndex", "", 0, 1, kMaps});
    constexpr const char* kWarms =
        "Opened with its segment (sync), in the background afterwards (async), or when a read "
        "first needs it (disable). Collection, field and index may say otherwise: warmup.";
    constexpr const char* kChoices = "disable|sync|async";
    visit(warms_vector_fields, OptionSpec{"queryNode.segcore.tieredStorage.warmup.vectorField", "",
                                          0, 0, kWarms, kChoices});
    visit(warms_vector_indexes, OptionSpec{"queryNode.segcore.tieredStorage.warmup.vectorIndex", "",
                                           0, 0, kWarms, kChoices});
    visit(warms_scalar_fields, OptionSpec{"queryNode.segcore.tieredStorage.warmup.scalarField", "",
                                          0, 0, kWarms, kChoices});
    visit(warms_scalar_indexes, OptionSpec{"queryNode.segcore.tieredStorage.warmup.scalarIndex", "",
                                           0, 0, kWarms, kChoices});
  }
};

/// The rule of a field's column: the field's word, else the collection's, else the options'.
LoadRule RuleOfField(const LoadOptions& options, const model::CollectionInfo& collection,
                     const model::FieldSchema& field);
/// The rule of an index: its own word, else its field's, else the collection's, else the options'.
LoadRule RuleOfIndex(const LoadOptions& options, const model::CollectionInfo& collection,
                     const model::IndexInfo& index);

}  // namespace elanus::segment
