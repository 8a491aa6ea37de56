// Conditions over elements.
#include "expr/elements.h"

#include <map>
#include <memory>

#include "base/check.h"
#include "expr/element_filter.h"

namespace elanus::expr {
namespace {

// The elements of some rows, row by row. Sub-fields are arrays; elements of a fixed width are read
// where they lie.
class ElementSource final : public ColumnSource {
 public:
  ElementSource(const ColumnSource& rows, size_t begin, size_t count)
      : source_(rows), begin_(begin), count_(count) {}

  /// Of `field`: where the elements of row `begin + i` begin, and of i = count where they end.
  Status Open(FieldId field) {
    TRY_ASSIGN(const model::ColumnView column, source_.Read(field, begin_, count_));
    bounds_.reserve(count_ + 1);
    bounds_.push_back(0);
    for (size_t i = 0; i < count_; ++i) {
      bounds_.push_back(bounds_.back() + model::ElementCount(column, i));
    }
    return {};
  }
  const std::vector<size_t>& bounds() const { return bounds_; }

  size_t rows() const override { return bounds_.back(); }

  Result<model::ColumnView> Read(FieldId field, size_t begin, size_t count) const override {
    const auto known = columns_.find(field.value());
    if (known != columns_.end()) return known->second.view.Slice(begin, count);
    TRY_ASSIGN(const model::ColumnView arrays, source_.Read(field, begin_, count_));
    Elements elements;
    elements.view = {
        .type = arrays.element_type, .width = model::WidthOf(arrays.element_type), .rows = rows()};
    if (elements.view.width != 0) {
      elements.view.data = arrays.data + arrays.offsets[0];
    } else {
      elements.texts = std::make_unique<model::Column>(TextsOf(arrays));
      elements.view = elements.texts->view();
    }
    const auto kept = columns_.emplace(field.value(), std::move(elements));
    return kept.first->second.view.Slice(begin, count);
  }

 private:
  struct Elements {
    std::unique_ptr<model::Column> texts;
    model::ColumnView view;
  };

  model::Column TextsOf(const model::ColumnView& arrays) const {
    model::Column texts = model::MakeColumn({}, "", arrays.element_type, model::DataType::kNone, 0);
    for (size_t i = 0; i < count_; ++i) {
      for (std::string_view text : model::ArrayTexts(arrays.Bytes(i))) texts.AppendBytes(text);
    }
    // Fewer than were counted: the mapped file has failed meanwhile, and the answer is refused.
    while (texts.rows < rows()) texts.AppendBytes("");
    return texts;
  }

  const ColumnSource& source_;
  const size_t begin_;
  const size_t count_;
  std::vector<size_t> bounds_;
  mutable std::map<int64_t, Elements> columns_;  // By field; one thread evaluates.
};

bool Passes(const Node& node, size_t passed, size_t all) {
  if (node.all) return passed == all;
  const auto threshold = static_cast<size_t>(node.values[0].as_int());
  switch (node.op) {
    case model::Compare::kGe:
      return passed >= threshold;
    case model::Compare::kLe:
      return passed <= threshold;
    default:
      return passed == threshold;
  }
}

const Node* FilterOf(const Plan& plan) {
  const Node* last = plan.root();
  if (last != nullptr && last->kind == Node::Kind::kAnd) last = last->children.back().get();
  return last != nullptr && last->keeps_elements ? last : nullptr;
}

}  // namespace

std::optional<FieldId> ElementFilterField(const Plan& plan) {
  const Node* filter = FilterOf(plan);
  return filter == nullptr ? std::nullopt : std::optional(filter->source.field);
}

Status EvaluateElementFilter(Context& ctx, const Plan& plan, const ColumnSource& source,
                             size_t begin, size_t count, Bitset& elements) {
  const Node* filter = FilterOf(plan);
  CHECK(filter != nullptr);
  ElementSource rows(source, begin, count);
  TRY(rows.Open(filter->source.field));
  Context part(ctx, nullptr);
  return Evaluate(part, Plan(filter->element), rows, elements);
}

Status TestElements(Context& ctx, const Node& node, const ColumnSource& source, size_t begin,
                    size_t count, Words& yes) {
  ElementSource elements(source, begin, count);
  TRY(elements.Open(node.source.field));
  Bitset passed;
  Context part(ctx, nullptr);  // Batch by batch there is nothing worth noting.
  TRY(Evaluate(part, Plan(node.element), elements, passed));
  const std::vector<size_t>& bounds = elements.bounds();
  for (size_t i = 0; i < count; ++i) {
    size_t hits = 0;
    for (size_t e = bounds[i]; e < bounds[i + 1]; ++e) hits += passed.Test(e) ? 1 : 0;
    if (Passes(node, hits, bounds[i + 1] - bounds[i])) SetBit(yes, i);
  }
  return {};
}

}  // namespace elanus::expr
