// Reports of how a read was run: who gets one, and in what form. See docs/design/20-explain.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/profile.h"
#include "model/requests/collection.h"
#include "model/requests/data.h"
#include "proxy/options.h"

namespace elanus::proxy {

/// The output field that asks for a report and holds it, as text or as JSON; clients show it like
/// any other field.
inline constexpr std::string_view kExplainField = "$explain";
inline constexpr std::string_view kExplainJsonField = "$explain_json";

/// The tree for people: a step a line, with its time, its CPU and what it says of itself.
std::string ReportText(const ProfileNode& tree);
/// The tree as a JSON object: step, begin_us, wall_us, cpu_us, facts, steps.
std::string ReportJson(const ProfileNode& tree);

/// One read that may be reported. Not thread-safe.
class ReadReport {
 public:
  /// Takes the wish for a report out of `output_fields`. `rpc` and the options outlive it.
  ReadReport(Context& ctx, const ProxyOptions& options, std::string_view rpc,
             model::CollectionName name, std::vector<std::string>& output_fields);
  ReadReport(const ReadReport&) = delete;
  ReadReport& operator=(const ReadReport&) = delete;

  /// For the read.
  Context& ctx() { return root_->ctx(); }
  /// Ends the report. What was asked for goes into the answer: a column whose first row has the
  /// report, the others being empty, and `explain`. A slow read's goes into the log, where the
  /// options want that; a read that nobody waits for any more gets a line of its own. Each
  /// is counted, see metrics.h.
  void Finish(Result<model::SearchResult>& result);
  void Finish(Result<model::QueryResult>& result);

 private:
  void End(const Status& status, size_t queries);
  /// The report as a column of that many rows, which is none when nobody asked for one.
  std::optional<model::Column> Column(size_t rows) const;

  Context& outer_;
  const ProxyOptions& options_;
  const std::string_view rpc_;
  const model::CollectionName name_;
  const int64_t begin_us_;
  std::string_view field_;  // That was asked for; empty: none.
  std::optional<ProfileStep> root_;
};

/// Runs a read under a report: `run(context, request)`, the wish taken out of the request's
/// `output_fields`.
template <class Request, class Run>
auto Reported(Context& ctx, const ProxyOptions& options, std::string_view rpc, Request request,
              Run run) -> decltype(run(ctx, std::move(request))) {
  ReadReport report(ctx, options, rpc, request.name, request.output_fields);
  auto result = run(report.ctx(), std::move(request));
  report.Finish(result);
  return result;
}

}  // namespace elanus::proxy
