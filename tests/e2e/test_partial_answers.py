"""Answers without what cannot be read, where `proxy.partialResultRequiredDataRatio` lets a read do without it: a segment's
file is damaged on the disk of a server whose memory holds no columns, so that reads find it out, not the load."""
import glob
import os
import re

import pytest
from pymilvus import DataType, MilvusClient, MilvusException
from server_process import Server
from support import DIM, add_index, count, metric, row, settings, vectors
from test_damage import DAMAGED, alter, said

BATCH = 400
# Columns and indexes are closed again at once, and opened by the read that needs them.
SMALL_CACHE = {"queryNode.segcore.tieredStorage.memoryBudget": 1,
               "queryNode.segcore.tieredStorage.memoryHighWatermarkRatio": 0.01,
               "queryNode.segcore.tieredStorage.memoryLowWatermarkRatio": 0,
               **{f"queryNode.segcore.tieredStorage.warmup.{kind}": "disable"
                  for kind in ("vectorField", "vectorIndex", "scalarField", "scalarIndex")},
               "dataCoord.compaction.enableAutoCompaction": "false"}


@pytest.fixture(scope="module")
def damaged(binary, tmp_path_factory):
    """A stopped server with three segments of a shard, of which the second has a damaged file of the field `name`."""
    server = Server(binary, str(tmp_path_factory.mktemp("partial") / "data"), arguments=settings(SMALL_CACHE))
    with server:
        client = MilvusClient(uri=server.uri)
        schema = client.create_schema(auto_id=False)
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("group", DataType.INT64)
        schema.add_field("name", DataType.VARCHAR, max_length=64)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM)
        client.create_collection("c", schema=schema)
        data = vectors(3 * BATCH)
        for begin in range(0, 3 * BATCH, BATCH):
            client.insert("c", [row(i, data[i]) for i in range(begin, begin + BATCH)])
            client.flush("c")
        add_index(client, "c", "FLAT")
        description = client.describe_collection("c")
        [field] = [one["field_id"] for one in description["fields"] if one["name"] == "name"]
        found = sorted(glob.glob(os.path.join(server.data, "objects", "segments", str(description["collection_id"]), "*",
                                              f"{field}.col")))
        assert len(found) == 3
        server.stop()
        # Among the texts themselves, which is what a filter reads.
        with open(found[1], "rb") as file:
            at = file.read().index(b"row %d" % BATCH) + 1
        alter(found[1], at)
        yield server, found[1], at, data


@pytest.fixture
def started(damaged, request):
    """The server with the ratio of the test."""
    server, path, at, data = damaged
    plain = server.arguments
    server.arguments = plain + settings({"proxy.partialResultRequiredDataRatio": request.param})
    server.start()
    server.arguments = plain
    client = MilvusClient(uri=server.uri)
    client.load_collection("c")
    yield server, client, path, at, data
    client.close()
    server.stop()


def reads(client, data):
    """Three reads that need the names of all rows: the keys that a search and a query find, and a count."""
    every = "name like '%ow%'"
    return (lambda: [hit["id"] for hit in client.search("c", [data[BATCH + 1].tolist()], limit=4 * BATCH, filter=every,
                                                        consistency_level="Strong")[0]],
            lambda: [one["id"] for one in client.query("c", filter=every, limit=4 * BATCH, consistency_level="Strong")],
            lambda: count(client, "c", every))


def agree(client, data, keys):
    searched, queried, counted = (read() for read in reads(client, data))
    assert sorted(searched) == keys
    assert queried == keys
    assert counted == len(keys)


@pytest.mark.parametrize("started", [0.6], indirect=True)
def test_an_answer_goes_without_a_segment_that_cannot_be_read(started):
    server, client, path, at, data = started
    readable = [i for i in range(3 * BATCH) if not BATCH <= i < 2 * BATCH]
    agree(client, data, readable)
    # What was left out is said: by segment and file in the log, by number in the metrics.
    key = os.path.relpath(path, os.path.join(server.data, "objects"))
    told = re.findall(r"a read goes without a segment segment=(\d+) rows=(\d+) error=\"(.*)\"", said(server))
    assert len(told) >= 3 and all(segment in key and rows == str(BATCH) and key in error for segment, rows, error in told)
    for kind, answers in (("search", 1), ("query", 2)):
        assert metric(server, "milvus_querynode_partial_result_count", query_type=kind) == answers
    # Reads that do not need the file are whole, and so are all once it is restored.
    assert count(client, "c", "id >= 0") == 3 * BATCH
    assert len(client.search("c", [data[0].tolist()], limit=3 * BATCH, consistency_level="Strong")[0]) == 3 * BATCH
    alter(path, at)
    try:
        client.release_collection("c")
        client.load_collection("c")
        agree(client, data, list(range(3 * BATCH)))
    finally:
        alter(path, at)


@pytest.mark.parametrize("started", [0.7, 1], indirect=True)
def test_an_answer_that_would_cover_too_little_is_none(started):
    _, client, path, _, data = started
    for read in reads(client, data):
        with pytest.raises(MilvusException) as refused:
            read()
        assert refused.value.code == DAMAGED and os.path.basename(path) in refused.value.message
    assert count(client, "c", "id >= 0") == 3 * BATCH


@pytest.mark.parametrize("started", [0.6], indirect=True)
def test_rows_that_are_not_flushed_are_in_a_partial_answer(started):
    _, client, _, _, data = started
    client.insert("c", [row(5000, data[0])])
    readable = [i for i in range(3 * BATCH) if not BATCH <= i < 2 * BATCH] + [5000]
    agree(client, data, readable)
    client.delete("c", ids=[5000])
