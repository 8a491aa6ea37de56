// From the hits that the shards gave to the answer: ranked, ordered by fields, cut.
#pragma once

#include <span>
#include <vector>

#include "model/requests/data.h"
#include "proxy/output_fields.h"
#include "proxy/rerank/order_by.h"
#include "proxy/rerank/ranker.h"

namespace elanus::proxy {

/// Which of the ordered hits are the answer.
struct AnswerWindow {
  int64_t limit = 0;  // Groups, when the hits are grouped.
  int64_t offset = 0;
};

/// Orders the hits of each query, given by their places, by the terms (each with the column that
/// `columns` has at its place; hits that are grouped go by groups), and cuts each list.
Status OrderAndCut(Context& ctx, const std::vector<OrderTerm>& terms,
                   const std::vector<const model::Column*>& columns,
                   std::span<const model::Column> group_values, const AnswerWindow& window,
                   std::vector<std::vector<uint32_t>>& places);

/// The places of all hits as they are.
std::vector<std::vector<uint32_t>> PlacesOf(const model::PartialHits& hits);

/// The scores at the places.
std::vector<float> ScoresAt(const std::vector<float>& scores,
                            const std::vector<std::vector<uint32_t>>& places);

/// The largest number of hits of a query.
int64_t LargestCount(std::span<const uint32_t> counts);

/// The answer of the hits. Their columns are those of `output` and maybe others after them.
model::SearchResult MakeResult(model::PartialHits hits, const OutputFields& output,
                               const model::CollectionSchema& schema, int64_t top_k);

/// Adds the fields that are not among `fields` yet.
void AddFields(const std::vector<FieldId>& wanted, std::vector<FieldId>& fields);

/// Errors: kInvalidParameter (an answer of more bytes than may be).
Status CheckBytes(int64_t bytes_max, const model::PartialHits& hits);

}  // namespace elanus::proxy
