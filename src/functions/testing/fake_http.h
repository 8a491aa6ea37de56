// A model service in memory: it answers as a test says and remembers what it was asked.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "functions/models.h"
#include "http/client.h"

namespace elanus::functions {

class FakeHttp final : public http::Client {
 public:
  using Answer = std::function<Result<http::Response>(const http::Request&)>;

  explicit FakeHttp(Answer answer) : answer_(std::move(answer)) {}

  Result<http::Response> Send(Context&, const http::Request& request, int64_t) override {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      requests.push_back(request);
    }
    return answer_(request);
  }

  std::vector<http::Request> requests;

 private:
  std::mutex mutex_;  // Guards `requests`.
  Answer answer_;
};

inline http::Response Json(const nlohmann::json& json) {
  return {.status = 200, .body = json.dump()};
}

/// Models on a fake service, with no environment but `variables`.
struct FakeModels {
  FakeModels(FakeHttp::Answer answer, FunctionOptions options,
             std::map<std::string, std::string> variables = {})
      : http(std::move(answer)),
        ctx(clock),
        models({.executor = *executor,
                .clock = clock,
                .http = http,
                .environment =
                    [variables](const std::string& name) {
                      const auto found = variables.find(name);
                      return found == variables.end() ? std::string() : found->second;
                    }},
               options) {}

  std::unique_ptr<Executor> executor = MakeThreadExecutor();
  SystemClock clock;
  FakeHttp http;
  Context ctx;
  Models models;
};

inline model::FieldSchema VectorField(uint32_t dim,
                                      model::DataType type = model::DataType::kFloatVector) {
  model::FieldSchema field;
  field.id = FieldId(101);
  field.name = "vector";
  field.type = type;
  field.type_params = {{"dim", std::to_string(dim)}};
  return field;
}

inline model::FunctionSchema EmbeddingFunction(std::vector<model::KeyValue> params) {
  return {.name = "embed",
          .type = model::FunctionType::kTextEmbedding,
          .inputs = {"text"},
          .outputs = {"vector"},
          .params = std::move(params)};
}

}  // namespace elanus::functions
