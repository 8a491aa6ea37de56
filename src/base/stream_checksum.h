// The checksum of bytes that come in pieces.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

namespace elanus {

/// What Checksum() says of all pieces put together. Not thread-safe.
class StreamChecksum {
 public:
  StreamChecksum();
  ~StreamChecksum();
  void Add(std::string_view bytes);
  uint64_t value() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace elanus
