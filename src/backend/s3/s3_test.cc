// An object store in trouble: what is tried again, what is told, what is kept here, whose it is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "backend/s3/ownership.h"
#include "backend/s3/s3_object_store.h"
#include "backend/s3/testing/s3_stand_in.h"
#include "base/log.h"

namespace elanus::backend {
namespace {

using Asked = S3StandIn::Asked;
using Fault = S3StandIn::Fault;
using testing::HasSubstr;
using testing::Not;

const char* kBusy =
    "<?xml version=\"1.0\"?><Error><Code>SlowDown</Code><Message>Please hush, key-id"
    "</Message></Error>";

std::string Pattern(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>((i * 131 + size) >> 2);
  return bytes;
}

class S3Test : public testing::Test {
 protected:
  S3Test() {
    SetLogLevel(LogLevel::kOff);
    std::string name = (std::filesystem::temp_directory_path() / "elanus-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    options_.address = "127.0.0.1";
    options_.port = stand_in_.port();
    options_.access_key_id = "key-id";
    options_.secret_access_key = "hush";
    options_.root_path = "root";
    options_.request_timeout_ms = 300;
    Open();
    EXPECT_TRUE(Client()->MakeBucket(ctx_).ok());
  }
  ~S3Test() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
    SetLogLevel(LogLevel::kInfo);
  }
  std::unique_ptr<S3Client> Client() {
    return std::make_unique<S3Client>(http::MakeClient({.connect_timeout_ms = 300}), options_,
                                      /*first_pause_ms=*/2);
  }
  void Open(int64_t copy_bytes_max = 1 << 30) {
    store_.reset();
    store_ = MakeS3ObjectStore({.client = Client(),
                                .copies = std::move(*LocalCopies::Open(folder_, copy_bytes_max)),
                                .root_path = options_.root_path,
                                .part_bytes = 1000});
  }
  /// The requests for `beginning`, in the order of their coming, get these faults; later ones none.
  void Fail(const std::string& beginning, std::vector<Fault> faults) {
    auto left = std::make_shared<std::vector<Fault>>(std::move(faults));
    auto mutex = std::make_shared<std::mutex>();
    stand_in_.OnAsked([=](const Asked& asked) -> std::optional<Fault> {
      const std::lock_guard<std::mutex> lock(*mutex);
      if (left->empty() || !(asked.method + " " + asked.key).starts_with(beginning)) {
        return std::nullopt;
      }
      const Fault fault = left->front();
      left->erase(left->begin());
      return fault;
    });
  }
  void AlwaysFail(const std::string& beginning, const Fault& fault) {
    stand_in_.OnAsked([=](const Asked& asked) -> std::optional<Fault> {
      if (!(asked.method + " " + asked.key).starts_with(beginning)) return std::nullopt;
      return fault;
    });
  }
  std::string Read(const std::string& key) {
    const auto blob = store_->Open(ctx_, key);
    return blob.ok() ? std::string(blob->bytes()) : blob.status().ToString();
  }
  std::set<std::string> Copies() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
      if (entry.is_regular_file()) {
        names.insert(std::filesystem::relative(entry.path(), folder_).string());
      }
    }
    return names;
  }
  using Names = std::set<std::string>;

  SystemClock clock_;
  Context ctx_{clock_};
  S3StandIn stand_in_;
  std::string folder_;
  ObjectStoreOptions options_;
  std::unique_ptr<store::ObjectStore> store_;
};

TEST_F(S3Test, WhatIsBusyOrDoesNotAnswerIsAskedAgain) {
  Fail("PUT root/a", {{.status = 503, .body = kBusy},
                      {.status = 500, .body = "no XML at all"},
                      {.status = 429},
                      {.status = 200, .body = "cut before its end", .sent_max = 3}});
  ASSERT_TRUE(store_->Put(ctx_, "a", "x").ok());
  EXPECT_EQ(stand_in_.asked("PUT root/a").size(), 5u);
  EXPECT_EQ(stand_in_.Object("root/a"), "x");
}

TEST_F(S3Test, WhatStaysInTroubleIsAnErrorThatSaysWhereAndTellsNoSecret) {
  AlwaysFail("PUT root/a", {.status = 503, .body = kBusy});
  const Status put = store_->Put(ctx_, "a", "x");
  EXPECT_EQ(put.code(), ErrorCode::kServiceUnavailable);
  EXPECT_TRUE(InfoOf(put.code()).retriable);
  const std::string says(put.message());
  for (const std::string& part :
       {fmt::format("127.0.0.1:{}", stand_in_.port()), std::string("bucket a-bucket"),
        std::string("PUT root/a"), std::string("503"), std::string("SlowDown")}) {
    EXPECT_THAT(says, HasSubstr(part));
  }
  EXPECT_THAT(says, Not(HasSubstr("hush")));
  EXPECT_THAT(says, Not(HasSubstr("key-id")));
  EXPECT_EQ(stand_in_.asked("PUT root/a").size(), static_cast<size_t>(S3Client::kAttempts));
}

TEST_F(S3Test, ARefusalIsNotTriedAgain) {
  AlwaysFail(
      "GET root/a",
      {.status = 403, .body = "<Error><Code>AccessDenied</Code><Message>m</Message></Error>"});
  const Status read = store_->Open(ctx_, "a").status();
  EXPECT_EQ(read.code(), ErrorCode::kIoFailed);
  EXPECT_THAT(std::string(read.message()), HasSubstr("AccessDenied: m"));
  EXPECT_EQ(stand_in_.asked("GET root/a").size(), 1u);
}

TEST_F(S3Test, AWriteThatMinioDeniesWhileAFolderGoesIsTriedAgain) {
  const Fault denied{.status = 403, .body = "<Error><Code>AccessDenied</Code></Error>"};
  Fail("PUT root/a", {denied});
  EXPECT_TRUE(store_->Put(ctx_, "a", "x").ok());
  AlwaysFail("PUT root/a", denied);
  EXPECT_EQ(store_->Put(ctx_, "a", "x").code(), ErrorCode::kIoFailed);
}

TEST_F(S3Test, ABucketThatSomebodyElseMakesMeanwhileWillDo) {
  Fail("", {{.status = 404},
            {.status = 409,
             .body = "<Error><Code>BucketAlreadyOwnedByYou</Code>"
                     "</Error>"}});
  EXPECT_TRUE(Client()->MakeBucket(ctx_).ok());
  AlwaysFail("GET ", {.status = 403});
  EXPECT_EQ(Client()->MakeBucket(ctx_).code(), ErrorCode::kIoFailed);
}

TEST_F(S3Test, NobodyThereIsAnErrorThatMayPass) {
  options_.port = 1;
  Open();
  EXPECT_EQ(store_->Open(ctx_, "a").status().code(), ErrorCode::kServiceUnavailable);
  EXPECT_EQ(store_->List(ctx_, "").status().code(), ErrorCode::kServiceUnavailable);
  EXPECT_EQ(store_->Delete(ctx_, "a").code(), ErrorCode::kServiceUnavailable);
}

TEST_F(S3Test, AFetchGoesOnWhereTheConnectionBroke) {
  const std::string bytes = Pattern(3'000'000);
  stand_in_.SetObject("root/a", bytes);
  Fail("GET root/a", {{.sent_max = 1'000'000}, {.sent_max = 500'000}, {.sent_max = 0}});
  EXPECT_TRUE(Read("a") == bytes);
  const auto asked = stand_in_.asked("GET root/a");
  ASSERT_EQ(asked.size(), 4u);
  EXPECT_EQ(asked[0].headers.count("range"), 0u);
  EXPECT_EQ(asked[1].headers.at("range"), "bytes=1000000-");
  EXPECT_EQ(asked[3].headers.at("range"), "bytes=1500000-");
}

TEST_F(S3Test, AFetchBeginsAnewWhenTheObjectHasChangedMeanwhile) {
  stand_in_.SetObject("root/a", Pattern(100'000));
  auto count = std::make_shared<std::atomic<int>>(0);
  stand_in_.OnAsked([=, this](const Asked& asked) -> std::optional<Fault> {
    if (asked.method != "GET" || asked.key != "root/a") return std::nullopt;
    const int number = count->fetch_add(1);
    if (number == 0) return Fault{.sent_max = 50'000};
    if (number == 1) stand_in_.SetObject("root/a", Pattern(70'000));
    return std::nullopt;
  });
  EXPECT_TRUE(Read("a") == Pattern(70'000));
}

TEST_F(S3Test, AnAnswerThatStandsStillIsGivenUpAndTriedAgain) {
  stand_in_.SetObject("root/a", "x");
  Fail("GET root/a", {{.wait_ms = 5000}});
  const int64_t begin_us = clock_.MonotonicUs();
  EXPECT_EQ(Read("a"), "x");
  EXPECT_LT(clock_.MonotonicUs() - begin_us, 4'000'000);
}

TEST_F(S3Test, WhoeverGoesDoesNotWait) {
  AlwaysFail("GET root/a", {.wait_ms = 20'000});
  options_.request_timeout_ms = 20'000;
  Open();
  Context hasty(clock_, clock_.MonotonicUs() + 100'000);
  const int64_t begin_us = clock_.MonotonicUs();
  EXPECT_EQ(store_->Open(hasty, "a").status().code(), ErrorCode::kDeadlineExceeded);
  EXPECT_LT(clock_.MonotonicUs() - begin_us, 5'000'000);
  EXPECT_TRUE(Copies().empty());
  // Nor does one who pauses between two attempts.
  AlwaysFail("GET root/b", {.status = 503});
  Context gone(clock_);
  gone.Cancel();
  EXPECT_EQ(store_->Open(gone, "b").status().code(), ErrorCode::kCanceled);
}

TEST_F(S3Test, AListingThatIsNoneIsAnError) {
  for (const char* body : {"", "<html>", "not <xml", "<ListBucketResult></ListBucketResult>",
                           "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
                           "<ListBucketResult><Contents/><IsTruncated>false</IsTruncated>"
                           "</ListBucketResult>"}) {
    AlwaysFail("GET ", {.status = 200, .body = body});
    EXPECT_EQ(store_->List(ctx_, "").status().code(), ErrorCode::kSerialization) << body;
  }
}

TEST_F(S3Test, KeysWithAnyCharactersGoThereAndBack) {
  stand_in_.page_keys = 1;
  const std::vector<std::string> keys = {"a b", "a&b<c>", "a+b=c", "a/%41", "\xc3\xa9/~'\"*"};
  for (const std::string& key : keys) ASSERT_TRUE(store_->Put(ctx_, key, key).ok());
  EXPECT_EQ(*store_->List(ctx_, ""), keys);
  Open();
  std::filesystem::remove_all(folder_);
  std::filesystem::create_directory(folder_);
  Open();
  for (const std::string& key : keys) EXPECT_EQ(Read(key), key);
}

TEST_F(S3Test, LargeObjectsGoInPartsAndNoneIsLeftOfWhatIsGivenUp) {
  const std::string bytes = Pattern(4500);
  Fail("PUT root/a", {{}, {.status = 503}, {}, {}});
  Fail("POST root/a", {{}, {.status = 200, .body = kBusy}});  // Put together, it says, and is not.
  ASSERT_TRUE(store_->Put(ctx_, "a", bytes).ok());
  EXPECT_TRUE(stand_in_.Object("root/a") == bytes);
  EXPECT_EQ(stand_in_.asked("PUT root/a").size(), 5u);
  EXPECT_EQ(stand_in_.open_uploads(), 0u);

  AlwaysFail("PUT root/b", {.status = 403});
  EXPECT_EQ(store_->Put(ctx_, "b", bytes).code(), ErrorCode::kIoFailed);
  EXPECT_EQ(stand_in_.open_uploads(), 0u);
  EXPECT_EQ(Read("b").substr(0, 13), "key not found");
  EXPECT_EQ(Copies(), Names{"a"});
}

TEST_F(S3Test, AnUploadEndsAtItsAgeByTheClockOfTheStore) {
  for (const char* key : {"root/a", "root/b", "other/a"}) {
    ASSERT_TRUE(Client()->BeginParts(ctx_, key).ok());
  }
  stand_in_.MakeUploadsOlder(50);
  ASSERT_TRUE(Client()->BeginParts(ctx_, "root/c").ok());
  EXPECT_EQ(*store_->EndUnfinished(ctx_, 100'000), 3u);
  EXPECT_EQ(stand_in_.open_uploads(), 4u);
  EXPECT_EQ(*store_->EndUnfinished(ctx_, 40'000), 1u);
  EXPECT_EQ(stand_in_.open_uploads(), 2u);
  EXPECT_EQ(*ReadHttpTime("Sun, 22 Nov 2026 23:30:00 GMT"),
            *ReadXmlTime("2026-11-22T23:30:00.123Z"));
  EXPECT_FALSE(ReadHttpTime("today").has_value());
  EXPECT_FALSE(ReadXmlTime("").has_value());
  for (const char* body :
       {"",
        "<ListMultipartUploadsResult><Upload><Key>a</Key></Upload></ListMultipartUploadsResult>",
        "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated></"
        "ListMultipartUploadsResult>"}) {
    AlwaysFail("GET ", {.status = 200, .body = body});
    EXPECT_EQ(store_->EndUnfinished(ctx_, 0).status().code(), ErrorCode::kSerialization) << body;
  }
}

TEST_F(S3Test, PartsThatWerePutTogetherWhileTheAnswerWasLostAreAnErrorThatMayPass) {
  Fail("POST root/a", {{}, {.sent_max = 0}});
  EXPECT_EQ(store_->Put(ctx_, "a", Pattern(2500)).code(), ErrorCode::kServiceUnavailable);
  EXPECT_TRUE(store_->Put(ctx_, "a", Pattern(2500)).ok());
  EXPECT_TRUE(Read("a") == Pattern(2500));
  EXPECT_EQ(stand_in_.open_uploads(), 0u);
}

TEST_F(S3Test, WhatWasWrittenOrFetchedIsNotFetchedAgain) {
  ASSERT_TRUE(store_->Put(ctx_, "a/b", "mine").ok());
  stand_in_.SetObject("root/c", "theirs");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Read("a/b"), "mine");
    EXPECT_EQ(Read("c"), "theirs");
  }
  Open();  // Another process finds what this one has left, but for halves.
  EXPECT_EQ(Read("a/b"), "mine");
  EXPECT_EQ(stand_in_.asked("GET root/a/b").size(), 0u);
  EXPECT_EQ(stand_in_.asked("GET root/c").size(), 1u);
  std::ofstream(folder_ + "/.writing-7") << "half";
  Open();
  EXPECT_EQ(Copies(), (Names{"a/b", "c"}));
}

TEST_F(S3Test, CopiesStayWithinTheirBoundThoseUsedLastFirst) {
  Open(/*copy_bytes_max=*/1000);
  for (const char* key : {"a", "b", "c"}) ASSERT_TRUE(store_->Put(ctx_, key, Pattern(300)).ok());
  const auto blob = store_->Open(ctx_, "a");
  ASSERT_TRUE(blob.ok());
  ASSERT_TRUE(store_->Put(ctx_, "d", Pattern(300)).ok());
  EXPECT_EQ(Copies(), (Names{"a", "c", "d"}));
  ASSERT_TRUE(store_->Put(ctx_, "large", Pattern(5000)).ok());
  EXPECT_TRUE(Copies().empty());
  EXPECT_TRUE(blob->bytes() == Pattern(300)) << "what is open outlives its file";
  EXPECT_TRUE(Read("large") == Pattern(5000));
  EXPECT_TRUE(Read("b") == Pattern(300));
  EXPECT_EQ(Copies(), Names{"b"});
  Open(/*copy_bytes_max=*/100);  // A smaller one from now on.
  EXPECT_TRUE(Copies().empty());
}

TEST_F(S3Test, ADamagedCopyIsForgottenAndFetchedAnew) {
  stand_in_.SetObject("root/a", Pattern(500));
  Fail("GET root/a", {{.is_altered = true}});
  EXPECT_FALSE(Read("a") == Pattern(500));
  EXPECT_TRUE(store_->ForgetCopy(ctx_, "a"));
  EXPECT_TRUE(Read("a") == Pattern(500));
  EXPECT_FALSE(store_->ForgetCopy(ctx_, "never there"));
  EXPECT_EQ(stand_in_.asked("GET root/a").size(), 2u);
}

TEST_F(S3Test, ManyWhoOpenAnObjectWaitForOneDownload) {
  const std::string bytes = Pattern(200'000);
  stand_in_.SetObject("root/a", bytes);
  Fail("GET root/a", {{.wait_ms = 150}});
  std::vector<std::thread> readers;
  std::atomic<int> right{0};
  for (int i = 0; i < 8; ++i) {
    readers.emplace_back([&] { right += Read("a") == bytes ? 1 : 0; });
  }
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(right, 8);
  EXPECT_EQ(stand_in_.asked("GET root/a").size(), 1u);
}

TEST_F(S3Test, WhoeverWaitsGoesOnWhenTheOneThatDownloadsHasGone) {
  stand_in_.SetObject("root/a", "x");
  options_.request_timeout_ms = 10'000;
  Open();
  Fail("GET root/a", {{.wait_ms = 1500}});
  std::atomic<int> code{0};
  std::thread hasty([&] {
    Context ctx(clock_, clock_.MonotonicUs() + 200'000);
    code = static_cast<int>(store_->Open(ctx, "a").status().code());
  });
  while (stand_in_.asked("GET root/a").empty()) std::this_thread::yield();
  EXPECT_EQ(Read("a"), "x");
  hasty.join();
  EXPECT_EQ(code, static_cast<int>(ErrorCode::kDeadlineExceeded));
}

TEST_F(S3Test, WhoeverWaitsGoesOnWhereTheOneThatDownloadedHasEnded) {
  const std::string bytes = Pattern(3'000'000);
  stand_in_.SetObject("root/a", bytes);
  options_.request_timeout_ms = 20'000;
  Open();
  // A third of it comes; then nothing, until the one who downloads goes.
  Fail("GET root/a", {{.sent_max = 1'000'000}, {.wait_ms = 20'000}});
  Context hasty(clock_);
  std::atomic<int> code{0};
  std::thread first([&] { code = static_cast<int>(store_->Open(hasty, "a").status().code()); });
  while (stand_in_.asked("GET root/a").size() < 2) std::this_thread::yield();
  std::thread second([&] { EXPECT_TRUE(Read("a") == bytes); });
  std::this_thread::sleep_for(std::chrono::milliseconds(200));  // It waits by now.
  hasty.Cancel();
  first.join();
  second.join();
  EXPECT_EQ(code, static_cast<int>(ErrorCode::kCanceled));
  const auto asked = stand_in_.asked("GET root/a");
  ASSERT_EQ(asked.size(), 3u);
  EXPECT_EQ(asked[2].headers.at("range"), "bytes=1000000-");
}

TEST_F(S3Test, WhoeverWaitsForADownloadMayGoAndItGoesOn) {
  const std::string bytes = Pattern(1000);
  stand_in_.SetObject("root/a", bytes);
  options_.request_timeout_ms = 20'000;
  Open();
  Fail("GET root/a", {{.wait_ms = 1500}});
  std::thread patient([&] { EXPECT_TRUE(Read("a") == bytes); });
  while (stand_in_.asked("GET root/a").empty()) std::this_thread::yield();
  const int64_t begin_us = clock_.MonotonicUs();
  Context hasty(clock_, begin_us + 100'000);
  EXPECT_EQ(store_->Open(hasty, "a").status().code(), ErrorCode::kDeadlineExceeded);
  EXPECT_LT(clock_.MonotonicUs() - begin_us, 1'400'000);
  patient.join();
  EXPECT_EQ(stand_in_.asked("GET root/a").size(), 1u);
}

TEST_F(S3Test, WithoutAnybodyWhoWaitsADownloadEndsAndLeavesNothing) {
  stand_in_.SetObject("root/a", Pattern(3'000'000));
  options_.request_timeout_ms = 20'000;
  Open();
  Fail("GET root/a", {{.sent_max = 1'000'000}, {.wait_ms = 1000}});
  Context first(clock_);
  Context second(clock_);
  std::vector<std::thread> gone;
  for (Context* ctx : {&first, &second}) {
    gone.emplace_back(
        [&, ctx] { EXPECT_EQ(store_->Open(*ctx, "a").status().code(), ErrorCode::kCanceled); });
  }
  while (stand_in_.asked("GET root/a").size() < 2) std::this_thread::yield();
  first.Cancel();
  second.Cancel();
  for (std::thread& thread : gone) thread.join();
  const size_t asked = stand_in_.asked("GET root/a").size();
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));
  EXPECT_EQ(stand_in_.asked("GET root/a").size(), asked);
  EXPECT_TRUE(Copies().empty()) << "nor is half of one there";
  EXPECT_TRUE(Read("a") == Pattern(3'000'000));
}

TEST_F(S3Test, ADownloadThatAPutOvertakesIsNotKept) {
  stand_in_.SetObject("root/a", "old");
  stand_in_.OnAsked([&](const Asked& asked) -> std::optional<Fault> {
    if (asked.method == "GET" && stand_in_.asked("GET root/a").size() == 1) {
      // Answered as it was, after it was replaced.
      return Fault{.status = 200, .body = "old", .wait_ms = 200};
    }
    return std::nullopt;
  });
  std::thread reader([&] { EXPECT_THAT(Read("a"), testing::AnyOf("old", "new")); });
  while (stand_in_.asked("GET root/a").empty()) std::this_thread::yield();
  ASSERT_TRUE(store_->Put(ctx_, "a", "new").ok());
  reader.join();
  EXPECT_EQ(Read("a"), "new");
}

class OwnershipTest : public S3Test {
 protected:
  Status Take(const std::string& name, const std::string& root = "root") {
    return Start(name, root).status();
  }
  // The claim asks by a client of the test's.
  Result<std::unique_ptr<Claim>> Start(const std::string& name, const std::string& root = "root") {
    std::filesystem::create_directories(Folder(name));
    clients_.push_back(Client());
    return TakeOwnership(ctx_, *clients_.back(), Folder(name), options_.bucket, root,
                         LocalFileSystem(), /*settle_ms=*/1);
  }
  void Copy(const std::string& from, const std::string& to) {
    std::filesystem::remove_all(Folder(to));
    std::filesystem::copy(Folder(from), Folder(to));
  }
  std::string Folder(const std::string& name) const { return folder_ + "/" + name; }

  std::vector<std::unique_ptr<S3Client>> clients_;
};

TEST_F(OwnershipTest, ARootIsTheFirstsAndStaysIt) {
  EXPECT_TRUE(Take("one").ok());
  EXPECT_TRUE(Take("one").ok());
  const Status other = Take("two");
  EXPECT_EQ(other.code(), ErrorCode::kInvalidParameter);
  EXPECT_THAT(std::string(other.message()), HasSubstr(Folder("one")));
  EXPECT_TRUE(Take("two", "another/root").ok());
  EXPECT_THAT(std::string(Take("one", "a/third").message()), HasSubstr("does not say"));
  EXPECT_TRUE(Take("one").ok());
}

TEST_F(OwnershipTest, OfAFolderAndItsCopyTheOneThatStartedLastMayStart) {
  EXPECT_TRUE(Take("one").ok());
  Copy("one", "copy");
  EXPECT_TRUE(Take("one").ok());
  const Status copy = Take("copy");
  EXPECT_EQ(copy.code(), ErrorCode::kInvalidParameter);
  EXPECT_THAT(std::string(copy.message()), HasSubstr("taken over by a copy of"));
  EXPECT_THAT(std::string(copy.message()), HasSubstr(Folder("one")));
  Copy("one", "copy");
  EXPECT_TRUE(Take("copy").ok());
  EXPECT_FALSE(Take("one").ok());
  EXPECT_TRUE(Take("copy").ok());
}

TEST_F(OwnershipTest, WhoeverWasTakenOverWritesNothingMore) {
  auto claim = Start("one");
  ASSERT_TRUE(claim.ok());
  store_ = MakeS3ObjectStore({.client = Client(),
                              .copies = std::move(*LocalCopies::Open(Folder("copies"), 1 << 20)),
                              .claim = std::move(*claim),
                              .root_path = "root",
                              .part_bytes = 1000});
  ASSERT_TRUE(store_->Put(ctx_, "a", "x").ok());
  ASSERT_TRUE(store_->Put(ctx_, "b", "y").ok());
  EXPECT_EQ(stand_in_.asked("GET root/.owner").size(), 2u) << "the start, and once a second";
  Copy("one", "copy");
  ASSERT_TRUE(Take("copy").ok());
  std::this_thread::sleep_for(std::chrono::milliseconds(Claim::kBelievedMs + 50));
  const Status put = store_->Put(ctx_, "a", "z");
  EXPECT_EQ(put.code(), ErrorCode::kIoFailed);
  EXPECT_THAT(std::string(put.message()), HasSubstr(Folder("copy") + " has taken it over"));
  EXPECT_EQ(store_->Put(ctx_, "large", Pattern(5000)).code(), ErrorCode::kIoFailed);
  EXPECT_EQ(store_->Delete(ctx_, "b").code(), ErrorCode::kIoFailed);
  EXPECT_EQ(store_->EndUnfinished(ctx_, 0).status().code(), ErrorCode::kIoFailed);
  EXPECT_EQ(stand_in_.Object("root/a"), "x");
  EXPECT_EQ(stand_in_.Object("root/b"), "y");
  EXPECT_EQ(stand_in_.open_uploads(), 0u);
  EXPECT_EQ(Read("a"), "x") << "reads go on";
  store_.reset();
}

TEST_F(OwnershipTest, AClaimThatNobodyCanLookAtIsNotBelieved) {
  const auto claim = Start("one");
  AlwaysFail("GET root/.owner", {.status = 503, .body = kBusy});
  EXPECT_EQ((*claim)->Check(ctx_).code(), ErrorCode::kServiceUnavailable);
  stand_in_.OnAsked(nullptr);
  EXPECT_TRUE((*claim)->Check(ctx_).ok()) << "it was not lost";
}

TEST_F(OwnershipTest, AMarkOfAnEarlierVersionHasNoClaimAndGetsOne) {
  ASSERT_TRUE(Take("one").ok());
  std::string mark = *stand_in_.Object("root/.owner");
  mark.erase(mark.find("claim: "),
             mark.find('\n', mark.find("claim: ")) - mark.find("claim: ") + 1);
  stand_in_.SetObject("root/.owner", mark);
  std::ofstream(Folder("one") + "/object-store")
      << mark.substr(mark.find("id: ")) << "bucket: a-bucket\nroot: root\nis_marked: true\n";
  EXPECT_TRUE(Take("one").ok());
  EXPECT_THAT(*stand_in_.Object("root/.owner"), HasSubstr("claim: "));
}

TEST_F(OwnershipTest, AStartIsCutShortAnywhereAndTheNextGoesOn) {
  ASSERT_TRUE(Take("one").ok());
  // The claim is written and the answer is lost, so that the next attempt finds another version.
  auto is_lost = std::make_shared<std::atomic<bool>>(true);
  stand_in_.OnAsked([=, this](const Asked& asked) -> std::optional<Fault> {
    if (asked.method != "PUT" || !is_lost->exchange(false)) return std::nullopt;
    stand_in_.SetObject(asked.key, asked.body);
    return Fault{.status = 503};
  });
  EXPECT_TRUE(Take("one").ok());
  EXPECT_EQ(stand_in_.asked("PUT root/.owner").size(), 3u);
  // It is written, and the process dies before its folder says so.
  const std::string file = Folder("one") + "/object-store";
  std::ostringstream before;
  before << std::ifstream(file).rdbuf();
  AlwaysFail("PUT root/.owner", {.status = 400});
  EXPECT_FALSE(Take("one").ok());
  std::ostringstream during;
  during << std::ifstream(file).rdbuf();
  stand_in_.OnAsked(nullptr);
  ASSERT_TRUE(Take("one").ok());
  const std::string next = during.str().substr(during.str().find("next_claim: ") + 12, 32);
  std::string mark = *stand_in_.Object("root/.owner");
  mark.replace(mark.find("claim: ") + 7, 32, next);
  stand_in_.SetObject("root/.owner", mark);
  std::ofstream(file) << during.str();
  EXPECT_TRUE(Take("one").ok());
  std::ofstream(file) << before.str();
  EXPECT_FALSE(Take("one").ok()) << "an older state of the folder was put back";
}

TEST_F(OwnershipTest, AMarkThatHasGoneIsNotMadeAnew) {
  EXPECT_TRUE(Take("one").ok());
  EXPECT_TRUE(Client()->Delete(ctx_, "root/.owner").ok());
  EXPECT_THAT(std::string(Take("one").message()), HasSubstr("does not say"));
}

TEST_F(OwnershipTest, AStartThatWasCutShortGoesOn) {
  Fail("PUT root/.owner", {{.status = 400}});
  EXPECT_FALSE(Take("one").ok());
  EXPECT_TRUE(Take("one").ok());
  // The mark is written and the answer is lost: the next attempt finds that it is its own.
  Fail("PUT next/.owner", {{.status = 200, .body = "lost", .sent_max = 0}});
  EXPECT_TRUE(Take("three", "next").ok());
}

TEST_F(OwnershipTest, OfTwoAtOnceOneWins) {
  std::atomic<int> winners{0};
  std::vector<std::thread> threads;
  for (const char* name : {"one", "two", "three", "four"}) {
    threads.emplace_back([&, name] { winners += Take(name).ok() ? 1 : 0; });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(winners, 1);
}

TEST_F(OwnershipTest, FoldersWithObjectsOfTheirOwnAndFoldersWithoutAreToldApart) {
  std::filesystem::create_directories(Folder("local") + "/objects/segments");
  EXPECT_THAT(std::string(Take("local").message()), HasSubstr("should be local"));
  EXPECT_TRUE(CheckObjectsAreLocal(Folder("local")).ok());
  EXPECT_TRUE(Take("remote").ok());
  EXPECT_THAT(std::string(CheckObjectsAreLocal(Folder("remote")).message()),
              HasSubstr("should be minio"));
}

}  // namespace
}  // namespace elanus::backend
