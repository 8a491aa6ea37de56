// Model services as functions use them: texts to vectors, texts in the order of a query, the parts
// of texts that answer one.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "functions/options.h"
#include "functions/setup.h"
#include "functions/texts.h"
#include "http/client.h"
#include "model/column.h"
#include "model/schema.h"

namespace elanus::functions {

/// What of a text answers a query, and how well each piece does.
struct TextHighlights {
  std::vector<std::string> fragments;
  std::vector<float> scores;  // One a fragment.
};

/// Thread-safe. Borrows its parts. Calls wait for services; their errors are those of
/// ServiceCaller, kFunctionFailed for answers of the wrong count or dimension too, and
/// kInvalidParameter or kMissingParameter for what the function asks for.
class Models {
 public:
  struct Parts {
    Executor& executor;
    Clock& clock;
    http::Client& http;
    Environment environment;
  };
  Models(Parts parts, const FunctionOptions& options);
  ~Models();

  // -- Embedding, by a function of type TextEmbedding that makes `output` --

  /// Whether the function can be used, by what can be told without its service.
  Status CheckEmbedding(const model::FunctionSchema& function,
                        const model::FieldSchema& output) const;
  /// Asks the service for one vector. kInvalidParameter when it does not fit the field.
  Status ProbeEmbedding(Context& ctx, const model::FunctionSchema& function,
                        const model::FieldSchema& output);
  /// One row a text, in batches, several at a time. kInvalidParameter for too many texts and empty
  /// ones.
  Result<model::Column> Embed(Context& ctx, const model::FunctionSchema& function,
                              const model::FieldSchema& output, Texts texts, TextUse use);

  // -- Reranking, by the parameters of a rerank function --

  /// Whether the parameters make sense.
  Status CheckReranker(const std::vector<model::KeyValue>& params) const;
  /// How well each text answers the query; larger is better.
  Result<std::vector<float>> Rerank(Context& ctx, const std::vector<model::KeyValue>& params,
                                    std::string_view query, Texts texts);

  // -- Highlighting --

  /// Of each text the fragments that answer the query. `params` are those of the request; pre_tags
  /// and post_tags are JSON lists.
  Result<std::vector<TextHighlights>> Highlight(Context& ctx,
                                                const std::vector<model::KeyValue>& params,
                                                std::string_view query, Texts texts);

  /// Runs fn(0) .. fn(count - 1), which wait for services, several at a time.
  Status ParallelFor(Context& ctx, size_t count, const std::function<Status(size_t)>& fn);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace elanus::functions
