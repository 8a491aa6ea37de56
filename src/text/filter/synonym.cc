// Words that stand for each other.
#include <algorithm>
#include <map>

#include "text/filter/filter.h"

namespace elanus::text {
namespace {

Status BadRow(std::string_view why, const std::string& row) {
  return Error(ErrorCode::kSegcore, "invalid synonym row, {}: {}", why, row);
}

/// One row: words on the left, and on the right when it has an arrow.
struct Row {
  std::vector<std::string> left;
  std::vector<std::string> right;
  bool has_arrow = false;
};

class RowParser {
 public:
  explicit RowParser(const std::string& text) : text_(text) {}

  Result<Row> Run() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\\') {
        TRY(Escape());
      } else if (c == ',') {
        TRY(Close());
        ++at_;
      } else if (text_.compare(at_, 2, "=>") == 0) {
        if (row_.has_arrow) return BadRow("two =>", text_);
        TRY(Close());
        row_.has_arrow = true;
        at_ += 2;
      } else if (c == ' ' || c == '\t') {
        gap_ = gap_ || !word_.empty();
        ++at_;
      } else {
        TRY(Add(c));
        ++at_;
      }
    }
    TRY(Close());
    return std::move(row_);
  }

 private:
  Status Escape() {
    for (std::string_view escaped : {",", "\\", " ", "=>"}) {
      if (text_.compare(at_ + 1, escaped.size(), escaped) != 0) continue;
      for (char c : escaped) TRY(Add(c));
      at_ += 1 + escaped.size();
      return {};
    }
    return BadRow("unknown escape", text_);
  }
  Status Add(char c) {
    if (gap_) return BadRow("a space inside a word", text_);
    word_ += c;
    return {};
  }
  Status Close() {
    if (word_.empty()) return BadRow("an empty word", text_);
    (row_.has_arrow ? row_.right : row_.left).push_back(std::move(word_));
    word_.clear();
    gap_ = false;
    return {};
  }

  const std::string& text_;
  size_t at_ = 0;
  Row row_;
  std::string word_;
  bool gap_ = false;  // A space came after the word.
};

class Synonym final : public Filter {
 public:
  // What takes a word's place; itself only when it is among them.
  std::map<std::string, std::vector<std::string>, std::less<>> words;

  void Apply(Tokens& tokens) const override {
    Tokens out;
    for (Token& token : tokens) {
      const auto found = words.find(token.text);
      if (found == words.end()) {
        out.push_back(std::move(token));
        continue;
      }
      for (const std::string& word : found->second) {
        Token other = token;
        other.text = word;
        out.push_back(std::move(other));
      }
    }
    tokens = std::move(out);
  }

  void Add(const std::string& from, const std::string& to) {
    std::vector<std::string>& list = words[from];
    if (std::find(list.begin(), list.end(), to) == list.end()) list.push_back(to);
  }
};

}  // namespace

Result<FilterPtr> MakeSynonym(const std::vector<std::string>& rows, bool expand) {
  auto filter = std::make_unique<Synonym>();
  for (const std::string& text : rows) {
    TRY_ASSIGN(const Row row, RowParser(text).Run());
    for (const std::string& from : row.left) {
      if (row.has_arrow) {
        if (expand) filter->Add(from, from);
        for (const std::string& to : row.right) filter->Add(from, to);
      } else if (expand) {
        filter->Add(from, from);
        for (const std::string& to : row.left) filter->Add(from, to);
      } else {
        filter->Add(from, row.left[0]);
      }
    }
  }
  return FilterPtr(std::move(filter));
}

}  // namespace elanus::text
