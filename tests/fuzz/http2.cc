// A connection's HTTP/2: bytes in any cut end the connection or become calls, each handed out once.
#include <cstdlib>
#include <set>
#include <string_view>

#include "target.h"
#include "wire/grpc/http2_session.h"

namespace elanus::fuzz {

void Http2(const uint8_t* bytes, size_t size) {
  if (size == 0) return;
  const size_t piece = 1 + bytes[0];
  const std::string_view all(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  wire::Http2Session session({.receive_bytes_max = 4096, .streams_max = 16});
  std::vector<wire::ReceivedCall> calls;
  std::vector<wire::StreamId> gone;
  std::set<wire::StreamId> seen;
  size_t answered = 0;
  std::string output;
  for (size_t begin = 0; begin < all.size(); begin += piece) {
    if (!session.Receive(all.substr(begin, piece), calls, gone)) break;
    for (; answered < calls.size(); ++answered) {
      const wire::ReceivedCall& call = calls[answered];
      if (!seen.insert(call.stream).second) std::abort();
      if (call.message().size() > 4096) std::abort();
      if (answered % 3 == 0) continue;  // Some take long.
      if (call.problem.ok()) {
        session.Answer(call.stream, std::string(call.message()));
      } else {
        session.Refuse(call.stream, call.problem);
      }
    }
    output.clear();
    session.TakeOutput(1 << 16, output);
    if (session.IsOver()) return;
  }
  session.GoAway();
  for (const wire::ReceivedCall& call : calls) session.Answer(call.stream, "late");
  session.TakeOutput(1 << 20, output);
}

}  // namespace elanus::fuzz
