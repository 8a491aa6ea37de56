// random_sample: a share of the rows that pass the rest of the filter. Evaluate() draws it at the
// end, over the whole segment.
#include "expr/function_list.h"
#include "expr/functions/functions.h"

namespace elanus::expr {

Result<Operand> BindRandomSample(const Call& call) {
  if (call.arguments.size() != 1) return Invalid("random_sample takes one argument");
  const Operand& share = call.arguments[0];
  if (!share.is_literal() || !share.constant.is_double()) {
    return Invalid("random_sample needs a float constant");
  }
  constexpr double kEdge = 1e-10;
  const double fraction = share.constant.as_double();
  if (!(fraction > kEdge && fraction < 1 - kEdge)) {
    return Invalid("random_sample must be between 0 and 1");
  }
  return MakeCondition({.kind = Node::Kind::kSample, .fraction = fraction});
}

}  // namespace elanus::expr
