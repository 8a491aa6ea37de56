"""Partial updates through the SDK: what is left out stays, arrays grow and shrink, auto ids change."""
import threading

import pytest
from pymilvus import DataType

from support import add_index, count, refused, vectors

try:
    from pymilvus import FieldOp
except ImportError:
    FieldOp = None

needs_operations = pytest.mark.skipif(FieldOp is None, reason="this SDK has no field operations")


def make(client, name, auto_id=False, load=True, dynamic=True, **more):
    schema = client.create_schema(auto_id=auto_id, enable_dynamic_field=dynamic)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("n", DataType.INT16, nullable=True)
    schema.add_field("s", DataType.VARCHAR, max_length=16, default_value="none")
    schema.add_field("tags", DataType.ARRAY, element_type=DataType.VARCHAR, max_capacity=8, max_length=8, nullable=True)
    schema.add_field("j", DataType.JSON, nullable=True)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=4)
    client.create_collection(name, schema=schema, consistency_level="Strong", **more)
    add_index(client, name, "FLAT", field="v")
    if load:
        client.load_collection(name)


def rows_of(client, name, filter_text="id >= 0", fields=("*",)):
    return client.query(name, filter_text, output_fields=list(fields), limit=1000)


def fill(client, name, rows=10):
    data = vectors(rows, 4).tolist()
    made = [{"id": i, "n": i, "s": f"s{i}", "tags": ["a", "b"], "j": {"x": i, "y": [1]}, "v": data[i], "color": "red"}
            for i in range(rows)]
    client.insert(name, made)
    return made


@pytest.mark.parametrize("flushed", [False, True])
def test_what_is_left_out_stays(client, name, flushed):
    make(client, name)
    made = fill(client, name)
    if flushed:
        client.flush(name)
    answer = client.upsert(name, [{"id": 3, "n": 33}, {"id": 4, "n": None}], partial_update=True)
    assert answer["upsert_count"] == 2 and list(answer["ids"]) == [3, 4]
    client.upsert(name, [{"id": 5, "color": "blue", "size": 7}], partial_update=True)
    client.upsert(name, [{"id": 6, "j": {"z": 1}}], partial_update=True)
    made[3]["n"], made[4]["n"] = 33, None
    made[5].update(color="blue", size=7)
    made[6]["j"] = {"z": 1}
    for row in rows_of(client, name):
        expected = made[row["id"]]
        assert row["v"] == pytest.approx(expected["v"])
        for key in expected:
            if key != "v":
                assert row[key] == expected[key], (row, key)
        assert "size" in row or row["id"] != 5
    assert count(client, name) == 10


def test_rows_that_are_not_there_are_inserted_or_refused_together(client, name):
    make(client, name)
    fill(client, name, 2)
    new = {"id": 50, "n": 5, "v": [1.0, 2.0, 3.0, 4.0]}
    answer = client.upsert(name, [new, {"id": 1, "n": 11, "v": [0.0] * 4}], partial_update=True)
    assert answer["upsert_count"] == 2 and list(answer["ids"]) == [1, 50], "those that were there come first"
    rows = {row["id"]: row for row in rows_of(client, name)}
    assert rows[50]["s"] == "none" and rows[50]["tags"] is None and rows[50]["v"] == new["v"]
    assert rows[1]["s"] == "s1" and rows[1]["n"] == 11
    with refused(1100, "v"):
        client.upsert(name, [{"id": 0, "n": 100}, {"id": 77, "n": 1}], partial_update=True)
    assert rows_of(client, name, "id == 0")[0]["n"] == 0
    with refused(1100, "duplicate"):
        client.upsert(name, [{"id": 0, "n": 1}, {"id": 0, "n": 2}], partial_update=True)


def test_auto_ids_are_made_anew(client, name):
    make(client, name, auto_id=True)
    data = vectors(2, 4).tolist()
    first = client.insert(name, [{"n": i, "s": f"s{i}", "v": data[i]} for i in range(2)])["ids"]
    answer = client.upsert(name, [{"id": first[0], "n": 10}], partial_update=True)
    new = list(answer["ids"])
    assert len(new) == 1 and new[0] not in first
    rows = {row["id"]: row for row in rows_of(client, name, f"id in [{first[0]}, {first[1]}, {new[0]}]")}
    assert set(rows) == {first[1], new[0]}
    assert rows[new[0]]["s"] == "s0" and rows[new[0]]["n"] == 10


def test_the_collection_must_be_loaded(client, name):
    make(client, name, load=False)
    with refused(101):
        client.upsert(name, [{"id": 1, "n": 1, "v": [0.0] * 4}], partial_update=True)


def test_partitions_are_apart(client, name):
    make(client, name)
    client.create_partition(name, "p")
    data = vectors(2, 4).tolist()
    client.insert(name, [{"id": 1, "n": 1, "v": data[0]}], partition_name="p")
    client.upsert(name, [{"id": 1, "n": 2}], partition_name="p", partial_update=True)
    assert client.query(name, "id == 1", output_fields=["n"])[0]["n"] == 2
    with refused(1100, "v"):
        client.upsert(name, [{"id": 1, "n": 3}], partial_update=True)
    with refused(200):
        client.upsert(name, [{"id": 1, "n": 3}], partition_name="q", partial_update=True)


def test_values_are_checked_like_any(client, name):
    make(client, name)
    fill(client, name, 1)
    with refused(1100, "length"):
        client.upsert(name, [{"id": 0, "s": "x" * 17}], partial_update=True)
    with refused(1100, "capacity"):
        client.upsert(name, [{"id": 0, "tags": ["a"] * 9}], partial_update=True)
    with refused(1100, "length"):
        client.upsert(name, [{"id": 0, "big": "x" * 65530}], partial_update=True)
    assert rows_of(client, name)[0]["s"] == "s0"


def test_writers_of_different_fields_end_with_one_row_a_key(client, name):
    """The read and the write are not one step, so a value may be lost, but a row never is, nor is it there twice."""
    make(client, name)
    fill(client, name, 5)

    def work(field, values):
        for value in values:
            client.upsert(name, [{"id": i, field: value} for i in range(5)], partial_update=True)

    threads = [threading.Thread(target=work, args=("n", range(100, 110))),
               threading.Thread(target=work, args=("s", [f"w{i}" for i in range(10)]))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = rows_of(client, name)
    assert sorted(row["id"] for row in rows) == list(range(5))
    assert all(row["tags"] == ["a", "b"] and row["color"] == "red" for row in rows)
    assert count(client, name) == 5


def test_function_outputs_follow_their_text(client, name):
    from pymilvus import Function, FunctionType
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=64, enable_analyzer=True)
    schema.add_field("n", DataType.INT64)
    schema.add_field("words", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(Function("bm25", FunctionType.BM25, ["text"], ["words"]))
    client.create_collection(name, schema=schema, consistency_level="Strong")
    add_index(client, name, "SPARSE_INVERTED_INDEX", "BM25", field="words")
    client.load_collection(name)
    client.insert(name, [{"id": 1, "text": "red fox", "n": 1}, {"id": 2, "text": "blue whale", "n": 2}])
    client.upsert(name, [{"id": 1, "text": "green frog"}], partial_update=True)
    client.upsert(name, [{"id": 2, "n": 20}], partial_update=True)

    def found(word):
        return [hit["id"] for hit in client.search(name, [word], anns_field="words", limit=5)[0]]

    assert found("fox") == [] and found("frog") == [1] and found("whale") == [2]
    assert {row["id"]: row["n"] for row in client.query(name, "id > 0", output_fields=["n"])} == {1: 1, 2: 20}


@needs_operations
def test_arrays_grow_and_shrink(client, name):
    make(client, name)
    fill(client, name, 4)
    client.upsert(name, [{"id": 0, "tags": ["c", "a"]}, {"id": 1, "tags": []}],
                  field_ops={"tags": FieldOp.array_append()})
    client.upsert(name, [{"id": 2, "tags": ["a", "x"]}], field_ops={"tags": FieldOp.array_remove()})
    client.upsert(name, [{"id": 3, "tags": None}], partial_update=True)
    client.upsert(name, [{"id": 3, "tags": ["q"], "n": 9}], field_ops={"tags": "array_append"})
    rows = {row["id"]: row for row in rows_of(client, name)}
    assert [rows[i]["tags"] for i in range(4)] == [["a", "b", "c", "a"], ["a", "b"], ["b"], ["q"]]
    assert rows[3]["n"] == 9 and rows[0]["n"] == 0
    with refused(1100, "capacity"):
        client.upsert(name, [{"id": 0, "tags": ["d"] * 5}], field_ops={"tags": FieldOp.array_append()})
    with refused(1100, "array"):
        client.upsert(name, [{"id": 0, "n": 1}], field_ops={"n": FieldOp.array_append()})
    with refused(1100):
        client.upsert(name, [{"id": 0, "n": 1}], field_ops={"tags": FieldOp.array_append()})
    with refused(1100):
        client.upsert(name, [{"id": 0, "n": 1}], field_ops={"nothing": FieldOp.array_append()})
    assert rows_of(client, name, "id == 0")[0]["tags"] == ["a", "b", "c", "a"]
