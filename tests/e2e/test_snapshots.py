"""Snapshots: what a collection was stays readable through a restore, whatever is written, compacted or dropped since."""
import random
import threading
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


class Writer(threading.Thread):
    """Writes one thing after the other, flushes now and then, and remembers what the rows were after each step."""

    def __init__(self, uri, name, seed):
        super().__init__(daemon=True)
        self.uri, self.name_of, self.chance = uri, name, random.Random(seed)
        self.states = [{}]  # After each step that was acknowledged, and of the one on its way.
        self.done, self.flushed = 0, 0  # Steps acknowledged, and in files.
        self.ended, self.failure = threading.Event(), None

    def run(self):
        client = MilvusClient(uri=self.uri)
        data = vectors(100)
        try:
            while not self.ended.is_set():
                rows = dict(self.states[-1])
                keys = self.chance.sample(range(400), 20)
                if self.chance.random() < 0.3:
                    step = len(self.states)
                    self.states.append({key: value for key, value in rows.items() if key not in keys})
                    client.delete(self.name_of, ids=keys)
                else:
                    step = len(self.states)
                    self.states.append({**rows, **{key: f"{step}" for key in keys}})
                    client.upsert(self.name_of, [dict(row(key, data[key % 100]), name=f"{step}") for key in keys])
                self.done = step
                if self.chance.random() < 0.2:
                    client.flush(self.name_of)
                    self.flushed = step
        except Exception as failure:  # Told by the test.
            self.failure = failure
        client.close()


def test_snapshots_taken_listed_dropped_and_restored_while_writes_go_on(tidy):
    """Each restores to one of the states that the collection had between the last flush and the call's return."""
    client = MilvusClient(uri=tidy.uri)
    make(client, "c", index="FLAT", level="Strong")
    writer = Writer(tidy.uri, "c", seed=5)
    writer.start()
    taken, dropped = {}, []
    for i in range(12):
        until(lambda: writer.flushed > (list(taken.values())[-1][0] if taken else 0) or writer.failure, "a flush")
        least = writer.flushed
        client.create_snapshot(f"s{i:02}", "c", description=f"of {i}")
        taken[f"s{i:02}"] = (least, len(writer.states))
        assert client.list_snapshots("c") == sorted(set(taken) - set(dropped))
        told = client.describe_snapshot(f"s{i:02}", "c")
        assert told.description == f"of {i}" and told.create_ts > 0
        if i % 4 == 3:
            dropped.append(f"s{i - 1:02}")
            client.drop_snapshot(dropped[-1], "c")
        if i % 5 == 4:
            client.compact("c")
        if i == 6:  # A restore beside the writes.
            restore(client, "s03", "c", "r_s03")
    moments = [client.describe_snapshot(name, "c").create_ts for name in taken if name not in dropped]
    assert moments == sorted(moments)
    writer.ended.set()
    writer.join()
    assert writer.failure is None, writer.failure
    assert content_of(client, "c") == writer.states[-1]
    client.close()
    tidy.kill()
    tidy.start()
    client = MilvusClient(uri=tidy.uri)
    assert client.list_snapshots("c") == sorted(set(taken) - set(dropped))
    for name, (least, most) in taken.items():
        if name in dropped:
            with refused(2600):
                client.restore_snapshot(name, "c", "never")
            continue
        if name != "s03":
            restore(client, name, "c", f"r_{name}")
        client.load_collection(f"r_{name}")
        found = content_of(client, f"r_{name}")
        assert found in writer.states[least:most], f"{name}: none of the states from {least} to {most}"
    client.close()


def content_of(client, name):
    rows = client.query(name, filter="id >= 0", output_fields=["name"], limit=1000, consistency_level="Strong")
    return {one["id"]: one["name"] for one in rows}


def test_a_snapshot_of_several_shards_and_partitions_is_restored_with_its_indexes(client, name):
    data = make(client, name, index="HNSW", params={"M": 8, "efConstruction": 40}, num_shards=3)
    data = vectors(300)
    for part in ("one", "two"):
        client.create_partition(name, part)
    for i, part in enumerate(("_default", "one", "two")):
        client.insert(name, [row(key, data[key]) for key in range(i * 100, (i + 1) * 100)], partition_name=part)
    client.flush(name)
    client.create_snapshot("s", name)
    client.release_partitions(name, ["two"])
    client.drop_partition(name, "two")
    client.delete(name, ids=list(range(50)))
    target = name + "_r"
    restore(client, "s", name, target)
    try:
        assert str(client.get_load_state(target)["state"]) == "NotLoad"
        assert sorted(client.list_partitions(target)) == ["_default", "one", "two"]
        assert client.describe_index(target, "vector")["index_type"] == "HNSW"
        client.load_collection(target)
        for i, part in enumerate(("_default", "one", "two")):
            found = client.query(target, filter="id >= 0", partition_names=[part], limit=1000, consistency_level="Strong")
            assert sorted(one["id"] for one in found) == list(range(i * 100, (i + 1) * 100)), part
        assert count(client, name) == 150
    finally:
        client.drop_collection(target)
        client.drop_snapshot("s", name)


def test_snapshots_are_listed_of_a_whole_database_and_go_with_their_collection(tidy):
    client = MilvusClient(uri=tidy.uri)
    for name in ("c", "d"):
        make(client, name, rows=20)
        client.flush(name)
        client.create_snapshot(f"of_{name}", name)
    assert client.list_snapshots() == ["of_c", "of_d"]
    pin = client.pin_snapshot_data("of_d", "d", ttl_seconds=600)
    for name in ("c", "d"):
        client.drop_collection(name)
    assert client.list_snapshots() == [], "their collections are gone"
    # What nobody pins goes; the pinned one's files stay until the pin is lifted.
    until(lambda: len(set(files(tidy, "segments"))) > 0 and
          len({path.split("/segments/")[1].split("/")[0] for path in files(tidy, "segments")}) == 1, "the other's files go")
    client.unpin_snapshot_data(pin)
    until(lambda: not files(tidy, "segments"), "its files go too")
    client.close()


def test_a_snapshot_of_nothing_is_restored_to_nothing(client, name):
    make(client, name)
    client.insert(name, [row(1, vectors(1)[0])])  # Not flushed, so not in it.
    client.create_snapshot("s", name)
    assert client.describe_snapshot("s", name).create_ts > 0
    restore(client, "s", name, name + "_r")
    client.load_collection(name + "_r")
    assert count(client, name + "_r") == 0
    client.insert(name + "_r", [row(2, vectors(1)[0])])
    assert count(client, name + "_r") == 1
    client.drop_collection(name + "_r")
    client.drop_snapshot("s", name)
