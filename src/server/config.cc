// Reading the configuration.
#include "server/config.h"

#include <yaml-cpp/yaml.h>

#include <charconv>

#include "server/foreign_keys.h"

namespace elanus::server {
namespace {

// One of the words between bars.
bool IsChoice(std::string_view choices, std::string_view word) {
  while (true) {
    const size_t bar = choices.find('|');
    if (choices.substr(0, bar) == word) return true;
    if (bar == std::string_view::npos) return false;
    choices.remove_prefix(bar + 1);
  }
}

// Sets the option with a given key, when it meets it.
struct Setter {
  const std::string& key;
  const std::string& text;
  bool found = false;
  Status status;

  void operator()(int64_t& value, const OptionSpec& spec) {
    if (key != spec.key) return;
    found = true;
    int64_t parsed = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), parsed);
    if (result.ec != std::errc() || result.ptr != text.data() + text.size()) {
      status = Invalid("{} should be an integer, got {}", key, text);
    } else if (static_cast<double>(parsed) < spec.min || static_cast<double>(parsed) > spec.max) {
      status = Invalid("{} should be in range [{}, {}], got {}", key, spec.min, spec.max, parsed);
    } else {
      value = parsed;
    }
  }
  void operator()(double& value, const OptionSpec& spec) {
    if (key != spec.key) return;
    found = true;
    double parsed = 0;
    // Durations may say their unit, as in "30s".
    std::string_view number = text;
    if (std::string_view(spec.unit) == "seconds" && number.ends_with('s')) number.remove_suffix(1);
    const auto result = std::from_chars(number.data(), number.data() + number.size(), parsed);
    if (result.ec != std::errc() || result.ptr != number.data() + number.size()) {
      status = Invalid("{} should be a number, got {}", key, text);
    } else if (!(parsed >= spec.min && parsed <= spec.max)) {
      status = Invalid("{} should be in range [{}, {}], got {}", key, spec.min, spec.max, parsed);
    } else {
      value = parsed;
    }
  }
  void operator()(bool& value, const OptionSpec& spec) {
    if (key != spec.key) return;
    found = true;
    if (text == "true")
      value = true;
    else if (text == "false")
      value = false;
    else
      status = Invalid("{} should be true or false, got {}", key, text);
  }
  void operator()(std::string& value, const OptionSpec& spec) {
    if (key != spec.key) return;
    found = true;
    if (*spec.choices == 0 || IsChoice(spec.choices, text))
      value = text;
    else
      status = Invalid("{} should be one of {}, got {}", key, spec.choices, text);
  }
  // What follows the prefix names the value; its last part is one of the choices, where there are.
  void operator()(std::map<std::string, std::string>& values, const OptionSpec& spec) {
    if (!key.starts_with(spec.key)) return;
    const std::string name = key.substr(std::string_view(spec.key).size());
    const std::string_view last = std::string_view(name).substr(name.rfind('.') + 1);
    if (*spec.choices != 0 && !IsChoice(spec.choices, last)) return;
    found = true;
    values[name] = text;
  }
};

Status Walk(const YAML::Node& node, const std::string& prefix, Config& config) {
  if (node.IsMap()) {
    for (const auto& child : node) {
      const auto name = child.first.as<std::string>();
      TRY(Walk(child.second, prefix.empty() ? name : prefix + "." + name, config));
    }
    return {};
  }
  if (!node.IsScalar()) return Invalid("{} should be one value", prefix);
  return SetOption(config, prefix, node.Scalar());
}

struct Printer {
  std::string page;
  void operator()(int64_t& value, const OptionSpec& spec) { Row(std::to_string(value), spec); }
  void operator()(double& value, const OptionSpec& spec) { Row(fmt::format("{}", value), spec); }
  void operator()(bool& value, const OptionSpec& spec) { Row(value ? "true" : "false", spec); }
  void operator()(std::string& value, const OptionSpec& spec) {
    std::string choices;
    for (const char* c = spec.choices; *c != 0; ++c)
      choices += *c == '|' ? ", " : std::string(1, *c);
    page += fmt::format("| `{}` | {} | {} | {} | {} |\n", spec.key, value, spec.unit, choices,
                        spec.help);
  }
  void operator()(std::map<std::string, std::string>&, const OptionSpec& spec) {
    std::string names;
    for (const char* c = spec.choices; *c != 0; ++c) names += *c == '|' ? ", " : std::string(1, *c);
    page += fmt::format("| `{}*` | | {} | {} | {} |\n", spec.key, spec.unit, names, spec.help);
  }
  void Row(const std::string& value, const OptionSpec& spec) {
    page += fmt::format("| `{}` | {} | {} | {} … {} | {} |\n", spec.key, value, spec.unit, spec.min,
                        spec.max, spec.help);
  }
};

}  // namespace

Status SetOption(Config& config, const std::string& given, const std::string& value) {
  // Milvus writes one of its keys with a dot at the end.
  const std::string key = given.ends_with('.') ? given.substr(0, given.size() - 1) : given;
  Setter setter{.key = key, .text = value, .status = {}};
  config.Describe(setter);
  if (setter.found) return setter.status;
  if (const ForeignKey* foreign = FindForeignKey(key)) {
    return Invalid("elanus has no configuration key {}: {}", key, foreign->why);
  }
  return Invalid("unknown configuration key: {}", key);
}

Status ReadConfig(const std::string& path, Config& config) {
  YAML::Node root;
  try {
    root = YAML::LoadFile(path);
  } catch (const YAML::Exception& e) {
    return Error(ErrorCode::kIoFailed, "cannot read the configuration {}: {}", path, e.what());
  }
  if (root.IsNull()) return {};
  Status status = Walk(root, "", config);
  return std::move(status).WithContext(path);
}

std::string DescribeOptions() {
  Config config;
  Printer printer;
  printer.page =
      "# Configuration\n\nMade from the options' own descriptions by `elanus options`.\n\n"
      "| key | default | unit | range | what |\n| --- | --- | --- | --- | --- |\n";
  config.Describe(printer);
  printer.page +=
      "\n## Keys of Milvus that are refused\n\nThe server does not start with one of them, and "
      "says "
      "why.\n\n| key | why |\n| --- | --- |\n";
  for (const ForeignKey& row : ForeignKeys()) {
    printer.page +=
        fmt::format("| `{}{}` | {} |\n", row.key, row.key.ends_with('.') ? "*" : "", row.why);
  }
  return printer.page;
}

}  // namespace elanus::server
