"""A process that runs out of descriptors refuses what needs one, loses nothing, and goes on once there are some."""
import os
import resource
import socket
import time
from contextlib import contextmanager

import pytest
from pymilvus import MilvusClient, MilvusException

from server_process import Server
from support import count, make, row, vectors

# The undefined behaviour sanitizer opens a pipe to look at memory, and reports errors that are none when it gets no
# descriptors for it.
pytestmark = pytest.mark.skipif(os.environ.get("ELANUS_SANITIZED") == "asan", reason="the sanitizer needs descriptors")

BATCH = 200


@contextmanager
def no_descriptors(server):
    """Those that are open stay open; nothing can be opened."""
    soft, hard = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (server.descriptors(), hard))
    try:
        yield
    finally:
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (soft, hard))


def insert(client, batch):
    data = vectors(BATCH)
    client.insert("c", [row(batch * BATCH + i, data[i]) for i in range(BATCH)], timeout=10)


def until(condition, what, timeout_s=30):
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.1)


def flushes(client):
    try:
        client.flush("c", timeout=5)
        return True
    except MilvusException:
        return False


def test_without_descriptors_writes_and_reads_go_on_and_flushes_wait(binary, tmp_path):
    with Server(binary, str(tmp_path / "data")) as server:
        client = MilvusClient(uri=server.uri)
        make(client, "c")
        insert(client, 0)
        client.flush("c")
        insert(client, 1)
        with no_descriptors(server):
            # Nothing is opened for a record of the log, nor for rows that are in memory or mapped.
            insert(client, 2)
            assert count(client, "c") == 3 * BATCH
            assert not flushes(client)
            insert(client, 3)
            assert count(client, "c") == 4 * BATCH
            # New callers wait at the door or are turned away; those inside are served.
            extra = []
            for _ in range(5):
                try:
                    extra.append(socket.create_connection(("127.0.0.1", server.port), timeout=2))
                except OSError:
                    pass
            assert count(client, "c") == 4 * BATCH
            for one in extra:
                one.close()
        with open(server.log_path, errors="replace") as log:
            assert "Too many open files" in log.read()
        until(lambda: flushes(client), "flushes do not go on")
        late = MilvusClient(uri=server.uri)
        assert count(late, "c") == 4 * BATCH
        insert(late, 4)
        server.kill()
        server.start()
        assert count(MilvusClient(uri=server.uri), "c") == 5 * BATCH


def test_a_log_that_cannot_begin_a_new_file_refuses_and_goes_on_later(binary, tmp_path):
    with Server(binary, str(tmp_path / "data"), arguments=["--set", "wal.fileMaxSize=1048576"]) as server:
        client = MilvusClient(uri=server.uri)
        make(client, "c", dim=512)
        data = vectors(BATCH, 512)
        client.insert("c", [row(i, data[i]) for i in range(BATCH)])
        kept = BATCH
        with no_descriptors(server):
            with pytest.raises(MilvusException) as refused:
                for batch in range(1, 20):
                    client.insert("c", [row(batch * BATCH + i, data[i]) for i in range(BATCH)], timeout=10)
                    kept += BATCH
            assert "Too many open files" in refused.value.message, refused.value
            assert BATCH < kept < 20 * BATCH
            assert count(client, "c") == kept
        client.insert("c", [row(kept + i, data[i]) for i in range(BATCH)], timeout=10)
        assert count(client, "c") == kept + BATCH
        server.kill()
        server.start()
        assert count(MilvusClient(uri=server.uri), "c") == kept + BATCH
