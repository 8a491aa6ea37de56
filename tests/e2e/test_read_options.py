"""Configuration keys of reads: partition names that are regular expressions, how far ahead a guarantee may lie."""
import time

import pytest
from pymilvus import MilvusClient, MilvusException
from support import DIM, make, row, server_of_file, vectors
from wire import query_request, search_request

server = server_of_file({"proxy.partitionNameRegexp": "true", "queryNode.scheduler.maxTimestampLag": 60})
PARTS = ["year_2023", "year_2024", "old"]


@pytest.fixture(scope="module")
def parts(server):
    client = MilvusClient(uri=server.uri)
    make(client, "parts", level="Strong")
    for i, part in enumerate(PARTS):
        client.create_partition("parts", part)
        client.insert("parts", [row(10 * i + j, vectors(3)[j]) for j in range(3)], partition_name=part)
    yield client
    client.close()


@pytest.mark.parametrize("names, ids", [
    (["year_.*"], [0, 1, 2, 10, 11, 12]), (["year_2023"], [0, 1, 2]), (["year_202[4-9]", "old"], [10, 11, 12, 20, 21, 22]),
    (["old", "o.*"], [20, 21, 22]), ([".*"], [0, 1, 2, 10, 11, 12, 20, 21, 22]), (["_default|old"], [20, 21, 22])])
def test_partition_names_of_reads_are_patterns(parts, names, ids):
    found = parts.query("parts", filter="id >= 0", partition_names=names, output_fields=["id"])
    assert sorted(hit["id"] for hit in found) == ids
    hits = parts.search("parts", vectors(1), limit=100, partition_names=names)[0]
    assert sorted(hit["id"] for hit in hits) == ids


@pytest.mark.parametrize("pattern, why", [("year", "not found"), ("2023", "not found"), ("y(", "regular expression")])
def test_a_pattern_that_matches_no_whole_name_is_refused(parts, call, pattern, why):
    for method, request in (("Query", query_request("parts", partitions=[pattern])),
                            ("Search", search_request("parts", vectors(1), partitions=[pattern]))):
        status = call(method, request).status
        assert status.code == 1100 and why in status.reason and pattern in status.reason


def test_a_partition_that_matches_has_to_be_loaded(parts):
    parts.release_partitions("parts", ["year_2024"])
    with pytest.raises(MilvusException) as refused:
        parts.query("parts", filter="id >= 0", partition_names=["year_.*"])
    assert refused.value.code == 201 and "year_2024" in refused.value.message
    parts.load_partitions("parts", ["year_2024"])


def test_names_of_writes_and_loads_stay_names(parts):
    with pytest.raises(MilvusException):
        parts.insert("parts", [row(99, vectors(1)[0])], partition_name="ol.")
    with pytest.raises(MilvusException):
        parts.load_partitions("parts", ["ol."])


def test_a_guarantee_that_lies_too_far_ahead_is_refused_at_once(parts, call):
    def ask(ahead_s):
        request = query_request("parts", "id == 1")
        request.consistency_level, request.guarantee_timestamp = 4, int((time.time() + ahead_s) * 1000) << 18
        return call("Query", request).status
    assert ask(20).code == 0
    begin, status = time.monotonic(), ask(100)
    assert status.code == 11 and "queryNode.scheduler.maxTimestampLag" in status.reason
    assert time.monotonic() - begin < 2
