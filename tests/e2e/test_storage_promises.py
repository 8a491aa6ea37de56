"""What is promised of flushes, compactions, statistics and drops, and was shown by no test over the wire."""
import threading
import time

import pytest
from pymilvus import DataType, MilvusClient, MilvusException
from pymilvus.grpc_gen import common_pb2, milvus_pb2
from server_process import Server
from support import add_index, count, make, refused, row, settings, vectors
from test_compaction import OPTIONS, compact, until
from test_flush import segments
from test_time_to_live import keys
from wire import calls, column, insert_request


@pytest.fixture
def tidy(binary, tmp_path):
    with Server(binary, str(tmp_path / "data"), arguments=OPTIONS) as running:
        yield running


def batches(client, name, ranges, **more):
    """A segment of each range of keys."""
    for keys_of in ranges:
        data = vectors(len(keys_of))
        client.insert(name, [row(key, data[i]) for i, key in enumerate(keys_of)], **more)
        client.flush(name)


def test_one_collection_may_be_left_out_of_what_nobody_asks_for(binary, tmp_path):
    options = [*OPTIONS, *settings({"dataCoord.compaction.mix.triggerInterval": 1})]
    with Server(binary, str(tmp_path / "data"), arguments=options) as server:
        client = MilvusClient(uri=server.uri)
        ranges = [range(i * 100, i * 100 + 100) for i in range(4)]
        make(client, "left", properties={"collection.autocompaction.enabled": "false"})
        make(client, "other")
        with calls(server.address) as call:
            for name in ("left", "other"):
                batches(client, name, ranges)
            until(lambda: len(segments(call, "other")) < 4, "the other's are merged", 60)
            assert len(segments(call, "left")) == 4
            compact(client, "left")  # Who asks gets it.
            assert len(segments(call, "left")) == 1 and count(client, "left") == 400
            batches(client, "left", [range(400, 500), range(500, 600), range(600, 700)])
            client.alter_collection_properties("left", {"collection.autocompaction.enabled": "true"})
            until(lambda: len(segments(call, "left")) < 4, "from now on it is as others are", 60)
        client.close()


def test_compaction_can_be_switched_off(binary, tmp_path):
    with Server(binary, str(tmp_path / "data"), arguments=settings({"dataCoord.enableCompaction": "false"})) as server:
        client = MilvusClient(uri=server.uri)
        make(client, "c", rows=10)
        client.flush("c")
        with refused(2):
            client.compact("c")
        client.close()


def test_compactions_that_nobody_knows_are_completed(call):
    for ticket in (-1, 0, 123456789):
        state = call("GetCompactionState", milvus_pb2.GetCompactionStateRequest(compactionID=ticket))
        assert state.status.code == 0 and state.state == common_pb2.CompactionState.Completed
        assert (state.executingPlanNo, state.timeoutPlanNo, state.completedPlanNo, state.failedPlanNo) == (0, 0, 0, 0)
        plans = call("GetCompactionStateWithPlans", milvus_pb2.GetCompactionPlansRequest(compactionID=ticket))
        assert plans.status.code == 0 and plans.state == common_pb2.CompactionState.Completed and not plans.mergeInfos


def test_a_compaction_may_be_of_one_partition_or_of_some_segments(tidy):
    client = MilvusClient(uri=tidy.uri)
    make(client, "c")
    for partition, begin in (("a", 0), ("b", 1000)):
        client.create_partition("c", partition)
        batches(client, "c", [range(begin + i * 50, begin + i * 50 + 50) for i in range(3)], partition_name=partition)
    with calls(tidy.address) as call:
        shown = call("ShowPartitions", milvus_pb2.ShowPartitionsRequest(collection_name="c"))
        described = dict(zip(shown.partition_names, shown.partitionIDs))

        def of(partition):
            return {key for key, info in segments(call, "c").items() if info.partitionID == described[partition]}
        before = {name: of(name) for name in "ab"}

        def ask(**which):
            answer = call("ManualCompaction", milvus_pb2.ManualCompactionRequest(collection_name="c", **which))
            assert answer.status.code == 0, answer.status
            until(lambda: client.get_compaction_state(answer.compactionID) == "Completed", "it is done")
            return answer
        if "partition_id" in milvus_pb2.ManualCompactionRequest.DESCRIPTOR.fields_by_name:
            assert ask(partition_id=described["a"]).compactionPlanCount >= 1
            assert len(of("a")) == 1 and of("b") == before["b"]
        if "segment_ids" in milvus_pb2.ManualCompactionRequest.DESCRIPTOR.fields_by_name:
            two = sorted(before["b"])[:2]
            ask(segment_ids=two)
            assert not set(two) & of("b") and sorted(before["b"])[2] in of("b")
        ask()
        assert len(of("a")) == len(of("b")) == 1, "rows stay in their partitions"
    for partition, begin in (("a", 0), ("b", 1000)):
        assert keys(client, "c", partition_names=[partition]) == list(range(begin, begin + 150))
    client.close()


def test_statistics_count_what_is_stored(client, name):
    make(client, name, rows=50)
    client.flush(name)
    assert int(client.get_collection_stats(name)["row_count"]) == 50
    client.delete(name, ids=list(range(20)))
    assert int(client.get_collection_stats(name)["row_count"]) == 50, "deleted rows too"
    assert count(client, name) == 30
    client.create_partition(name, "p")
    client.insert(name, [row(100 + i, vectors(1)[0]) for i in range(7)], partition_name="p")
    client.flush(name)
    assert int(client.get_partition_stats(name, "p")["row_count"]) == 7
    assert int(client.get_collection_stats(name)["row_count"]) == 57


def test_segments_that_are_gone_are_flushed(tidy):
    """Whoever waits for a flush does not wait for ever for what was compacted meanwhile."""
    client = MilvusClient(uri=tidy.uri)
    make(client, "c")
    batches(client, "c", [range(0, 50), range(50, 100)])
    with calls(tidy.address) as call:
        flush = call("Flush", milvus_pb2.FlushRequest(collection_names=["c"]))
        old = list(flush.flush_coll_segIDs["c"].data)
        compact(client, "c")
        until(lambda: len(segments(call, "c")) == 1, "one is left")
        assert not set(old) & segments(call, "c").keys()
        state = call("GetFlushState", milvus_pb2.GetFlushStateRequest(
            segmentIDs=old, flush_ts=flush.coll_flush_ts["c"], collection_name="c"))
        assert state.status.code == 0 and state.flushed
    client.close()


def test_no_row_is_missing_or_there_twice_while_segments_change_hands(tidy):
    """Flushes, index builds, compactions and loads between the reads: every strong count is the true one."""
    client = MilvusClient(uri=tidy.uri)
    make(client, "c", index="HNSW")
    written, wrong, done = [0], [], threading.Event()

    def look():
        reader = MilvusClient(uri=tidy.uri)
        while not done.is_set():
            before = written[0]
            found = count(reader, "c")
            after = written[0]
            # One batch may be on its way.
            if not before <= found <= after + 100 or found % 100 != 0:
                wrong.append((before, found, after))
        reader.close()
    readers = [threading.Thread(target=look) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        data = vectors(100)
        for batch in range(12):
            client.insert("c", [row(batch * 100 + i, data[i]) for i in range(100)])
            written[0] += 100
            client.flush("c")
            if batch % 4 == 3:
                compact(client, "c")
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert not wrong, wrong[:5]
    assert count(client, "c") == 1200
    client.close()


def test_inserts_into_a_collection_that_is_dropped_fail_and_leave_nothing_in_the_next(tidy):
    client = MilvusClient(uri=tidy.uri)
    data = vectors(20)
    make(client, "c")
    stop, failed = threading.Event(), []

    def write():
        writer = MilvusClient(uri=tidy.uri)
        key = 0
        while not stop.is_set():
            key += 1
            try:
                writer.insert("c", [row(key * 20 + i, data[i]) for i in range(20)])
            except MilvusException as reason:
                failed.append(reason.code)
        writer.close()
    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    time.sleep(0.5)
    client.drop_collection("c")
    time.sleep(0.5)
    stop.set()
    for writer in writers:
        writer.join()
    assert failed and set(failed) == {100}, set(failed)
    make(client, "c", rows=5)
    assert count(client, "c") == 5
    client.close()
    tidy.kill()
    tidy.start()
    client = MilvusClient(uri=tidy.uri)
    until(lambda: str(client.get_load_state("c")["state"]) == "Loaded", "it loads")
    assert keys(client, "c") == list(range(5)), "nor after a replay of the log"
    client.close()


def test_a_target_size_comes_before_deletes_and_deletes_before_clustering(tidy):
    client = MilvusClient(uri=tidy.uri)
    make(client, "c")
    batches(client, "c", [range(0, 50), range(50, 100)])
    client.delete("c", ids=[1])
    client.flush("c")
    wishes = milvus_pb2.ManualCompactionRequest.DESCRIPTOR.fields_by_name
    with calls(tidy.address) as call:
        def wish(**more):
            answer = call("ManualCompaction", milvus_pb2.ManualCompactionRequest(collection_name="c", **more))
            if answer.status.code == 0 and answer.compactionID != -1:
                until(lambda: client.get_compaction_state(answer.compactionID) == "Completed", "it ends")
            return answer.status.code
        assert wish(majorCompaction=True) == 2304, "there is no clustering key"
        assert wish(majorCompaction=True, l0Compaction=True) == 0
        assert len(segments(call, "c")) == 2 and count(client, "c") == 99
        if "target_size" in wishes:
            assert wish(majorCompaction=True, l0Compaction=True, target_size=100) == 0
            until(lambda: [one.num_rows for one in segments(call, "c").values()] == [99], "they are one")
            assert wish(target_size=-1) == 1100
    client.close()


SEAL = "dataCoord.segment."
SEALS = {"size": {SEAL + "maxSize": 1, SEAL + "sealProportion": 0.01}, "age": {SEAL + "maxLife": 1},
         "idle": {SEAL + "maxIdleTime": 1, SEAL + "minSizeFromIdleToSealed": 0}, "none of them": {}}


@pytest.mark.parametrize("rule", list(SEALS))
def test_rows_get_into_files_by_size_by_age_and_when_nobody_writes(binary, tmp_path, rule):
    with Server(binary, str(tmp_path / "data"), arguments=[*OPTIONS, *settings(SEALS[rule])]) as server:
        client = MilvusClient(uri=server.uri)
        make(client, "c", rows=300)  # Some 15 KB.
        with calls(server.address) as call:
            if SEALS[rule]:
                until(lambda: sum(one.num_rows for one in segments(call, "c").values()) == 300, "they are in a file")
            else:
                time.sleep(2.5)
                assert segments(call, "c") == {}
            assert count(client, "c") == 300
            if rule == "size":  # And again, each time that there is so much.
                client.insert("c", [row(1000 + i, vectors(300)[i]) for i in range(300)])
                until(lambda: sum(one.num_rows for one in segments(call, "c").values()) == 600, "the others, too")
        client.close()


def test_a_million_rows_are_deleted_and_stay_deleted(binary, tmp_path):
    """By one filter and by a list of keys, of files and of rows that grow; a kill behind each, and a compaction at the end."""
    rows, batch = 1_100_000, 100_000
    with Server(binary, str(tmp_path / "data"), arguments=OPTIONS) as server:
        client = MilvusClient(uri=server.uri)
        schema = client.create_schema(auto_id=False)
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
        client.create_collection("c", schema=schema, consistency_level="Strong")
        add_index(client, "c", "FLAT")
        client.load_collection("c")
        flat = vectors(batch, 2).ravel().tolist()
        with calls(server.address) as call:
            for begin in range(0, rows, batch):
                columns = [column("id", "Int64", range(begin, begin + batch)), column("vector", "FloatVector", flat, dim=2)]
                assert call("Insert", insert_request("c", columns, rows=batch)).status.code == 0
                if begin == 6 * batch:
                    client.flush("c")

        def again():
            server.kill()
            server.start()
            return MilvusClient(uri=server.uri)

        def left():
            until(lambda: str(client.get_load_state("c")["state"]) == "Loaded", "it is loaded")
            ends = [client.query("c", f"id {way}", limit=3, output_fields=["id"]) for way in ("< 1000000", ">= 1000000")]
            return count(client, "c"), [[one["id"] for one in end] for end in ends]
        assert client.delete("c", filter="id < 1000000")["delete_count"] == 1_000_000
        for _ in range(2):
            assert left() == (100_000, [[], [1_000_000, 1_000_001, 1_000_002]])
            client = again()
        keys_gone = list(range(1_000_000, rows, 2))
        assert client.delete("c", filter="id in {keys}", filter_params={"keys": keys_gone})["delete_count"] == 50_000
        client.flush("c")
        compact(client, "c")
        for _ in range(2):
            assert left() == (50_000, [[], [1_000_001, 1_000_003, 1_000_005]])
            client = again()
        assert sum(one.num_rows for one in client.list_persistent_segments("c")) == 50_000, "they are gone from the files"
        client.close()
