"""Reads at a moment of the past: within the retention, of an open iterator, of a snapshot without restoring it."""
import time

import pytest
from pymilvus import MilvusClient

from server_process import Server
from support import make, row, vectors

OPTIONS = ["--set", "common.retentionDuration=600",
           "--set", "dataCoord.gc.dropTolerance=0", "--set", "dataCoord.gc.interval=1"]


@pytest.fixture
def server(binary, tmp_path):
    with Server(binary, str(tmp_path / "data"), arguments=OPTIONS) as running:
        yield running


def now(client):
    """A moment of the server's clock, after all that was acknowledged."""
    return client._get_connection().alloc_timestamp()


def rows_at(client, name, moment):
    """By key, as an iterator's pages are read: pinned to one moment."""
    found = client.query(name, filter="id >= 0", output_fields=["name"], limit=1000, iterator="True",
                         guarantee_timestamp=moment)
    return {one["id"]: one["name"] for one in found}


def compact(client, name):
    job = client.compact(name)
    end = time.monotonic() + 30
    while client.get_compaction_state(job) != "Completed":
        assert time.monotonic() < end
        time.sleep(0.05)
    return job


def pause():
    time.sleep(0.01)  # Moments have milliseconds.


def test_the_past_is_read_through_deletes_upserts_and_compaction(server):
    client = MilvusClient(uri=server.uri)
    make(client, "c")
    data = vectors(100)
    client.insert("c", [row(i, data[i]) for i in range(100)])
    pause()
    moments = [(now(client), {i: f"row {i}" for i in range(100)})]
    for step in range(4):
        pause()
        client.flush("c")
        expected = dict(moments[-1][1])
        gone = list(range(step * 10, step * 10 + 5))
        client.delete("c", ids=gone)
        for key in gone:
            expected.pop(key, None)
        changed = list(range(50 + step, 100, 7))
        client.upsert("c", [{**row(i, data[i]), "name": f"{step}/{i}"} for i in changed])
        expected.update({i: f"{step}/{i}" for i in changed})
        pause()
        moments.append((now(client), expected))
    for _ in range(2):
        for moment, expected in moments:
            assert rows_at(client, "c", moment) == expected
        client.flush("c")
        compact(client, "c")
        time.sleep(1.5)  # What was compacted is collected.
    server.kill()
    server.start()
    client = MilvusClient(uri=server.uri)
    for moment, expected in moments:
        assert rows_at(client, "c", moment) == expected


def test_an_open_iterator_gives_every_row_of_its_moment(binary, tmp_path):
    """Its rows are changed, deleted, flushed, compacted and collected between its pages, without any retention."""
    with Server(binary, str(tmp_path / "data"), arguments=OPTIONS[2:]) as server:
        client = MilvusClient(uri=server.uri)
        make(client, "c")
        data = vectors(400)
        client.insert("c", [row(i, data[i]) for i in range(400)])
        client.flush("c")
        pages = client.query_iterator("c", batch_size=40, filter="id >= 0", output_fields=["name"],
                                      consistency_level="Strong")
        given, step = {}, 0
        while page := pages.next():
            assert not given.keys() & {one["id"] for one in page}
            given.update({one["id"]: one["name"] for one in page})
            client.upsert("c", [{**row(i, data[i]), "name": f"new {step}"} for i in range(step, 400, 9)])
            client.delete("c", ids=list(range(399 - step * 30, 380 - step * 30, -1)))
            client.flush("c")
            compact(client, "c")
            time.sleep(0.3)  # What was compacted is collected once a second.
            step += 1
        pages.close()
        assert given == {i: f"row {i}" for i in range(400)}


def test_a_protected_snapshot_is_read_where_it_is(binary, tmp_path):
    with Server(binary, str(tmp_path / "data"), arguments=OPTIONS[2:]) as server:  # Without a retention.
        client = MilvusClient(uri=server.uri)
        if not hasattr(client, "create_snapshot"):
            pytest.skip("this client knows no snapshots")
        make(client, "c")
        data = vectors(60)
        client.insert("c", [row(i, data[i]) for i in range(60)])
        client.delete("c", ids=[1, 2])
        client.flush("c")
        client.create_snapshot("s", "c", compaction_protection_seconds=600)
        moment = client.describe_snapshot("s", "c").create_ts
        client.delete("c", ids=list(range(10, 40)))
        client.upsert("c", [{**row(i, data[i]), "name": "new"} for i in range(40, 50)])
        client.insert("c", [row(i, data[i % 60]) for i in range(100, 160)])
        client.flush("c")
        client.compact("c", is_l0=True)
        time.sleep(1.5)
        expected = {i: f"row {i}" for i in range(60) if i not in (1, 2)}
        assert rows_at(client, "c", moment) == expected
        server.kill()
        server.start()
        client = MilvusClient(uri=server.uri)
        assert rows_at(client, "c", moment) == expected
