// Values in JSON of which some are texts that count as numbers, and filters that ask for numbers.
#pragma once

#include <string>

#include "expr/testing/world.h"

namespace elanus::expr::testing {

/// A value as JSON has it, and as it reads where texts count as numbers.
struct TextOrNumber {
  const char* text;
  const char* number;
};
inline constexpr TextOrNumber kTextsAndNumbers[] = {{"1", "1"},
                                                    {"2.5", "2.5"},
                                                    {"-3", "-3"},
                                                    {R"("1")", "1"},
                                                    {R"("2.5 apples")", "2.5"},
                                                    {R"(" \t+7")", "7"},
                                                    {R"("-1e3")", "-1000"},
                                                    {R"("1.5.2")", "1.5"},
                                                    {R"("0x10")", "0"},
                                                    {R"("9007199254740993")", "9007199254740992.0"},
                                                    {R"("x")", R"("x")"},
                                                    {R"("")", R"("")"},
                                                    {R"("nan")", R"("nan")"},
                                                    {R"("inf")", R"("inf")"},
                                                    {R"("+-1")", R"("+-1")"},
                                                    {R"("1e999")", R"("1e999")"},
                                                    {"true", "true"},
                                                    {"null", "null"},
                                                    {"[1]", "[1]"},
                                                    {R"({"a": 1})", R"({"a": 1})"}};
/// Numbers that some of the values are.
inline constexpr const char* kNumbersOfTexts[] = {"1", "2",   "2.5", "7", "-1000",
                                                  "0", "1.5", "1e3", "-3"};

/// A comparison, list or range of numbers over `place`, or its negation.
std::string DrawNumberTest(Dice& dice, const std::string& place);

}  // namespace elanus::expr::testing
