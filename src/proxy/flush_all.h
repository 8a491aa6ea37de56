// Flushes of every collection at once.
#pragma once

#include <map>
#include <string>

#include "proxy/services.h"

namespace elanus::proxy {

/// Seals what grows in any collection; it is flushed in the background. The latest moment of the
/// seals; of no collection the moment now.
Result<Timestamp> FlushAll(Context& ctx, Services& services);

/// What is asked about: by physical channel, or one moment for all.
struct FlushAllMoments {
  Timestamp all;  // 0: not given.
  std::map<std::string, Timestamp> by_pchannel;
};

/// True when everything up to those moments is in the object store. Errors: kMissingParameter (no
/// moment), kInvalidParameter (none for a channel of some collection).
Result<bool> AreAllFlushed(Context& ctx, Services& services, const FlushAllMoments& moments);

}  // namespace elanus::proxy
