// What an option says of itself: its configuration key, unit, range and a line of help.
#pragma once

namespace elanus {

struct OptionSpec {
  const char* key;   // Milvus's name where one exists.
  const char* unit;  // "" for plain counts.
  double min;
  double max;
  const char* help;
  const char* choices = "";  // Of a text: what it may be, "one|other".
};

}  // namespace elanus
