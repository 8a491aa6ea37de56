// Reports of reads.
#include "proxy/read_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "proxy/metrics.h"

namespace elanus::proxy {
namespace {

constexpr size_t kLogBytesMax = 16 << 10;

nlohmann::json ToJson(const ProfileFact::Value& value) {
  return std::visit([](const auto& plain) { return nlohmann::json(plain); }, value);
}

nlohmann::ordered_json ToJson(const ProfileNode& node) {
  nlohmann::ordered_json json = {{"step", node.name},
                                 {"begin_us", node.begin_us},
                                 {"wall_us", node.wall_us},
                                 {"cpu_us", node.TotalCpuUs()}};
  if (!node.facts.empty()) {
    nlohmann::ordered_json& facts = json["facts"];
    for (const ProfileFact& fact : node.facts) facts[fact.key] = ToJson(fact.value);
  }
  if (!node.children.empty()) {
    nlohmann::ordered_json& steps = json["steps"] = nlohmann::ordered_json::array();
    for (const auto& child : node.children) steps.push_back(ToJson(*child));
  }
  if (node.dropped_steps() > 0) json["steps_left_out"] = node.dropped_steps();
  return json;
}

std::string FactText(const ProfileFact::Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* yes = std::get_if<bool>(&value)) return *yes ? "yes" : "no";
  if (const auto* number = std::get_if<double>(&value)) return fmt::format("{:g}", *number);
  return std::to_string(std::get<int64_t>(value));
}

void AddText(const ProfileNode& node, size_t depth, std::string& text) {
  const std::string name = std::string(2 * depth, ' ') + node.name;
  text += fmt::format("{:<36} {:>9.3f} ms", name, static_cast<double>(node.wall_us) / 1000);
  const int64_t cpu_us = node.TotalCpuUs();
  text += cpu_us > 0 ? fmt::format("  cpu {:.3f} ms", static_cast<double>(cpu_us) / 1000) : "";
  for (const ProfileFact& fact : node.facts) {
    text += fmt::format("{}{}: {}", &fact == node.facts.data() ? "  | " : ", ", fact.key,
                        FactText(fact.value));
  }
  text += '\n';
  for (const auto& child : node.children) AddText(*child, depth + 1, text);
  if (node.dropped_steps() > 0) {
    text += fmt::format("{} further steps are left out\n", node.dropped_steps());
  }
}

size_t HitsOf(const model::SearchResult& result) { return result.scores.size(); }

}  // namespace

std::string ReportText(const ProfileNode& tree) {
  std::string text;
  AddText(tree, 0, text);
  return text;
}

std::string ReportJson(const ProfileNode& tree) {
  return ToJson(tree).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

ReadReport::ReadReport(Context& ctx, const ProxyOptions& options, std::string_view rpc,
                       model::CollectionName name, std::vector<std::string>& output_fields)
    : outer_(ctx),
      options_(options),
      rpc_(rpc),
      name_(std::move(name)),
      begin_us_(ctx.clock().MonotonicUs()) {
  std::erase_if(output_fields, [&](const std::string& name) {
    if (name != kExplainField && name != kExplainJsonField) return false;
    field_ = name == kExplainField ? kExplainField : kExplainJsonField;
    return true;
  });
  const bool wanted = !field_.empty() || options.slow_query_explain;
  // Part of a larger read that is profiled: its steps lie in that one's report.
  root_.emplace(ctx, rpc, wanted && ctx.profile() == nullptr, options.explain_steps_max);
}

void ReadReport::End(const Status& status, size_t queries) {
  root_->End();
  const int64_t us = outer_.clock().MonotonicUs() - begin_us_;
  CountRead({.rpc = rpc_, .name = name_, .status = status, .nq = queries, .us = us},
            options_.counted_collections_max);
  if (status.code() == ErrorCode::kCanceled || status.code() == ErrorCode::kDeadlineExceeded) {
    LogInfo("{} dropped reason=\"{}\" after_ms={:.1f}", rpc_, status.message(),
            static_cast<double>(us) / 1e3);
  }
  const double query_s =
      static_cast<double>(us) / 1e6 / static_cast<double>(std::max<size_t>(1, queries));
  if (root_->tree() == nullptr || query_s < options_.slow_query_s) return;
  std::string json = ReportJson(*root_->tree());
  if (json.size() > kLogBytesMax) json.resize(kLogBytesMax);
  LogInfo("{} slow explain={}", rpc_, json);
}

std::optional<model::Column> ReadReport::Column(size_t rows) const {
  if (field_.empty() || root_->tree() == nullptr) return std::nullopt;
  model::Column column = model::MakeColumn(FieldId(), std::string(field_),
                                           model::DataType::kVarChar, model::DataType::kNone, 0);
  const ProfileNode& tree = *root_->tree();
  for (size_t i = 0; i < rows; ++i) {
    column.AppendBytes(i > 0                         ? ""
                       : field_ == kExplainJsonField ? ReportJson(tree)
                                                     : ReportText(tree));
  }
  return column;
}

void ReadReport::Finish(Result<model::SearchResult>& result) {
  End(result.status(), result.ok() ? result->nq : 1);
  if (!result.ok()) return;
  auto column = Column(HitsOf(*result));
  if (!column) return;
  result->columns.push_back(std::move(*column));
  result->output_fields.emplace_back(field_);
  result->explain = ReportJson(*root_->tree());
}

void ReadReport::Finish(Result<model::QueryResult>& result) {
  End(result.status(), 1);
  if (!result.ok() || result->columns.empty()) return;
  auto column = Column(result->columns[0].rows);
  if (!column) return;
  result->columns.push_back(std::move(*column));
  result->output_fields.emplace_back(field_);
  result->explain = ReportJson(*root_->tree());
}

}  // namespace elanus::proxy
