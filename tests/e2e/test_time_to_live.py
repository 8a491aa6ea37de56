"""Rows that end: by their own moment or by the collection's age; through flushes, kills, compaction and changes of mind."""
import inspect
import time
from datetime import datetime, timedelta, timezone

import pytest
from pymilvus import AnnSearchRequest, DataType, MilvusClient, RRFRanker
from server_process import Server
from support import add_index, count, make, refused, row, settings, vectors
from test_compaction import OPTIONS, compact, files, until

pytestmark = pytest.mark.skipif(not hasattr(DataType, "TIMESTAMPTZ"), reason="the SDK has no moments")


@pytest.fixture
def tidy(binary, tmp_path):
    with Server(binary, str(tmp_path / "data"), arguments=OPTIONS) as running:
        yield running


def keys(client, name, text="id >= 0", **more):
    return sorted(one["id"] for one in client.query(name, filter=text, limit=1000, consistency_level="Strong", **more))


def restarted(server, kill=True):
    server.kill() if kill else server.stop()
    server.start()
    client = MilvusClient(uri=server.uri)
    until(lambda: str(client.get_load_state("c")["state"]) == "Loaded", "the collection loads")
    return client


def moment(seconds):
    return (datetime.now(timezone.utc) + timedelta(seconds=seconds)).isoformat()


def test_rows_live_until_the_moment_in_their_own_field(tidy):
    client = MilvusClient(uri=tidy.uri)
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("until", DataType.TIMESTAMPTZ, nullable=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=8)
    client.create_collection("c", schema=schema, properties={"ttl_field": "until"})
    add_index(client, "c", "FLAT")
    client.load_collection("c")
    data = vectors(100)
    soon_s = 15
    begun = time.monotonic()

    def rows(ids, until_s):
        return [{"id": i, "until": until_s if until_s is None else moment(until_s), "vector": data[i % 100]} for i in ids]
    # Ten that have ended, ten that end soon, ten that last and ten without an end; half of each in files.
    for part in (range(0, 5), range(5, 10)):
        for group, end in enumerate((-5, soon_s, 3600, None)):
            client.insert("c", rows([group * 10 + i for i in part], end))
        if part.start == 0:
            client.flush("c")

    def look(alive):
        assert keys(client, "c") == alive
        assert count(client, "c") == len(alive)
        assert [one["id"] for one in client.get("c", ids=[0, 9, 20, 39])] == [i for i in (0, 9, 20, 39) if i in alive]
        hits = client.search("c", data=[data[3].tolist()], limit=100, consistency_level="Strong")[0]
        assert sorted(hit["id"] for hit in hits) == alive
    first = list(range(10, 40))
    look(first)
    client = restarted(tidy)
    assert time.monotonic() - begun < soon_s - 3, "the machine is too slow for this test"
    look(first)
    # Written again, a row has the end that it has now.
    client.upsert("c", rows([3, 15], 3600))
    client.upsert("c", rows([30], -5))
    first = sorted({*first, 3} - {30})
    look(first)
    until(lambda: count(client, "c") < len(first), "those that end soon end", 30)
    time.sleep(1)
    last = [3, 15, *range(20, 30), *range(31, 40)]
    look(last)
    client = restarted(tidy)
    look(last)
    # A delete of what has ended deletes nothing that lives.
    client.delete("c", filter="id < 10")
    last.remove(3)
    client.flush("c")
    compact(client, "c")
    look(last)
    segments = client._get_connection().get_persistent_segment_infos("c")
    assert sum(segment.num_rows for segment in segments) == len(last), "what has ended is gone for good"
    client = restarted(tidy, kill=False)
    look(last)
    client.drop_collection_properties("c", ["ttl_field"])
    look(last)
    client.insert("c", rows([50], -5))
    look(sorted([*last, 50]))
    client.close()


def test_reads_in_several_steps_see_no_row_that_ended_since_the_last_write(tidy):
    """Hybrid searches, searches by key, strict groups and partial updates read twice, at the moment of the newest write."""
    client = MilvusClient(uri=tidy.uri)
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("group", DataType.INT64)
    schema.add_field("until", DataType.TIMESTAMPTZ, nullable=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=8)
    client.create_collection("c", schema=schema, properties={"ttl_field": "until"}, consistency_level="Strong")
    add_index(client, "c", "FLAT")
    client.load_collection("c")
    data = vectors(40)
    ends = moment(4)
    for part in (range(0, 20), range(20, 40)):  # The even ones end; half in files.
        client.insert("c", [{"id": i, "group": i % 4, "until": None if i % 2 else ends, "vector": data[i]} for i in part])
        if part.start == 0:
            client.flush("c")
    until(lambda: count(client, "c") == 20, "half of them end", 20)
    time.sleep(1)
    alive = list(range(1, 40, 2))

    def hybrid(**more):
        asks = [AnnSearchRequest(data=[data[i].tolist()], anns_field="vector", param={}, limit=40) for i in (0, 7)]
        return sorted(hit["id"] for hit in client.hybrid_search("c", asks, RRFRanker(), limit=40, **more)[0])
    assert hybrid() == alive
    assert hybrid(output_fields=["group"]) == alive
    if "ids" in inspect.signature(client.search).parameters:
        found = client.search("c", ids=[7], anns_field="vector", limit=40)[0]
        assert sorted(hit["id"] for hit in found) == alive
    groups = client.search("c", data=[data[0].tolist()], limit=4, group_by_field="group", group_size=10,
                           strict_group_size=True)[0]
    assert sorted(hit["id"] for hit in groups) == alive
    # What has ended is not there to be updated in part.
    with refused(1100):
        client.upsert("c", [{"id": 2, "group": 77}], partial_update=True)
    client.upsert("c", [{"id": 3, "group": 77}], partial_update=True)
    assert keys(client, "c", "group == 77") == [3]
    client.close()


def drained(pages, of=lambda one: one["id"]):
    given = []
    while page := pages.next():
        given += [of(one) for one in page]
    pages.close()
    return sorted(given)


@pytest.mark.parametrize("level", ["Strong", "Session", "Bounded", "Eventually"])
@pytest.mark.parametrize("kind", ["age", "field"])
def test_an_iterator_gives_nothing_that_ended_before_its_first_page(tidy, kind, level):
    """Nobody writes meanwhile: the shards' newest writes are as old as the rows."""
    client = MilvusClient(uri=tidy.uri)
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("until", DataType.TIMESTAMPTZ, nullable=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=8)
    properties = {"collection.ttl.seconds": "3"} if kind == "age" else {"ttl_field": "until"}
    client.create_collection("c", schema=schema, properties=properties, consistency_level=level, num_shards=2)
    add_index(client, "c", "FLAT")
    client.load_collection("c")
    data = vectors(40)
    for part in (range(0, 20), range(20, 40)):  # Half in files. Of those with ends of their own the even ones end.
        client.insert("c", [{"id": i, "until": None if i % 2 else moment(3), "vector": data[i]} for i in part])
        if part.start == 0:
            client.flush("c")
    alive = [] if kind == "age" else list(range(1, 40, 2))

    def look():
        assert drained(client.query_iterator("c", batch_size=7, filter="id >= 0")) == alive
        assert drained(client.search_iterator("c", data=[data[0].tolist()], batch_size=7), lambda hit: hit["id"]) == alive
    until(lambda: count(client, "c") == len(alive), "they end", 20)
    look()
    client = restarted(tidy)
    look()
    client.close()


@pytest.mark.parametrize("kind", ["age", "field"])
def test_pages_of_an_iterator_agree_on_what_has_ended(tidy, kind):
    """What ends between its pages is still given: they are of one moment, through compactions and a kill too."""
    client = MilvusClient(uri=tidy.uri)
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("until", DataType.TIMESTAMPTZ, nullable=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=8)
    properties = {"collection.ttl.seconds": "5"} if kind == "age" else {"ttl_field": "until"}
    client.create_collection("c", schema=schema, properties=properties)
    add_index(client, "c", "FLAT")
    client.load_collection("c")
    data = vectors(40)
    client.insert("c", [{"id": i, "until": moment(-1), "vector": data[i]} for i in range(10)])  # By field these have ended.
    client.insert("c", [{"id": i, "until": moment(5), "vector": data[i]} for i in range(10, 40)])
    client.flush("c")
    there = list(range(0 if kind == "age" else 10, 40))
    by_key = client.query_iterator("c", batch_size=7, filter="id >= 0")
    by_distance = client.search_iterator("c", data=[data[0].tolist()], batch_size=7)
    keys_given, hits_given = [one["id"] for one in by_key.next()], [hit["id"] for hit in by_distance.next()]
    assert count(client, "c") == len(there), "the machine is too slow for this test"
    until(lambda: count(client, "c") == 0, "they end", 20)
    time.sleep(1)
    compact(client, "c")
    keys_given += [one["id"] for one in by_key.next()]
    hits_given += [hit["id"] for hit in by_distance.next()]
    tidy.kill()
    tidy.arguments += ["--port", str(tidy.port)]
    tidy.start()
    until(lambda: str(client.get_load_state("c")["state"]) == "Loaded", "the collection loads")
    assert sorted(keys_given + drained(by_key)) == there
    assert sorted(hits_given + drained(by_distance)) == there
    assert keys(client, "c") == []
    assert drained(client.query_iterator("c", batch_size=7, filter="id >= 0")) == []
    client.close()


def test_the_age_of_rows_goes_on_while_the_server_is_down(tidy):
    client = MilvusClient(uri=tidy.uri)
    make(client, "c", index="FLAT", properties={"collection.ttl.seconds": "6"})
    data = vectors(90)
    client.insert("c", [row(i, data[i]) for i in range(30)])
    client.flush("c")
    client.insert("c", [row(i, data[i]) for i in range(30, 60)])  # In the log alone.
    assert count(client, "c") == 60
    tidy.kill()
    time.sleep(6)
    tidy.start()
    client = MilvusClient(uri=tidy.uri)
    until(lambda: str(client.get_load_state("c")["state"]) == "Loaded", "the collection loads")
    assert keys(client, "c") == [], "not one of them is seen again"
    client.insert("c", [row(i, data[i]) for i in range(60, 90)])
    assert keys(client, "c") == list(range(60, 90))
    # A row that is written again begins anew.
    client.alter_collection_properties("c", {"collection.ttl.seconds": "100000"})
    until(lambda: count(client, "c") == 90, "there is time for all of them now", 10)
    client.upsert("c", [row(i, data[i]) for i in range(10)])
    client.alter_collection_properties("c", {"collection.ttl.seconds": "4"})
    until(lambda: count(client, "c") == 0, "all of them end", 20)
    client.close()


def test_what_has_ended_leaves_the_disk_without_being_asked(binary, tmp_path):
    options = [*OPTIONS, "--set", "dataCoord.compaction.mix.triggerInterval=1"]
    with Server(binary, str(tmp_path / "data"), arguments=options) as server:
        client = MilvusClient(uri=server.uri)
        make(client, "c", index="FLAT", properties={"collection.ttl.seconds": "5"})
        data = vectors(200)
        client.insert("c", [row(i, data[i]) for i in range(100)])
        client.flush("c")
        before = set(files(server, "segments"))
        assert before
        until(lambda: not before & set(files(server, "segments")), "its files go", 40)
        client.insert("c", [row(i, data[i]) for i in range(100, 200)])
        assert count(client, "c") == 100
        client.close()


def test_a_restored_collection_keeps_the_ages_of_its_rows(tidy):
    client = MilvusClient(uri=tidy.uri)
    if not hasattr(client, "create_snapshot"):
        pytest.skip("the SDK has no snapshots")
    make(client, "c", rows=50, index="FLAT")
    client.flush("c")
    client.create_snapshot("s", "c")
    written = time.monotonic()
    job = client.restore_snapshot("s", "c", "again")
    until(lambda: client.get_restore_snapshot_state(job).state == "RestoreSnapshotCompleted", "it is restored")
    client.load_collection("again")
    assert count(client, "again") == 50
    client.alter_collection_properties("again", {"collection.ttl.seconds": "3"})
    time.sleep(max(0.0, 4 - (time.monotonic() - written)))
    until(lambda: count(client, "again") == 0, "they are as old as they were", 10)
    assert count(client, "c") == 50
    client.close()


def test_the_age_of_the_server_is_that_of_collections_that_name_none(binary, tmp_path):
    options = [*OPTIONS, *settings({"common.entityExpiration": 4, "dataCoord.compaction.mix.triggerInterval": 1,
                                    "dataCoord.compaction.expiry.tolerance": 0})]
    with Server(binary, str(tmp_path / "data"), arguments=options) as server:
        client = MilvusClient(uri=server.uri)
        ages = {"none": None, "never": "-1", "off": "0", "longer": "3600"}
        data = vectors(50)
        for name, age in ages.items():
            make(client, name, properties={"collection.ttl.seconds": age} if age else {})
        for name in ages:
            client.insert(name, [row(i, data[i]) for i in range(50)])
            client.flush(name)
        begun = time.monotonic()
        assert count(client, "longer") == 50
        until(lambda: count(client, "none") == 0, "its rows end", 20)
        assert time.monotonic() - begun < 15
        until(lambda: int(client.get_collection_stats("none")["row_count"]) == 0, "they leave the disk", 60)
        client.insert("none", [row(i, data[i]) for i in range(3)])
        assert keys(client, "none") == [0, 1, 2]
        assert [count(client, name) for name in ("never", "off", "longer")] == [50, 50, 50]
        client.close()
    with Server(binary, str(tmp_path / "data")) as server:  # Without it they do not end.
        client = MilvusClient(uri=server.uri)
        until(lambda: str(client.get_load_state("none")["state"]) == "Loaded", "the collection loads")
        client.insert("none", [row(9, data[9])])
        time.sleep(5)
        assert 9 in keys(client, "none")
        client.close()
