// Runs every case file in every state, once for each way to index that the file names, over gRPC.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/log.h"
#include "runner.h"

namespace elanus::cases {
namespace {

struct Run {
  std::string file;
  std::string variant_name;
  size_t variant = 0;
  State state = State::kGrowing;
};

std::string NameOf(State state) {
  switch (state) {
    case State::kGrowing:
      return "growing";
    case State::kSealed:
      return "sealed";
    case State::kMixed:
      return "mixed";
    case State::kRestarted:
      return "restarted";
    case State::kSealedRestarted:
      return "sealed_restarted";
  }
  return {};
}

std::string NameOf(const Run& run) {
  const std::string file = std::filesystem::path(run.file).stem().string();
  if (run.variant_name.empty()) return fmt::format("{}_{}", file, NameOf(run.state));
  return fmt::format("{}_{}_{}", file, NameOf(run.state), run.variant_name);
}

Result<Case> ReadCase(const std::string& file) {
  std::ifstream stream(file);
  std::stringstream text;
  text << stream.rdbuf();
  return ParseCase(std::filesystem::path(file).stem().string(), text.str());
}

std::vector<Run> AllRuns() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(ELANUS_CASES_DIRECTORY)) {
    if (entry.path().extension() == ".case") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  std::vector<Run> runs;
  for (const std::string& file : files) {
    const auto parsed = ReadCase(file);
    // A file that cannot be read has one run, which says why.
    const std::vector<std::string> variants =
        parsed.ok() ? Variants(*parsed) : std::vector<std::string>{""};
    for (size_t i = 0; i < variants.size(); ++i) {
      for (State state : {State::kGrowing, State::kSealed, State::kMixed, State::kRestarted,
                          State::kSealedRestarted}) {
        runs.push_back({file, variants[i], i, state});
      }
    }
  }
  return runs;
}

// In memory where the machine has such a folder: waiting for a disk took nine tenths of the time,
// and what survives a power cut is tested elsewhere.
std::string ParentDirectory() {
  constexpr const char* kInMemory = "/dev/shm/";
  return ::access(kInMemory, W_OK) == 0 ? kInMemory : testing::TempDir();
}

/// A directory that goes with its owner.
class OwnDirectory {
 public:
  OwnDirectory() : path_(ParentDirectory() + "elanus-case-XXXXXX") {
    made_ = ::mkdtemp(path_.data()) != nullptr;
  }
  ~OwnDirectory() {
    std::error_code ignored;
    if (made_) std::filesystem::remove_all(path_, ignored);
  }
  bool made() const { return made_; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  bool made_ = false;
};

std::vector<std::string> RunIn(State state, size_t variant, const Case& parsed) {
  OwnDirectory directory;
  if (!directory.made()) return {"no directory could be made"};
  return Runner(state, variant, directory.path()).Run(parsed);
}

// How a failure prints its parameter.
void PrintTo(const Run& run, std::ostream* out) { *out << NameOf(run); }

class CaseFile : public testing::TestWithParam<Run> {};

TEST_P(CaseFile, AnswersAsWritten) {
  SetLogLevel(LogLevel::kError);
  const auto parsed = ReadCase(GetParam().file);
  ASSERT_TRUE(parsed.ok()) << GetParam().file << ": " << parsed.status().ToString();
  for (const std::string& complaint : RunIn(GetParam().state, GetParam().variant, *parsed)) {
    ADD_FAILURE() << GetParam().file << " " << complaint;
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, CaseFile, testing::ValuesIn(AllRuns()),
                         [](const auto& info) { return NameOf(info.param); });

// The runner itself must be able to say no: each of these outcomes is wrong.
TEST(CaseRunner, ComplainsOfEveryStatementThatComesOutOtherwise) {
  SetLogLevel(LogLevel::kError);
  constexpr std::string_view kWrong = R"(
schema  id:int64:pk  n:int64  v:float_vector(2)
row     1  10  [0, 0]
row     2  20  [1, 0]
filter  n > 10                    ids 1
filter  n > 10                    ids 1 2
filter  n > 10                    error 1100
filter  n >                       ids none
filter  n >                       error 1101
filter  n >                       error 1100 no such words
filter  n > 10                    rows {"id": 3}
count   n > 10                    count 2
search  [0, 0]                    hits 1:0 2:2
search  [0, 0]                    ids 2 1
search  [0, 0]                    hits 1:0
delete  id == 1                   count 2
insert  3  "text"  [0, 0]
)";
  const auto parsed = ParseCase("wrong", kWrong);
  ASSERT_TRUE(parsed.ok());
  const auto complaints = RunIn(State::kGrowing, 0, *parsed);
  for (const std::string& complaint : complaints) SCOPED_TRACE(complaint);
  EXPECT_EQ(complaints.size(), parsed->steps.size() - 3);
}

TEST(CaseParser, NamesTheLineThatItCannotRun) {
  const auto parsed = ParseCase("bad", "schema  id:int64:pk\nfilterr  id > 1  ids none\n");
  ASSERT_TRUE(parsed.ok());
  const auto complaints = RunIn(State::kGrowing, 0, *parsed);
  ASSERT_EQ(complaints.size(), 1u);
  EXPECT_NE(complaints[0].find("line 2: unknown statement: filterr"), std::string::npos)
      << complaints[0];
}

TEST(CaseParser, TakesTheLastOutcomeOfALine) {
  const auto parsed = ParseCase("one", "filter  s == \"a  ids b\" or s is  null  ids 1 2\n");
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->steps[0].body, "s == \"a  ids b\" or s is  null");
  EXPECT_EQ(parsed->steps[0].outcome, "ids");
  EXPECT_EQ(parsed->steps[0].expected, "1 2");
}

TEST(CaseParser, GoesOnWithAnIndentedLine) {
  const auto parsed =
      ParseCase("one", "filter  n > 1\n        ids 1\n# note\nfilter  n > 2  ids none\n");
  ASSERT_TRUE(parsed.ok());
  ASSERT_EQ(parsed->steps.size(), 2u);
  EXPECT_EQ(parsed->steps[0].body, "n > 1");
  EXPECT_EQ(parsed->steps[0].expected, "1");
}

}  // namespace
}  // namespace elanus::cases
