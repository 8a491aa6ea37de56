// One row of the method table, and what a method gets.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/context.h"
#include "proxy/services.h"

namespace elanus::wire {

using model::kNodeId;

struct Call {
  Context& ctx;
  proxy::Services& services;
  std::string database;  // From the header; used where the message names none.
  int port = 0;          // That the server listens on.
  // What the method says of itself, for the counts: the collection that its message names, and how
  // it ended.
  std::string collection = {};
  Status status = {};
  // Set by a read that cannot be answered yet: it has done nothing, and is to be run again after so
  // long.
  int64_t wait_ms = 0;
};

/// How a method ended below the message: anything but kDone is a gRPC status of its own.
enum class Delivery {
  kDone,
  kBadRequest,  // The bytes are no message of the request's type.
  kTooLarge,    // The answer is more than a message may hold.
  kLater,       // There is none yet: see Call::wait_ms.
};

struct Method {
  std::string_view name;  // "Search".
  /// Parses `request`, runs, and puts the answer's bytes into `answer`.
  Delivery (*run)(Call& call, std::string_view request, std::string& answer);
  /// Reads only, and does not wait for disks: may run where its bytes arrived (server.cc).
  bool is_read = false;
};

/// Rows of each family.
std::span<const Method> ConnectionMethods();
std::span<const Method> CollectionMethods();
std::span<const Method> IndexMethods();
std::span<const Method> DataMethods();
std::span<const Method> StorageMethods();
std::span<const Method> SchemaMethods();
std::span<const Method> TextMethods();
std::span<const Method> ResourceMethods();

/// All of them: what the server answers. A new family is added here, in method.cc, and nowhere
/// else.
std::span<const std::span<const Method>> MethodFamilies();

/// The method of milvus.proto.milvus.MilvusService, or null.
const Method* FindMethod(std::string_view name);

}  // namespace elanus::wire
