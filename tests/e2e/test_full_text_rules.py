"""What analyzers, text functions, their indexes and the highlighter may say, rule by rule, each with its code."""
import json
import math
import struct

import bm25s
import numpy as np
import pytest
from pymilvus import DataType, Function, FunctionType
from pymilvus.grpc_gen import common_pb2, milvus_pb2, schema_pb2
from support import add_index, refused
from test_full_text import QUERIES, make, sentences
from test_schema_rules import KEY, VECTOR, create, field
from test_schema_rules_more import COUNTS, function
from wire import column, insert_request, placeholder, search_request, status_of

# --- Several analyzers of a field ------------------------------------------------------------------------------------

GOOD = {"analyzers": {"default": {}, "en": {"type": "english"}}, "by_field": "lang", "alias": {"english": "en"}}
REFUSED_ANALYZERS = {
    "no by_field": (1100, "must set by_field", {"analyzers": {"default": {}}}, {}),
    "by_field no text": (1100, "by_field must be string", {**GOOD, "by_field": 1}, {}),
    "by_field of a number": (1100, "only support by string field", {**GOOD, "by_field": "id"}, {}),
    "by_field unknown": (1100, "not exist", {**GOOD, "by_field": "nobody"}, {}),
    "alias a list": (1100, "alias must be string map", {**GOOD, "alias": ["en"]}, {}),
    "alias of numbers": (1100, "alias must be string map", {**GOOD, "alias": {"en": 1}}, {}),
    "no analyzers": (1100, "must set analyzers", {"by_field": "lang"}, {}),
    "analyzers a list": (1100, "unmarshal analyzers failed", {**GOOD, "analyzers": [{}]}, {}),
    "no default": (1100, "must set default analyzer", {**GOOD, "analyzers": {"en": {}}}, {}),
    "one that is none": (2000, "klingon", {**GOOD, "analyzers": {"default": {}, "x": {"type": "klingon"}}}, {}),
    "matches too": (1100, "now only support for bm25", GOOD, {"enable_match": "true"}),
    "one analyzer too": (1100, "analyzer params should be none", GOOD, {"analyzer_params": "{}"}),
    "no JSON": (1100, "JSON", "{", {}),
}


@pytest.mark.parametrize("what", list(REFUSED_ANALYZERS))
def test_several_analyzers_that_may_not_be_have_their_code(client, call, name, what):
    code, words, params, more = REFUSED_ANALYZERS[what]
    params = params if isinstance(params, str) else json.dumps(params)
    text = field("text", "VarChar", params={"max_length": 100, "enable_analyzer": "true",
                                            "multi_analyzer_params": params, **more})
    lang = field("lang", "VarChar", params={"max_length": 9})
    status = call("CreateCollection", create(name, KEY, VECTOR, lang, text, COUNTS, functions=[function()]))
    assert status.code == code and words in status.reason, status
    assert not client.has_collection(name)


@pytest.mark.parametrize("value, is_on", [("true", True), ("T", True), ("1", True), ("yes", False), ("false", False)])
def test_switches_are_read_as_bools_and_anything_else_is_off(call, name, value, is_on):
    text = field("text", "VarChar", params={"max_length": 100, "enable_analyzer": value})
    status = call("CreateCollection", create(name, KEY, VECTOR, text, COUNTS, functions=[function()]))
    assert status.code == (0 if is_on else 1100), status
    assert is_on or "must set enable_analyzer to true" in status.reason


def test_an_analyzer_that_nobody_uses_is_not_looked_at(call, name):
    text = field("text", "VarChar", params={"max_length": 100, "enable_analyzer": "true",
                                            "analyzer_params": '{"type": "klingon"}'})
    assert call("CreateCollection", create(name, KEY, VECTOR, text)).code == 0


# --- RunAnalyzer -----------------------------------------------------------------------------------------------------

@pytest.fixture
def languages(client, name):
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("lang", DataType.VARCHAR, max_length=20)
    schema.add_field("plain", DataType.VARCHAR, max_length=20)
    schema.add_field("one", DataType.VARCHAR, max_length=20, enable_analyzer=True)
    schema.add_field("text", DataType.VARCHAR, max_length=200, enable_analyzer=True, multi_analyzer_params=GOOD)
    schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(Function(name="rank", function_type=FunctionType.BM25, input_field_names=["text"],
                                 output_field_names=["sparse"]))
    indexes = client.prepare_index_params()
    indexes.add_index("sparse", index_type="AUTOINDEX", metric_type="BM25")
    client.create_collection(name, schema=schema, index_params=indexes)


def test_an_analyzer_runs_as_it_is_asked(client, call, name, languages):
    def run(texts=("Running cats",), **more):
        request = milvus_pb2.RunAnalyzerRequest(placeholder=[text.encode() for text in texts], **more)
        answer = call("RunAnalyzer", request)
        return answer.status.code, [[token.token for token in one.tokens] for one in answer.results]

    of_text = {"collection_name": name, "field_name": "text"}
    plain, english = ["running", "cats"], ["run", "cat"]
    assert run(texts=()) == (0, []), "of no texts, nothing"
    assert run() == (0, [plain]) and run(analyzer_params="{}") == (0, [plain])
    assert run(analyzer_params="no JSON")[0] == 2000
    assert run(**of_text) == (0, [plain])
    assert run(**of_text, analyzer_names=["en"]) == (0, [english])
    assert run(**of_text, analyzer_names=["english"]) == (0, [english]), "by its alias"
    assert run(**of_text, analyzer_names=["fr"]) == (0, [plain]), "the default one"
    assert run(["Running"] * 2, **of_text, analyzer_names=["en"]) == (0, [["run"], ["run"]]), "one for all"
    assert run(["Running"] * 2, **of_text, analyzer_names=["en", "fr"]) == (0, [["run"], ["running"]])
    assert run(["Running"] * 3, **of_text, analyzer_names=["en", "fr"])[0] == 1100
    assert run(collection_name=name, field_name="one", analyzer_names=["en"])[0] == 1100
    assert run(collection_name=name, field_name="one") == (0, [plain])
    assert run(collection_name=name)[0] == 1100, "which field?"
    assert run(collection_name=name, field_name="nobody")[0] == 1100
    assert run(collection_name=name, field_name="plain")[0] == 1100
    assert run(collection_name=name, field_name="id")[0] == 1100
    assert run(**of_text, analyzer_params="{}")[0] == 1100
    assert run(collection_name="nowhere", field_name="text")[0] == 100
    client.release_collection(name)
    assert run(**of_text)[0] == 101


def test_details_and_hashes_come_when_they_are_asked_for(call):
    def token(**more):
        answer = call("RunAnalyzer", milvus_pb2.RunAnalyzerRequest(placeholder=["Ünï x".encode()], **more))
        return answer.results[0].tokens[1]
    assert (token().end_offset, token().hash) == (0, 0)
    detailed = token(with_detail=True)
    assert (detailed.start_offset, detailed.end_offset, detailed.position, detailed.position_length) == (6, 7, 1, 1)
    assert detailed.hash == 0
    assert token(with_hash=True).hash == 0x8CDC1683, "the CRC-32 of x"


# --- BM25 and its index ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("params, words", [({"bm25_k1": 3.5}, "bm25_k1"), ({"bm25_k1": -1}, "bm25_k1"),
                                           ({"bm25_b": 1.5}, "bm25_b"), ({"bm25_b": "x"}, "bm25_b"),
                                           ({"bm25_avgdl": 0}, "bm25_avgdl"), ({"drop_ratio_build": 1}, "drop_ratio_build"),
                                           ({"inverted_index_algo": "FASTEST"}, "inverted_index_algo")])
def test_parameters_of_the_index_have_a_range(client, name, params, words):
    make(client, name, [])
    client.release_collection(name)
    client.drop_index(name, "sparse")
    indexes = client.prepare_index_params()
    indexes.add_index("sparse", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25", params=params)
    with refused(1100, words):
        client.create_index(name, indexes)


def test_the_metric_of_a_text_function_is_bm25(client, call, name):
    assert call("CreateCollection", create(name, KEY, VECTOR, field("other", "SparseFloatVector"), COUNTS, field(
        "text", "VarChar", params={"max_length": 100, "enable_analyzer": "true"}), functions=[function()])).code == 0

    def index(at, metric):
        request = milvus_pb2.CreateIndexRequest(collection_name=name, field_name=at)
        for key, value in (("index_type", "SPARSE_INVERTED_INDEX"), *([("metric_type", metric)] if metric else [])):
            request.extra_params.add(key=key, value=value)
        return status_of(call("CreateIndex", request))
    assert "must be BM25, got IP" in index("counts", "IP").reason
    assert "only BM25 Function output field" in index("other", "BM25").reason
    assert index("counts", "").code == 0, "it is filled in"
    assert client.describe_index(name, "counts")["metric_type"] == "BM25"


def make_ranked(client, name, params, **collection):
    """Texts with a BM25 function, whose index has these parameters."""
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=2000, enable_analyzer=True)
    schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(Function(name="rank", function_type=FunctionType.BM25, input_field_names=["text"],
                                 output_field_names=["sparse"]))
    client.create_collection(name, schema=schema, consistency_level="Strong", **collection)
    add_index(client, name, "SPARSE_INVERTED_INDEX", "BM25", params, field="sparse")


@pytest.mark.parametrize("algorithm", ["TAAT_NAIVE", "DAAT_WAND", "DAAT_MAXSCORE", "BLOCK_MAX_MAXSCORE", "BLOCK_MAX_WAND", "SINDI"])
def test_every_algorithm_scores_by_the_formula(client, name, algorithm):
    """With other constants than the usual ones, beside bm25s: growing rows, sealed ones, both, with deletes."""
    texts = sentences(700, seed=21)
    k1, b = 0.6, 0.4
    make_ranked(client, name, {"inverted_index_algo": algorithm, "bm25_k1": k1, "bm25_b": b})
    client.load_collection(name)

    def look(count, deleted=()):
        model = bm25s.BM25(method="lucene", k1=k1, b=b)
        model.index([text.split() for text in texts[:count]], show_progress=False)
        found = client.search(name, data=QUERIES, anns_field="sparse", limit=60)
        for query, hits in zip(QUERIES, found):
            scores = model.get_scores(query.split()) * (k1 + 1)
            best = sorted((s for i, s in enumerate(scores) if s > 0 and i not in deleted), reverse=True)[:60]
            np.testing.assert_allclose([hit["distance"] for hit in hits], best, rtol=1e-4, atol=1e-4)
            np.testing.assert_allclose([scores[hit["id"]] for hit in hits], [hit["distance"] for hit in hits], rtol=1e-4)
    client.insert(name, [{"id": i, "text": text} for i, text in enumerate(texts[:500])])
    look(500)
    client.flush(name)
    look(500)
    client.insert(name, [{"id": 500 + i, "text": text} for i, text in enumerate(texts[500:])])
    look(700)
    client.delete(name, ids=list(range(0, 700, 3)))
    look(700, set(range(0, 700, 3)))


@pytest.mark.parametrize("b", [0, 0.75])
def test_statistics_are_those_of_the_collection_whichever_shard_a_row_is_in(client, name, b):
    """A word of every row and one of few; rows grow, are sealed, and both; some are deleted, which counts once compacted."""
    make_ranked(client, name, {"bm25_b": b}, num_shards=3)
    client.load_collection(name)
    words = {i: ["all"] * (1 + i % 4) + ["few"] * (i % 7 == 0) for i in range(201)}

    def expected(texts, word, key):
        holders = sum(word in text for text in texts.values())
        usual = sum(map(len, texts.values())) / len(texts)
        times, length = texts[key].count(word), len(texts[key])
        weight = math.log(1 + (len(texts) - holders + 0.5) / (holders + 0.5))
        return weight * times * 2.2 / (times + 1.2 * (1 - b + b * length / usual))

    def look(texts, deleted=()):
        for query in (["all"], ["few"], ["all", "few"]):
            want = {key: sum(expected(texts, word, key) for word in query) for key, text in texts.items()
                    if key not in deleted and set(query) & set(text)}
            hits = client.search(name, data=[" ".join(query)], anns_field="sparse", limit=300)[0]
            assert {hit["id"] for hit in hits} == set(want)
            for hit in hits:
                assert hit["distance"] == pytest.approx(want[hit["id"]], rel=1e-4)
            pages = client.search_iterator(name, data=[" ".join(query)], anns_field="sparse", batch_size=50, limit=300)
            read = []
            while page := pages.next():
                read += [(hit["id"], hit["distance"]) for hit in page]
            pages.close()
            assert sorted(key for key, _ in read) == sorted(want)
            assert all(score == pytest.approx(want[key], rel=1e-4) for key, score in read)

    def some(keys):
        return {key: words[key] for key in keys}
    client.insert(name, [{"id": i, "text": " ".join(words[i])} for i in range(101)])
    look(some(range(101)))
    client.flush(name)
    look(some(range(101)))
    client.insert(name, [{"id": i, "text": " ".join(words[i])} for i in range(101, 201)])
    look(words)
    gone = set(range(0, 201, 5))
    client.delete(name, ids=sorted(gone))
    look(words, gone)


def test_what_a_function_fills_is_not_brought(client, call, name):
    make(client, name, [])
    words = schema_pb2.FieldData(field_name="sparse", type=schema_pb2.DataType.SparseFloatVector)
    words.vectors.dim = words.vectors.sparse_float_vector.dim = 2
    words.vectors.sparse_float_vector.contents.append(struct.pack("<If", 1, 1.0))
    columns = [column("id", "Int64", [1]), column("text", "VarChar", ["a"]), words]
    for upsert in (False, True):
        status = status_of(call("Upsert" if upsert else "Insert", insert_request(name, columns, rows=1, upsert=upsert)))
        assert status.code == 1100 and "attempt to insert bm25 function output field" in status.reason, status


@pytest.mark.parametrize("params, text, phrases", [
    # A word that is left out leaves its place free; jieba's places are characters, and words lie in words.
    ({"type": "standard", "stop_words": ["of"]}, "house of cards", {("house cards", 0): False, ("house cards", 1): True,
                                                                   ("house of cards", 0): True}),
    ({"tokenizer": {"type": "jieba", "mode": "exact", "hmm": False}}, "北京大学在中国",
     {("北京大学 中国", 0): False, ("在中国", 0): True, ("中国在", 0): False}),
    ({"type": "chinese"}, "我来到北京清华大学", {("清华大学", 0): True, ("北京清华", 0): True, ("北京大学", 0): False}),
])
def test_phrases_go_by_the_places_that_the_analyzer_gives(client, name, params, text, phrases):
    make(client, name, [text, "xyz"], analyzer=params, match=True)
    for flushed in (False, True):
        if flushed:
            client.flush(name)
        for (phrase, slop), is_there in phrases.items():
            found = client.query(name, filter=f'phrase_match(text, "{phrase}", {slop})', output_fields=["id"])
            assert [row["id"] for row in found] == ([0] if is_there else []), (phrase, slop, flushed)


def test_an_analyzer_stays_that_of_its_rows(client, name):
    make(client, name, ["running"], match=True)
    for change in ({"analyzer_params": '{"type": "english"}'}, {"enable_match": "false"}, {"enable_analyzer": "false"}):
        with refused(1100, "does not allow update"):
            client.alter_collection_field(name, "text", change)


# --- The highlighter -------------------------------------------------------------------------------------------------

needs_highlighter = pytest.mark.skipif(not hasattr(common_pb2, "Highlighter"), reason="the SDK cannot say it yet")
REFUSED_HIGHLIGHTS = [
    ({"fragment_size": "0"}, "fragment_size"), ({"fragment_size": "x"}, "fragment_size"),
    ({"fragment_offset": "-1"}, "fragment_offset"), ({"num_of_fragments": "-1"}, "num_of_fragments"),
    ({"pre_tags": "[]"}, "pre_tags"), ({"post_tags": "em"}, "post_tags"), ({"pre_tags": "[1]"}, "pre_tags"),
    ({"highlight_search_text": "perhaps"}, "highlight_search_text"), ({"what": "1"}, "what"),
    ({"highlight_query": "{}"}, "highlight_query"),
    ({"highlight_query": '[{"field": "text", "text": "a"}]'}, "TextMatch"),
    ({"highlight_query": '[{"type": "TextMatch", "text": "a"}]'}, "field"),
    ({"highlight_query": '[{"type": "TextMatch", "field": "text"}]'}, "text"),
    ({"highlight_query": '[{"type": "TextMatch", "field": "nobody", "text": "a"}]'}, "not found in schema: nobody"),
    ({"highlight_query": '[{"type": "TextMatch", "field": "id", "text": "a"}]'}, "analyzer"),
]


def highlighted(name, texts, params, anns_field="sparse", **more):
    value = common_pb2.PlaceholderValue(tag="$0", type=common_pb2.PlaceholderType.VarChar,
                                        values=[text.encode() for text in texts])
    queries = common_pb2.PlaceholderGroup(placeholders=[value]).SerializeToString()
    request = search_request(name, texts, queries=queries, anns_field=anns_field, metric_type="BM25", **more)
    request.highlighter.SetInParent()
    for key, value in params.items():
        request.highlighter.params.add(key=key, value=value)
    return request


@needs_highlighter
@pytest.mark.parametrize("params, words", REFUSED_HIGHLIGHTS)
def test_highlights_that_may_not_be_have_their_code(client, call, name, params, words):
    make(client, name, ["one two"])
    status = status_of(call("Search", highlighted(name, ["two"], params)))
    assert status.code == 1100 and words in status.reason, status


@needs_highlighter
def test_fragments_are_cut_as_they_are_asked_for(client, call, name):
    make(client, name, ["one two three two", "two and a long way from there another two", "two"])

    def fragments(texts=("two",), **params):
        answer = call("Search", highlighted(name, texts, {"highlight_search_text": "true", **params}))
        assert answer.status.code == 0, answer.status
        (field_of,) = answer.results.highlight_results
        assert field_of.field_name == "text"
        return {key: list(data.fragments) for key, data in zip(answer.results.ids.int_id.data, field_of.datas)}
    assert fragments() == {0: ["<em>two</em> three <em>two</em>"],
                           1: ["<em>two</em> and a long way from there another <em>two</em>"], 2: ["<em>two</em>"]}
    assert fragments(fragment_offset="4")[0] == ["one <em>two</em> three <em>two</em>"]
    assert fragments(num_of_fragments="0") == {0: [], 1: [], 2: []}
    assert fragments(fragment_size="10")[1] == ["<em>two</em> and a ", "<em>two</em>"]
    assert fragments(fragment_size="10", num_of_fragments="1")[1] == ["<em>two</em> and a "]
    assert fragments(pre_tags='["<a>", "<b>"]', post_tags='["</a>", "</b>"]')[0] == ["<a>two</a> three <b>two</b>"]


@needs_highlighter
@pytest.mark.parametrize("state", ["growing", "sealed", "mixed"])
def test_words_of_other_queries_are_marked_beside_vectors(client, call, name, state):
    """What is marked need not be what is searched for, nor be in the answer."""
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("title", DataType.VARCHAR, max_length=200, enable_analyzer=True, nullable=True)
    schema.add_field("body", DataType.VARCHAR, max_length=200, enable_analyzer=True, analyzer_params={"type": "english"})
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=2)
    client.create_collection(name, schema=schema, consistency_level="Strong")
    add_index(client, name, "FLAT", field="v")
    client.load_collection(name)
    rows = [{"id": 0, "title": "Über den Wolken", "body": "the runner runs", "v": [0.0, 0.0]},
            {"id": 1, "title": None, "body": "walking", "v": [1.0, 0.0]},
            {"id": 2, "title": "ü ü über ü", "body": "ran running", "v": [2.0, 0.0]}]
    client.insert(name, rows[:2 if state == "mixed" else 3])
    if state != "growing":
        client.flush(name)
    if state == "mixed":
        client.insert(name, rows[2:])
    queries = [{"type": "TextMatch", "field": "title", "text": "ÜBER wolken"}, {"type": "TextMatch", "field": "body", "text": "run"}]
    request = search_request(name, [[0.0, 0.0], [2.0, 0.0]], anns_field="v", output=["id"])
    for key, value in (("highlight_query", json.dumps(queries)), ("pre_tags", '["<", "["]'), ("post_tags", '[">", "]"]'),
                       ("fragment_offset", "2"), ("fragment_size", "4")):
        request.highlighter.params.add(key=key, value=value)
    answer = call("Search", request)
    assert answer.status.code == 0, answer.status
    assert [field.field_name for field in answer.results.fields_data] == ["id"]
    assert list(answer.results.ids.int_id.data) == [0, 1, 2, 2, 1, 0]
    marked = {field.field_name: [list(data.fragments) for data in field.datas] for field in answer.results.highlight_results}
    titles = [["<Über>", "n [Wolken]"], [], ["ü <über>"]]
    bodies = [["r <runs>"], [], ["n <running>"]]
    assert marked == {"title": titles + titles[::-1], "body": bodies + bodies[::-1]}
    assert not any(data.scores for field in answer.results.highlight_results for data in field.datas)
    request.dsl = "id < 0"
    assert not call("Search", request).results.highlight_results, "of no hits, nothing"


@needs_highlighter
def test_the_text_that_is_searched_for_is_marked_in_texts_only(client, call, name):
    make(client, name, ["one two"])
    request = highlighted(name, ["two"], {"highlight_search_text": "true"})
    assert call("Search", request).status.code == 0
    request.placeholder_group = placeholder([[0.0]])
    status = status_of(call("Search", request))
    assert status.code == 1100 and 'only support with metric type "BM25"' in status.reason
