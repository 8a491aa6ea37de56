// Choosing for AUTOINDEX.
#include "coord/auto_choice.h"

#include "index/auto_index.h"

namespace elanus::coord {
namespace {

bool IsAutomatic(const model::IndexInfo& index) {
  const std::string* named = model::Find(index.user_params, "index_type");
  return named != nullptr && *named == "AUTOINDEX" && index::IsTypeName(index.type);
}

}  // namespace

model::IndexInfo ChosenFor(const model::IndexInfo& index, const model::CollectionInfo& collection,
                           const SegmentRows& rows, int64_t memory_mb) {
  if (!IsAutomatic(index)) return index;
  const model::FieldSchema* field = collection.schema.FindField(index.field);
  const auto element = field == nullptr ? std::nullopt : index::ElementOf(field->vector_type());
  const auto metric = model::MetricOf(index.metric);
  if (!element || !metric) return index;
  const index::AutoChoice choice =
      index::ChooseAutoIndex({.element = *element,
                              .metric = model::ElementMetric(*metric),
                              .dim = static_cast<uint32_t>(field->dim()),
                              .rows = static_cast<uint64_t>(rows.segment),
                              .field_rows = static_cast<uint64_t>(rows.collection),
                              .memory_bytes = static_cast<uint64_t>(memory_mb) << 20});
  model::IndexInfo chosen = index;
  chosen.type = choice.type->name;
  chosen.build_params.clear();
  for (const auto& [key, value] : choice.params) chosen.build_params.push_back({key, value});
  return chosen;
}

void NoteChoice(const model::IndexInfo& chosen, model::SegmentIndexInfo& built) {
  if (!IsAutomatic(chosen) || built.key.empty()) return;
  built.type = chosen.type;
  built.build_params = chosen.build_params;
}

}  // namespace elanus::coord
