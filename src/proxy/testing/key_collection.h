// For tests of rows: a cluster in memory, and a collection that has nothing but its key `id` yet.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "base/check.h"
#include "server/fake_cluster.h"
#include "store/memory/memory_disk.h"

namespace elanus::proxy {

class KeyCollectionTest : public testing::Test {
 protected:
  KeyCollectionTest() : executor_(MakeThreadExecutor()) {
    auto opened = server::OpenFakeCluster(disk_, *executor_, clock_);
    CHECK(opened.ok());
    cluster_ = std::move(*opened);
    info_.schema.name = "c";
    AddField({.name = "id", .type = model::DataType::kInt64, .is_primary_key = true});
  }
  /// Its id is 100 and the number of fields before it.
  void AddField(model::FieldSchema field) {
    field.id = FieldId(100 + static_cast<int64_t>(info_.schema.fields.size()));
    info_.schema.fields.push_back(std::move(field));
  }

  std::unique_ptr<Executor> executor_;
  ManualClock clock_;
  store::MemoryDisk disk_;
  std::unique_ptr<server::RoleSet> cluster_;
  model::CollectionInfo info_;
};

}  // namespace elanus::proxy
