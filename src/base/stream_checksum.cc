// The checksum in pieces.
#include "base/stream_checksum.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace elanus {

struct StreamChecksum::State {
  XXH3_state_t xxh;
};

StreamChecksum::StreamChecksum() : state_(new State) { XXH3_64bits_reset(&state_->xxh); }
StreamChecksum::~StreamChecksum() = default;
void StreamChecksum::Add(std::string_view bytes) {
  XXH3_64bits_update(&state_->xxh, bytes.data(), bytes.size());
}
uint64_t StreamChecksum::value() const { return XXH3_64bits_digest(&state_->xxh); }

}  // namespace elanus
