// What every ObjectStore promises, as tests: each backend instantiates the suite with a medium.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/executor.h"
#include "store/conformance/object_medium.h"

namespace elanus::store {

TEST_P(ObjectConformance, ReadsTheBytesThatWerePutNoneLessAndNoneMore) {
  for (size_t size : {0, 1, 63, 64, 65, 4095, 4096, 4097, 3'000'000}) {
    const std::string key = fmt::format("sizes/{}", size);
    Put(key, Pattern(size));
    auto blob = objects_->Open(ctx_, key);
    ASSERT_TRUE(blob.ok()) << blob.status().ToString();
    EXPECT_TRUE(blob->bytes() == Pattern(size)) << size;
    EXPECT_EQ(reinterpret_cast<uintptr_t>(blob->bytes().data()) % 64, 0u) << size;
  }
}

TEST_P(ObjectConformance, SaysNotFoundForWhatIsNotThere) {
  Put("a/b", "x");
  for (const char* key : {"b", "a/c", "a", "a/b/c", "a/b/c/d", "A/b"}) {
    EXPECT_EQ(Read(key), "(not found)") << key;
  }
}

TEST_P(ObjectConformance, ReplacesAnObjectWhole) {
  Put("a/b", Pattern(10'000));
  Put("a/b", "short");
  EXPECT_EQ(Read("a/b"), "short");
  Put("a/b", "");
  EXPECT_EQ(Read("a/b"), "");
  Put("a/b", Pattern(5000));
  EXPECT_TRUE(Read("a/b") == Pattern(5000));
  EXPECT_EQ(List(""), Keys{"a/b"});
}

TEST_P(ObjectConformance, ListsByPrefixInTheOrderOfTheBytes) {
  for (const char* key : {"s/10", "s/9/x", "s0", "r/1", "s/1/b/c", "s/1-b", "\xc3\xa9"})
    Put(key, "x");
  EXPECT_EQ(List("s/"), (Keys{"s/1-b", "s/1/b/c", "s/10", "s/9/x"}));
  EXPECT_EQ(List("s/1"), (Keys{"s/1-b", "s/1/b/c", "s/10"})) << "a prefix may end inside a part";
  EXPECT_EQ(List("s"), (Keys{"s/1-b", "s/1/b/c", "s/10", "s/9/x", "s0"}));
  EXPECT_EQ(List(""), (Keys{"r/1", "s/1-b", "s/1/b/c", "s/10", "s/9/x", "s0", "\xc3\xa9"}));
  EXPECT_TRUE(List("t").empty());
  EXPECT_TRUE(List("s/10/").empty());
}

TEST_P(ObjectConformance, DeletesOneObjectAndSucceedsWhenThereIsNone) {
  Put("a/b/c", "1");
  Put("a/b/d", "2");
  for (const char* key : {"a/b/c", "a/b/c", "a", "a/b", "a/b/d/e", "never/there"}) Delete(key);
  EXPECT_EQ(List(""), Keys{"a/b/d"});
  EXPECT_EQ(Read("a/b/c"), "(not found)");
  EXPECT_EQ(Read("a/b/d"), "2");
  Delete("a/b/d");
  EXPECT_TRUE(List("").empty());
  Put("a", "a name that was a folder");
  EXPECT_EQ(List(""), Keys{"a"});
}

TEST_P(ObjectConformance, RefusesBadNames) {
  Put("a", "x");
  for (const char* bad : {"", "/a", "a/", "b//c", "../a", "b/..", ".", "./a", "b\\c", "b\nc",
                          ".hidden", "b/.writing-1"}) {
    EXPECT_EQ(objects_->Put(ctx_, bad, "y").code(), ErrorCode::kInvalidParameter) << bad;
    EXPECT_EQ(objects_->Open(ctx_, bad).status().code(), ErrorCode::kInvalidParameter) << bad;
    EXPECT_EQ(objects_->Delete(ctx_, bad).code(), ErrorCode::kInvalidParameter) << bad;
  }
  EXPECT_EQ(List(""), Keys{"a"});
}

TEST_P(ObjectConformance, KeepsAnOpenedObjectAsItWas) {
  const std::string before = Pattern(200'000);
  Put("a/replaced", before);
  Put("a/deleted", before);
  auto replaced = objects_->Open(ctx_, "a/replaced");
  auto deleted = objects_->Open(ctx_, "a/deleted");
  ASSERT_TRUE(replaced.ok());
  ASSERT_TRUE(deleted.ok());
  Put("a/replaced", "new");
  Delete("a/deleted");
  EXPECT_TRUE(replaced->bytes() == before);
  EXPECT_TRUE(deleted->bytes() == before);
  EXPECT_EQ(Read("a/replaced"), "new");
  objects_.reset();
  EXPECT_TRUE(replaced->bytes() == before) << "a blob outlives its store";
}

TEST_P(ObjectConformance, KeepsObjectsOverAReopening) {
  Put("a/b", "1");
  Put("a/c", "2");
  Delete("a/c");
  Reopen();
  EXPECT_EQ(List(""), Keys{"a/b"});
  EXPECT_EQ(Read("a/b"), "1");
}

TEST_P(ObjectConformance, ShowsNothingOfAPutThatACrashCutShort) {
  Put("a/old", "old");
  const Keys before = List("");
  for (const char* key : {"a/old", "a/new"}) {
    GetParam().crash_in_put(medium_, *objects_, key, Pattern(100'000));
    Reopen();
    EXPECT_EQ(List(""), before);
    EXPECT_EQ(Read("a/old"), "old");
    EXPECT_EQ(Read("a/new"), "(not found)");
  }
  Put("a/old", "newer");
  EXPECT_EQ(Read("a/old"), "newer");
}

TEST_P(ObjectConformance, ShowsAnObjectWrittenInPiecesOnlyOnceItIsFinished) {
  Put("a/b", "old");
  auto writer = objects_->Create(ctx_, "a/b");
  ASSERT_TRUE(writer.ok()) << writer.status().ToString();
  const std::string bytes = Pattern(300'000);
  for (size_t at = 0; at < bytes.size(); at += 70'000) {
    ASSERT_TRUE((*writer)->Append(std::string_view(bytes).substr(at, 70'000)).ok());
    EXPECT_EQ(Read("a/b"), "old");
  }
  ASSERT_TRUE((*writer)->Finish().ok());
  writer->reset();
  EXPECT_TRUE(Read("a/b") == bytes);
  EXPECT_EQ(List(""), Keys{"a/b"});
  EXPECT_EQ(objects_->Create(ctx_, "a//b").status().code(), ErrorCode::kInvalidParameter);
}

TEST_P(ObjectConformance, LeavesNothingOfAnObjectThatIsGivenUp) {
  {
    auto writer = objects_->Create(ctx_, "a/b");
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE((*writer)->Append(Pattern(100'000)).ok());
  }
  EXPECT_TRUE(List("").empty());
  Reopen();
  EXPECT_TRUE(List("").empty());
  EXPECT_EQ(Read("a/b"), "(not found)");
}

TEST_P(ObjectConformance, ShowsReadersWholeObjectsOnlyWhileFoldersComeAndGo) {
  std::atomic<bool> stop{false};
  std::atomic<int> reads{0};
  Put("shared", Pattern(30'000));
  const auto executor = MakeThreadExecutor();
  std::vector<std::unique_ptr<Worker>> workers;
  workers.push_back(executor->Spawn("reader", [&] {
    while (!stop) {
      const std::string read = Read("shared");
      EXPECT_TRUE(read == Pattern(30'000) || read == Pattern(70'000)) << read.size();
      List("folder/");
      ++reads;
    }
  }));
  for (int w = 0; w < 2; ++w) {
    workers.push_back(executor->Spawn("writer", [&, w] {
      const std::string key = fmt::format("folder/deep/{}", w);
      while (!stop) {
        Put(key, "mine");
        EXPECT_EQ(Read(key), "mine");
        Delete(key);
      }
    }));
  }
  for (int i = 0; i < 60 || (reads < 60 && !HasFailure()); ++i) {
    Put("shared", Pattern(i % 2 == 0 ? 70'000 : 30'000));
  }
  stop = true;
  workers.clear();
  EXPECT_EQ(List(""), Keys{"shared"});
}

}  // namespace elanus::store
