"""The log as a queue: kept for those who follow it, listed and read by `elanus log`."""
import glob
import os
import re
import subprocess

from pymilvus import MilvusClient

from server_process import Server
from support import count, make, row, vectors
from test_compaction import until

BATCH = 100
SMALL = ["--set", "wal.fileMaxSize=1048576"]


def log(server, *more):
    done = subprocess.run([server.binary, "log", "--data", server.data, *more], capture_output=True, text=True)
    return done.returncode, done.stdout if done.returncode == 0 else done.stderr


def fill(client, batches):
    data = vectors(BATCH, 1024)
    for batch in batches:  # 400 KB each.
        client.insert("c", [row(batch * BATCH + i, data[i]) for i in range(BATCH)])


def positions(text):
    return [int(line.split()[0]) for line in text.splitlines()]


def test_a_stopped_servers_log_is_listed_and_read_by_groups(binary, tmp_path):
    options = [*SMALL, "--set", "rocksmq.retentionTimeInMinutes=60"]
    with Server(binary, str(tmp_path / "data"), arguments=options) as server:
        client = MilvusClient(uri=server.uri)
        make(client, "c", dim=1024)
        fill(client, range(6))
        client.delete("c", ids=[1, 2, 3])
        client.flush("c")
        code, words = log(server)
        assert code == 1 and "is in use by another elanus" in words
        server.stop()
        code, listed = log(server)
        assert code == 0, listed
        topic = listed.split(":")[0]
        assert f"{topic}: newest=7 pages=" in listed and "(written to)" in listed, listed
        assert len(re.findall("  page end=", listed)) >= 2
        # All of them are there, flushed or not.
        code, changes = log(server, "--topic", topic)
        assert positions(changes) == list(range(1, 8))
        assert changes.count("inserts=100 deletes=0") == 6 and "inserts=0 deletes=3" in changes
        assert positions(log(server, "--topic", topic, "--group", "audit", "--count", "4")[1]) == [1, 2, 3, 4]
        assert positions(log(server, "--topic", topic, "--group", "audit")[1]) == [5, 6, 7]
        assert log(server, "--topic", topic, "--group", "audit") == (0, "")
        assert "group audit: at 7" in log(server)[1]
        assert log(server, "--topic", "nobody's")[0] == 1
        assert log(server, "--topic", topic, "--group", "a/b")[0] == 1
        assert log(server, "--topic", topic, "--count", "none")[0] == 2
        server.start()
        client = MilvusClient(uri=server.uri)
        assert count(client, "c") == 6 * BATCH - 3
        fill(client, [6])
        server.stop()
        assert positions(log(server, "--topic", topic, "--group", "audit")[1]) == [8]


def test_without_a_rule_the_log_is_cut_as_soon_as_its_rows_are_in_files(binary, tmp_path):
    with Server(binary, str(tmp_path / "data"), arguments=SMALL) as server:
        client = MilvusClient(uri=server.uri)
        make(client, "c", dim=1024)
        fill(client, range(8))
        files = glob.glob(os.path.join(server.data, "wal", "*", "*.log"))
        assert len(files) >= 3
        client.flush("c")
        assert len(glob.glob(os.path.join(server.data, "wal", "*", "*.log"))) == 1
        fill(client, [8])
        server.kill()
        server.start()
        assert count(MilvusClient(uri=server.uri), "c") == 9 * BATCH


def kept_mb(server):
    return sum(os.path.getsize(path) for path in glob.glob(os.path.join(server.data, "wal", "*", "*.log"))) / 2**20


def test_of_what_nobody_needs_the_log_keeps_the_newest_up_to_a_size(binary, tmp_path):
    options = [*SMALL, "--set", "rocksmq.retentionSizeInMB=2"]
    with Server(binary, str(tmp_path / "data"), arguments=options) as server:
        client = MilvusClient(uri=server.uri)
        make(client, "c", dim=1024)
        fill(client, range(16))  # 6 MB.
        assert kept_mb(server) > 6, "not in files yet: all of it is needed"
        client.flush("c")
        until(lambda: kept_mb(server) <= 3.5, "two of its files, and the one that is written to, stay")
        assert kept_mb(server) >= 1
        server.stop()
        code, listed = log(server)
        assert code == 0, listed
        topic = listed.split(":")[0]
        code, changes = log(server, "--topic", topic, "--group", "late")
        assert code == 0 and positions(changes)[-1] == 16
        first = positions(changes)[0]
        assert 1 < first and positions(changes) == list(range(first, 17)), "the newest, without a gap"
        server.start()
        client = MilvusClient(uri=server.uri)
        assert count(client, "c") == 16 * BATCH
        # A group that sleeps holds nothing: what follows pushes out what it has not read.
        fill(client, range(16, 32))
        client.flush("c")
        until(lambda: kept_mb(server) <= 3.5, "as much as before stays")
        server.stop()
        code, changes = log(server, "--topic", topic, "--group", "late")
        assert code == 0 and positions(changes)[0] > 17 and positions(changes)[-1] == 32
        server.start()
        assert count(MilvusClient(uri=server.uri), "c") == 32 * BATCH


def test_rows_that_are_in_no_file_stay_in_the_log_whatever_the_rules(binary, tmp_path):
    options = [*SMALL, "--set", "rocksmq.retentionSizeInMB=0", "--set", "rocksmq.retentionTimeInMinutes=0"]
    with Server(binary, str(tmp_path / "data"), arguments=options) as server:
        client = MilvusClient(uri=server.uri)
        make(client, "c", dim=1024)
        fill(client, range(8))
        client.flush("c")
        until(lambda: kept_mb(server) <= 1.5, "nothing is kept")
        fill(client, range(8, 16))
        assert kept_mb(server) > 3
        for _ in range(2):
            server.kill()
            server.start()
            client = MilvusClient(uri=server.uri)
            assert count(client, "c") == 16 * BATCH
        client.flush("c")
        until(lambda: kept_mb(server) <= 1.5, "nothing is kept again")
        assert count(client, "c") == 16 * BATCH
