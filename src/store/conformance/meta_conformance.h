// What every MetaStore promises, as tests: each backend instantiates the suite with a medium.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/executor.h"
#include "store/conformance/meta_medium.h"

namespace elanus::store {

TEST_P(MetaConformance, ReadsWhatWasCommittedAndNothingElse) {
  EXPECT_EQ(Get("a"), std::nullopt);
  EXPECT_TRUE(Scan("").empty());
  EXPECT_TRUE(Put({{"a", "1"}, {"empty", ""}}));
  EXPECT_EQ(Get("a"), "1");
  EXPECT_EQ(Get("empty"), "") << "an empty value is a value";
  EXPECT_EQ(Get("b"), std::nullopt);
  EXPECT_EQ(Get("a/"), std::nullopt);
  EXPECT_TRUE(Commit({.compares = {}, .puts = {{"a", "2"}}, .deletes = {"empty", "never there"}}));
  EXPECT_EQ(Scan(""), (Pairs{{"a", "2"}}));
}

TEST_P(MetaConformance, ScansAPrefixInTheOrderOfTheBytes) {
  using std::string_literals::operator""s;
  const Pairs inside = {{"p/", "0"},     {"p/\0"s, "1"},  {"p/\0a"s, "2"},
                        {"p/10", "3"},   {"p/9", "4"},    {"p/\x7f", "5"},
                        {"p/\x80", "6"}, {"p/\xff", "7"}, {"p/\xff\xff", "8"}};
  Pairs shuffled(inside.rbegin(), inside.rend());
  shuffled.insert(shuffled.end(), {{"p", "outside"}, {"p0", "outside"}, {"o/x", "outside"}});
  EXPECT_TRUE(Put(shuffled));
  EXPECT_EQ(Scan("p/"), inside);
  EXPECT_EQ(Scan("p/\xff"), (Pairs{{"p/\xff", "7"}, {"p/\xff\xff", "8"}}));
  EXPECT_EQ(Scan("p/9"), (Pairs{{"p/9", "4"}}));
  EXPECT_TRUE(Scan("p/1x").empty());
  EXPECT_TRUE(Scan("q").empty());
  const Pairs all = Scan("");
  EXPECT_EQ(all.size(), inside.size() + 3);
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
}

TEST_P(MetaConformance, WritesNothingWhenOneCompareDoesNotHold) {
  EXPECT_TRUE(Put({{"a", "1"}, {"b", "2"}, {"empty", ""}}));
  const Pairs before = Scan("");
  const std::vector<std::vector<MetaTxn::Compare>> failing = {{{"a", "2"}},
                                                              {{"a", std::nullopt}},
                                                              {{"c", "1"}},
                                                              {{"c", ""}},
                                                              {{"empty", std::nullopt}},
                                                              {{"a", "1"}, {"b", "1"}},
                                                              {{"a", ""}},
                                                              {{"a", "1"}, {"b", "2"}, {"c", "3"}}};
  for (size_t i = 0; i < failing.size(); ++i) {
    EXPECT_FALSE(Commit(
        {.compares = failing[i], .puts = {{"a", "changed"}, {"new", "x"}}, .deletes = {"b"}}))
        << "compare " << i;
    EXPECT_EQ(Scan(""), before) << "compare " << i;
  }
  EXPECT_TRUE(Commit({.compares = {{"a", "1"}, {"c", std::nullopt}, {"empty", ""}},
                      .puts = {{"a", "changed"}, {"new", "x"}},
                      .deletes = {"b"}}));
  EXPECT_EQ(Scan(""), (Pairs{{"a", "changed"}, {"empty", ""}, {"new", "x"}}));
}

TEST_P(MetaConformance, JudgesATransactionThatOnlyCompares) {
  EXPECT_TRUE(Put({{"a", "1"}}));
  EXPECT_TRUE(Commit({.compares = {{"a", "1"}}, .puts = {}, .deletes = {}}));
  EXPECT_FALSE(Commit({.compares = {{"a", "2"}}, .puts = {}, .deletes = {}}));
}

TEST_P(MetaConformance, KeepsBigValuesAndManyKeys) {
  std::string big(5'000'000, '\0');
  for (size_t i = 0; i < big.size(); ++i) big[i] = static_cast<char>(i * 31 >> 3);
  EXPECT_TRUE(Put({{"big", big}}));
  Pairs many;
  for (int i = 0; i < 20'000; ++i)
    many.emplace_back(fmt::format("many/{:05}", i), fmt::format("{}", i));
  EXPECT_TRUE(Put(many));
  EXPECT_EQ(Scan("many/"), many);
  Reopen();
  EXPECT_TRUE(Get("big") == big);
  EXPECT_EQ(Scan("many/"), many);
}

TEST_P(MetaConformance, KeepsWhatWasCommittedOverAReopening) {
  EXPECT_TRUE(Put({{"a", "1"}, {"b", "2"}}));
  Reopen();
  EXPECT_TRUE(Commit({.compares = {{"a", "1"}}, .puts = {{"c", "3"}}, .deletes = {"a"}}));
  Reopen();
  EXPECT_EQ(Scan(""), (Pairs{{"b", "2"}, {"c", "3"}}));
}

TEST_P(MetaConformance, KeepsWhatWasCommittedOverACrash) {
  for (int round = 0; round < 3; ++round) {
    const std::string n = std::to_string(round);
    EXPECT_TRUE(Put({{"a/" + n, n}, {"b", n}, {"gone/" + n, n}}));
    EXPECT_TRUE(Commit({.compares = {{"b", n}}, .puts = {}, .deletes = {"gone/" + n}}));
    GetParam().crash(medium_);
    Reopen();
    EXPECT_EQ(Scan("a/").size(), static_cast<size_t>(round) + 1);
    EXPECT_EQ(Get("b"), n);
    EXPECT_TRUE(Scan("gone/").empty());
  }
}

TEST_P(MetaConformance, LetsOneOfSeveralWritersWinEachCompare) {
  constexpr int kWriters = 4;
  constexpr int kSteps = 20;
  EXPECT_TRUE(Put({{"n", "0"}}));
  const auto executor = MakeThreadExecutor();
  {
    std::vector<std::unique_ptr<Worker>> writers;
    for (int w = 0; w < kWriters; ++w) {
      writers.push_back(executor->Spawn("writer", [&] {
        for (int done = 0; done < kSteps && !HasFailure();) {
          const std::string seen = Get("n").value_or("lost");
          if (seen == "lost") break;
          done += Commit({.compares = {{"n", seen}},
                          .puts = {{"n", std::to_string(std::stoi(seen) + 1)}},
                          .deletes = {}});
        }
      }));
    }
  }
  EXPECT_EQ(Get("n"), std::to_string(kWriters * kSteps));
}

TEST_P(MetaConformance, ShowsReadersWholeTransactionsOnly) {
  EXPECT_TRUE(Put({{"a", "0"}, {"m/0", ""}, {"z", "0"}}));
  std::atomic<bool> stop{false};
  std::atomic<int> scans{0};
  const auto executor = MakeThreadExecutor();
  std::vector<std::unique_ptr<Worker>> readers;
  for (int r = 0; r < 2; ++r) {
    readers.push_back(executor->Spawn("reader", [&] {
      while (!stop) {
        const Pairs all = Scan("");
        ++scans;
        ASSERT_EQ(all.size(), 3u);
        EXPECT_EQ(all[0].second, all[2].second);
        EXPECT_EQ(all[1].first, "m/" + all[0].second);
      }
    }));
  }
  for (int i = 1; i <= 100 || (scans < 20 && !HasFailure()); ++i) {
    const std::string n = std::to_string(i);
    EXPECT_TRUE(Commit({.compares = {},
                        .puts = {{"a", n}, {"m/" + n, ""}, {"z", n}},
                        .deletes = {"m/" + std::to_string(i - 1)}}));
  }
  stop = true;
  readers.clear();
}

}  // namespace elanus::store
