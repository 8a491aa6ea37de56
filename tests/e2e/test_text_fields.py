"""Long texts: fields without a length, whose words can be asked and searched."""
import pytest
from pymilvus import DataType

from support import add_index, refused, vectors
from test_schema_rules import field
from test_schema_rules_rows import insert, loaded
from wire import column

pytestmark = pytest.mark.skipif(not hasattr(DataType, "TEXT"), reason="this SDK has no texts")


def make(client, name, **text):
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("t", DataType.TEXT, **text)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=4)
    client.create_collection(name, schema=schema, consistency_level="Strong")
    add_index(client, name, "FLAT", field="v")
    client.load_collection(name)


def test_long_texts_come_back_whole(client, name):
    make(client, name, nullable=True)
    texts = ["", "short", "ü" * 70_000, None, "x" * 2_000_000]
    data = vectors(len(texts), 4).tolist()
    for i, text in enumerate(texts):
        client.insert(name, [{"id": i, "t": text, "v": data[i]}])
    for flushed in (False, True):
        if flushed:
            client.flush(name)
        rows = client.query(name, "id >= 0", output_fields=["t"], limit=10)
        assert [row["t"] for row in sorted(rows, key=lambda row: row["id"])] == texts
    hit = client.search(name, [data[2]], anns_field="v", limit=1, output_fields=["t"])[0][0]
    assert hit["entity"]["t"] == texts[2]
    with refused(1100, "length"):
        client.insert(name, [{"id": 9, "t": "x" * 2_097_153, "v": data[0]}])


def test_a_length_does_not_bind_long_texts(client, call, name):
    """It is taken, and so it is upstream, but only `proxy.maxTextLength` is looked at."""
    loaded(client, call, name, field("x", "Text", params={"max_length": 4}))
    assert insert(call, name, column("x", "VarChar", ["\u4e2d" * 100, "x" * 70000])) == 0
    assert insert(call, name, column("x", "VarChar", ["", "x" * (2 * 1024 * 1024 + 1)]), ids=(3, 4)) == 1100
    rows = client.query(name, "id >= 0", output_fields=["x"], consistency_level="Strong")
    assert sorted(len(row["x"]) for row in rows) == [100, 70000]


def test_words_of_long_texts_are_asked_and_searched(client, name):
    from pymilvus import Function, FunctionType
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("t", DataType.TEXT, enable_analyzer=True, enable_match=True)
    schema.add_field("words", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(Function("bm25", FunctionType.BM25, ["t"], ["words"]))
    client.create_collection(name, schema=schema, consistency_level="Strong")
    add_index(client, name, "SPARSE_INVERTED_INDEX", "BM25", field="words")
    client.load_collection(name)
    client.insert(name, [{"id": 1, "t": "a quick fox " + "filler " * 20_000}, {"id": 2, "t": "a slow whale"}])
    for flushed in (False, True):
        if flushed:
            client.flush(name)
        assert [row["id"] for row in client.query(name, "text_match(t, 'fox')", output_fields=["id"])] == [1]
        assert [row["id"] for row in client.query(name, "not text_match(t, 'fox')", output_fields=["id"])] == [2]
        assert [hit["id"] for hit in client.search(name, ["whale"], anns_field="words", limit=5)[0]] == [2]
    with refused(1100, "text field"):
        client.query(name, "t == 'a slow whale'", output_fields=["id"])
    with refused(1100):
        client.query(name, "id > 0", output_fields=["t", "count(*)"], group_by_fields=["t"])


def test_texts_take_no_index(client, name):
    make(client, name)
    for kind in ["INVERTED", "BITMAP", "STL_SORT", "Trie", "NGRAM", "AUTOINDEX"]:
        indexes = client.prepare_index_params()
        indexes.add_index("t", index_type=kind, params={"min_gram": 2, "max_gram": 3} if kind == "NGRAM" else {})
        with refused(1100):
            client.create_index(name, indexes)
