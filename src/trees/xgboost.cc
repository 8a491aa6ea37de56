// Reading a model in one pass: only what predictions need is kept, a tree at a time.
#include "trees/xgboost.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "trees/forest_builder.h"

namespace elanus::trees {
namespace {

using nlohmann::json;

// The schema is 8 deep. UBJSON is read by recursion, so this bounds the stack.
constexpr size_t kDepthMax = 16;

struct Objective {
  std::string_view name;
  Link link;  // Also of base_score to the margin that the sum begins with.
};
constexpr Objective kObjectives[] = {
    {"reg:squarederror", Link::kIdentity}, {"reg:logistic", Link::kLogistic},
    {"binary:logistic", Link::kLogistic},  {"binary:logitraw", Link::kIdentity},
    {"rank:pairwise", Link::kIdentity},    {"rank:ndcg", Link::kIdentity},
    {"rank:map", Link::kIdentity},         {"count:poisson", Link::kExponential},
    {"reg:gamma", Link::kExponential},     {"reg:tweedie", Link::kExponential},
};

std::vector<double>* ListOf(RawTree& tree, std::string_view name) {
  static const std::map<std::string_view, std::vector<double> RawTree::*> kLists = {
      {"left_children", &RawTree::left_children},
      {"right_children", &RawTree::right_children},
      {"split_indices", &RawTree::split_indices},
      {"split_conditions", &RawTree::split_conditions},
      {"default_left", &RawTree::default_left},
      {"split_type", &RawTree::split_type},
      {"categories_nodes", &RawTree::categories_nodes},
      {"categories_segments", &RawTree::categories_segments},
      {"categories_sizes", &RawTree::categories_sizes},
      {"categories", &RawTree::categories}};
  const auto found = kLists.find(name);
  return found == kLists.end() ? nullptr : &(tree.*found->second);
}

// What the reader of JSON calls for each piece of the file.
class ModelReader final : public nlohmann::json_sax<json> {
 public:
  explicit ModelReader(size_t bytes) : bytes_(bytes) {}

  Result<Forest> Finish(bool is_read) {
    TRY(status_);
    if (!is_read) return Invalid("xgboost model: the file is cut or is neither JSON nor UBJSON");
    const std::string& booster = texts_["gradient_booster/name"];
    if (booster != "gbtree" && booster != "dart")
      return Invalid("xgboost model: booster '{}' is not supported, use gbtree or dart", booster);
    const std::string& name = texts_["objective/name"];
    const auto* objective =
        std::find_if(std::begin(kObjectives), std::end(kObjectives),
                     [&](const Objective& known) { return known.name == name; });
    if (objective == std::end(kObjectives))
      return Invalid("xgboost model: objective '{}' is not supported", name);
    TRY(CheckOneOutput());
    if (booster == "dart") {
      if (weight_drop_.size() != builder_.trees())
        return Invalid("xgboost model: weight_drop should have {} entries, got {}",
                       builder_.trees(), weight_drop_.size());
      for (size_t tree = 0; tree < weight_drop_.size(); ++tree) {
        const auto weight = static_cast<float>(weight_drop_[tree]);
        if (!std::isfinite(weight))
          return Invalid("xgboost model: {} in weight_drop should be a finite number",
                         weight_drop_[tree]);
        builder_.Scale(tree, weight);
      }
    }
    TRY_ASSIGN(const double features, Number("learner_model_param/num_feature"));
    constexpr double kFeaturesMax = 1 << 20;
    if (!(features >= 1 && features <= kFeaturesMax && features == std::floor(features)))
      return Invalid("xgboost model: num_feature should be in [1, {}], got {}", kFeaturesMax,
                     features);
    TRY_ASSIGN(const double base, BaseMargin(objective->link));
    return builder_.Finish(static_cast<uint32_t>(features), base, objective->link);
  }

  bool start_object(size_t size) override { return Open(size, /*is_list=*/false); }
  bool start_array(size_t size) override {
    if (!Open(size, /*is_list=*/true)) return false;
    sink_ = SinkOf();
    return true;
  }
  bool end_array() override {
    sink_ = nullptr;
    return Close();
  }
  bool end_object() override {
    const bool ends_tree = IsTree(open_.size());
    if (!Close()) return false;
    if (!ends_tree) return true;
    status_ = builder_.Add(tree_);
    tree_ = {};
    return status_.ok();
  }
  bool key(string_t& name) override {
    open_.back().key = name;
    return true;
  }

  bool number_integer(number_integer_t value) override { return Take(static_cast<double>(value)); }
  bool number_unsigned(number_unsigned_t value) override {
    return Take(static_cast<double>(value));
  }
  bool number_float(number_float_t value, const string_t&) override { return Take(value); }
  bool boolean(bool value) override { return Take(value ? 1 : 0); }
  bool null() override {
    return sink_ == nullptr || Refuse(Invalid("xgboost model: null is no number"));
  }
  bool binary(binary_t&) override { return Refuse(Invalid("xgboost model: it holds binary data")); }
  bool string(string_t& value) override {
    if (sink_ != nullptr) return Refuse(Invalid("xgboost model: '{}' is no number", value));
    if (open_.empty()) return true;
    if (open_.back().key == "size_leaf_vector" && value != "0" && value != "1")
      return Refuse(Invalid("xgboost model: leaves with several values are not supported"));
    if (open_[0].key == "learner" && open_.size() == 3 && !open_.back().is_list)
      texts_[open_[1].key + "/" + open_[2].key] = std::move(value);
    return true;
  }
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  struct Container {
    bool is_list;
    std::string key;  // Under which the next value stands, if it is an object.
  };

  bool Refuse(Status why) {
    status_ = std::move(why);
    return false;
  }
  bool Open(size_t size, bool is_list) {
    constexpr auto kUnknown = static_cast<size_t>(-1);
    if (open_.size() == kDepthMax)
      return Refuse(Invalid("xgboost model: it nests deeper than {}", kDepthMax));
    // UBJSON can say in a few bytes that billions of nulls follow.
    if (size != kUnknown && size > bytes_)
      return Refuse(Invalid("xgboost model: a list of {} in {} bytes", size, bytes_));
    if (sink_ != nullptr) return Refuse(Invalid("xgboost model: a list should hold numbers"));
    open_.push_back({.is_list = is_list, .key = {}});
    return true;
  }
  bool Close() {
    open_.pop_back();
    return true;
  }
  bool Take(double value) {
    if (sink_ == nullptr) return true;
    if (sink_->size() == ForestBuilder::kNodesMax)
      return Refuse(Invalid("xgboost model: a list is longer than {}", sink_->size()));
    sink_->push_back(value);
    return true;
  }

  // learner/gradient_booster/model, of dart learner/gradient_booster/gbtree/model: how many
  // containers are open where its members are; 0: elsewhere.
  size_t ModelDepth() const {
    const auto is_at = [&](size_t place, std::string_view key) {
      return open_.size() > place && open_[place].key == key;
    };
    if (!is_at(0, "learner") || !is_at(1, "gradient_booster")) return 0;
    if (is_at(2, "model")) return 4;
    return is_at(2, "gbtree") && is_at(3, "model") ? 5 : 0;
  }
  // Whether the container at this depth is an entry of the model's list of trees.
  bool IsTree(size_t depth) const {
    const size_t model = ModelDepth();
    return model != 0 && depth == model + 2 && open_[model - 1].key == "trees" &&
           open_[model].is_list;
  }
  // Where the numbers of the list that was opened last belong; null: nowhere.
  std::vector<double>* SinkOf() {
    const size_t depth = open_.size();
    if (depth < 3) return nullptr;
    const std::string& name = open_[depth - 2].key;
    if (IsTree(depth - 1)) return ListOf(tree_, name);
    if (depth == 4 && open_[0].key == "learner" && open_[1].key == "gradient_booster" &&
        name == "weight_drop")
      return &weight_drop_;
    if (depth == ModelDepth() + 1 && name == "tree_info") return &tree_info_;
    return nullptr;
  }

  // A text that should be a number. Newer files say [5E-1].
  Result<double> Number(const std::string& key) const {
    const auto found = texts_.find(key);
    if (found == texts_.end()) return Invalid("xgboost model: {} is missing", key);
    std::string_view text = found->second;
    if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
      return Invalid("xgboost model: {} should be a number, got '{}'", key, found->second);
    return value;
  }
  Status CheckOneOutput() const {
    for (const char* key : {"learner_model_param/num_class", "learner_model_param/num_target"}) {
      if (texts_.count(key) == 0) continue;
      TRY_ASSIGN(const double count, Number(key));
      if (count != 0 && count != 1)
        return Invalid("xgboost model: {} is {}, only one output is supported", key, count);
    }
    if (tree_info_.size() != builder_.trees())
      return Invalid("xgboost model: tree_info has {} entries for {} trees", tree_info_.size(),
                     builder_.trees());
    for (double group : tree_info_) {
      if (group != 0) return Invalid("xgboost model: its trees are of several classes");
    }
    return {};
  }
  Result<double> BaseMargin(Link link) const {
    const std::string key = "learner_model_param/base_score";
    TRY_ASSIGN(const double score, Number(key));
    switch (link) {
      case Link::kIdentity:
        return score;
      case Link::kLogistic:
        if (score > 0 && score < 1) return -std::log(1 / score - 1);
        return Invalid("xgboost model: base_score should be in (0, 1), got {}", score);
      case Link::kExponential:
        if (score > 0) return std::log(score);
        return Invalid("xgboost model: base_score should be above 0, got {}", score);
    }
    return score;
  }

  const size_t bytes_;
  Status status_;
  std::vector<Container> open_;
  std::vector<double>* sink_ = nullptr;
  std::map<std::string, std::string> texts_;  // Of learner: member/member.
  std::vector<double> tree_info_;             // The class of each tree.
  std::vector<double> weight_drop_;           // Of dart.
  RawTree tree_;                              // That is being read.
  ForestBuilder builder_;
};

}  // namespace

Result<Forest> ReadXgboost(std::string_view bytes) {
  if (bytes.size() < 2 || bytes[0] != '{')
    return Invalid("xgboost model: it is no JSON or UBJSON, as save_model writes");
  // In JSON a name or the end follows, in UBJSON the length of a name.
  constexpr std::string_view kJsonNext = "\" \t\r\n}";
  const bool is_json = kJsonNext.find(bytes[1]) != std::string_view::npos;
  ModelReader reader(bytes.size());
  const bool is_read =
      json::sax_parse(bytes.begin(), bytes.end(), &reader,
                      is_json ? json::input_format_t::json : json::input_format_t::ubjson);
  return reader.Finish(is_read);
}

}  // namespace elanus::trees
