"""Bad input to every call: exactly one code, nothing stored, and the server goes on."""
import json
import math
import random
import socket
from contextlib import contextmanager

import grpc
import pytest
from pymilvus import DataType, MilvusClient
from pymilvus.grpc_gen import common_pb2, milvus_pb2, schema_pb2

from support import DIM, add_index, count, refused, vectors
from wire import calls, column, insert_request, query_request, search_request, status_of

MISSING = "no_such_collection"
QUERY = [vectors(1)[0]]


def schema_of(client):
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("tiny", DataType.INT8)
    schema.add_field("real", DataType.FLOAT)
    schema.add_field("name", DataType.VARCHAR, max_length=64)
    schema.add_field("maybe", DataType.INT64, nullable=True)
    schema.add_field("numbers", DataType.ARRAY, element_type=DataType.INT64, max_capacity=4)
    schema.add_field("doc", DataType.JSON)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM)
    return schema


def good_columns(ids=(1, 2)):
    n = len(ids)
    return {"id": column("id", "Int64", ids), "tiny": column("tiny", "Int8", [-128, 127] * (n // 2)),
            "real": column("real", "Float", [0.5] * n), "name": column("name", "VarChar", ["a"] * n),
            "maybe": column("maybe", "Int64", [7] * (n // 2), valid=[True, False] * (n // 2)),
            "numbers": column("numbers", "Array", [[1, 2]] * n), "doc": column("doc", "JSON", [b"{}"] * n),
            "vector": column("vector", "FloatVector", vectors(n).ravel(), DIM)}


def fill(client, call, name):
    client.create_collection(name, schema=schema_of(client))
    add_index(client, name, "FLAT")
    client.load_collection(name)
    assert status_of(call("Insert", insert_request(name, good_columns().values()))).code == 0
    return name


@pytest.fixture(scope="module")
def kept(server):
    """A loaded collection with rows 1 and 2, which no bad input may change: so one is enough for all of them."""
    client = MilvusClient(uri=server.uri)
    with calls(server.address) as call:
        yield fill(client, call, "kept")
    client.drop_collection("kept")
    client.close()


@pytest.fixture
def own(client, call, name):
    """One like `kept` for tests that end with a change."""
    return fill(client, call, name)


def state(client, name):
    """Everything a refused call could have changed."""
    rows = client.query(name, filter="id >= -9999", output_fields=["*"], consistency_level="Strong")
    return (sorted(client.list_collections()), client.list_partitions(name), client.list_indexes(name),
            str(client.describe_collection(name)), str(rows), len(rows))


@pytest.fixture
def refuse(client, call):
    """refuse(name, method, request, code, words): the answer has this code, says the words, and nothing changes."""
    def check(name, method, request, code, words=""):
        before = state(client, name)
        status = status_of(call(method, request))
        assert status.code == code, f"{method}: code {status.code}, {status.reason!r}"
        assert status.error_code != 0 and status.reason and status.detail == status.reason
        assert words in status.reason, status.reason
        assert not status.retriable
        if code in (100, 200, 800, 1100, 1101, 1700, 2000):
            assert status.extra_info["is_input_error"] == "true"
        assert state(client, name) == before
        hits = call("Search", search_request(name, QUERY)).results
        assert list(hits.topks) == [before[-1]]
    return check


def test_the_sdk_raises_the_codes_of_the_server(client, kept):
    vector = [0.0] * DIM
    for code, words, use in [
            (100, MISSING, lambda: client.search(MISSING, [vector], limit=1)),
            (100, MISSING, lambda: client.describe_collection(MISSING)),
            (100, MISSING, lambda: client.load_collection(MISSING)),
            (1100, "dim", lambda: client.search(kept, [vector + [0.0]], limit=1)),
            (1100, "20000", lambda: client.search(kept, [vector], limit=20000)),
            (1100, "nowhere", lambda: client.query(kept, filter="nowhere == 1")),
            (1100, "id >", lambda: client.delete(kept, filter="id >"))]:
        with refused(code, words=words):
            use()


# --- Insert and upsert -----------------------------------------------------------------------------------------------

BAD_COLUMNS = {
    "a vector of the wrong dim": {"vector": column("vector", "FloatVector", [0.5] * 6, 3)},
    "a dim that hides the wrong one": {"vector": column("vector", "FloatVector", [0.5] * 6, DIM)},
    "too few numbers for the dim": {"vector": column("vector", "FloatVector", [0.5] * (DIM + 3), DIM)},
    "one vector for two rows": {"vector": column("vector", "FloatVector", [0.5] * DIM, DIM)},
    "a vector of dim 0": {"vector": column("vector", "FloatVector", [0.5] * 2 * DIM, 0)},
    "a vector of a huge dim": {"vector": column("vector", "FloatVector", [0.5] * 2 * DIM, 2 ** 62)},
    "NaN in a vector": {"vector": column("vector", "FloatVector", [0.5] * (2 * DIM - 1) + [math.nan], DIM)},
    "infinity in a vector": {"vector": column("vector", "FloatVector", [math.inf] + [0.5] * (2 * DIM - 1), DIM)},
    "minus infinity in a vector": {"vector": column("vector", "FloatVector", [-math.inf] * (2 * DIM), DIM)},
    "NaN in a float": {"real": column("real", "Float", [0.5, math.nan])},
    "infinity in a float": {"real": column("real", "Float", [math.inf, 0.5])},
    "the wrong type": {"tiny": column("tiny", "VarChar", ["x", "y"])},
    "a wider type": {"tiny": column("tiny", "Int64", [1, 2])},
    "int8 overflow": {"tiny": column("tiny", "Int8", [1, 128])},
    "int8 underflow": {"tiny": column("tiny", "Int8", [-129, 1])},
    "null in a field that has none": {"real": column("real", "Float", [0.5], valid=[True, False])},
    "more values than valid rows": {"maybe": column("maybe", "Int64", [1, 2], valid=[True, False])},
    "fewer values than valid rows": {"maybe": column("maybe", "Int64", [1], valid=[True, True])},
    "a null mask of the wrong length": {"maybe": column("maybe", "Int64", [1], valid=[True, False, False])},
    "null as the primary key": {"id": column("id", "Int64", [1], valid=[True, False])},
    "a missing field": {"name": None},
    "an unknown field": {"more": column("more", "Int64", [1, 2])},
    "a field twice": {"more": column("tiny", "Int8", [1, 2])},
    "more rows than announced": {"tiny": column("tiny", "Int8", [1, 2, 3])},
    "fewer rows than announced": {"name": column("name", "VarChar", ["a"])},
    "a text that is too long": {"name": column("name", "VarChar", ["x" * 65, "y"])},
    "a text that is too long in bytes": {"name": column("name", "VarChar", ["\u00e9" * 33, "y"])},
    "an array that is too long": {"numbers": column("numbers", "Array", [[1], [1, 2, 3, 4, 5]])},
    "an array of another type": {"numbers": column("numbers", "Array", [["x"], ["y"]])},
    "a kind of vector that the field does not have": {"vector": column("vector", "BinaryVector", b"\1" * 2, DIM)},
    "a vector in a field for numbers": {"real": column("real", "FloatVector", [0.5] * 2 * DIM, DIM)},
    "null as a vector": {"vector": column("vector", "FloatVector", [0.5] * DIM, DIM, valid=[True, False])},
    "JSON that is too long": {"doc": column("doc", "JSON", [b"{}", json.dumps("x" * 65536).encode()])},
    "no primary key": {"id": None},
    "nothing but keys": {name: None for name in ("tiny", "real", "name", "numbers", "doc", "vector")},
}


@pytest.mark.parametrize("what", list(BAD_COLUMNS))
def test_bad_columns_are_refused_and_nothing_is_stored(kept, call, refuse, what):
    columns = {**good_columns(ids=(2, 3)), **BAD_COLUMNS[what]}
    columns = [c for c in columns.values() if c is not None]
    for upsert in (False, True):
        refuse(kept, "Upsert" if upsert else "Insert", insert_request(kept, columns, upsert=upsert), 1100)
    answer = call("Insert", insert_request(kept, columns))
    assert answer.insert_cnt == 0 and list(answer.err_index) == [0, 1] and not answer.IDs.WhichOneof("id_field")


def test_good_columns_are_stored_after_bad_ones(own, call, client):
    bad = {**good_columns(ids=(3, 4)), **BAD_COLUMNS["NaN in a float"]}
    assert status_of(call("Insert", insert_request(own, bad.values()))).code == 1100
    assert call("Insert", insert_request(own, good_columns(ids=(3, 4)).values())).insert_cnt == 2
    rows = client.query(own, filter="id > 0", output_fields=["tiny", "maybe"], consistency_level="Strong")
    stored = [(r["id"], r["tiny"], r["maybe"]) for r in rows]
    assert stored == [(1, -128, 7), (2, 127, None), (3, -128, 7), (4, 127, None)]


def test_json_that_is_none_is_stored_as_it_is_and_matches_nothing(own, call):
    # Only the keys of the dynamic field have to be JSON.
    doc = column("doc", "JSON", [b"{", b'{"a": 1}'])
    assert call("Insert", insert_request(own, {**good_columns(ids=(3, 4)), "doc": doc}.values())).insert_cnt == 2

    def ask(filter_text):
        answer = call("Query", query_request(own, filter_text, output=("id", "doc")))
        assert answer.status.code == 0
        found = {data.field_name: data.scalars for data in answer.fields_data}
        return dict(zip(found["id"].long_data.data, found["doc"].json_data.data))
    assert ask("id > 2") == {3: b"{", 4: b'{"a": 1}'}
    assert ask('doc["a"] == 1') == {4: b'{"a": 1}'}
    assert 3 not in ask('not (doc["a"] == 1)') and 3 not in ask('exists doc["a"]')


def test_a_number_of_rows_that_would_fill_the_memory_is_refused(kept, refuse):
    for rows in (2 ** 32 - 1, 2 ** 31):
        for upsert in (False, True):
            columns = [c for name, c in good_columns().items() if name != "maybe"]
            refuse(kept, "Upsert" if upsert else "Insert", insert_request(kept, columns, rows=rows, upsert=upsert), 1100)
            refuse(kept, "Insert", insert_request(kept, [], rows=rows), 1100)


def test_keys_are_refused_where_the_server_gives_them(client, call, name):
    client.create_collection(name, dimension=DIM, auto_id=True)
    columns = [column("id", "Int64", [1, 2]), column("vector", "FloatVector", vectors(2).ravel(), DIM)]
    assert status_of(call("Insert", insert_request(name, columns))).code == 1100
    assert count(client, name) == 0


def test_bytes_that_are_no_text_are_refused(kept, call, client):
    columns = {**good_columns(), "name": column("name", "VarChar", ["PLACE", "PLACE"])}
    request = insert_request(kept, columns.values()).SerializeToString().replace(b"PLACE", b"\xff\xfe\xc0\x80\xff")
    before = state(client, kept)
    with pytest.raises(grpc.RpcError) as caught:  # A text that is not UTF-8 makes the message unreadable.
        call("Insert", request)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert state(client, kept) == before


def test_inserts_into_what_is_not_there_are_refused(kept, refuse):
    columns = good_columns().values()
    for upsert, method in ((False, "Insert"), (True, "Upsert")):
        refuse(kept, method, insert_request(MISSING, columns, upsert=upsert), 100, MISSING)
        refuse(kept, method, insert_request(kept, columns, partition="nowhere", upsert=upsert), 200, "nowhere")
        refuse(kept, method, insert_request(kept, columns, partition="a b", upsert=upsert), 1100, "a b")
        refuse(kept, method, insert_request("1 bad", columns, upsert=upsert), 1100, "1 bad")
        refuse(kept, method, insert_request(kept, [], rows=0, upsert=upsert), 1100)
        refuse(kept, method, insert_request(kept, columns, rows=3, upsert=upsert), 1100)
    twice = good_columns(ids=(5, 5)).values()
    refuse(kept, "Upsert", insert_request(kept, twice, upsert=True), 1100)


# --- Names and schemas -----------------------------------------------------------------------------------------------

def create_request(name, *fields, schema_name=None):
    schema = schema_pb2.CollectionSchema(name=name if schema_name is None else schema_name, fields=fields)
    return milvus_pb2.CreateCollectionRequest(collection_name=name, schema=schema.SerializeToString())


def field(field_name, kind, **more):
    params = more.pop("params", {})
    made = schema_pb2.FieldSchema(name=field_name, data_type=getattr(schema_pb2, kind), **more)
    for key, value in params.items():
        made.type_params.add(key=key, value=str(value))
    return made


KEY, VECTOR = field("id", "Int64", is_primary_key=True), field("vector", "FloatVector", params={"dim": DIM})
BAD_NAMES = ["", "1abc", "a b", "a-b", "x" * 256, "\u00e4", "$x", "a.b", "a\n"]


@pytest.mark.parametrize("bad", BAD_NAMES)
def test_bad_collection_names_are_refused(kept, refuse, bad):
    refuse(kept, "CreateCollection", create_request(bad, KEY, VECTOR), 1100, bad)
    refuse(kept, "RenameCollection", milvus_pb2.RenameCollectionRequest(oldName=kept, newName=bad), 1100, bad)
    refuse(kept, "DescribeCollection", milvus_pb2.DescribeCollectionRequest(collection_name=bad), 1100, bad)
    refuse(kept, "HasCollection", milvus_pb2.HasCollectionRequest(collection_name=bad), 1100, bad)


@pytest.mark.parametrize("bad", BAD_NAMES + ["and", "json_contains", "NULL", "Timestamp", "RowID", "$meta"])
def test_bad_field_names_are_refused(kept, refuse, bad):
    refuse(kept, "CreateCollection", create_request(kept + "_x", KEY, VECTOR, field(bad, "Int64")), 1701, bad)


@pytest.mark.parametrize("bad", ["", "a b", "-a", "x" * 256, "\u00e4", "$x"])
def test_bad_partition_names_are_refused(kept, refuse, bad):
    for method, kind in (("CreatePartition", milvus_pb2.CreatePartitionRequest),
                         ("DropPartition", milvus_pb2.DropPartitionRequest),
                         ("HasPartition", milvus_pb2.HasPartitionRequest)):
        refuse(kept, method, kind(collection_name=kept, partition_name=bad), 1100, bad)


BAD_SCHEMAS = {
    "no fields": (1100, []),
    "no vector": (1100, [KEY]),
    "no key": (1101, [VECTOR]),
    "two keys": (1100, [KEY, VECTOR, field("other", "Int64", is_primary_key=True)]),
    "a key of a wrong type": (1100, [field("id", "Float", is_primary_key=True), VECTOR]),
    "auto id that is no key": (1100, [KEY, VECTOR, field("other", "Int64", autoID=True)]),
    "a name twice": (1100, [KEY, VECTOR, VECTOR]),
    "no dim": (1100, [KEY, field("vector", "FloatVector")]),
    "dim 1": (1100, [KEY, field("vector", "FloatVector", params={"dim": 1})]),
    "dim 0": (1100, [KEY, field("vector", "FloatVector", params={"dim": 0})]),
    "dim -8": (1100, [KEY, field("vector", "FloatVector", params={"dim": -8})]),
    "dim 32769": (1100, [KEY, field("vector", "FloatVector", params={"dim": 32769})]),
    "dim in words": (65535, [KEY, field("vector", "FloatVector", params={"dim": "eight"})]),
    "no max_length": (1101, [KEY, VECTOR, field("text", "VarChar")]),
    "max_length 0": (1100, [KEY, VECTOR, field("text", "VarChar", params={"max_length": 0})]),
    "max_length 65536": (1100, [KEY, VECTOR, field("text", "VarChar", params={"max_length": 65536})]),
    "no max_capacity": (1101, [KEY, VECTOR, field("list", "Array", element_type=schema_pb2.Int64)]),
    "max_capacity 4097": (1100, [KEY, VECTOR, field("list", "Array", element_type=schema_pb2.Int64,
                                                    params={"max_capacity": 4097})]),
    "an array of arrays": (1100, [KEY, VECTOR, field("list", "Array", element_type=schema_pb2.Array,
                                                     params={"max_capacity": 4})]),
    "type String": (1100, [KEY, VECTOR, field("text", "String", params={"max_length": 5})]),
    "type None": (1100, [KEY, VECTOR, schema_pb2.FieldSchema(name="text")]),
    "a type nobody knows": (1100, [KEY, VECTOR, schema_pb2.FieldSchema(name="text", data_type=77)]),
    "65 fields": (1100, [KEY, VECTOR, *(field(f"f{i}", "Int64") for i in range(63))]),
    "11 vectors": (1100, [KEY, *(field(f"v{i}", "FloatVector", params={"dim": DIM}) for i in range(11))]),
}


@pytest.mark.parametrize("what", list(BAD_SCHEMAS))
def test_bad_schemas_are_refused(kept, refuse, what):
    code, fields = BAD_SCHEMAS[what]
    refuse(kept, "CreateCollection", create_request(kept + "_x", *fields), code)


def test_a_schema_that_is_none_is_refused(kept, refuse):
    request = milvus_pb2.CreateCollectionRequest(collection_name=kept + "_x", schema=b"\xff\xff")
    refuse(kept, "CreateCollection", request, 65535)
    refuse(kept, "CreateCollection", create_request(kept + "_x", KEY, VECTOR, schema_name=kept + "_y"), 1100)


def test_creating_again_succeeds_only_with_the_same_schema(client, call, refuse, name):
    assert call("CreateCollection", create_request(name, KEY, VECTOR)).code == 0
    add_index(client, name, "FLAT")
    client.load_collection(name)
    client.insert(name, [{"id": i, "vector": v} for i, v in enumerate(vectors(3))])
    assert call("CreateCollection", create_request(name, KEY, VECTOR)).code == 0
    for other in ([KEY, field("vector", "FloatVector", params={"dim": DIM + 1})], [KEY, VECTOR, field("more", "Int64")],
                  [field("other", "Int64", is_primary_key=True), VECTOR]):
        refuse(name, "CreateCollection", create_request(name, *other), 1100, name)
    rows = client.query(name, filter="id >= 0", output_fields=["id"], consistency_level="Strong")
    assert [r["id"] for r in rows] == [0, 1, 2]


def test_bad_renames_are_refused(client, kept, refuse):
    def rename(old, new):
        return milvus_pb2.RenameCollectionRequest(oldName=old, newName=new)
    client.create_collection(kept + "_b", dimension=DIM)
    refuse(kept, "RenameCollection", rename(kept, kept), 1100)
    refuse(kept, "RenameCollection", rename(kept, kept + "_b"), 1100)
    refuse(kept, "RenameCollection", rename(MISSING, kept + "_x"), 100, MISSING)
    client.drop_collection(kept + "_b")


# --- What is not there, and partitions -------------------------------------------------------------------------------

WITH_COLLECTION = {
    "DescribeCollection": {}, "LoadCollection": {}, "ReleaseCollection": {}, "ShowPartitions": {},
    "GetCollectionStatistics": {}, "CreatePartition": {"partition_name": "p"}, "DropPartition": {"partition_name": "p"},
    "HasPartition": {"partition_name": "p"}, "GetPartitionStatistics": {"partition_name": "p"},
    "LoadPartitions": {"partition_names": ["p"]}, "ReleasePartitions": {"partition_names": ["p"]},
    "CreateIndex": {"field_name": "vector"}, "DescribeIndex": {}, "DropIndex": {"field_name": "vector"},
    "GetIndexState": {}, "GetIndexBuildProgress": {}, "GetIndexStatistics": {}, "GetLoadingProgress": {},
    "Query": {"expr": "id > 0"}, "Delete": {"expr": "id in [1]"},
}


@pytest.mark.parametrize("method", list(WITH_COLLECTION))
def test_an_unknown_collection_has_its_code(kept, refuse, method):
    request = getattr(milvus_pb2, method + "Request")(collection_name=MISSING, **WITH_COLLECTION[method])
    refuse(kept, method, request, 100, MISSING)


def test_an_unknown_collection_has_its_code_where_the_request_differs(kept, call, client, refuse):
    refuse(kept, "Search", search_request(MISSING, QUERY), 100, MISSING)
    refuse(kept, "Flush", milvus_pb2.FlushRequest(collection_names=[MISSING]), 100, MISSING)
    # These ask whether something is there, so that it is not is an answer.
    assert client.has_collection(MISSING) is False
    state = call("GetLoadState", milvus_pb2.GetLoadStateRequest(collection_name=MISSING))
    assert state.status.code == 0 and state.state == common_pb2.LoadState.LoadStateNotExist
    assert call("DropCollection", milvus_pb2.DropCollectionRequest(collection_name=MISSING)).code == 0


def test_an_unknown_database_has_its_code(kept, refuse):
    describe = milvus_pb2.DescribeCollectionRequest(collection_name=kept, db_name="nowhere")
    refuse(kept, "DescribeCollection", describe, 800, "nowhere")
    query = query_request(kept)
    query.db_name = "nowhere"
    refuse(kept, "Query", query, 800, "nowhere")


def test_an_unknown_partition_has_its_code(kept, call, refuse):
    names = {"collection_name": kept, "partition_names": ["_default", "nowhere"]}
    refuse(kept, "Search", search_request(kept, QUERY, partitions=["nowhere"]), 1100, "nowhere")
    refuse(kept, "Query", query_request(kept, partitions=["nowhere"]), 1100, "nowhere")
    refuse(kept, "LoadPartitions", milvus_pb2.LoadPartitionsRequest(**names), 200, "nowhere")
    refuse(kept, "ReleasePartitions", milvus_pb2.ReleasePartitionsRequest(**names), 200, "nowhere")
    name = {"collection_name": kept, "partition_name": "nowhere"}
    refuse(kept, "Delete", milvus_pb2.DeleteRequest(**name, expr="id in [1]"), 200, "nowhere")
    refuse(kept, "GetPartitionStatistics", milvus_pb2.GetPartitionStatisticsRequest(**name), 200, "nowhere")
    assert call("HasPartition", milvus_pb2.HasPartitionRequest(**name)).value is False
    assert call("DropPartition", milvus_pb2.DropPartitionRequest(**name)).code == 0


def test_a_loaded_partition_is_not_dropped(client, own, refuse):
    client.create_partition(own, "loaded")
    client.load_partitions(own, ["loaded"])
    refuse(own, "DropPartition", milvus_pb2.DropPartitionRequest(collection_name=own, partition_name="loaded"), 1100)


def test_bad_partition_changes_are_refused(kept, refuse):
    drop = milvus_pb2.DropPartitionRequest(collection_name=kept, partition_name="_default")
    refuse(kept, "DropPartition", drop, 1100, "default")
    refuse(kept, "LoadPartitions", milvus_pb2.LoadPartitionsRequest(collection_name=kept), 1100)
    refuse(kept, "ReleasePartitions", milvus_pb2.ReleasePartitionsRequest(collection_name=kept), 1100)


# --- Search, query, delete -------------------------------------------------------------------------------------------

BAD_SEARCHES = {
    "topk 0": (1100, {"topk": "0"}),
    "topk -1": (1100, {"topk": "-1"}),
    "topk 16385": (1100, {"topk": "16385"}),
    "topk 20000": (1100, {"topk": "20000"}),
    "topk beyond 64 bits": (1100, {"topk": "99999999999999999999"}),
    "topk in words": (1100, {"topk": "three"}),
    "no topk": (1101, {"topk": None}),
    "offset -1": (1100, {"offset": "-1"}),
    "offset 16385": (1100, {"offset": "16385"}),
    "offset and topk together beyond the limit": (1100, {"topk": "10", "offset": "16375"}),
    "an unknown vector field": (1700, {"anns_field": "nowhere"}),
    "a field that is no vector": (1100, {"anns_field": "tiny"}),
    "another metric than the index": (1100, {"metric_type": "COSINE"}),
    "a metric nobody knows": (1100, {"metric_type": "MILES"}),
    "params that are no JSON": (1100, {"params": "{"}),
    "params that are a list": (1100, {"params": "[]"}),
    "round_decimal 7": (1100, {"round_decimal": "7"}),
    "ignore_growing in words": (1100, {"ignore_growing": "perhaps"}),
    "range_filter without radius": (1100, {"params": '{"range_filter": 1}'}),
    "another collection's id": (1100, {"collection_id": "1"}),
}


@pytest.mark.parametrize("what", list(BAD_SEARCHES))
def test_bad_search_parameters_are_refused(kept, refuse, what):
    code, params = BAD_SEARCHES[what]
    refuse(kept, "Search", search_request(kept, QUERY, **params), code)


def test_the_limits_of_a_search_are_inside(kept, call):
    for params in ({"topk": "16384"}, {"topk": "1", "offset": "16383"}):
        assert call("Search", search_request(kept, QUERY, **params)).status.code == 0


@pytest.mark.parametrize("what, vector", [("wrong dim", [0.5] * (DIM + 1)), ("a shorter dim", [0.5]), ("nothing", []),
                                          ("NaN", [math.nan] * DIM), ("infinity", [math.inf] * DIM)])
def test_bad_query_vectors_are_refused(kept, refuse, what, vector):
    refuse(kept, "Search", search_request(kept, [vector]), 1100)
    refuse(kept, "Search", search_request(kept, [QUERY[0], vector]), 1100)


@pytest.mark.parametrize("blob", [b"", b"\xff" * 40, b"\x0a\x05ab", b"\x0a\x00"])
def test_bad_query_bytes_are_refused(kept, refuse, blob):
    refuse(kept, "Search", search_request(kept, QUERY, queries=blob), 1100)


@pytest.mark.parametrize("nq", [-1, 16385, 2 ** 32 + 1, -2 ** 63])
def test_a_number_of_queries_beyond_the_limit_is_refused_whatever_there_is(kept, refuse, nq):
    refuse(kept, "Search", search_request(kept, QUERY, nq=nq), 1100, str(nq))


@pytest.mark.parametrize("nq", [0, 1, 2, 3, 16384])
def test_the_queries_that_there_are_are_answered(kept, call, nq):
    answer = call("Search", search_request(kept, QUERY * 3, nq=nq)).results
    assert answer.num_queries == 3 and len(answer.topks) == 3


def test_more_queries_than_the_limit_are_refused(kept, refuse):
    refuse(kept, "Search", search_request(kept, [[0.0] * DIM] * 16385), 1100)


def test_unknown_output_fields_are_refused(kept, refuse):
    refuse(kept, "Search", search_request(kept, QUERY, output=["nowhere"]), 1100, "nowhere")
    refuse(kept, "Query", query_request(kept, output=["nowhere"]), 1100, "nowhere")


BAD_FILTERS = ["id >", "id == ", "(id > 1", "id > 1)", "unknown > 1", "id > 'a'", "id in 5", "id in [1, 'a']", "like",
               "id == 1 1", "name like 5", "id === 1", "@", "tiny + 1", "'unclosed", "(" * 3000, "id == 1 and", "not",
               "vector == 1", "id == {x}", "json_contains(doc)", "\0", "id == 9" + "9" * 40,
               "id == 1 && && id == 2", "[1, 2]", "id[0] == 1", "true or"]


@pytest.mark.parametrize("text", BAD_FILTERS, ids=[f[:20] for f in BAD_FILTERS])
def test_malformed_filters_are_refused(kept, refuse, text):
    refuse(kept, "Query", query_request(kept, text), 1100)
    refuse(kept, "Search", search_request(kept, QUERY, filter_text=text), 1100)
    refuse(kept, "Delete", milvus_pb2.DeleteRequest(collection_name=kept, expr=text), 1100)


def test_an_unknown_function_in_a_filter_has_the_code_of_the_engine(kept, refuse):
    refuse(kept, "Query", query_request(kept, "nofunction(id)"), 2000, "segcoreCode=2028")


def test_bad_queries_are_refused(kept, refuse):
    refuse(kept, "Query", query_request(kept, ""), 1100)
    refuse(kept, "Query", query_request(kept, limit="0"), 1100)
    refuse(kept, "Query", query_request(kept, limit="20000"), 1100)
    refuse(kept, "Query", query_request(kept, limit="many"), 1100)
    refuse(kept, "Query", query_request(kept, limit="10", offset="-1"), 1100)
    refuse(kept, "Query", query_request(kept, limit="10", offset="16375"), 1100)
    refuse(kept, "Query", query_request(kept, limit=str(2**63 - 1), offset="1"), 1100)
    refuse(kept, "Query", query_request(kept, output=["count(*)"], limit="1"), 1100)
    refuse(kept, "Query", query_request(kept, output=["count(*)", "id"]), 1100)


def test_a_delete_of_everything_is_refused(kept, refuse):
    refuse(kept, "Delete", milvus_pb2.DeleteRequest(collection_name=kept, expr=""), 1100)


def test_an_unloaded_collection_has_its_code(client, call, own):
    client.release_collection(own)
    for method, request in (("Search", search_request(own, QUERY)), ("Query", query_request(own)),
                            ("Delete", milvus_pb2.DeleteRequest(collection_name=own, expr="tiny == 127")),
                            ("GetLoadingProgress", milvus_pb2.GetLoadingProgressRequest(collection_name=own))):
        status = status_of(call(method, request))
        assert status.code == 101 and not status.retriable, (method, status)
    # By key it works without a load.
    assert call("Delete", milvus_pb2.DeleteRequest(collection_name=own, expr="id in [2]")).delete_cnt == 1
    client.load_collection(own)
    assert [r["id"] for r in client.query(own, filter="id > 0", consistency_level="Strong")] == [1]


# --- Indexes ---------------------------------------------------------------------------------------------------------

@pytest.fixture
def bare(client, name):
    """A collection with one row and no index."""
    client.create_collection(name, schema=schema_of(client))
    return name


def test_a_missing_index_has_its_code(client, call, bare):
    assert status_of(call("Insert", insert_request(bare, good_columns().values()))).code == 0
    for method in ("LoadCollection", "DescribeIndex", "GetIndexState", "GetIndexBuildProgress"):
        request = getattr(milvus_pb2, method + "Request")(collection_name=bare)
        status = status_of(call(method, request))
        assert status.code == 700 and status.error_code == 25, (method, status)
    assert status_of(call("Search", search_request(bare, QUERY))).code == 101
    assert call("DropIndex", milvus_pb2.DropIndexRequest(collection_name=bare, field_name="vector")).code == 0
    add_index(client, bare, "FLAT")
    client.load_collection(bare)
    assert list(call("Search", search_request(bare, QUERY)).results.topks) == [2]


@pytest.mark.parametrize("index, metric, params", [
    ("NO_SUCH_INDEX", "L2", {}), ("HNSW", "NO_SUCH_METRIC", {}), ("HNSW", "L2", {"M": 1}), ("HNSW", "L2", {"M": 5000}),
    ("HNSW", "L2", {"M": "x"}), ("HNSW", "L2", {"efConstruction": "many"}), ("HNSW", "L2", {"efConstruction": 0}),
    ("IVF_FLAT", "L2", {"nlist": 0}), ("IVF_FLAT", "L2", {"nlist": 65537}), ("FLAT", "JACCARD", {}), ("FLAT", None, {}),
    ("AUTOINDEX", "L2", {"M": 16}), ("INVERTED", "L2", {})])
def test_bad_indexes_are_refused(client, call, bare, index, metric, params):
    request = milvus_pb2.CreateIndexRequest(collection_name=bare, field_name="vector")
    for key, value in (("index_type", index), ("metric_type", metric), ("params", json.dumps(params))):
        if value is not None:
            request.extra_params.add(key=key, value=value)
    status = call("CreateIndex", request)
    assert status.code == 1100, status
    assert client.list_indexes(bare) == []


def test_indexes_on_wrong_fields_and_of_wrong_names_are_refused(client, kept, refuse):
    def create(field_name, index_name="", index="FLAT"):
        request = milvus_pb2.CreateIndexRequest(collection_name=kept, field_name=field_name, index_name=index_name)
        for key, value in (("index_type", index), ("metric_type", "L2")):
            request.extra_params.add(key=key, value=value)
        return request
    refuse(kept, "CreateIndex", create("nowhere"), 1100, "nowhere")
    refuse(kept, "CreateIndex", create("tiny"), 1100)
    refuse(kept, "CreateIndex", create("vector", "second"), 1100)
    refuse(kept, "CreateIndex", create("vector", "1 bad"), 1100, "1 bad")
    refuse(kept, "CreateIndex", create("vector", index="HNSW"), 1100)
    refuse(kept, "DropIndex", milvus_pb2.DropIndexRequest(collection_name=kept, index_name="vector"), 1100)


# --- Messages and bytes that are none --------------------------------------------------------------------------------

@contextmanager
def only_refusals():
    """A message that cannot be read is the caller's fault, whether the answer or the transport says so."""
    try:
        yield
    except grpc.RpcError as error:
        assert error.code() in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.INTERNAL), error


@pytest.mark.parametrize("method", ["Insert", "Upsert", "Search", "Query", "CreateCollection", "Delete", "CreateIndex"])
def test_truncated_messages_are_refused(client, call, kept, method):
    requests = {
        "Insert": insert_request(kept, good_columns(ids=(8, 9)).values()),
        "Upsert": insert_request(kept, good_columns(ids=(8, 9)).values(), upsert=True),
        "Search": search_request(kept, QUERY), "Query": query_request(kept),
        "CreateCollection": create_request(kept + "_x", KEY, VECTOR),
        "Delete": milvus_pb2.DeleteRequest(collection_name=kept, expr="id in [1, 2]"),
        "CreateIndex": milvus_pb2.CreateIndexRequest(collection_name=kept, field_name="tiny")}
    before = state(client, kept)
    whole = requests[method].SerializeToString()
    cut = list(range(1, len(whole))) if len(whole) < 150 else random.Random(5).sample(range(1, len(whole)), 150)
    for end in cut:
        with only_refusals():
            # Cut between two fields it is a message, only with too little in it.
            status = status_of(call(method, whole[:end]))
            assert method in ("Search", "Query") or status.code != 0, end
    assert state(client, kept) == before


@pytest.mark.parametrize("seed", range(4))
def test_messages_with_flipped_bytes_do_not_stop_the_server(client, call, kept, seed):
    draw = random.Random(seed)
    wholes = [("Search", search_request(kept, QUERY, filter_text="id > 0", output=["*"])),
              ("Query", query_request(kept)),
              ("Insert", insert_request(MISSING, good_columns().values())),
              ("CreateIndex", milvus_pb2.CreateIndexRequest(collection_name=MISSING, field_name="vector"))]
    before = state(client, kept)
    for _ in range(150):
        method, request = draw.choice(wholes)
        bytes_ = bytearray(request.SerializeToString())
        for _ in range(draw.randint(1, 4)):
            bytes_[draw.randrange(len(bytes_))] ^= 1 << draw.randrange(8)
        with only_refusals():
            call(method, bytes(bytes_))
    assert state(client, kept) == before


def test_random_bytes_and_half_messages_on_the_ports_do_not_stop_the_server(server, client, kept):
    draw = random.Random(1)
    before = state(client, kept)
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    for start in (b"", preface, preface + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00", b"GET / HTTP/1.1\r\n",
                  b"GET /healthz HTTP/1.1\r\nHost: " + b"x" * 100000, b"\x16\x03\x01"):
        for length in (0, 1, 100, 10000):
            for port in (server.port, server.management_port):
                with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                    try:
                        connection.sendall(start + draw.randbytes(length))
                    except OSError:
                        pass  # Closed on us, which is an answer.
    assert server.running and state(client, kept) == before


def test_a_message_beyond_the_limit_is_refused(client, call, kept):
    before = state(client, kept)
    with pytest.raises(grpc.RpcError) as caught:
        call("Insert", insert_request(kept, [column("name", "VarChar", ["x" * (64 << 20)])], rows=1))
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert state(client, kept) == before
