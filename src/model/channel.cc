// Names of channels.
#include "model/channel.h"

#include <fmt/core.h>

namespace elanus::model {

std::string StreamName(size_t number) { return fmt::format("elanus-dml-{}", number); }

std::string MakeVChannel(std::string_view pchannel, CollectionId collection, size_t shard) {
  return fmt::format("{}_{}v{}", pchannel, collection.value(), shard);
}

std::string PChannelOf(std::string_view vchannel) {
  return std::string(vchannel.substr(0, vchannel.rfind('_')));
}

}  // namespace elanus::model
