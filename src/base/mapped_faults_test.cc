// Files that are cut off under a mapping, which the system tells as it tells a disk that fails.
#include "base/mapped_faults.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace elanus {
namespace {

class MappedFaults : public testing::Test {
 protected:
  MappedFaults() {
    fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
    const std::string bytes(kPages * page_, 'x');
    EXPECT_EQ(::pwrite(fd_, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    void* mapped = ::mmap(nullptr, bytes.size(), PROT_READ, MAP_SHARED, fd_, 0);
    EXPECT_NE(mapped, MAP_FAILED);
    mapped_ = {static_cast<const char*>(mapped), bytes.size()};
  }
  ~MappedFaults() override {
    ::munmap(const_cast<char*>(mapped_.data()), mapped_.size());
    ::close(fd_);
    ::unlink(path_.c_str());
  }
  void CutOff(size_t pages) { ASSERT_EQ(::ftruncate(fd_, static_cast<off_t>(pages * page_)), 0); }
  size_t Count(char wanted) const {
    return static_cast<size_t>(std::count(mapped_.begin(), mapped_.end(), wanted));
  }

  static constexpr size_t kPages = 8;
  const size_t page_ = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  const std::string path_ = testing::TempDir() + "mapped_faults_" + std::to_string(::getpid());
  int fd_ = -1;
  std::string_view mapped_;
};

TEST_F(MappedFaults, WhatIsThereIsReadAndNothingIsSaid) {
  const MappingWatch watch(mapped_, path_);
  EXPECT_EQ(Count('x'), mapped_.size());
  EXPECT_TRUE(CheckMapped(mapped_).ok());
}

TEST_F(MappedFaults, AReadBehindTheEndGivesZerosAndAnErrorWithFileAndOffset) {
  const MappingWatch watch(mapped_, path_);
  CutOff(3);
  EXPECT_TRUE(CheckMapped(mapped_).ok()) << "nobody has read there";
  EXPECT_EQ(Count('x'), 3 * page_);
  EXPECT_EQ(Count('\0'), 5 * page_);
  for (const std::string_view part :
       {mapped_, mapped_.substr(page_ + 1, 1), mapped_.substr(7 * page_)}) {
    const Status status = CheckMapped(part);
    EXPECT_EQ(status.code(), ErrorCode::kIntegrity);
    EXPECT_NE(status.message().find(fmt::format("{}: offset {}:", path_, 3 * page_)),
              std::string::npos)
        << status.message();
  }
  const std::string elsewhere = "on the heap";
  EXPECT_TRUE(CheckMapped(elsewhere).ok());
  EXPECT_TRUE(CheckMapped({}).ok());
}

TEST_F(MappedFaults, TheFirstPlaceThatFailedIsTold) {
  const MappingWatch watch(mapped_, path_);
  CutOff(2);
  EXPECT_EQ(mapped_[6 * page_], '\0');
  EXPECT_EQ(mapped_[2 * page_ + 5], '\0');
  EXPECT_NE(CheckMapped(mapped_).message().find(fmt::format("offset {}:", 2 * page_)),
            std::string::npos);
}

TEST_F(MappedFaults, AMappingOfTheRestoredFileIsGood) {
  {
    const MappingWatch watch(mapped_, path_);
    CutOff(0);
    EXPECT_EQ(Count('\0'), mapped_.size());
    EXPECT_FALSE(CheckMapped(mapped_).ok());
  }
  CutOff(kPages);
  ::munmap(const_cast<char*>(mapped_.data()), mapped_.size());
  mapped_ = {
      static_cast<const char*>(::mmap(nullptr, kPages * page_, PROT_READ, MAP_SHARED, fd_, 0)),
      kPages * page_};
  const MappingWatch watch(mapped_, path_);
  EXPECT_EQ(Count('\0'), mapped_.size());
  EXPECT_TRUE(CheckMapped(mapped_).ok());
}

TEST_F(MappedFaults, ManyThreadsMeetItAtOnce) {
  const MappingWatch watch(mapped_, path_);
  CutOff(1);
  std::vector<std::thread> threads;
  std::vector<size_t> found(4);
  std::vector<Status> told(4);
  for (size_t t = 0; t < found.size(); ++t) {
    threads.emplace_back([&, t] {
      found[t] = Count('x');
      told[t] = CheckMapped(mapped_);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (size_t t = 0; t < found.size(); ++t) {
    EXPECT_EQ(found[t], page_);
    EXPECT_EQ(told[t].code(), ErrorCode::kIntegrity);
  }
}

using MappedFaultsDeathTest = MappedFaults;

TEST_F(MappedFaultsDeathTest, WhatNobodyWatchesEndsTheProcessAsEver) {
  { const MappingWatch watch(mapped_, path_); }
  CutOff(0);
  EXPECT_EXIT(std::exit(Count('x') > 0 ? 1 : 0), testing::KilledBySignal(SIGBUS), "");
  EXPECT_EXIT(::raise(SIGBUS), testing::KilledBySignal(SIGBUS), "");
}

}  // namespace
}  // namespace elanus
