// The functions of the filter language: how each binds its arguments. One file each.
#pragma once

#include "base/status.h"
#include "expr/operand.h"

namespace elanus::expr {

struct Call;

/// array_contains(array or JSON, value), also as json_contains: an element equals the value.
Result<Operand> BindContains(const Call& call);
/// ..._contains_all(array or JSON, [values]): every value is there. Of an empty list always true.
Result<Operand> BindContainsAll(const Call& call);
/// ..._contains_any(array or JSON, [values]): one of the values is there.
Result<Operand> BindContainsAny(const Call& call);
/// array_length(array or JSON): a number to compare with an integer.
Result<Operand> BindArrayLength(const Call& call);
/// match_any(struct, condition over $[sub]) and its kin: how many of a row's elements pass. A null
/// row has no elements.
Result<Operand> BindMatchAny(const Call& call);
Result<Operand> BindMatchAll(const Call& call);
Result<Operand> BindMatchLeast(const Call& call);
Result<Operand> BindMatchMost(const Call& call);
Result<Operand> BindMatchExact(const Call& call);
/// element_filter(struct, condition over $[sub]): as match_any, and a search for single elements
/// finds those only that pass.
Result<Operand> BindElementFilter(const Call& call);
/// text_match(text field, words[, minimum_should_match=n]): some of the words are in it.
Result<Operand> BindTextMatch(const Call& call);
/// text_match_fuzzy(text field, words, max_edit_distance=n): words near to them are.
Result<Operand> BindTextMatchFuzzy(const Call& call);
/// phrase_match(text field, words[, slop]): they stand in it one after the other.
Result<Operand> BindPhraseMatch(const Call& call);
/// empty(text): it has no bytes.
Result<Operand> BindEmpty(const Call& call);
/// starts_with(text, prefix).
Result<Operand> BindStartsWith(const Call& call);
/// st_within(geometry field, text) and its kin: what a row's geometry is to that one.
Result<Operand> BindSpatialRelation(const Call& call);
/// st_dwithin(geometry field, text of a point, metres): no farther from it.
Result<Operand> BindDistanceWithin(const Call& call);
/// st_isvalid(geometry field).
Result<Operand> BindIsValid(const Call& call);
/// random_sample(share): keeps a share of the rows that pass the rest of the filter.
Result<Operand> BindRandomSample(const Call& call);

}  // namespace elanus::expr
