// Files of sections.
#include "index/scalar/sections.h"

#include "base/framed.h"

namespace elanus::index {
namespace {

size_t Padded(size_t bytes) { return (bytes + 7) / 8 * 8; }

void AppendNumber(std::string& to, uint64_t number) {
  to.append(reinterpret_cast<const char*>(&number), sizeof(number));
}

}  // namespace

std::string WriteSections(std::string_view magic, const std::vector<std::string>& sections) {
  size_t bytes = (sections.size() + 1) * sizeof(uint64_t);
  for (const std::string& section : sections) bytes += Padded(section.size());
  std::string payload;
  payload.reserve(bytes);
  AppendNumber(payload, sections.size());
  for (const std::string& section : sections) AppendNumber(payload, section.size());
  for (const std::string& section : sections) {
    payload += section;
    payload.resize(Padded(payload.size()), '\0');
  }
  return Frame(magic, 1, payload);
}

Result<std::vector<std::string_view>> ReadSections(std::string_view magic, std::string_view file,
                                                   size_t count, std::string_view what) {
  TRY_ASSIGN(const std::string_view payload, Unframe(magic, 1, file, what));
  const auto broken = [&] {
    return Error(ErrorCode::kIntegrity, "the {} has not the {} sections it should", what, count);
  };
  const size_t head = (count + 1) * sizeof(uint64_t);
  if (payload.size() < head) return broken();
  const Numbers<uint64_t> numbers{payload.data()};
  if (numbers[0] != count) return broken();
  std::vector<std::string_view> sections;
  size_t at = head;
  for (size_t i = 0; i < count; ++i) {
    const uint64_t bytes = numbers[i + 1];
    if (bytes > payload.size() - at || Padded(bytes) > payload.size() - at) return broken();
    sections.push_back(payload.substr(at, bytes));
    at += Padded(bytes);
  }
  if (at != payload.size()) return broken();
  return sections;
}

}  // namespace elanus::index
