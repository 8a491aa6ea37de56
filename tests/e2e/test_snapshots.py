"""Snapshots: what a collection was stays readable through a restore, whatever is written, compacted or dropped since."""
from concurrent.futures import ThreadPoolExecutor

import pytest
from pymilvus import MilvusClient

from server_process import Server
from support import count, make, refused, row, vectors
from test_compaction import OPTIONS, compact, files, until

pytestmark = pytest.mark.skipif(not hasattr(MilvusClient, "create_snapshot"), reason="the SDK has no snapshots")
ROWS = 300


@pytest.fixture
def tidy(binary, tmp_path):
    with Server(binary, str(tmp_path / "data"), arguments=OPTIONS) as running:
        yield running


def content(client, name):
    rows = client.query(name, filter="id >= 0", output_fields=["group", "name"], consistency_level="Strong")
    return sorted((r["id"], r["group"], r["name"]) for r in rows)


def restore(client, snapshot, source, target):
    job = client.restore_snapshot(snapshot, source, target)
    until(lambda: client.get_restore_snapshot_state(job).state in ("RestoreSnapshotCompleted", "RestoreSnapshotFailed"),
          "the restore ends")
    state = client.get_restore_snapshot_state(job)
    assert state.state == "RestoreSnapshotCompleted", state.reason
    assert state.progress == 100
    return job


def test_a_snapshot_is_restored_as_it_was_after_writes_compaction_garbage_collection_and_a_restart(tidy):
    client = MilvusClient(uri=tidy.uri)
    data = make(client, "c", rows=ROWS, index="HNSW", params={"M": 8, "efConstruction": 40})
    client.flush("c")
    client.delete("c", ids=list(range(0, 30)))
    client.flush("c")
    before = content(client, "c")
    assert len(before) == ROWS - 30
    client.create_snapshot("first", "c", description="before all that")
    kept = set(files(tidy, "segments"))

    client.upsert("c", [dict(row(i, data[i]), name="new") for i in range(30, 100)])
    client.delete("c", ids=list(range(100, 200)))
    client.insert("c", [row(i, data[0]) for i in range(1000, 1100)])
    client.flush("c")
    compact(client, "c")
    now = content(client, "c")
    assert now != before
    client.close()
    tidy.stop()
    tidy.start()
    client = MilvusClient(uri=tidy.uri)
    assert client.list_snapshots("c") == ["first"]
    told = client.describe_snapshot("first", "c")
    assert (told.name, told.description, told.collection_name) == ("first", "before all that", "c")
    assert told.partition_names == ["_default"] and told.create_ts > 0
    assert kept <= set(files(tidy, "segments"))

    job = restore(client, "first", "c", "restored")
    assert [known.job_id for known in client.list_restore_snapshot_jobs("restored")] == [job]
    client.load_collection("restored")
    assert content(client, "restored") == before
    assert content(client, "c") == now
    hit = client.search("restored", data=[data[50]], limit=1, consistency_level="Strong")[0][0]
    assert hit["id"] == 50
    # A collection like any other.
    client.insert("restored", [row(5000, data[0])])
    client.delete("restored", ids=[50])
    assert count(client, "restored") == ROWS - 30
    client.drop_snapshot("first", "c")
    assert client.list_snapshots("c") == []
    until(lambda: not kept & set(files(tidy, "segments")), "files of the dropped snapshot are reclaimed")
    assert content(client, "c") == now
    client.flush("restored")
    client.close()
    tidy.stop()
    tidy.start()
    client = MilvusClient(uri=tidy.uri)
    assert count(client, "restored") == ROWS - 30
    client.close()


def test_names_pins_and_unknown_ones_are_answered_with_their_codes(client, name):
    data = make(client, name, rows=20)
    client.flush(name)
    client.create_snapshot("s", name)
    with refused(1100, "already exists"):
        client.create_snapshot("s", name)
    with refused(1100):
        client.create_snapshot("9 lives", name)
    with refused(1100):
        client.create_snapshot("late", name, compaction_protection_seconds=10**6)
    with refused(2600):
        client.describe_snapshot("other", name)
    with refused(100):
        client.create_snapshot("s", "nobody")
    with refused(1100, "exists already"):
        client.restore_snapshot("s", name, name)
    with refused(2101):
        client.get_restore_snapshot_state(12345)
    client.drop_snapshot("other", name)
    pin = client.pin_snapshot_data("s", name, ttl_seconds=600)
    with refused(2601):
        client.drop_snapshot("s", name)
    client.unpin_snapshot_data(pin)
    client.drop_snapshot("s", name)
    assert client.list_snapshots(name) == []
    assert len(data) == 20


def test_pins_set_and_lifted_at_the_same_time_are_none_lost(client, name):
    make(client, name, rows=20)
    client.flush(name)
    client.create_snapshot("s", name)
    with ThreadPoolExecutor(8) as pool:
        pins = list(pool.map(lambda _: client.pin_snapshot_data("s", name, ttl_seconds=600), range(32)))
        list(pool.map(client.unpin_snapshot_data, pins[1:]))
    with refused(2601):
        client.drop_snapshot("s", name)
    client.unpin_snapshot_data(pins[0])
    client.drop_snapshot("s", name)


def test_a_protected_snapshot_keeps_its_segments_from_compaction(client, name):
    data = vectors(100)
    make(client, name)
    for begin in (0, 50):
        client.insert(name, [row(i, data[i]) for i in range(begin, begin + 50)])
        client.flush(name)
    client.create_snapshot("s", name, compaction_protection_seconds=3600)
    with refused(2317, "snapshot protection"):
        client.compact(name)
    client.drop_snapshot("s", name)
    assert client.compact(name) != -1
