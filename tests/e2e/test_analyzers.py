"""Char filters and Unicode's words, in RunAnalyzer and in the life of a collection; how far a text is from a phrase."""
import pytest
from pymilvus import DataType, Function, FunctionType, MilvusClient
from pymilvus.grpc_gen import common_pb2, milvus_pb2
from server_process import Server
from support import refused
from test_full_text import agrees, make, wait_for
from wire import status_of

UAX29 = {"tokenizer": {"type": "standard", "uax29": True}, "filter": ["lowercase"]}
CHATTY = {"char_filter": [{"type": "mapping", "mappings": [":) => _happy_", ":( => _sad_", "ß => ss", "&=>\\ and\\ "]}],
          **UAX29}


def tokens(client, text, params, **more):
    return list(client.run_analyzer(text, params, **more).tokens)


def test_words_are_unicodes_and_emoji_are_words(client):
    assert tokens(client, "The dog's 3.14 $ naïve 👩‍👩‍👧 🇩🇪!", UAX29) == ["the", "dog's", "3.14", "naïve", "👩‍👩‍👧", "🇩🇪"]
    assert tokens(client, "dog's", {"tokenizer": "standard"}) == ["dog", "s"]
    short = {"tokenizer": {"type": "standard", "uax29": True, "max_token_length": 5}}
    assert tokens(client, "jumped over", short) == ["jumpe", "d", "over"]
    for wrong, words in (({"uax29": "yes"}, "must be boolean"), ({"max_token_length": 5}, "for uax29 only"),
                         ({"uax29": True, "max_token_length": 1048577}, "1 to 1048576")):
        with refused(2000, words):
            client.run_analyzer("x", {"tokenizer": {"type": "standard", **wrong}})


def test_offsets_are_those_of_the_text_before_char_filters(client):
    text = "Große Straße :) x&y"
    raw = text.encode()
    found = [(token["token"], raw[token["start_offset"]:token["end_offset"]].decode(), token["position"])
             for token in tokens(client, text, CHATTY, with_detail=True)]
    assert found == [("grosse", "Große", 0), ("strasse", "Straße", 1), ("_happy_", ":)", 2), ("x", "x", 3),
                     ("and", "&", 4), ("y", "y", 5)]
    for wrong, words in (("mapping", "should be array"), ([{"type": "html"}], "unsupport char filter type: html"),
                         ([{"type": "mapping", "mappings": ["a"]}], "no =>"),
                         ([{"type": "mapping", "mappings": ["a=>" + "b" * 65]}], "at most 64 times")):
        with refused(2000, words):
            client.run_analyzer("x", {**UAX29, "char_filter": wrong})


def test_what_grpc_says_to_its_endpoint_is_not_known_so_it_is_refused(client):
    with refused(10, "grpc is not supported"):
        client.run_analyzer("x", {"tokenizer": {"type": "grpc", "endpoint": "http://localhost:1"}})


def test_texts_are_found_by_what_char_filters_make_of_them(binary, tmp_path):
    with Server(binary, str(tmp_path / "data")) as server:
        client = MilvusClient(uri=server.uri)
        make(client, "t", ["das ist eine Straße :)", "die dog's & cat's", "nothing :("], analyzer=CHATTY, match=True)

        def look():
            def found(expression):
                return [row["id"] for row in client.query("t", filter=expression, output_fields=["id"])]

            def best(text):
                return [hit["id"] for hit in client.search("t", data=[text], anns_field="sparse", limit=5)[0]]
            assert best("STRASSE") == best("Straße") == best(":)") == best("_happy_") == [0]
            assert best("and") == best("dog's") == [1] and best("dog") == []
            assert found('text_match(text, ":(")') == [2]
            assert found('phrase_match(text, "straße _happy_")') == [0]
            assert found('phrase_match(text, "dog\'s&cat\'s")') == [1]
            assert found('phrase_match(text, "dog\'s cat\'s")') == [], "a word stands between them"
            assert found('phrase_match(text, "dog\'s cat\'s", 1)') == [1]
        look()
        client.flush("t")
        wait_for(lambda: agrees(look))
        server.kill()
        server.start()
        client = MilvusClient(uri=server.uri)
        wait_for(lambda: str(client.get_load_state("t")["state"]) == "Loaded")
        look()
        if hasattr(common_pb2, "Highlighter"):
            from pymilvus import LexicalHighlighter
            marker = LexicalHighlighter(pre_tags=["<"], post_tags=[">"], highlight_search_text=True)
            [hit] = client.search("t", data=["strasse :)"], anns_field="sparse", limit=1, highlighter=marker)[0]
            assert hit["highlight"]["text"]["fragments"] == ["<Straße> <:)>"]
        client.close()


def test_the_least_slop_of_a_phrase_in_each_text(call):
    if not hasattr(milvus_pb2, "ComputePhraseMatchSlopRequest"):
        pytest.skip("the SDK cannot say it yet")

    def slops(phrase, *texts, params="{}"):
        answer = call("ComputePhraseMatchSlop", milvus_pb2.ComputePhraseMatchSlopRequest(
            analyzer_params=params, query_text=phrase, data_texts=texts))
        assert answer.status.code == 0, answer.status
        assert len(answer.is_match) == len(answer.slops) == len(texts)
        return [slop if is_match else None for is_match, slop in zip(answer.is_match, answer.slops)]
    assert slops("Quick fox", "the quick fox", "the quick brown fox", "fox quick", "quick", "") == [0, 1, 2, None, None]
    assert slops("running foxes", "the fox runs", params='{"type": "english"}') == [2]
    assert slops("", "a") == [None] and slops("a") == []
    wrong = milvus_pb2.ComputePhraseMatchSlopRequest(analyzer_params='{"type": "klingon"}', query_text="a", data_texts=["a"])
    status = status_of(call("ComputePhraseMatchSlop", wrong))
    assert status.code == 2000 and "klingon" in status.reason


@pytest.mark.skipif(not hasattr(common_pb2, "Highlighter"), reason="the SDK cannot say it yet")
def test_marks_follow_the_analyzer_of_each_row(client, name):
    from pymilvus import LexicalHighlighter
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("lang", DataType.VARCHAR, max_length=20, nullable=True)
    schema.add_field("text", DataType.VARCHAR, max_length=200, enable_analyzer=True, multi_analyzer_params={
        "analyzers": {"default": {}, "en": {"type": "english"}}, "by_field": "lang", "alias": {"english": "en"}})
    schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(Function(name="rank", function_type=FunctionType.BM25, input_field_names=["text"],
                                 output_field_names=["sparse"]))
    indexes = client.prepare_index_params()
    indexes.add_index("sparse", index_type="AUTOINDEX", metric_type="BM25")
    client.create_collection(name, schema=schema, index_params=indexes, consistency_level="Strong")
    client.insert(name, [{"id": 1, "lang": "english", "text": "He was running home"},
                         {"id": 2, "lang": None, "text": "A run is a run"}])

    def marked(text, analyzer, **more):
        marker = LexicalHighlighter(pre_tags=["<"], post_tags=[">"], highlight_search_text=True)
        hits = client.search(name, data=[text], anns_field="sparse", limit=5, highlighter=marker,
                             search_params={"analyzer_name": analyzer} if analyzer else {}, **more)[0]
        return {hit["id"]: (hit["highlight"]["text"]["fragments"], sorted(hit["entity"])) for hit in hits}
    assert marked("runs", "en") == {1: (["<running> home"], []), 2: (["<run> is a <run>"], [])}
    assert marked("run", None) == {1: (["<running> home"], []), 2: (["<run> is a <run>"], [])}
    assert marked("runs", None) == {}
    assert marked("runs", "english", output_fields=["lang"])[1] == (["<running> home"], ["lang"])


def test_statistics_are_the_shards_whatever_partition_is_searched(client, name):
    make(client, name, [])
    client.create_partition(name, "other")
    client.insert(name, [{"id": 1, "text": "a b"}])
    client.insert(name, [{"id": 2, "text": "b c"}, {"id": 3, "text": "c c c d"}], partition_name="other")

    def score(word, **more):
        hits = client.search(name, data=[word], anns_field="sparse", limit=5, **more)[0]
        return {hit["id"]: hit["distance"] for hit in hits}
    everywhere = score("b")
    assert set(everywhere) == {1, 2}
    assert score("b", partition_names=["_default"]) == {1: everywhere[1]}
    assert score("b", partition_names=["other"]) == {2: everywhere[2]}


def test_texts_without_words_are_rows_that_no_search_finds(client, name):
    make(client, name, ["", "...", "!"], match=True, nullable=True)
    client.insert(name, [{"id": 9, "text": None}])
    for _ in range(2):
        assert client.search(name, data=["word"], anns_field="sparse", limit=5)[0] == []
        assert client.search(name, data=[""], anns_field="sparse", limit=5)[0] == []
        assert client.query(name, filter='text_match(text, "word")') == []
        assert len(client.query(name, filter="id >= 0")) == 4
        client.flush(name)
    client.insert(name, [{"id": 10, "text": "word"}])
    assert [hit["id"] for hit in client.search(name, data=["word"], anns_field="sparse", limit=5)[0]] == [10]
