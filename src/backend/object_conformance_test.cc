// The promises of object stores, on files and on what speaks S3: a stand-in, and a real one where
// the environment names it.
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "backend/local/file_object_store.h"
#include "backend/s3/s3_object_store.h"
#include "backend/s3/testing/s3_stand_in.h"
#include "store/conformance/object_conformance.h"

namespace elanus::backend {

using store::ObjectConformance;

namespace {

using Medium = std::shared_ptr<void>;

// A folder, and the store that its copies are of.
struct Place {
  Place() {
    std::string name = (std::filesystem::temp_directory_path() / "elanus-XXXXXX").string();
    folder = ::mkdtemp(name.data());
  }
  ~Place() { std::filesystem::remove_all(folder); }
  std::string folder;
  std::unique_ptr<S3StandIn> stand_in;
  ObjectStoreOptions options;
};

Place& PlaceOf(const Medium& medium) { return *static_cast<Place*>(medium.get()); }

std::unique_ptr<store::ObjectStore> OrNull(Result<std::unique_ptr<store::ObjectStore>> opened) {
  EXPECT_TRUE(opened.ok()) << opened.status().ToString();
  return opened.ok() ? std::move(*opened) : nullptr;
}

// The half-written file of a put whose process died before the rename.
void LeaveHalf(const std::string& folder, const std::string& bytes) {
  std::ofstream(folder + "/.writing-0", std::ios::binary)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size() / 2));
}

INSTANTIATE_TEST_SUITE_P(
    Files, ObjectConformance,
    testing::Values(store::ObjectMedium{
        .name = "files",
        .make = [] { return std::make_shared<Place>(); },
        .open = [](const Medium& m) { return OrNull(OpenFileObjectStore(PlaceOf(m).folder)); },
        .crash_in_put = [](const Medium& m, store::ObjectStore&, const std::string&,
                           const std::string& bytes) { LeaveHalf(PlaceOf(m).folder, bytes); }}),
    [](const auto& info) { return info.param.name; });

std::unique_ptr<S3Client> ClientOf(const ObjectStoreOptions& options) {
  return std::make_unique<S3Client>(http::MakeClient({}), options, /*first_pause_ms=*/4);
}

std::unique_ptr<store::ObjectStore> OpenStore(const Medium& medium) {
  const Place& place = PlaceOf(medium);
  auto client = ClientOf(place.options);
  SystemClock clock;
  Context ctx(clock);
  const Status made = client->MakeBucket(ctx);
  EXPECT_TRUE(made.ok()) << made.ToString();
  auto copies = LocalCopies::Open(place.folder, /*bytes_max=*/150'000);
  EXPECT_TRUE(copies.ok()) << copies.status().ToString();
  return MakeS3ObjectStore({.client = std::move(client),
                            .copies = std::move(*copies),
                            .root_path = place.options.root_path,
                            .part_bytes = 5 << 20});
}

// Of a put in parts whose process died: parts in the store, half a copy here.
void DieInParts(const Medium& medium, store::ObjectStore&, const std::string& key,
                const std::string& bytes) {
  const Place& place = PlaceOf(medium);
  LeaveHalf(place.folder, bytes);
  const auto client = ClientOf(place.options);
  SystemClock clock;
  Context ctx(clock);
  const std::string whole = place.options.root_path + "/" + key;
  const auto upload = client->BeginParts(ctx, whole);
  ASSERT_TRUE(upload.ok()) << upload.status().ToString();
  EXPECT_TRUE(client->PutPart(ctx, whole, *upload, 1, bytes).ok());
}

store::ObjectMedium S3Medium(std::string name, std::function<Medium()> make) {
  return {.name = std::move(name),
          .make = std::move(make),
          .open = OpenStore,
          .crash_in_put = DieInParts};
}

store::ObjectMedium StandIn() {
  return S3Medium("stand_in", []() -> Medium {
    auto place = std::make_shared<Place>();
    place->stand_in = std::make_unique<S3StandIn>();
    place->stand_in->page_keys = 2;
    place->options.address = "127.0.0.1";
    place->options.port = place->stand_in->port();
    place->options.root_path = "some/root";
    return place;
  });
}

INSTANTIATE_TEST_SUITE_P(S3, ObjectConformance, testing::Values(StandIn()),
                         [](const auto& info) { return info.param.name; });

// ELANUS_TEST_S3=host:port, ELANUS_TEST_S3_KEY, ELANUS_TEST_S3_SECRET: tests/e2e names a MinIO.
std::vector<store::ObjectMedium> RealStores() {
  const char* address = std::getenv("ELANUS_TEST_S3");
  const char* key = std::getenv("ELANUS_TEST_S3_KEY");
  const char* secret = std::getenv("ELANUS_TEST_S3_SECRET");
  if (address == nullptr || key == nullptr || secret == nullptr) return {};
  return {S3Medium("real", [=]() -> Medium {
    static std::atomic<int> roots{0};
    auto place = std::make_shared<Place>();
    place->options.address = address;
    place->options.access_key_id = key;
    place->options.secret_access_key = secret;
    place->options.bucket = "conformance";
    place->options.root_path = fmt::format("{}-{}", ::getpid(), roots.fetch_add(1));
    place->options.list_keys_max = 3;
    return place;
  })};
}

/// What only stores that speak S3 have: uploads in parts.
class UploadTest : public testing::TestWithParam<store::ObjectMedium> {};

TEST_P(UploadTest, ThoseThatNobodyFinishesEndWhenTheyAreOldEnough) {
  SystemClock clock;
  Context ctx(clock);
  const Medium medium = GetParam().make();
  const auto store = GetParam().open(medium);
  const auto client = ClientOf(PlaceOf(medium).options);
  const std::string root = PlaceOf(medium).options.root_path;
  const std::string bytes(6 << 20, 'x');
  struct Upload {
    std::string key;
    std::string id;
    bool is_open = true;
  };
  std::vector<Upload> uploads;
  const auto begin = [&](const std::string& key) {
    const auto id = client->BeginParts(ctx, key);
    ASSERT_TRUE(id.ok()) << id.status().ToString();
    uploads.push_back({key, *id});
  };
  const auto is_open = [&](const Upload& upload) {
    return client->PutPart(ctx, upload.key, upload.id, 1, bytes).ok();
  };
  begin(root + "/segments/a");
  begin(root + "/segments/b");
  begin(root + "/segments/b");
  begin(root + "-of another/segments/a");
  const auto writer = store->Create(ctx, "segments/c");
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->Append(bytes).ok());  // A part of it has gone.

  auto younger = store->EndUnfinished(ctx, 3'600'000);
  ASSERT_TRUE(younger.ok()) << younger.status().ToString();
  EXPECT_EQ(*younger, 4u);
  for (const Upload& upload : uploads) EXPECT_TRUE(is_open(upload)) << upload.key;

  younger = store->EndUnfinished(ctx, 0);
  ASSERT_TRUE(younger.ok()) << younger.status().ToString();
  EXPECT_EQ(*younger, 1u) << "the one that is being written";
  for (const Upload& upload : uploads) {
    EXPECT_EQ(is_open(upload), !upload.key.starts_with(root + "/")) << upload.key;
  }
  EXPECT_TRUE((*writer)->Finish().ok()) << "what is being written goes on";
  const auto whole = store->Open(ctx, "segments/c");
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(whole->bytes().size(), bytes.size());
  EXPECT_TRUE(client->GiveUpParts(ctx, uploads[3].key, uploads[3].id).ok());
}

INSTANTIATE_TEST_SUITE_P(S3, UploadTest, testing::Values(StandIn()),
                         [](const auto& info) { return info.param.name; });
INSTANTIATE_TEST_SUITE_P(RealStore, UploadTest, testing::ValuesIn(RealStores()),
                         [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(RealStore, ObjectConformance, testing::ValuesIn(RealStores()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace elanus::backend
