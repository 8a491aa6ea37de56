"""What is told of segments, as each SDK reads it: those that are kept, and those that reads are answered from."""
import time

import pytest
from pymilvus import DataType, MilvusClient
from pymilvus.grpc_gen import common_pb2, milvus_pb2
from server_process import Server
from support import add_index, make, row, vectors
from test_compaction import OPTIONS, compact, until
from test_flush import segments
from wire import calls

LEVEL, STATE = common_pb2.SegmentLevel, common_pb2.SegmentState
FILE_VERSION = 2  # Of column files, see docs/storage-format.md.


@pytest.fixture
def tidy(binary, tmp_path):
    more = ["--set", "dataCoord.compaction.enableAutoCompaction=false"]
    with Server(binary, str(tmp_path / "data"), arguments=[*OPTIONS, *more]) as running:
        yield running


def loaded(client, name):
    return client.list_loaded_segments(name)


def test_kept_segments_say_how_they_lie(tidy):
    client = MilvusClient(uri=tidy.uri)
    make(client, "c")
    data = vectors(200)
    client.insert("c", [row(i, data[i]) for i in range(100)])
    client.flush("c")
    client.insert("c", [row(i, data[i]) for i in range(199, 99, -1)])
    client.flush("c")

    def look(wanted):
        found = sorted(((one.num_rows, one.is_sorted) for one in client.list_persistent_segments("c")))
        assert found == sorted(wanted)
        for one in client.list_persistent_segments("c"):
            assert (one.storage_version, int(one.level), int(one.state)) == (FILE_VERSION, LEVEL.L1, STATE.Flushed)
            assert one.collection_id == client.describe_collection("c")["collection_id"] and one.collection_name == "c"
    look([(100, True), (100, True)])  # The second came in falling order.
    tidy.kill()
    tidy.start()
    client = MilvusClient(uri=tidy.uri)
    look([(100, True), (100, True)])
    compact(client, "c")
    look([(200, True)])
    client.close()


def test_text_keys_and_cut_segments_are_sorted_as_texts(tidy):
    client = MilvusClient(uri=tidy.uri)
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.VARCHAR, max_length=8, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=8)
    client.create_collection("c", schema=schema)
    data = vectors(20).tolist()
    for keys in (["", "a", "b", "ba"], ["10", "9"], ["9", "10"]):
        client.insert("c", [{"id": key, "vector": data[i]} for i, key in enumerate(keys)])
        client.flush("c")
        newest = max(client.list_persistent_segments("c"), key=lambda one: one.segment_id)
        assert (newest.num_rows, newest.is_sorted) == (len(keys), True), keys
    client.close()


def test_rows_in_the_order_of_a_clustering_key_are_level_2(tidy):
    client = MilvusClient(uri=tidy.uri)
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("age", DataType.INT64, is_clustering_key=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=8)
    client.create_collection("c", schema=schema)
    add_index(client, "c", "FLAT")
    client.load_collection("c")
    data = vectors(100)
    client.insert("c", [{"id": i, "age": 1000 - i, "vector": data[i]} for i in range(100)])
    client.flush("c")
    job = client.compact("c", is_clustering=True)
    until(lambda: client.get_compaction_state(job) == "Completed", "it is clustered")
    [kept] = client.list_persistent_segments("c")
    assert (int(kept.level), kept.is_sorted, kept.num_rows) == (LEVEL.L2, False, 100)
    until(lambda: [one.segment_id for one in loaded(client, "c")] == [kept.segment_id], "it is loaded")
    [served] = loaded(client, "c")
    assert (int(served.level), served.is_sorted, int(served.state)) == (LEVEL.L2, False, STATE.Sealed)
    client.close()


def test_what_reads_are_answered_from(tidy):
    client = MilvusClient(uri=tidy.uri)
    make(client, "c", index="HNSW", load=False)
    data = vectors(300)
    client.insert("c", [row(i, data[i]) for i in range(200)])
    client.flush("c")
    assert loaded(client, "c") == [], "it is not loaded"
    client.load_collection("c")
    client.insert("c", [row(i, data[i]) for i in range(200, 300)])
    described = client.describe_collection("c")
    [kept] = client.list_persistent_segments("c")
    until(lambda: [one.index_name for one in loaded(client, "c") if one.segment_id == kept.segment_id] == ["vector"],
          "its index is loaded")
    found = {one.num_rows: one for one in loaded(client, "c")}
    assert found.keys() == {200, 100}
    for rows, one in found.items():
        assert one.collection_id == described["collection_id"] and one.partition_id > 0 and list(one.node_ids) == [1]
        assert int(one.state) == (STATE.Sealed if rows == 200 else STATE.Growing)
        assert int(one.level) == LEVEL.L1
    sealed, growing = found[200], found[100]
    assert sealed.segment_id == kept.segment_id and sealed.is_sorted and sealed.storage_version == FILE_VERSION
    assert sealed.index_name == "vector" and sealed.index_id > 0
    # A growing one has no file and no index.
    assert (growing.is_sorted, growing.storage_version, growing.index_name, growing.index_id) == (False, 0, "", 0)
    # Of its columns and indexes what is open: the vectors of 8 floats once they are searched.
    assert growing.mem_size >= 100 * 32 and sealed.mem_size > 0
    client.search("c", data=[data[0].tolist()], limit=3, output_fields=["name"])
    client.query("c", filter="id >= 0", output_fields=["*"], limit=1000)
    read = {one.num_rows: one.mem_size for one in loaded(client, "c")}
    assert read[200] >= 200 * (32 + 8 + 8) and read[200] >= sealed.mem_size
    client.flush("c")
    until(lambda: {int(one.state) for one in loaded(client, "c")} == {STATE.Sealed}, "what grew is loaded")
    assert sorted(one.num_rows for one in loaded(client, "c")) == [100, 200]
    compact(client, "c")
    [merged] = client.list_persistent_segments("c")
    until(lambda: [one.segment_id for one in loaded(client, "c")] == [merged.segment_id], "it is served instead")
    client.release_collection("c")
    assert loaded(client, "c") == []
    client.close()


def test_segments_of_partitions_that_are_not_loaded(tidy):
    client = MilvusClient(uri=tidy.uri)
    make(client, "c", load=False)
    data = vectors(60)
    for partition, keys in (("a", range(0, 20)), ("b", range(20, 40))):
        client.create_partition("c", partition)
        client.insert("c", [row(i, data[i]) for i in keys], partition_name=partition)
    client.flush("c")
    client.load_partitions("c", ["b"])
    for partition, keys in (("a", range(40, 45)), ("b", range(45, 55))):
        client.insert("c", [row(i, data[i]) for i in keys], partition_name=partition)
    assert sorted(one.num_rows for one in loaded(client, "c")) == [10, 20]
    assert len({one.partition_id for one in loaded(client, "c")}) == 1
    client.close()


def test_states_that_are_asked_for(tidy):
    client = MilvusClient(uri=tidy.uri)
    if "states" not in milvus_pb2.GetPersistentSegmentInfoRequest.DESCRIPTOR.fields_by_name:
        pytest.skip("the SDK asks for no states")
    make(client, "c", rows=30)
    with calls(tidy.address) as ask:
        assert segments(ask, "c") == {}, "what grows is not kept yet"
        [growing] = segments(ask, "c", states=[STATE.Growing]).values()
        assert (growing.num_rows, growing.state, growing.storage_version) == (30, STATE.Growing, 0)
        client.flush("c")
        assert segments(ask, "c", states=[STATE.Growing]) == {}
        assert list(segments(ask, "c", states=[STATE.Flushed, STATE.Growing])) == [growing.segmentID]
        unknown = ask("GetQuerySegmentInfo", milvus_pb2.GetQuerySegmentInfoRequest(collectionName="nobody"))
        assert unknown.status.code == 100
    client.close()


def test_what_was_restored_lies_as_it_lay(tidy):
    client = MilvusClient(uri=tidy.uri)
    if not hasattr(client, "create_snapshot"):
        pytest.skip("the SDK has no snapshots")
    make(client, "c")
    data = vectors(50)
    client.insert("c", [row(i, data[i]) for i in range(50)])
    client.flush("c")
    client.create_snapshot("s", "c")
    job = client.restore_snapshot("s", "c", "again")
    end = time.monotonic() + 30
    while client.get_restore_snapshot_state(job).state != "RestoreSnapshotCompleted":
        assert time.monotonic() < end
        time.sleep(0.05)
    [one] = client.list_persistent_segments("again")
    assert (one.num_rows, one.is_sorted, one.storage_version) == (50, True, FILE_VERSION)
    client.close()
