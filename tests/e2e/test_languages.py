"""Analyzers that depend on languages: the identifier of languages, and lindera with the dictionary ipadic."""
from pymilvus import DataType, Function, FunctionType
from support import add_index, refused

JAPANESE = {"tokenizer": {"type": "lindera", "dict_kind": "ipadic",
                          "filter": [{"kind": "japanese_stop_tags", "tags": ["助詞", "助詞,係助詞", "助詞,連体化"]}]}}
MIXED = {"tokenizer": {"type": "language_identifier", "identifier": "whatlang",
                       "analyzers": {"default": {"tokenizer": "standard", "filter": ["lowercase"]},
                                     "English": {"type": "english"}, "jp": JAPANESE, "Mandarin": {"type": "chinese"}},
                       "mapping": {"Japanese": "jp"}}}


def words(client, text, analyzer):
    return list(client.run_analyzer(text, analyzer).tokens)


def test_texts_go_to_the_analyzer_of_their_language(client):
    assert words(client, "The runners were running", MIXED) == ["runner", "were", "run"]
    assert words(client, "すもももももももものうち", MIXED) == ["すもも", "もも", "もも", "うち"]
    assert "大学" in words(client, "我在北京大学读书", MIXED) or "北京大学" in words(client, "我在北京大学读书", MIXED)
    assert words(client, "Der Hund läuft über die Straße", MIXED) == ["der", "hund", "läuft", "über", "die", "straße"]


def test_offsets_are_those_of_the_text(client):
    text = "関西国際空港に行った"
    whole = {"tokenizer": {"type": "lindera", "dict_kind": "ipadic", "mode": "decompose"}}
    tokens = client.run_analyzer(text, whole, with_detail=True).tokens
    raw = text.encode()
    assert [token["token"] for token in tokens] == ["関西", "国際", "空港", "に", "行っ", "た"]
    for i, token in enumerate(tokens):
        assert raw[token["start_offset"]:token["end_offset"]].decode() == token["token"]
        assert token["position"] == i


def test_a_dictionary_that_is_not_installed_is_said_so(client):
    with refused(2000, "function.analyzer.lindera.dictionaries.ko-dic"):
        client.run_analyzer("x", {"tokenizer": {"type": "lindera", "dict_kind": "ko-dic"}})


def test_texts_of_several_languages_are_searched(client, name):
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=1000, enable_analyzer=True, analyzer_params=MIXED)
    schema.add_field("terms", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(Function(name="rank", function_type=FunctionType.BM25, input_field_names=["text"],
                                 output_field_names=["terms"]))
    client.create_collection(name, schema=schema, consistency_level="Strong")
    add_index(client, name, "SPARSE_INVERTED_INDEX", "BM25", field="terms")
    client.load_collection(name)
    client.insert(name, [{"id": 1, "text": "The dog was running in the park"}, {"id": 2, "text": "昨日は公園で犬と走りました"},
                         {"id": 3, "text": "Der Hund läuft im Park herum"}])
    for query, best in (("dogs that run about", 1), ("公園の犬", 2), ("wo läuft der Hund herum", 3)):
        hits = client.search(name, data=[query], anns_field="terms", limit=1)[0]
        assert [hit["id"] for hit in hits] == [best], query
