// The rules of a schema's functions.
#include "proxy/functions.h"

#include <algorithm>
#include <set>

#include "functions/models.h"
#include "index/word_index.h"
#include "model/predicate.h"
#include "proxy/checks.h"
#include "text/field.h"
#include "text/min_hash.h"

namespace elanus::proxy {
namespace {

using model::DataType;
using model::FieldSchema;
using model::FunctionSchema;
using model::FunctionType;

bool IsText(const FieldSchema& field) {
  return field.type == DataType::kVarChar || field.type == DataType::kText;
}

class FunctionCheck {
 public:
  explicit FunctionCheck(const model::CollectionSchema& schema) : schema_(schema) {}

  Status Run() const {
    for (const FieldSchema& field : schema_.fields) TRY(TextField(field));
    std::set<std::string_view> names;
    std::set<std::string_view> outputs;
    for (const FunctionSchema& function : schema_.functions) {
      TRY(Shape(function));
      if (!names.insert(function.name).second) {
        return Invalid("duplicate function name: {}", function.name);
      }
      for (const std::string& output : function.outputs) {
        if (!outputs.insert(output).second) {
          return Invalid("field {} is the output of two functions", output);
        }
      }
      TRY(Fields(function));
      TRY(Kind(function));
    }
    return {};
  }

 private:
  Status TextField(const FieldSchema& field) const {
    const bool is_multiple = model::Find(field.type_params, "multi_analyzer_params") != nullptr;
    if (!IsText(field)) return {};
    if (text::HasMatch(field)) {
      if (!text::HasAnalyzer(field)) {
        return Invalid("field {} which has enable_match must also enable_analyzer", field.name);
      }
      if (is_multiple) {
        return Invalid("multi analyzer now only support for bm25, but now field {} enable match",
                       field.name);
      }
      TRY(text::AnalyzerOf(field).status());
    }
    if (!is_multiple) return {};
    if (!text::HasAnalyzer(field)) return {};
    if (model::Find(field.type_params, "analyzer_params") != nullptr) {
      return Invalid("field {} analyzer params should be none if has multi analyzer params",
                     field.name);
    }
    TRY_ASSIGN(const text::FieldAnalyzers analyzers, text::FieldAnalyzers::Of(field));
    const FieldSchema* by = schema_.FindField(analyzers.by_field());
    if (by == nullptr) {
      return Invalid("multi analyzer dependent field {} not exist in collection {}",
                     analyzers.by_field(), schema_.name);
    }
    if (by->type != DataType::kVarChar) {
      return Invalid("multi analyzer now only support by string field, but field {} is not",
                     by->name);
    }
    return {};
  }

  static Status Names(const FunctionSchema& function, const std::vector<std::string>& names,
                      std::string_view what) {
    if (names.empty()) {
      return Error(ErrorCode::kMissingParameter, "function {} has no {} fields", function.name,
                   what);
    }
    std::set<std::string_view> seen;
    for (const std::string& name : names) {
      if (name.empty()) {
        return Error(ErrorCode::kMissingParameter, "function {} has an empty {} field name",
                     function.name, what);
      }
      if (!seen.insert(name).second) {
        return Invalid(
            "each function {} field should be used exactly once in the same function, "
            "function: {}, field: {}",
            what, function.name, name);
      }
    }
    return {};
  }

  static Status Shape(const FunctionSchema& function) {
    if (function.name.empty()) {
      return Error(ErrorCode::kMissingParameter, "function name cannot be empty");
    }
    TRY(Names(function, function.inputs, "input"));
    TRY(Names(function, function.outputs, "output"));
    for (const std::string& output : function.outputs) {
      const auto& inputs = function.inputs;
      if (std::find(inputs.begin(), inputs.end(), output) != inputs.end()) {
        return Invalid("field {} cannot be both input and output of function {}", output,
                       function.name);
      }
    }
    return {};
  }

  Status Fields(const FunctionSchema& function) const {
    for (const std::string& input : function.inputs) {
      if (schema_.FindField(input) == nullptr) {
        return Invalid("function input field not found: {}", input);
      }
    }
    for (const std::string& name : function.outputs) {
      const FieldSchema* output = schema_.FindField(name);
      if (output == nullptr) return Invalid("function output field not found: {}", name);
      const char* what = output->is_primary_key      ? "a primary key"
                         : output->is_partition_key  ? "a partition key"
                         : output->is_clustering_key ? "a clustering key"
                         : output->nullable          ? "nullable"
                                                     : nullptr;
      if (what != nullptr) {
        return Invalid("function output field cannot be {}: function {}, field {}", what,
                       function.name, name);
      }
    }
    return {};
  }

  Status Kind(const FunctionSchema& function) const {
    switch (function.type) {
      case FunctionType::kBm25:
        return Bm25(function);
      case FunctionType::kTextEmbedding:
        return Embedding(function);
      case FunctionType::kMinHash:
        return MinHash(function);
      case FunctionType::kMolFingerprint:
        return Error(ErrorCode::kUnimplemented, "function {}: its type is not supported yet",
                     function.name);
      default:
        return Invalid("function {} has an unknown type: {}", function.name,
                       static_cast<int32_t>(function.type));
    }
  }

  Status Bm25(const FunctionSchema& function) const {
    const FieldSchema& input = *schema_.FindField(function.inputs[0]);
    if (function.inputs.size() != 1 || !IsText(input)) {
      return Invalid("BM25 function input field must be a VARCHAR/TEXT field, got {} fields",
                     function.inputs.size());
    }
    if (!text::HasAnalyzer(input)) {
      return Invalid("BM25 function input field must set enable_analyzer to true");
    }
    if (function.outputs.size() != 1) {
      return Invalid("BM25 function only need 1 output field, but got {}", function.outputs.size());
    }
    const FieldSchema& output = *schema_.FindField(function.outputs[0]);
    if (output.type != DataType::kSparseFloatVector) {
      return Invalid("BM25 function output field must be a SparseFloatVector field, got {}",
                     NameOf(output.type));
    }
    if (!function.params.empty()) return Invalid("BM25 function accepts no params");
    return text::FieldAnalyzers::Of(input).status();
  }

  // One text in, one field out.
  Status OneToOne(const FunctionSchema& function, std::string_view kind) const {
    const FieldSchema& input = *schema_.FindField(function.inputs[0]);
    if (function.inputs.size() != 1 || !IsText(input)) {
      return Invalid(
          "{} function {} takes one VARCHAR or TEXT field, got {} fields, the first of {}", kind,
          function.name, function.inputs.size(), NameOf(input.type));
    }
    if (function.outputs.size() == 1) return {};
    return Invalid("{} function {} makes one field, got {}", kind, function.name,
                   function.outputs.size());
  }

  Status Embedding(const FunctionSchema& function) const {
    TRY(OneToOne(function, "TextEmbedding"));
    if (schema_.FindField(function.inputs[0])->nullable) {
      return Invalid("TextEmbedding function {}: its input field {} cannot be nullable",
                     function.name, function.inputs[0]);
    }
    const DataType made = schema_.FindField(function.outputs[0])->type;
    if (made != DataType::kFloatVector && made != DataType::kInt8Vector) {
      return Invalid(
          "TextEmbedding function {}: its output field must be a FloatVector or Int8Vector, got {}",
          function.name, NameOf(made));
    }
    if (!function.params.empty()) return {};
    return Invalid("TextEmbedding function {} has no params", function.name);
  }

  Status MinHash(const FunctionSchema& function) const {
    TRY(OneToOne(function, "MinHash"));
    const FieldSchema& made = *schema_.FindField(function.outputs[0]);
    if (made.type != DataType::kBinaryVector) {
      return Invalid("MinHash function {}: its output field must be a BinaryVector, got {}",
                     function.name, NameOf(made.type));
    }
    return text::MinHasher::Of(function, *schema_.FindField(function.inputs[0]), made).status();
  }

  const model::CollectionSchema& schema_;
};

}  // namespace

Status CheckFunctions(const model::CollectionSchema& schema) { return FunctionCheck(schema).Run(); }

void MarkFunctionOutputs(model::CollectionSchema& schema) {
  for (FieldSchema& field : schema.fields) {
    field.is_function_output = schema.FunctionOf(field) != nullptr;
  }
}

Status ProbeFunction(Context& ctx, Services& services, const model::CollectionSchema& schema,
                     const FunctionSchema& function) {
  if (function.type != FunctionType::kTextEmbedding) return {};
  TRY_ASSIGN(functions::Models* const models, ModelsOf(services));
  return models->ProbeEmbedding(ctx, function, *schema.FindField(function.outputs[0]));
}

Status ProbeFunctions(Context& ctx, Services& services, const model::CollectionSchema& schema,
                      const std::vector<model::KeyValue>& properties) {
  constexpr const char* kSpareKey = "disable_func_runtime_check";
  bool is_spared = false;
  if (const std::string* wish = model::Find(properties, kSpareKey)) {
    TRY_ASSIGN(is_spared, ParseBool(kSpareKey, *wish));
  }
  for (const FunctionSchema& function : schema.functions) {
    if (!is_spared) {
      TRY(ProbeFunction(ctx, services, schema, function));
    } else if (function.type == FunctionType::kTextEmbedding) {
      TRY_ASSIGN(functions::Models* const models, ModelsOf(services));
      TRY(models->CheckEmbedding(function, *schema.FindField(function.outputs[0])));
    }
  }
  return {};
}

Status CheckMayBeGiven(const model::CollectionInfo& collection, const FieldSchema& field) {
  if (!field.is_function_output) return {};
  if (collection.schema.IsBm25Output(field)) {
    return Invalid("attempt to insert bm25 function output field: {}", field.name);
  }
  constexpr const char* kAllowKey = "collection.function.allowInsertNonBM25FunctionOutputs";
  const std::string* wish = model::Find(collection.properties, kAllowKey);
  if (wish != nullptr) {
    TRY_ASSIGN(const bool is_allowed, ParseBool(kAllowKey, *wish));
    if (is_allowed) return {};
  }
  return Invalid("attempt to insert function output field: {}; the property {} would allow it",
                 field.name, kAllowKey);
}

std::vector<model::FieldIndex> WordIndexesOf(const model::CollectionSchema& schema) {
  std::vector<model::FieldIndex> indexes;
  for (const FieldSchema& field : schema.fields) {
    if (!IsText(field) || !text::HasMatch(field)) continue;
    model::IndexInfo index{.name = fmt::format("{}:{}", model::kWordsPath, field.name),
                           .type = std::string(index::kWordIndexName)};
    // No other index of the field has this place.
    index.json_path = model::kWordsPath;
    indexes.push_back({.field = field.name, .info = std::move(index)});
  }
  return indexes;
}

bool IsHidden(const model::IndexInfo& index) { return index.type == index::kWordIndexName; }

Result<functions::Models*> ModelsOf(Services& services) {
  if (services.models != nullptr) return services.models;
  return Status(ErrorCode::kUnimplemented, "this server has no model services");
}

}  // namespace elanus::proxy
