// Resource groups in the catalog: where the node goes, what a restart keeps, and that a change that
// does not reach the store does not happen.
#include <gmock/gmock.h>

#include <functional>

#include "coord/test_meta.h"

namespace elanus::coord {
namespace {

using model::ResourceGroupConfig;

const std::string kDefault(model::kDefaultResourceGroup);

class ResourceGroupsTest : public testing::Test {
 protected:
  Catalog& catalog() { return *process_->catalog; }
  Context& ctx() { return process_->ctx; }
  void Restart() {
    process_.reset();
    process_ = std::make_unique<Process>(disk_, *executor_, clock_);
  }
  void Create(const std::string& name, int32_t requests, int32_t limits) {
    const Status created =
        catalog().CreateGroup(ctx(), name, {.requests = requests, .limits = limits});
    EXPECT_TRUE(created.ok()) << created.ToString();
  }
  void Update(const std::string& name, const ResourceGroupConfig& config) {
    const Status updated = catalog().UpdateGroups(ctx(), {{name, config}});
    EXPECT_TRUE(updated.ok()) << updated.ToString();
  }
  std::string Holder() {
    std::string holder;
    for (const std::string& name : catalog().ListGroups()) {
      if (catalog().DescribeGroup(name)->nodes == 1) holder += name;
    }
    return holder;
  }
  std::string GroupOf(const std::string& collection) {
    return catalog().FindReplica(*process_->Find(collection)).group;
  }

  ManualClock clock_;
  store::MemoryDisk disk_;
  std::unique_ptr<Executor> executor_ = MakeThreadExecutor();
  std::unique_ptr<Process> process_ = std::make_unique<Process>(disk_, *executor_, clock_);
};

TEST_F(ResourceGroupsTest, TheNodeIsWhereItIsWantedAndStaysThere) {
  EXPECT_EQ(Holder(), kDefault);
  Create("spare", 0, 1);
  EXPECT_EQ(Holder(), kDefault) << "it may have it, and does not ask";
  Create("a", 1, 1);
  Create("b", 1, 1);
  EXPECT_EQ(Holder(), "a");
  Restart();
  EXPECT_EQ(Holder(), "a");
  Update("a", {.requests = 0, .limits = 1});
  EXPECT_EQ(Holder(), "b");
  Update("b", {.requests = 0, .limits = 1});
  EXPECT_EQ(Holder(), "b") << "nobody asks for it";
  Update("b", {.requests = 0, .limits = 0, .transfer_to = {"spare"}});
  EXPECT_EQ(Holder(), "spare");
  Update("spare", {.requests = 0, .limits = 0});
  EXPECT_EQ(Holder(), kDefault);
  EXPECT_THAT(catalog().ListGroups(), testing::ElementsAre(kDefault, "a", "b", "spare"));
}

TEST_F(ResourceGroupsTest, WhoTakesFromAGroupComesBeforeWhoIsOlder) {
  Create("from", 1, 1);
  Create("older", 1, 1);
  Create("taker", 0, 1);
  Update("taker", {.requests = 1, .limits = 1, .transfer_from = {"from"}});
  Update("from", {.requests = 0, .limits = 1});
  EXPECT_EQ(Holder(), "taker");
}

TEST_F(ResourceGroupsTest, AReplicaIsInTheGroupThatItWasPutIntoWhileItIsLoaded) {
  ASSERT_TRUE(catalog().CreateCollection(ctx(), MakeRequest("c")).ok());
  const CollectionId id = process_->Find("c")->id;
  Create("a", 1, 1);
  ASSERT_TRUE(catalog().SetLoaded(ctx(), id, {}).ok());
  ASSERT_TRUE(catalog().PutReplica(ctx(), id, "a").ok());
  Restart();
  EXPECT_EQ(GroupOf("c"), "a");
  EXPECT_EQ(catalog().DescribeGroup("a")->replicas.at("c"), 1);
  Update("a", {.requests = 0, .limits = 0});
  EXPECT_EQ(catalog().DropGroup(ctx(), "a").code(), ErrorCode::kInvalidParameter);
  ASSERT_TRUE(catalog().SetReleased(ctx(), id, {}).ok());
  EXPECT_EQ(GroupOf("c"), kDefault);
  EXPECT_TRUE(catalog().DropGroup(ctx(), "a").ok());
}

TEST_F(ResourceGroupsTest, AChangeThatDoesNotReachTheStoreDoesNotHappen) {
  ASSERT_TRUE(catalog().CreateCollection(ctx(), MakeRequest("c")).ok());
  const CollectionId id = process_->Find("c")->id;
  ASSERT_TRUE(catalog().SetLoaded(ctx(), id, {}).ok());
  Create("a", 1, 1);
  Create("b", 0, 0);
  const std::vector<std::pair<const char*, std::function<Status()>>> changes = {
      {"create", [&] { return catalog().CreateGroup(ctx(), "new", {.requests = 1, .limits = 1}); }},
      {"drop", [&] { return catalog().DropGroup(ctx(), "b"); }},
      {"update",
       [&] {
         return catalog().UpdateGroups(ctx(), {{"a", {.requests = 0, .limits = 0}}});
       }},
      {"node",
       [&] { return catalog().TransferNodes(ctx(), {.source = "a", .target = "b", .nodes = 1}); }},
      {"replica",
       [&] {
         return catalog().TransferReplicas(
             ctx(),
             {.source = kDefault, .target = "a", .collection = {.collection = "c"}, .replicas = 1});
       }},
  };
  for (const auto& [what, change] : changes) {
    process_->meta.refusing = true;
    EXPECT_EQ(change().code(), ErrorCode::kIoFailed) << what;
    process_->meta.refusing = false;
    for (const bool restarted : {false, true}) {
      if (restarted) Restart();
      EXPECT_EQ(Holder(), "a") << what;
      EXPECT_EQ(GroupOf("c"), kDefault) << what;
      EXPECT_THAT(catalog().ListGroups(), testing::ElementsAre(kDefault, "a", "b")) << what;
    }
  }
}

}  // namespace
}  // namespace elanus::coord
