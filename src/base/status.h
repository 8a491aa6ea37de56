// The outcome of anything that can fail: Status, Result<T> and the two macros that pass failures
// on.
#pragma once

#include <fmt/core.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/error_code.h"

namespace elanus {

/// Success (one null pointer) or an error code with words. Cheap to copy; thread-compatible.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(ErrorCode code, std::string message);

  bool ok() const { return state_ == nullptr; }
  ErrorCode code() const { return state_ ? state_->code : ErrorCode::kOk; }
  /// The words alone; empty on success.
  std::string_view message() const {
    return state_ ? std::string_view(state_->message) : std::string_view();
  }
  /// The whole text a client reads: "words: base text of the code". Empty on success.
  std::string ToString() const;

  /// Adds "context: " in front of the words; the code stays.
  Status WithContext(std::string_view context) &&;

 private:
  struct State {
    ErrorCode code;
    std::string message;
  };
  std::shared_ptr<const State> state_;
};

/// Makes an error: Error(ErrorCode::kInvalidParameter, "dim does not match: got {}", dim).
template <class... Args>
Status Error(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  return Status(code, fmt::format(format, std::forward<Args>(args)...));
}

/// Error(kInvalidParameter, ...): by far the most frequent one.
template <class... Args>
Status Invalid(fmt::format_string<Args...> format, Args&&... args) {
  return Status(ErrorCode::kInvalidParameter, fmt::format(format, std::forward<Args>(args)...));
}

/// A value or the reason why there is none.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value)
      : state_(std::in_place_index<1>, std::move(value)) {}  // NOLINT: implicit by design.
  Result(Status status) : state_(std::in_place_index<0>, std::move(status)) {}  // NOLINT

  bool ok() const { return state_.index() == 1; }
  Status status() const { return ok() ? Status() : std::get<0>(state_); }
  T& value() & { return std::get<1>(state_); }
  const T& value() const& { return std::get<1>(state_); }
  T&& value() && { return std::get<1>(std::move(state_)); }
  T* operator->() { return &std::get<1>(state_); }
  const T* operator->() const { return &std::get<1>(state_); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }

 private:
  std::variant<Status, T> state_;
};

}  // namespace elanus

#define ELANUS_CONCAT_INNER(a, b) a##b
#define ELANUS_CONCAT(a, b) ELANUS_CONCAT_INNER(a, b)

/// Returns from the enclosing function when the Status is an error.
#define TRY(expression)                         \
  do {                                          \
    ::elanus::Status try_status = (expression); \
    if (!try_status.ok()) [[unlikely]]          \
      return try_status;                        \
  } while (false)

/// Assigns the value of a Result, or returns its error: TRY_ASSIGN(const auto rows, Count(ctx)).
#define TRY_ASSIGN(declaration, expression) \
  TRY_ASSIGN_IMPL(ELANUS_CONCAT(try_result_, __LINE__), declaration, expression)
#define TRY_ASSIGN_IMPL(result, declaration, expression) \
  auto result = (expression);                            \
  if (!result.ok()) [[unlikely]]                         \
    return result.status();                              \
  declaration = std::move(result).value()
