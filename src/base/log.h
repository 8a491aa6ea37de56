// The log: one line per fact, key=value fields at its end, written once where the decision is made.
#pragma once

#include <fmt/core.h>

#include <string_view>

namespace elanus {

enum class LogLevel { kDebug, kInfo, kWarn, kError, kOff };

/// Writes one line to standard error. Thread-safe.
void WriteLog(LogLevel level, std::string_view line);
/// Lines below `level` are dropped.
void SetLogLevel(LogLevel level);

template <class... Args>
void LogInfo(fmt::format_string<Args...> format, Args&&... args) {
  WriteLog(LogLevel::kInfo, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void LogWarn(fmt::format_string<Args...> format, Args&&... args) {
  WriteLog(LogLevel::kWarn, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void LogError(fmt::format_string<Args...> format, Args&&... args) {
  WriteLog(LogLevel::kError, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace elanus
