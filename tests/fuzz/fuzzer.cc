// The function that libFuzzer calls; compiled once for each target.
#include "target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  elanus::fuzz::ELANUS_FUZZ_TARGET(bytes, size);
  return 0;
}
