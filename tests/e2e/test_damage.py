"""Damaged files: the start or the load is refused with file, offset and the way out; nothing is invented."""
import glob
import os
import random
import shutil
import subprocess
import time

import pytest
from pymilvus import MilvusClient, MilvusException

from server_process import Server, StartFailed
from support import count, make, row, vectors

BATCH = 50
DAMAGED = 1009
OPTIONS = ["--set", "indexCoord.segment.minSegmentNumRowsToEnableIndex=50"]


@pytest.fixture
def server(binary, tmp_path):
    with Server(binary, str(tmp_path / "data"), arguments=OPTIONS) as running:
        yield running


def insert(client, name, batch):
    data = vectors(BATCH, seed=batch + 1)
    client.insert(name, [row(batch * BATCH + i, data[i]) for i in range(BATCH)])


def log_file(server):
    [path] = glob.glob(os.path.join(server.data, "wal", "*", "*.log"))
    return path


def alter(path, at):
    """Alters one byte; calling it again undoes it."""
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 0x10]))


def said(server):
    with open(server.log_path, errors="replace") as log:
        return log.read()


def repair(server, *more):
    done = subprocess.run([server.binary, "repair", "--data", server.data, *more], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def keys_of(client, name):
    return {found["id"] for found in client.query(name, filter="id >= 0", consistency_level="Strong", limit=16384)}


def load_state(client, name):
    """Its name, or why it does not load."""
    try:
        return str(client.get_load_state(name)["state"])
    except MilvusException as reason:
        return reason


def until_loaded(client, name, timeout_s=30):
    end = time.monotonic() + timeout_s
    while (state := load_state(client, name)) != "Loaded":
        assert time.monotonic() < end, f"{name} does not load: {state}"
        time.sleep(0.1)


def until_told(client, name, timeout_s=20):
    """The reason for which a collection does not load."""
    end = time.monotonic() + timeout_s
    while isinstance(state := load_state(client, name), str):
        assert time.monotonic() < end, f"{name} is {state}"
        time.sleep(0.1)
    return state


def test_a_torn_end_of_the_log_is_cut_with_a_line_in_the_log(server):
    client = MilvusClient(uri=server.uri)
    make(client, "c")
    insert(client, "c", 0)
    server.kill()
    with open(log_file(server), "ab") as file:
        file.write(b"ELRC" + random.Random(1).randbytes(300))
    server.start()
    client = MilvusClient(uri=server.uri)
    assert keys_of(client, "c") == set(range(BATCH))
    assert "torn end of the log cut" in said(server)


def test_damage_in_the_middle_of_the_log_stops_the_start_and_repair_is_the_way_out(server):
    client = MilvusClient(uri=server.uri)
    make(client, "c")
    sizes = []
    for batch in range(4):
        insert(client, "c", batch)
        sizes.append(os.path.getsize(log_file(server)))
    server.kill()
    path, at = log_file(server), sizes[1] + 100  # In the third batch.
    alter(path, at)
    with pytest.raises(StartFailed) as refused:
        server.start()
    words = str(refused.value)
    assert f"{path}: offset {sizes[1]}" in words
    assert "elanus repair --data" in words
    # Looking changes nothing.
    before = open(path, "rb").read()
    code, words = repair(server)
    assert code == 1 and f"cut: {path} at {sizes[1]}" in words and "nothing was changed" in words, words
    assert open(path, "rb").read() == before
    with pytest.raises(StartFailed):
        server.start()
    code, words = repair(server, "--cut")
    assert code == 0 and "done" in words, words
    server.start()
    client = MilvusClient(uri=server.uri)
    assert keys_of(client, "c") == set(range(2 * BATCH))
    # What was cut is kept, and what is written now stays.
    assert any(name.split(".cut-")[0] == os.path.basename(path) for name in os.listdir(os.path.dirname(path)))
    insert(client, "c", 7)
    client.flush("c")
    insert(client, "c", 8)
    server.kill()
    server.start()
    client = MilvusClient(uri=server.uri)
    assert keys_of(client, "c") == {*range(2 * BATCH), *range(7 * BATCH, 9 * BATCH)}
    server.stop()
    assert repair(server) == (0, "nothing is damaged in the log\n")


def test_a_log_without_its_files_is_refused_and_new_rows_survive_its_repair(server):
    client = MilvusClient(uri=server.uri)
    make(client, "c")
    for batch in range(3):
        insert(client, "c", batch)
    client.flush("c")
    server.stop()
    shutil.rmtree(os.path.join(server.data, "wal"))
    code, words = repair(server)  # Before a start has made an empty one, and after.
    assert code == 1 and "files are missing" in words and "nothing was changed" in words, words
    with pytest.raises(StartFailed) as refused:
        server.start()
    assert "files of it are missing" in str(refused.value)
    assert "elanus repair --data" in str(refused.value)
    code, words = repair(server, "--cut")
    assert code == 0 and "done" in words, words
    server.start()
    client = MilvusClient(uri=server.uri)
    assert keys_of(client, "c") == set(range(3 * BATCH))
    insert(client, "c", 3)
    server.kill()
    server.start()
    client = MilvusClient(uri=server.uri)
    assert keys_of(client, "c") == set(range(4 * BATCH))


def test_a_log_that_lost_its_first_file_is_refused(binary, tmp_path):
    options = [*OPTIONS, "--set", "wal.fileMaxSize=1048576"]
    with Server(binary, str(tmp_path / "data"), arguments=options) as server:
        client = MilvusClient(uri=server.uri)
        make(client, "c", dim=1024)
        data = vectors(BATCH, 1024)
        for batch in range(8):  # 200 KB each.
            client.insert("c", [row(batch * BATCH + i, data[i]) for i in range(BATCH)])
        server.kill()
        first, *others = sorted(glob.glob(os.path.join(server.data, "wal", "*", "*.log")))
        assert others
        os.rename(first, first + ".aside")
        with pytest.raises(StartFailed) as refused:
            server.start()
        assert others[0] in str(refused.value) and "record 1 is missing" in str(refused.value)
        assert "elanus repair --data" in str(refused.value)
        os.rename(first + ".aside", first)
        server.start()
        assert keys_of(MilvusClient(uri=server.uri), "c") == set(range(8 * BATCH))


def test_repair_refuses_a_directory_in_use_and_words_it_does_not_know(server):
    code, words = repair(server)
    assert code == 1 and "is in use by another elanus" in words
    assert repair(server, "--all")[0] == 2
    assert subprocess.run([server.binary, "repair"], capture_output=True).returncode == 2


@pytest.mark.parametrize("kind", ["*.col", "manifest", "deltas", "indexes"])
def test_a_damaged_object_is_refused_by_name_and_whole_again_once_restored(server, kind):
    client = MilvusClient(uri=server.uri)
    for name in ("c", "whole"):
        make(client, name, index="HNSW")
        insert(client, name, 0)
        insert(client, name, 1)
        client.flush(name)
        client.delete(name, ids=[1, 2])
        client.flush(name)
    collection = client.describe_collection("c")["collection_id"]
    pattern = {"*.col": f"segments/{collection}/*/101.col", "manifest": f"segments/{collection}/*/manifest",
               "deltas": f"deltas/{collection}/*/*", "indexes": f"indexes/{collection}/*/*"}[kind]
    end = time.monotonic() + 20
    while not (found := glob.glob(os.path.join(server.data, "objects", pattern))):
        assert time.monotonic() < end, "no such file"
        time.sleep(0.1)
    server.stop()
    path = found[0]
    at = os.path.getsize(path) // 2 if kind != "*.col" else 260  # In a section, not between two of them.
    alter(path, at)
    server.start()
    client = MilvusClient(uri=server.uri)
    until_loaded(client, "whole")
    expected = set(range(2 * BATCH)) - {1, 2}
    assert keys_of(client, "whole") == expected
    try:  # An answer is right, or there is none.
        assert count(client, "c") == len(expected)
        client.search("c", vectors(1, seed=1).tolist(), limit=3, consistency_level="Strong")
        assert client.query("c", filter="id >= 0", output_fields=["*"], consistency_level="Strong", limit=16384) == []
    except MilvusException:
        pass
    key = os.path.relpath(path, os.path.join(server.data, "objects"))
    end = time.monotonic() + 20
    while not (key in said(server) and "offset" in said(server).split(key)[-1][:60]):
        assert time.monotonic() < end, "the log does not name the file"
        time.sleep(0.1)
    assert "Restore it from a copy" in said(server)
    # Whoever waits for the load is told as well.
    told = until_told(client, "c")
    assert told.code == DAMAGED and key in told.message and "offset" in told.message, told
    assert "Restore it from a copy" in told.message
    with pytest.raises(MilvusException) as refused:
        client.load_collection("c", timeout=20)
    assert refused.value.code == DAMAGED and key in refused.value.message
    alter(path, at)
    until_loaded(client, "c")
    end = time.monotonic() + 30
    while True:
        try:
            assert keys_of(client, "c") == expected
            break
        except MilvusException:
            assert time.monotonic() < end
            time.sleep(0.2)


ROWS, DIM, PAGE = 6000, 32, 4096


def answers(client, name, query, moment):
    """What a search, queries through filters, a count and a read of an earlier moment say."""
    hits = client.search(name, [query], limit=5, output_fields=["name"], consistency_level="Strong")[0]
    named = client.query(name, filter="name like 'row 59%'", output_fields=["group"], limit=999,
                         consistency_level="Strong")
    held = client.query(name, filter="name like '%w 59%' or name like '_ow%77'", limit=999, consistency_level="Strong")
    earlier = client.query(name, filter="id >= 0", output_fields=["id"], limit=16384, iterator="True",
                           guarantee_timestamp=moment)
    return ([(hit["id"], hit["entity"]["name"]) for hit in hits], sorted((one["id"], one["group"]) for one in named),
            sorted(one["id"] for one in held), count(client, name), len(earlier))


@pytest.mark.parametrize("kind, share", [("vector", 0.5), ("name", 0.5), ("name", 0.7), ("name", 0.9), ("id", 0), ("moments", 0.5),
                                         ("index", 0), ("index", 0.5)])
def test_a_file_that_is_cut_off_under_a_running_server_is_told_and_others_are_read(binary, tmp_path, kind, share):
    """The system tells a page behind the end of a mapped file as it tells one that the disk cannot read."""
    with Server(binary, str(tmp_path / "data"), arguments=[
            *OPTIONS, "--set", "dataCoord.compaction.enableAutoCompaction=false"]) as server:
        client = MilvusClient(uri=server.uri)
        moments = {}
        # The one reads the vectors, the other its file.
        index = dict(index="IVF_SQ8", params={"nlist": 16}) if kind == "index" else dict(index="HNSW")
        for name in ("c", "whole"):
            data = make(client, name, rows=ROWS, dim=DIM, **index)
            time.sleep(0.01)  # Moments have milliseconds.
            moments[name] = client._get_connection().alloc_timestamp()
            time.sleep(0.01)
            client.insert(name, [row(ROWS, data[0])])
            client.flush(name)
        for name in moments:
            while client.describe_index(name, "vector")["pending_index_rows"] > 0:
                time.sleep(0.05)
            # An index that is ready is read a moment later; a load reads it from its beginning.
            client.release_collection(name)
            client.load_collection(name)
            until_loaded(client, name)
        query = data[5].tolist()
        expected = answers(client, "whole", query, moments["whole"])
        assert expected[3:] == (ROWS + 1, ROWS)
        description = client.describe_collection("c")
        fields = {field["name"]: field["field_id"] for field in description["fields"]} | {"moments": 1}
        folder = "indexes" if kind == "index" else "segments"
        pattern = "*/*" if kind == "index" else f"*/{fields[kind]}.col"
        [path] = glob.glob(os.path.join(server.data, "objects", folder, str(description["collection_id"]), pattern))
        key = os.path.relpath(path, os.path.join(server.data, "objects"))
        with open(path, "rb") as file:
            content = file.read()
        os.truncate(path, int(len(content) * share) // PAGE * PAGE)
        told = None
        for _ in range(3):  # An answer is right, or there is none.
            try:
                assert answers(client, "c", query, moments["c"]) == expected
            except MilvusException as reason:
                told = reason
        assert told is not None and told.code == DAMAGED and key in told.message and "offset" in told.message, told
        assert f"a mapped file cannot be read file={path}" in said(server)
        assert answers(client, "whole", query, moments["whole"]) == expected
        with open(path, "r+b") as file:
            file.write(content)
        with pytest.raises(MilvusException):
            answers(client, "c", query, moments["c"])
        client.release_collection("c")
        client.load_collection("c")
        assert answers(client, "c", query, moments["c"]) == expected
        assert server.running
