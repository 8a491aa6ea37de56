// LIKE patterns.
#include "expr/like.h"

#include <algorithm>

namespace elanus::expr {
namespace {

// Bytes of the code point that text begins with; a stray byte counts as one.
size_t CodePointBytes(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const size_t want = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
  size_t bytes = 1;
  while (bytes < std::min(want, text.size()) && (text[bytes] & 0xC0) == 0x80) ++bytes;
  return bytes;
}

}  // namespace

Result<LikePattern> LikePattern::Make(std::string_view pattern) {
  LikePattern made;
  std::string text;
  const auto end_text = [&] {
    if (!text.empty()) made.pieces_.push_back({Piece::Kind::kText, std::move(text)});
    text.clear();
  };
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\') {
      if (++i == pattern.size()) {
        return Error(ErrorCode::kSegcore, "the pattern ends in a lone escape[segcoreCode=2028]: {}",
                     pattern);
      }
      text += pattern[i];
    } else if (c == '%') {
      end_text();
      if (made.pieces_.empty() || made.pieces_.back().kind != Piece::Kind::kAny) {
        made.pieces_.push_back({Piece::Kind::kAny, {}});
      }
    } else if (c == '_') {
      end_text();
      made.pieces_.push_back({Piece::Kind::kOne, {}});
    } else {
      text += c;
    }
  }
  end_text();
  const auto is = [&](std::initializer_list<Piece::Kind> kinds) {
    if (made.pieces_.size() != kinds.size()) return false;
    size_t i = 0;
    for (Piece::Kind kind : kinds) {
      if (made.pieces_[i++].kind != kind) return false;
    }
    return true;
  };
  using K = Piece::Kind;
  made.kind_ = made.pieces_.empty() || is({K::kText})     ? Kind::kEquals
               : is({K::kAny}) || is({K::kText, K::kAny}) ? Kind::kPrefix
               : is({K::kAny, K::kText})                  ? Kind::kSuffix
               : is({K::kAny, K::kText, K::kAny})         ? Kind::kInfix
                                                          : Kind::kGeneral;
  for (const Piece& piece : made.pieces_) {
    if (made.kind_ != Kind::kGeneral && piece.kind == K::kText) made.literal_ = piece.text;
    if (piece.kind == K::kText) made.literals_.push_back(piece.text);
  }
  const bool begins_with_text = !made.pieces_.empty() && made.pieces_[0].kind == K::kText;
  if (begins_with_text) made.prefix_ = made.pieces_[0].text;
  return made;
}

LikePattern LikePattern::OfLiteral(Kind kind, std::string literal) {
  LikePattern made;
  made.kind_ = kind;
  if (kind == Kind::kEquals || kind == Kind::kPrefix) made.prefix_ = literal;
  if (!literal.empty()) made.literals_ = {literal};
  made.literal_ = std::move(literal);
  return made;
}

bool LikePattern::Matches(std::string_view text) const {
  switch (kind_) {
    case Kind::kEquals:
      return text == literal_;
    case Kind::kPrefix:
      return text.starts_with(literal_);
    case Kind::kSuffix:
      return text.ends_with(literal_);
    case Kind::kInfix:
      return text.find(literal_) != std::string_view::npos;
    case Kind::kGeneral:
      return MatchFrom(0, text);
  }
  return false;
}

// Greedy with one way back: to the last % met. Linear in text times pattern at worst.
bool LikePattern::MatchFrom(size_t piece, std::string_view text) const {
  size_t back_piece = SIZE_MAX;
  std::string_view back_text;
  while (true) {
    bool good = false;
    if (piece == pieces_.size()) {
      if (text.empty()) return true;
    } else if (pieces_[piece].kind == Piece::Kind::kAny) {
      back_piece = ++piece;
      back_text = text;
      continue;
    } else if (pieces_[piece].kind == Piece::Kind::kOne) {
      good = !text.empty();
      if (good) text.remove_prefix(CodePointBytes(text));
    } else {
      good = text.starts_with(pieces_[piece].text);
      if (good) text.remove_prefix(pieces_[piece].text.size());
    }
    if (good) {
      ++piece;
      continue;
    }
    if (back_piece == SIZE_MAX || back_text.empty()) return false;
    back_text.remove_prefix(CodePointBytes(back_text));
    text = back_text;
    piece = back_piece;
  }
}

}  // namespace elanus::expr
