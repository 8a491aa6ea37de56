"""Each way out of damage that docs/reliability.md names, gone to the letter on a real server's folder, as a user would who has
read what the server says: the rows that are promised come back, and rows that are written afterwards stay."""
import glob
import os
import re
import shutil
import subprocess
import time

import pytest
from pymilvus import MilvusClient, MilvusException
from server_process import Server, StartFailed
from support import add_index, make, row, settings, vectors
from test_damage import alter, keys_of, until_loaded, until_told

PAGE = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "reliability.md")
BATCH = 50
OPTIONS = settings({"indexCoord.segment.minSegmentNumRowsToEnableIndex": 50, "wal.fileMaxSize": 1 << 20})
IN_FILES = set(range(2 * BATCH)) - {1, 2}  # What is flushed of the collection; the rest is in the log alone.
ALL = IN_FILES | set(range(2 * BATCH, 5 * BATCH))


def insert(client, name, batch):
    data = vectors(BATCH, seed=batch + 1)
    client.insert(name, [row(batch * BATCH + i, data[i]) for i in range(BATCH)])


@pytest.fixture
def server(binary, tmp_path):
    """Stopped; beside its folder there is a copy of it."""
    with Server(binary, str(tmp_path / "data"), arguments=OPTIONS) as running:
        client = MilvusClient(uri=running.uri)
        make(client, "c", index="HNSW")
        for batch in (0, 1):
            insert(client, "c", batch)
        client.flush("c")
        client.delete("c", ids=[1, 2])
        client.flush("c")
        until_indexed(client, "c")
        for batch in (2, 3, 4):
            insert(client, "c", batch)
        client.close()
        running.stop()
        shutil.copytree(running.data, running.data + ".copy")
        yield running


def until_indexed(client, name):
    end = time.monotonic() + 20
    while client.describe_index(name, "vector")["pending_index_rows"] > 0:
        assert time.monotonic() < end
        time.sleep(0.05)


def refused(server):
    """What a start says that does not come to be."""
    with pytest.raises(StartFailed) as told:
        server.start()
    return str(told.value).strip().splitlines()[-1]


def put_back(server, path=""):
    """A file or folder as the copy has it; nothing: all of the data directory."""
    there, copy = os.path.join(server.data, path), os.path.join(server.data + ".copy", path)
    if os.path.isdir(copy):
        shutil.rmtree(there, ignore_errors=True)
        shutil.copytree(copy, there)
    else:
        shutil.copyfile(copy, there)


def commands():
    """What the page has people type to repair a log: to look, and to do it."""
    with open(PAGE) as page:
        look, cut = dict.fromkeys(re.findall(r"`(elanus repair [^`]*)`", page.read()))
    return look, cut


def typed(server, command):
    words = command.replace("DIR", server.data).split()
    done = subprocess.run([server.binary, *words[1:]], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def repaired(server):
    """As the page says it: looking changes nothing, cutting does it."""
    look, cut = commands()
    before = {path: os.path.getsize(path) for path in glob.glob(os.path.join(server.data, "wal", "*", "*"))}
    code, words = typed(server, look)
    assert code == 1 and "to be given up: records" in words and "nothing was changed" in words, words
    assert "elanus repair --cut --data" in words, "it says how to go on"
    assert before == {path: os.path.getsize(path) for path in glob.glob(os.path.join(server.data, "wal", "*", "*"))}
    code, words = typed(server, cut)
    assert code == 0 and "done" in words, words


def comes_back_with(server, wanted):
    """The rows are there, and what is written from now on stays, through a flush and a kill."""
    server.start()
    client = MilvusClient(uri=server.uri)
    until_loaded(client, "c")
    assert keys_of(client, "c") == wanted
    insert(client, "c", 10)
    client.flush("c")
    insert(client, "c", 11)
    client.close()
    server.kill()
    server.start()
    client = MilvusClient(uri=server.uri)
    until_loaded(client, "c")
    assert keys_of(client, "c") == wanted | set(range(10 * BATCH, 12 * BATCH))
    client.close()


def log_files(server):
    return sorted(glob.glob(os.path.join(server.data, "wal", "*", "*.log")))


def damage_log_in_the_middle(server):
    path = log_files(server)[-1]
    with open(path, "rb") as file:
        records = [match.start() for match in re.finditer(b"ELRC", file.read())]
    alter(path, records[-2] + 200)  # In the last batch but one: at the very end it would be torn, not damaged.
    return path


def lose_log(server):
    shutil.rmtree(os.path.join(server.data, "wal"))
    return "files of it are missing"


@pytest.mark.parametrize("damage, kept", [(damage_log_in_the_middle, IN_FILES | set(range(2 * BATCH, 3 * BATCH))),
                                          (lose_log, IN_FILES)])
def test_a_damaged_log_is_put_back_or_cut(server, damage, kept):
    where = damage(server)
    told = refused(server)
    assert where in told and "elanus repair --data DIR" in told.replace(server.data, "DIR"), told
    put_back(server, "wal")
    comes_back_with(server, ALL)
    server.stop()
    # And without a copy: what is in files already is not touched.
    put_back(server)
    damage(server)
    refused(server)
    repaired(server)
    comes_back_with(server, kept)


def test_a_log_whose_first_file_is_lost_is_put_back_or_cut(server):
    server.start()
    client = MilvusClient(uri=server.uri)
    until_loaded(client, "c")
    data = vectors(4000)
    more = set(range(1000, 17000))
    for begin in range(1000, 17000, 4000):  # 400 KB each, and a new file begins beyond 1 MB.
        client.insert("c", [{**row(begin + i, data[i]), "name": "x" * 60} for i in range(4000)])
    client.close()
    server.stop()
    first, *others = log_files(server)
    assert others
    os.rename(first, first + ".aside")
    told = refused(server)
    assert others[0] in told and "is missing" in told and "elanus repair --data" in told, told
    shutil.copytree(server.data, server.data + ".lost")
    os.rename(first + ".aside", first)
    comes_back_with(server, ALL | more)
    server.stop()
    shutil.rmtree(server.data)
    shutil.copytree(server.data + ".lost", server.data)
    repaired(server)
    comes_back_with(server, IN_FILES)


def meta(server, pattern):
    return [path for path in glob.glob(os.path.join(server.data, "meta", pattern)) if os.path.getsize(path)]


def alter_all(pattern):
    def damage(server):
        for path in meta(server, pattern):
            alter(path, os.path.getsize(path) // 2)
    return damage


def remove_all(pattern):
    def damage(server):
        for path in meta(server, pattern):
            os.remove(path)
    return damage


def lose_catalog(server):
    shutil.rmtree(os.path.join(server.data, "meta"))


def lose_catalog_and_log(server):
    lose_catalog(server)
    lose_log(server)


def cut_catalog_log(share):
    def damage(server):
        for path in meta(server, "*.log"):
            os.truncate(path, int(os.path.getsize(path) * share))
    return damage


def lose_catalog_and_mark(server):
    """As of a build that did not write down which commit was the last."""
    lose_catalog(server)
    os.remove(os.path.join(server.data, "meta.last-commit"))


def damage_mark(server):
    with open(os.path.join(server.data, "meta.last-commit"), "r+b") as file:
        file.write(bytes(1024))


@pytest.mark.parametrize("damage", [alter_all("*.log"), alter_all("MANIFEST*"), remove_all("MANIFEST*"), remove_all("CURRENT"),
                                    remove_all("*.log"), cut_catalog_log(0.05), cut_catalog_log(0.999), lose_catalog,
                                    lose_catalog_and_log, lose_catalog_and_mark, damage_mark],
                         ids=["log altered", "manifest altered", "manifest gone", "current gone", "log gone", "log cut off",
                              "last change cut off", "all gone", "all and the log gone", "all and its mark gone",
                              "mark damaged"])
def test_a_damaged_catalog_is_put_back_with_the_whole_directory(server, damage):
    damage(server)
    for _ in range(2):  # What the first start may have left does not hide it from the second.
        told = refused(server)
        assert "data directory back from a copy" in told and ("meta" in told), told
    put_back(server)
    comes_back_with(server, ALL)


@pytest.mark.parametrize("has_mark", [True, False])
def test_a_catalog_that_is_older_than_the_log_is_refused(server, has_mark):
    """Only meta/ is put back, from a copy that is older than the rest: rows would be without a name."""
    server.start()
    client = MilvusClient(uri=server.uri)
    if not has_mark:
        time.sleep(3.5)  # Without the number of its last commit: the catalog writes its time down three seconds ahead.
    insert(client, "c", 5)
    make(client, "later", rows=10)
    client.flush("later")
    client.close()
    server.stop()
    newest = server.data + ".newest"
    shutil.copytree(server.data, newest)
    put_back(server, "meta")
    if not has_mark:
        os.remove(os.path.join(server.data, "meta.last-commit"))
    told = refused(server)
    words = "the catalog has lost its newest changes" if has_mark else "older than the log"
    assert words in told and "Put the whole data directory back from a copy" in told, told
    shutil.rmtree(server.data)
    shutil.copytree(newest, server.data)
    comes_back_with(server, ALL | set(range(5 * BATCH, 6 * BATCH)))


def changed_and_copied(change):
    """A change of the catalog alone, after a copy of meta/: no record of the log, no object tells of it."""
    def damage(server):
        server.start()
        client = MilvusClient(uri=server.uri)
        copy = os.path.join(server.data + ".before", "meta")
        shutil.copytree(os.path.join(server.data, "meta"), copy)
        change(client)
        client.close()
        server.kill()
        shutil.rmtree(os.path.join(server.data, "meta"))
        shutil.copytree(copy, os.path.join(server.data, "meta"))
    return damage


@pytest.mark.parametrize("change", [lambda client: make(client, "new", load=False), lambda client: client.drop_collection("c"),
                                    lambda client: client.release_collection("c"),
                                    lambda client: client.create_partition("c", "p")],
                         ids=["created", "dropped", "released", "a partition"])
def test_a_catalog_that_lost_one_change_is_refused(server, change):
    """Within the three seconds in which times tell nothing."""
    changed_and_copied(change)(server)
    told = refused(server)
    assert "the catalog has lost its newest changes" in told and "data directory back from a copy" in told, told


@pytest.mark.parametrize("damage", [lose_catalog, lose_catalog_and_log, lose_catalog_and_mark, cut_catalog_log(0.05)],
                         ids=["all gone", "all and the log gone", "all and its mark gone", "log cut off"])
@pytest.mark.parametrize("starts", [0, 1])
def test_tools_make_no_catalog_in_the_place_of_a_lost_one(server, damage, starts):
    damage(server)
    for _ in range(starts):
        refused(server)
    look, cut = commands()
    before = sorted(glob.glob(os.path.join(server.data, "meta", "CURRENT")))
    for command in (look, cut, "elanus log --data DIR"):
        code, words = typed(server, command)
        if command.startswith("elanus log") and starts and "mark" in damage.__name__:
            continue  # The start that was refused has left an empty one, of which there is nothing to list.
        assert code == 1 and "Put the whole data directory back from a copy" in words, (command, words)
    assert sorted(glob.glob(os.path.join(server.data, "meta", "CURRENT"))) == before
    put_back(server)
    comes_back_with(server, ALL)


def test_tools_refuse_a_folder_without_data(server):
    nowhere = server.data + ".misspelt"
    for command in commands() + ("elanus log --data DIR",):
        code, words = typed(server, command.replace("DIR", nowhere))
        assert code == 1 and "holds no data" in words, words
    assert not os.path.exists(nowhere)


@pytest.mark.parametrize("kind", ["segments/*/*/101.col", "segments/*/*/manifest", "deltas/*/*/*", "indexes/*/*/*"])
def test_a_damaged_object_is_put_back(server, kind):
    [path, *_] = glob.glob(os.path.join(server.data, "objects", kind))
    alter(path, os.path.getsize(path) // 2 if not kind.endswith(".col") else 260)
    server.start()
    client = MilvusClient(uri=server.uri)
    told = until_told(client, "c")
    key = os.path.relpath(path, os.path.join(server.data, "objects"))
    assert told.code == 1009 and key in told.message and "Restore it from a copy" in told.message, told
    client.close()
    server.stop()
    put_back(server, os.path.join("objects", key))
    comes_back_with(server, ALL)


def test_a_damaged_index_is_dropped_and_made_again(server):
    [path] = glob.glob(os.path.join(server.data, "objects", "indexes/*/*/*"))
    alter(path, os.path.getsize(path) // 2)
    server.start()
    client = MilvusClient(uri=server.uri)
    until_told(client, "c")
    client.release_collection("c")
    client.drop_index("c", "vector")
    add_index(client, "c", "HNSW")
    until_indexed(client, "c")
    client.load_collection("c")
    until_loaded(client, "c")
    assert keys_of(client, "c") == ALL
    first = vectors(BATCH, seed=1)
    assert client.search("c", data=[first[7].tolist()], limit=1, consistency_level="Strong")[0][0]["id"] == 7
    client.close()
    server.stop()
    comes_back_with(server, ALL)


def test_lost_objects_are_put_back_under_a_running_server(server):
    """The collection tries again by itself."""
    shutil.rmtree(os.path.join(server.data, "objects", "segments"))
    server.start()
    client = MilvusClient(uri=server.uri)
    told = until_told(client, "c")
    assert isinstance(told, MilvusException) and "manifest" in told.message, told
    put_back(server, os.path.join("objects", "segments"))
    until_loaded(client, "c", 60)
    assert keys_of(client, "c") == ALL
    client.close()
