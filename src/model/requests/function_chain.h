// Steps that a request asks for between a search's hits and its answer.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/scalar.h"

namespace elanus::model {

/// A column by its name, or a constant.
struct ChainArgument {
  std::string column;  // Empty: the literal.
  Scalar literal;

  template <class V>
  void Fields(V& v) {
    v(1, "column", column);
    v(2, "literal", literal);
  }
};

struct ChainExpression {
  std::string name;
  std::vector<ChainArgument> arguments;
  std::map<std::string, Scalar> params;

  template <class V>
  void Fields(V& v) {
    v(1, "name", name);
    v(2, "arguments", arguments);
    v(3, "params", params);
  }
};

struct ChainStep {
  std::string op;
  ChainExpression expression;  // Without a name: none.
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::map<std::string, Scalar> params;

  template <class V>
  void Fields(V& v) {
    v(1, "op", op);
    v(2, "expression", expression);
    v(3, "inputs", inputs);
    v(4, "outputs", outputs);
    v(5, "params", params);
  }
};

/// Where a chain runs; the numbers are the wire's.
enum class ChainStage : int32_t {
  kSegment = 3,  // Over the hits of each segment.
  kMerged = 5,   // Over the hits of all.
};

struct FunctionChain {
  std::string name;
  int32_t stage = 0;  // A ChainStage, if it is one that is known.
  std::vector<ChainStep> steps;
};

}  // namespace elanus::model
