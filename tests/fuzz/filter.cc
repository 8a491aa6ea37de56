// Filters: any text is refused with an error or passes the same rows whether indexes answer or not.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "expr/testing/world.h"
#include "target.h"

namespace elanus::fuzz {
namespace {

using expr::testing::World;

constexpr size_t kTextMax = 4096;
constexpr size_t kRows = 40;

Bitset Passing(const World& world, const expr::Plan& plan, bool& ok) {
  SystemClock clock;
  Context ctx(clock);
  Bitset matches;
  ok = Evaluate(ctx, plan, world, matches).ok();
  return matches;
}

}  // namespace

void Filter(const uint8_t* bytes, size_t size) {
  static const World kPlain(1, kRows, /*answers=*/false);
  static const World kIndexed(1, kRows, /*answers=*/true);
  if (size > kTextMax) return;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  // Draws anew at each look.
  if (text.find("random_sample") != std::string_view::npos) {
    (void)expr::Bind(text, kPlain.schema(), {});
    return;
  }
  const auto plan = expr::Bind(text, kPlain.schema(), {});
  if (!plan.ok()) {
    if (plan.status().message().empty()) std::abort();
    return;
  }
  bool plain_ok = false, indexed_ok = false;
  const Bitset plain = Passing(kPlain, *plan, plain_ok);
  const Bitset indexed = Passing(kIndexed, *plan, indexed_ok);
  // An error at run time may lie in a part that one of the two had no need to look at.
  if (!plain_ok || !indexed_ok) return;
  for (size_t row = 0; row < kRows; ++row) {
    if (plain.Test(row) == indexed.Test(row)) continue;
    std::fprintf(stderr, "row %zu: without an index %d, with one %d\n", row,
                 static_cast<int>(plain.Test(row)), static_cast<int>(indexed.Test(row)));
    std::abort();
  }
}

}  // namespace elanus::fuzz
