// The object store on S3.
//
// Invariants: (1) an object is in the remote store before its copy has its name here; (2) one
// download of a key at a time, by one of those who wait for it: when that one goes, another goes on
// where it ended, and without another what has come is dropped; (3) a copy that a download made is
// kept only if the object was neither written nor deleted since it began: both mark it stale under
// the key's lock of `keeping_`, and a stale download begins anew.
#include "backend/s3/s3_object_store.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <optional>
#include <set>

#include "backend/s3/metrics.h"
#include "base/log.h"
#include "store/object_key.h"

namespace elanus::backend {
namespace {

constexpr size_t kLocks = 64;
constexpr size_t kPartsOfOneSize = 1000;  // Then they double: S3 takes 10,000 parts.
constexpr auto kWaitStep = std::chrono::milliseconds(50);

class S3ObjectStore final : public store::ObjectStore {
 public:
  explicit S3ObjectStore(S3Parts parts)
      : client_(std::move(parts.client)),
        claim_(std::move(parts.claim)),
        copies_(std::move(parts.copies)),
        prefix_(parts.root_path.empty() ? "" : parts.root_path + "/"),
        part_bytes_(parts.part_bytes) {}

  Status Put(Context& ctx, std::string_view key, std::string_view bytes) override {
    TRY_ASSIGN(const auto writer, Create(ctx, key));
    TRY(writer->Append(bytes));
    return writer->Finish();
  }

  Result<std::unique_ptr<store::ObjectWriter>> Create(Context& ctx, std::string_view key) override {
    TRY(store::CheckObjectKey(key));
    TRY(ctx.CheckAlive());
    return std::unique_ptr<store::ObjectWriter>(
        std::make_unique<Writer>(*this, ctx, std::string(key)));
  }

  Result<Blob> Open(Context& ctx, std::string_view name) override {
    TRY(store::CheckObjectKey(name));
    const std::string key(name);
    for (bool is_first = true;; is_first = false) {
      auto copy = copies_->Find(ctx, key);
      if (is_first) CountCopy(copy.ok());
      if (copy.ok()) return copy;
      if (copy.status().code() != ErrorCode::kKeyNotFound) {
        LogWarn("a copy of an object cannot be opened, it is fetched anew error=\"{}\"",
                copy.status().ToString());
        ForgetCopy(ctx, key);
      }
      TRY(ctx.CheckAlive());
      TRY_ASSIGN(const std::optional<Blob> fetched, FetchOrWait(ctx, key));
      if (fetched) return *fetched;
    }
  }

  Result<std::vector<std::string>> List(Context& ctx, std::string_view prefix) override {
    std::vector<std::string> keys;
    std::string from;
    do {
      TRY(ctx.CheckAlive());
      TRY_ASSIGN(S3Page page, client_->List(ctx, prefix_ + std::string(prefix), from));
      for (const std::string& key : page.keys) {
        if (!key.starts_with(prefix_)) continue;
        std::string name = key.substr(prefix_.size());
        // What is not an object of ours begins with a dot, as the owner's mark does.
        if (store::CheckObjectKey(name).ok()) keys.push_back(std::move(name));
      }
      from = std::move(page.next);
    } while (!from.empty());
    std::sort(keys.begin(), keys.end());
    return keys;
  }

  Status Delete(Context& ctx, std::string_view name) override {
    TRY(store::CheckObjectKey(name));
    const std::string key(name);
    TRY(CheckClaim(ctx));
    Status deleted = client_->Delete(ctx, prefix_ + key);
    const std::lock_guard<std::mutex> lock(LockOf(key));
    MarkStale(key);
    copies_->Remove(ctx, key);
    return deleted;
  }

  bool IsRemote() const override { return true; }

  bool ForgetCopy(Context& ctx, std::string_view name) override {
    const std::string key(name);
    const std::lock_guard<std::mutex> lock(LockOf(key));
    return copies_->Remove(ctx, key);
  }

  Result<size_t> EndUnfinished(Context& ctx, int64_t age_ms_min) override {
    TRY(CheckClaim(ctx));
    TRY_ASSIGN(const auto all, client_->ListParts(ctx));
    size_t younger = 0;
    for (const S3Client::Unfinished& one : all) {
      // The root has one owner: what nobody here writes, nobody writes. A writer has its key before
      // its upload begins.
      if (!one.key.starts_with(prefix_)) continue;
      if (one.age_ms < age_ms_min || IsWriting(one.key.substr(prefix_.size()))) {
        ++younger;
        continue;
      }
      TRY(client_->GiveUpParts(ctx, one.key, one.upload));
      LogInfo("an upload that nobody finished is over key={} age_s={}", one.key, one.age_ms / 1000);
    }
    return younger;
  }

 private:
  // A download on its way.
  struct Fetch {
    explicit Fetch(Clock& clock) : ctx(clock) {}

    size_t callers = 0;         // Who wait for it, among them the one who downloads.
    bool is_worked_on = false;  // One of them does.
    bool is_done = false;
    bool is_stale = false;
    Status status;
    std::optional<Blob> blob;
    // Of the one who downloads, who leaves them to the next.
    Context ctx;  // Of the copy: it outlives those who write it.
    std::unique_ptr<store::ObjectWriter> copy;
    S3Progress progress;
  };

  // To the store in parts of which one is in memory, and to a copy here, which may fail: the object
  // is what counts.
  class Writer final : public store::ObjectWriter {
   public:
    Writer(S3ObjectStore& store, Context& ctx, std::string key)
        : store_(store), ctx_(ctx), key_(std::move(key)) {
      store_.NoteWriting(key_, true);
      KeepCopy(store_.copies_->Write(ctx_, key_));
    }
    ~Writer() override {
      if (!upload_.empty()) GiveUp();
      store_.NoteWriting(key_, false);
    }

    Status Append(std::string_view bytes) override {
      if (copy_ != nullptr) {
        const Status written = copy_->Append(bytes);
        if (!written.ok()) NoCopy(written);
      }
      while (!bytes.empty()) {
        const size_t size = PartBytes();
        const size_t count = std::min(bytes.size(), size - part_.size());
        part_.append(bytes.substr(0, count));
        bytes.remove_prefix(count);
        if (part_.size() == size) TRY(SendPart());
      }
      return {};
    }

    Status Finish() override {
      TRY(store_.CheckClaim(ctx_));
      if (upload_.empty()) {
        TRY(store_.client_->Put(ctx_, Remote(), part_));
      } else {
        if (!part_.empty()) TRY(SendPart());
        TRY(store_.client_->FinishParts(ctx_, Remote(), upload_, tags_));
        upload_.clear();
      }
      const std::lock_guard<std::mutex> lock(store_.LockOf(key_));
      store_.MarkStale(key_);
      if (copy_ != nullptr) {
        const Status kept = store_.copies_->Keep(ctx_, key_, *copy_).status();
        if (kept.ok()) return {};
        NoCopy(kept);
      }
      store_.copies_->Remove(ctx_, key_);  // Of an object that this one replaces.
      return {};
    }

   private:
    std::string Remote() const { return store_.prefix_ + key_; }
    // Also when the caller has gone: parts cost room that nobody sees.
    void GiveUp() {
      Context ctx(ctx_.clock());
      const Status given_up = store_.client_->GiveUpParts(ctx, Remote(), upload_);
      if (!given_up.ok()) LogWarn("parts of an object stay error=\"{}\"", given_up.ToString());
    }
    size_t PartBytes() const {
      return store_.part_bytes_ << std::min<size_t>(tags_.size() / kPartsOfOneSize, 8);
    }
    Status SendPart() {
      TRY(store_.CheckClaim(ctx_));
      if (upload_.empty()) {
        TRY_ASSIGN(upload_, store_.client_->BeginParts(ctx_, Remote()));
      }
      TRY_ASSIGN(std::string tag,
                 store_.client_->PutPart(ctx_, Remote(), upload_, tags_.size() + 1, part_));
      tags_.push_back(std::move(tag));
      part_.clear();
      return {};
    }
    void KeepCopy(Result<std::unique_ptr<store::ObjectWriter>> copy) {
      if (copy.ok()) {
        copy_ = std::move(*copy);
      } else {
        NoCopy(copy.status());
      }
    }
    void NoCopy(const Status& why) {
      LogWarn("an object is written without a copy here error=\"{}\"", why.ToString());
      copy_.reset();
    }

    S3ObjectStore& store_;
    Context& ctx_;
    const std::string key_;
    std::unique_ptr<store::ObjectWriter> copy_;
    std::string part_;
    std::string upload_;
    std::vector<std::string> tags_;
  };

  // Downloads, or waits for who does. Nothing: to be looked at again.
  Result<std::optional<Blob>> FetchOrWait(Context& ctx, const std::string& key) {
    std::unique_lock<std::mutex> lock(fetches_mutex_);
    auto& known = fetches_[key];
    if (known == nullptr) known = std::make_shared<Fetch>(ctx.clock());
    const std::shared_ptr<Fetch> fetch = known;
    ++fetch->callers;
    Status status;
    while (status.ok() && !fetch->is_done) {
      if (!fetch->is_worked_on) {
        status = WorkOn(ctx, key, *fetch, lock);
      } else {
        fetched_.wait_for(lock, kWaitStep);
        if (!fetch->is_done) status = ctx.CheckAlive();
      }
    }
    // The last one takes along what nobody waits for.
    if (--fetch->callers == 0 && !fetch->is_done) Forget(key, fetch);
    TRY(std::move(status));
    if (fetch->is_stale) return std::optional<Blob>();
    TRY(Status(fetch->status));
    return fetch->blob;
  }

  // Downloads to the end, or until the caller has gone, whose error it returns. Under the lock of
  // the fetches but for the download.
  Status WorkOn(Context& ctx, const std::string& key, Fetch& fetch,
                std::unique_lock<std::mutex>& lock) {
    fetch.is_worked_on = true;
    lock.unlock();
    Result<Blob> blob = Download(ctx, key, fetch);
    Status alive = blob.ok() ? Status() : ctx.CheckAlive();
    lock.lock();
    fetch.is_worked_on = false;
    fetched_.notify_all();
    if (!alive.ok() && !fetch.is_stale) return alive;
    fetch.is_done = true;
    fetch.status = blob.status();
    if (blob.ok()) fetch.blob = *std::move(blob);
    fetches_.erase(key);
    return {};
  }

  void Forget(const std::string& key, const std::shared_ptr<Fetch>& fetch) {
    const auto found = fetches_.find(key);
    if (found != fetches_.end() && found->second == fetch) fetches_.erase(found);
  }

  Result<Blob> Download(Context& ctx, const std::string& key, Fetch& fetch) {
    const auto begin_copy = [&]() -> Status {
      fetch.copy.reset();
      TRY_ASSIGN(fetch.copy, copies_->Write(fetch.ctx, key));
      return {};
    };
    if (fetch.copy == nullptr) TRY(begin_copy());
    const S3Sink sink{.take = [&](std::string_view piece) { return fetch.copy->Append(piece); },
                      .restart = begin_copy};
    const Status got = client_->Get(ctx, prefix_ + key, sink, fetch.progress);
    if (got.code() == ErrorCode::kKeyNotFound) {
      return Error(ErrorCode::kKeyNotFound, "{}[key={}]", InfoOf(ErrorCode::kKeyNotFound).name,
                   key);
    }
    TRY(Status(got));
    const std::lock_guard<std::mutex> lock(LockOf(key));
    {
      const std::lock_guard<std::mutex> state(fetches_mutex_);
      if (fetch.is_stale) return Status(ErrorCode::kCanceled, "it was written meanwhile");
    }
    Result<Blob> kept = copies_->Keep(fetch.ctx, key, *fetch.copy);
    if (kept.status().code() == ErrorCode::kKeyNotFound) {  // It had to go for others at once.
      const std::lock_guard<std::mutex> state(fetches_mutex_);
      fetch.is_stale = true;
    }
    return kept;
  }

  // Under the key's lock.
  void MarkStale(const std::string& key) {
    const std::lock_guard<std::mutex> lock(fetches_mutex_);
    const auto found = fetches_.find(key);
    if (found != fetches_.end() && found->second != nullptr) found->second->is_stale = true;
  }

  Status CheckClaim(Context& ctx) { return claim_ == nullptr ? Status() : claim_->Check(ctx); }

  void NoteWriting(const std::string& key, bool is_writing) {
    const std::lock_guard<std::mutex> lock(writing_mutex_);
    if (is_writing) {
      writing_.insert(key);
    } else {
      writing_.erase(writing_.find(key));
    }
  }
  bool IsWriting(const std::string& key) {
    const std::lock_guard<std::mutex> lock(writing_mutex_);
    return writing_.count(key) > 0;
  }

  std::mutex& LockOf(const std::string& key) {
    return keeping_[std::hash<std::string>()(key) % kLocks];
  }

  const std::unique_ptr<S3Client> client_;
  const std::unique_ptr<Claim> claim_;
  const std::unique_ptr<LocalCopies> copies_;
  const std::string prefix_;
  const size_t part_bytes_;
  std::array<std::mutex, kLocks> keeping_;  // Before `fetches_mutex_`; held while a copy is kept.
  std::mutex fetches_mutex_;                // Guards `fetches_` and what is in them.
  std::condition_variable fetched_;
  std::map<std::string, std::shared_ptr<Fetch>> fetches_;
  std::mutex writing_mutex_;
  std::multiset<std::string> writing_;  // Keys that writers have; of that mutex.
};

}  // namespace

std::unique_ptr<store::ObjectStore> MakeS3ObjectStore(S3Parts parts) {
  return std::make_unique<S3ObjectStore>(std::move(parts));
}

}  // namespace elanus::backend
