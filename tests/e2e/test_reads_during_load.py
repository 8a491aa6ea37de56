"""Reads while a collection is loaded, released and opened after a start: they are whole or refused, never of the segments
that happen to be there."""
import threading
import time

import pytest
from pymilvus import MilvusClient
from server_process import Server
from support import make, row, settings, vectors
from wire import calls, query_request, search_request

SEGMENTS, BATCH = 8, 1500
ROWS = SEGMENTS * BATCH + 10  # The last ones are not flushed.
NOT_LOADED, LOADING = 101, 103
# A read is answered at once that there is a load under way, and segments stay as they are.
OPTIONS = {"queryNode.loadWait": 0, "dataCoord.compaction.enableAutoCompaction": "false",
           "indexCoord.segment.minSegmentNumRowsToEnableIndex": 1}


@pytest.fixture(scope="module")
def filled(binary, tmp_path_factory):
    with Server(binary, str(tmp_path_factory.mktemp("loads") / "data"), arguments=settings(OPTIONS)) as server:
        client = MilvusClient(uri=server.uri)
        make(client, "c", index="HNSW", params={"M": 8, "efConstruction": 40}, load=False)
        data = vectors(ROWS)
        for begin in range(0, ROWS, BATCH):
            client.insert("c", [row(i, data[i]) for i in range(begin, min(begin + BATCH, ROWS))])
            if begin + BATCH <= ROWS:
                client.flush("c")
        yield server, data
        client.close()


def ask(call, data):
    """Codes of a count and of a search for all rows; where they are answered, nothing is missing."""
    counted = call("Query", query_request("c", "", ["count(*)"]))
    if counted.status.code == 0:
        assert list(counted.fields_data[0].scalars.long_data.data) == [ROWS]
    found = call("Search", search_request("c", data[:1], topk="16384", params='{"ef": 16384}'))
    if found.status.code == 0:
        assert len(set(found.results.ids.int_id.data)) == ROWS
    for status in (counted.status, found.status):
        assert status.code in (0, NOT_LOADED, LOADING), status
        assert status.retriable == (status.code == LOADING)
    return {counted.status.code, found.status.code}


def test_a_read_is_whole_or_refused_while_a_collection_comes_and_goes(filled):
    server, data = filled
    seen, failures, stop = set(), [], threading.Event()

    def read():
        try:
            with calls(server.address) as call:
                while not stop.is_set():
                    seen.update(ask(call, data))
        except BaseException as error:  # Told by the test.
            failures.append(error)
    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    client = MilvusClient(uri=server.uri)
    end = time.monotonic() + 12
    while time.monotonic() < end and not failures:
        client.load_collection("c")
        time.sleep(0.05)
        client.load_collection("c", refresh=True)
        client.release_collection("c")
    stop.set()
    for reader in readers:
        reader.join()
    assert not failures, failures[0]
    assert {0, NOT_LOADED} <= seen
    client.close()


def test_after_a_start_a_read_is_whole_or_told_to_come_again(filled):
    server, data = filled
    client = MilvusClient(uri=server.uri)
    client.load_collection("c")
    client.close()
    for _ in range(3):
        server.kill()
        server.start()
        with calls(server.address) as call:
            end = time.monotonic() + 30
            while (codes := ask(call, data)) != {0}:
                assert codes <= {0, LOADING}, codes
                assert time.monotonic() < end
