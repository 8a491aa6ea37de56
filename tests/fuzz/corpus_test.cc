// Every input that a fuzzer kept, and each of them cut short.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "target.h"

namespace elanus::fuzz {
namespace {

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void Replay(Target target, const std::string& name) {
  size_t inputs = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(ELANUS_CORPUS) / name)) {
    SCOPED_TRACE(entry.path().filename().string());
    const std::string bytes = ReadFile(entry.path());
    for (const size_t end : {bytes.size(), bytes.size() * 3 / 4, bytes.size() / 2})
      target(reinterpret_cast<const uint8_t*>(bytes.data()), end);
    ++inputs;
  }
  EXPECT_GT(inputs, 10u);
}

TEST(FuzzCorpusTest, FiltersEndWithRowsOrAnError) { Replay(Filter, "filter"); }
TEST(FuzzCorpusTest, AnalyzersMakeTokensOrAreRefused) { Replay(Analyzers, "analyzers"); }
TEST(FuzzCorpusTest, ConnectionsEndWithCallsOrAGoodbye) { Replay(Http2, "http2"); }
TEST(FuzzCorpusTest, MessagesAreDecodedOrRefused) { Replay(Messages, "messages"); }
TEST(FuzzCorpusTest, ModelsOfTreesAreWalkedOrRefused) { Replay(Trees, "trees"); }

}  // namespace
}  // namespace elanus::fuzz
