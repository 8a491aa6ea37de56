"""The log as a queue: kept for those who follow it, listed and read by `elanus log`."""
import glob
import os
import re
import subprocess

from pymilvus import MilvusClient

from server_process import Server
from support import count, make, row, vectors

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
