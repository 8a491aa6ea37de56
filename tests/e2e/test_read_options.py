"""Configuration keys of reads: partition names that are regular expressions, how far ahead a guarantee may lie."""
import re
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from pymilvus import MilvusClient, MilvusException
from pymilvus.grpc_gen import common_pb2, milvus_pb2
from support import DIM, make, row, server_of_file, vectors
from wire import DECODE, SERVICE, query_request, search_request

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


def ahead(request, seconds):
    """The request with a guarantee that lies so far ahead."""
    request.consistency_level, request.guarantee_timestamp = 4, int((time.time() + seconds) * 1000) << 18
    return request


def test_a_guarantee_that_lies_too_far_ahead_is_refused_at_once(parts, call):
    begin = time.monotonic()
    status = call("Query", ahead(query_request("parts", "id == 1"), 100)).status
    assert status.code == 11 and "queryNode.scheduler.maxTimestampLag" in status.reason
    assert time.monotonic() - begin < 2


def hybrid_request():
    return milvus_pb2.HybridSearchRequest(collection_name="parts", requests=[search_request("parts", vectors(1), topk="9")],
                                          rank_params=[common_pb2.KeyValuePair(key="limit", value="9")])


@pytest.mark.parametrize("method, request_of", [
    ("Query", lambda: query_request("parts", "id == 90")), ("Search", lambda: search_request("parts", vectors(1), topk="9")),
    ("HybridSearch", hybrid_request)])
def test_a_read_waits_until_time_has_come_to_its_guarantee(server, parts, call, method, request_of):
    """What was written while it waited is seen: that is what the guarantee says."""
    with ThreadPoolExecutor(1) as pool:
        begin = time.monotonic()
        waiting = pool.submit(call, method, ahead(request_of(), 1.5))
        time.sleep(0.3)
        parts.insert("parts", [row(90, vectors(1)[0])], partition_name="old")
        answer = waiting.result()
        took = time.monotonic() - begin
    parts.delete("parts", ids=[90])
    assert answer.status.code == 0, answer.status.reason
    assert 1.4 < took < 10
    ids = answer.fields_data[0].scalars.long_data if method == "Query" else answer.results.ids.int_id
    assert 90 in ids.data


def test_reads_that_wait_hold_nobody_up_and_end_with_their_callers(server, parts):
    """More of them than the server has threads, until the clients hang up."""
    waiting = []
    with grpc.insecure_channel(server.address) as channel:
        stub = channel.unary_unary(f"/{SERVICE.full_name}/Query", request_serializer=lambda r: r.SerializeToString(),
                                   response_deserializer=DECODE["Query"])
        waiting = [stub.future(ahead(query_request("parts", "id == 1"), 50), timeout=60) for _ in range(50)]
        time.sleep(0.5)
        cpu_s, begin = server.cpu_s(), time.monotonic()
        for _ in range(20):
            assert len(parts.query("parts", filter="id == 1", output_fields=["id"])) == 1
        assert time.monotonic() - begin < 5
        time.sleep(1)
        assert server.cpu_s() - cpu_s < 0.5
        assert not any(one.done() for one in waiting)
        for one in waiting:
            one.cancel()
    end = time.monotonic() + 5
    while len(re.findall("Query dropped reason=", open(server.log_path, errors="replace").read())) < len(waiting):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_read_that_waits_ends_with_its_deadline(server, parts):
    client = MilvusClient(uri=server.uri)
    begin = time.monotonic()
    with pytest.raises((MilvusException, grpc.RpcError)):
        client.query("parts", filter="id == 1", consistency_level="Customized", timeout=1,
                     guarantee_timestamp=int((time.time() + 50) * 1000) << 18)
    assert time.monotonic() - begin < 10
    client.close()
