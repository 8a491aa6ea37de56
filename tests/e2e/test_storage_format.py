"""docs/storage-format.md is exact: a reader made from it alone finds in the files what was written over the wire."""
import json

import numpy as np
import pytest
from pymilvus import DataType, MilvusClient

import storage_reader
from server_process import Server
from support import vectors

ROWS, DIM = 300, 16
NAMES = ["id", "number", "real", "flag", "text", "list", "words", "dense", "sparse", "bits"]


def rows_of(keys):
    dense = vectors(ROWS, DIM)
    return [{"id": key, "number": key * 3 - 500, "real": key / 8, "flag": key % 3 == 0,
             "text": None if key % 5 == 0 else f"row {key} é", "list": [key % 100, 7], "words": ["a", f"w{key}"],
             "dense": dense[key], "sparse": {key % 50: 1.5, key % 50 + 60: float(key % 8) + 0.25},
             "bits": bytes([key % 256, 255 - key % 256]), "extra": {"deep": [key]}} for key in keys]


def make(client):
    schema = client.create_schema(auto_id=False, enable_dynamic_field=True)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("number", DataType.INT32)
    schema.add_field("real", DataType.DOUBLE)
    schema.add_field("flag", DataType.BOOL)
    schema.add_field("text", DataType.VARCHAR, max_length=64, nullable=True)
    schema.add_field("list", DataType.ARRAY, element_type=DataType.INT16, max_capacity=4)
    schema.add_field("words", DataType.ARRAY, element_type=DataType.VARCHAR, max_length=16, max_capacity=4)
    schema.add_field("dense", DataType.FLOAT_VECTOR, dim=DIM)
    schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_field("bits", DataType.BINARY_VECTOR, dim=16)
    client.create_collection("c", schema=schema)
    return {field["name"]: field["field_id"] for field in client.describe_collection("c")["fields"]}


@pytest.fixture
def written(binary, tmp_path):
    """A data directory after its server has stopped, and the ids of the fields."""
    with Server(binary, str(tmp_path / "data")) as server:
        client = MilvusClient(uri=server.uri)
        ids = make(client)
        for first in range(0, 200, 100):
            client.insert("c", rows_of(range(first, first + 100)))
        client.flush("c")
        client.delete("c", ids=[3, 4, 150])
        client.flush("c")
        client.insert("c", rows_of(range(200, ROWS)))
        client.delete("c", ids=[5])
        client.close()
        assert server.stop() == 0
        yield server.data, ids


def expect_row(row, found):
    for name in NAMES:
        value, want = found[name], row[name]
        if name in ("dense", "bits"):
            assert np.array_equal(value, np.frombuffer(want, "u1") if name == "bits" else want), name
        else:
            assert value == want, name


def test_a_segment_is_read_from_the_description_alone(written):
    data, ids = written
    found = {}
    for segment in storage_reader.segments(data):
        columns = {name: segment.columns[ids[name]] for name in NAMES}
        [dynamic] = set(segment.columns) - set(ids.values()) - {1}
        moments = list(segment.columns[1])
        assert max(moments) == segment.newest
        for at in range(segment.rows):
            found[columns["id"][at]] = {name: columns[name][at] for name in NAMES}
            assert json.loads(segment.columns[dynamic][at]) == {"extra": {"deep": [columns["id"][at]]}}
    assert sorted(found) == list(range(200))
    for row in rows_of(found):
        expect_row(row, found[row["id"]])


def test_ranges_and_the_filter_of_keys_are_read_from_the_description_alone(written):
    data, ids = written
    for segment in storage_reader.segments(data):
        for name in ("id", "number", "real", "text", "list"):
            column = segment.columns[ids[name]]
            for block, found in enumerate(column.ranges):
                rows = range(block * column.range_rows, min(segment.rows, (block + 1) * column.range_rows))
                values = [column[row] for row in rows]
                there = [value for value in values if value is not None]
                ends = (min(there), max(there)) if name != "list" else (None, None)
                assert found == (len(values) - len(there), *ends), name
        keys = segment.columns[ids["id"]]
        assert all(storage_reader.may_hold(keys.key_filter, key) for key in keys)
        assert sum(storage_reader.may_hold(keys.key_filter, key) for key in range(10 ** 6, 10 ** 6 + 1000)) < 40
        assert not segment.columns[ids["number"]].key_filter


def test_deletes_are_read_from_the_description_alone(written):
    data, _ = written
    newest = max(segment.newest for segment in storage_reader.segments(data))
    found = storage_reader.deltas(data)
    assert sorted(key for key, _, _ in found) == [3, 4, 150]
    assert all(moment > newest for _, moment, _ in found)


def test_the_log_is_read_from_the_description_alone(written):
    data, ids = written
    inserted, deleted, moments = {}, [], []
    for _, moment, record in storage_reader.log_records(data):
        moments.append(moment)
        columns = {field: column for field, _, column in
                   map(storage_reader.encoded_column, storage_reader.parts(record.get(4, b"")))}
        for at in range(columns[ids["id"]].rows if columns else 0):
            inserted[columns[ids["id"]][at]] = {name: columns[ids[name]][at] for name in NAMES}
        _, _, keys = storage_reader.encoded_column(record[5]) if record.get(5) and \
            3 in storage_reader.fields(record[5]) else (0, "", [])
        deleted += keys
    assert moments == sorted(set(moments))
    # What is in segments may have been cut from the log; what is not is there.
    assert set(range(200, ROWS)) <= set(inserted)
    assert deleted[-1] == 5
    for row in rows_of(inserted):
        expect_row(row, inserted[row["id"]])
