"""What analyzers say of each fault in their parameters, and what each makes of a text: the contract's statements, one a line."""
import json
import zlib

import pytest
from support import refused


def standard(*filters, **more):
    return {"tokenizer": "standard", "filter": list(filters), **more}


def jieba(**more):
    return {"tokenizer": {"type": "jieba", **more}}


def languages(**more):
    return {"tokenizer": {"type": "language_identifier", **more}}


def lindera(**more):
    params = {"type": "lindera", "dict_kind": "ipadic", **more}
    return {"tokenizer": {key: value for key, value in params.items() if value is not None}}


def group(*delimiters):
    return {"tokenizer": {"type": "char_group", "delimiters": list(delimiters)}}


def whitespace(*filters):
    return {"tokenizer": "whitespace", "filter": list(filters)}


def synonyms(*rows, **more):
    return whitespace({"type": "synonym", "synonyms": list(rows), **more})


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
    *[(standard({"type": name}), f"unsupport filter type: {name}") for name in (
        "asciifolding", "alphanumonly", "cncharonly", "cnalphanumonly", "removepunct", "decimaldigit", "arabic_normalization")],
    *[(standard(name), f"filter not found :{name}") for name in ("length", "stop", "decompounder", "stemmer", "regex", "synonym")],
    (standard({"type": "synonym", "synonyms": ["a, b"], "expand": "x"}), "expand must be a boolean value"),
    (standard({"type": "synonym", "synonyms": "a, b"}), "synonyms should be array"),
    ({"tokenizer": {"type": "char_group"}}, "delimiters must be array"),
    ({"tokenizer": {"type": "char_group", "delimiters": ["ab"]}}, "unknown delimiter: ab"),
    ({"tokenizer": {"type": "char_group", "delimiters": ["é"]}}, "unknown delimiter"),
    (lindera(dict_kind=None), "must set dict_kind"), (lindera(dict_kind="x"), "unsupported lindera dict kind: x"),
    (lindera(mode="x"), "normal or decompose"), (lindera(filter=["japanese_keep_tags"]), "must set tags"),
    ("[]", "not a JSON object"), ("5", "not a JSON object"), ("standard", "JSON"), ("{", "JSON"),
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


# (token, first byte, end, position); with a fifth number also how many positions it takes.
PLACES = [
    ("Big-Cats, 42!", {}, [("big", 0, 3, 0), ("cats", 4, 8, 1), ("42", 10, 12, 2)]),
    ("Big-Cats, 42!", {"type": "standard", "stop_words": ["cats"]}, [("big", 0, 3, 0), ("42", 10, 12, 2)]),
    ("Ünï x", {"tokenizer": "standard"}, [("Ünï", 0, 5, 0), ("x", 6, 7, 1)]),
    ("甲乙丙", jieba(dict=["甲乙"], mode="exact", hmm=False), [("甲乙", 0, 6, 0, 2), ("丙", 6, 9, 2, 1)]),
    # Words in words; positions count characters.
    ("来到清华大学", jieba(), [("来到", 0, 6, 0, 2), ("清华", 6, 12, 2, 2), ("华大", 9, 15, 3, 2), ("大学", 12, 18, 4, 2),
                         ("清华大学", 6, 18, 2, 4)]),
    ("a, 中b", {"tokenizer": "icu"}, [("a", 0, 1, 0), (",", 1, 2, 1), (" ", 2, 3, 2), ("中", 3, 6, 3), ("b", 6, 7, 4)]),
    ("ภาษา ไทย", {"tokenizer": "thai"}, [("ภาษา", 0, 12, 0), ("ไทย", 13, 22, 5)]),
    ("ab_c1d", group("_"), [("ab", 0, 2, 0), ("c1d", 3, 6, 1)]),
    ("中国", jieba(mode="exact") | {"filter": ["pinyin"]},
     [("zhong", 0, 6, 0, 2), ("guo", 0, 6, 0, 2), ("中国", 0, 6, 0, 2)]),
    ("the a cat", standard({"type": "stop", "stop_words": ["a"]}), [("the", 0, 3, 0), ("cat", 6, 9, 2)]),
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
    # The built-in ones, beside which nothing else counts.
    ("A-b", {"type": "standard", "tokenizer": "whitespace", "filter": ["nofilter"], "foo": 1}, ["a", "b"]),
    ("Big", "", ["big"]), ("Big", {"type": "standard", "stop_words": []}, ["big"]),
    ("كتب في ٣ بيت", {"type": "arabic"}, ["كتب", "3", "بيت"]), ("كتب بيت", {"type": "arabic", "stop_words": ["كتب"]}, ["بيت"]),
    ("ฉันรักภาษาไทย ๓ และ", {"type": "thai"}, ["ฉัน", "รัก", "ภาษา", "ไทย", "3"]),
    ("ภาษา ไทย", {"type": "thai", "stop_words": ["ไทย"]}, ["ภาษา"]),
    ("来到清华", {"type": "chinese", "stop_words": ["来到"]}, ["清华"]), ("来到, 清华!", {"type": "chinese"}, ["来到", "清华"]),
    # What is neither a name nor an object is no filter.
    ("A b", {"tokenizer": "standard", "filter": [5, None, True, ["x"], "lowercase"]}, ["a", "b"]),
    # Tokenizers.
    ("a\u00a0b\u3000c\td\ne", {"tokenizer": "whitespace"}, ["a\u00a0b\u3000c", "d", "e"]),
    ("来到清华大学", jieba(mode="exact"), ["来到", "清华大学"]), ("来到清华大学", jieba(dict=["_extend_default_"], mode="exact"), ["来到", "清华大学"]),
    ("北京石磨坊", jieba(dict=["_default_", "石磨坊", ""], mode="exact"), ["北京", "石磨坊"]),
    ("北京", jieba(dict=[], hmm=False), ["北", "京"]),
    ("网易杭研大厦", jieba(hmm=False), ["网易", "杭", "研", "大厦"]), ("网易杭研大厦", jieba(), ["网易", "杭研", "大厦"]),
    ("a\u3000b c", group("whitespace"), ["a", "b", "c"]), ("a\u3000b c", group("ascii_whitespace"), ["a\u3000b", "c"]),
    ("1é2a3", group("letter"), ["1", "2", "3"]), ("1é2a3", group("ascii_letter"), ["1é2", "3"]),
    ("a٣b3c", group("digit"), ["a", "b", "c"]), ("a٣b3c", group("ascii_digit"), ["a٣b", "c"]),
    ("a、b,c+d", group("punctuation"), ["a", "b", "c+d"]), ("a、b,c+d", group("ascii_punctuation"), ["a、b", "c", "d"]),
    ("a,b+d€e", group("symbol"), ["a,b", "d", "e"]), ("__a__b__", group("_"), ["a", "b"]),
    ("東京都に行く", lindera(filter=[{"kind": "japanese_keep_tags", "tags": ["動詞,自立"]}]), ["行く"]),
    ("1個に", lindera(filter=[{"kind": "japanese_compound_word", "tags": ["名詞,数", "名詞,接尾,助数詞"]}]), ["1個", "に"]),
    *[(text, languages(identifier=identifier, analyzers={"default": {"tokenizer": "whitespace"}, language: analyzer}), words)
      for identifier, language, analyzer, text, words in (
          ("lingua", "English", {"type": "english"}, "The dog runs in the garden", ["dog", "run", "garden"]),
          ("lingua", "Chinese", {"type": "chinese"}, "我来到北京", ["我", "来到", "北京"]),
          ({"type": "whatlang", "confidence": 0.0}, "English", {"type": "english"}, "The dog runs fast", ["dog", "run", "fast"]),
          ({"type": "whatlang", "confidence": 1.0}, "English", {"type": "english"}, "The dog runs", ["The", "dog", "runs"]))],
    # Filters.
    ("É é éé", standard({"type": "length", "max": 2}), ["É", "é"]), ("ÀÉ ﬁ Ａ ß", standard("asciifolding"), ["AE", "fi", "A", "ss"]),
    ("ÀÜ ЖÑ", standard("lowercase"), ["àü", "жñ"]), ("running", standard({"type": "stemmer", "language": "ENGLISH"}), ["run"]),
    ("und le el il og oder", standard({"type": "stop", "stop_words": [
        "_german_", "_french_", "_spanish_", "_italian_", "_danish_"]}), []),
    ("abc", standard({"type": "decompounder", "word_list": ["a", "ab", "bc", "c"]}), ["ab", "c"]),
    ("foobar foobaz", standard({"type": "regex", "expr": "foo(?=bar)"}), ["foobar"]),
    ("a,b x", synonyms("a\\,b, c"), ["a,b", "c", "x"]), ("a=>b", synonyms("a\\=>b => z"), ["a=>b", "z"]),
    ("a\\b", synonyms("a\\\\b => z", expand=False), ["z"]), ("new york", {**group("_"), **{"filter": [
        {"type": "synonym", "synonyms": ["new\\ york, ny"]}]}}, ["new york", "ny"]),
    ("a", synonyms("x, a, b", expand=False), ["x"]),
    ("中国", jieba() | {"filter": [{"type": "pinyin", "keep_original": False, "keep_full_pinyin": False,
                                 "keep_joined_full_pinyin": True, "keep_separate_first_letter": True}]}, ["zhongguo", "z", "g"]),
]


@pytest.mark.parametrize("text, params, tokens", PLACES)
def test_tokens_have_their_places(client, text, params, tokens):
    found = client.run_analyzer(text, params, with_detail=True).tokens
    names = ("token", "start_offset", "end_offset", "position", "position_length")
    assert [tuple(one[name] for name in names[:len(tokens[0])]) for one in found] == tokens


@pytest.mark.parametrize("text, params, words", WORDS)
def test_texts_become_words(client, text, params, words):
    found = client.run_analyzer(text, params).tokens
    in_any_order = "synonym" in json.dumps(params)  # Of those of one word.
    assert (sorted(found) if in_any_order else found) == words


STEMS = {"danish": "hunde", "dutch": "honden", "english": "dogs", "finnish": "koirat", "french": "chiens", "german": "hunde",
         "greek": "σκυλιά", "hungarian": "kutyák", "italian": "cani", "norwegian": "hunder", "portuguese": "cachorros",
         "romanian": "câinii", "russian": "собаки", "spanish": "perros", "swedish": "hundar", "tamil": "நாய்கள்",
         "turkish": "köpekler", "arabic": "الكتاب"}


@pytest.mark.parametrize("language", STEMS)
def test_each_language_has_its_stems(client, language):
    [stem] = client.run_analyzer(STEMS[language], whitespace({"type": "stemmer", "language": language})).tokens
    assert stem != STEMS[language] and stem


@pytest.mark.parametrize("language, word", [
    ("arabic", "في"), ("chinese", "的"), ("danish", "og"), ("dutch", "het"), ("english", "the"), ("finnish", "ja"),
    ("french", "le"), ("german", "und"), ("hungarian", "és"), ("italian", "il"), ("norwegian", "og"), ("portuguese", "não"),
    ("russian", "и"), ("spanish", "el"), ("swedish", "och"), ("thai", "และ")])
def test_each_list_of_stop_words_is_there(client, language, word):
    assert client.run_analyzer(f"{word} xyz", whitespace({"type": "stop", "stop_words": [f"_{language}_"]})).tokens == ["xyz"]


def test_the_hash_of_a_word_is_that_of_its_first_100_bytes(client):
    long = "ü" * 49 + "xyz" + "w" * 60
    [token] = client.run_analyzer(long, {"tokenizer": "whitespace"}, with_hash=True).tokens
    assert token["hash"] == zlib.crc32(long.encode()[:100]) % (2 ** 32 - 1) != zlib.crc32(long.encode()) % (2 ** 32 - 1)
