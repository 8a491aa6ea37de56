"""Memory and disk: collections larger than what may be open, mapped and copied columns, and writes that are refused."""
import os
import re

import numpy as np
import pytest
from pymilvus import DataType, MilvusClient, MilvusException

from server_process import Server
from support import add_index, count, make, refused, row, vectors
from test_compaction import compact, until

L2 = 3  # SegmentLevel of the wire: clustered.
BUDGET_MB, ROWS, DIM, BATCH = 10, 100_000, 128, 5_000  # 51 MB of vectors.


def options(*pairs):
    return [argument for pair in pairs for argument in ["--set", pair]]


def heap_mb(server):
    with open(f"/proc/{server.process.pid}/status") as status:
        return int(re.search(r"RssAnon:\s+(\d+)", status.read()).group(1)) / 1024


def mapped_mb(server):
    """What is in memory of the data directory's files."""
    pages_kb, is_data = 0, False
    with open(f"/proc/{server.process.pid}/smaps") as maps:
        for line in maps:
            if re.match(r"[0-9a-f]+-", line):
                is_data = "/objects/" in line
            elif is_data and line.startswith("Rss:"):
                pages_kb += int(line.split()[1])
    return pages_kb / 1024


def nearest(data, query, k):
    return np.argsort(((data - query) ** 2).sum(axis=1), kind="stable")[:k].tolist()


def test_a_collection_five_times_larger_than_the_budget_answers(binary, tmp_path):
    arguments = options(f"queryNode.segcore.tieredStorage.memoryBudget={BUDGET_MB}", "dataCoord.segment.maxSize=1",
                        "dataCoord.compaction.enableAutoCompaction=false",
                        "indexCoord.segment.minSegmentNumRowsToEnableIndex=1000000")
    with Server(binary, str(tmp_path / "data"), arguments=arguments) as server:
        client = MilvusClient(uri=server.uri)
        data = vectors(ROWS, DIM)
        schema = client.create_schema(auto_id=False)
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM)
        client.create_collection("large", schema=schema)
        add_index(client, "large", "FLAT")
        for begin in range(0, ROWS, BATCH):
            client.insert("large", [{"id": i, "vector": data[i]} for i in range(begin, begin + BATCH)])
        client.flush("large")
        client.close()
        server.stop()
        server.start()
        client = MilvusClient(uri=server.uri)
        client.load_collection("large")
        for i in [0, 49_999, 99_999]:
            found = client.search("large", data=[data[i]], limit=10, output_fields=["vector"],
                                  consistency_level="Strong")[0]
            assert [hit["id"] for hit in found] == nearest(data, data[i], 10)
            for hit in found:
                assert np.array_equal(np.asarray(hit["entity"]["vector"], np.float32), data[hit["id"]])
        assert count(client, "large") == ROWS
        mapped = mapped_mb(server)
        print(f"\n{data.nbytes / 2**20:.0f} MB of vectors, budget {BUDGET_MB} MB: {mapped:.1f} MB in memory, "
              f"{server.rss_mb():.0f} MB in all")
        assert mapped < 1.5 * BUDGET_MB
        client.close()


def test_columns_are_mapped_or_copied_as_the_collection_says_and_that_changes_while_released(binary, tmp_path):
    with Server(binary, str(tmp_path / "data")) as server:
        client = MilvusClient(uri=server.uri)
        data = make(client, "c", rows=20_000, dim=DIM)
        client.flush("c")
        expected = nearest(data, data[7], 5)

        def search():
            found = client.search("c", data=[data[7]], limit=5, consistency_level="Strong")[0]
            return [hit["id"] for hit in found]

        until(lambda: search() == expected, "the search is right")
        with refused(104):
            client.alter_collection_properties("c", {"mmap.enabled": "false"})
        client.release_collection("c")
        with refused(1100):
            client.alter_collection_properties("c", {"mmap.enabled": "perhaps"})
        with refused(1100):
            client.alter_collection_properties("c", {"warmup.vectorField": "always"})
        client.alter_collection_properties("c", {"mmap.enabled": "false", "warmup.vectorField": "sync"})
        client.close()
        server.stop()
        server.start()  # With none of the memory that rows had before they were flushed.
        client = MilvusClient(uri=server.uri)
        before = heap_mb(server)
        client.load_collection("c")
        assert search() == expected
        assert heap_mb(server) - before > 0.8 * data.nbytes / 2**20
        client.close()


def test_writes_are_refused_at_the_mark_of_memory_and_reads_go_on(binary, tmp_path):
    data_folder = str(tmp_path / "data")
    with Server(binary, data_folder) as server:
        client = MilvusClient(uri=server.uri)
        made = make(client, "c", rows=100)
        client.close()
    marks = ["High", "Low"]
    arguments = options(*[f"quotaAndLimits.limitWriting.memProtection.dataNodeMemory{mark}WaterLevel=0" for mark in marks])
    with Server(binary, data_folder, arguments=arguments) as server:
        client = MilvusClient(uri=server.uri)
        with refused(9, "memory quota exceeded"):
            client.insert("c", [row(1000, made[0])])
        with refused(9, "memory quota exceeded"):
            client.delete("c", filter="id == 1")
        assert count(client, "c") == 100
        client.close()


def total_mb():
    """The machine's memory, or what its group may have of it."""
    with open("/proc/meminfo") as info:
        total = int(re.search(r"MemTotal:\s+(\d+)", info.read()).group(1)) / 1024
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            with open(path) as limit:
                total = min(total, int(limit.read()) / 2**20)
        except (OSError, ValueError):  # No such group, or no limit.
            pass
    return total


def test_writes_go_on_below_the_low_mark_once_rows_are_in_files(binary, tmp_path):
    data_folder = str(tmp_path / "data")
    with Server(binary, data_folder) as server:
        make(MilvusClient(uri=server.uri), "c", dim=512)
        base = heap_mb(server)
    key = "quotaAndLimits.limitWriting.memProtection.dataNodeMemory{}WaterLevel={}"
    high, low = ((base + more) / total_mb() for more in (160, 120))
    arguments = options(key.format("High", high), key.format("Low", low), "quotaAndLimits.quotaCenterCollectInterval=20",
                        "dataCoord.compaction.enableAutoCompaction=false")
    with Server(binary, data_folder, arguments=arguments) as server:
        client = MilvusClient(uri=server.uri)
        client.load_collection("c")
        data = vectors(BATCH, 512)
        rows = 0

        def insert():
            client.insert("c", [row(rows + i, data[i]) for i in range(BATCH)])

        with refused(9, "memory quota exceeded"):
            while rows < 100 * BATCH:  # 10 MB each.
                insert()
                rows += BATCH
        assert heap_mb(server) > base + 100
        assert count(client, "c") == rows
        hit = client.search("c", data=[data[7]], limit=1, consistency_level="Strong")[0][0]
        assert hit["id"] % BATCH == 7 and hit["distance"] == 0
        with refused(9, "memory quota exceeded"):
            client.delete("c", ids=[1])
        client.flush("c")

        def taken():
            try:
                insert()
            except MilvusException as refusal:
                assert refusal.code == 9, refusal
                return False
            return True

        until(taken, "writes go on")
        assert count(client, "c") == rows + BATCH
        client.close()


def test_inserts_are_refused_while_the_disk_quota_is_used_up_and_deletes_are_not(binary, tmp_path):
    arguments = options("quotaAndLimits.limitWriting.diskProtection.diskQuota=1",
                        "quotaAndLimits.quotaCenterCollectInterval=20")
    with Server(binary, str(tmp_path / "data"), arguments=arguments) as server:
        client = MilvusClient(uri=server.uri)
        data = make(client, "c", rows=4_000, dim=DIM)
        client.flush("c")

        def is_refused(name):
            try:
                client.insert(name, [row(9_999, data[0])])
            except Exception as error:
                assert error.code == 9 and "disk quota exceeded" in error.message
                return True
            return False

        until(lambda: is_refused("c"), "inserts are refused")
        client.delete("c", ids=[1, 2])
        assert count(client, "c", "id in [1, 2, 3]") == 1
        make(client, "other", dim=DIM)
        client.drop_collection("c")
        until(lambda: not is_refused("other"), "inserts go on")
        client.close()


def test_clustering_compaction_puts_rows_in_order_and_changes_no_answer(binary, tmp_path):
    arguments = options("dataCoord.segment.maxSize=1", "dataCoord.compaction.enableAutoCompaction=false")
    with Server(binary, str(tmp_path / "data"), arguments=arguments) as server:
        client = MilvusClient(uri=server.uri)
        schema = client.create_schema(auto_id=False)
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("when", DataType.INT64, is_clustering_key=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM)
        client.create_collection("c", schema=schema)
        add_index(client, "c", "FLAT")
        data = vectors(8_000, DIM)
        order = np.random.default_rng(3).permutation(8_000)
        for begin in range(0, 8_000, 2_000):
            client.insert("c", [{"id": i, "when": int(order[i]), "vector": data[i]} for i in range(begin, begin + 2_000)])
            client.flush("c")
        client.load_collection("c")

        def answers():
            rows = client.query("c", filter="when >= 1000 and when < 1100", output_fields=["when"],
                                consistency_level="Strong")
            found = client.search("c", data=[data[5]], limit=10, filter="when < 4000", consistency_level="Strong")[0]
            return [(r["id"], r["when"]) for r in rows], [hit["id"] for hit in found], count(client, "c")

        before = answers()
        assert len(before[0]) == 100
        compact(client, "c", is_clustering=True)
        assert answers() == before
        assert {info.level for info in client._get_connection().get_persistent_segment_infos("c")} == {L2}
        with open(server.log_path) as log:
            assert int(re.findall(r"compacted .* outputs=(\d+)", log.read())[-1]) > 2
        client.close()


@pytest.mark.parametrize("kind, code", [("missing", 2304), ("vector", 107)])
def test_clustering_needs_a_key_of_one_value(client, name, kind, code):
    if kind == "missing":
        make(client, name, rows=10)
        with refused(code):
            client.compact(name, is_clustering=True)
        return
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM, is_clustering_key=True)
    with refused(code):
        client.create_collection(name, schema=schema)


def test_rows_that_grow_in_many_collections_are_flushed_before_memory_is_short(binary, tmp_path):
    """None of them is large, old or idle enough; together they are too much, so the largest go."""
    arguments = options("dataCoord.sealPolicy.channel.growingSegmentsMemSize=8",
                        "dataCoord.compaction.enableAutoCompaction=false")
    sizes = {"small": 1_000, "middle": 7_000, "large": 16_000}  # 0.5, 3.5 and 8 MB of vectors.
    with Server(binary, str(tmp_path / "data"), arguments=arguments) as server:
        client = MilvusClient(uri=server.uri)
        data = vectors(max(sizes.values()), DIM)
        for name in sizes:
            make(client, name, dim=DIM)
        for name, rows in sizes.items():
            for begin in range(0, rows, BATCH):
                client.insert(name, [row(i, data[i]) for i in range(begin, min(begin + BATCH, rows))])
        collections = {name: client.describe_collection(name)["collection_id"] for name in sizes}

        def is_flushed(name):
            return os.path.isdir(os.path.join(server.data, "objects", "segments", str(collections[name])))

        until(lambda: is_flushed("large") or is_flushed("middle"), "the largest is flushed")
        assert not is_flushed("small")
        for name, rows in sizes.items():
            assert count(client, name) == rows
        client.close()


# (properties of the collection, what the vector field says, whether vectors are open after the load; of texts the same)
WARMUPS = {"as the server has it": ({}, None, False, True),
           "vectors at the load": ({"warmup.vectorField": "sync"}, None, True, True),
           "vectors behind it": ({"warmup.vectorField": "async"}, None, True, True),
           "nothing": ({"warmup.vectorField": "disable", "warmup.scalarField": "disable"}, None, False, False),
           "texts behind it": ({"warmup.scalarField": "async"}, None, False, True),
           "the field before the collection": ({"warmup.vectorField": "disable"}, "sync", True, True),
           "the field alone": ({"warmup.vectorField": "sync"}, "disable", False, True)}


@pytest.mark.parametrize("case", list(WARMUPS))
def test_what_is_to_be_warm_is_open_after_a_load_and_the_rest_when_it_is_asked_for(client, name, case):
    properties, of_field, has_vectors, has_texts = WARMUPS[case]
    rows, dim = 900, 512  # No index is built of so few: 1.8 MB of vectors, 58 KB of texts, 22 KB of the rest.
    vectors_kb, texts_kb = rows * dim * 4 / 1000, rows * 64 / 1000
    make(client, name, dim=dim, load=False, properties=properties)
    if of_field:
        client.alter_collection_field(name, "vector", field_params={"warmup": of_field})
    data = vectors(rows, dim)
    client.insert(name, [{**row(i, data[i]), "name": "x" * 64} for i in range(rows)])
    client.flush(name)
    client.load_collection(name)

    def open_kb():
        [one] = client.list_loaded_segments(name)
        return one.mem_size / 1000
    least = 2 * 8 * rows / 1000 + has_vectors * vectors_kb + has_texts * texts_kb
    until(lambda: open_kb() >= least, f"{least} KB are open: {open_kb()}")
    if not has_vectors:
        assert open_kb() < vectors_kb
    if not has_vectors and not has_texts:
        assert open_kb() < texts_kb
    assert client.search(name, [data[7]], limit=1, output_fields=["name"], consistency_level="Strong")[0][0]["id"] == 7
    assert open_kb() >= vectors_kb + texts_kb
