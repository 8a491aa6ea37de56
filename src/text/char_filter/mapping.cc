// The char filter mapping: texts that take the place of others.
#include <algorithm>
#include <array>
#include <functional>
#include <map>

#include "text/char_filter/char_filter.h"

namespace elanus::text {
namespace {

constexpr std::string_view kEscapes[] = {"\\", "=>", " "};

Status BadRow(std::string_view why, const std::string& row) {
  return Error(ErrorCode::kSegcore, "invalid mapping, {}: {}", why, row);
}

struct Row {
  std::string from;
  std::string to;
};

// "from => to"; spaces at the ends of both do not count. Escapes: \\, \=> and a space.
Result<Row> Parse(const std::string& text) {
  Row row;
  std::string* part = &row.from;
  size_t kept = 0;  // Of `part`: what the spaces at its end follow.
  for (size_t at = 0; at < text.size();) {
    if (text.compare(at, 2, "=>") == 0) {
      if (part == &row.to) return BadRow("two =>", text);
      part->resize(kept);
      part = &row.to;
      kept = 0;
      at += 2;
    } else if (text[at] == '\\') {
      const auto escaped =
          std::find_if(std::begin(kEscapes), std::end(kEscapes),
                       [&](std::string_view e) { return text.compare(at + 1, e.size(), e) == 0; });
      if (escaped == std::end(kEscapes)) return BadRow("unknown escape", text);
      *part += *escaped;
      kept = part->size();
      at += 1 + escaped->size();
    } else {
      const char c = text[at++];
      if (c == ' ' && part->empty()) continue;
      *part += c;
      if (c != ' ') kept = part->size();
    }
  }
  part->resize(kept);
  if (part == &row.from) return BadRow("no =>", text);
  if (row.from.empty()) return BadRow("nothing to replace", text);
  return row;
}

class Mapping final : public CharFilter {
 public:
  bool Add(Row row) {
    growth_ = std::max(growth_,
                       static_cast<double>(row.to.size()) / static_cast<double>(row.from.size()));
    std::vector<size_t>& lengths = lengths_[FirstByte(row.from)];
    const auto place =
        std::lower_bound(lengths.begin(), lengths.end(), row.from.size(), std::greater<>());
    if (place == lengths.end() || *place != row.from.size()) lengths.insert(place, row.from.size());
    return words_.emplace(std::move(row.from), std::move(row.to)).second;
  }

  ChangedText Change(std::string_view text) const override {
    ChangedText changed;
    size_t copied = 0;
    for (size_t at = 0; at < text.size();) {
      const auto found = Find(text.substr(at));
      if (found == words_.end()) {
        ++at;
        continue;
      }
      const auto& [from, to] = *found;
      changed.text += text.substr(copied, at - copied);
      const auto begin = static_cast<uint32_t>(changed.text.size());
      changed.text += to;
      copied = at + from.size();
      changed.changes.push_back({.begin = begin,
                                 .end = static_cast<uint32_t>(changed.text.size()),
                                 .source_begin = static_cast<uint32_t>(at),
                                 .source_end = static_cast<uint32_t>(copied)});
      at = copied;
    }
    changed.text += text.substr(copied);
    return changed;
  }
  double growth() const override { return growth_; }

 private:
  using Words = std::map<std::string, std::string, std::less<>>;

  static size_t FirstByte(std::string_view text) { return static_cast<unsigned char>(text[0]); }
  // The longest that `rest`, which is not empty, begins with.
  Words::const_iterator Find(std::string_view rest) const {
    for (size_t length : lengths_[FirstByte(rest)]) {
      if (length > rest.size()) continue;
      const auto found = words_.find(rest.substr(0, length));
      if (found != words_.end()) return found;
    }
    return words_.end();
  }

  double growth_ = 1;
  Words words_;
  std::array<std::vector<size_t>, 256> lengths_;  // By the first byte, descending.
};

}  // namespace

Result<CharFilterPtr> MakeMapping(const std::vector<std::string>& rows) {
  auto filter = std::make_unique<Mapping>();
  for (const std::string& text : rows) {
    TRY_ASSIGN(Row row, Parse(text));
    if (!filter->Add(std::move(row))) return BadRow("it is there twice", text);
  }
  return CharFilterPtr(std::move(filter));
}

}  // namespace elanus::text
