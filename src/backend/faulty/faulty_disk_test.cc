// The stores on the disk that fails: what they promise holds over power failures, too, and what was
// refused has not happened.
#include "backend/faulty/faulty_disk.h"

#include <gtest/gtest.h>
#include <rocksdb/env.h>

#include <map>
#include <random>

#include "backend/local/file_object_store.h"
#include "backend/local/file_wal.h"
#include "backend/rocksdb/rocksdb_env.h"
#include "backend/rocksdb/rocksdb_meta_store.h"
#include "base/log.h"
#include "store/testing/read_payloads.h"

namespace elanus::backend {
namespace {

struct Medium {
  explicit Medium(uint64_t seed) : disk(seed) {}
  FaultyDisk disk;
  std::unique_ptr<rocksdb::Env> env = MakeRocksDbEnv(disk);
};

class FaultyStores : public testing::Test {
 protected:
  FaultyStores() { SetLogLevel(LogLevel::kOff); }
  ~FaultyStores() override { SetLogLevel(LogLevel::kInfo); }

  static std::unique_ptr<store::Wal> OpenLog(FaultyDisk& disk) {
    auto wal = OpenFileWal("/wal", {.file_bytes_max = 300}, disk);
    EXPECT_TRUE(wal.ok()) << wal.status().ToString();
    return wal.ok() ? std::move(*wal) : nullptr;
  }
  Status Append(store::Wal& wal, std::vector<std::string_view> payloads) {
    return wal.Append(ctx_, "s", payloads).status();
  }
  std::vector<std::string> ReadAll(store::Wal& wal) {
    auto payloads = store::ReadPayloads(ctx_, wal, "s");
    EXPECT_TRUE(payloads.ok()) << payloads.status().ToString();
    return payloads.ok() ? std::move(*payloads) : std::vector<std::string>();
  }

  static std::unique_ptr<store::MetaStore> OpenMeta(Medium& medium) {
    auto meta = OpenRocksDbMetaStore("/meta", {.files = medium.disk, .env = medium.env.get()});
    EXPECT_TRUE(meta.ok()) << meta.status().ToString();
    return meta.ok() ? std::move(*meta) : nullptr;
  }
  Result<bool> Put(store::MetaStore& meta, const std::string& key, const std::string& value) {
    return meta.Commit(ctx_, {.compares = {}, .puts = {{key, value}}, .deletes = {}});
  }
  std::string Get(store::MetaStore& meta, const std::string& key) {
    auto value = meta.Get(ctx_, key);
    EXPECT_TRUE(value.ok()) << value.status().ToString();
    return value.ok() ? value->value_or("(none)") : "(error)";
  }

  SystemClock clock_;
  Context ctx_{clock_};
};

TEST_F(FaultyStores, KeepTheLogOverAPowerFailureAfterEachAppend) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    FaultyDisk disk(seed);
    std::vector<std::string> expected;
    auto wal = OpenLog(disk);
    for (int i = 0; i < 12; ++i) {
      const std::string payload = fmt::format("record {} of seed {}", i, seed);
      ASSERT_TRUE(Append(*wal, {payload}).ok());
      expected.push_back(payload);
      wal.reset();
      disk.PowerOff();
      wal = OpenLog(disk);
      ASSERT_EQ(ReadAll(*wal), expected) << "seed " << seed;
    }
  }
}

TEST_F(FaultyStores, WriteAGroupOfTheLogAtOnceAndSyncItOnce) {
  FaultyDisk disk(1);
  auto wal = OpenFileWal("/wal", {}, disk);
  ASSERT_TRUE(Append(**wal, {"first"}).ok());
  const std::vector<std::string_view> group(100, "one of a hundred");
  const uint64_t before = disk.operations();
  ASSERT_TRUE(Append(**wal, group).ok());
  EXPECT_EQ(disk.operations() - before, 2u) << "a write and a sync";
  EXPECT_EQ(ReadAll(**wal).size(), 101u);
}

TEST_F(FaultyStores, NeverReadAnAppendThatWasRefused) {
  for (const Fault fault : {Fault::kShortWrite, Fault::kNoSpace, Fault::kIoError}) {
    for (uint64_t seed = 0; seed < 50; ++seed) {
      FaultyDisk disk(seed);
      auto wal = OpenLog(disk);
      ASSERT_TRUE(Append(*wal, {"first"}).ok());
      disk.Arm(disk.operations(), fault);
      const std::string refused(700, 'x');
      ASSERT_FALSE(Append(*wal, {"second", "third", refused}).ok());
      ASSERT_TRUE(disk.has_struck());
      if (seed % 2 == 0) {
        ASSERT_TRUE(Append(*wal, {"fourth"}).ok()) << "it goes on once the disk works";
      }
      wal.reset();
      disk.PowerOff();
      wal = OpenLog(disk);
      const std::vector<std::string> expected = seed % 2 == 0
                                                    ? std::vector<std::string>{"first", "fourth"}
                                                    : std::vector<std::string>{"first"};
      EXPECT_EQ(ReadAll(*wal), expected) << NameOf(fault) << " seed " << seed;
    }
  }
}

TEST_F(FaultyStores, CloseTheLogWhenASyncFailsUntilItIsOpenedAgain) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    FaultyDisk disk(seed);
    auto wal = OpenLog(disk);
    ASSERT_TRUE(Append(*wal, {"first"}).ok());
    disk.Arm(disk.operations(), Fault::kFailedSync);
    ASSERT_FALSE(Append(*wal, {"second"}).ok());
    ASSERT_FALSE(Append(*wal, {"third"}).ok());
    wal.reset();
    disk.Restart();
    wal = OpenLog(disk);
    // The system's memory still has it, the disk perhaps not: from now on it must not go.
    ASSERT_EQ(ReadAll(*wal), (std::vector<std::string>{"first", "second"}));
    ASSERT_TRUE(Append(*wal, {"fourth"}).ok());
    wal.reset();
    disk.PowerOff();
    wal = OpenLog(disk);
    EXPECT_EQ(ReadAll(*wal), (std::vector<std::string>{"first", "second", "fourth"}));
  }
}

TEST_F(FaultyStores, HaveNotCommittedWhatTheyRefused) {
  for (const Fault fault :
       {Fault::kIoError, Fault::kShortWrite, Fault::kNoSpace, Fault::kFailedSync}) {
    for (uint64_t ahead = 0; ahead < 3; ++ahead) {
      Medium medium(ahead + 1);
      auto meta = OpenMeta(medium);
      ASSERT_TRUE(Put(*meta, "a", "1").ok());
      medium.disk.Arm(medium.disk.operations() + ahead, fault);
      const Result<bool> second = Put(*meta, "a", "2");
      const std::string now = second.ok() ? "2" : "1";
      EXPECT_EQ(Get(*meta, "a"), now) << NameOf(fault);
      medium.disk.Disarm();
      ASSERT_TRUE(Put(*meta, "b", "3").ok()) << NameOf(fault) << ": it goes on by itself";
      EXPECT_EQ(Get(*meta, "a"), now) << NameOf(fault);
      meta.reset();
      medium.disk.PowerOff();
      meta = OpenMeta(medium);
      EXPECT_EQ(Get(*meta, "a"), now) << NameOf(fault);
      EXPECT_EQ(Get(*meta, "b"), "3") << NameOf(fault);
    }
  }
}

TEST_F(FaultyStores, ReadTheCatalogOnAFullDiskAndCommitOnceThereIsRoom) {
  Medium medium(3);
  auto meta = OpenMeta(medium);
  ASSERT_TRUE(Put(*meta, "a", "1").ok());
  medium.disk.Arm(medium.disk.operations(), Fault::kNoSpace, 1'000'000);
  for (int i = 0; i < 5; ++i) {
    const Result<bool> refused = Put(*meta, "a", "2");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.status().code(), ErrorCode::kDiskLimitExceeded)
        << refused.status().ToString();
    EXPECT_EQ(Get(*meta, "a"), "1");
  }
  medium.disk.Disarm();
  ASSERT_TRUE(Put(*meta, "a", "3").ok());
  EXPECT_EQ(Get(*meta, "a"), "3");
}

// Commits 60 times, opening it anew in between, so that there are tables and logs.
void FillCatalog(Medium& medium, Context& ctx) {
  for (int opening = 0; opening < 3; ++opening) {
    auto meta = OpenRocksDbMetaStore("/meta", {.files = medium.disk, .env = medium.env.get()});
    ASSERT_TRUE(meta.ok()) << meta.status().ToString();
    for (int i = 0; i < 20; ++i) {
      const std::string key = fmt::format("key/{}", opening * 20 + i);
      ASSERT_TRUE((*meta)
                      ->Commit(ctx, {.compares = {},
                                     .puts = {{key, std::string(300, static_cast<char>('a' + i))}},
                                     .deletes = {}})
                      .ok());
    }
  }
}

TEST_F(FaultyStores, RefuseACatalogWithAlteredBytesOrReadItRight) {
  std::vector<std::string> names;
  {
    Medium medium(1);
    FillCatalog(medium, ctx_);
    const auto entries = medium.disk.List("/meta");
    ASSERT_TRUE(entries.ok());
    for (const FileSystem::Entry& entry : *entries) names.push_back(entry.name);
  }
  std::mt19937_64 rng(5);
  int refused = 0;
  for (const std::string& name : names) {
    for (int i = 0; i < 25; ++i) {
      Medium medium(1);
      FillCatalog(medium, ctx_);
      medium.disk.Restart();
      const std::string path = "/meta/" + name;
      std::string bytes = *medium.disk.Read(path);
      if (bytes.empty()) continue;
      const size_t at = rng() % bytes.size();
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << rng() % 8));
      const std::string_view part = bytes;
      auto file = medium.disk.OpenToWrite(path, FileSystem::Creation::kMustExist);
      ASSERT_TRUE((*file)->Write(0, std::span(&part, 1)).ok());
      auto meta = OpenRocksDbMetaStore("/meta", {.files = medium.disk, .env = medium.env.get()});
      if (!meta.ok()) {
        ++refused;
        continue;
      }
      const auto pairs = (*meta)->Scan(ctx_, "key/");
      if (!pairs.ok()) {
        EXPECT_EQ(pairs.status().code(), ErrorCode::kIntegrity) << pairs.status().ToString();
        ++refused;
        continue;
      }
      // The last commit, too: that it was acknowledged stands beside the database.
      EXPECT_EQ(pairs->size(), 60u) << name << " byte " << at;
      for (const auto& [key, value] : *pairs) {
        const int number = std::stoi(key.substr(4));
        EXPECT_EQ(value, std::string(300, static_cast<char>('a' + number % 20))) << name;
      }
    }
  }
  EXPECT_GT(refused, 25);
}

TEST_F(FaultyStores, RefuseACatalogThatLacksCommitsThatWereMade) {
  Medium medium(3);
  const auto open = [&] {
    return OpenRocksDbMetaStore("/meta", {.files = medium.disk, .env = medium.env.get()});
  };
  const auto files = [&] {
    std::map<std::string, std::string> all;
    const auto entries = medium.disk.List("/meta");
    for (const FileSystem::Entry& entry : *entries) {
      all[entry.name] = *medium.disk.Read("/meta/" + entry.name);
    }
    return all;
  };
  const auto put_back = [&](const std::map<std::string, std::string>& wanted) {
    const auto entries = medium.disk.List("/meta");
    for (const FileSystem::Entry& entry : *entries) {
      ASSERT_TRUE(medium.disk.Remove("/meta/" + entry.name).ok());
    }
    for (const auto& [name, content] : wanted) {
      auto file = medium.disk.OpenToWrite("/meta/" + name, FileSystem::Creation::kEmpty);
      const std::string_view part = content;
      ASSERT_TRUE((*file)->Write(0, std::span(&part, 1)).ok());
    }
  };
  auto meta = OpenMeta(medium);
  ASSERT_TRUE(Put(*meta, "a", "1").ok());
  meta.reset();
  const auto older = files();
  meta = OpenMeta(medium);
  ASSERT_TRUE(Put(*meta, "a", "2").ok());
  meta.reset();
  const auto newest = files();
  put_back(older);
  auto refused = open();
  ASSERT_EQ(refused.status().code(), ErrorCode::kIntegrity);
  EXPECT_NE(refused.status().message().find("it ends with commit 1, but commit 2 was made"),
            std::string::npos)
      << refused.status().message();
  put_back({});
  refused = open();
  ASSERT_EQ(refused.status().code(), ErrorCode::kIntegrity);
  EXPECT_TRUE(files().empty()) << "nothing is made in the place of a catalog that is lost";
  put_back(newest);
  meta = OpenMeta(medium);
  EXPECT_EQ(Get(*meta, "a"), "2");
  // An older build made it: then there is nothing to compare with, until the next commit.
  meta.reset();
  ASSERT_TRUE(medium.disk.Remove("/meta.last-commit").ok());
  put_back(older);
  meta = OpenMeta(medium);
  EXPECT_EQ(Get(*meta, "a"), "1");
  ASSERT_TRUE(Put(*meta, "a", "3").ok());
  meta.reset();
  put_back(older);
  EXPECT_EQ(open().status().code(), ErrorCode::kIntegrity);
}

TEST_F(FaultyStores, NeverTakeACatalogForOneThatLostCommits) {
  for (const Fault fault : {Fault::kIoError, Fault::kShortWrite, Fault::kNoSpace,
                            Fault::kFailedSync, Fault::kKill, Fault::kPowerOff}) {
    for (uint64_t ahead = 0; ahead < 24; ++ahead) {
      Medium medium(ahead);
      auto meta = OpenMeta(medium);
      medium.disk.Arm(medium.disk.operations() + ahead, fault);
      int made = 0;
      for (int i = 1; i <= 4; ++i) {
        const Result<bool> put = Put(*meta, "a", std::to_string(i));
        if (put.ok()) made = i;
      }
      meta.reset();
      ahead % 2 == 0 ? medium.disk.Restart() : medium.disk.PowerOff();
      medium.disk.Disarm();
      meta = OpenMeta(medium);
      ASSERT_NE(meta, nullptr) << NameOf(fault) << " at " << ahead;
      const std::string now = Get(*meta, "a");
      EXPECT_GE(now == "(none)" ? 0 : std::stoi(now), made) << NameOf(fault) << " at " << ahead;
    }
  }
}

TEST_F(FaultyStores, KeepTheOldObjectOrTheNewOneWhenThePowerGoesInAPut) {
  for (uint64_t at = 0; at < 12; ++at) {
    for (uint64_t seed = 0; seed < 10; ++seed) {
      FaultyDisk disk(seed);
      auto objects = OpenFileObjectStore("/objects", disk);
      ASSERT_TRUE((*objects)->Put(ctx_, "a/b", "old").ok());
      disk.Arm(disk.operations() + at, Fault::kPowerOff);
      const std::string bytes(3000, 'n');
      const bool put = (*objects)->Put(ctx_, "a/b", bytes).ok();
      const bool put_other = put && (*objects)->Put(ctx_, "c/d/e", bytes).ok();
      objects->reset();
      disk.Restart();
      objects = OpenFileObjectStore("/objects", disk);
      ASSERT_TRUE(objects.ok());
      const auto first = (*objects)->Open(ctx_, "a/b");
      ASSERT_TRUE(first.ok()) << first.status().ToString();
      EXPECT_TRUE(first->bytes() == bytes || (!put && first->bytes() == "old"))
          << at << " seed " << seed;
      const auto other = (*objects)->Open(ctx_, "c/d/e");
      EXPECT_TRUE(other.ok() || !put_other) << at << " seed " << seed;
      if (other.ok()) {
        EXPECT_TRUE(other->bytes() == bytes) << at << " seed " << seed;
      }
    }
  }
}

}  // namespace
}  // namespace elanus::backend
