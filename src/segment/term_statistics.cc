// Statistics of terms.
#include "segment/term_statistics.h"

#include <cstring>
#include <mutex>

namespace elanus::segment {

void TermStatistics::Add(const model::ColumnView& rows) {
  std::unique_lock<std::shared_mutex> lock(mutex_);
  for (size_t i = 0; i < rows.rows; ++i) {
    if (!rows.IsValid(i)) continue;
    ++rows_;
    const std::string_view row = rows.Bytes(i);
    const size_t terms = row.size() / 8;
    for (size_t t = 0; t < terms; ++t) {
      uint32_t term;
      float count;
      std::memcpy(&term, row.data() + t * sizeof(term), sizeof(term));
      std::memcpy(&count, row.data() + (terms + t) * sizeof(count), sizeof(count));
      tokens_ += double{count};
      ++with_term_[term];
    }
  }
}

void TermStatistics::AddTo(std::span<const uint32_t> terms, model::TermTotals& totals) const {
  std::shared_lock<std::shared_mutex> lock(mutex_);
  totals.rows += rows_;
  totals.tokens += tokens_;
  for (size_t t = 0; t < terms.size(); ++t) {
    const auto found = with_term_.find(terms[t]);
    if (found != with_term_.end()) totals.with_term[t] += found->second;
  }
}

size_t TermStatistics::memory_bytes() const {
  std::shared_lock<std::shared_mutex> lock(mutex_);
  return with_term_.capacity() * (2 * sizeof(uint32_t) + 1);
}

void AddRows(const StatisticsOfFields& statistics, FieldId field, const model::ColumnView& rows) {
  const auto found = statistics.find(field.value());
  if (found != statistics.end()) found->second->Add(rows);
}

StatisticsOfFields MakeStatistics(const model::CollectionSchema& schema) {
  StatisticsOfFields fields;
  for (const model::FieldSchema& field : schema.fields) {
    if (schema.IsBm25Output(field)) {
      fields.emplace(field.id.value(), std::make_shared<TermStatistics>());
    }
  }
  return fields;
}

}  // namespace elanus::segment
