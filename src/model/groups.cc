// Groups of hits.
#include "model/groups.h"

namespace elanus::model {

std::string GroupText(std::span<const ColumnView> values, size_t row) {
  std::string text;
  for (const ColumnView& value : values) {
    if (!value.IsValid(row)) {
      text += '\0';
      continue;
    }
    text += '\1';
    const std::string_view bytes = value.Bytes(row);
    if (value.width == 0) {
      // Texts of several columns must not run into one another.
      const auto size = static_cast<uint32_t>(bytes.size());
      text.append(reinterpret_cast<const char*>(&size), sizeof(size));
    }
    text += bytes;
  }
  return text;
}

std::vector<ColumnView> ViewsOf(std::span<const Column> columns) {
  std::vector<ColumnView> views;
  for (const Column& column : columns) views.push_back(column.view());
  return views;
}

bool Groups::Add(std::string text, uint32_t hit) {
  auto found = places_.find(text);
  if (found == places_.end()) {
    if (has_all_groups()) return false;
    found = places_.emplace(std::move(text), members_.size()).first;
    members_.emplace_back();
  }
  std::vector<uint32_t>& group = members_[found->second];
  if (group.size() == group_size_) return false;
  group.push_back(hit);
  if (group.size() == group_size_) ++full_groups_;
  return true;
}

}  // namespace elanus::model
