// Which schema a read of a version gets.
#include "model/schema_versions.h"

#include <gtest/gtest.h>

namespace elanus::model {
namespace {

std::shared_ptr<const CollectionSchema> Version(int32_t version, std::string name = "c") {
  auto schema = std::make_shared<CollectionSchema>();
  schema->name = std::move(name);
  schema->version = version;
  return schema;
}

TEST(SchemaVersions, EachReadGetsTheVersionItWasCheckedAgainst) {
  SchemaVersions versions(Version(3));
  versions = versions.With(Version(4)).With(Version(5));
  EXPECT_EQ(versions.newest()->version, 5);
  for (int32_t version : {3, 4, 5}) EXPECT_EQ(versions.At(version)->version, version);
  EXPECT_EQ(versions.At(-1)->version, 5) << "whatever is newest";
}

TEST(SchemaVersions, WhatIsNotKeptIsTheNearest) {
  SchemaVersions versions(Version(3));
  versions = versions.With(Version(7));
  EXPECT_EQ(versions.At(1)->version, 3);
  EXPECT_EQ(versions.At(5)->version, 7);
  EXPECT_EQ(versions.At(9)->version, 7);
}

TEST(SchemaVersions, AVersionThatComesAgainTakesItsOwnPlace) {
  SchemaVersions versions(Version(3));
  versions = versions.With(Version(4)).With(Version(3, "renamed"));
  EXPECT_EQ(versions.newest()->version, 4);
  EXPECT_EQ(versions.At(3)->name, "renamed");
}

TEST(SchemaVersions, TheOldestAreForgotten) {
  SchemaVersions versions(Version(0));
  for (int32_t version = 1; version < 100; ++version) versions = versions.With(Version(version));
  EXPECT_EQ(versions.newest()->version, 99);
  EXPECT_GT(versions.At(0)->version, 50);
  EXPECT_EQ(versions.At(95)->version, 95);
}

}  // namespace
}  // namespace elanus::model
