// Running a case: state, statements that change something, and the comparison. Reads are in
// read.cc.
#include "runner.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "columns.h"

namespace elanus::cases {

namespace pb = milvus::proto::milvus;
namespace common = milvus::proto::common;

namespace {

constexpr const char* kHiddenVector = "hidden_vector";

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return lower;
}

std::string Print(const std::vector<Json>& values) {
  if (values.empty()) return "none";
  std::string text;
  for (const Json& value : values) text += fmt::format("{} ", value.dump());
  text.pop_back();
  return text;
}

}  // namespace

Runner::Runner(State state, size_t variant, std::string directory)
    : state_(state),
      variant_(variant),
      directory_(std::move(directory)),
      executor_(MakeThreadExecutor()),
      monitor_(executor_->MakeMonitor()) {}
Runner::~Runner() = default;

std::vector<std::string> Runner::Run(const Case& parsed) {
  Status status = Open();
  if (status.ok()) status = RunAll(parsed);
  if (!status.ok()) complaints_.push_back(status.ToString());
  return complaints_;
}

Status Runner::Open() {
  client_.reset();
  server_.reset();
  server::Config config;
  config.data_directory = directory_;
  config.grpc.address = "127.0.0.1";
  config.grpc.port = 0;
  config.grpc.request_workers = 2;
  config.management.address = "127.0.0.1";
  config.management.port = 0;
  config.data.index_rows_min = 0;  // Few rows, and an index all the same.
  config.local.log_sync = false;   // The power stays on here.
  config.limits.flush_rate.enabled = false;
  TRY_ASSIGN(server_, server::Standalone::Start(config));
  client_ = std::make_unique<Client>(server_->port());
  return {};
}

Status Runner::RunAll(const Case& parsed) {
  for (const Step& step : parsed.steps) loads_by_itself_ |= step.verb == "load";
  for (size_t i = 0; i < parsed.steps.size();) {
    const Step& step = parsed.steps[i];
    const std::string where = fmt::format("line {}", step.line);
    if (step.verb == "row") {
      auto end = RunRows(parsed.steps, i);
      if (!end.ok()) return Status(end.status()).WithContext(where);
      i = *end;
      continue;
    }
    Status status = RunStep(step);
    if (!status.ok()) return std::move(status).WithContext(where);
    ++i;
  }
  return {};
}

Status Runner::RunStep(const Step& step) {
  using Handler = Status (Runner::*)(const Step&);
  struct Verb {
    Handler handler;
    bool works_on_rows;
  };
  static const std::map<std::string_view, Verb> kVerbs = {
      {"schema", {&Runner::DoSchema, false}},
      {"drop", {&Runner::DoDrop, false}},
      {"index", {&Runner::DoIndex, false}},
      {"drop_index", {&Runner::DoDropIndex, false}},
      {"partition", {&Runner::DoPartition, false}},
      {"drop_partition", {&Runner::DoDropPartition, false}},
      {"load", {&Runner::DoLoad, false}},
      {"release", {&Runner::DoRelease, false}},
      {"insert", {&Runner::DoWrite, true}},
      {"upsert", {&Runner::DoWrite, true}},
      {"update", {&Runner::DoUpdate, true}},
      {"delete", {&Runner::DoDelete, true}},
      {"filter", {&Runner::DoFilter, true}},
      {"count", {&Runner::DoCount, true}},
      {"query", {&Runner::DoQuery, true}},
      {"search", {&Runner::DoSearch, true}}};
  const auto verb = kVerbs.find(step.verb);
  if (verb == kVerbs.end()) return Invalid("unknown statement: {}", step.verb);
  if (verb->second.works_on_rows) {
    TRY(Prepare(step));
    // Inserts pile up; everything else looks at what is there.
    if (step.verb != "insert") TRY(Settle());
  }
  return (this->*verb->second.handler)(step);
}

Status Runner::Prepare(const Step& step) {
  if (prepared_) return {};
  prepared_ = true;
  if (loads_by_itself_) return {};
  return DoLoad({.line = step.line, .verb = "load"});
}

Status Runner::DoSchema(const Step& step) {
  TRY_ASSIGN(SchemaLine line, ParseSchema(step.body));
  schema_ = std::move(line.schema);
  hidden_vector_ =
      step.outcome.empty() &&
      std::none_of(schema_.fields.begin(), schema_.fields.end(),
                   [](const model::FieldSchema& field) { return model::IsVector(field.type); });
  if (hidden_vector_) {
    schema_.fields.push_back({.name = kHiddenVector,
                              .type = model::DataType::kFloatVector,
                              .type_params = {{"dim", "2"}}});
  }
  milvus::proto::schema::CollectionSchema encoded;
  EncodeSchema(schema_, &encoded);
  pb::CreateCollectionRequest request;
  request.set_collection_name(kCollection);
  request.set_schema(encoded.SerializeAsString());
  request.set_shards_num(line.shards);
  if (!line.timezone.empty()) {
    auto* property = request.add_properties();
    property->set_key("timezone");
    property->set_value(line.timezone);
  }
  const Status status = client_->Call<common::Status>("CreateCollection", request).status();
  prepared_ = !status.ok();
  return CheckOutcome(step, status);
}

Status Runner::DoDrop(const Step& step) {
  pb::DropCollectionRequest request;
  request.set_collection_name(kCollection);
  indexed_.clear();
  prepared_ = true;  // Until there is a collection again.
  loaded_ = settled_ = dirty_ = false;
  return CheckOutcome(step, client_->Call<common::Status>("DropCollection", request).status());
}

Status Runner::DoIndex(const Step& step) {
  TRY_ASSIGN(const IndexLine line, ParseIndex(step.body));
  const IndexLine::Choice& choice = line.choices[variant_ % line.choices.size()];
  if (choice.type == "none") return {};
  pb::CreateIndexRequest request;
  request.set_collection_name(kCollection);
  request.set_field_name(line.field);
  const auto put = [&](const char* key, const std::string& value) {
    if (value.empty()) return;
    auto* pair = request.add_extra_params();
    pair->set_key(key);
    pair->set_value(value);
  };
  put("index_type", choice.type);
  put("metric_type", line.metric);
  put("params", choice.params);
  const Status status = client_->Call<common::Status>("CreateIndex", request).status();
  if (status.ok()) indexed_.push_back(line.field);
  dirty_ = dirty_ || status.ok();
  return CheckOutcome(step, status);
}

Status Runner::DoDropIndex(const Step& step) {
  pb::DropIndexRequest request;
  request.set_collection_name(kCollection);
  request.set_field_name(step.body);
  return CheckOutcome(step, client_->Call<common::Status>("DropIndex", request).status());
}

Status Runner::DoPartition(const Step& step) {
  pb::CreatePartitionRequest request;
  request.set_collection_name(kCollection);
  request.set_partition_name(step.body);
  return CheckOutcome(step, client_->Call<common::Status>("CreatePartition", request).status());
}

Status Runner::DoDropPartition(const Step& step) {
  pb::DropPartitionRequest request;
  request.set_collection_name(kCollection);
  request.set_partition_name(step.body);
  dirty_ = true;
  return CheckOutcome(step, client_->Call<common::Status>("DropPartition", request).status());
}

// The exact index of a field that no line has indexed.
static const char* PlainIndexOf(model::DataType type) {
  if (type == model::DataType::kBinaryVector) return "HAMMING BIN_FLAT";
  return type == model::DataType::kSparseFloatVector ? "IP SPARSE_INVERTED_INDEX" : "L2 FLAT";
}

Status Runner::DoLoad(const Step& step) {
  for (const model::FieldSchema& field : schema_.fields) {
    const bool done = std::find(indexed_.begin(), indexed_.end(), field.name) != indexed_.end();
    if (!model::IsVector(field.type) || done || !step.outcome.empty()) continue;
    TRY(DoIndex({.line = step.line,
                 .verb = "index",
                 .body = fmt::format("{} {}", field.name, PlainIndexOf(field.type))}));
  }
  Status status;
  if (step.partitions.empty()) {
    pb::LoadCollectionRequest request;
    request.set_collection_name(kCollection);
    status = client_->Call<common::Status>("LoadCollection", request).status();
  } else {
    pb::LoadPartitionsRequest request;
    request.set_collection_name(kCollection);
    for (const std::string& name : step.partitions) request.add_partition_names(name);
    status = client_->Call<common::Status>("LoadPartitions", request).status();
  }
  TRY(CheckOutcome(step, status));
  if (!status.ok()) return {};
  loaded_ = true;
  return WaitUntil("loaded", [this] { return IsLoaded(); });
}

Status Runner::DoRelease(const Step& step) {
  if (!step.partitions.empty()) {
    pb::ReleasePartitionsRequest request;
    request.set_collection_name(kCollection);
    for (const std::string& name : step.partitions) request.add_partition_names(name);
    return CheckOutcome(step, client_->Call<common::Status>("ReleasePartitions", request).status());
  }
  pb::ReleaseCollectionRequest request;
  request.set_collection_name(kCollection);
  loaded_ = false;
  return CheckOutcome(step, client_->Call<common::Status>("ReleaseCollection", request).status());
}

// -- State ----------------------------------------------------------------------------------------

Status Runner::Settle() {
  if (!dirty_) return {};
  const bool first = !std::exchange(settled_, true);
  dirty_ = false;
  if (sealed() || (state_ == State::kMixed && first)) TRY(FlushAll());
  if (state_ != State::kRestarted && state_ != State::kSealedRestarted) return {};
  TRY(Open());
  return loaded_ ? WaitUntil("loaded again", [this] { return IsLoaded(); }) : Status();
}

Status Runner::FlushAll() {
  pb::FlushRequest request;
  request.add_collection_names(kCollection);
  TRY_ASSIGN(const auto flushed, client_->Call<pb::FlushResponse>("Flush", request));
  pb::GetFlushStateRequest ask;
  ask.set_collection_name(kCollection);
  ask.set_flush_ts(flushed.coll_flush_ts().at(kCollection));
  TRY(WaitUntil("flushed", [&]() -> Result<bool> {
    TRY_ASSIGN(const auto answer, client_->Call<pb::GetFlushStateResponse>("GetFlushState", ask));
    return answer.flushed();
  }));
  TRY(WaitUntil("indexed", [this] { return IsIndexed(); }));
  return loaded_ ? WaitUntil("loaded", [this] { return IsLoaded(); }) : Status();
}

Status Runner::WaitUntil(const char* what, const std::function<Result<bool>()>& done) {
  constexpr int kTries = 5000;
  constexpr int64_t kPauseMs = 2;
  for (int i = 0; i < kTries; ++i) {
    TRY_ASSIGN(const bool is_done, done());
    if (is_done) return {};
    std::lock_guard lock(*monitor_);
    monitor_->WaitFor(kPauseMs);
  }
  return Error(ErrorCode::kDeadlineExceeded, "the collection is not {}", what);
}

Result<bool> Runner::IsLoaded() {
  pb::GetLoadingProgressRequest request;
  request.set_collection_name(kCollection);
  TRY_ASSIGN(const auto answer,
             client_->Call<pb::GetLoadingProgressResponse>("GetLoadingProgress", request));
  return answer.progress() == 100;
}

Result<bool> Runner::IsIndexed() {
  pb::DescribeIndexRequest request;
  request.set_collection_name(kCollection);
  const auto answer = client_->Call<pb::DescribeIndexResponse>("DescribeIndex", request);
  if (answer.status().code() == ErrorCode::kIndexNotFound) return true;
  if (!answer.ok()) return answer.status();
  for (const auto& index : answer->index_descriptions()) {
    if (index.state() == common::IndexState::Failed) {
      return Error(ErrorCode::kUnexpected, "the index on {} failed: {}", index.field_name(),
                   index.index_state_fail_reason());
    }
    if (index.state() != common::IndexState::Finished || index.pending_index_rows() > 0)
      return false;
  }
  return true;
}

// -- Writing --------------------------------------------------------------------------------------

// One value a field in the order of the schema, '-' for one that is left out, dynamic keys last.
Result<Json> Runner::PositionalRow(const std::vector<std::string>& words) const {
  Json row = Json::object();
  size_t at = 0;
  for (const model::FieldSchema& field : schema_.fields) {
    if (field.auto_id || field.name == kHiddenVector) continue;
    if (at == words.size()) return Invalid("there is no value for {}", field.name);
    const std::string& word = words[at++];
    if (word == "-") continue;
    TRY_ASSIGN(row[field.name], ParseValue(word));
  }
  if (at + 1 == words.size()) {
    TRY_ASSIGN(const Json dynamic, ParseValue(words[at++]));
    if (!dynamic.is_object()) return Invalid("dynamic keys are an object: {}", words[at - 1]);
    row.update(dynamic);
  }
  if (at != words.size()) return Invalid("there are more values than fields: {}", words[at]);
  return row;
}

// One row by position, or any number of rows by name.
Result<Runner::Rows> Runner::ParseRows(const std::string& body) const {
  const std::vector<std::string> words = Words(body);
  const bool by_name = std::all_of(words.begin(), words.end(),
                                   [](const std::string& word) { return word.starts_with('{'); });
  Rows rows;
  if (by_name) {
    TRY_ASSIGN(rows, ParseObjects(body));
  } else {
    TRY_ASSIGN(Json row, PositionalRow(words));
    rows.push_back(std::move(row));
  }
  for (Json& row : rows) {
    if (hidden_vector_) row[kHiddenVector] = Json::array({0.0, 0.0});
  }
  return rows;
}

Result<size_t> Runner::RunRows(const std::vector<Step>& steps, size_t begin) {
  TRY(Prepare(steps[begin]));
  size_t end = begin;
  Rows rows;
  for (; end < steps.size() && steps[end].verb == "row"; ++end) {
    if (steps[end].partitions != steps[begin].partitions) break;
    if (!steps[end].outcome.empty()) return Invalid("a row has no outcome, an insert has");
    TRY_ASSIGN(const Rows more, ParseRows(steps[end].body));
    rows.insert(rows.end(), more.begin(), more.end());
  }
  const auto count = Write(rows, steps[begin].partitions, /*upsert=*/false);
  if (!count.ok()) return count.status();
  return end;
}

template <class Request>
void Runner::FillColumns(const Rows& rows, Request& request) const {
  for (const model::FieldSchema& field : schema_.fields) {
    Rows values;
    bool given = false;
    for (const Json& row : rows) {
      given = given || row.contains(field.name);
      values.push_back(row.value(field.name, Json()));
    }
    if (given) EncodeColumn(field, values, request.add_fields_data());
  }
  Rows dynamic;
  bool given = false;
  for (const Json& row : rows) {
    Json object = Json::object();
    for (const auto& [key, value] : row.items()) {
      if (schema_.FindField(key) == nullptr) object[key] = value;
    }
    given = given || !object.empty();
    dynamic.push_back(std::move(object));
  }
  if (given) EncodeDynamic(dynamic, request.add_fields_data());
}

template <class Request>
void Runner::FillWrite(const Rows& rows, const std::vector<std::string>& partitions,
                       Request& request) const {
  request.set_collection_name(kCollection);
  if (!partitions.empty()) request.set_partition_name(partitions[0]);
  request.set_num_rows(static_cast<uint32_t>(rows.size()));
  FillColumns(rows, request);
}

Result<int64_t> Runner::Write(const Rows& rows, const std::vector<std::string>& partitions,
                              bool upsert) {
  dirty_ = true;
  const auto send = [&](auto request, const char* name) -> Result<pb::MutationResult> {
    FillWrite(rows, partitions, request);
    return client_->Call<pb::MutationResult>(name, request);
  };
  TRY_ASSIGN(const pb::MutationResult result,
             upsert ? send(pb::UpsertRequest(), "Upsert") : send(pb::InsertRequest(), "Insert"));
  return upsert ? result.upsert_cnt() : result.insert_cnt();
}

Status Runner::DoWrite(const Step& step) {
  TRY_ASSIGN(const Rows rows, ParseRows(step.body));
  return CheckCount(step, Write(rows, step.partitions, step.verb == "upsert"));
}

// What the rows leave out stays as it is. Words before the rows say what is done with a field.
Status Runner::DoUpdate(const Step& step) {
  using Op = milvus::proto::schema::FieldPartialUpdateOp;
  static const std::map<std::string, Op::OpType> kOps = {
      {"replace", Op::REPLACE}, {"append", Op::ARRAY_APPEND}, {"remove", Op::ARRAY_REMOVE}};
  pb::UpsertRequest request;
  std::string body = step.body;
  for (const std::string& word : Words(step.body)) {
    const size_t sign = word.find('=');
    const auto op = kOps.find(word.substr(0, sign));
    if (word.starts_with('{') || sign == std::string::npos || op == kOps.end()) break;
    auto* added = request.add_field_ops();
    added->set_field_name(word.substr(sign + 1));
    added->set_op(op->second);
    body = body.substr(body.find(word) + word.size());
  }
  TRY_ASSIGN(Rows rows, ParseRows(body));
  // What the runner adds for collections without a vector is kept like everything else.
  for (Json& row : rows) row.erase(kHiddenVector);
  FillWrite(rows, step.partitions, request);
  request.set_partial_update(true);
  dirty_ = true;
  const auto result = client_->Call<pb::MutationResult>("Upsert", request);
  return CheckCount(step, result.ok() ? Result<int64_t>(result->delete_cnt()) : result.status());
}

Status Runner::DoDelete(const Step& step) {
  pb::DeleteRequest request;
  request.set_collection_name(kCollection);
  if (!step.partitions.empty()) request.set_partition_name(step.partitions[0]);
  request.set_expr(step.body);
  dirty_ = true;
  const auto result = client_->Call<pb::MutationResult>("Delete", request);
  if (!result.ok()) return CheckCount(step, result.status());
  return CheckCount(step, int64_t{result->delete_cnt()});
}

// -- Comparing ------------------------------------------------------------------------------------

void Runner::Complain(const Step& step, const std::string& got) {
  const std::string want =
      step.outcome.empty() ? "success" : fmt::format("{} {}", step.outcome, step.expected);
  complaints_.push_back(
      fmt::format("line {}: {} {}: got {}, want {}", step.line, step.verb, step.body, got, want));
}

Status Runner::CheckOutcome(const Step& step, const Status& status) {
  if (step.outcome != "error") {
    if (!status.ok()) {
      Complain(step, fmt::format("error {} {}", static_cast<int>(status.code()), status.message()));
    }
    return {};
  }
  const size_t blank = std::min(step.expected.find(' '), step.expected.size());
  const std::string words = step.expected.substr(std::min(blank + 1, step.expected.size()));
  int code = 0;
  std::from_chars(step.expected.data(), step.expected.data() + blank, code);
  if (code == 0) return Invalid("an error needs a code: {}", step.expected);
  if (status.ok()) {
    Complain(step, "success");
  } else if (static_cast<int>(status.code()) != code ||
             Lower(status.message()).find(Lower(words)) == std::string::npos) {
    Complain(step, fmt::format("error {} {}", static_cast<int>(status.code()), status.message()));
  }
  return {};
}

Status Runner::CheckCount(const Step& step, const Result<int64_t>& count) {
  if (!count.ok() || step.outcome != "count") return CheckOutcome(step, count.status());
  if (std::to_string(*count) != step.expected) Complain(step, fmt::format("count {}", *count));
  return {};
}

Status Runner::CheckIds(const Step& step, const Rows& ids) {
  Rows wanted;
  if (step.expected != "none") {
    for (const std::string& word : Words(step.expected)) {
      TRY_ASSIGN(Json id, ParseValue(word));
      wanted.push_back(std::move(id));
    }
  }
  if (ids != wanted) Complain(step, fmt::format("ids {}", Print(ids)));
  return {};
}

Status Runner::CheckRows(const Step& step, Rows rows) {
  TRY_ASSIGN(const Rows wanted, ParseObjects(step.expected));
  const std::string& key = schema_.primary_key().name;
  for (size_t i = 0; i < rows.size(); ++i) {
    rows[i].erase(kHiddenVector);
    // A query answers the key unasked; what is generated cannot be written down.
    if (i < wanted.size() && !wanted[i].contains(key)) rows[i].erase(key);
  }
  if (!AboutEqual(Json(rows), Json(wanted))) Complain(step, fmt::format("rows {}", Print(rows)));
  return {};
}

}  // namespace elanus::cases
