// Makes a row of the method table from a function over generated messages. Included by *_methods.cc
// only.
#pragma once

#include <google/protobuf/arena.h>

#include <memory>

#include "base/check.h"
#include "common.pb.h"
#include "wire/grpc/method.h"
#include "wire/grpc/status_codec.h"

namespace elanus::wire {

/// The first block of a request's arena, kept by its thread: a fresh one would cost page faults for
/// each large insert.
inline google::protobuf::ArenaOptions ArenaFor(size_t request_bytes) {
  constexpr size_t kSmall = 64 << 10;
  constexpr size_t kLarge = 8 << 20;
  thread_local std::unique_ptr<char[]> small;
  thread_local std::unique_ptr<char[]> large;
  const bool is_large = request_bytes > kSmall;
  std::unique_ptr<char[]>& block = is_large ? large : small;
  const size_t size = is_large ? kLarge : kSmall;
  if (block == nullptr) block.reset(new char[size]);
  google::protobuf::ArenaOptions options;
  options.initial_block = block.get();
  options.initial_block_size = size;
  return options;
}

/// The collection that a request names.
template <class Request>
model::CollectionName NameOf(const Call& call, const Request& request) {
  return {.database = call.database, .collection = request.collection_name()};
}

/// `kRun(call, request, answer)` returns a Status that goes into the answer's status field.
template <class Request, class Answer, auto kRun>
Delivery Unary(Call& call, std::string_view bytes, std::string& out) {
  google::protobuf::Arena arena(ArenaFor(bytes.size()));
  auto* request = google::protobuf::Arena::CreateMessage<Request>(&arena);
  auto* answer = google::protobuf::Arena::CreateMessage<Answer>(&arena);
  if (!request->ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return Delivery::kBadRequest;
  if constexpr (requires { request->db_name(); }) {
    if (!request->db_name().empty()) call.database = request->db_name();
  }
  // Some messages name several.
  if constexpr (requires { call.collection = request->collection_name(); }) {
    call.collection = request->collection_name();
  }
  call.status = kRun(call, *request, *answer);
  if (call.wait_ms > 0) return Delivery::kLater;
  const Status& status = call.status;
  if (!status.ok()) {
    // Half an answer is no answer.
    answer->Clear();
    if constexpr (std::is_same_v<Answer, milvus::proto::common::Status>)
      EncodeStatus(status, answer);
    else if constexpr (requires { answer->mutable_alter_status(); })
      EncodeStatus(status, answer->mutable_alter_status());
    else
      EncodeStatus(status, answer->mutable_status());
  }
  return answer->SerializeToString(&out) ? Delivery::kDone : Delivery::kTooLarge;
}

}  // namespace elanus::wire
