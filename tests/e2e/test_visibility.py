"""Who sees a write, and when: own and other connections, the four levels, growing and sealed rows."""
import threading
import time

import pytest
from pymilvus import MilvusClient

from support import DIM, count, make, row, vectors
from wire import calls, column, insert_request, query_request, search_request

LEVELS = ["Strong", "Session", "Bounded", "Eventually"]


@pytest.fixture
def other(server):
    """A second connection, which knows nothing of what the first one wrote."""
    made = MilvusClient(uri=server.uri)
    yield made
    made.close()


def seen(reader, name, key, vector):
    """What a Strong query and a Strong search say about the row: its group, or None."""
    found = reader.query(name, filter=f"id == {key}", output_fields=["group"], consistency_level="Strong")
    hits = reader.search(name, [vector], limit=3, output_fields=["group"], consistency_level="Strong")[0]
    hits = [hit for hit in hits if hit["id"] == key]
    by_query = found[0]["group"] if found else None
    by_search = hits[0]["entity"]["group"] if hits else None
    assert by_query == by_search and len(found) <= 1 and len(hits) <= 1
    return by_query


@pytest.mark.parametrize("sealed", [False, True], ids=["growing", "sealed"])
@pytest.mark.parametrize("reads", ["the writer", "another connection"])
def test_strong_sees_every_write_at_once(client, other, name, reads, sealed):
    reader = client if reads == "the writer" else other
    data = make(client, name, rows=50)
    new = vectors(100, seed=5)
    if sealed:
        client.flush(name)
    for i in range(20):
        key = i if i % 2 else 1000 + i
        client.upsert(name, [{**row(key, new[i]), "group": 500 + i}])
        assert seen(reader, name, key, new[i]) == 500 + i
        client.insert(name, [row(2000 + i, new[40 + i])])
        assert seen(reader, name, 2000 + i, new[40 + i]) == (2000 + i) % 10
        client.delete(name, ids=[key])
        assert seen(reader, name, key, new[i]) is None
        client.delete(name, filter=f"id + 0 == {2000 + i}")
        assert seen(reader, name, 2000 + i, new[40 + i]) is None
        client.insert(name, [row(2000 + i, new[60 + i])])
        assert seen(reader, name, 2000 + i, new[60 + i]) == (2000 + i) % 10
    untouched = [i for i in range(50) if i >= 20 or i % 2 == 0]
    assert count(reader, name) == len(untouched) + 20
    assert all(seen(reader, name, i, data[i]) == i % 10 for i in untouched[:5])


@pytest.mark.parametrize("level", LEVELS)
def test_reads_are_never_behind_another_writer(client, other, name, level):
    """While one connection writes, every count of another is at least what was acknowledged before it began: the levels
    differ only in whether a read waits for what is on its way."""
    make(client, name)
    acknowledged, stop = [0], threading.Event()

    def write():
        data = vectors(4000, seed=3)
        for i in range(4000):
            if stop.is_set():
                return
            client.insert(name, [row(i, data[i])])
            acknowledged[0] = i + 1
    writer = threading.Thread(target=write)
    writer.start()
    try:
        end, rounds = time.monotonic() + 2, 0
        while time.monotonic() < end:
            before = acknowledged[0]
            assert other.query(name, output_fields=["count(*)"], consistency_level=level)[0]["count(*)"] >= before
            assert len(other.search(name, [[0.0] * DIM], limit=16384, consistency_level=level)[0]) >= before
            rounds += 1
    finally:
        stop.set()
        writer.join()
    assert rounds >= 10 and acknowledged[0] >= 10
    assert count(other, name) == acknowledged[0]


@pytest.mark.parametrize("level", LEVELS)
def test_an_insert_is_seen_whole(client, other, name, level):
    """Its rows go to several shards, none of which shows a read what another does not."""
    make(client, name, num_shards=4, level=level)
    data = vectors(64, seed=4)
    for turn in range(60):
        client.insert(name, [row(64 * turn + i, data[i]) for i in range(64)])
        found = other.query(name, output_fields=["count(*)"])[0]["count(*)"]
        assert found == 64 * (turn + 1)
        pages = other.search_iterator(name, [data[0]], 16384)
        assert len(pages.next()) == 64 * (turn + 1)
        pages.close()


@pytest.mark.parametrize("level", LEVELS)
def test_each_level_sees_what_it_promises(client, other, name, level):
    """All of them see what was acknowledged, own or not."""
    data = make(client, name, rows=20)
    writer = client

    def read(reader):
        return {r["id"] for r in reader.query(name, filter="id >= 0", output_fields=["id"], consistency_level=level)}

    def found(reader):
        return {hit["id"] for hit in reader.search(name, [data[0]], limit=100, consistency_level=level)[0]}
    more = vectors(5, seed=9)
    for i in range(5):
        writer.insert(name, [row(100 + i, more[i])])
        writer.delete(name, ids=[i])
        expected = {*range(i + 1, 20), *range(100, 101 + i)}
        assert read(writer) == found(writer) == expected
        assert read(other) == found(other) == expected


@pytest.mark.parametrize("level", LEVELS)
def test_the_level_of_the_collection_holds_when_a_read_names_none(client, other, name, level):
    make(client, name, level=level)
    assert client.describe_collection(name)["consistency_level"] == LEVELS.index(level)
    for i, vector in enumerate(vectors(10)):
        client.insert(name, [row(i, vector)])
        assert len(other.query(name, filter="id >= 0", output_fields=["id"])) == i + 1
        assert len(client.query(name, filter="id >= 0", output_fields=["id"])) == i + 1


def test_a_read_may_wait_for_a_timestamp_of_its_own(server, client, name):
    """A write's timestamp as the guarantee of a read on another connection: what Session is made of."""
    make(client, name)
    with calls(server.address) as writer, calls(server.address) as reader:
        for i, vector in enumerate(vectors(20)):
            written = writer("Insert", insert_request(name, [
                column("id", "Int64", [i]), column("group", "Int64", [0]), column("name", "VarChar", [""]),
                column("vector", "FloatVector", vector, DIM)], rows=1))
            assert written.status.code == 0 and written.timestamp > 0
            query = query_request(name, output=["id"])
            search = search_request(name, [vector], topk="1")
            for method, request in (("Query", query), ("Search", search)):
                request.consistency_level, request.guarantee_timestamp = 1, written.timestamp
                answer = reader(method, request)
                assert answer.status.code == 0
                if method == "Query":
                    assert len(answer.fields_data[0].scalars.long_data.data) == i + 1
                else:
                    assert list(answer.results.ids.int_id.data) == [i]


def test_an_upsert_is_never_seen_half_done(client, other, name):
    """Readers find exactly one version of a row while it is replaced over and over, also across a flush."""
    data = make(client, name, rows=10)
    stop = threading.Event()

    def write():
        version = 1000
        while not stop.is_set():
            version += 1
            client.upsert(name, [{**row(3, data[3]), "group": version}])
            if version % 50 == 0:
                client.flush(name)
    writer = threading.Thread(target=write)
    writer.start()
    try:
        newest, rounds, end = 0, 0, time.monotonic() + 2
        while time.monotonic() < end:
            found = other.query(name, filter="id == 3", output_fields=["group"], consistency_level="Strong")
            hits = other.search(name, [data[3]], limit=10, output_fields=["group"], consistency_level="Strong")[0]
            assert len(found) == 1 and len(hits) == 10 and hits[0]["id"] == 3
            assert count(other, name) == 10
            assert newest <= found[0]["group"] <= hits[0]["entity"]["group"]
            newest, rounds = hits[0]["entity"]["group"], rounds + 1
    finally:
        stop.set()
        writer.join()
    assert rounds >= 10 and newest >= 1010
