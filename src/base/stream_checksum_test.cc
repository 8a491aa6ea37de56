// The checksum in pieces is that of the whole.
#include "base/stream_checksum.h"

#include <gtest/gtest.h>

#include <string>

#include "base/bytes.h"

namespace elanus {
namespace {

TEST(StreamChecksum, IsThatOfTheWholeHoweverItIsCut) {
  std::string bytes;
  for (int i = 0; i < 5000; ++i) bytes += static_cast<char>(i * 31);
  for (size_t piece : {1, 7, 64, 241, 4999, 5000}) {
    StreamChecksum sum;
    for (size_t at = 0; at < bytes.size(); at += piece) {
      sum.Add(std::string_view(bytes).substr(at, piece));
    }
    EXPECT_EQ(sum.value(), Checksum(bytes)) << piece;
  }
  EXPECT_EQ(StreamChecksum().value(), Checksum(""));
}

}  // namespace
}  // namespace elanus
