// Functions of a schema.
#include "proxy/functions.h"

#include <algorithm>
#include <set>

#include "index/word_index.h"
#include "model/predicate.h"
#include "text/bm25.h"
#include "text/field.h"

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
      case FunctionType::kMinHash:
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

  const model::CollectionSchema& schema_;
};

const model::Column* FindColumn(const std::vector<model::Column>& columns, FieldId field) {
  const auto found = std::find_if(columns.begin(), columns.end(), [&](const model::Column& column) {
    return column.field_id == field;
  });
  return found == columns.end() ? nullptr : &*found;
}

Result<model::Column> CountTermsOf(const model::CollectionSchema& schema, const FieldSchema& input,
                                   const FieldSchema& output,
                                   const std::vector<model::Column>& columns) {
  TRY_ASSIGN(const text::FieldAnalyzers analyzers, text::FieldAnalyzers::Of(input));
  const model::Column* texts = FindColumn(columns, input.id);
  const FieldSchema* by = schema.FindField(analyzers.by_field());
  const model::Column* names =
      analyzers.is_multiple() && by != nullptr ? FindColumn(columns, by->id) : nullptr;
  if (texts == nullptr) {
    return Error(ErrorCode::kInternal, "a write has no column of field {}", input.name);
  }
  model::Column counts = model::MakeColumn(output.id, output.name, output.type, DataType::kNone, 0);
  const model::ColumnView view = texts->view();
  text::Tokens tokens;
  for (size_t row = 0; row < view.rows; ++row) {
    tokens.clear();
    if (view.IsValid(row)) {
      const std::string_view name =
          names != nullptr && names->view().IsValid(row) ? names->view().Bytes(row) : "default";
      analyzers.Named(name).Analyze(view.Bytes(row), tokens);
    }
    counts.AppendBytes(text::CountTerms(tokens));
  }
  return counts;
}

}  // namespace

Status CheckFunctions(const model::CollectionSchema& schema) { return FunctionCheck(schema).Run(); }

void MarkFunctionOutputs(model::CollectionSchema& schema) {
  for (FieldSchema& field : schema.fields) {
    field.is_function_output = schema.FunctionOf(field) != nullptr;
  }
}

Status RunFunctions(const model::CollectionSchema& schema, std::vector<model::Column>& columns) {
  for (const FunctionSchema& function : schema.functions) {
    const FieldSchema* input = schema.FindField(function.inputs[0]);
    const FieldSchema* output = schema.FindField(function.outputs[0]);
    if (input == nullptr || output == nullptr) {
      return Error(ErrorCode::kInternal, "function {} has lost a field", function.name);
    }
    TRY_ASSIGN(model::Column counts, CountTermsOf(schema, *input, *output, columns));
    columns.push_back(std::move(counts));
  }
  return {};
}

Status FitTextQueries(const model::CollectionSchema& schema, const FieldSchema& field,
                      std::string_view analyzer_name, model::Column& queries) {
  const bool are_texts = queries.type == DataType::kVarChar;
  if (!schema.IsBm25Output(field)) {
    if (!are_texts) return {};
    return Invalid("field {} is no output of a function, so it cannot be searched with texts",
                   field.name);
  }
  if (!are_texts) {
    return Invalid("please provide varchar/text for BM25 Function based search, got {}",
                   NameOf(queries.type));
  }
  const FieldSchema* input = schema.FindField(schema.FunctionOf(field)->inputs[0]);
  if (input == nullptr) return Error(ErrorCode::kInternal, "BM25 has lost its input field");
  TRY_ASSIGN(const text::FieldAnalyzers analyzers, text::FieldAnalyzers::Of(*input));
  const text::Analyzer& analyzer =
      analyzers.Named(analyzer_name.empty() ? "default" : analyzer_name);
  model::Column counts = model::MakeColumn(field.id, field.name, field.type, DataType::kNone, 0);
  text::Tokens tokens;
  const model::ColumnView texts = queries.view();
  for (size_t q = 0; q < texts.rows; ++q) {
    analyzer.Analyze(texts.Bytes(q), tokens);
    counts.AppendBytes(text::CountTerms(tokens));
  }
  queries = std::move(counts);
  return {};
}

Status CreateWordIndexes(Context& ctx, Services& services,
                         const model::CollectionInfo& collection) {
  for (const FieldSchema& field : collection.schema.fields) {
    if (!IsText(field) || !text::HasMatch(field)) continue;
    model::IndexInfo index{.name = fmt::format("{}:{}", model::kWordsPath, field.name),
                           .field = field.id,
                           .type = std::string(index::kWordIndexName)};
    // No other index of the field has this place.
    index.json_path = model::kWordsPath;
    TRY(services.coord.catalog.CreateIndex(ctx, collection.id, std::move(index)));
  }
  return {};
}

bool IsHidden(const model::IndexInfo& index) { return index.type == index::kWordIndexName; }

}  // namespace elanus::proxy
