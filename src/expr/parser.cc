// Parsing by precedence climbing. Tightest first: exists 16, like 15, ** 14, prefix 13, * / % 12, +
// - 11, shifts 10, in 9, chained range 8, comparisons 7, equality 6, & 5, ^ 4, | 3, and 2, or 1. A
// prefix operator takes what binds tighter than itself, so `not a > 1` is `(not a) > 1`, as in the
// reference.
#include "expr/parser.h"

#include <algorithm>
#include <array>

namespace elanus::expr {
namespace {

using SyntaxPtr = std::unique_ptr<Syntax>;

constexpr int kPrefixOperand = 14;
constexpr int kMemberLevel = 9;

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

class Parser {
 public:
  Parser(std::string_view text, std::vector<Token> tokens)
      : text_(text), tokens_(std::move(tokens)) {}

  Result<SyntaxPtr> Run() {
    TRY_ASSIGN(SyntaxPtr root, Binary(1));
    if (Peek().kind != TokenKind::kEnd) return Unexpected();
    if (root->height > kHeightMax) return TooDeep();
    return root;
  }

 private:
  const Token& Peek(size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  Token Take() { return std::move(tokens_[at_ == tokens_.size() - 1 ? at_ : at_++]); }
  Status Unexpected() const {
    const Token& token = Peek();
    if (token.kind == TokenKind::kEnd) {
      return Invalid("{} mismatched input '<EOF>'", PlaceOf(text_, token.offset));
    }
    if (token.kind == TokenKind::kReserved) {
      return Error(ErrorCode::kUnimplemented,
                   "time literals ({}) in a filter are not supported yet", token.text);
    }
    return Invalid("{} extraneous input '{}'", PlaceOf(text_, token.offset), token.text);
  }
  Status Expect(TokenKind kind) {
    if (Peek().kind != kind) return Unexpected();
    Take();
    return {};
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
  Status TooDeep() const {
    return Invalid("{} the expression nests too deep", PlaceOf(text_, Peek().offset));
  }

  // `a not in b`: the operator is two tokens.
  bool AtNotIn() const {
    return (Peek().kind == TokenKind::kNot || Peek().kind == TokenKind::kBang) &&
           Peek(1).kind == TokenKind::kIn;
  }

  Result<SyntaxPtr> Binary(int level_min) {
    if (++depth_ > kNestingMax) return TooDeep();
    TRY_ASSIGN(SyntaxPtr left, Operand());
    while (true) {
      const bool not_in = AtNotIn();
      const TokenKind op = not_in ? TokenKind::kIn : Peek().kind;
      const int level = PrecedenceOf(op);
      if (level == 0 || level < level_min) break;
      Take();
      if (not_in) Take();
      if (IsLessSide(op) || IsGreaterSide(op)) {
        TRY_ASSIGN(left, Comparison(std::move(left), op));
        if (left->height > kHeightMax) return TooDeep();
        continue;
      }
      TRY_ASSIGN(SyntaxPtr right, Binary(level + 1));
      SyntaxPtr node = Make(Syntax::Kind::kBinary, op);
      node->negated = not_in;
      // Binding walks a chain of one logical operator in a loop, so such a chain is one level high.
      const bool continues_chain = (op == TokenKind::kAnd || op == TokenKind::kOr) &&
                                   left->kind == Syntax::Kind::kBinary && left->op == op;
      const int chain_height = left->height;
      Adopt(*node, std::move(left));
      Adopt(*node, std::move(right));
      if (continues_chain) node->height = std::max(chain_height, node->children[1]->height + 1);
      if (node->height > kHeightMax) return TooDeep();
      left = std::move(node);
    }
    --depth_;
    return left;
  }

  // After `left op`: either a comparison, or `low < path < high`.
  Result<SyntaxPtr> Comparison(SyntaxPtr left, TokenKind op) {
    TRY_ASSIGN(SyntaxPtr middle, Binary(kMemberLevel));
    const TokenKind op2 = Peek().kind;
    const bool same_side = IsLessSide(op) ? IsLessSide(op2) : IsGreaterSide(op2);
    const bool is_path = middle->kind == Syntax::Kind::kName || middle->kind == Syntax::Kind::kPath;
    SyntaxPtr node;
    if (same_side && is_path) {
      Take();
      TRY_ASSIGN(SyntaxPtr high, Binary(kMemberLevel));
      node = Make(Syntax::Kind::kRange, op);
      node->op2 = op2;
      Adopt(*node, std::move(left));
      Adopt(*node, std::move(middle));
      Adopt(*node, std::move(high));
    } else {
      node = Make(Syntax::Kind::kBinary, op);
      Adopt(*node, std::move(left));
      Adopt(*node, std::move(middle));
    }
    return node;
  }

  Result<SyntaxPtr> Operand() {
    if (!IsPrefix(Peek().kind)) return Primary();
    const TokenKind op = Take().kind;
    if (op == TokenKind::kMinus && Peek().kind == TokenKind::kInt && Peek().is_int_minimum) {
      SyntaxPtr literal = Make(Syntax::Kind::kLiteral);
      literal->token = Take();
      literal->token.is_int_minimum = false;  // The wrapped value is the right one.
      return literal;
    }
    TRY_ASSIGN(SyntaxPtr operand, Binary(kPrefixOperand));
    SyntaxPtr node = Make(Syntax::Kind::kUnary, op);
    Adopt(*node, std::move(operand));
    return node;
  }

  Result<SyntaxPtr> Primary() {
    const TokenKind kind = Peek().kind;
    switch (kind) {
      case TokenKind::kInt:
      case TokenKind::kFloat:
      case TokenKind::kBool:
      case TokenKind::kString:
      case TokenKind::kRawString:
        return Leaf(Syntax::Kind::kLiteral);
      case TokenKind::kName:
        if (Peek(1).kind == TokenKind::kOpenParen) return Call();
        return NullTest(Syntax::Kind::kName);
      case TokenKind::kPath:
        return NullTest(Syntax::Kind::kPath);
      case TokenKind::kStructSub:
        return Invalid("{} struct field not found: {}", PlaceOf(text_, Peek().offset), Peek().text);
      case TokenKind::kElementVariable:
        return Invalid("{} $[{}] can only be used inside element_filter or match_*",
                       PlaceOf(text_, Peek().offset), Peek().text);
      case TokenKind::kExists: {
        Take();
        if (++depth_ > kNestingMax) return TooDeep();
        TRY_ASSIGN(SyntaxPtr operand, Primary());
        --depth_;
        SyntaxPtr node = Make(Syntax::Kind::kExists);
        Adopt(*node, std::move(operand));
        return node;
      }
      case TokenKind::kOpenBrace: {
        Take();
        if (Peek().kind != TokenKind::kName) return Unexpected();
        SyntaxPtr node = Make(Syntax::Kind::kTemplate);
        node->token = Take();
        TRY(Expect(TokenKind::kCloseBrace));
        return node;
      }
      case TokenKind::kOpenParen: {
        Take();
        TRY_ASSIGN(SyntaxPtr inner, Binary(1));
        TRY(Expect(TokenKind::kCloseParen));
        return inner;
      }
      case TokenKind::kOpenBracket: {
        Take();
        SyntaxPtr list = Make(Syntax::Kind::kList);
        TRY(Items(TokenKind::kCloseBracket, *list));
        return list;
      }
      default:
        return Unexpected();
    }
  }

  Result<SyntaxPtr> Leaf(Syntax::Kind kind) {
    SyntaxPtr node = Make(kind);
    if (Peek().kind == TokenKind::kInt && Peek().is_int_minimum) {
      return Invalid("{} integer out of range: {}", PlaceOf(text_, Peek().offset), Peek().text);
    }
    node->token = Take();
    return node;
  }

  Result<SyntaxPtr> NullTest(Syntax::Kind kind) {
    TRY_ASSIGN(SyntaxPtr operand, Leaf(kind));
    const TokenKind next = Peek().kind;
    if (next != TokenKind::kIsNull && next != TokenKind::kIsNotNull) return operand;
    Take();
    SyntaxPtr node = Make(Syntax::Kind::kIsNull);
    node->negated = next == TokenKind::kIsNotNull;
    Adopt(*node, std::move(operand));
    return node;
  }

  Result<SyntaxPtr> Call() {
    SyntaxPtr node = Make(Syntax::Kind::kCall);
    node->token = Take();
    Take();
    TRY(Items(TokenKind::kCloseParen, *node));
    return node;
  }

  // Items up to `close`; one trailing comma is fine. Options (`name = value`) belong to functions
  // not built yet.
  Status Items(TokenKind close, Syntax& node) {
    while (Peek().kind != close) {
      TRY_ASSIGN(SyntaxPtr item, Binary(1));
      if (Peek().kind == TokenKind::kAssign && node.kind == Syntax::Kind::kCall) {
        Take();
        TRY_ASSIGN(item, Binary(1));
      }
      Adopt(node, std::move(item));
      if (Peek().kind != TokenKind::kComma) break;
      Take();
    }
    return Expect(close);
  }

  std::string_view text_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  int depth_ = 0;
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

Result<std::unique_ptr<Syntax>> Parse(std::string_view text) {
  TRY_ASSIGN(std::vector<Token> tokens, Lex(text));
  return Parser(text, std::move(tokens)).Run();
}

}  // namespace elanus::expr
