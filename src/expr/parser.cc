// Parsing by precedence climbing. Tightest first: exists 16, like 15, ** 14, prefix 13, * / % 12, +
// - 11, shifts 10, in 9, chained range 8, comparisons 7, equality 6, & 5, ^ 4, | 3, and 2, or 1. A
// prefix operator takes what binds tighter than itself, so `not a > 1` is `(not a) > 1`, as in the
// reference.
#include "expr/parser.h"

#include <algorithm>

#include "expr/function_list.h"

namespace elanus::expr {
namespace {

using SyntaxPtr = std::unique_ptr<Syntax>;

constexpr int kPrefixOperand = 14;
constexpr int kMemberLevel = 9;
constexpr int kAboveAll = 17;  // No operator binds so tight.

int PrecedenceOf(TokenKind kind) {
  switch (kind) {
    case TokenKind::kOr:
      return 1;
    case TokenKind::kAnd:
      return 2;
    case TokenKind::kPipe:
      return 3;
    case TokenKind::kCaret:
      return 4;
    case TokenKind::kAmpersand:
      return 5;
    case TokenKind::kEqual:
    case TokenKind::kNotEqual:
      return 6;
    case TokenKind::kLess:
    case TokenKind::kLessEqual:
    case TokenKind::kGreater:
    case TokenKind::kGreaterEqual:
      return 7;
    case TokenKind::kIn:
      return 9;
    case TokenKind::kShiftLeft:
    case TokenKind::kShiftRight:
      return 10;
    case TokenKind::kPlus:
    case TokenKind::kMinus:
      return 11;
    case TokenKind::kStar:
    case TokenKind::kSlash:
    case TokenKind::kPercent:
      return 12;
    case TokenKind::kPower:
      return 14;
    case TokenKind::kLike:
    case TokenKind::kMatches:
    case TokenKind::kNotMatches:
      return 15;
    default:
      return 0;
  }
}

bool IsPrefix(TokenKind kind) {
  return kind == TokenKind::kPlus || kind == TokenKind::kMinus || kind == TokenKind::kTilde ||
         kind == TokenKind::kNot || kind == TokenKind::kBang;
}
bool IsLessSide(TokenKind kind) {
  return kind == TokenKind::kLess || kind == TokenKind::kLessEqual;
}
bool IsGreaterSide(TokenKind kind) {
  return kind == TokenKind::kGreater || kind == TokenKind::kGreaterEqual;
}

// What is open around the place the parser is at, innermost last.
struct Open {
  enum class Kind { kGroup, kItems, kExists, kPrefix, kBinary, kCompare, kRange };
  Kind kind = Kind::kGroup;
  int level_min = 1;  // Of the operators that the text around it may still take.
  TokenKind op = TokenKind::kEnd;
  TokenKind op2 = TokenKind::kEnd;
  bool negated = false;
  SyntaxPtr left;    // kBinary, kCompare, kRange: the left side; kItems: the list or call so far.
  SyntaxPtr middle;  // kRange.
};

// A parser without recursion: `opens_` is its stack, so that the depth of a text costs heap alone.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), lexer_(text) {}

  Result<SyntaxPtr> Run() {
    TRY_ASSIGN(current_, lexer_.Next());
    TRY_ASSIGN(next_, lexer_.Next());
    while (true) {
      TRY_ASSIGN(SyntaxPtr value, Operand());
      TRY_ASSIGN(const bool is_whole, Continue(value));
      if (is_whole) return value;
    }
  }

 private:
  Status Take() {
    current_ = std::move(next_);
    TRY_ASSIGN(next_, lexer_.Next());
    return {};
  }
  bool At(TokenKind kind) const { return current_.kind == kind; }
  Status Unexpected() const {
    if (At(TokenKind::kEnd)) {
      return Invalid("{} mismatched input '<EOF>'", PlaceOf(text_, current_.offset));
    }
    return Invalid("{} extraneous input '{}'", PlaceOf(text_, current_.offset), current_.text);
  }
  Status Expect(TokenKind kind) {
    if (!At(kind)) return Unexpected();
    return Take();
  }
  Status TooDeep() const {
    return Invalid("{} the expression nests too deep", PlaceOf(text_, current_.offset));
  }
  static SyntaxPtr Make(Syntax::Kind kind, TokenKind op = TokenKind::kEnd) {
    auto node = std::make_unique<Syntax>();
    node->kind = kind;
    node->op = op;
    return node;
  }
  static void Adopt(Syntax& parent, SyntaxPtr child) {
    parent.height = std::max(parent.height, child->height + 1);
    parent.children.push_back(std::move(child));
  }

  // Opens something; inside it operators of `level_min` and above belong to it.
  Status Push(Open open, int level_min) {
    if (opens_.size() == kOpenMax) return TooDeep();
    open.level_min = level_min_;
    level_min_ = level_min;
    opens_.push_back(std::move(open));
    return {};
  }

  // Everything up to and with the next value: prefixes, openings, an atom.
  Result<SyntaxPtr> Operand() {
    while (true) {
      const TokenKind kind = current_.kind;
      const bool after_exists = !opens_.empty() && opens_.back().kind == Open::Kind::kExists;
      if (IsPrefix(kind) && !after_exists) {
        TRY(Take());
        if (kind == TokenKind::kMinus && At(TokenKind::kInt) && current_.is_int_minimum) {
          current_.is_int_minimum = false;  // The wrapped value is the right one.
          return Leaf(Syntax::Kind::kLiteral);
        }
        TRY(Push({.kind = Open::Kind::kPrefix, .op = kind}, kPrefixOperand));
      } else if (kind == TokenKind::kExists) {
        TRY(Take());
        TRY(Push({.kind = Open::Kind::kExists}, kAboveAll));
      } else if (kind == TokenKind::kOpenParen) {
        TRY(Take());
        TRY(Push({.kind = Open::Kind::kGroup}, 1));
      } else if (kind == TokenKind::kOpenBracket || AtCall()) {
        TRY_ASSIGN(SyntaxPtr empty, OpenItems());
        if (empty != nullptr) return empty;
      } else {
        return Atom();
      }
    }
  }
  bool AtCall() const {
    return (At(TokenKind::kName) || At(TokenKind::kFunction)) &&
           next_.kind == TokenKind::kOpenParen;
  }

  // Goes into a list or the arguments of a call; hands it back when it has no items.
  Result<SyntaxPtr> OpenItems() {
    const bool is_list = At(TokenKind::kOpenBracket);
    SyntaxPtr node = Make(is_list ? Syntax::Kind::kList : Syntax::Kind::kCall);
    if (!is_list) {
      node->token = std::move(current_);
      TRY(Take());
    }
    TRY(Take());
    if (At(CloseOf(*node))) {
      TRY(Take());
      return node;
    }
    TRY_ASSIGN([[maybe_unused]] const bool has_option, TakeOption(*node));
    TRY(Push({.kind = Open::Kind::kItems, .left = std::move(node)}, 1));
    return SyntaxPtr();
  }
  static TokenKind CloseOf(const Syntax& items) {
    return items.kind == Syntax::Kind::kList ? TokenKind::kCloseBracket : TokenKind::kCloseParen;
  }

  // Before an item: `name = integer` is an option, which ends a call; true: it was read.
  Result<bool> TakeOption(Syntax& items) {
    if (next_.kind != TokenKind::kAssign) return false;
    const Function* function =
        items.token.kind == TokenKind::kFunction ? FindKeyword(items.token.text) : nullptr;
    if (function == nullptr || function->option.empty() || items.children.empty() ||
        Lower(current_.text) != function->option) {
      return Invalid("{} extraneous input '='", PlaceOf(text_, next_.offset));
    }
    TRY(Take());
    TRY(Take());
    if (!At(TokenKind::kInt) || current_.is_int_minimum) return Unexpected();
    items.option = current_.value.as_int();
    TRY(Take());
    TRY(Expect(TokenKind::kCloseParen));
    return true;
  }

  // After a value: operators that it is the left side of (false: a right side must follow), and the
  // end of what is open around it. True: the whole text is read.
  Result<bool> Continue(SyntaxPtr& value) {
    while (true) {
      TRY_ASSIGN(const bool has_operator, Operator(value));
      if (has_operator) return false;
      if (opens_.empty()) {
        if (!At(TokenKind::kEnd)) return Unexpected();
        return true;
      }
      Open open = std::move(opens_.back());
      opens_.pop_back();
      level_min_ = open.level_min;
      TRY_ASSIGN(const bool goes_on, Close(std::move(open), value));
      if (goes_on) return false;
      if (value->height > kHeightMax) return TooDeep();
    }
  }

  Result<bool> Operator(SyntaxPtr& value) {
    // `a not in b`: the operator is two tokens.
    const bool not_in =
        (At(TokenKind::kNot) || At(TokenKind::kBang)) && next_.kind == TokenKind::kIn;
    const TokenKind op = not_in ? TokenKind::kIn : current_.kind;
    const int level = PrecedenceOf(op);
    if (level == 0 || level < level_min_) return false;
    TRY(Take());
    if (not_in) TRY(Take());
    const bool is_order = IsLessSide(op) || IsGreaterSide(op);
    Open open{.kind = is_order ? Open::Kind::kCompare : Open::Kind::kBinary,
              .op = op,
              .negated = not_in,
              .left = std::move(value)};
    TRY(Push(std::move(open), is_order ? kMemberLevel : level + 1));
    return true;
  }

  // Ends `open` with its last part, which becomes the whole; or goes on inside it: true.
  Result<bool> Close(Open open, SyntaxPtr& value) {
    switch (open.kind) {
      case Open::Kind::kGroup:
        TRY(Expect(TokenKind::kCloseParen));
        return false;
      case Open::Kind::kItems:
        return CloseItem(std::move(open), value);
      case Open::Kind::kCompare:
        if (StartsRange(open.op, *value)) {
          open.kind = Open::Kind::kRange;
          open.op2 = current_.kind;
          open.middle = std::move(value);
          TRY(Take());
          TRY(Push(std::move(open), kMemberLevel));
          return true;
        }
        value = Joined(std::move(open), std::move(value));
        return false;
      default:
        value = Joined(std::move(open), std::move(value));
        return false;
    }
  }

  // Items end with `close`; one trailing comma is fine, but for functions that are keywords.
  Result<bool> CloseItem(Open open, SyntaxPtr& value) {
    Syntax& items = *open.left;
    Adopt(items, std::move(value));
    const bool has_comma = At(TokenKind::kComma);
    if (has_comma) {
      TRY(Take());
      const bool is_keyword = items.token.kind == TokenKind::kFunction;
      if (!At(CloseOf(items)) || is_keyword) {
        TRY_ASSIGN(const bool is_whole, TakeOption(items));
        if (is_whole) {
          value = std::move(open.left);
          return false;
        }
        TRY(Push(std::move(open), 1));
        return true;
      }
    }
    TRY(Expect(CloseOf(items)));
    value = std::move(open.left);
    return false;
  }

  // `low < path` before another sign of the same side.
  bool StartsRange(TokenKind op, const Syntax& middle) const {
    const bool same_side =
        IsLessSide(op) ? IsLessSide(current_.kind) : IsGreaterSide(current_.kind);
    return same_side &&
           (middle.kind == Syntax::Kind::kName || middle.kind == Syntax::Kind::kPath ||
            middle.kind == Syntax::Kind::kSubField || middle.kind == Syntax::Kind::kElement);
  }

  static SyntaxPtr Joined(Open open, SyntaxPtr last) {
    const Syntax::Kind kind = open.kind == Open::Kind::kExists   ? Syntax::Kind::kExists
                              : open.kind == Open::Kind::kPrefix ? Syntax::Kind::kUnary
                              : open.kind == Open::Kind::kRange  ? Syntax::Kind::kRange
                                                                 : Syntax::Kind::kBinary;
    SyntaxPtr node = Make(kind, open.op);
    node->op2 = open.op2;
    node->negated = open.negated;
    // Binding takes a chain of one logical operator as one node, so such a chain is one level high.
    const bool continues_chain = (open.op == TokenKind::kAnd || open.op == TokenKind::kOr) &&
                                 open.left->kind == Syntax::Kind::kBinary &&
                                 open.left->op == open.op;
    const int chain_height = continues_chain ? open.left->height : 0;
    const int last_height = last->height;
    if (open.left != nullptr) Adopt(*node, std::move(open.left));
    if (open.middle != nullptr) Adopt(*node, std::move(open.middle));
    Adopt(*node, std::move(last));
    if (continues_chain) node->height = std::max(chain_height, last_height + 1);
    return node;
  }

  Result<SyntaxPtr> Atom() {
    switch (current_.kind) {
      case TokenKind::kInt:
      case TokenKind::kFloat:
      case TokenKind::kBool:
      case TokenKind::kString:
      case TokenKind::kRawString:
        return Leaf(Syntax::Kind::kLiteral);
      case TokenKind::kName:
        return NullTest(Syntax::Kind::kName);
      case TokenKind::kPath:
        return NullTest(Syntax::Kind::kPath);
      case TokenKind::kStructSub:
        return NullTest(Syntax::Kind::kSubField);
      case TokenKind::kElementVariable:
        return Leaf(Syntax::Kind::kElement);
      case TokenKind::kIso:
      case TokenKind::kInterval: {
        const bool is_time = At(TokenKind::kIso);
        TRY(Take());
        if (!At(TokenKind::kString) && !At(TokenKind::kRawString)) return Unexpected();
        return Leaf(is_time ? Syntax::Kind::kTime : Syntax::Kind::kInterval);
      }
      case TokenKind::kOpenBrace: {
        TRY(Take());
        if (!At(TokenKind::kName)) return Unexpected();
        TRY_ASSIGN(SyntaxPtr node, Leaf(Syntax::Kind::kTemplate));
        TRY(Expect(TokenKind::kCloseBrace));
        return node;
      }
      default:
        return Unexpected();
    }
  }

  Result<SyntaxPtr> Leaf(Syntax::Kind kind) {
    if (At(TokenKind::kInt) && current_.is_int_minimum) {
      return Invalid("{} integer out of range: {}", PlaceOf(text_, current_.offset), current_.text);
    }
    SyntaxPtr node = Make(kind);
    node->token = std::move(current_);
    TRY(Take());
    return node;
  }

  Result<SyntaxPtr> NullTest(Syntax::Kind kind) {
    TRY_ASSIGN(SyntaxPtr operand, Leaf(kind));
    const bool is_null = At(TokenKind::kIsNull);
    if (!is_null && !At(TokenKind::kIsNotNull)) return operand;
    TRY(Take());
    SyntaxPtr node = Make(Syntax::Kind::kIsNull);
    node->negated = !is_null;
    Adopt(*node, std::move(operand));
    return node;
  }

  std::string_view text_;
  Lexer lexer_;
  Token current_;
  Token next_;
  std::vector<Open> opens_;
  int level_min_ = 1;
};

}  // namespace

Syntax::~Syntax() {
  std::vector<std::unique_ptr<Syntax>> pending = std::move(children);
  while (!pending.empty()) {
    std::unique_ptr<Syntax> node = std::move(pending.back());
    pending.pop_back();
    for (auto& child : node->children) pending.push_back(std::move(child));
    node->children.clear();
  }
}

Result<std::unique_ptr<Syntax>> Parse(std::string_view text) { return Parser(text).Run(); }

}  // namespace elanus::expr
