// A medium to keep a meta store on, and the fixture of its conformance suite.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/meta_store.h"

namespace elanus::store {

/// A place where a meta store keeps its pairs.
struct MetaMedium {
  std::string name;
  std::function<std::shared_ptr<void>()> make;  // A fresh medium.
  std::function<std::unique_ptr<MetaStore>(const std::shared_ptr<void>&)> open;
  /// The process dies now: the medium holds what a store opened after that finds. Stores that are
  /// open are of no more use.
  std::function<void(const std::shared_ptr<void>&)> crash;
};
inline void PrintTo(const MetaMedium& medium, std::ostream* out) { *out << medium.name; }

class MetaConformance : public testing::TestWithParam<MetaMedium> {
 protected:
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  void SetUp() override {
    medium_ = GetParam().make();
    Reopen();
  }
  void Reopen() {
    meta_.reset();
    meta_ = GetParam().open(medium_);
    ASSERT_NE(meta_, nullptr);
  }
  bool Commit(const MetaTxn& txn) {
    auto applied = meta_->Commit(ctx_, txn);
    EXPECT_TRUE(applied.ok()) << applied.status().ToString();
    return applied.ok() && *applied;
  }
  bool Put(Pairs pairs) {
    return Commit({.compares = {}, .puts = std::move(pairs), .deletes = {}});
  }
  std::optional<std::string> Get(std::string_view key) {
    auto value = meta_->Get(ctx_, key);
    EXPECT_TRUE(value.ok()) << value.status().ToString();
    return value.ok() ? *value : std::nullopt;
  }
  Pairs Scan(std::string_view prefix) {
    auto pairs = meta_->Scan(ctx_, prefix);
    EXPECT_TRUE(pairs.ok()) << pairs.status().ToString();
    return pairs.ok() ? *pairs : Pairs();
  }

  SystemClock clock_;
  Context ctx_{clock_};
  std::shared_ptr<void> medium_;
  std::unique_ptr<MetaStore> meta_;
};

}  // namespace elanus::store
