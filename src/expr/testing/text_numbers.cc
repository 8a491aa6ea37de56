// Filters that ask for numbers.
#include "expr/testing/text_numbers.h"

#include <fmt/format.h>

namespace elanus::expr::testing {

std::string DrawNumberTest(Dice& dice, const std::string& place) {
  constexpr const char* kOps[] = {"==", "!=", "<", "<=", ">", ">="};
  const auto number = [&] { return std::string(dice.Pick(kNumbersOfTexts)); };
  std::string text;
  switch (dice.Below(4)) {
    case 0:
      text = fmt::format("{} {} {}", place, dice.Pick(kOps), number());
      break;
    case 1:
      text = fmt::format("{} {} {}", number(), dice.Pick(kOps), place);
      break;
    case 2:
      text = fmt::format("{} in [{}, {}, {}]", place, number(), number(), number());
      break;
    default:
      text = fmt::format("-4.5 <{} {} <{} {}", dice.OneIn(2) ? "=" : "", place,
                         dice.OneIn(2) ? "=" : "", dice.Below(9));
  }
  return dice.OneIn(3) ? fmt::format("not ({})", text) : text;
}

}  // namespace elanus::expr::testing
