// The embedded stores: the log's torn ends and damage, objects, the catalog's store, the lock.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "backend/backend.h"
#include "backend/local/directory_lock.h"
#include "backend/local/file_object_store.h"
#include "backend/local/file_wal.h"
#include "backend/rocksdb/rocksdb_meta_store.h"
#include "base/log.h"
#include "store/conformance/wal_conformance.h"

namespace elanus::backend {
namespace {

struct TemporaryDirectory {
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "elanus-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path); }
  std::string path;
};

std::string ReadBytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}
void WriteBytes(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace

using store::WalConformance;

INSTANTIATE_TEST_SUITE_P(
    Files, WalConformance,
    testing::Values(store::WalMedium{
        .name = "files",
        .make =
            [] { return std::static_pointer_cast<void>(std::make_shared<TemporaryDirectory>()); },
        .open =
            [](const std::shared_ptr<void>& medium) {
              const auto& directory = static_cast<TemporaryDirectory*>(medium.get())->path;
              auto wal = OpenFileWal(directory, {.file_bytes_max = 10'000, .sync = true});
              return wal.ok() ? std::move(*wal) : nullptr;
            }}),
    [](const auto& info) { return info.param.name; });

namespace {

class FileWalTest : public testing::Test {
 protected:
  FileWalTest() { SetLogLevel(LogLevel::kOff); }
  ~FileWalTest() override { SetLogLevel(LogLevel::kInfo); }
  std::string File() const { return directory_.path + "/s/" + std::string(19, '0') + "1.log"; }
  void Append(std::vector<std::string_view> payloads) {
    auto wal = OpenFileWal(directory_.path, {});
    ASSERT_TRUE((*wal)->Append(ctx_, "s", payloads).ok());
  }
  Result<std::vector<std::string>> ReadAll() {
    auto wal = OpenFileWal(directory_.path, {});
    TRY_ASSIGN(const auto reader, (*wal)->Read(ctx_, "s", 0));
    std::vector<std::string> payloads;
    store::WalRecord record;
    while (true) {
      TRY_ASSIGN(const bool more, reader->Next(ctx_, record));
      if (!more) return payloads;
      payloads.push_back(record.payload);
    }
  }

  SystemClock clock_;
  Context ctx_{clock_};
  TemporaryDirectory directory_;
};

TEST_F(FileWalTest, CutsATornEndAtEveryByte) {
  Append({"first"});
  const size_t durable = ReadBytes(File()).size();
  Append({"second", "third"});
  const std::string whole = ReadBytes(File());
  for (size_t size = durable; size < whole.size(); ++size) {
    WriteBytes(File(), std::string_view(whole).substr(0, size));
    const auto read = ReadAll();
    ASSERT_TRUE(read.ok()) << size << " " << read.status().ToString();
    ASSERT_GE(read->size(), 1u);
    EXPECT_EQ((*read)[0], "first");
    EXPECT_LT(read->size(), 3u);
  }
}

TEST_F(FileWalTest, CutsAGroupWhosePagesReachedTheDiskInAnotherOrder) {
  Append({"first"});
  const size_t durable = ReadBytes(File()).size();
  Append({"second", "third"});
  std::string bytes = ReadBytes(File());
  bytes[durable + 33] ^= 1;  // Inside "second"; "third" of the same group is whole.
  WriteBytes(File(), bytes);
  EXPECT_EQ(*ReadAll(), (std::vector<std::string>{"first"}));
}

TEST_F(FileWalTest, RefusesDamageOfWhatWasDurable) {
  Append({"first"});
  Append({"second"});
  Append({"third"});
  const std::string whole = ReadBytes(File());
  const size_t second = 32 + 5;
  for (size_t at : {second, second + 5, second + 9, second + 33}) {
    std::string bytes = whole;
    bytes[at] ^= 1;
    WriteBytes(File(), bytes);
    const Status status = ReadAll().status();
    EXPECT_EQ(status.code(), ErrorCode::kIntegrity) << at;
    EXPECT_NE(status.message().find(File()), std::string_view::npos);
    EXPECT_NE(status.message().find("offset 37"), std::string_view::npos) << status.message();
  }
}

TEST(FileObjectStore, PutsWholeObjectsAndForgetsHalfWrittenOnes) {
  SystemClock clock;
  Context ctx(clock);
  TemporaryDirectory directory;
  {
    auto objects = OpenFileObjectStore(directory.path);
    ASSERT_TRUE((*objects)->Put(ctx, "a/b/c", "one").ok());
    ASSERT_TRUE((*objects)->Put(ctx, "a/b/c", "two").ok());
    ASSERT_TRUE((*objects)->Put(ctx, "a/d", "").ok());
  }
  WriteBytes(directory.path + "/.writing-7", "half");
  auto objects = OpenFileObjectStore(directory.path);
  EXPECT_FALSE(std::filesystem::exists(directory.path + "/.writing-7"));
  EXPECT_EQ((*objects)->Open(ctx, "a/b/c")->bytes(), "two");
  EXPECT_EQ((*objects)->Open(ctx, "a/d")->bytes(), "");
  EXPECT_EQ(*(*objects)->List(ctx, "a/"), (std::vector<std::string>{"a/b/c", "a/d"}));
  EXPECT_EQ((*objects)->Open(ctx, "none").status().code(), ErrorCode::kKeyNotFound);
  EXPECT_FALSE((*objects)->Put(ctx, "../escape", "x").ok());
  ASSERT_TRUE((*objects)->Delete(ctx, "a/b/c").ok());
  EXPECT_TRUE((*objects)->Delete(ctx, "a/b/c").ok());
  EXPECT_FALSE(std::filesystem::exists(directory.path + "/a/b"));
}

TEST(RocksDbMetaStore, CommitsAllOrNothingAndKeepsItOverARestart) {
  SystemClock clock;
  Context ctx(clock);
  TemporaryDirectory directory;
  {
    auto meta = OpenRocksDbMetaStore(directory.path);
    ASSERT_TRUE(meta.ok()) << meta.status().ToString();
    store::MetaTxn txn{
        .compares = {{"a", std::nullopt}}, .puts = {{"a", "1"}, {"b", "2"}}, .deletes = {}};
    EXPECT_TRUE(*(*meta)->Commit(ctx, txn));
    txn.puts = {{"b", "3"}};
    EXPECT_FALSE(*(*meta)->Commit(ctx, txn));
    EXPECT_TRUE(
        *(*meta)->Commit(ctx, {.compares = {{"a", "1"}}, .puts = {{"c", "4"}}, .deletes = {"a"}}));
  }
  auto meta = OpenRocksDbMetaStore(directory.path);
  EXPECT_EQ(*(*meta)->Scan(ctx, ""),
            (std::vector<std::pair<std::string, std::string>>{{"b", "2"}, {"c", "4"}}));
}

TEST(DirectoryLock, RefusesASecondHolderByName) {
  TemporaryDirectory directory;
  auto first = DirectoryLock::Take(directory.path);
  ASSERT_TRUE(first.ok());
  const auto second = DirectoryLock::Take(directory.path);
  EXPECT_EQ(second.status().code(), ErrorCode::kOldSession);
  EXPECT_NE(second.status().message().find(directory.path), std::string_view::npos);
  first->reset();
  EXPECT_TRUE(DirectoryLock::Take(directory.path).ok());
}

}  // namespace
}  // namespace elanus::backend
