"""What analyzers, text functions, their indexes and the highlighter may say, rule by rule, each with its code."""
import json

import pytest
from pymilvus import DataType, Function, FunctionType
from pymilvus.grpc_gen import common_pb2, milvus_pb2
from support import refused
from test_full_text import make
from test_schema_rules import KEY, VECTOR, create, field
from test_schema_rules_more import COUNTS, function
from wire import search_request, status_of

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
