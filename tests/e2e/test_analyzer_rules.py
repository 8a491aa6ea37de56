"""What analyzers say of each fault in their parameters, and what each makes of a text: the contract's statements, one a line."""
import json

import pytest
from support import refused


def standard(*filters, **more):
    return {"tokenizer": "standard", "filter": list(filters), **more}


def jieba(**more):
    return {"tokenizer": {"type": "jieba", **more}}


def languages(**more):
    return {"tokenizer": {"type": "language_identifier", **more}}


FAULTS = [
    ({"filter": ["lowercase"]}, "tokenizer name or type must be set"),
    ({"tokenizer": 5}, "tokenizer name should be string or dict"),
    ({"tokenizer": {"mode": "x"}}, "customized tokenizer must set type"),
    ({"tokenizer": "standard", "filter": "lowercase"}, "filter params should be array"),
    (standard(foo=1), "unknown analyzer option key: foo"),
    ({"type": 5}, "analyzer type should be string"),
    ({"type": "klingon"}, "unknown build-in analyzer type: klingon"),
    ({"type": "standard", "stop_words": "x"}, "filter stop_words should be array"),
    ({"type": "standard", "stop_words": [1]}, "list item should be string"),
    ({"tokenizer": "nope"}, "unsupported tokenizer: nope"),
    ({"tokenizer": "lindera"}, "must be customized"),
    ({"tokenizer": "char_group"}, "must be customized"),
    ({"tokenizer": "language_identifier"}, "must be customized"),
    (jieba(dict="x"), "jieba tokenizer dict must be array"),
    (jieba(dict=[1]), "dict item must be string"),
    (jieba(dict=["_default_", "_extend_default_"]), "can only set one system dict"),
    (jieba(mode=5), "mode must be string"),
    (jieba(mode="fast"), 'jieba tokenizer mode must be "exact" or "search"'),
    (jieba(hmm="x"), "must be boolean"),
    (languages(), "analyzers must be set"),
    (languages(analyzers=[]), "analyzers must be dict"),
    (languages(analyzers={"default": "x"}), 'sub analyzer "default" params must be dict'),
    (languages(analyzers={"en": {}}), "default sub analyzer for language identifier analyzer must be set"),
    (languages(analyzers={"default": {}}, mapping=[]), "mapping must be dict"),
    (languages(analyzers={"default": {}}, identifier="x"), "unknown identifier name: x"),
    (standard("nofilter"), "build analyzer failed, filter not found :nofilter"),
    (standard({"type": "nofilter"}), "unsupport filter type: nofilter"),
    (standard({"max": 1}), "no type field in filter params"),
    (standard({"type": 5}), "filter type should be string"),
    (standard({"type": "lowercase"}), "unsupport filter type: lowercase"),
    (standard({"type": "length"}), "lenth max param was none or not uint"),
    (standard({"type": "length", "max": -1}), "lenth max param was none or not uint"),
    (standard({"type": "stemmer", "language": "elvish"}), "unsupport language: elvish"),
    (standard({"type": "stemmer"}), "language should be set"),
    (standard({"type": "decompounder", "word_list": []}), "decompounder word list is empty"),
    (standard({"type": "regex"}), "must set expr for regex filter"),
    (standard({"type": "regex", "expr": 5}), "expr must be string"),
    (standard({"type": "regex", "expr": "("}), "regex expression invalid"),
    (standard({"type": "pinyin", "keep_full_pinyin": "x"}), "keep_full_pinyin must be a boolean value"),
    (standard({"type": "synonym", "synonyms": ["a\\x"]}), "synonym"),
    (standard({"type": "synonym", "synonyms": ["a\\"]}), "synonym"),
    (standard({"type": "synonym", "synonyms": ["a => b => c"]}), "synonym"),
    (standard({"type": "synonym", "synonyms": ["a b, c"]}), "synonym"),
    (standard({"type": "stop", "stop_words_file": 5}), "file config of stop_words_file must be object"),
    (standard({"type": "stop", "stop_words_file": {}}), "file type of stop_words_file must be set"),
    (standard({"type": "stop", "stop_words_file": {"type": "ftp"}}), "unsupported file type ftp of stop_words_file"),
    (standard({"type": "stop", "stop_words_file": {"type": "remote", "resource_name": "R", "file_name": "F"}}),
     "file resource: R not found in local resource list"),
]


@pytest.mark.parametrize("params, words", FAULTS, ids=[json.dumps(params)[:70] for params, _ in FAULTS])
def test_each_fault_has_its_words(client, params, words):
    with refused(2000, words):
        client.run_analyzer("x", params)


# (token, first byte, end, position).
PLACES = [
    ("Big-Cats, 42!", {}, [("big", 0, 3, 0), ("cats", 4, 8, 1), ("42", 10, 12, 2)]),
    ("Big-Cats, 42!", {"type": "standard", "stop_words": ["cats"]}, [("big", 0, 3, 0), ("42", 10, 12, 2)]),
    ("Ünï x", {"tokenizer": "standard"}, [("Ünï", 0, 5, 0), ("x", 6, 7, 1)]),
    ("甲乙丙", jieba(dict=["甲乙"], mode="exact", hmm=False), [("甲乙", 0, 6, 0), ("丙", 6, 9, 2)]),
]
SYNONYM = {"type": "synonym", "synonyms": ["a => c, d"]}
WORDS = [
    ("The runners were running", {"type": "english"}, ["runner", "were", "run"]),
    ("THE the cat", {"type": "english", "stop_words": ["cat"]}, []),
    ("A-b c", {"tokenizer": "whitespace"}, ["A-b", "c"]),
    ("Ünï", standard("asciifolding", "lowercase"), ["uni"]),
    ("abc abcd", standard({"type": "length", "max": 3}), ["abc"]),
    ("The foo bar", standard("lowercase", {"type": "stop", "stop_words": ["_english_", "foo"]}), ["bar"]),
    ("The the", standard({"type": "stop", "stop_words": ["the"]}), ["The"]),
    ("a x klingon", standard({"type": "stop", "stop_words": ["_klingon_"]}), ["a", "x", "klingon"]),
    ("raincoat rainy", standard({"type": "decompounder", "word_list": ["rain", "coat"]}), ["rain", "coat", "rainy"]),
    ("a1 22", standard({"type": "regex", "expr": "^[0-9]+$"}), ["22"]),
    ("auto", standard({"type": "synonym", "synonyms": ["car, auto"], "expand": False}), ["car"]),
    ("a", standard({"type": "synonym", "synonyms": ["a, b, c"]}), ["a", "b", "c"]),
    ("a", standard(SYNONYM), ["a", "c", "d"]),
    ("a", standard({**SYNONYM, "expand": False}), ["c", "d"]),
    ("ab_c1d", {"tokenizer": {"type": "char_group", "delimiters": ["_", "digit"]}}, ["ab", "c", "d"]),
    ("٣ 3", standard("decimaldigit"), ["3", "3"]),
    ("x中 y z9 !", {"tokenizer": "whitespace", "filter": ["cncharonly"]}, ["x中"]),
    ("x中 y - é", {"tokenizer": "whitespace", "filter": ["cnalphanumonly"]}, ["x中", "y"]),
    ("ab é a1", {"tokenizer": "whitespace", "filter": ["alphanumonly"]}, ["ab", "a1"]),
    ("a,b cd", {"tokenizer": "whitespace", "filter": ["removepunct"]}, ["cd"]),
    ("a b", {"tokenizer": "icu"}, ["a", " ", "b"]),
    ("أحمد مدرسة", standard("arabic_normalization"), ["احمد", "مدرسه"]),
]


@pytest.mark.parametrize("text, params, tokens", PLACES)
def test_tokens_have_their_places(client, text, params, tokens):
    found = client.run_analyzer(text, params, with_detail=True).tokens
    assert [(one["token"], one["start_offset"], one["end_offset"], one["position"]) for one in found] == tokens


@pytest.mark.parametrize("text, params, words", WORDS)
def test_texts_become_words(client, text, params, words):
    found = client.run_analyzer(text, params).tokens
    in_any_order = "synonym" in json.dumps(params)  # Of those of one word.
    assert (sorted(found) if in_any_order else found) == words
