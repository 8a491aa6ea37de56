// Resource groups: which nodes the copies of loaded collections may use. There is one node.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/timestamp.h"
#include "model/requests/collection.h"

namespace elanus::model {

inline constexpr int64_t kNodeId = 1;  // What answers name as the node.
inline constexpr std::string_view kDefaultResourceGroup = "__default_resource_group";
inline constexpr int32_t kDefaultGroupLimit = 1'000'000;

struct ResourceGroupConfig {
  static constexpr int32_t kNotGiven = -1;
  int32_t requests = 0;  // Nodes it wants.
  int32_t limits = 0;    // Nodes it has at most.
  std::vector<std::string> transfer_from;
  std::vector<std::string> transfer_to;
  std::vector<KeyValue> node_labels;  // Nodes without them are not taken.

  bool operator==(const ResourceGroupConfig&) const = default;
  template <class V>
  void Fields(V& v) {
    v(1, "requests", requests);
    v(2, "limits", limits);
    v(3, "transfer_from", transfer_from);
    v(4, "transfer_to", transfer_to);
    v(5, "node_labels", node_labels);
  }
};

/// As the catalog keeps it.
struct ResourceGroup {
  std::string name;
  ResourceGroupConfig config;
  Timestamp created;
  bool has_node = false;               // Of the default one: when no other has it.
  std::vector<CollectionId> replicas;  // Loaded into it; of the default one: those of no other.

  bool operator==(const ResourceGroup&) const = default;
  template <class V>
  void Fields(V& v) {
    v(1, "name", name);
    v(2, "config", config);
    v(3, "created", created);
    v(4, "has_node", has_node);
    v(5, "replicas", replicas);
  }
};

/// A group with what is in it now.
struct ResourceGroupView {
  std::string name;
  ResourceGroupConfig config;
  int32_t nodes = 0;
  std::map<std::string, int32_t> replicas;  // By the collection's name.
  std::map<std::string, int32_t> outgoing;  // Nodes of other groups that these use.
  std::map<std::string, int32_t> incoming;  // Nodes of this one that replicas of others use.
};

/// The copy of a loaded collection.
struct Replica {
  CollectionId collection;
  std::vector<std::string> vchannels;
  std::string group;
  std::string node_group;  // Of the node that it is on.
};

struct NodeTransfer {
  std::string source;
  std::string target;
  int64_t nodes = 0;
};

struct ReplicaTransfer {
  std::string source;
  std::string target;
  CollectionName collection;
  int64_t replicas = 0;
};

}  // namespace elanus::model
