// One parser of bytes that a stranger may have sent: a fuzzer calls it with whatever it makes up, a
// test with what fuzzers kept.
#pragma once

#include <cstddef>
#include <cstdint>

namespace elanus::fuzz {

/// Takes any bytes; must return. What it finds wrong it aborts for.
using Target = void (*)(const uint8_t* bytes, size_t size);

/// The parser, binder and evaluator of filters; the bytes are the text.
void Filter(const uint8_t* bytes, size_t size);
/// The parameters of an analyzer up to a zero byte, and a text that it is to analyze.
void Analyzers(const uint8_t* bytes, size_t size);
/// A connection's HTTP/2; the first byte says how the others are cut.
void Http2(const uint8_t* bytes, size_t size);
/// Columns, query vectors, schemas and template values of messages; the first byte says which.
void Messages(const uint8_t* bytes, size_t size);
/// A model of trees, as JSON or UBJSON; the first byte is one of the numbers that ask it.
void Trees(const uint8_t* bytes, size_t size);

}  // namespace elanus::fuzz
