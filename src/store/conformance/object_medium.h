// A medium to keep an object store on, and the fixture of its conformance suite.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "store/object_store.h"

namespace elanus::store {

/// A place where an object store keeps its objects.
struct ObjectMedium {
  std::string name;
  std::function<std::shared_ptr<void>()> make;  // A fresh medium.
  std::function<std::unique_ptr<ObjectStore>(const std::shared_ptr<void>&)> open;
  /// The process dies inside Put(key, bytes) on `store`, before the object is visible. The store is
  /// of no more use.
  std::function<void(const std::shared_ptr<void>&, ObjectStore& store, const std::string& key,
                     const std::string& bytes)>
      crash_in_put;
};
inline void PrintTo(const ObjectMedium& medium, std::ostream* out) { *out << medium.name; }

class ObjectConformance : public testing::TestWithParam<ObjectMedium> {
 protected:
  using Keys = std::vector<std::string>;
  void SetUp() override {
    medium_ = GetParam().make();
    Reopen();
  }
  void Reopen() {
    objects_.reset();
    objects_ = GetParam().open(medium_);
    ASSERT_NE(objects_, nullptr);
  }
  void Put(std::string_view key, std::string_view bytes) {
    const Status put = objects_->Put(ctx_, key, bytes);
    EXPECT_TRUE(put.ok()) << put.ToString();
  }
  void Delete(std::string_view key) {
    const Status deleted = objects_->Delete(ctx_, key);
    EXPECT_TRUE(deleted.ok()) << deleted.ToString();
  }
  /// The content, "(not found)", or the error's words.
  std::string Read(std::string_view key) {
    auto blob = objects_->Open(ctx_, key);
    if (blob.ok()) return std::string(blob->bytes());
    return blob.status().code() == ErrorCode::kKeyNotFound ? "(not found)"
                                                           : blob.status().ToString();
  }
  Keys List(std::string_view prefix) {
    auto keys = objects_->List(ctx_, prefix);
    EXPECT_TRUE(keys.ok()) << keys.status().ToString();
    return keys.ok() ? *keys : Keys();
  }
  static std::string Pattern(size_t size) {
    std::string bytes(size, '\0');
    for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>((i * 131 + size) >> 2);
    return bytes;
  }

  SystemClock clock_;
  Context ctx_{clock_};
  std::shared_ptr<void> medium_;
  std::unique_ptr<ObjectStore> objects_;
};

}  // namespace elanus::store
