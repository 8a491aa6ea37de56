"""Bad input to every call: a clear error with its code, nothing stored, and the server goes on."""
import math

import grpc
import pytest
from pymilvus import DataType, MilvusClient
from pymilvus.grpc_gen import milvus_pb2, schema_pb2

from support import DIM, count, make, refused, row, vectors

SERVICE = "/milvus.proto.milvus.MilvusService/"


@pytest.fixture
def stub(server):
    """Calls the server without the checks of the SDK."""
    with grpc.insecure_channel(server.address) as channel:
        def call(method, request, answer=None):
            encode = request if isinstance(request, bytes) else request.SerializeToString()
            decode = answer.FromString if answer else (lambda b: b)
            return channel.unary_unary(SERVICE + method, request_serializer=lambda b: b,
                                       response_deserializer=decode)(encode, timeout=10)
        yield call


def column(field, kind, values, dim=0):
    data = schema_pb2.FieldData(field_name=field, type=kind)
    if dim:
        data.vectors.dim = dim
        data.vectors.float_vector.data.extend(values)
    elif kind == schema_pb2.Int64:
        data.scalars.long_data.data.extend(values)
    elif kind == schema_pb2.VarChar:
        data.scalars.string_data.data.extend(values)
    else:
        data.scalars.float_data.data.extend(values)
    return data


def insert(stub, name, *columns, rows=2):
    request = milvus_pb2.InsertRequest(collection_name=name, fields_data=columns, num_rows=rows)
    return stub("Insert", request, milvus_pb2.MutationResult).status


def good_columns(dim=DIM):
    return {"id": column("id", schema_pb2.Int64, [1, 2]), "group": column("group", schema_pb2.Int64, [1, 2]),
            "name": column("name", schema_pb2.VarChar, ["a", "b"]),
            "vector": column("vector", schema_pb2.FloatVector, [0.5] * (2 * dim), dim)}


BAD_COLUMNS = {
    "a vector of the wrong dim": {"vector": column("vector", schema_pb2.FloatVector, [0.5] * 6, 3)},
    "too few numbers for the dim": {"vector": column("vector", schema_pb2.FloatVector, [0.5] * (DIM + 3), DIM)},
    "the wrong type": {"group": column("group", schema_pb2.VarChar, ["x", "y"])},
    "NaN in a vector": {"vector": column("vector", schema_pb2.FloatVector, [math.nan] * (2 * DIM), DIM)},
    "infinity in a vector": {"vector": column("vector", schema_pb2.FloatVector, [math.inf] * (2 * DIM), DIM)},
    "a missing field": {"name": None},
    "an unknown field": {"more": column("more", schema_pb2.Int64, [1, 2])},
    "unequal row counts": {"group": column("group", schema_pb2.Int64, [1, 2, 3])},
    "a text that is too long": {"name": column("name", schema_pb2.VarChar, ["x" * 65, "y"])},
    "no primary key": {"id": None},
}


@pytest.mark.parametrize("what", list(BAD_COLUMNS))
def test_bad_columns_are_refused_and_nothing_is_stored(client, name, stub, what):
    make(client, name)
    columns = {**good_columns(), **BAD_COLUMNS[what]}
    status = insert(stub, name, *(c for c in columns.values() if c is not None))
    assert status.code == 1100 and status.reason
    assert count(client, name) == 0
    assert insert(stub, name, *good_columns().values()).code == 0
    assert count(client, name) == 2


def test_no_rows_are_refused(client, name, stub):
    make(client, name)
    assert insert(stub, name, rows=0).code == 1100


def test_unknown_collections_have_their_code(client, stub):
    missing = "no_such_collection"
    for call in (lambda: client.describe_collection(missing), lambda: client.load_collection(missing),
                 lambda: client.list_partitions(missing), lambda: client.get_collection_stats(missing),
                 lambda: client.search(missing, [[0.0] * DIM], limit=1), lambda: client.query(missing, filter="id > 0"),
                 lambda: client.flush(missing), lambda: client.create_partition(missing, "p")):
        with refused(100):
            call()
    assert insert(stub, missing, *good_columns().values()).code == 100
    assert client.has_collection(missing) is False
    client.drop_collection(missing)  # Dropping what is not there succeeds.


@pytest.mark.parametrize("bad", ["1abc", "a b", "a-b", "x" * 256, "ä", "$x"])
def test_bad_collection_names_are_refused(client, bad):
    with refused(1100, 1):
        client.create_collection(bad, dimension=DIM)
    assert bad not in client.list_collections()


@pytest.mark.parametrize("bad", ["1a", "a b", "and", "json_contains"])
def test_bad_field_names_are_refused(client, name, bad):
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field(bad, DataType.INT64)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM)
    with refused(1701):
        client.create_collection(name, schema=schema)
    assert not client.has_collection(name)


@pytest.mark.parametrize("dim", [0, 1, 32769])
def test_bad_dims_are_refused(client, name, dim):
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dim)
    with refused(1100, 65535, 1):
        client.create_collection(name, schema=schema)
    assert not client.has_collection(name)


@pytest.mark.parametrize("text", ["id >", "id == ", "(id > 1", "unknown > 1", "id > 'a'", "id in 5", "like", "id == 1 1",
                                  "name like 5", "id === 1", "@", "group + 1", "'unclosed", "(" * 3000])
def test_malformed_filters_are_refused(client, name, text):
    make(client, name, rows=10)
    with refused(1100):
        client.query(name, filter=text, output_fields=["id"])
    with refused(1100):
        client.search(name, [vectors(1)[0]], limit=1, filter=text)
    with refused(1100):
        client.delete(name, filter=text)
    assert count(client, name) == 10


def test_bad_searches_are_refused(client, name):
    data = make(client, name, rows=10, index="HNSW", params={"M": 8, "efConstruction": 50})
    with refused(1100, 2000, 65535):
        client.search(name, [[0.0] * (DIM + 1)], limit=1)
    with refused(1100, 1):
        client.search(name, [data[0]], limit=0)
    with refused(1100):
        client.search(name, [data[0]], limit=16385)
    with refused(1100):
        client.search(name, [data[0]], limit=10, search_params={"offset": 16384})
    with refused(1100, 1700):
        client.search(name, [data[0]], limit=1, output_fields=["no_such_field"])
    with refused(1100, 2000, 65535):
        client.search(name, [data[0]], limit=1, search_params={"metric_type": "COSINE"})
    with refused(1100):
        client.search(name, [data[0]], limit=1, partition_names=["nowhere"])
    with refused(1100, 1700, 65535):
        client.search(name, [data[0]], limit=1, anns_field="group")


def test_an_unloaded_collection_has_its_code(client, name):
    make(client, name, rows=10, load=False)
    with refused(101):
        client.search(name, [vectors(1)[0]], limit=1)
    with refused(101):
        client.query(name, filter="id > 0")


def test_a_missing_index_has_its_code(client, name, stub):
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM)
    client.create_collection(name, schema=schema)
    request = milvus_pb2.DescribeIndexRequest(collection_name=name, field_name="vector")
    assert stub("DescribeIndex", request, milvus_pb2.DescribeIndexResponse).status.code == 700
    with refused(700):
        client.load_collection(name)


@pytest.mark.parametrize("index, metric, params", [
    ("NO_SUCH_INDEX", "L2", {}), ("HNSW", "NO_SUCH_METRIC", {}), ("HNSW", "L2", {"M": 1}),
    ("HNSW", "L2", {"M": 5000}), ("HNSW", "L2", {"efConstruction": "many"}), ("IVF_FLAT", "L2", {"nlist": 0}),
    ("FLAT", "JACCARD", {})])
def test_bad_indexes_are_refused(client, name, index, metric, params):
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM)
    client.create_collection(name, schema=schema)
    indexes = client.prepare_index_params()
    indexes.add_index("vector", index_type=index, metric_type=metric, params=params)
    with refused(1100):
        client.create_index(name, indexes)
    assert client.list_indexes(name) == []


def test_bad_partitions_and_renames_are_refused(client, name):
    make(client, name)
    with refused(1100):
        client.create_partition(name, "a b")
    with refused(200, 1100):
        client.insert(name, [row(1, vectors(1)[0])], partition_name="nowhere")
    with refused(1100):
        client.drop_partition(name, "_default")
    with refused(1100):
        client.rename_collection(name, "1 bad")
    with refused(100):
        client.rename_collection("no_such_collection", name + "_x")
    with refused(1100):
        client.rename_collection(name, name)


def test_a_different_collection_of_the_same_name_is_refused(client, name):
    make(client, name, rows=5)
    with refused(1100, 1):
        schema = client.create_schema()
        schema.add_field("other", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM)
        client.create_collection(name, schema=schema)
    assert count(client, name) == 5


def test_an_unbuilt_method_says_so_with_its_name(stub):
    with pytest.raises(grpc.RpcError) as caught:
        stub("NoSuchMethodAnywhere", b"")
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED
    assert "NoSuchMethodAnywhere" in caught.value.details()


@pytest.mark.parametrize("method", ["Insert", "Search", "Query", "CreateCollection", "DescribeCollection", "Delete"])
def test_truncated_messages_are_refused(client, name, stub, method):
    make(client, name)
    whole = milvus_pb2.InsertRequest(collection_name=name, fields_data=good_columns().values(), num_rows=2).SerializeToString()
    for end in range(1, len(whole), 7):
        try:
            stub(method, whole[:end])  # A message may be cut where it is still valid; then it is judged as such.
        except grpc.RpcError as error:
            assert error.code() in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.INTERNAL,
                                    grpc.StatusCode.UNIMPLEMENTED), error
    assert count(client, name) == 0


def test_bad_search_bytes_are_refused(client, name, stub):
    make(client, name, rows=5)
    for blob in (b"", b"\xff" * 40, b"\x0a\x05ab"):
        request = milvus_pb2.SearchRequest(collection_name=name, placeholder_group=blob, nq=1)
        for key, value in (("anns_field", "vector"), ("topk", "3"), ("params", "{}"), ("metric_type", "L2")):
            request.search_params.add(key=key, value=value)
        assert stub("Search", request, milvus_pb2.SearchResults).status.code != 0
    assert count(client, name) == 5
