"""What is promised of loads, releases, ages of rows and statistics, statement by statement: a line each."""
import time

import pytest
from pymilvus import DataType
from pymilvus.grpc_gen import common_pb2, milvus_pb2
from support import add_index, count, make, refused, row, vectors
from wire import status_of

STATE = common_pb2.LoadState
DEFAULT = "__default_resource_group"


def load(call, name, partitions=(), **more):
    if partitions:
        return status_of(call("LoadPartitions", milvus_pb2.LoadPartitionsRequest(
            collection_name=name, partition_names=partitions, **more))).code
    return status_of(call("LoadCollection", milvus_pb2.LoadCollectionRequest(collection_name=name, **more))).code


def release(call, name, partitions=()):
    if partitions:
        return status_of(call("ReleasePartitions", milvus_pb2.ReleasePartitionsRequest(
            collection_name=name, partition_names=partitions))).code
    return status_of(call("ReleaseCollection", milvus_pb2.ReleaseCollectionRequest(collection_name=name))).code


def state(call, name, *partitions):
    answer = call("GetLoadState", milvus_pb2.GetLoadStateRequest(collection_name=name, partition_names=partitions))
    return answer.status.code or answer.state


def progress(call, name, *partitions):
    answer = call("GetLoadingProgress", milvus_pb2.GetLoadingProgressRequest(collection_name=name, partition_names=partitions))
    return answer.status.code or (answer.progress, answer.refresh_progress)


def until_loaded(call, name, *partitions):
    end = time.monotonic() + 20
    while state(call, name, *partitions) != STATE.LoadStateLoaded:
        assert time.monotonic() < end
        time.sleep(0.02)


# (what is asked for, the code while it is not loaded, the code while it is)
PLACES = [({}, 0, 0),
          ({"replica_number": 1}, 0, 0),
          ({"replica_number": 2}, 12, 304),
          ({"resource_groups": [DEFAULT]}, 0, 0),
          ({"resource_groups": ["other"]}, 300, 300),
          ({"resource_groups": ["other"], "replica_number": 2}, 12, 300),
          ({"resource_groups": [DEFAULT, DEFAULT]}, 1100, 1100),
          ({"resource_groups": [DEFAULT, DEFAULT], "replica_number": 3}, 1100, 1100),
          ({"resource_groups": [DEFAULT, DEFAULT], "replica_number": 2}, 12, 304),
          ({"refresh": True}, 101, 0),
          ({"load_params": {"load_priority": "low"}}, 0, 0)]


@pytest.mark.parametrize("place, before, after", PLACES, ids=[str(place) for place, *_ in PLACES])
def test_a_load_names_what_there_is_of_nodes(client, call, name, place, before, after):
    make(client, name, rows=10, load=False)
    assert load(call, name, **place) == before
    if before:
        assert state(call, name) == STATE.LoadStateNotLoad, "what was refused has done nothing"
    client.load_collection(name)
    until_loaded(call, name)
    assert load(call, name, **place) == after
    assert state(call, name) == STATE.LoadStateLoaded and count(client, name) == 10


def test_a_load_of_partitions_does_not_change_the_replicas(client, call, name):
    make(client, name, rows=10, load=False)
    assert load(call, name, ["_default"], replica_number=2) == 12
    assert load(call, name, ["_default"], refresh=True) == 101
    assert load(call, name, ["_default"]) == 0
    until_loaded(call, name, "_default")
    assert load(call, name, ["_default"], replica_number=2) == 1100
    assert load(call, name, ["_default"], resource_groups=["other"]) == 300
    assert load(call, name, ["_default"], refresh=True) == 0


def test_states_and_progress_of_what_is_there_in_parts(client, call, name):
    assert state(call, "nobody") == STATE.LoadStateNotExist and progress(call, "nobody") == 100
    make(client, name, rows=10, load=False)
    for partition in ("a", "b"):
        client.create_partition(name, partition)
        client.insert(name, [row({"a": 20, "b": 30}[partition], vectors(1)[0])], partition_name=partition)
    assert state(call, name) == STATE.LoadStateNotLoad and progress(call, name) == 101
    assert load(call, name, ["a"]) == 0
    until_loaded(call, name, "a")
    assert state(call, name, "a", "b") == STATE.LoadStateNotLoad, "one of them is not"
    assert progress(call, name, "a") == (100, 100) and progress(call, name, "a", "b") == 201
    assert state(call, name, "nobody") == 200 and progress(call, name, "nobody") == 200
    assert count(client, name) == 1, "what is loaded is read when no partition is named"
    assert load(call, name) == 0  # From a part to all of it.
    until_loaded(call, name, "a", "b")
    assert count(client, name) == 12
    client.create_partition(name, "new")  # Of a loaded collection: loaded with it.
    client.insert(name, [row(40, vectors(1)[0])], partition_name="new")
    assert count(client, name) == 13 and state(call, name, "new") == STATE.LoadStateLoaded


def test_the_last_partition_that_is_released_releases_the_collection(client, call, name):
    make(client, name, rows=10, load=False)
    client.create_partition(name, "a")
    assert release(call, name) == 0, "it is not loaded"
    assert load(call, name, ["a", "_default"]) == 0
    until_loaded(call, name)
    assert release(call, name, ["a"]) == 0 and release(call, name, ["a"]) == 0
    assert state(call, name) == STATE.LoadStateLoaded and count(client, name) == 10
    assert release(call, name, ["_default"]) == 0
    assert state(call, name) == STATE.LoadStateNotLoad and progress(call, name) == 101
    assert release(call, name) == 0 and release(call, "nobody") == 100 and release(call, name, ["nobody"]) == 200
    assert load(call, "nobody") == 100 and load(call, name, ["nobody"]) == 200


def test_every_vector_that_is_loaded_has_an_index(client, call, name):
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    for field in ("one", "two"):
        schema.add_field(field, DataType.FLOAT_VECTOR, dim=4)
    client.create_collection(name, schema=schema)
    assert load(call, name) == 700
    add_index(client, name, "FLAT", field="one")
    assert load(call, name) == 1100
    assert load(call, name, load_fields=["id", "one"]) == 0
    add_index(client, name, "FLAT", field="two")
    assert load(call, name) == 0


def test_expired_rows_are_counted_by_statistics_and_not_by_count(client, name):
    make(client, name, rows=20, properties={"collection.ttl.seconds": "1",
                                            # Else the compactor, whose round may fall just here, removes them.
                                            "collection.autocompaction.enabled": "false"})
    client.flush(name)
    time.sleep(1.5)
    assert count(client, name) == 0
    assert int(client.get_collection_stats(name)["row_count"]) == 20
    client.upsert(name, [row(i, vectors(1)[0]) for i in range(5)])
    assert count(client, name) == 5, "a key whose row has expired may come again"
    client.delete(name, ids=[0, 1])
    for forever in ("0", "-1"):  # Off; never, whatever the default is.
        client.alter_collection_properties(name, {"collection.ttl.seconds": forever})
        end = time.monotonic() + 20
        while (found := count(client, name)) != 18:
            assert time.monotonic() < end, f"{found} rows: those that had expired are back, as nothing has removed them"
            time.sleep(0.05)
        with refused(1100):
            client.alter_collection_properties(name, {"collection.ttl.seconds": "-2"})
