"""Full text: analyzers, BM25 beside an independent implementation, text_match and phrase_match, the highlighter."""
import random
import time

import bm25s
import numpy as np
import pytest
from pymilvus import DataType, Function, FunctionType, MilvusClient
from server_process import Server
from support import count, refused

WORDS = [f"w{i}" for i in range(400)]


def sentences(rows, seed):
    """Texts of words as unevenly spread as in any language."""
    source = random.Random(seed)
    weights = [1 / (i + 2) for i in range(len(WORDS))]
    return [" ".join(source.choices(WORDS, weights, k=source.randint(3, 40))) for _ in range(rows)]


def make(client, name, texts, analyzer=None, match=False, **more):
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=2000, enable_analyzer=True, enable_match=match,
                     **({"analyzer_params": analyzer} if analyzer else {}), **more)
    schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(Function(name="rank", function_type=FunctionType.BM25, input_field_names=["text"],
                                 output_field_names=["sparse"]))
    client.create_collection(name, schema=schema, consistency_level="Strong")
    if texts:
        client.insert(name, [{"id": i, "text": text} for i, text in enumerate(texts)])
    indexes = client.prepare_index_params()
    indexes.add_index("sparse", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25",
                      params={"bm25_k1": 1.2, "bm25_b": 0.75})
    client.create_index(name, indexes)
    client.load_collection(name)


def oracle(texts, keys, queries, deleted=()):
    """Of each query {key: score}. Deleted rows count in the statistics and are not found."""
    model = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
    model.index([text.split() for text in texts], show_progress=False)
    answers = []
    for query in queries:
        # Lucene leaves the factor k1 + 1 out, which is the same for every row.
        scores = model.get_scores(query.split()) * 2.2
        answers.append({key: score for key, score in zip(keys, scores) if score > 0 and key not in deleted})
    return answers


def check(client, name, texts, queries, deleted=(), keys=None, limit=50, **more):
    keys = list(range(len(texts))) if keys is None else keys
    expected = oracle(texts, keys, queries, deleted)
    found = client.search(name, data=queries, anns_field="sparse", limit=limit, consistency_level="Strong", **more)
    for query, hits, truth in zip(queries, found, expected):
        best = sorted(truth.values(), reverse=True)[:limit]
        np.testing.assert_allclose([hit["distance"] for hit in hits], best, rtol=1e-4, atol=1e-4, err_msg=query)
        for hit in hits:
            assert abs(truth[hit["id"]] - hit["distance"]) < 1e-4 * max(1, hit["distance"])


QUERIES = ["w0 w1 w2", "w5", "w5 w5", "w399 w17", "w100 w200 w300 w0", "none of these"]


def test_scores_are_those_of_the_formula(client, name):
    make(client, name, ["a a b", "b c", "c c c d"])

    def scores(query):
        hits = client.search(name, data=[query], anns_field="sparse", limit=10)[0]
        return {hit["id"]: hit["distance"] for hit in hits}

    assert scores("a") == pytest.approx({0: 1.3486}, abs=1e-4)
    assert scores("b") == pytest.approx({1: 0.5442, 0: 0.4700}, abs=1e-4)
    assert scores("a a") == pytest.approx({0: 2.6972}, abs=1e-4)
    assert scores("zzz") == {}


def test_scores_stay_right_through_flush_delete_compaction_and_restart(own_server):
    client = MilvusClient(uri=own_server.uri)
    texts = sentences(3000, seed=1)
    make(client, "t", texts)
    check(client, "t", texts, QUERIES)
    client.flush("t")
    wait_for(lambda: client.describe_index("t", "sparse")["pending_index_rows"] == 0)
    check(client, "t", texts, QUERIES)
    # Sealed and growing together.
    more = sentences(500, seed=2)
    client.insert("t", [{"id": 3000 + i, "text": text} for i, text in enumerate(more)])
    texts = texts + more
    check(client, "t", texts, QUERIES)
    # Deleted rows are not found and count on.
    deleted = set(range(0, 3000, 3))
    client.delete("t", ids=sorted(deleted))
    check(client, "t", texts, QUERIES, deleted)
    client.flush("t")
    own_server.kill()
    own_server.start()
    client = MilvusClient(uri=own_server.uri)
    wait_for(lambda: str(client.get_load_state("t")["state"]) == "Loaded")
    check(client, "t", texts, QUERIES, deleted)
    # Compaction counts anew what is left.
    job = client.compact("t")
    wait_for(lambda: client.get_compaction_state(job) == "Completed")
    keys = [i for i in range(len(texts)) if i not in deleted]
    wait_for(lambda: agrees(lambda: check(client, "t", [texts[i] for i in keys], QUERIES, keys=keys)))
    client.close()


def wait_for(holds, timeout_s=60):
    end = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < end, f"not within {timeout_s} s"
        time.sleep(0.1)


def agrees(look):
    try:
        look()
        return True
    except AssertionError:
        return False


def test_filters_and_pages_keep_the_scores(client, name):
    texts = sentences(1500, seed=3)
    make(client, name, texts, match=True)
    client.flush(name)
    hidden = {i for i in range(len(texts)) if i % 2}
    check(client, name, texts, QUERIES, hidden, filter="id % 2 == 0")
    both = {i for i, text in enumerate(texts) if not {"w0", "w1", "w2"} <= set(text.split())}
    check(client, name, texts, ["w0 w1 w2"], both, filter='text_match(text, "w0 w1 w2", minimum_should_match=3)')


def phrase_at(words, phrase):
    return any(words[i:i + len(phrase)] == phrase for i in range(len(words)))


def test_words_and_phrases_are_found_with_and_without_an_index(client, name):
    texts = sentences(1200, seed=4)
    make(client, name, texts, match=True)
    split = [text.split() for text in texts]
    expected = {
        'text_match(text, "w3 w40")': [i for i, w in enumerate(split) if "w3" in w or "w40" in w],
        'text_match(text, "w3 w4", minimum_should_match=2)': [i for i, w in enumerate(split) if "w3" in w and "w4" in w],
        'text_match(text, "w3 w4 w5", minimum_should_match=2)':
            [i for i, w in enumerate(split) if ("w3" in w) + ("w4" in w) + ("w5" in w) >= 2],
        'phrase_match(text, "w0 w1")': [i for i, w in enumerate(split) if phrase_at(w, ["w0", "w1"])],
        'phrase_match(text, "w0 w1", 1)':
            [i for i, w in enumerate(split) if any(w[j] == "w0" and "w1" in w[j + 1:j + 3] for j in range(len(w)))
             or phrase_at(w, ["w0", "w1"])],
        'not text_match(text, "w0")': [i for i, w in enumerate(split) if "w0" not in w],
        'text_match(text, "w0") and id < 100': [i for i, w in enumerate(split) if "w0" in w and i < 100],
        'text_match(text, "absent")': [],
        'text_match(text, "")': [],
    }

    def look():
        for expression, keys in expected.items():
            rows = client.query(name, filter=expression, output_fields=["id"], limit=2000)
            assert sorted(row["id"] for row in rows) == keys, expression

    look()
    fuzzy = client.query(name, filter='text_match_fuzzy(text, "wx7", max_edit_distance=1)', output_fields=["id"], limit=2000)
    near = {w for w in WORDS if w in ("w7", "wx7") or (len(w) == 3 and w[0] == "w" and w[2] == "7")}
    assert sorted(r["id"] for r in fuzzy) == [i for i, w in enumerate(split) if near & set(w)]
    client.flush(name)
    look()
    assert client.list_indexes(name) == ["sparse"]
    # With its index; a new row is found beside it.
    wait_for(lambda: agrees(look))
    client.insert(name, [{"id": 5000, "text": "Fresh w40"}])
    found = client.query(name, filter='text_match(text, "FRESH")', output_fields=["id"], consistency_level="Strong")
    assert [row["id"] for row in found] == [5000]


def test_analyzers_run(client, call):
    def words(params, text, **more):
        return [token for token in client.run_analyzer(text, analyzer_params=params, **more).tokens]

    assert words({}, "Big-Cats, 42!") == ["big", "cats", "42"]
    assert words({"type": "english"}, "The runners were running") == ["runner", "were", "run"]
    assert words({"type": "chinese"}, "我来到北京清华大学") == ["我", "来到", "北京", "清华", "华大", "大学", "清华大学"]
    detail = client.run_analyzer("Ünï x", analyzer_params={"tokenizer": "standard"}, with_detail=True, with_hash=True)
    token = detail.tokens[0]
    assert (token["token"], token["start_offset"], token["end_offset"], token["position"]) == ("Ünï", 0, 5, 0)
    assert token["hash"] > 0
    with refused(2000, "unknown build-in analyzer type"):
        client.run_analyzer("a", analyzer_params={"type": "klingon"})


def test_an_analyzer_of_a_field_runs(client, name):
    make(client, name, ["running"], analyzer={"type": "english"})
    result = client.run_analyzer("The runners", collection_name=name, field_name="text")
    assert result.tokens == ["runner"]
    with refused(1100, "in same time"):
        client.run_analyzer("a", analyzer_params={"type": "english"}, collection_name=name, field_name="text")
    hits = client.search(name, data=["runs"], anns_field="sparse", limit=3)[0]
    assert [hit["id"] for hit in hits] == [0]


def test_each_row_may_have_its_own_language(client, name):
    params = {"analyzers": {"default": {}, "en": {"type": "english"}, "zh": {"type": "chinese"}}, "by_field": "lang",
              "alias": {"english": "en"}}
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("lang", DataType.VARCHAR, max_length=20)
    schema.add_field("text", DataType.VARCHAR, max_length=200, enable_analyzer=True, multi_analyzer_params=params)
    schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(Function(name="rank", function_type=FunctionType.BM25, input_field_names=["text"],
                                 output_field_names=["sparse"]))
    indexes = client.prepare_index_params()
    indexes.add_index("sparse", index_type="AUTOINDEX", metric_type="BM25")
    client.create_collection(name, schema=schema, index_params=indexes, consistency_level="Strong")
    client.insert(name, [{"id": 1, "lang": "english", "text": "running"}, {"id": 2, "lang": "fr", "text": "running"},
                         {"id": 3, "lang": "zh", "text": "北京大学"}])

    def found(text, analyzer):
        hits = client.search(name, data=[text], anns_field="sparse", limit=5, search_params={"analyzer_name": analyzer})[0]
        return [hit["id"] for hit in hits]

    assert found("runs", "en") == [1]
    assert found("running", "default") == [2]
    assert found("大学", "zh") == [3]


def test_what_a_schema_says_comes_back(client, name):
    make(client, name, [])
    described = client.describe_collection(name)
    function = described["functions"][0]
    assert (function["name"], function["input_field_names"], function["output_field_names"]) == ("rank", ["text"], ["sparse"])
    assert described["fields"][2].get("is_function_output") is True
    client.insert(name, [{"id": 1, "text": "a b"}])
    assert set(client.query(name, filter="id == 1", output_fields=["*"])[0]) == {"id", "text"}
    with refused(1100):
        client.query(name, filter="id == 1", output_fields=["sparse"])


def test_what_is_wrong_is_refused(client, name):
    make(client, name, ["a"])
    with refused(1100, "varchar/text"):
        client.search(name, data=[{1: 0.5}], anns_field="sparse", limit=1)
    with refused(1100, "does not enable match"):
        client.query(name, filter='text_match(text, "a")')
    client.release_collection(name)
    client.drop_index(name, "sparse")
    indexes = client.prepare_index_params()
    indexes.add_index("sparse", index_type="SPARSE_INVERTED_INDEX", metric_type="IP")
    with refused(1100, "must be BM25"):
        client.create_index(name, indexes)


@pytest.mark.parametrize("params,code,words", [
    ({"enable_match": True}, 1100, "must also enable_analyzer"),
    ({"enable_analyzer": True, "enable_match": True, "analyzer_params": {"type": "klingon"}}, 2000, "klingon"),
])
def test_a_field_that_cannot_be_analyzed_is_refused(client, name, params, code, words):
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=200, **params)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=4)
    with refused(code, words):
        client.create_collection(name, schema=schema)


def test_words_that_were_searched_are_marked(client, name):
    highlighter = pytest.importorskip("pymilvus", minversion="2.7").LexicalHighlighter
    make(client, name, ["one two three two", "nothing here but two", "zero"])

    def fragments(**params):
        hits = client.search(name, data=["two"], anns_field="sparse", limit=5, highlighter=highlighter(**params))[0]
        return {hit["id"]: hit["highlight"]["text"]["fragments"] for hit in hits}

    assert fragments(pre_tags=["<em>"], post_tags=["</em>"], highlight_search_text=True) == {
        0: ["<em>two</em> three <em>two</em>"], 1: ["<em>two</em>"]}
    assert fragments(pre_tags=["["], post_tags=["]"], highlight_search_text=True, fragment_offset=4)[0] == \
        ["one [two] three [two]"]


def test_hybrid_search_takes_a_text(client, name):
    from pymilvus import AnnSearchRequest, RRFRanker
    make(client, name, ["red fox", "blue fox", "green dog"])
    asks = [AnnSearchRequest(data=[text], anns_field="sparse", param={}, limit=3) for text in ("fox", "blue")]
    hits = client.hybrid_search(name, reqs=asks, ranker=RRFRanker(60), limit=3)[0]
    assert hits[0]["id"] == 1
    assert count(client, name) == 3


# -- Parameters that name files ----------------------------------------------------------------------------------------

@pytest.fixture
def with_files(binary, tmp_path):
    """A server whose analyzers may name files of a folder."""
    folder = tmp_path / "files"
    folder.mkdir()
    arguments = ["--set", f"function.analyzer.local_resource_path={folder}"]
    with Server(binary, str(tmp_path / "data"), arguments=arguments) as running:
        running.files = folder
        yield running


def named(path):
    return {"type": "local", "path": path}


def test_analyzers_take_words_from_files(with_files):
    client = MilvusClient(uri=with_files.uri)
    (with_files.files / "stop.txt").write_text("und\noder\n")
    (with_files.files / "same.txt").write_text("car, auto\n")
    (with_files.files / "dict.txt").write_text("甲乙 5 n\n")
    analyzer = {"tokenizer": "standard", "filter": ["lowercase", {"type": "stop", "stop_words_file": named("stop.txt")},
                                                    {"type": "synonym", "synonyms_file": named("same.txt"),
                                                     "expand": False}]}
    assert list(client.run_analyzer("Rad und Auto oder Bus", analyzer).tokens) == ["rad", "car", "bus"]
    chinese = {"tokenizer": {"type": "jieba", "dict": [], "mode": "exact", "hmm": False,
                             "extra_dict_file": named("dict.txt")}}
    assert list(client.run_analyzer("甲乙丙", chinese).tokens) == ["甲乙", "丙"]
    make(client, "t", ["das Rad und das Auto", "ein Bus"], analyzer=analyzer, match=True)
    for _ in range(2):
        assert [hit["id"] for hit in client.search("t", data=["car"], anns_field="sparse", limit=5)[0]] == [0]
        assert not client.search("t", data=["und"], anns_field="sparse", limit=5)[0]
        found = client.query("t", filter='text_match(text, "auto")', output_fields=["id"])
        assert [row["id"] for row in found] == [0]
        client.flush("t")
        with_files.kill()
        with_files.start()
        client = MilvusClient(uri=with_files.uri)
        wait_for(lambda: str(client.get_load_state("t")["state"]) == "Loaded")
    client.close()


@pytest.mark.parametrize("file, words", [
    (named("../secret.txt"), "is not in the folder"), (named("/etc/passwd"), "is not in the folder"),
    (named("nothing.txt"), "is not in the folder"), ("stop.txt", "must be object"), ({}, "must be set"),
    ({"type": "web", "path": "x"}, "unsupported file type"),
    ({"type": "remote", "resource_name": "words", "file_name": "w.txt"}, "file resource: words not found")])
def test_files_that_cannot_be_had_are_refused(with_files, file, words):
    (with_files.files.parent / "secret.txt").write_text("secret")
    client = MilvusClient(uri=with_files.uri)
    with refused(2000, words):
        client.run_analyzer("x", {"tokenizer": "standard", "filter": [{"type": "stop", "stop_words_file": file}]})
    client.close()


def test_a_server_without_a_folder_reads_no_files(client):
    with refused(2000, "function.analyzer.local_resource_path"):
        client.run_analyzer("x", {"tokenizer": "standard",
                                  "filter": [{"type": "stop", "stop_words_file": named("/etc/hosts")}]})
