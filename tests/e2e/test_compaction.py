"""Compaction, time to live and garbage: what is deleted or expired leaves the disk, and nothing else changes."""
import os
import random
import time

import numpy as np
import pytest
from pymilvus import MilvusClient

from server_process import Server
from support import DIM, count, make, refused, row, vectors

BATCHES, BATCH = 6, 200
# Small segments get their index; garbage goes soon.
OPTIONS = [argument for option in
           ["indexCoord.segment.minSegmentNumRowsToEnableIndex=50", "dataCoord.gc.interval=1",
            "dataCoord.gc.dropTolerance=1", "dataCoord.gc.missingTolerance=1", "dataCoord.gc.scanInterval=0"]
           for argument in ["--set", option]]


@pytest.fixture
def tidy_server(binary, tmp_path):
    with Server(binary, str(tmp_path / "data"), arguments=OPTIONS) as running:
        yield running


def until(condition, what, timeout_s=60):
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, f"not in {timeout_s} s: {what}"
        time.sleep(0.1)


def compact(client, name, **how):
    """Compacts, waits, and returns the number of the job."""
    job = client.compact(name, **how)
    until(lambda: client.get_compaction_state(job) == "Completed", "the compaction ends")
    return job


def files(server, kind):
    """Paths and sizes of the stored objects of a kind: segments, indexes or deltas."""
    found = {}
    for folder, _, names in os.walk(server.data):
        for name in names:
            path = os.path.join(folder, name)
            if f"/{kind}/" in path:
                try:
                    found[path] = os.path.getsize(path)
                except FileNotFoundError:  # Reclaimed between the two looks.
                    pass
    return found


def fill(client, name, first=0):
    """BATCHES segments; then every third row deleted, every seventh of the rest written anew. Returns what is left."""
    data = vectors(BATCHES * BATCH, seed=first + 1)
    truth = {}
    for batch in range(BATCHES):
        keys = range(first + batch * BATCH, first + (batch + 1) * BATCH)
        client.insert(name, [row(key, data[key - first]) for key in keys])
        truth.update((key, data[key - first]) for key in keys)
        client.flush(name)
    gone = [key for key in truth if key % 3 == 0]
    client.delete(name, ids=gone)
    for key in gone:
        del truth[key]
    renewed = [key for key in truth if key % 7 == 0]
    for key in renewed:
        truth[key] = truth[key] + 1
    client.upsert(name, [row(key, truth[key]) for key in renewed])
    client.flush(name)
    return truth


def expect_answers(client, name, truth):
    assert count(client, name) == len(truth)
    got = {found["id"]: found["vector"] for found in
           client.query(name, filter="id >= 0", output_fields=["vector"], limit=16384, consistency_level="Strong")}
    assert got.keys() == truth.keys()
    for key, vector in truth.items():
        assert np.allclose(got[key], vector), key
    keys = np.array(sorted(truth))
    rows = np.stack([truth[key] for key in keys])
    queries = vectors(5, seed=77)
    hits = client.search(name, queries.tolist(), limit=10, consistency_level="Strong")
    for query, found in zip(queries, hits):
        nearest = keys[np.argsort(((rows - query) ** 2).sum(axis=1))[:10]]
        assert [hit["id"] for hit in found] == nearest.tolist()


@pytest.mark.parametrize("index", ["FLAT", "HNSW"])
def test_what_is_deleted_leaves_the_disk_and_answers_stay(tidy_server, index):
    client = MilvusClient(uri=tidy_server.uri)
    make(client, "c", index=index)
    truth = fill(client, "c")
    expect_answers(client, "c", truth)
    before = sum(files(tidy_server, "segments").values())
    assert len(client._get_connection().get_persistent_segment_infos("c")) == BATCHES + 1
    job = compact(client, "c")
    expect_answers(client, "c", truth)
    segments = client._get_connection().get_persistent_segment_infos("c")
    assert [segment.num_rows for segment in segments] == [len(truth)]
    plans = client._get_connection().get_compaction_plans(job)
    assert len(plans.plans) == 1
    assert len(plans.plans[0].sources) == BATCHES + 1
    assert plans.plans[0].target == segments[0].segmentID
    # Nothing is left to do, and it says so.
    assert client.compact("c") == -1
    assert client.get_compaction_state(-1) == "Completed"
    until(lambda: len({os.path.dirname(path) for path in files(tidy_server, "segments")}) == 1, "old segments go")
    assert sum(files(tidy_server, "segments").values()) < 0.8 * before
    until(lambda: len(files(tidy_server, "indexes")) <= 1, "indexes of old segments go")
    until(lambda: not files(tidy_server, "deltas"), "delta logs go")
    expect_answers(client, "c", truth)
    tidy_server.stop()
    tidy_server.start()
    client = MilvusClient(uri=tidy_server.uri)
    until(lambda: str(client.get_load_state("c")["state"]) == "Loaded", "the collection loads")
    expect_answers(client, "c", truth)
    client.release_collection("c")
    client.load_collection("c")
    expect_answers(client, "c", truth)


def test_deletes_during_and_after_a_compaction_stay_deleted(tidy_server):
    client = MilvusClient(uri=tidy_server.uri)
    make(client, "c", index="HNSW")
    truth = fill(client, "c")
    job = client.compact("c")
    for key in [key for key in truth if key % 3 == 1]:
        if key % 2:
            client.delete("c", ids=[key])
            del truth[key]
    until(lambda: client.get_compaction_state(job) == "Completed", "the compaction ends")
    expect_answers(client, "c", truth)
    client.flush("c")
    compact(client, "c", is_l0=True)
    expect_answers(client, "c", truth)
    compact(client, "c")
    expect_answers(client, "c", truth)
    assert sum(s.num_rows for s in client._get_connection().get_persistent_segment_infos("c")) == len(truth)


def test_a_kill_at_any_moment_of_a_compaction_loses_nothing(tidy_server):
    client = MilvusClient(uri=tidy_server.uri)
    make(client, "c", index="HNSW")
    truth = {}
    for life in range(5):
        truth.update(fill(client, "c", first=life * 10_000))
        client.compact("c")
        time.sleep(random.Random(life).uniform(0, 0.15))
        tidy_server.kill()
        tidy_server.start()
        client = MilvusClient(uri=tidy_server.uri)
        until(lambda: str(client.get_load_state("c")["state"]) == "Loaded", "the collection loads")
        expect_answers(client, "c", truth)
    compact(client, "c")
    expect_answers(client, "c", truth)
    # What the lives have left behind goes too.
    until(lambda: len({os.path.dirname(path) for path in files(tidy_server, "segments")}) == 1, "leftovers go")
    expect_answers(client, "c", truth)


def test_expired_rows_are_hidden_at_once_and_reclaimed(tidy_server):
    client = MilvusClient(uri=tidy_server.uri)
    make(client, "c", index="FLAT", properties={"collection.ttl.seconds": "8"})
    assert client.describe_collection("c")["properties"]["collection.ttl.seconds"] == "8"
    data = vectors(100)
    client.insert("c", [row(i, data[i]) for i in range(60)])
    client.flush("c")
    client.insert("c", [row(i, data[i]) for i in range(60, 80)])
    assert count(client, "c") == 80
    time.sleep(3)  # Between the two moments there is time for a slow machine.
    client.insert("c", [row(i, data[i]) for i in range(80, 100)])
    until(lambda: count(client, "c") <= 20, "the older rows expire", 20)
    assert {found["id"] for found in client.query("c", filter="id < 80", consistency_level="Strong")} == set()
    hits = client.search("c", data[:3].tolist(), limit=30, consistency_level="Strong")
    assert all(hit["id"] >= 80 for found in hits for hit in found)
    until(lambda: count(client, "c") == 0, "the rest expires", 20)
    client.flush("c")
    compact(client, "c")
    assert client._get_connection().get_persistent_segment_infos("c") == []
    until(lambda: not files(tidy_server, "segments"), "their files go")
    client.insert("c", [row(5, data[5])])
    assert count(client, "c") == 1


def test_the_time_to_live_can_be_changed_and_taken_away(tidy_server):
    client = MilvusClient(uri=tidy_server.uri)
    make(client, "c", rows=50)
    time.sleep(1.2)
    client.alter_collection_properties("c", {"collection.ttl.seconds": "1"})
    until(lambda: count(client, "c") == 0, "all rows are too old now", 10)
    client.drop_collection_properties("c", ["collection.ttl.seconds"])
    until(lambda: count(client, "c") == 50, "nothing has reclaimed them", 10)
    assert "collection.ttl.seconds" not in client.describe_collection("c")["properties"]
    client.alter_collection_properties("c", {"collection.description": "words"})
    assert client.describe_collection("c")["description"] == "words"
    with refused(1100, "collection.ttl.seconds"):
        client.alter_collection_properties("c", {"collection.ttl.seconds": "-2"})
    with refused(1100, "Timestamptz"):
        client.alter_collection_properties("c", {"ttl_field": "group"})


def test_small_segments_are_merged_without_being_asked(binary, tmp_path):
    options = [*OPTIONS, "--set", "dataCoord.compaction.mix.triggerInterval=1"]
    with Server(binary, str(tmp_path / "data"), arguments=options) as server:
        client = MilvusClient(uri=server.uri)
        make(client, "c", index="HNSW")
        truth = fill(client, "c")
        # The last one may wait for others of its size.
        until(lambda: len(client._get_connection().get_persistent_segment_infos("c")) <= 3, "segments are merged")
        expect_answers(client, "c", truth)


def test_dropped_collections_leave_the_disk(tidy_server):
    client = MilvusClient(uri=tidy_server.uri)
    make(client, "stays", rows=100, index="HNSW")
    client.flush("stays")
    make(client, "goes", rows=100, index="HNSW")
    client.flush("goes")
    client.create_partition("stays", "part")
    client.insert("stays", [row(i, vectors(10)[i - 500]) for i in range(500, 510)], partition_name="part")
    client.flush("stays")
    client.release_partitions("stays", ["part"])
    client.drop_partition("stays", "part")
    client.drop_collection("goes")
    until(lambda: len({os.path.dirname(path) for path in files(tidy_server, "segments")}) == 1, "files go")
    assert count(client, "stays") == 100


def test_wishes_that_make_no_sense_are_refused(client, name):
    with refused(1100, "collection.ttl.seconds"):
        make(client, name, properties={"collection.ttl.seconds": "soon"})
    with refused(1100, "collection.ttl.seconds"):
        make(client, name, properties={"collection.ttl.seconds": "3155760001"})
    with refused(100):
        client.compact(name)
    make(client, name, dim=DIM)
    with refused(2304, "clustering"):
        client.compact(name, is_clustering=True)
    assert client.compact(name) == -1
