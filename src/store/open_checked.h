// Opening an object by whoever can tell that its bytes are right.
#pragma once

#include <string_view>
#include <utility>

#include "base/log.h"
#include "store/object_store.h"

namespace elanus::store {

/// Opens the object and gives it to `read`, whose result it returns. Where that is kIntegrity and
/// the bytes were a copy's, both once more on the object itself.
template <class Read>
auto OpenChecked(Context& ctx, ObjectStore& objects, std::string_view key, const Read& read)
    -> decltype(read(Blob())) {
  TRY_ASSIGN(Blob blob, objects.Open(ctx, key));
  auto done = read(std::move(blob));
  const Status status = [&]() -> Status {
    if constexpr (requires { done.status(); }) {
      return done.status();
    } else {
      return done;
    }
  }();
  if (status.code() != ErrorCode::kIntegrity || !objects.ForgetCopy(ctx, key)) return done;
  LogWarn("the copy of an object was damaged, it is fetched anew error=\"{}\"", status.ToString());
  TRY_ASSIGN(blob, objects.Open(ctx, key));
  return read(std::move(blob));
}

}  // namespace elanus::store
