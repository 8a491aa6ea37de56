// The embedded stores: the log's torn ends and damage, objects, the catalog's store, the lock.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "backend/backend.h"
#include "backend/local/directory_lock.h"
#include "backend/local/file_object_store.h"
#include "backend/local/file_wal.h"
#include "backend/local/log_repair.h"
#include "backend/rocksdb/rocksdb_meta_store.h"
#include "base/log.h"
#include "store/conformance/meta_conformance.h"
#include "store/conformance/wal_conformance.h"
#include "store/testing/read_payloads.h"

#ifdef __SANITIZE_THREAD__
// The library is not built for the sanitizer, which sees its memory but not its locks.
extern "C" const char* __tsan_default_suppressions() { return "race:librocksdb.so\n"; }
#endif

namespace elanus::backend {
namespace {

struct TemporaryDirectory {
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "elanus-XXXXXX").string();
    path = root = ::mkdtemp(name.data());
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(root); }
  std::string path;  // Where stores are opened: the root, or a folder inside it.
  std::string root;
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

using store::MetaConformance;
using store::WalConformance;

namespace {

using Medium = std::shared_ptr<void>;

Medium MakeDirectory() { return std::make_shared<TemporaryDirectory>(); }
std::string& PathOf(const Medium& medium) {
  return static_cast<TemporaryDirectory*>(medium.get())->path;
}
std::string NameOf(const auto& info) { return info.param.name; }

template <class Store>
std::unique_ptr<Store> OrNull(Result<std::unique_ptr<Store>> opened) {
  EXPECT_TRUE(opened.ok()) << opened.status().ToString();
  return opened.ok() ? std::move(*opened) : nullptr;
}

INSTANTIATE_TEST_SUITE_P(Files, WalConformance,
                         testing::Values(store::WalMedium{
                             .name = "files",
                             .make = MakeDirectory,
                             .open =
                                 [](const Medium& m) {
                                   return OrNull(OpenFileWal(
                                       PathOf(m), {.file_bytes_max = 10'000, .sync = true}));
                                 }}),
                         NameOf<testing::TestParamInfo<store::WalMedium>>);

// What a process that is killed now leaves: the files as they are, seen by the next one under
// another name, because the open store still holds this one.
void LeaveAsIs(const Medium& medium) {
  const std::string before = PathOf(medium);
  const std::string after = before + "/after";
  std::filesystem::create_directory(after);
  for (const char* part : {"/meta", "/meta.last-commit"}) {
    std::filesystem::copy(before + part, after + part, std::filesystem::copy_options::recursive);
  }
  PathOf(medium) = after;
}

INSTANTIATE_TEST_SUITE_P(
    RocksDb, MetaConformance,
    testing::Values(store::MetaMedium{
        .name = "rocksdb",
        .make = MakeDirectory,
        .open = [](const Medium& m) { return OrNull(OpenRocksDbMetaStore(PathOf(m) + "/meta")); },
        .crash = LeaveAsIs}),
    NameOf<testing::TestParamInfo<store::MetaMedium>>);

}  // namespace

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
    return store::ReadPayloads(ctx_, **wal, "s");
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

TEST_F(FileWalTest, RefusesRecordsOfALaterVersionAndLeavesThemAlone) {
  Append({"first"});
  Append({"second"});
  const std::string whole = ReadBytes(File());
  for (size_t record : {size_t{0}, size_t{32 + 5}}) {
    std::string later = whole;
    ++later[record + 3];
    WriteBytes(File(), later);
    const Status status = ReadAll().status();
    EXPECT_EQ(status.code(), ErrorCode::kIntegrity);
    EXPECT_NE(status.message().find("version 'D' of a log record"), std::string_view::npos)
        << status.message();
    EXPECT_EQ(ReadBytes(File()), later);
  }
}

TEST_F(FileWalTest, KeepsLittleOfALogThatNobodyNeeds) {
  const std::string text(1000, 'x');
  const std::string_view view = text;
  store::WalPosition last = 0;
  {
    const auto wal = OpenFileWal(directory_.path, {.file_bytes_max = 100'000});
    for (int i = 0; i < 50; ++i) last = (*wal)->Append(ctx_, "s", {&view, 1})->front();
    ASSERT_TRUE((*wal)->Truncate(ctx_, "s", last - 1).ok());
    EXPECT_GT((*wal)->Pages(ctx_, "s")->back().bytes, 50'000) << "one record is needed";
    ASSERT_TRUE((*wal)->Truncate(ctx_, "s", last).ok());
    const auto pages = *(*wal)->Pages(ctx_, "s");
    ASSERT_EQ(pages.size(), 1u);
    EXPECT_EQ(pages[0].bytes, 0);
    EXPECT_FALSE(std::filesystem::exists(File()));
  }
  const auto wal = OpenFileWal(directory_.path, {});
  EXPECT_EQ(*(*wal)->LastPosition(ctx_, "s"), last);
  EXPECT_EQ((*wal)->Append(ctx_, "s", {&view, 1})->front(), last + 1);
}

TEST_F(FileWalTest, ReadsRecordsLargerThanItReadsAtOnce) {
  const std::string large(9 << 20, 'l');
  Append({"small", large, "", large, "end"});
  const auto read = ReadAll();
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_TRUE(*read == (std::vector<std::string>{"small", large, "", large, "end"}));
}

TEST(LocalFiles, RefusesAFileThatGivesLessThanItsSize) {
  // The kernel says 4096 bytes of files like this one, and gives a line.
  const std::string path = "/sys/kernel/mm/transparent_hugepage/enabled";
  FileSystem& files = LocalFileSystem();
  const auto size = files.Size(path);
  if (!size.ok()) GTEST_SKIP() << "no such file here";
  const auto read = files.Read(path);
  EXPECT_EQ(read.status().code(), ErrorCode::kIoFailed);
  EXPECT_NE(read.status().message().find(fmt::format("of {} bytes", *size)), std::string::npos)
      << read.status().ToString();
  EXPECT_EQ(files.ReadRange(path, 0, 4000).status().code(), ErrorCode::kIoFailed);
}

TEST(LocalFiles, ReadsARangeUpToTheEnd) {
  TemporaryDirectory directory;
  const std::string path = directory.path + "/f";
  WriteBytes(path, "0123456789");
  FileSystem& files = LocalFileSystem();
  EXPECT_EQ(*files.ReadRange(path, 2, 3), "234");
  EXPECT_EQ(*files.ReadRange(path, 8, 100), "89");
  EXPECT_EQ(*files.ReadRange(path, 10, 1), "");
  EXPECT_EQ(*files.ReadRange(path, 100, 1), "");
  EXPECT_EQ(*files.Size(path), 10u);
  EXPECT_EQ(files.ReadRange(path + "x", 0, 1).status().code(), ErrorCode::kKeyNotFound);
}

TEST(LocalFiles, SayThatAFolderIsNotThere) {
  TemporaryDirectory directory;
  FileSystem& files = LocalFileSystem();
  EXPECT_TRUE(files.List(directory.path)->empty());
  EXPECT_EQ(files.List(directory.path + "/x").status().code(), ErrorCode::kKeyNotFound);
  const auto damages = FindLogDamage(files, directory.path + "/wal", {{"s", 7}});
  ASSERT_TRUE(damages.ok()) << damages.status().ToString();
  ASSERT_EQ(damages->size(), 1u) << "of a log whose folder is gone, too";
  EXPECT_EQ((*damages)[0].next_position, 8u);
}

TEST_F(FileWalTest, RefusesAGapInTheMiddle) {
  const auto file = [&](uint64_t first) {
    return fmt::format("{}/s/{:020}.log", directory_.path, first);
  };
  {
    auto wal = OpenFileWal(directory_.path, {.file_bytes_max = 60, .sync = true});
    for (std::string_view payload : {"one", "two", "three", "four", "five", "six"}) {
      ASSERT_TRUE((*wal)->Append(ctx_, "s", std::span(&payload, 1)).ok());
    }
  }
  ASSERT_EQ(ReadAll()->size(), 6u);
  const std::string middle = ReadBytes(file(3));
  // Its second record is gone, then the whole file.
  WriteBytes(file(3), std::string_view(middle).substr(0, 32 + 5));
  EXPECT_EQ(ReadAll().status().code(), ErrorCode::kIntegrity);
  std::filesystem::remove(file(3));
  const Status status = ReadAll().status();
  EXPECT_EQ(status.code(), ErrorCode::kIntegrity);
  EXPECT_NE(status.message().find(file(5)), std::string_view::npos) << status.message();
  EXPECT_NE(status.message().find("record 3 is missing"), std::string_view::npos);
  // So are the first files, which nothing follows.
  std::filesystem::remove(file(1));
  EXPECT_NE(ReadAll().status().message().find("record 1 is missing"), std::string_view::npos);
  // Unless the log itself has cut them off.
  WriteBytes(fmt::format("{}/s/{:020}.begin", directory_.path, 5), "");
  ASSERT_TRUE(ReadAll().ok()) << ReadAll().status().ToString();
  EXPECT_EQ(ReadAll()->size(), 2u);
}

class FileObjectStoreTest : public testing::Test {
 protected:
  std::unique_ptr<store::ObjectStore> Open() {
    return OrNull(OpenFileObjectStore(directory_.path));
  }
  SystemClock clock_;
  Context ctx_{clock_};
  TemporaryDirectory directory_;
};

TEST_F(FileObjectStoreTest, LeavesNoFilesOfItsOwnBehind) {
  const auto files = [&] {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_.path)) {
      names.insert(entry.path().lexically_relative(directory_.path));
    }
    return names;
  };
  auto objects = Open();
  ASSERT_TRUE(objects->Put(ctx_, "a/b/c", "one").ok());
  ASSERT_TRUE(objects->Put(ctx_, "d", "two").ok());
  EXPECT_EQ(files(), (std::set<std::string>{"a", "a/b", "a/b/c", "d"}));
  ASSERT_TRUE(objects->Delete(ctx_, "a/b/c").ok());
  EXPECT_EQ(files(), std::set<std::string>{"d"});
  WriteBytes(directory_.path + "/.writing-7", "half");
  objects = Open();
  EXPECT_EQ(files(), std::set<std::string>{"d"});
}

TEST_F(FileObjectStoreTest, APutThatFailsLeavesTheOldObjectAndNoRest) {
  auto objects = Open();
  ASSERT_TRUE(objects->Put(ctx_, "a", "old").ok());
  // The disk takes no more than this many bytes of a file.
  rlimit before;
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old_handler = ::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{.rlim_cur = 1000, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const Status failed = objects->Put(ctx_, "a", std::string(5000, 'x'));
  const Status failed_new = objects->Put(ctx_, "b", std::string(5000, 'x'));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, old_handler);
  EXPECT_EQ(failed.code(), ErrorCode::kIoFailed) << failed.ToString();
  EXPECT_EQ(failed_new.code(), ErrorCode::kIoFailed) << failed_new.ToString();
  EXPECT_EQ(objects->Open(ctx_, "a")->bytes(), "old");
  for (const auto& entry : std::filesystem::directory_iterator(directory_.path)) {
    EXPECT_EQ(entry.path().filename(), "a");
  }
}

TEST_F(FileObjectStoreTest, AKilledProcessLeavesTheOldObjectOrTheNewOne) {
  const auto version = [](size_t i) {
    return std::string(50'000 + i % 7, static_cast<char>('a' + i % 7));
  };
  for (size_t round = 0; round < 15; ++round) {
    int begun[2];
    ASSERT_EQ(::pipe(begun), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto objects = Open();
      for (size_t i = 0;; ++i) {
        if (::write(begun[1], "x", 1) != 1 || !objects->Put(ctx_, "a/b", version(i)).ok())
          ::_exit(1);
      }
    }
    ::close(begun[1]);
    // It is killed at some place in its put number `round`.
    for (size_t i = 0; i <= round; ++i) {
      char x;
      ASSERT_EQ(::read(begun[0], &x, 1), 1);
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ::close(begun[0]);
    auto objects = Open();
    const auto keys = objects->List(ctx_, "");
    ASSERT_TRUE(keys.ok());
    if (keys->empty()) {
      EXPECT_EQ(round, 0u) << "an earlier put was acknowledged";
      continue;
    }
    EXPECT_EQ(*keys, std::vector<std::string>{"a/b"});
    const auto blob = objects->Open(ctx_, "a/b");
    ASSERT_TRUE(blob.ok());
    ASSERT_FALSE(blob->bytes().empty());
    EXPECT_TRUE(blob->bytes() == version(static_cast<size_t>(blob->bytes()[0] - 'a')));
  }
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
