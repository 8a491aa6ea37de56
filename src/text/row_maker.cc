// Making rows of texts.
#include "text/row_maker.h"

#include "model/back_fill.h"
#include "text/bm25.h"

namespace elanus::text {
namespace {

std::string_view TextAt(const model::ColumnView& texts, size_t row) {
  return texts.IsValid(row) ? texts.Bytes(row) : std::string_view();
}

}  // namespace

Result<RowMaker> RowMaker::Of(const model::CollectionSchema& schema,
                              const model::FieldSchema& output) {
  const model::FunctionSchema* function = model::TextFunctionOf(schema, output);
  if (function == nullptr) {
    return Invalid("field {} is no output of a BM25 or MinHash function", output.name);
  }
  const model::FieldSchema* input = schema.FindField(function->inputs[0]);
  if (input == nullptr) {
    return Error(ErrorCode::kInternal, "function {} has lost a field", function->name);
  }
  RowMaker maker;
  maker.output_ = output;
  maker.input_ = input->id;
  if (function->type == model::FunctionType::kMinHash) {
    TRY_ASSIGN(maker.hasher_, MinHasher::Of(*function, *input, output));
    return maker;
  }
  TRY_ASSIGN(maker.analyzers_, FieldAnalyzers::Of(*input));
  if (!maker.analyzers_->is_multiple()) return maker;
  const model::FieldSchema* names = schema.FindField(maker.analyzers_->by_field());
  if (names != nullptr) maker.names_ = names->id;
  return maker;
}

model::Column RowMaker::Make(const model::ColumnView& texts, const model::ColumnView* names) const {
  model::Column made = model::MakeColumn(output_.id, output_.name, output_.type,
                                         model::DataType::kNone, output_.dim());
  Tokens tokens;
  for (size_t row = 0; row < texts.rows; ++row) {
    if (hasher_) {
      made.AppendFixed(hasher_->Sign(TextAt(texts, row)).data());
      continue;
    }
    tokens.clear();
    if (texts.IsValid(row)) {
      const bool is_named = names != nullptr && names->IsValid(row);
      const std::string_view name = is_named ? names->Bytes(row) : std::string_view("default");
      analyzers_->Named(name).Analyze(texts.Bytes(row), tokens);
    }
    made.AppendBytes(CountTerms(tokens));
  }
  return made;
}

}  // namespace elanus::text
