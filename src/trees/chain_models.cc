// Models by their resources.
#include "trees/chain_models.h"

#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "text/file_source.h"
#include "trees/xgboost.h"

namespace elanus::trees {
namespace {

using ForestPtr = std::shared_ptr<const Forest>;

// By the number of a resource, which no other resource ever has: a name can pass to another file.
class KeptForests {
 public:
  ForestPtr Find(int64_t id) {
    std::lock_guard<std::mutex> lock(mutex_);
    for (auto kept = kept_.begin(); kept != kept_.end(); ++kept) {
      if (kept->id != id) continue;
      kept_.splice(kept_.begin(), kept_, kept);
      return kept->forest;
    }
    return nullptr;
  }

  void Keep(int64_t id, ForestPtr forest) {
    std::lock_guard<std::mutex> lock(mutex_);
    // Two may have read it at the same time.
    kept_.remove_if([&](const Kept& kept) { return kept.id == id; });
    kept_.push_front({.id = id, .forest = std::move(forest)});
    Forget();
  }

  void SetOptions(const TreesOptions& options) {
    std::lock_guard<std::mutex> lock(mutex_);
    options_ = options;
    Forget();
  }

 private:
  struct Kept {
    int64_t id;
    ForestPtr forest;
  };

  void Forget() {
    size_t bytes = 0;
    size_t count = 0;
    for (const Kept& kept : kept_) {
      bytes += kept.forest->memory_bytes();
      if (count > 0 && bytes > static_cast<size_t>(options_.kept_bytes_max)) break;
      ++count;
    }
    kept_.resize(count);
  }

  std::mutex mutex_;
  std::list<Kept> kept_;  // The latest used first.
  TreesOptions options_;
};

KeptForests& OfProcess() {
  static KeptForests kept;
  return kept;
}

Result<ForestPtr> ForestOf(const std::string& resource) {
  const std::optional<int64_t> id = text::FindFileResource(resource);
  if (!id) return Invalid("xgboost: there is no file resource {}", resource);
  if (ForestPtr kept = OfProcess().Find(*id)) return kept;
  TRY_ASSIGN(const std::string bytes, text::ReadFileResource(resource));
  auto forest = ReadXgboost(bytes);
  if (!forest.ok()) return Status(forest.status()).WithContext("file resource " + resource);
  auto made = std::make_shared<const Forest>(*std::move(forest));
  OfProcess().Keep(*id, made);
  return ForestPtr(made);
}

}  // namespace

void SetTreesOptions(const TreesOptions& options) { OfProcess().SetOptions(options); }

Result<decltype(model::ChainInput::predict)> PredictorOf(const model::ScoreChain& chain) {
  decltype(model::ChainInput::predict) predict;
  if (chain.forests().empty()) return predict;
  std::vector<ForestPtr> forests;
  for (const model::ChainForest& step : chain.forests()) {
    TRY_ASSIGN(ForestPtr forest, ForestOf(step.resource));
    if (forest->features() != step.features)
      return Invalid("xgboost: the model {} takes {} features, got {}", step.resource,
                     forest->features(), step.features);
    forests.push_back(std::move(forest));
  }
  predict = [forests = std::move(forests), steps = chain.forests()](
                size_t step, std::span<const float> features) {
    const Forest& forest = *forests[step];
    return steps[step].is_raw ? forest.Margin(features) : forest.Predict(features);
  };
  return predict;
}

}  // namespace elanus::trees
