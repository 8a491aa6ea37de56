"""Partition keys: rows come to partitions by the hash of their key, filters on it read few of them, isolation keeps
values apart; what such a collection refuses."""
import zlib

import numpy as np
import pytest
from pymilvus import DataType, MilvusClient
from pymilvus.grpc_gen import milvus_pb2, schema_pb2

from server_process import Server
from support import DIM, add_index, count, refused, vectors
from test_compaction import OPTIONS, compact
from wire import query_request, search_request, status_of

ROWS = 400


def murmur3(data):
    """MurmurHash3 x86 32, seed 0, of data whose length is a multiple of four."""
    mask = 0xffffffff
    value = 0
    for at in range(0, len(data), 4):
        k = int.from_bytes(data[at:at + 4], "little") * 0xcc9e2d51 & mask
        value ^= (k << 15 | k >> 17) * 0x1b873593 & mask
        value = ((value << 13 | value >> 19) & mask) * 5 + 0xe6546b64 & mask
    value ^= len(data)
    value = (value ^ value >> 16) * 0x85ebca6b & mask
    value = (value ^ value >> 13) * 0xc2b2ae35 & mask
    return value ^ value >> 16


def partition_of(key, partitions):
    if isinstance(key, int):
        return (murmur3(key.to_bytes(8, "little", signed=True)) & 0x7fffffff) % partitions
    return zlib.crc32(key.encode()[:100]) % partitions


def schema_of(client, key_type=DataType.INT64, **key):
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    more = {"max_length": 128} if key_type == DataType.VARCHAR else {}
    schema.add_field("tenant", key_type, is_partition_key=True, **more, **key)
    schema.add_field("value", DataType.INT64)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM)
    return schema


def make(client, name, key_type=DataType.INT64, index="FLAT", params=None, load=True, **more):
    client.create_collection(name, schema=schema_of(client, key_type), consistency_level="Strong", **more)
    indexes = client.prepare_index_params()
    indexes.add_index("vector", index_type=index, metric_type="L2", params=params or {})
    client.create_index(name, indexes)
    if load:
        client.load_collection(name)


def rows_of(first, rows, tenant=lambda i: i % 20, seed=1):
    data = vectors(rows, seed=seed)
    return [{"id": first + i, "tenant": tenant(first + i), "value": i, "vector": data[i]} for i in range(rows)]


def ids(client, name, text, **more):
    return sorted(r["id"] for r in client.query(name, filter=text, output_fields=["id"], **more))


@pytest.mark.parametrize("key_type,tenant", [(DataType.INT64, lambda i: i * 7919 - 5000),
                                             (DataType.VARCHAR, lambda i: f"tenant {i % 37} é")])
def test_rows_come_to_the_partition_of_their_key(client, name, key_type, tenant):
    make(client, name, key_type, num_partitions=7, num_shards=2)
    assert client.list_partitions(name) == [f"_default_{i}" for i in range(7)]
    assert client.describe_collection(name)["num_partitions"] == 7
    rows = rows_of(0, ROWS, tenant)
    client.insert(name, rows)
    client.flush(name)
    wanted = [0] * 7
    for row in rows:
        wanted[partition_of(row["tenant"], 7)] += 1
    found = [client.get_partition_stats(name, f"_default_{i}")["row_count"] for i in range(7)]
    assert found == wanted
    assert client.get_collection_stats(name)["row_count"] == ROWS


def test_a_collection_with_a_key_tells_of_it_and_has_16_partitions(client, name):
    make(client, name)
    told = client.describe_collection(name)
    assert [f["name"] for f in told["fields"] if f.get("is_partition_key")] == ["tenant"]
    assert told["num_partitions"] == 16
    assert len(client.list_partitions(name)) == 16
    assert client.has_partition(name, "_default_15") and not client.has_partition(name, "_default")
    # The same again is the same collection; another number of partitions is not.
    client.create_collection(name, schema=schema_of(client), consistency_level="Strong")
    with refused(1100):
        client.create_collection(name, schema=schema_of(client), consistency_level="Strong", num_partitions=3)


def both_states(client, name):
    """Some rows sealed, some growing."""
    rows = rows_of(0, ROWS)
    client.insert(name, rows[:ROWS // 2])
    client.flush(name)
    client.insert(name, rows[ROWS // 2:])
    return rows


FILTERS = {
    "tenant == 3": lambda t, v: t == 3,
    "tenant in [3, 4, 99]": lambda t, v: t in (3, 4),
    "tenant == 3 and value > 100": lambda t, v: t == 3 and v > 100,
    "tenant == 3 or tenant == 8": lambda t, v: t in (3, 8),
    "tenant == 3 or value < 10": lambda t, v: t == 3 or v < 10,
    "tenant in [1, 2, 3] and tenant in [3, 4]": lambda t, v: t == 3,
    "tenant == 3 and tenant == 4": lambda t, v: False,
    "not (tenant == 3)": lambda t, v: t != 3,
    "tenant != 3 and tenant < 5": lambda t, v: t < 5 and t != 3,
    "value == 7": lambda t, v: v == 7,
    "(tenant == 1 and value < 50) or (tenant == 2 and value >= 350)":
        lambda t, v: (t == 1 and v < 50) or (t == 2 and v >= 350),
}


def test_filters_on_the_key_find_what_a_scan_finds(client, name):
    make(client, name, num_partitions=5)
    rows = both_states(client, name)
    query = np.zeros(DIM, np.float32)
    for text, passes in FILTERS.items():
        wanted = sorted(r["id"] for r in rows if passes(r["tenant"], r["value"]))
        assert ids(client, name, text) == wanted, text
        hits = client.search(name, [query], filter=text, limit=ROWS)[0]
        assert sorted(hit["id"] for hit in hits) == wanted, text
        assert count(client, name, text) == len(wanted), text
    found = client.query(name, filter="tenant in {keys}", filter_params={"keys": [3, 5]}, output_fields=["tenant"])
    assert {r["tenant"] for r in found} == {3, 5}


def test_an_upsert_moves_a_row_to_the_partition_of_its_new_key(client, name):
    make(client, name, num_partitions=4, num_shards=2)
    rows = both_states(client, name)
    moved = [dict(row, tenant=row["tenant"] + 1000) for row in rows[::2]]
    assert client.upsert(name, moved)["upsert_count"] == len(moved)
    assert count(client, name) == ROWS
    for row in moved[:40]:
        assert ids(client, name, f"tenant == {row['tenant']} and id == {row['id']}") == [row["id"]]
        assert ids(client, name, f"tenant == {row['tenant'] - 1000} and id == {row['id']}") == []
    client.flush(name)
    assert count(client, name) == ROWS
    assert count(client, name, "tenant >= 1000") == len(moved)


def test_deletes_by_key_reach_their_rows_only(client, name):
    make(client, name, num_partitions=4)
    rows = both_states(client, name)
    gone = [r["id"] for r in rows if r["tenant"] == 3]
    assert client.delete(name, filter="tenant == 3")["delete_count"] == len(gone)
    assert client.delete(name, ids=[0, 399])["delete_count"] == 2
    left = sorted(r["id"] for r in rows if r["tenant"] != 3 and r["id"] not in (0, 399))
    assert ids(client, name, "id >= 0") == left
    client.delete(name, filter="tenant in [4, 5] and value < 200")
    left = [r["id"] for r in rows if r["id"] in left and not (r["tenant"] in (4, 5) and r["value"] < 200)]
    assert ids(client, name, "id >= 0") == left


def test_what_has_a_key_refuses_partitions_by_name(client, name, call):
    make(client, name)
    client.insert(name, rows_of(0, 10))
    row = rows_of(100, 1)
    for act in (lambda: client.insert(name, row, partition_name="_default_1"),
                lambda: client.upsert(name, row, partition_name="_default_1"),
                lambda: client.delete(name, filter="id == 1", partition_name="_default_1"),
                lambda: client.create_partition(name, "mine"),
                lambda: client.drop_partition(name, "_default_1"),
                lambda: client.load_partitions(name, ["_default_1"]),
                lambda: client.release_partitions(name, ["_default_1"])):
        with refused(1100, "partition key"):
            act()
    answer = call("Search", search_request(name, vectors(1), partitions=["_default_1"]))
    assert status_of(answer).code == 1100
    answer = call("Query", query_request(name, partitions=["_default_1"]))
    assert status_of(answer).code == 1100
    assert count(client, name) == 10


def test_keys_that_cannot_be_are_refused(client, name, call):
    def created(schema, **more):
        client.create_collection(name, schema=schema, **more)

    def told(*keys):
        """What the server says of a collection with these fields besides id and vector."""
        schema = schema_pb2.CollectionSchema(name=name)
        schema.fields.add(name="id", data_type=schema_pb2.Int64, is_primary_key=True)
        schema.fields.add(name="vector", data_type=schema_pb2.FloatVector).type_params.add(key="dim", value="4")
        for at, key in enumerate(keys):
            schema.fields.add(name=f"tenant{at}", is_partition_key=True, **key)
        return status_of(call("CreateCollection", milvus_pb2.CreateCollectionRequest(
            collection_name=name, schema=schema.SerializeToString())))

    number = {"data_type": schema_pb2.Int64}
    refusals = [told({"data_type": kind}) for kind in (schema_pb2.Float, schema_pb2.JSON, schema_pb2.Bool,
                                                       schema_pb2.Int32)]
    refusals += [told(dict(number, nullable=True)), told(number, number)]
    for status in refusals:
        assert status.code == 1100 and "partition key" in status.reason, status
    for wrong in (-1, 1025, 100000):
        with pytest.raises(Exception, match="(?i)partition"):
            created(schema_of(client), num_partitions=wrong)
    plain = client.create_schema(auto_id=False)
    plain.add_field("id", DataType.INT64, is_primary=True)
    plain.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM)
    with refused(1100, "num_partitions"):
        created(plain, num_partitions=4)
    with refused(105, "partition key"):
        created(plain, properties={"partitionkey.isolation": "true"})
    assert not client.has_collection(name)


def test_a_key_with_a_default_is_filled_before_it_is_routed(client, name):
    client.create_collection(name, schema=schema_of(client, default_value=77), consistency_level="Strong",
                             num_partitions=3)
    add_index(client, name, "FLAT")
    client.load_collection(name)
    client.insert(name, [{key: value for key, value in row.items() if key != "tenant"} for row in rows_of(0, 20)])
    assert count(client, name, "tenant == 77") == 20
    client.flush(name)
    assert client.get_partition_stats(name, f"_default_{partition_of(77, 3)}")["row_count"] == 20


@pytest.fixture
def tidy(binary, tmp_path):
    with Server(binary, str(tmp_path / "data"), arguments=OPTIONS) as running:
        yield running


def test_restart_and_compaction_keep_rows_in_their_partitions(tidy):
    client = MilvusClient(uri=tidy.uri)
    make(client, "c", num_partitions=4)
    rows = rows_of(0, ROWS)
    for part in range(4):
        client.insert("c", rows[part * 100:(part + 1) * 100])
        client.flush("c")
    client.delete("c", filter="tenant == 5")
    client.insert("c", rows_of(1000, 40))
    wanted = sorted([r["id"] for r in rows if r["tenant"] != 5] + list(range(1000, 1040)))
    for _ in range(2):
        assert ids(client, "c", "id >= 0") == wanted
        for tenant in range(20):
            expected = [i for i in wanted if i % 20 == tenant]
            assert ids(client, "c", f"tenant == {tenant}") == expected
        client.close()
        tidy.kill()
        tidy.start()
        client = MilvusClient(uri=tidy.uri)
        client.flush("c")
        compact(client, "c")
        client.load_collection("c")
    client.close()


def isolated(client, name, index="HNSW", rows=6000, tenants=3, **more):
    params = {"M": 16, "efConstruction": 100} if index == "HNSW" else {}
    make(client, name, num_partitions=2, index=index, params=params, properties={"partitionkey.isolation": "true"},
         **more)
    data = rows_of(0, rows, lambda i: i % tenants)
    for first in range(0, rows, 2000):
        client.insert(name, data[first:first + 2000])
    return data


def nearest(rows, query, limit):
    found = sorted(rows, key=lambda r: (float(((r["vector"] - query) ** 2).sum()), r["id"]))
    return [r["id"] for r in found[:limit]]


@pytest.mark.parametrize("index", ["HNSW", "FLAT", "IVF_FLAT"])
def test_isolation_finds_the_nearest_of_one_value(client, name, index):
    rows = isolated(client, name, index)
    client.flush(name)
    fresh = rows_of(10000, 50, lambda i: i % 3, seed=5)
    client.insert(name, fresh)
    client.load_collection(name)
    for _ in range(2):
        good = 0
        for q, query in enumerate(vectors(10, seed=9)):
            tenant = q % 3
            hits = client.search(name, [query], filter=f"tenant == {tenant}", limit=10,
                                 search_params={"params": {"ef": 128, "nprobe": 128}}, output_fields=["tenant"])[0]
            assert all(hit["entity"]["tenant"] == tenant for hit in hits) and len(hits) == 10
            wanted = nearest([r for r in rows + fresh if r["tenant"] == tenant], query, 10)
            good += len(set(wanted) & {hit["id"] for hit in hits})
        assert good >= 95
        assert count(client, name) == 6050
        client.release_collection(name)
        client.load_collection(name)


def test_isolation_asks_for_exactly_one_value(client, name):
    isolated(client, name, "HNSW", rows=30)
    query = [np.zeros(DIM, np.float32)]
    for text in ("tenant == 1", "tenant == 1 and value > 3", "value > 3 and (id < 20 and tenant == 1)"):
        assert client.search(name, query, filter=text, limit=5)[0]
    for text in ("", "value > 3", "tenant in [1, 2]", "tenant > 1", "tenant == 1 or value > 3", "not (tenant == 1)",
                 "tenant != 1", "tenant == 1 and tenant == 2", "tenant == 1 and tenant > 0"):
        with refused(1100, "isolation"):
            client.search(name, query, filter=text, limit=5)
    # A query is not a search.
    assert count(client, name) == 30
    assert len(ids(client, name, "tenant in [0, 1]")) == 20


def test_isolation_changes_only_without_a_vector_index(client, name):
    make(client, name, load=False)
    with refused(702):
        client.alter_collection_properties(name, {"partitionkey.isolation": "true"})
    client.drop_index(name, "vector")
    client.alter_collection_properties(name, {"partitionkey.isolation": "true"})
    assert client.describe_collection(name)["properties"]["partitionkey.isolation"] == "true"
    with refused(1100):
        client.alter_collection_properties(name, {"partitionkey.isolation": "perhaps"})


def test_compaction_of_an_isolated_collection_keeps_values_apart(tidy):
    client = MilvusClient(uri=tidy.uri)
    rows = isolated(client, "c", rows=4000, tenants=2)
    client.flush("c")
    client.delete("c", filter="id < 1000")
    client.flush("c")
    compact(client, "c")
    client.load_collection("c")
    left = [r for r in rows if r["id"] >= 1000]
    for query in vectors(5, seed=3):
        hits = client.search("c", [query], filter="tenant == 1", limit=10, search_params={"params": {"ef": 128}})[0]
        wanted = nearest([r for r in left if r["tenant"] == 1], query, 10)
        assert len(set(wanted) & {hit["id"] for hit in hits}) >= 9
    client.close()


def test_a_server_can_ask_for_a_key(binary, tmp_path):
    with Server(binary, str(tmp_path / "data"), arguments=["--set", "proxy.mustUsePartitionKey=true"]) as running:
        client = MilvusClient(uri=running.uri)
        plain = client.create_schema(auto_id=False)
        plain.add_field("id", DataType.INT64, is_primary=True)
        plain.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM)
        with refused(1101, "partition key"):
            client.create_collection("c", schema=plain)
        make(client, "c")
        assert count(client, "c") == 0
        client.close()
