// Shared checks.
#include "proxy/checks.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "expr/regex.h"

namespace elanus::proxy {
namespace {

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// `extra`: what the name may have as well, from its second character on.
Status CheckNameWith(const ProxyOptions& options, std::string_view what, std::string_view name,
                     std::string_view extra) {
  if (name.empty()) return Invalid("{} should not be empty", what);
  if (name.size() > static_cast<size_t>(options.name_bytes_max)) {
    return Invalid("invalid {}: {}. the length of a {} must be at most {} characters", what, name,
                   what, options.name_bytes_max);
  }
  if (!IsLetter(name[0])) {
    return Invalid("invalid {}: {}. the first character of a {} must be an underscore or letter",
                   what, name, what);
  }
  for (char c : name) {
    if (!IsLetter(c) && !IsDigit(c) && extra.find(c) == std::string_view::npos) {
      return Invalid("invalid {}: {}. {} can only contain numbers, letters and underscores{}{}",
                     what, name, what, extra.empty() ? "" : ", and ", extra);
    }
  }
  return {};
}

}  // namespace

std::string_view WithoutBlanks(std::string_view name) {
  constexpr std::string_view kBlanks = " \t\n\v\f\r";
  const size_t begin = name.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return name.substr(begin, name.find_last_not_of(kBlanks) - begin + 1);
}

Status CheckName(const ProxyOptions& options, std::string_view what, std::string_view name) {
  return CheckNameWith(options, what, name, "");
}

Result<std::string> SnapshotNamed(const ProxyOptions& options, std::string_view name) {
  TRY(CheckNameWith(options, "snapshot name", WithoutBlanks(name), options.name_extra));
  return std::string(WithoutBlanks(name));
}

Status CheckIndexName(const ProxyOptions& options, std::string_view name) {
  std::string plain(name);
  for (size_t i = 1; i < plain.size(); ++i) {
    if (plain[i] == '[' || plain[i] == ']') plain[i] = '_';
  }
  const Status good = CheckName(options, "index name", plain);
  return good.ok() ? Status() : Invalid("index name {}: {}", name, good.message());
}

Result<std::string> PartitionNamed(const ProxyOptions& options, std::string_view given) {
  const std::string_view name = WithoutBlanks(given);
  if (name.empty()) return Invalid("partition name should not be empty");
  if (name.size() > static_cast<size_t>(options.name_bytes_max)) {
    return Invalid("invalid partition name: {}. the length must be at most {} characters", name,
                   options.name_bytes_max);
  }
  const bool good = (IsLetter(name[0]) || IsDigit(name[0])) &&
                    std::all_of(name.begin(), name.end(),
                                [](char c) { return IsLetter(c) || IsDigit(c) || c == '-'; });
  if (!good) {
    return Invalid(
        "invalid partition name: {}. it can only contain numbers, letters, underscores and "
        "hyphens, and must not begin with a hyphen",
        name);
  }
  return std::string(name);
}

Status CheckFieldName(const ProxyOptions& options, std::string_view name) {
  static constexpr auto kReserved = std::to_array<std::string_view>({"$meta",
                                                                     "like",
                                                                     "exists",
                                                                     "EXISTS",
                                                                     "and",
                                                                     "or",
                                                                     "not",
                                                                     "in",
                                                                     "json_contains",
                                                                     "json_contains_all",
                                                                     "json_contains_any",
                                                                     "JSON_CONTAINS",
                                                                     "JSON_CONTAINS_ALL",
                                                                     "JSON_CONTAINS_ANY",
                                                                     "array_contains",
                                                                     "array_contains_all",
                                                                     "array_contains_any",
                                                                     "ARRAY_CONTAINS",
                                                                     "ARRAY_CONTAINS_ALL",
                                                                     "ARRAY_CONTAINS_ANY",
                                                                     "array_length",
                                                                     "ARRAY_LENGTH",
                                                                     "true",
                                                                     "True",
                                                                     "TRUE",
                                                                     "false",
                                                                     "False",
                                                                     "FALSE",
                                                                     "text_match",
                                                                     "TEXT_MATCH",
                                                                     "phrase_match",
                                                                     "PHRASE_MATCH",
                                                                     "random_sample",
                                                                     "RANDOM_SAMPLE",
                                                                     "RowID",
                                                                     "Timestamp",
                                                                     "__virtual_pk__",
                                                                     "$namespace_id"});
  const auto bad = [&](std::string_view why) {
    return Error(ErrorCode::kInvalidFieldName, "{}[field={}]: {}",
                 InfoOf(ErrorCode::kInvalidFieldName).name, name, why);
  };
  if (std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end()) {
    return bad("the name is reserved");
  }
  std::string lower(name);
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  if (lower == "null") return bad("the name is reserved");
  const Status plain = CheckName(options, "field name", name);
  return plain.ok() ? Status() : bad(plain.message());
}

Result<roles::CollectionSnapshot> Resolve(Context& ctx, Services& services,
                                          const model::CollectionName& name) {
  TRY(CheckName(services.options, "collection name", name.collection));
  return services.coord.catalog.Find(ctx, name);
}

Result<std::vector<PartitionId>> ResolvePartitions(const model::CollectionInfo& collection,
                                                   const std::vector<std::string>& names,
                                                   ErrorCode not_found) {
  std::vector<PartitionId> ids;
  for (const std::string& name : names) {
    const model::PartitionInfo* partition = collection.FindPartition(WithoutBlanks(name));
    if (partition == nullptr) {
      return Error(not_found, "{}[partition={}]", InfoOf(ErrorCode::kPartitionNotFound).name, name);
    }
    ids.push_back(partition->id);
  }
  return ids;
}

Result<std::vector<PartitionId>> ReadPartitions(const ProxyOptions& options,
                                                const model::CollectionInfo& collection,
                                                const std::vector<std::string>& names) {
  if (!options.partition_names_are_patterns)
    return ResolvePartitions(collection, names, ErrorCode::kInvalidParameter);
  std::vector<PartitionId> ids;
  for (const std::string& name : names) {
    const auto pattern = expr::RegexPattern::Make(fmt::format("^(?:{})$", name));
    if (!pattern.ok()) return Invalid("partition name {} is no regular expression", name);
    bool is_met = false;
    for (const model::PartitionInfo& partition : collection.partitions) {
      if (!(*pattern)->Matches(partition.name)) continue;
      is_met = true;
      if (std::find(ids.begin(), ids.end(), partition.id) == ids.end()) ids.push_back(partition.id);
    }
    if (!is_met) {
      return Invalid("{}[partition={}]", InfoOf(ErrorCode::kPartitionNotFound).name, name);
    }
  }
  return ids;
}

Result<bool> ParseBool(std::string_view key, std::string_view text) {
  for (std::string_view yes : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == yes) return true;
  }
  for (std::string_view no : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (text == no) return false;
  }
  return Invalid("{} should be a bool, got {}", key, text);
}

Result<int64_t> ParseInt(std::string_view key, std::string_view text) {
  std::string_view digits = text;
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  int base = 10;
  if (digits.size() > 2 && digits[0] == '0') {
    const char mark = static_cast<char>(digits[1] | 32);
    base = mark == 'x' ? 16 : mark == 'b' ? 2 : mark == 'o' ? 8 : base;
    if (base != 10) digits.remove_prefix(2);
  }
  if (base == 10 && digits.size() > 1 && digits[0] == '0') base = 8;
  int64_t value = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (digits.empty() || digits[0] == '-' || parsed.ec != std::errc() ||
      parsed.ptr != digits.data() + digits.size()) {
    return Invalid("{} [{}] is not an integer", key, text);
  }
  return negative ? -value : value;
}

}  // namespace elanus::proxy
