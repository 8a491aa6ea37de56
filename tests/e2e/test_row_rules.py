"""What is said of the rows of inserts, upserts and deletes, beyond what refuses them (test_schema_rules*.py): what is taken,
what comes back, and the least and greatest of it."""
import json
import math
import time

import numpy as np
import pytest
from pymilvus import MilvusClient
from pymilvus.grpc_gen import milvus_pb2, schema_pb2
from server_process import Server
from support import DIM, add_index, count, make, refused, row, settings, vectors
from test_schema_rules import KEY, VECTOR, create, default, elements, field, moments
from test_schema_rules_more import TWO, dynamic, lists, numbers, part, struct, things
from test_schema_rules_rows import OPERATIONS, index_of_structs, insert, loaded, read, rows_of, upsert
from wire import column, insert_request, query_request, status_of


def send(call, name, columns, rows=2, upsert=False, **more):
    return call("Upsert" if upsert else "Insert", insert_request(name, columns, rows=rows, upsert=upsert, **more))


# --- Columns that are taken ------------------------------------------------------------------------------------------

def test_the_schema_says_the_type_of_a_column_not_its_message(client, call, name):
    """A type that is left out, or that shares the member, is replaced by the field's own."""
    loaded(client, call, name, field("small", "Int16"), field("text", "VarChar", params={"max_length": 8}))
    for declared in (schema_pb2.Int16, schema_pb2.Int32, getattr(schema_pb2, "None")):
        small, text = column("small", "Int16", [5, -5]), column("text", "VarChar", ["a", "b"])
        small.type = declared
        assert insert(call, name, small, text) == 0, declared
    # The member's range is still that of the field.
    small = column("small", "Int16", [5, 40000])
    small.type = schema_pb2.Int32
    assert insert(call, name, small, column("text", "VarChar", ["a", "b"])) == 1100
    assert count(client, name) == 6


def test_the_type_of_the_elements_may_be_left_out(client, call, name):
    loaded(client, call, name, field("list", "Array", element_type=schema_pb2.Int16, params={"max_capacity": 2}))
    data = elements("list", "Int16", [[1, 2], [3]], "int_data")
    data.scalars.array_data.element_type = 0
    assert insert(call, name, data) == 0
    for bad in ([[40000], [1]], [[1], [-32769]]):
        assert insert(call, name, elements("list", "Int16", bad, "int_data")) == 1100, bad
    empty = elements("list", "Int16", [[1], [2]], "int_data")
    empty.scalars.array_data.data[1].Clear()
    assert insert(call, name, empty) == 1100, "a cell without any member is neither a list nor null"
    assert sorted(map(list, (one["list"] for one in client.query(name, "id > 0", output_fields=["list"],
                                                                 consistency_level="Strong")))) == [[1, 2], [3]]


def test_a_column_without_values_is_null_or_the_default(client, call, name):
    loaded(client, call, name, field("maybe", "Int64", nullable=True), field("given", "Int64", **default(long_data=5)))
    bare = [schema_pb2.FieldData(field_name=one, type=schema_pb2.Int64, valid_data=[False, False])
            for one in ("maybe", "given")]
    assert insert(call, name, *bare) == 0
    rows = client.query(name, "id > 0", output_fields=["maybe", "given"], consistency_level="Strong")
    assert [(one["maybe"], one["given"]) for one in rows] == [(None, 5)] * 2
    # All are null: the typed member is there all the same, and a value for each row.
    data = read(call, name, "maybe")["maybe"]
    assert data.scalars.WhichOneof("data") == "long_data" and len(data.scalars.long_data.data) == 2
    assert list(data.valid_data) == [False, False]


def test_json_and_dynamic_rows_may_be_as_long_as_the_limit(client, call, name):
    loaded(client, call, name, field("doc", "JSON"), enable_dynamic_field=True)
    longest = b'"' + b"x" * 65534 + b'"'
    filled = json.dumps({"k": ""}).encode()
    most = json.dumps({"k": "x" * (65536 - len(filled))}).encode()
    assert len(longest) == len(most) == 65536
    assert insert(call, name, column("doc", "JSON", [longest, b"null"]), dynamic(most, {})) == 0
    assert insert(call, name, column("doc", "JSON", [longest + b" ", b"{}"])) == 1100
    assert insert(call, name, column("doc", "JSON", [b"{}", b"{}"]), dynamic(most + b" ", {})) == 1100
    assert count(client, name) == 2 and count(client, name, "exists k") == 1


def test_there_is_one_dynamic_column(client, call, name):
    loaded(client, call, name, enable_dynamic_field=True)
    for bad in ([dynamic({}, {}), dynamic({}, {}, name="")], [dynamic({}, {}), column("$meta", "JSON", [b"{}", b"{}"])]):
        assert insert(call, name, *bad) == 1100
    text = column("$meta", "VarChar", ["{}", "{}"])
    text.is_dynamic = True
    assert insert(call, name, text) == 1100
    assert count(client, name) == 0


def test_other_keys_of_a_partial_update_stay_as_they_were_written(client, call, name):
    """Also numbers that no double holds, and keys that are written in another way."""
    loaded(client, call, name, enable_dynamic_field=True)
    stored = b'{"z":1,"big":123456789012345678901234567890,"f":1.10,"e":1E+2,"s":"\\u00e9","l":[1, {"x": null}]}'

    def keys(text):
        data = column("$meta", "JSON", [text])
        data.is_dynamic = True
        return data
    for flushed in (False, True):
        assert insert(call, name, keys(stored), ids=(1,)) == 0
        if flushed:
            client.flush(name)
        assert upsert(call, name, [column("id", "Int64", [1]), keys(b'{"new":2,"\\u007a":[3]}')], partial_update=True) == 0
        [text] = read(call, name, "$meta")["$meta"].scalars.json_data.data
        assert text == stored.replace(b'"z":1', b'"\\u007a":[3]').replace(b"}]}", b'}],"new":2}')
        assert upsert(call, name, [column("id", "Int64", [1]), keys(b"{}")], partial_update=True) == 0
        assert list(read(call, name, "$meta")["$meta"].scalars.json_data.data) == [text]
        client.delete(name, ids=[1])


def test_a_dynamic_column_has_no_place_where_there_is_no_dynamic_field(client, call, name):
    loaded(client, call, name)
    for bad in (dynamic({}, {}), dynamic({"a": 1}, {}, name=""), column("$meta", "JSON", [b"{}", b"{}"])):
        assert insert(call, name, bad) == 1100
    assert insert(call, name) == 0


@pytest.mark.parametrize("text, micros", [
    ("2025-01-01T00:00:00Z", 0), ("2025-01-01T00:00:00.1234567Z", 123456), ("2025-01-01 00:00:00Z", 0),
    ("2025-01-01 01:00:00+01:00", 0), ("2025-01-01 01:00:00+01", 0), ("2025-01-01T00:00:00", 0), ("2025-01-01 00:00:00.5", 500000),
    ("2025-01-01T14:00:00+14:00", 0), ("2024-12-31T12:00:00-12:00", 0), ("2024-12-31T11:59:00-12:01", None),
    ("2025-01-01T14:01:00+14:01", None), ("2025-01-01", None), ("2025-13-01T00:00:00Z", None), ("", None)])
def test_forms_of_moments(client, call, name, text, micros):
    loaded(client, call, name, field("t", "Timestamptz", nullable=True))
    got = insert(call, name, moments([text], valid=[True, False]))
    assert got == (1100 if micros is None else 0), text
    if micros is not None:
        shown = read(call, name, "t")["t"]
        assert shown.type == schema_pb2.Timestamptz
        [value] = [one for one in shown.scalars.string_data.data if one]
        fraction = f".{micros:06}".rstrip("0").rstrip(".")
        assert value == f"2025-01-01T00:00:00{fraction}Z"


SAME_MOMENTS = ["0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "1582-10-04T12:00:00Z", "1969-12-31T23:59:59.999999Z",
                "2024-02-29T23:59:59Z", "9999-12-31T23:59:59.999999Z"]
NO_MOMENTS = ["0000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-12:00", "2023-02-29T00:00:00Z", "2025-01-01T23:59:60Z",
              "2025-01-01T24:00:00Z", "2025-01-01t00:00:00z", " 2025-01-01T00:00:00Z", "2025-01-01T00:00:00,5Z",
              "2025-01-01T00:00:00+0100", "2025-01-01T00:00:00+1:00", "12025-01-01T00:00:00Z", "2025-1-1T00:00:00Z"]


def test_moments_come_back_as_they_went_in_or_are_refused(client, call, name):
    """Every text that is answered is one that is taken."""
    loaded(client, call, name, field("t", "Timestamptz"))
    for text in NO_MOMENTS:
        assert insert(call, name, moments([SAME_MOMENTS[0], text])) == 1100, text
    for key, text in enumerate(SAME_MOMENTS):
        assert insert(call, name, moments([text]), ids=(key,)) == 0, text
    found = read(call, name, "t")
    assert dict(zip(found["id"].scalars.long_data.data, found["t"].scalars.string_data.data)) == dict(enumerate(SAME_MOMENTS))


def test_numbers_that_are_none_may_be_in_arrays(client, call, name):
    """Arrays are not looked through for them, upstream does not either."""
    loaded(client, call, name, field("list", "Array", element_type=schema_pb2.Double, params={"max_capacity": 4}))
    assert insert(call, name, elements("list", "Double", [[math.nan, math.inf], [-math.inf]], "double_data")) == 0
    found = read(call, name, "list")["list"].scalars.array_data.data
    assert sorted(len(one.double_data.data) for one in found) == [1, 2]


# --- Answers ---------------------------------------------------------------------------------------------------------

def test_an_insert_tells_keys_rows_and_its_moment(client, call, name):
    loaded(client, call, name)
    before = int(time.time() * 1000) - 4000
    first = send(call, name, rows_of(ids=(7, 3)))
    assert list(first.IDs.int_id.data) == [7, 3] and list(first.succ_index) == [0, 1] and not first.err_index
    assert (first.insert_cnt, first.upsert_cnt, first.delete_cnt) == (2, 0, 0)
    second = send(call, name, rows_of(ids=(3, 3)))
    assert second.timestamp > first.timestamp and first.timestamp >> 18 > before, "a moment of the server's clock"
    assert count(client, name, "id == 3") == 3, "a key may be there often"
    gone = call("Delete", milvus_pb2.DeleteRequest(collection_name=name, expr="id == 3"))
    assert gone.delete_cnt == 1 and gone.timestamp > second.timestamp
    assert count(client, name) == 1


def test_an_upsert_counts_rows_whether_they_were_there_or_not(client, call, name):
    loaded(client, call, name)
    answer = send(call, name, rows_of(ids=(1, 2)), upsert=True)
    assert (answer.upsert_cnt, answer.insert_cnt, answer.delete_cnt) == (2, 2, 2), "neither was"
    assert list(answer.IDs.int_id.data) == [1, 2] and list(answer.succ_index) == [0, 1]
    send(call, name, rows_of(ids=(2, 2)))
    send(call, name, rows_of(ids=(2, 3)), upsert=True)
    assert count(client, name) == 3 and count(client, name, "id == 2") == 1, "all versions of a key go"


def test_an_upsert_reaches_its_partition_only(client, call, name):
    loaded(client, call, name, field("n", "Int64"))
    client.create_partition(name, "p")
    send(call, name, rows_of(column("n", "Int64", [1]), ids=(5,)), rows=1, partition="p")
    send(call, name, rows_of(column("n", "Int64", [2]), ids=(5,)), rows=1, upsert=True)
    assert {one["n"] for one in client.query(name, "id == 5", output_fields=["n"], partition_names=["p"],
                                             consistency_level="Strong")} == {1}
    assert count(client, name) == 2
    send(call, name, rows_of(column("n", "Int64", [3]), ids=(5,)), rows=1, upsert=True, partition="p")
    assert sorted(count(client, name, f"n == {n}") for n in (1, 2, 3)) == [0, 1, 1]


def test_upserts_make_keys_anew_even_where_clients_may_bring_them(client, call, name):
    auto = field("id", "Int64", is_primary_key=True, autoID=True)
    assert call("CreateCollection", create(name, auto, VECTOR, properties={"allow_insert_auto_id": "true"})).code == 0
    add_index(client, name, "FLAT")
    client.load_collection(name)
    assert list(send(call, name, rows_of(ids=(1, 2))).IDs.int_id.data) == [1, 2]
    answer = send(call, name, rows_of(ids=(2, 3)), upsert=True)
    new = list(answer.IDs.int_id.data)
    assert len(set(new)) == 2 and not {1, 2, 3} & set(new) and answer.delete_cnt == 2
    assert set(read(call, name)["id"].scalars.long_data.data) == {1, *new}


def test_keys_of_the_server_rise(client, call, name):
    assert call("CreateCollection", create(name, field("id", "Int64", is_primary_key=True, autoID=True), VECTOR)).code == 0
    given = []
    for _ in range(3):
        given += send(call, name, rows_of(ids=(1, 2))[1:]).IDs.int_id.data
    assert given == sorted(set(given)) and len(given) == 6


@pytest.mark.parametrize("keys", [["abc", "x"], ["x", "\u4e2d"]])
def test_keys_of_texts_are_measured_unless_the_server_makes_them(call, name, keys):
    def made(auto):
        return field("id", "VarChar", is_primary_key=True, autoID=auto, params={"max_length": 2})
    columns = [column("id", "VarChar", keys), column("vector", "FloatVector", vectors(2).ravel(), DIM)]
    assert call("CreateCollection", create(name, made(False), VECTOR)).code == 0
    for upsert in (False, True):
        assert send(call, name, columns, upsert=upsert).status.code == 1100
    client_keys = create(name + "_b", made(True), VECTOR, properties={"allow_insert_auto_id": "true"})
    assert call("CreateCollection", client_keys).code == 0
    assert list(send(call, name + "_b", columns).IDs.str_id.data) == keys
    call("DropCollection", milvus_pb2.DropCollectionRequest(collection_name=name + "_b"))


REFUSED_UPSERTS = {
    "a key twice": (1100, column("id", "VarChar", ["a", "a"]), {}),
    "keys of another type": (1100, column("id", "Int64", [1, 2]), {}),
    "a key that is null": (1100, column("id", "VarChar", ["a"], valid=[True, False]), {}),
    "nulls alone": (1100, column("id", "VarChar", [], valid=[False, False]), {}),
    "a key too few": (1100, column("id", "VarChar", ["a"]), {}),
    "the schema of another time": (109, column("id", "VarChar", ["a", "b"]), {"schema_timestamp": 5}),
    "a partition that is not there": (200, column("id", "VarChar", ["a", "b"]), {"partition_name": "nowhere"}),
    "a partition that cannot be": (1100, column("id", "VarChar", ["a", "b"]), {"partition_name": "a b"}),
}


@pytest.mark.parametrize("auto", [False, True])
@pytest.mark.parametrize("partial", [False, True])
def test_upserts_that_may_not_be_have_their_code(client, call, name, auto, partial):
    key = field("id", "VarChar", is_primary_key=True, autoID=auto, params={"max_length": 8})
    assert call("CreateCollection", create(name, key, VECTOR)).code == 0
    add_index(client, name, "FLAT")
    client.load_collection(name)
    data = column("vector", "FloatVector", vectors(2).ravel(), DIM)
    for what, (code, keys, more) in REFUSED_UPSERTS.items():
        request = milvus_pb2.UpsertRequest(collection_name=name, fields_data=[keys, data], num_rows=2,
                                           partial_update=partial, **more)
        assert status_of(call("Upsert", request)).code == code, what
    assert count(client, name) == 0


def test_clients_bring_keys_only_where_the_server_makes_them(call, name):
    assert call("CreateCollection", create(name, KEY, VECTOR, properties={"allow_insert_auto_id": "true"})).code == 1100
    two = create(name, field("id", "Int64", is_primary_key=True, autoID=True), VECTOR, field("x", "Int64", autoID=True))
    assert call("CreateCollection", two).code == 1100


# --- Structs ---------------------------------------------------------------------------------------------------------

def with_structs(client, call, name, **more):
    parts = (part("number"), part("clip", "FloatVector", "ArrayOfVector"))
    assert call("CreateCollection", create(name, KEY, VECTOR, struct_array_fields=[struct(*parts, **more)])).code == 0
    client.create_index(name, index_of_structs(client))
    client.load_collection(name)


def test_dynamic_keys_hide_no_struct(client, call, name):
    assert call("CreateCollection", create(name, KEY, VECTOR, struct_array_fields=[struct(part("number"))],
                                           enable_dynamic_field=True)).code == 0
    full = things(numbers([[1], [2]]))
    for key, code in (("things", 1100), ("things[number]", 1100), ("number", 0), ("id ", 0)):
        assert insert(call, name, full, dynamic({key: 1}, {})) == code, key


def test_a_mask_of_a_struct_is_that_of_its_parts(client, call, name):
    with_structs(client, call, name)
    data = things(numbers([[1], [2]]), lists([TWO[:DIM]] * 2))
    data.valid_data.extend([True, False])
    assert insert(call, name, data) == 1100


def test_structs_are_needed_and_may_be_empty(client, call, name):
    with_structs(client, call, name)
    assert insert(call, name) == 1100, "it is not nullable"
    masked = things(schema_pb2.FieldData(field_name="number", type=schema_pb2.Array, valid_data=[False, False]),
                    schema_pb2.FieldData(field_name="clip", type=schema_pb2.ArrayOfVector, valid_data=[False, False]))
    assert insert(call, name, masked) == 1100, "nor null"
    assert insert(call, name, things(numbers([[], [1, 2]]), lists([[], TWO]))) == 0, "an empty list is one"
    found = read(call, name, "things")["things"]
    assert found.type == schema_pb2.ArrayOfStruct and not found.valid_data
    assert [one.field_name for one in found.struct_arrays.fields] == ["number", "clip"]
    order = np.argsort(read(call, name)["id"].scalars.long_data.data)
    cells = found.struct_arrays.fields[0].scalars.array_data.data
    assert [list(cells[i].long_data.data) for i in order] == [[], [1, 2]]


def test_one_part_of_a_struct_comes_back_in_its_struct(client, call, name):
    with_structs(client, call, name)
    assert insert(call, name, things(numbers([[7], [8, 9]]), lists([TWO[:DIM], TWO]))) == 0
    answer = call("Query", query_request(name, "id >= 0", output=("id", "things[number]")))
    assert answer.status.code == 0, answer.status
    [found] = [one for one in answer.fields_data if one.field_name == "things"]
    assert [one.field_name for one in found.struct_arrays.fields] == ["number"]
    assert sorted(answer.output_fields) == ["id", "things"]


def test_partial_updates_replace_structs_as_a_whole(client, call, name):
    with_structs(client, call, name)
    assert insert(call, name, things(numbers([[7], [8, 9]]), lists([TWO[:DIM], TWO]))) == 0
    key = column("id", "Int64", [1])

    def update(*columns):
        request = insert_request(name, [key, *columns], rows=1, upsert=True)
        request.partial_update = True
        return status_of(call("Upsert", request)).code
    assert update(numbers([[1]], "things[number]")) == 1100, "not a part of one"
    assert update(column("nothing", "Int64", [1])) == 1100
    assert update(column("vector", "FloatVector", [1.0] * DIM, DIM)) == 0
    assert update(things(numbers([[4, 5]]), lists([TWO]))) == 0
    rows = client.query(name, "id > 0", output_fields=["things", "vector"], consistency_level="Strong")
    assert [[one["number"] for one in found["things"]] for found in sorted(rows, key=lambda one: one["id"])] == [[4, 5], [8, 9]]
    assert sorted(found["vector"][0] for found in rows) == [0.5, 1.0]


# --- Partial updates -------------------------------------------------------------------------------------------------

def test_partial_updates_count_what_was_there(client, call, name):
    loaded(client, call, name, field("n", "Int64", nullable=True))
    assert insert(call, name, column("n", "Int64", [1, 2])) == 0
    request = insert_request(name, rows_of(ids=(3, 2)), rows=2, upsert=True)
    request.partial_update = True
    answer = call("Upsert", request)
    assert answer.status.code == 0, answer.status
    assert (answer.upsert_cnt, answer.delete_cnt) == (2, 1) and list(answer.IDs.int_id.data) == [2, 3]
    assert {one["id"]: one["n"] for one in client.query(name, "id > 0", output_fields=["n"], consistency_level="Strong")
            } == {1: 1, 2: 2, 3: None}
    bare = insert_request(name, [column("n", "Int64", [1])], rows=1, upsert=True)
    bare.partial_update = True
    assert status_of(call("Upsert", bare)).code == 1100, "without a key"


# What is stored, what the operation brings, what is there then; None is null, ... is no row.
ARRAY_OPERATIONS = [
    ("ARRAY_APPEND", [1, 2], [2, 3], [1, 2, 2, 3]), ("ARRAY_APPEND", [1], [], [1]), ("ARRAY_APPEND", [], [1], [1]),
    ("ARRAY_APPEND", None, [1], [1]), ("ARRAY_APPEND", None, [], []), ("ARRAY_APPEND", [1], None, [1]),
    ("ARRAY_APPEND", None, None, None), ("ARRAY_APPEND", ..., [5, 5], [5, 5]), ("ARRAY_APPEND", ..., None, None),
    ("ARRAY_REMOVE", [1, 2, 1, 3], [1, 3], [2]), ("ARRAY_REMOVE", [1], [1], []), ("ARRAY_REMOVE", [1, 2], [], [1, 2]),
    ("ARRAY_REMOVE", [], [1], []), ("ARRAY_REMOVE", None, [1], None), ("ARRAY_REMOVE", [1], None, [1]),
    ("ARRAY_REMOVE", [1], [7, 8, 9, 10, 1], []), ("ARRAY_REMOVE", ..., [5], [5]),
    ("REPLACE", [1, 2], [3], [3]), ("REPLACE", [1], None, None), ("REPLACE", [1], [], []), ("REPLACE", ..., [4], [4]),
]


@pytest.mark.parametrize("flushed", [False, True])
def test_operations_on_arrays_do_as_they_say(client, call, name, flushed):
    if not hasattr(OPERATIONS, "ARRAY_APPEND"):
        pytest.skip("of 3.0")
    loaded(client, call, name, field("list", "Array", element_type=schema_pb2.Int64, nullable=True,
                                     params={"max_capacity": 4}))

    def lists_of(values):
        data = elements("list", "Int64", [one for one in values if one is not None], "long_data")
        data.valid_data.extend(one is not None for one in values)
        return data
    for i, (_, stored, *_) in enumerate(ARRAY_OPERATIONS):
        assert stored is ... or insert(call, name, lists_of([stored]), ids=(i,)) == 0
    if flushed:
        client.flush(name)
    for i, (op, _, given, _) in enumerate(ARRAY_OPERATIONS):
        columns = [*rows_of(ids=(i,)), lists_of([given])]
        assert upsert(call, name, columns, [("list", getattr(OPERATIONS, op))], partial_update=True) == 0, (i, op, given)
    rows = client.query(name, "id >= 0", output_fields=["list"], consistency_level="Strong")
    got = {row["id"]: row["list"] if row["list"] is None else list(row["list"]) for row in rows}
    for i, (op, stored, given, want) in enumerate(ARRAY_OPERATIONS):
        assert got[i] == want, (op, stored, given)
    assert len(got) == len(ARRAY_OPERATIONS)


# --- Deletes ---------------------------------------------------------------------------------------------------------

def test_deletes_by_key_need_no_load_and_filters_do(client, name):
    make(client, name, rows=20, load=False)
    assert client.delete(name, ids=[1, 2, 99])["delete_count"] == 3
    assert client.delete(name, filter="id == 3")["delete_count"] == 1
    with refused(101):
        client.delete(name, filter="group == 4")
    client.load_collection(name)
    assert count(client, name) == 17
    assert client.delete(name, filter="group == 4")["delete_count"] == 2
    assert client.delete(name, filter="id > 5 and group in {g}", filter_params={"g": [6, 7]})["delete_count"] == 4
    assert count(client, name) == 11


TEMPLATES = schema_pb2.TemplateValue
DELETES = [  # Of a collection that is not loaded: the filter, its value, the answer's code, how many keys it names.
    ("id in {k}", TEMPLATES(array_val=schema_pb2.TemplateArrayValue(long_data=schema_pb2.LongArray(data=[1, 2, 2]))), 0, 3),
    ("id == {k}", TEMPLATES(int64_val=4), 0, 1), ("{k} == id", TEMPLATES(int64_val=4), 0, 1),
    ("id in []", None, 0, 0), ("id in {k}", TEMPLATES(array_val=schema_pb2.TemplateArrayValue()), 0, 0),
    ("id == {k}", None, 1100, 0), ("{k}", TEMPLATES(bool_val=True), 1100, 0), ("id == {k}", TEMPLATES(), 1100, 0),
    ("id == {k}", TEMPLATES(string_val="1"), 1100, 0), ("id in ['a']", None, 1100, 0), ("id == 1.5", None, 1100, 0),
    ("id != 1", None, 101, 0), ("not (id in [1])", None, 101, 0), ("id in [1] or id in [2]", None, 101, 0),
]


@pytest.mark.parametrize("text, value, code, keys", DELETES)
def test_deletes_name_keys_in_several_ways(call, name, text, value, code, keys):
    assert call("CreateCollection", create(name, KEY, VECTOR)).code == 0
    request = milvus_pb2.DeleteRequest(collection_name=name, expr=text)
    if value is not None:
        request.expr_template_values["k"].CopyFrom(value)
    answer = call("Delete", request)
    assert (answer.status.code, answer.delete_cnt) == (code, keys), answer.status


def test_deletes_go_by_words(client, call, name):
    text = field("text", "VarChar", params={"max_length": 64, "enable_analyzer": "true", "enable_match": "true"})
    loaded(client, call, name, text)
    assert insert(call, name, column("text", "VarChar", ["red fox", "blue whale"])) == 0
    client.flush(name)
    assert insert(call, name, column("text", "VarChar", ["grey fox", "white bear"]), ids=(3, 4)) == 0
    assert client.delete(name, filter='text_match(text, "fox")')["delete_count"] == 2
    assert sorted(read(call, name)["id"].scalars.long_data.data) == [2, 4]


def test_what_follows_at_once_is_in_its_order(client, call, name):
    """Writes of one millisecond have their own moments."""
    loaded(client, call, name, field("n", "Int64"))

    def put(n, upsert=False):
        return send(call, name, [*rows_of(ids=(1,)), column("n", "Int64", [n])], rows=1, upsert=upsert).timestamp

    def delete():
        return call("Delete", milvus_pb2.DeleteRequest(collection_name=name, expr="id == 1")).timestamp
    for turn in range(50):
        moments = [put(turn), delete(), put(1000 + turn), put(2000 + turn, upsert=True)]
        assert moments == sorted(set(moments))
        assert [one["n"] for one in client.query(name, "id == 1", output_fields=["n"], consistency_level="Strong")
                ] == [2000 + turn]
        assert count(client, name) == 1
        put(turn)
        delete()
        assert count(client, name) == 0
    client.flush(name)
    assert count(client, name) == 0


def test_a_delete_in_a_partition_leaves_the_others(client, name):
    make(client, name)
    data = vectors(2)
    for partition in ("p", "q"):
        client.create_partition(name, partition)
        client.insert(name, [row(i, data[i]) for i in range(2)], partition_name=partition)
    assert client.delete(name, ids=[0], partition_name="p")["delete_count"] == 1
    assert client.delete(name, filter="group == 1", partition_name="q")["delete_count"] == 1
    left = [(p, one["id"]) for p in ("p", "q") for one in client.query(name, "id >= 0", partition_names=[p],
                                                                       consistency_level="Strong")]
    assert left == [("p", 1), ("q", 0)]
    # Without a partition all of them.
    client.delete(name, filter="id in [0, 1]")
    assert count(client, name) == 0


def test_what_is_written_after_a_delete_stays(client, name):
    make(client, name, rows=10)
    client.delete(name, filter="group >= 0")
    client.insert(name, [row(i, vectors(1)[0]) for i in range(3)])
    assert count(client, name) == 3
    client.flush(name)
    assert count(client, name) == 3


def test_a_large_insert_is_one(binary, tmp_path):
    with Server(binary, str(tmp_path / "data"), arguments=settings({"quotaAndLimits.limits.maxInsertSize": 4096})) as server:
        client = MilvusClient(uri=server.uri)
        make(client, "c")
        data = vectors(200)
        for write in (client.insert, client.upsert):
            with refused(1102):
                write("c", [row(i, data[i]) for i in range(200)])
        client.insert("c", [row(i, data[i]) for i in range(20)])
        assert count(client, "c") == 20
        client.close()
