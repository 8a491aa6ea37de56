// Runs one case against a whole server and says what came out otherwise than written.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/executor.h"
#include "case_file.h"
#include "client.h"
#include "server/standalone.h"

namespace elanus::cases {

/// Every case has one collection.
inline const std::string kCollection = "c";

/// Where the rows are when they are read. Every answer must be the same in all of them.
enum class State {
  kGrowing,          // In memory, nothing flushed.
  kSealed,           // Flushed, indexed, and read with growing rows left out.
  kMixed,            // The first rows sealed, everything after them growing on top.
  kRestarted,        // Nothing flushed, the server opened again on the log.
  kSealedRestarted,  // Flushed, indexed, the server opened again on the files.
};

class Runner {
 public:
  /// `directory` is new and the runner's own. `variant` picks a choice of each index line.
  Runner(State state, size_t variant, std::string directory);
  ~Runner();

  /// One line for every statement that did not come out as written; empty when all did. Stops at
  /// the first that makes the rest senseless.
  std::vector<std::string> Run(const Case& parsed);

 private:
  using Rows = std::vector<Json>;

  Status Open();
  Status RunAll(const Case& parsed);
  Status RunStep(const Step& step);
  Result<size_t> RunRows(const std::vector<Step>& steps, size_t begin);

  Status DoSchema(const Step& step);
  Status DoDrop(const Step& step);
  Status DoIndex(const Step& step);
  Status DoDropIndex(const Step& step);
  Status DoPartition(const Step& step);
  Status DoDropPartition(const Step& step);
  Status DoLoad(const Step& step);
  Status DoRelease(const Step& step);
  Status DoWrite(const Step& step);
  Status DoUpdate(const Step& step);
  Status DoDelete(const Step& step);
  Status DoFilter(const Step& step);
  Status DoCount(const Step& step);
  Status DoQuery(const Step& step);
  Status DoSearch(const Step& step);

  /// Indexes the vector fields that no line has indexed, then loads: before the first row or read
  /// of a file that does not load by itself.
  Status Prepare(const Step& step);
  /// Brings the rows into the state under test.
  Status Settle();
  Status FlushAll();
  Status WaitUntil(const char* what, const std::function<Result<bool>()>& done);
  Result<bool> IsLoaded();
  Result<bool> IsIndexed();
  bool sealed() const { return state_ == State::kSealed || state_ == State::kSealedRestarted; }

  Result<Json> PositionalRow(const std::vector<std::string>& words) const;
  Result<Rows> ParseRows(const std::string& body) const;
  Result<int64_t> Write(const Rows& rows, const std::vector<std::string>& partitions, bool upsert);
  template <class Request>
  void FillWrite(const Rows& rows, const std::vector<std::string>& partitions,
                 Request& request) const;
  template <class Request>
  void FillColumns(const Rows& rows, Request& request) const;
  Status ReadRows(const Step& step, const Json& spec);

  /// Compares, and keeps a complaint when they differ. Errors are those of the case file itself.
  Status CheckOutcome(const Step& step, const Status& status);
  Status CheckCount(const Step& step, const Result<int64_t>& count);
  Status CheckIds(const Step& step, const Rows& ids);
  Status CheckRows(const Step& step, Rows rows);
  void Complain(const Step& step, const std::string& got);

  const State state_;
  const size_t variant_;
  const std::string directory_;
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<Monitor> monitor_;  // Only to wait on.
  std::unique_ptr<server::Standalone> server_;
  std::unique_ptr<Client> client_;
  model::CollectionSchema schema_;
  bool hidden_vector_ = false;  // The schema line had none.
  std::vector<std::string> indexed_;
  bool loads_by_itself_ = false;  // The file has load lines.
  bool prepared_ = false;
  bool loaded_ = false;
  bool dirty_ = false;    // Written to since it settled.
  bool settled_ = false;  // At least once.
  std::vector<std::string> complaints_;
};

}  // namespace elanus::cases
