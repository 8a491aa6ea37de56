"""MilvusClient style: the calls of the slice against a real server."""
import numpy as np
import pytest
from pymilvus import DataType

from support import DIM, count, make, row, vectors


def test_a_quick_collection_works_without_a_schema(client, name):
    client.create_collection(name, dimension=DIM)
    data = vectors(10)
    result = client.insert(name, [{"id": i, "vector": data[i], "colour": "red" if i % 2 else "blue"}
                                  for i in range(10)])
    assert result["insert_count"] == 10
    hits = client.search(name, [data[3]], limit=3, filter='colour == "red"', output_fields=["colour"],
                         consistency_level="Strong")[0]
    assert hits[0]["id"] == 3 and {hit["entity"]["colour"] for hit in hits} == {"red"}
    assert client.get(name, ids=[4], output_fields=["colour"])[0]["colour"] == "blue"


def test_auto_ids_are_given_and_returned(client, name):
    client.create_collection(name, dimension=DIM, auto_id=True)
    result = client.insert(name, [{"vector": v} for v in vectors(5)])
    assert len(set(result["ids"])) == 5
    assert count(client, name) == 5


def test_upsert_replaces_a_row(client, name):
    data = make(client, name, rows=20)
    assert client.upsert(name, [{"id": 3, "group": 77, "name": "new", "vector": data[4]},
                                row(100, data[5])])["upsert_count"] == 2
    assert count(client, name) == 21
    found = client.query(name, filter="id == 3", output_fields=["group", "name"], consistency_level="Strong")
    assert [(r["group"], r["name"]) for r in found] == [(77, "new")]


def test_delete_by_key_and_by_filter(client, name):
    data = make(client, name, rows=100)
    client.delete(name, ids=[1, 2, 3])
    assert count(client, name) == 97
    client.delete(name, filter="group == 5")
    assert count(client, name) == 87 and count(client, name, "group == 5") == 0
    hits = client.search(name, [data[1]], limit=100, consistency_level="Strong")[0]
    assert len(hits) == 87 and 1 not in {hit["id"] for hit in hits}


def test_query_by_filter_ids_limit_and_offset(client, name):
    make(client, name, rows=100)
    page = client.query(name, filter="id >= 10", limit=5, offset=5, output_fields=["id"], consistency_level="Strong")
    assert [r["id"] for r in page] == [15, 16, 17, 18, 19]
    everything = client.query(name, ids=[5, 6], output_fields=["*"])
    assert {r["name"] for r in everything} == {"row 5", "row 6"} and len(everything[0]["vector"]) == DIM
    assert count(client, name, 'name like "row 1%"') == 11
    assert client.get(name, ids=[999]) == []


@pytest.mark.parametrize("text, expected", [
    ("group == 3 and id > 50", lambda i: i % 10 == 3 and i > 50),
    ("not (group in [1, 2])", lambda i: i % 10 not in (1, 2)),
    ("10 <= id < 20", lambda i: 10 <= i < 20), ("id % 7 == 0 or id + 1 == 99", lambda i: i % 7 == 0 or i == 98),
    ('name in ["row 5", "row 6"]', lambda i: i in (5, 6)), ("id * 2 > 150 && group != 0", lambda i: i > 75 and i % 10)])
def test_filters_answer_as_python_does(client, name, text, expected):
    make(client, name, rows=100)
    found = client.query(name, filter=text, output_fields=["id"], consistency_level="Strong")
    assert sorted(r["id"] for r in found) == [i for i in range(100) if expected(i)]


def test_filter_templates_fill_in_values(client, name):
    make(client, name, rows=50)
    found = client.query(name, filter="id in {wanted}", filter_params={"wanted": [4, 8]}, output_fields=["id"],
                         consistency_level="Strong")
    assert sorted(r["id"] for r in found) == [4, 8]


def test_search_offset_continues_where_the_page_ended(client, name):
    data = make(client, name, rows=200, index="HNSW", metric="COSINE", params={"M": 16, "efConstruction": 100})
    options = {"search_params": {"params": {"ef": 200}}, "consistency_level": "Strong"}
    whole = [h["id"] for h in client.search(name, [data[9]], limit=20, **options)[0]]
    second = client.search(name, [data[9]], limit=10,
                           **{**options, "search_params": {"params": {"ef": 200}, "offset": 10}})[0]
    assert [h["id"] for h in second] == whole[10:]


def test_several_queries_have_answers_of_their_own(client, name):
    data = make(client, name, rows=30)
    answers = client.search(name, data[:4].tolist(), limit=1, consistency_level="Strong")
    assert [hits[0]["id"] for hits in answers] == [0, 1, 2, 3]


def test_partitions(client, name):
    data = make(client, name)
    client.create_partition(name, "p1")
    client.insert(name, [row(1, data[0] if len(data) else vectors(1)[0])], partition_name="p1")
    client.insert(name, [row(2, vectors(1)[0])])
    assert sorted(client.list_partitions(name)) == ["_default", "p1"] and client.has_partition(name, "p1")
    found = client.query(name, filter="id > 0", partition_names=["p1"], consistency_level="Strong",
                         output_fields=["id"])
    assert [r["id"] for r in found] == [1]
    client.release_partitions(name, ["p1"])
    client.drop_partition(name, "p1")
    assert client.list_partitions(name) == ["_default"]


def test_collections_are_listed_described_and_renamed(client, name):
    make(client, name, rows=3)
    assert name in client.list_collections() and client.has_collection(name)
    about = client.describe_collection(name)
    assert [f["name"] for f in about["fields"]] == ["id", "group", "name", "vector"]
    assert about["fields"][3]["params"]["dim"] == DIM and about["fields"][0]["is_primary"]
    client.rename_collection(name, name + "_new")
    assert not client.has_collection(name) and count(client, name + "_new") == 3
    client.rename_collection(name + "_new", name)
    client.flush(name)
    assert client.get_collection_stats(name)["row_count"] == 3


def test_indexes_are_listed_described_and_dropped(client, name):
    make(client, name, rows=10, index="HNSW", params={"M": 8, "efConstruction": 64}, load=False)
    indexes = client.prepare_index_params()
    indexes.add_index("group")
    client.create_index(name, indexes)
    assert sorted(client.list_indexes(name)) == ["group", "vector"]
    about = client.describe_index(name, "vector")
    assert about["index_type"] == "HNSW" and about["metric_type"] == "L2" and about["state"] == "Finished"
    client.drop_index(name, "group")
    assert client.list_indexes(name) == ["vector"]


def test_load_state_follows_load_and_release(client, name):
    make(client, name, rows=10, load=False)
    assert "NotLoad" in str(client.get_load_state(name)["state"])
    client.load_collection(name)
    assert "Loaded" in str(client.get_load_state(name)["state"])
    client.release_collection(name)
    assert "NotLoad" in str(client.get_load_state(name)["state"])


def test_all_types_nulls_and_defaults_come_back(client, name):
    schema = client.create_schema(enable_dynamic_field=True)
    schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=20)
    for kind in ("BOOL", "INT8", "INT16", "INT32", "INT64", "FLOAT", "DOUBLE"):
        schema.add_field(kind.lower(), getattr(DataType, kind), nullable=True)
    schema.add_field("text", DataType.VARCHAR, max_length=50, default_value="none")
    schema.add_field("json", DataType.JSON, nullable=True)
    schema.add_field("numbers", DataType.ARRAY, element_type=DataType.INT64, max_capacity=10, nullable=True)
    schema.add_field("words", DataType.ARRAY, element_type=DataType.VARCHAR, max_length=20, max_capacity=10)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM)
    indexes = client.prepare_index_params()
    indexes.add_index("vector", index_type="AUTOINDEX", metric_type="COSINE")
    client.create_collection(name, schema=schema, index_params=indexes)
    full = {"id": "a", "bool": True, "int8": -8, "int16": 1600, "int32": -320000, "int64": 2 ** 60, "float": 0.5,
            "double": 1e100, "text": "é", "json": {"a": [1, {"b": None}], "c": "x"}, "numbers": [1, 2, 3],
            "words": ["x", "y"], "extra": {"deep": 7}}
    client.insert(name, [{**full, "vector": vectors(1)[0]}, {"id": "b", "words": [], "vector": vectors(2)[1]}])
    found = {r["id"]: r for r in client.query(name, filter='id != ""', output_fields=["*"], consistency_level="Strong")}
    for key, value in full.items():
        assert found["a"][key] == value, key
    assert found["b"]["text"] == "none" and found["b"]["int64"] is None and found["b"]["json"] is None
    for text, ids in [("int64 is null", ["b"]), ("json['c'] == 'x'", ["a"]), ("array_contains(numbers, 2)", ["a"]),
                      ("numbers[0] == 1", ["a"]), ("array_length(words) == 0", ["b"]), ('text == "none"', ["b"]),
                      ("json_contains(json['a'], 1)", ["a"]), ("extra['deep'] == 7", ["a"]), ("bool == true", ["a"])]:
        got = client.query(name, filter=text, output_fields=["id"], consistency_level="Strong")
        assert [r["id"] for r in got] == ids, text


def test_flushed_and_growing_rows_answer_together(client, name):
    data = make(client, name, rows=300, index="HNSW", params={"M": 16, "efConstruction": 100})
    client.flush(name)
    more = vectors(300, seed=8)
    client.insert(name, [row(1000 + i, more[i]) for i in range(300)])
    whole = np.concatenate([data, more])
    ids = np.array([*range(300), *range(1000, 1300)])
    best = ids[np.argsort(((whole - more[3]) ** 2).sum(1))[:10]]
    hits = client.search(name, [more[3]], limit=10, search_params={"params": {"ef": 300}},
                         consistency_level="Strong")[0]
    assert [h["id"] for h in hits] == best.tolist()
    assert count(client, name) == 600
