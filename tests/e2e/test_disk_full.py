"""A real file system without room: writes are refused, nothing is lost, reads go on, writes too once there is room."""
import subprocess
import time

import numpy as np
import pytest
from pymilvus import MilvusClient, MilvusException

from server_process import Server
from support import count, make, row, vectors

DIM, BATCH = 256, 1000
DISK_FULL, QUOTA = 7, 9
PROTECTION = "quotaAndLimits.limitWriting.diskProtection"
# Without the mark below which inserts are refused beforehand: the disk itself says no.
OPTIONS = ["--set", "wal.fileMaxSize=1048576", "--set", f"{PROTECTION}.enabled=false"]
MARKED = ["--set", f"{PROTECTION}.freeSpaceMin=16", "--set", "quotaAndLimits.quotaCenterCollectInterval=100"]


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a tmpfs of 48 MB, and a function that makes it larger."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip("no right to mount a tmpfs; tests/sim/fault_test.cc fills the disk at the file-system seam")
    print("a real tmpfs of 48 MB")
    try:
        yield folder, lambda: subprocess.run(
            ["mount", "-o", "remount,size=256m", str(folder)], check=True)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(client, pause_s=0):
    """Inserts until it is refused; returns how many rows were acknowledged, and the refusal."""
    data = vectors(BATCH, DIM)
    for batch in range(1000):
        begin = batch * BATCH
        time.sleep(pause_s)
        try:
            client.insert("c", [row(begin + i, data[i]) for i in range(BATCH)], timeout=20)
        except MilvusException as refusal:
            return begin, refusal
    raise AssertionError("48 MB hold more than 1 GB")


def expect_rows(client, rows):
    """All of them, with their values, and nothing else."""
    assert count(client, "c") == rows
    data = vectors(BATCH, DIM)
    keys = [0, rows // 3, rows - BATCH, rows - 1]
    for found in client.query("c", ids=keys, output_fields=["name", "vector"], consistency_level="Strong"):
        assert found["name"] == f"row {found['id']}"
        assert np.array_equal(np.float32(found["vector"]), data[found["id"] % BATCH])
    hits = client.search("c", [data[7].tolist()], limit=1, consistency_level="Strong")
    assert hits[0][0]["id"] % BATCH == 7


def until_taken(write, timeout_s=30, code=DISK_FULL):
    end = time.monotonic() + timeout_s
    while True:
        try:
            return write()
        except MilvusException as refusal:
            assert refusal.code == code, refusal
            assert time.monotonic() < end, f"refused although there is room: {refusal}"
            time.sleep(0.2)


def test_a_full_disk_refuses_writes_and_loses_nothing(binary, small_disk):
    folder, enlarge = small_disk
    with Server(binary, str(folder / "data"), arguments=OPTIONS) as server:
        client = MilvusClient(uri=server.uri)
        make(client, "c", dim=DIM)
        rows, refusal = fill(client)
        assert rows > 0
        assert refusal.code == DISK_FULL, refusal
        assert "No space left on device" in refusal.message
        # Longer than the moments that were reserved ahead.
        for _ in range(8):
            expect_rows(client, rows)
            time.sleep(0.7)
        # A process that dies on the full disk loses nothing either.
        server.kill()
        enlarge()
        server.start()
        client = MilvusClient(uri=server.uri)
        expect_rows(client, rows)


def test_writes_go_on_once_there_is_room(binary, small_disk):
    folder, enlarge = small_disk
    with Server(binary, str(folder / "data"), arguments=OPTIONS) as server:
        client = MilvusClient(uri=server.uri)
        make(client, "c", dim=DIM)
        rows, refusal = fill(client)
        assert refusal.code == DISK_FULL, refusal
        time.sleep(4)  # What was reserved ahead is used up.
        expect_rows(client, rows)
        enlarge()
        data = vectors(BATCH, DIM)
        until_taken(lambda: client.insert("c", [row(rows + i, data[i]) for i in range(BATCH)], timeout=20))
        rows += BATCH
        until_taken(lambda: client.create_collection("another", dimension=4))
        client.flush("c", timeout=60)
        expect_rows(client, rows)
        assert server.stop() == 0
        server.start()
        client = MilvusClient(uri=server.uri)
        expect_rows(client, rows)


def test_inserts_are_refused_before_the_disk_is_full_and_deletes_are_not(binary, small_disk):
    folder, enlarge = small_disk
    with Server(binary, str(folder / "data"), arguments=MARKED) as server:
        client = MilvusClient(uri=server.uri)
        make(client, "c", dim=DIM)
        rows, refusal = fill(client, pause_s=0.15)
        assert rows > 0
        assert refusal.code == QUOTA, refusal
        assert "disk quota exceeded" in refusal.message
        expect_rows(client, rows)
        client.delete("c", ids=list(range(100, 200)))
        assert count(client, "c") == rows - 100
        enlarge()
        data = vectors(BATCH, DIM)
        until_taken(lambda: client.insert("c", [row(i, data[i]) for i in range(100, 200)], timeout=20), code=QUOTA)
        expect_rows(client, rows)
