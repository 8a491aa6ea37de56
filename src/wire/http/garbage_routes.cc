// Pause and resume of garbage collection.
#include "wire/http/garbage_routes.h"

#include <charconv>
#include <map>
#include <nlohmann/json.hpp>

namespace elanus::wire {
namespace {

using Parameters = std::map<std::string, std::string, std::less<>>;

HttpAnswer Answer(int status, const nlohmann::json& body) {
  return {.status = status,
          .body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"};
}

HttpAnswer Refuse(const Status& status) {
  return Answer(status.code() == ErrorCode::kInvalidParameter ? 400 : 500,
                {{"msg", status.message()}});
}

// Of "name=value&...", each of which must be in `known`, and once. Values here need no escapes.
Result<Parameters> Read(std::string_view query, std::initializer_list<std::string_view> known) {
  Parameters parameters;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view name = pair.substr(0, equals);
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return Invalid("unknown parameter: {}", name);
    }
    const std::string_view value = pair.substr(std::min(pair.size(), equals + 1));
    if (!parameters.emplace(name, value).second) return Invalid("parameter given twice: {}", name);
  }
  return parameters;
}

Result<int64_t> Number(const Parameters& parameters, std::string_view name, int64_t absent) {
  const auto found = parameters.find(name);
  if (found == parameters.end()) return absent;
  const std::string& text = found->second;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Invalid("{} should be an integer, got {}", name, text);
  }
  return number;
}

Result<std::string> Pause(Context& ctx, roles::GarbageCollection& garbage, std::string_view query) {
  TRY_ASSIGN(const Parameters parameters, Read(query, {"pause_seconds", "collection_id"}));
  if (parameters.count("pause_seconds") == 0) return Invalid("pause_seconds is missing");
  TRY_ASSIGN(const int64_t seconds, Number(parameters, "pause_seconds", 0));
  TRY_ASSIGN(const int64_t collection, Number(parameters, "collection_id", 0));
  if (collection < 0 || (collection == 0 && parameters.count("collection_id") > 0)) {
    return Invalid("collection_id should be the id of a collection, got {}", collection);
  }
  return garbage.Pause(ctx, seconds, CollectionId(collection));
}

Status Resume(Context& ctx, roles::GarbageCollection& garbage, std::string_view query) {
  TRY_ASSIGN(const Parameters parameters, Read(query, {"ticket"}));
  const auto ticket = parameters.find("ticket");
  return garbage.Resume(ctx, ticket == parameters.end() ? "" : ticket->second);
}

}  // namespace

std::vector<ManagementRoute> GarbageRoutes(roles::GarbageCollection& garbage) {
  const auto pause = [&garbage](Context& ctx, std::string_view query, std::string_view) {
    const auto ticket = Pause(ctx, garbage, query);
    if (!ticket.ok()) return Refuse(ticket.status());
    return Answer(200, {{"msg", "OK"}, {"ticket", *ticket}});
  };
  const auto resume = [&garbage](Context& ctx, std::string_view query, std::string_view) {
    const Status status = Resume(ctx, garbage, query);
    return status.ok() ? Answer(200, {{"msg", "OK"}}) : Refuse(status);
  };
  const std::string folder = "/management/datacoord/garbage_collection/";
  return {
      {.path = folder + "pause", .run = pause, .asked = ManagementRoute::Asked::kByGetOrPost},
      {.path = folder + "resume", .run = resume, .asked = ManagementRoute::Asked::kByGetOrPost}};
}

}  // namespace elanus::wire
