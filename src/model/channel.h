// Names of channels: a virtual channel is one shard, a physical channel one log stream that carries
// several.
#pragma once

#include <string>
#include <string_view>

#include "base/ids.h"

namespace elanus::model {

/// Of the physical channel with this number.
std::string StreamName(size_t number);
/// "<pchannel>_<collection>v<shard>".
std::string MakeVChannel(std::string_view pchannel, CollectionId collection, size_t shard);
/// The physical channel of a virtual one.
std::string PChannelOf(std::string_view vchannel);

}  // namespace elanus::model
