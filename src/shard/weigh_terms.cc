// Weights of terms.
#include "shard/weigh_terms.h"

#include <algorithm>
#include <cstring>

#include "text/bm25.h"

namespace elanus::shard {
namespace {

// The dimensions of all queries, each once, ascending.
std::vector<uint32_t> TermsOf(const model::ColumnView& queries) {
  std::vector<uint32_t> terms;
  for (size_t q = 0; q < queries.rows; ++q) {
    const std::string_view row = queries.Bytes(q);
    const size_t count = row.size() / 8;
    const size_t before = terms.size();
    terms.resize(before + count);
    if (count > 0) std::memcpy(terms.data() + before, row.data(), count * sizeof(uint32_t));
  }
  std::sort(terms.begin(), terms.end());
  terms.erase(std::unique(terms.begin(), terms.end()), terms.end());
  return terms;
}

Result<model::TermTotals> Count(Context& ctx, const State& state, roles::Query& query,
                                FieldId field, const std::vector<uint32_t>& terms) {
  model::TermTotals totals;
  totals.with_term.resize(terms.size());
  if (!state.loaded.empty()) {
    TRY_ASSIGN(totals, query.CountTerms(ctx, state.loaded, field, terms));
  }
  for (const auto& growing : state.fresh) {
    growing->Snapshot()->AddTermTotals(field, terms, totals);
  }
  return totals;
}

}  // namespace

Result<model::TermTotals> CountTerms(Context& ctx, const State& state, roles::Query& query,
                                     const model::ShardSearch& search) {
  return Count(ctx, state, query, search.vector_field, TermsOf(search.queries.view()));
}

Status WeighTerms(Context& ctx, const State& state, roles::Query& query,
                  model::ShardSearch& search) {
  const std::vector<uint32_t> terms = TermsOf(search.queries.view());
  if (!search.totals) {
    TRY_ASSIGN(search.totals, Count(ctx, state, query, search.vector_field, terms));
  }
  const model::TermTotals& totals = *search.totals;
  if (totals.with_term.size() != terms.size()) {
    return Error(ErrorCode::kUnexpected, "{} terms were counted, and {} are asked for",
                 totals.with_term.size(), terms.size());
  }
  search.mean_length = totals.mean_length();
  std::vector<double> weights;
  weights.reserve(terms.size());
  for (uint64_t with_term : totals.with_term) {
    weights.push_back(text::InverseDocumentFrequency(totals.rows, with_term));
  }
  const model::Column counts = std::move(search.queries);
  search.queries =
      model::MakeColumn(counts.field_id, counts.name, counts.type, counts.element_type, counts.dim);
  std::string weighed;
  for (size_t q = 0; q < counts.rows; ++q) {
    weighed = counts.view().Bytes(q);
    const size_t count = weighed.size() / 8;
    for (size_t i = 0; i < count; ++i) {
      uint32_t term;
      float value;
      char* const at = weighed.data() + (count + i) * sizeof(value);
      std::memcpy(&term, weighed.data() + i * sizeof(term), sizeof(term));
      std::memcpy(&value, at, sizeof(value));
      const auto place = std::lower_bound(terms.begin(), terms.end(), term) - terms.begin();
      value = static_cast<float>(value * weights[static_cast<size_t>(place)]);
      std::memcpy(at, &value, sizeof(value));
    }
    search.queries.AppendBytes(weighed);
  }
  return {};
}

}  // namespace elanus::shard
