// An object store that hands every call on to another one: for tests that look at one of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "store/object_store.h"

namespace elanus::store {

/// As thread-safe as `inner`, which outlives it.
class ForwardingStore : public ObjectStore {
 public:
  explicit ForwardingStore(ObjectStore& inner) : inner_(inner) {}
  Status Put(Context& ctx, std::string_view key, std::string_view bytes) override {
    return inner_.Put(ctx, key, bytes);
  }
  Result<std::unique_ptr<ObjectWriter>> Create(Context& ctx, std::string_view key) override {
    return inner_.Create(ctx, key);
  }
  Result<Blob> Open(Context& ctx, std::string_view key) override { return inner_.Open(ctx, key); }
  Result<std::vector<std::string>> List(Context& ctx, std::string_view prefix) override {
    return inner_.List(ctx, prefix);
  }
  Status Delete(Context& ctx, std::string_view key) override { return inner_.Delete(ctx, key); }
  bool IsRemote() const override { return inner_.IsRemote(); }
  bool ForgetCopy(Context& ctx, std::string_view key) override {
    return inner_.ForgetCopy(ctx, key);
  }
  Result<size_t> EndUnfinished(Context& ctx, int64_t age_ms_min) override {
    return inner_.EndUnfinished(ctx, age_ms_min);
  }

 private:
  ObjectStore& inner_;
};

}  // namespace elanus::store
