// Files of every format on disk, as they were written when the format was new: they still open, and
// what is written today is the same, byte for byte. See README.md for what to do when it is not.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/log.h"
#include "tests/golden/catalog_dump.h"
#include "tests/golden/golden_file.h"

namespace elanus::golden {
namespace {

// Where this build's files go. A folder has the files of the formats that are new in it; the newest
// of a format is in the last folder that has its file.
constexpr const char* kNewest = "v2";

std::string PathOf(const std::string& folder, const std::string& name) {
  return std::string(ELANUS_GOLDEN_DIR) + "/" + folder + "/" + name;
}

std::string ReadBytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::vector<std::string> Folders() {
  std::vector<std::string> folders;
  for (const auto& entry : std::filesystem::directory_iterator(ELANUS_GOLDEN_DIR)) {
    if (entry.is_directory()) folders.push_back(entry.path().filename());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

// Of a file, as it was written last; empty when none is kept.
std::string NewestBytes(const std::string& name) {
  std::string newest;
  for (const std::string& folder : Folders()) {
    const std::string path = PathOf(folder, name);
    if (std::filesystem::exists(path)) newest = ReadBytes(path);
  }
  return newest;
}

const std::vector<GoldenFile>& AllFiles() {
  static const std::vector<GoldenFile> kFiles = [] {
    std::vector<GoldenFile> files = RecordFiles();
    for (GoldenFile& file : IndexFiles()) files.push_back(std::move(file));
    return files;
  }();
  return kFiles;
}

// By hand: adds to the newest folder what is not kept as this build writes it. It never changes a
// file.
class Writer : public testing::Environment {
 public:
  void SetUp() override {
    if (std::getenv("ELANUS_WRITE_GOLDEN") == nullptr) return;
    std::filesystem::create_directories(PathOf(kNewest, ""));
    for (const GoldenFile& file : AllFiles()) {
      const std::string path = PathOf(kNewest, file.name);
      if (std::filesystem::exists(path)) continue;
      const std::string bytes = file.write();
      if (bytes == NewestBytes(file.name)) continue;
      std::ofstream(path, std::ios::binary).write(bytes.data(), std::ssize(bytes));
    }
  }
};
const testing::Environment* const kWriter = testing::AddGlobalTestEnvironment(new Writer);

class Golden : public testing::TestWithParam<GoldenFile> {
 protected:
  Golden() { SetLogLevel(LogLevel::kOff); }
  ~Golden() override { SetLogLevel(LogLevel::kInfo); }
  static std::string Kept() { return NewestBytes(GetParam().name); }
};

TEST_P(Golden, OpensWithItsContentInEveryVersion) {
  size_t opened = 0;
  for (const std::string& folder : Folders()) {
    const std::string path = PathOf(folder, GetParam().name);
    if (!std::filesystem::exists(path)) continue;
    ++opened;
    const Status checked = GetParam().check(ReadBytes(path));
    EXPECT_TRUE(checked.ok()) << path << ": " << checked.ToString();
  }
  EXPECT_GE(opened, 1u) << "no " << GetParam().name << " is kept";
}

TEST_P(Golden, IsWrittenTheSameAgain) {
  const std::string now = GetParam().write();
  const std::string kept = Kept();
  ASSERT_FALSE(now.empty());
  const auto differs = std::mismatch(now.begin(), now.end(), kept.begin(), kept.end()).first;
  EXPECT_TRUE(now == kept) << GetParam().name << " differs from byte " << differs - now.begin()
                           << " on; " << now.size() << " bytes, kept are " << kept.size();
}

class GoldenVersion : public Golden {};  // Of the formats that have one.

TEST_P(GoldenVersion, RefusesAVersionToCome) {
  std::string future = Kept();
  ASSERT_GT(future.size(), *GetParam().version_at);
  ++future[*GetParam().version_at];
  const Status refused = GetParam().check(future);
  EXPECT_EQ(refused.code(), ErrorCode::kIntegrity) << refused.ToString();
  for (const char* words : {"offset ", ": version ", "this program reads version"}) {
    EXPECT_NE(refused.message().find(words), std::string_view::npos) << refused.message();
  }
}

std::string NameOf(const testing::TestParamInfo<GoldenFile>& info) {
  return info.param.name.substr(0, info.param.name.find('.'));
}

std::vector<GoldenFile> FilesWithAVersion() {
  std::vector<GoldenFile> files = AllFiles();
  std::erase_if(files, [](const GoldenFile& file) { return !file.version_at; });
  return files;
}

INSTANTIATE_TEST_SUITE_P(Formats, Golden, testing::ValuesIn(AllFiles()), NameOf);
INSTANTIATE_TEST_SUITE_P(Formats, GoldenVersion, testing::ValuesIn(FilesWithAVersion()), NameOf);

TEST(GoldenFolder, HasNoFileThatNothingReads) {
  std::set<std::string> known;
  for (const GoldenFile& file : AllFiles()) known.insert(file.name);
  for (const std::string& folder : Folders()) {
    for (const auto& entry : std::filesystem::directory_iterator(PathOf(folder, ""))) {
      EXPECT_EQ(known.count(entry.path().filename()), 1u) << entry.path();
    }
  }
}

TEST(GoldenCatalog, SkipsFieldsThatALaterBuildAdded) {
  std::map<std::string, std::string> pairs = ParsePairs(NewestBytes("catalog.txt"));
  ASSERT_GE(pairs.size(), 7u);
  for (auto& [key, value] : pairs) {
    if (key.starts_with("oracle/")) continue;
    // Tags 1000 to 1002 of the three kinds: a number, eight bytes, and a text of three.
    value += "\xc0\x3e\x05";
    value += "\xc9\x3e" + std::string(8, '\x11');
    value +=
        "\xd2\x3e\x03"
        "new";
  }
  const Status checked = CheckCatalog(PrintPairs(pairs));
  EXPECT_TRUE(checked.ok()) << checked.ToString();
}

}  // namespace
}  // namespace elanus::golden
