// What functions make: of the texts of rows, and of texts that are searched for.
#include <algorithm>

#include "functions/errors.h"
#include "functions/models.h"
#include "proxy/functions.h"
#include "text/bm25.h"
#include "text/field.h"
#include "text/row_maker.h"

namespace elanus::proxy {
namespace {

using functions::TextUse;
using model::Column;
using model::ColumnView;
using model::DataType;
using model::FieldSchema;
using model::FunctionSchema;
using model::FunctionType;

const Column* FindColumn(const std::vector<Column>& columns, FieldId field) {
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [&](const Column& column) { return column.field_id == field; });
  return found == columns.end() ? nullptr : &*found;
}

Column EmptyColumn(const FieldSchema& field) {
  return model::MakeColumn(field.id, field.name, field.type, DataType::kNone, field.dim());
}

// Of a null row nothing.
std::string_view TextAt(const ColumnView& texts, size_t row) {
  return texts.IsValid(row) ? texts.Bytes(row) : std::string_view();
}

std::vector<std::string_view> TextsOf(const ColumnView& texts) {
  std::vector<std::string_view> list;
  for (size_t row = 0; row < texts.rows; ++row) list.push_back(TextAt(texts, row));
  return list;
}

Result<Column> EmbeddingsOf(Context& ctx, Services& services, const FunctionSchema& function,
                            const FieldSchema& output, const ColumnView& texts) {
  TRY_ASSIGN(functions::Models* const models, ModelsOf(services));
  auto made = models->Embed(ctx, function, output, TextsOf(texts), TextUse::kDocument);
  if (made.ok()) return made;
  // Nothing is written, whatever the reason was.
  return Error(functions::kFunctionFailed, "function execution failed: [{}]",
               made.status().ToString());
}

Result<Column> OutputOf(Context& ctx, Services& services, const model::CollectionSchema& schema,
                        const FunctionSchema& function, const std::vector<Column>& columns) {
  const FieldSchema* input = schema.FindField(function.inputs[0]);
  const FieldSchema* output = schema.FindField(function.outputs[0]);
  if (input == nullptr || output == nullptr) {
    return Error(ErrorCode::kInternal, "function {} has lost a field", function.name);
  }
  const Column* texts = FindColumn(columns, input->id);
  if (texts == nullptr) {
    return Error(ErrorCode::kInternal, "a write has no column of field {}", input->name);
  }
  if (function.type == FunctionType::kTextEmbedding) {
    return EmbeddingsOf(ctx, services, function, *output, texts->view());
  }
  TRY_ASSIGN(const text::RowMaker maker, text::RowMaker::Of(schema, *output));
  const Column* column = FindColumn(columns, maker.analyzer_names());
  const ColumnView names = column == nullptr ? ColumnView() : column->view();
  return maker.Make(texts->view(), column == nullptr ? nullptr : &names);
}

Status CountTermsOfQueries(const FieldSchema& input, const FieldSchema& field,
                           std::string_view analyzer_name, Column& queries) {
  TRY_ASSIGN(const text::FieldAnalyzers analyzers, text::FieldAnalyzers::Of(input));
  const text::Analyzer& analyzer = analyzers.Named(analyzer_name);
  Column counts = EmptyColumn(field);
  text::Tokens tokens;
  const ColumnView texts = queries.view();
  for (size_t q = 0; q < texts.rows; ++q) {
    analyzer.Analyze(texts.Bytes(q), tokens);
    counts.AppendBytes(text::CountTerms(tokens));
  }
  queries = std::move(counts);
  return {};
}

}  // namespace

Status RunFunctions(Context& ctx, Services& services, const model::CollectionSchema& schema,
                    std::vector<Column>& columns) {
  for (const FunctionSchema& function : schema.functions) {
    const FieldSchema* output = schema.FindField(function.outputs[0]);
    if (output != nullptr && FindColumn(columns, output->id) != nullptr) continue;
    TRY_ASSIGN(Column made, OutputOf(ctx, services, schema, function, columns));
    columns.push_back(std::move(made));
  }
  return {};
}

Result<Column> EmbedTexts(Context& ctx, Services& services, const model::CollectionSchema& schema,
                          const FieldSchema& field, const ColumnView& texts) {
  TRY_ASSIGN(functions::Models* const models, ModelsOf(services));
  return models->Embed(ctx, *schema.FunctionOf(field), field, TextsOf(texts), TextUse::kQuery);
}

Status FitTextQueries(const model::CollectionSchema& schema, const FieldSchema& field,
                      std::string_view analyzer_name, Column& queries) {
  const bool are_texts = queries.type == DataType::kVarChar;
  const FunctionSchema* function = field.is_function_output ? schema.FunctionOf(field) : nullptr;
  const FunctionType type = function == nullptr ? FunctionType::kUnknown : function->type;
  const bool is_bm25 = type == FunctionType::kBm25;
  if (!are_texts) {
    if (!is_bm25) return {};
    return Invalid("please provide varchar/text for BM25 Function based search, got {}",
                   NameOf(queries.type));
  }
  const FieldSchema* input = function == nullptr ? nullptr : schema.FindField(function->inputs[0]);
  if (input != nullptr && is_bm25) {
    return CountTermsOfQueries(*input, field, analyzer_name, queries);
  }
  if (type == FunctionType::kTextEmbedding) return {};
  if (type == FunctionType::kMinHash) {
    TRY_ASSIGN(const text::RowMaker maker, text::RowMaker::Of(schema, field));
    queries = maker.Make(queries.view(), nullptr);
    return {};
  }
  return Invalid("field {} is no output of a function, so it cannot be searched with texts",
                 field.name);
}

}  // namespace elanus::proxy
