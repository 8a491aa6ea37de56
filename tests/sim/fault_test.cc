// Every operation of a scripted workload on the disk fails once, in every way: nothing that was
// acknowledged is lost, nothing deleted comes back, nothing is half there, and the next start
// works.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/log.h"
#include "tests/sim/fault_trial.h"

namespace elanus {
namespace {

using backend::Fault;

// Of the points one in so many is tried. ELANUS_FAULT_STRIDE=1: all, which takes minutes.
constexpr uint64_t kStride = 37;

uint64_t Stride() {
  const char* text = std::getenv("ELANUS_FAULT_STRIDE");
  return text != nullptr ? std::max<uint64_t>(1, std::strtoull(text, nullptr, 10)) : kStride;
}

class Faults : public testing::TestWithParam<Fault> {
 protected:
  Faults() { SetLogLevel(LogLevel::kOff); }  // Failures are the point here.
  ~Faults() override { SetLogLevel(LogLevel::kInfo); }
};

TEST(FaultTrial, ChangesTheDiskOftenEnoughToBeWorthTrying) {
  FaultTrial trial(std::nullopt);
  trial.Run();
  EXPECT_FALSE(trial.has_struck());
  EXPECT_GT(trial.operations(), 300u);
  EXPECT_EQ(trial.acknowledged(), 13u);
}

TEST_P(Faults, LoseNothingAtAnyOperation) {
  if (const char* one = std::getenv("ELANUS_FAULT_AT")) {
    FaultTrial({{.fault = GetParam(), .at = std::strtoull(one, nullptr, 10)}}).Run();
    return;
  }
  FaultTrial clean(std::nullopt);
  clean.Run();
  ASSERT_FALSE(HasFailure());
  const uint64_t stride = Stride();
  const bool is_of_reads = GetParam() == Fault::kReadError || GetParam() == Fault::kShortRead;
  const uint64_t operations = is_of_reads ? clean.reads() : clean.operations();
  uint64_t struck = 0;
  uint64_t compared = 0;
  // Each kind of fault begins at another place, so that together they meet more of them.
  for (uint64_t at = static_cast<uint64_t>(GetParam()) * 5 % stride; at < operations;
       at += stride) {
    // A disk is full for a while, other failures are of a moment.
    FaultTrial trial(
        {{.fault = GetParam(), .at = at, .count = GetParam() == Fault::kNoSpace ? 40u : 1u}});
    trial.Run();
    struck += trial.has_struck() ? 1 : 0;
    compared += trial.compared();
    if (HasFailure()) return;
  }
  EXPECT_GT(struck, 0u);
  RecordProperty("faults", static_cast<int>(struck));
  RecordProperty("rows_compared", static_cast<int>(compared));
  std::printf("%s: %lu of %lu operations struck, %lu rows compared\n",
              std::string(NameOf(GetParam())).c_str(), static_cast<unsigned long>(struck),
              static_cast<unsigned long>(operations), static_cast<unsigned long>(compared));
}

INSTANTIATE_TEST_SUITE_P(All, Faults,
                         testing::Values(Fault::kIoError, Fault::kShortWrite, Fault::kNoSpace,
                                         Fault::kFailedSync, Fault::kKill, Fault::kPowerOff,
                                         Fault::kReadError, Fault::kShortRead),
                         [](const auto& info) {
                           std::string name(NameOf(info.param));
                           std::replace(name.begin(), name.end(), ' ', '_');
                           return name;
                         });

}  // namespace
}  // namespace elanus
