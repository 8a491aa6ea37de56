// What a scalar is after it was encoded and decoded, and that encoding leaves it alone.
#include "model/scalar.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/executor.h"
#include "base/fields.h"

namespace elanus::model {
namespace {

const std::string kLong(100, 'x');

TEST(Scalars, ComeBackAsTheyWere) {
  const std::vector<Scalar> all = {
      Scalar(),
      true,
      false,
      int64_t{0},
      int64_t{-7},
      0.0,
      2.5,
      std::string(),
      kLong,
      ScalarList(),
      ScalarList{int64_t{1}, kLong, Scalar(), ScalarList{false, 0.5, ScalarList()}}};
  for (const Scalar& one : all) {
    const auto back = Decode<Scalar>(Encode(one));
    ASSERT_TRUE(back.ok()) << back.status().ToString();
    EXPECT_EQ(*back, one);
  }
  const auto nan = Decode<Scalar>(Encode(Scalar(std::nan(""))));
  EXPECT_TRUE(std::isnan(nan->as_double()));
}

TEST(Scalars, AreNotWrittenToByEncoding) {
  const Scalar shared(ScalarList{kLong, int64_t{1}});
  const void* list = shared.as_list().data();
  const void* text = shared.as_list()[0].as_string().data();
  const std::string bytes = Encode(shared);
  EXPECT_EQ(shared.as_list().data(), list);
  EXPECT_EQ(shared.as_list()[0].as_string().data(), text);
  const auto executor = MakeThreadExecutor();
  std::vector<std::unique_ptr<Worker>> workers;
  for (int w = 0; w < 2; ++w) {
    workers.push_back(executor->Spawn("encode", [&] {
      for (int i = 0; i < 100; ++i) EXPECT_EQ(Encode(shared), bytes);
    }));
  }
}

}  // namespace
}  // namespace elanus::model
