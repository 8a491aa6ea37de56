"""Functions that come with their field to a collection that has rows: old rows get the field too, whatever state they
are in, whatever happens meanwhile."""
import threading

import pytest
from pymilvus import DataType, FieldSchema, Function, FunctionType, MilvusClient, MilvusException
from server_process import Server
from support import add_index, count, refused
from test_compaction import OPTIONS, until
from test_full_text import QUERIES, agrees, check, sentences
from test_min_hash import signature

pytestmark = pytest.mark.skipif(not hasattr(MilvusClient, "add_function_field"), reason="the SDK cannot say it yet")

DIM = 4


def make(client, name, texts=(), analyzer=True, load=True, **more):
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=4000, **({"enable_analyzer": True} if analyzer else {}), **more)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM)
    client.create_collection(name, schema=schema, consistency_level="Strong")
    if texts:
        client.insert(name, rows(texts))
    add_index(client, name, "FLAT")
    if load:
        client.load_collection(name)


def rows(texts, first=0):
    return [{"id": first + i, "text": text, "vector": [float(first + i)] * DIM} for i, text in enumerate(texts)]


def index_params(client, index_type="SPARSE_INVERTED_INDEX", metric="BM25", field="sparse", **params):
    indexes = client.prepare_index_params()
    indexes.add_index(field, index_type=index_type, metric_type=metric, params=params)
    return indexes


def bm25(name="rank", inputs=("text",), outputs=("sparse",)):
    return Function(name=name, function_type=FunctionType.BM25, input_field_names=list(inputs),
                    output_field_names=list(outputs))


def sparse(name="sparse", **more):
    return FieldSchema(name, DataType.SPARSE_FLOAT_VECTOR, **more)


def add_bm25(client, name):
    client.add_function_field(name, sparse(), bm25(), index_params(client, bm25_k1=1.2, bm25_b=0.75))


def filled(client, name):
    """How many segments have what the schema says, and how many there are."""
    stats = client.get_collection_stats(name)
    return int(stats["schema_version_consistent_segments"]), int(stats["schema_version_total_segments"])


def wait_filled(client, name, segments=None):
    def is_done():
        done, total = filled(client, name)
        return done == total and (segments is None or total == segments)
    until(is_done, "old rows have the field")
    until(lambda: client.describe_index(name, "sparse")["pending_index_rows"] == 0, "the index is built")


def test_growing_rows_have_the_field_at_once(client, name):
    texts = sentences(300, seed=1)
    make(client, name, texts)
    add_bm25(client, name)
    check(client, name, texts, QUERIES)
    more = sentences(50, seed=2)
    client.insert(name, rows(more, first=300))
    check(client, name, texts + more, QUERIES)
    told = {field["name"]: field for field in client.describe_collection(name)["fields"]}
    assert told["sparse"]["is_function_output"]
    with pytest.raises(MilvusException):
        client.insert(name, [dict(rows(["x"], 999)[0], sparse={1: 1.0})])


def test_sealed_rows_get_the_field_in_the_background(client, name):
    texts = sentences(900, seed=3)
    make(client, name)
    for batch in range(3):
        client.insert(name, rows(texts[300 * batch:300 * (batch + 1)], 300 * batch))
        client.flush(name)
    more = sentences(100, seed=4)
    client.insert(name, rows(more, 900))
    add_bm25(client, name)
    wait_filled(client, name)
    until(lambda: agrees(lambda: check(client, name, texts + more, QUERIES)), "the scores are those of all rows")
    client.delete(name, ids=[5, 6, 901])
    check(client, name, texts + more, QUERIES, deleted={5, 6, 901})
    assert count(client, name) == 997
    client.upsert(name, rows(["w399 w399 w399 unheard"], 7))
    assert client.search(name, ["unheard"], anns_field="sparse", limit=3)[0][0]["id"] == 7
    client.flush(name)
    assert client.search(name, ["unheard"], anns_field="sparse", limit=3)[0][0]["id"] == 7


def test_a_collection_that_is_not_loaded_is_filled_too(client, name):
    texts = sentences(200, seed=5)
    make(client, name, texts, load=False)
    client.flush(name)
    add_bm25(client, name)
    wait_filled(client, name, segments=1)
    client.load_collection(name)
    check(client, name, texts, QUERIES)


def test_signatures_are_added_to_old_rows(client, name):
    make(client, name, analyzer=False, nullable=True)
    texts = ["the same text", "the same test", "", "Ünï"]
    client.insert(name, rows(texts) + [{"id": 9, "text": None, "vector": [9.0] * DIM}])
    client.flush(name)
    client.insert(name, rows(["growing"], 20))
    function = Function(name="signs", function_type=FunctionType.MINHASH, input_field_names=["text"],
                        output_field_names=["sign"], params={"hash_function": "sha1", "token_level": "char",
                                                             "shingle_size": 4, "seed": 99})
    client.add_function_field(name, FieldSchema("sign", DataType.BINARY_VECTOR, dim=32 * 24), function,
                              index_params(client, "MINHASH_LSH", "MHJACCARD", "sign", mh_element_bit_width=32,
                                           mh_lsh_band=6))
    until(lambda: filled(client, name) == (1, 1), "the old rows are signed")

    def stored():
        found = client.query(name, filter="id >= 0", output_fields=["sign"])
        return {row["id"]: row["sign"][0] if isinstance(row["sign"], list) else row["sign"] for row in found}

    expected = {i: text for i, text in enumerate(texts)} | {9: "", 20: "growing"}
    until(lambda: all(stored().values()), "the signed rows are read")
    for key, text in expected.items():
        raw = text.encode()
        size = min(4, len(raw))
        shingles = [raw[at:at + size] for at in range(len(raw) - size + 1)] if raw else []
        assert stored()[key] == signature(shingles, 24, 99), text


def test_a_kill_in_the_middle_loses_nothing(binary, tmp_path):
    """A rewrite of a segment takes seconds here, so the kills meet some that are done, one that runs, and some that
    wait; searches answer over what is filled."""
    slow = OPTIONS + ["--set", "dataCoord.compaction.throughputMax=1", "--set",
                      "dataCoord.compaction.bumpSchemaVersion.triggerInterval=1"]
    with Server(binary, str(tmp_path / "data"), arguments=slow) as server:
        client = MilvusClient(uri=server.uri)
        make(client, "t")
        batches = [sentences(3000, seed) for seed in range(4)]
        for batch, texts in enumerate(batches):
            client.insert("t", rows(texts, 3000 * batch))
            client.flush("t")
        growing = ["growing alone"] * 3
        client.insert("t", rows(growing, 12000))
        add_bm25(client, "t")
        assert filled(client, "t")[0] < 4
        assert {hit["id"] for hit in client.search("t", ["alone"], anns_field="sparse", limit=10)[0]} == \
            {12000, 12001, 12002}
        seen = 0
        for _ in range(3):
            server.kill()
            server.start()
            client = MilvusClient(uri=server.uri)
            done, total = filled(client, "t")
            assert seen <= done <= total == 4
            seen = done
            until(lambda: filled(client, "t")[0] > seen or filled(client, "t")[0] == 4, "one more segment is filled")
            until(lambda: "Loaded" in str(client.get_load_state("t")["state"]), "the collection is loaded")
            until(lambda: len(client.search("t", ["w0"], anns_field="sparse", limit=10)[0]) == 10, "it is searched")
        wait_filled(client, "t", segments=None)
        texts = [text for batch in batches for text in batch] + growing
        until(lambda: agrees(lambda: check(client, "t", texts, QUERIES)), "the scores are those of all rows")
        assert count(client, "t") == 12003
        client.close()


def test_rows_that_are_written_meanwhile_have_the_field(server, client, name):
    make(client, name)
    stop, failures, written = threading.Event(), [], []

    def write(number):
        own = MilvusClient(uri=server.uri)
        key = number * 100_000
        try:
            while not stop.is_set():
                texts = sentences(20, key)
                own.insert(name, rows(texts, key))
                written.append((key, texts))
                key += 20
                if key % 1000 == 0:
                    own.flush(name)
        except Exception as error:  # Told by the test.
            failures.append(error)
        own.close()

    writers = [threading.Thread(target=write, args=(number,)) for number in range(2)]
    for writer in writers:
        writer.start()
    until(lambda: len(written) > 20, "there are rows")
    add_bm25(client, name)
    before = len(written)
    until(lambda: len(written) > before + 20, "there are more")
    stop.set()
    for writer in writers:
        writer.join()
    assert not failures, failures
    wait_filled(client, name)
    keys = [key + i for key, texts in written for i in range(len(texts))]
    texts = [text for _, batch in written for text in batch]
    until(lambda: agrees(lambda: check(client, name, texts, ["w0 w1 w2", "w17"], keys=keys)), "all rows are found")


def test_a_dropped_function_takes_its_field_along_while_rows_are_filled(client, name):
    texts = sentences(400, seed=6)
    make(client, name, texts)
    client.flush(name)
    add_bm25(client, name)
    client.drop_function_field(name, "rank")
    assert "sparse" not in [field["name"] for field in client.describe_collection(name)["fields"]]
    client.add_function_field(name, sparse(), bm25(), index_params(client))
    wait_filled(client, name)
    until(lambda: agrees(lambda: check(client, name, texts, QUERIES)), "the second one is filled")


def test_what_cannot_be_added_is_refused(client, name):
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=400, enable_analyzer=True)
    schema.add_field("plain", DataType.VARCHAR, max_length=400)
    schema.add_field("long", DataType.TEXT, enable_analyzer=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM)
    client.create_collection(name, schema=schema, consistency_level="Strong")
    good = index_params(client)
    taken = index_params(client)
    taken[0]._index_name = "vector"
    client.create_index(name, index_params(client, "FLAT", "L2", "vector"))
    cases = [
        (sparse(), bm25(inputs=["plain"]), good, "enable_analyzer"),
        (sparse(), bm25(inputs=["long"]), good, "type text"),
        (sparse(), bm25(inputs=["unknown"]), good, "not found"),
        (sparse(), bm25(outputs=["other"]), good, "output field"),
        (sparse("plain"), bm25(outputs=["plain"]), index_params(client, field="plain"), "duplicated"),
        (sparse("RowID"), bm25(outputs=["RowID"]), index_params(client, field="RowID"), "system"),
        (sparse("1x"), bm25(outputs=["1x"]), index_params(client, field="1x"), ""),
        (sparse(nullable=True), bm25(), good, "nullable"),
        (sparse(), bm25(), index_params(client, "AUTOINDEX"), "index_type"),
        (sparse(), bm25(), index_params(client, metric="IP"), "bm25"),
        (sparse(), bm25(), index_params(client, bm25_k1=9), ""),
        (sparse(), bm25(), taken, "at most one distinct index"),
        (FieldSchema("sign", DataType.BINARY_VECTOR, dim=100),
         Function(name="s", function_type=FunctionType.MINHASH, input_field_names=["text"],
                  output_field_names=["sign"]),
         index_params(client, "MINHASH_LSH", "MHJACCARD", "sign"), "dim"),
    ]
    for field, function, indexes, words in cases:
        code = 1701 if field.name == "1x" else 1100
        with pytest.raises(Exception) as caught:
            client.add_function_field(name, field, function, indexes)
        told = caught.value
        assert words in str(told).lower(), (field.name, function.to_dict(), told)
        assert getattr(told, "code", code) in (code, 1100), told
    before = [field["name"] for field in client.describe_collection(name)["fields"]]
    assert before == ["id", "text", "plain", "long", "vector"], "nothing was stored"
    add_bm25(client, name)
    with refused(1100, "duplicate"):
        client.add_function_field(name, sparse("second"), bm25(outputs=["second"]),
                                  index_params(client, field="second"))


def test_it_can_be_switched_off(binary, tmp_path):
    off = ["--set", "dataCoord.compaction.bumpSchemaVersion.enabled=false"]
    with Server(binary, str(tmp_path / "data"), arguments=off) as server:
        client = MilvusClient(uri=server.uri)
        make(client, "t", ["a text"])
        with refused(2, "disabled"):
            client.add_function_field("t", sparse(), bm25(), index_params(client), timeout=5)
        client.close()
