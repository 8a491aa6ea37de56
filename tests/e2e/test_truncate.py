"""A collection is truncated: every row that was there is gone, at once and for good, and everything else stays."""
import random
import threading
import time

import pytest
from pymilvus import DataType, MilvusClient, MilvusException
from pymilvus.grpc_gen import milvus_pb2
from server_process import Server
from support import add_index, count, make, refused, row, vectors
from test_compaction import OPTIONS, files, until
from test_flush import segments
from wire import calls

ROWS = 200


@pytest.fixture
def tidy(binary, tmp_path):
    with Server(binary, str(tmp_path / "data"), arguments=OPTIONS) as running:
        yield running


def found(client, name, vector):
    hits = client.search(name, data=[vector.tolist()], limit=1000, consistency_level="Strong")[0]
    return sorted(hit["id"] for hit in hits)


def row_count(client, name):
    return int(client.get_collection_stats(name)["row_count"])


def seal(server, name):
    """Begins a flush and does not wait for its end."""
    with calls(server.address) as call:
        call("Flush", milvus_pb2.FlushRequest(collection_names=[name]))


def fill(client, name, data):
    """Rows in an indexed segment, some of them deleted, in a segment behind it and in none yet."""
    client.insert(name, [row(i, data[i]) for i in range(100)])
    client.flush(name)
    client.delete(name, ids=list(range(10)))
    client.insert(name, [row(i, data[i]) for i in range(100, 150)], partition_name="p")
    client.insert(name, [row(i, data[i]) for i in range(150, ROWS)])


def test_every_row_goes_and_everything_else_stays(tidy):
    client = MilvusClient(uri=tidy.uri)
    make(client, "c", index="HNSW", params={"M": 8, "efConstruction": 40}, num_shards=2,
         properties={"collection.autocompaction.enabled": "false"})
    client.create_partition("c", "p")
    data = vectors(ROWS)
    fill(client, "c", data)
    before, index = client.describe_collection("c"), client.describe_index("c", "vector")
    assert count(client, "c") == ROWS - 10

    client.truncate_collection("c")

    def look(client, keys):
        assert str(client.get_load_state("c")["state"]) == "Loaded"
        assert count(client, "c") == len(keys) and found(client, "c", data[0]) == keys
        assert [one["id"] for one in client.query("c", filter="id >= 0", limit=1000, consistency_level="Strong")] == keys
        assert [one["id"] for one in client.get("c", ids=[0, 50, 120])] == [i for i in (0, 50, 120) if i in keys]
    look(client, [])
    assert row_count(client, "c") == 0
    now = client.describe_collection("c")
    assert {key: now[key] for key in now if key != "update_timestamp"} == \
        {key: before[key] for key in before if key != "update_timestamp"}
    assert client.list_partitions("c") == ["_default", "p"]
    after = client.describe_index("c", "vector")
    assert {key: after[key] for key in ("index_type", "metric_type", "M", "total_rows", "state")} == \
        {**{key: index[key] for key in ("index_type", "metric_type", "M")}, "total_rows": 0, "state": "Finished"}
    # Keys of before can be written again, also those that had been deleted.
    client.insert("c", [row(i, data[i]) for i in range(5)], partition_name="p")
    look(client, [0, 1, 2, 3, 4])
    for stop in (tidy.kill, tidy.stop):
        client.close()
        stop()
        tidy.start()
        client = MilvusClient(uri=tidy.uri)
        until(lambda: str(client.get_load_state("c")["state"]) == "Loaded", "the collection loads")
        look(client, [0, 1, 2, 3, 4])
    client.flush("c")
    look(client, [0, 1, 2, 3, 4])
    with calls(tidy.address) as call:
        official = {str(segment) for segment in segments(call, "c")}
    until(lambda: {path.split("/")[-2] for path in files(tidy, "segments")} == official, "the files go")
    look(client, [0, 1, 2, 3, 4])
    client.close()


def test_a_collection_that_is_not_loaded_stays_so_and_generated_keys_go_on(client, name):
    schema = client.create_schema(auto_id=True)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=8)
    client.create_collection(name, schema=schema)
    add_index(client, name, "FLAT")
    data = vectors(20)
    first = client.insert(name, [{"vector": data[i]} for i in range(10)])["ids"]
    client.truncate_collection(name)
    assert str(client.get_load_state(name)["state"]) == "NotLoad" and row_count(client, name) == 0
    second = client.insert(name, [{"vector": data[i]} for i in range(10, 20)])["ids"]
    assert min(second) > max(first)
    client.load_collection(name)
    assert found(client, name, data[0]) == sorted(second)
    for _ in range(2):  # Also one without rows.
        client.truncate_collection(name)
        assert count(client, name) == 0


def test_what_cannot_be_truncated_is_refused(client):
    with refused(100):
        client.truncate_collection("nobody_has_this_name")
    with refused(1100):
        client.truncate_collection("no name")


def test_a_truncation_that_is_killed_has_happened_to_every_row_or_to_none(own_server):
    random.seed(7)
    client = MilvusClient(uri=own_server.uri)
    make(client, "c", num_shards=2)
    data = vectors(ROWS)
    outcomes = set()
    for trial in range(14):
        if count(client, "c") == 0:
            client.insert("c", [row(i, data[i]) for i in range(100)])
            if trial % 2:
                seal(own_server, "c")
            client.insert("c", [row(i, data[i]) for i in range(100, ROWS)])
        answered = threading.Event()

        def truncate():
            try:
                client.truncate_collection("c", timeout=5)
                answered.set()
            except MilvusException:
                pass
        thread = threading.Thread(target=truncate)
        thread.start()
        time.sleep(random.choice([0, 0.0005, 0.001, 0.002, 0.004, 0.02]))
        own_server.kill()
        was_answered = answered.is_set()
        thread.join()
        client.close()
        own_server.start()
        client = MilvusClient(uri=own_server.uri)
        until(lambda: str(client.get_load_state("c")["state"]) == "Loaded", "the collection loads")
        left = count(client, "c")
        assert left == 0 if was_answered else left in (0, ROWS), f"{left} rows are left"
        outcomes.add(left)
    assert outcomes == {0, ROWS}, "the kills came all before or all behind"
    client.close()


def test_rows_that_are_written_while_it_runs_are_before_or_behind_it(client, server, name):
    make(client, name, num_shards=2)
    data = vectors(ROWS)
    answered = {}  # Of each key when its insert was sent and answered.
    over = threading.Event()

    def write(first):
        own = MilvusClient(uri=server.uri)
        for key in range(first, first + 100_000):
            if over.is_set():
                break
            sent = time.monotonic()
            own.insert(name, [row(key, data[key % ROWS])])
            answered[key] = (sent, time.monotonic())
        own.close()
    writers = [threading.Thread(target=write, args=(i * 1_000_000,)) for i in range(3)]
    for thread in writers:
        thread.start()
    decided = (0, 0)
    try:
        for _ in range(8):
            time.sleep(0.2)
            asked = time.monotonic()
            client.truncate_collection(name)
            done = time.monotonic()
            time.sleep(0.1)
            known = dict(answered)
            there = {one["id"] for one in client.query(name, filter="id >= 0", consistency_level="Strong")}
            before = {key for key, (_, end) in known.items() if end < asked}
            behind = {key for key, (sent, _) in known.items() if sent > done}
            decided = (decided[0] + len(before), decided[1] + len(behind))
            assert not before & there, "a row that was there is not gone"
            assert behind <= there, "a row that was written later is gone"
        assert min(decided) > 0, "no row was clearly before or behind"
    finally:
        over.set()
        for thread in writers:
            thread.join()


def test_what_is_read_in_pages_ends(client, name):
    data = make(client, name, rows=ROWS)
    client.flush(name)
    client.insert(name, [row(i, data[i - ROWS]) for i in range(ROWS, 2 * ROWS)])
    searched = client.search_iterator(name, data=[data[0].tolist()], batch_size=10, limit=1000)
    queried = client.query_iterator(name, filter="id >= 0", batch_size=10)
    assert len(searched.next()) == 10 and len(queried.next()) == 10
    client.truncate_collection(name)
    client.insert(name, [row(i, data[i]) for i in range(5)])
    for pages in (searched, queried):
        rest = 0
        while page := pages.next():
            rest += len(page)
        # The SDK may hold a page that it has asked for already.
        assert rest <= 50
        pages.close()
    assert count(client, name) == 5


def test_reads_beside_it_see_all_rows_or_none(client, server, name):
    data = make(client, name)
    over, faults = threading.Event(), []

    def read():
        own = MilvusClient(uri=server.uri)
        while not over.is_set():
            seen = count(own, name), len(found(own, name, data[0]))
            if not set(seen) <= {0, ROWS}:
                faults.append(seen)
        own.close()
    data = vectors(ROWS)
    readers = [threading.Thread(target=read) for _ in range(2)]
    for thread in readers:
        thread.start()
    try:
        for trial in range(20):
            client.insert(name, [row(i, data[i]) for i in range(ROWS)])
            if trial % 4 == 0:
                seal(server, name)
            time.sleep(0.02)
            client.truncate_collection(name)
    finally:
        over.set()
        for thread in readers:
            thread.join()
    assert not faults, faults[:5]


@pytest.mark.skipif(not hasattr(MilvusClient, "create_snapshot"), reason="the SDK has no snapshots")
def test_snapshots_of_before_are_restored(tidy):
    client = MilvusClient(uri=tidy.uri)
    data = make(client, "c", rows=ROWS)
    client.flush("c")
    client.delete("c", ids=list(range(20)))
    client.flush("c")
    client.create_snapshot("before", "c")
    client.truncate_collection("c")
    client.insert("c", [row(1000, data[0])])
    client.flush("c")
    time.sleep(3)  # Garbage is collected every second, without grace.
    assert "before" in client.list_snapshots("c")
    job = client.restore_snapshot("before", "c", "restored")
    until(lambda: client.get_restore_snapshot_state(job).state in ("RestoreSnapshotCompleted", "RestoreSnapshotFailed"),
          "the restore ends")
    client.load_collection("restored")
    assert count(client, "restored") == ROWS - 20
    assert count(client, "c") == 1
    client.close()
