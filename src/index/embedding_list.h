// Indexes over rows that are lists of vectors (docs/design/13-struct-arrays.md): an index of any
// type over all the vectors of all lists, and what makes an answer about rows of its hits.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "index/vector_index.h"

namespace elanus::index {

/// The search parameters of a type under a metric: its own, with those of lists
/// (retrieval_ann_ratio, emb_list_rerank) where the metric is one between lists.
std::span<const ParamSpec> ParamsFor(const IndexType& type, model::Metric metric);

/// kInvalidParameter for build parameters of lists that mean another kind of index
/// (emb_list_strategy other than tokenann).
Status CheckListParams(const std::map<std::string, std::string>& texts);

/// As type.Build, over lists too: the file is that of an index over their vectors, one after the
/// other, under model::ElementMetric.
Result<std::string> BuildIndex(Context& ctx, const IndexType& type, VectorBlock rows,
                               model::Metric metric, const Params& build,
                               const BuildOptions& options);

/// As type.Open, over lists too. With a metric between lists the index answers with rows: each
/// vector of the query's list finds its nearest vectors, their rows are the candidates, and each of
/// those is scored exactly by all its vectors. Rows without vectors are no hits. Ranges and streams
/// are refused (kSegcoreUnsupported).
Result<std::unique_ptr<VectorIndex>> OpenIndex(const IndexType& type, Blob file, VectorBlock rows,
                                               model::Metric metric);

/// As SearchExact, over lists and with queries that are lists, for a metric between lists.
Status SearchExactLists(Context& ctx, VectorBlock rows, model::Metric metric,
                        const SearchRequest& request, Hits hits);

}  // namespace elanus::index
