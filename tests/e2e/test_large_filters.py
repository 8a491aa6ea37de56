"""Filters of a million keys and filters that nest thousands deep, through the SDK: an answer or an error, in time."""
import time

import pytest
from pymilvus import DataType
from support import add_index, count, refused, vectors

ROWS = 3000
MILLION = 1_000_000


@pytest.fixture
def filled(client, name):
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("n", DataType.INT64, nullable=True)
    schema.add_field("s", DataType.VARCHAR, max_length=16)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
    client.create_collection(name, schema=schema, consistency_level="Strong")
    data = vectors(ROWS, 2)
    # Every seventh is null; the others spread over twice a million.
    rows = [{"id": i, "n": None if i % 7 == 0 else i * 661, "s": f"k{i * 661}", "vector": data[i]} for i in range(ROWS)]
    client.insert(name, rows[:ROWS // 2])
    client.flush(name)
    add_index(client, name, "FLAT")
    client.load_collection(name)
    client.insert(name, rows[ROWS // 2:])
    return rows


def test_a_million_keys_are_a_filter(client, name, filled):
    keys = list(range(0, 2 * MILLION, 2))
    assert len(keys) == MILLION
    texts = [f"k{key}" for key in keys]
    wanted = {"n in {keys}": [r["id"] for r in filled if r["n"] is not None and r["n"] % 2 == 0],
              "n not in {keys}": [r["id"] for r in filled if r["n"] is not None and r["n"] % 2 == 1],
              "id in {keys}": [r["id"] for r in filled if r["id"] % 2 == 0],
              "s in {texts}": [r["id"] for r in filled if int(r["s"][1:]) % 2 == 0],
              "n in {keys} and not (s in {texts})": []}

    def check():
        for text, ids in wanted.items():
            values = {key: value for key, value in (("keys", keys), ("texts", texts)) if f"{{{key}}}" in text}
            begin = time.monotonic()
            found = client.query(name, text, filter_params=values, output_fields=["id"], limit=ROWS)
            assert sorted(r["id"] for r in found) == ids, text
            assert time.monotonic() - begin < 20, text
    check()
    indexes = client.prepare_index_params()
    indexes.add_index("n", index_type="STL_SORT", index_name="by_n")
    indexes.add_index("s", index_type="INVERTED", index_name="by_s")
    client.create_index(name, indexes)
    client.flush(name)
    check()
    hits = client.search(name, [[0.0, 0.0]], filter="n in {keys}", filter_params={"keys": keys}, limit=ROWS)[0]
    assert sorted(hit["id"] for hit in hits) == wanted["n in {keys}"]
    assert client.delete(name, filter="n in {keys}", filter_params={"keys": keys})["delete_count"] == \
        len(wanted["n in {keys}"])
    assert count(client, name) == ROWS - len(wanted["n in {keys}"])


NESTS = [("(", ")"), ("not (", ")"), ("(id < 0 or ", ")"), ("(id >= 0 and ", ")")]


@pytest.mark.parametrize("begin, end", NESTS)
def test_filters_nest_two_thousand_deep_and_end_somewhere(client, name, filled, begin, end):
    for deep in (1000, 2000):
        text = begin * deep + "id < 5" + end * deep
        assert [r["id"] for r in client.query(name, text, output_fields=["id"], limit=10)] == [0, 1, 2, 3, 4], deep
        hits = client.search(name, [[0.0, 0.0]], filter=text, limit=10)[0]
        assert sorted(hit["id"] for hit in hits) == [0, 1, 2, 3, 4]
    too_deep = begin * 500_000 + "id < 5" + end * 500_000
    with refused(1100, "nests too deep"):
        client.query(name, too_deep, output_fields=["id"], limit=10)
    with refused(1100, "nests too deep"):
        client.search(name, [[0.0, 0.0]], filter=too_deep, limit=10)
    with refused(1100, "nests too deep"):
        client.delete(name, filter=too_deep)
    assert count(client, name) == ROWS
