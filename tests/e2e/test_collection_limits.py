"""What the properties of a collection let its users do: rates of writes and reads, stored bytes, larger results."""
import time

import pytest
from pymilvus import MilvusException
from pymilvus.grpc_gen import milvus_pb2
from support import DIM, add_index, make, refused, row, vectors
from test_compaction import until
from wire import status_of

RATES = ["collection.insertRate", "collection.deleteRate", "collection.bulkLoadRate"]


def query(call, name):
    return status_of(call("Query", milvus_pb2.QueryRequest(
        collection_name=name, expr="id == 1", output_fields=["id"], use_default_consistency=True))).code


def test_requests_beyond_the_rate_are_told_to_come_again(client, name, call):
    make(client, name, rows=10)
    assert {query(call, name) for _ in range(8)} == {0}
    client.alter_collection_properties(name, {"collection.queryRate.max.qps": "2"})
    codes = [query(call, name) for _ in range(8)]
    assert codes[0] == 0 and codes.count(8) >= 4, codes
    until(lambda: query(call, name) == 0, "a moment later it is let in")
    client.alter_collection_properties(name, {"collection.queryRate.max.qps": "0"})
    assert query(call, name) == 9
    client.drop_collection_properties(name, ["collection.queryRate.max.qps"])
    assert {query(call, name) for _ in range(8)} == {0}


def test_a_writer_that_waits_gets_through(client, name):
    make(client, name, properties={"collection.insertRate.max.mb": "0.01"})
    data = vectors(600)
    begin = time.monotonic()
    for batch in range(3):
        # The SDK comes again by itself.
        client.insert(name, [row(i, data[i]) for i in range(batch * 200, batch * 200 + 200)], timeout=30)
    assert time.monotonic() - begin > 0.5, "30 kB at 10 kB/s"


def test_a_rate_of_nothing_denies(client, name):
    data = make(client, name, rows=10)
    client.alter_collection_properties(name, {"collection.insertRate.max.mb": "0", "collection.deleteRate.max.mb": "0",
                                              "collection.searchRate.max.vps": "0"})
    with refused(9):
        client.insert(name, [row(100, data[0])])
    with refused(9):
        client.delete(name, ids=[1])
    with refused(9):
        client.search(name, [data[0]], limit=1)
    client.drop_collection_properties(name, ["collection.insertRate.max.mb", "collection.deleteRate.max.mb",
                                             "collection.searchRate.max.vps"])
    client.delete(name, ids=[1])
    assert client.search(name, [data[0]], limit=1)[0][0]["id"] == 0


@pytest.mark.parametrize("key", ["collection.diskProtection.diskQuota.mb", "partition.diskProtection.diskQuota.mb"])
def test_a_full_collection_takes_no_rows_and_gives_them(client, name, key):
    data = make(client, name, rows=10)
    client.flush(name)
    client.alter_collection_properties(name, {key: "0"})
    with refused(9, "disk quota"):
        client.insert(name, [row(100, data[0])])
    client.delete(name, ids=[1])
    assert len(client.search(name, [data[0]], limit=20)[0]) == 9
    client.alter_collection_properties(name, {key: "100"})
    client.insert(name, [row(100, data[0])])


def test_limits_are_numbers(client, name):
    make(client, name)
    keys = [f"{rate}.{end}.mb" for rate in RATES for end in ("min", "max")] + [
        "collection.queryRate.max.qps", "collection.queryRate.min.qps", "collection.searchRate.max.vps",
        "collection.searchRate.min.vps", "collection.diskProtection.diskQuota.mb",
        "partition.diskProtection.diskQuota.mb"]
    for key in keys:
        with refused(1100, key):
            client.alter_collection_properties(name, {key: "many"})
        client.alter_collection_properties(name, {key: "1000"})
        assert client.describe_collection(name)["properties"][key] == "1000"
    with refused(1100, keys[0]):
        make(client, name + "_2", properties={keys[0]: "many"})


def test_query_mode_is_altered_before_there_is_an_index(client, name):
    make(client, name, load=False)
    with refused(702):
        client.alter_collection_properties(name, {"query_mode": "large_topk"})
    client.drop_index(name, "vector")
    with refused(1100, "large_topk"):
        client.alter_collection_properties(name, {"query_mode": "huge"})
    client.alter_collection_properties(name, {"query_mode": "large_topk"})
    add_index(client, name, "FLAT")
    client.load_collection(name)
    client.search(name, [[0.0] * DIM], limit=20000)
    client.release_collection(name)
    with refused(702):
        client.drop_collection_properties(name, ["query_mode"])
    client.drop_index(name, "vector")
    client.drop_collection_properties(name, ["query_mode"])
    add_index(client, name, "FLAT")
    client.load_collection(name)
    with refused(1100):
        client.search(name, [[0.0] * DIM], limit=20000)


def test_one_node_is_one_replica(client, name):
    make(client, name)
    client.alter_collection_properties(name, {"collection.replica.number": "1"})
    client.alter_collection_properties(name, {"collection.resource_groups": "__default_resource_group"})
    for properties, code in (({"collection.replica.number": "0"}, 1100), ({"collection.replica.number": "x"}, 1100),
                             ({"collection.replica.number": "2"}, 10), ({"collection.resource_groups": "other"}, 300)):
        with pytest.raises(MilvusException) as caught:
            client.alter_collection_properties(name, properties)
        assert caught.value.code == code, properties


def test_properties_of_a_new_collection_are_checked_as_those_of_an_old_one(client, name):
    cases = [({"allow_insert_auto_id": "true"}, 1100), ({"allow_insert_auto_id": "what"}, 1100),
             ({"collection.autocompaction.enabled": "what"}, 1100), ({"warmup.vectorIndex": "what"}, 1100),
             ({"mmap.enabled": "what"}, 1100), ({"query_mode": "what"}, 1100), ({"timezone": "Moon/Sea"}, 1100),
             ({"namespace.sharding.enabled": "what"}, 1100), ({"disable_func_runtime_check": "what"}, 1100),
             ({"collection.ttl.seconds": "-2"}, 1100), ({"collection.ttl.seconds": "3155760001"}, 1100),
             ({"collection.ttl.seconds": "soon"}, 1100), ({"ttl_field": "name"}, 1100), ({"ttl_field": "no"}, 1100),
             ({"partitionkey.isolation": "true"}, 105)]
    for properties, code in cases:
        with pytest.raises(MilvusException) as caught:
            make(client, name, properties=properties)
        assert caught.value.code == code, (properties, caught.value)
        assert not client.has_collection(name), properties
