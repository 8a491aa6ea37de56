"""GET /metrics: docs/metrics.md lists what is there, and the numbers are those of what was done."""
import os
import re

import pytest
from conftest import ROOT
from pymilvus import AnnSearchRequest, MilvusClient, MilvusException, RRFRanker
from search_data import hits_of, raw_search
from support import make, metric, metrics_page, row, server_of_file, vectors
from wire import calls

server = server_of_file({"proxy.slowQuerySpanInSeconds": 0})
ROWS = 100


@pytest.fixture(scope="module")
def busy(server):
    """A server that has done something of everything that is counted."""
    client = MilvusClient(uri=server.uri)
    make(client, "busy", rows=ROWS, properties={"collection.searchRate.max.vps": "1000000"}, level="Strong")
    client.upsert("busy", [row(3, vectors(1)[0])])
    client.delete("busy", ids=[5, 6])
    client.flush("busy")
    client.load_collection("busy")
    client.insert("busy", [row(ROWS, vectors(1)[0])])
    query = vectors(3)
    client.search("busy", query, limit=4)
    with calls(server.address) as call:  # The client has no word for this one.
        hits_of(raw_search(call, "busy", query[:1], anns_field="vector", topk=4, enable_recall_calculation="true"))
    client.query("busy", filter="id > 2", limit=5)
    with pytest.raises(MilvusException):
        client.query("busy", filter="id >")
    parts = [AnnSearchRequest([query[0]], "vector", {"metric_type": "L2"}, 5) for _ in range(2)]
    client.hybrid_search("busy", parts, RRFRanker(), limit=3)
    yield server
    client.close()


def test_the_page_lists_what_is_there(busy):
    with open(os.path.join(ROOT, "docs", "metrics.md")) as page:
        told = re.findall(r"^\| `(milvus_\w+)` \| (\w+)", page.read(), re.MULTILINE)
    there = [tuple(line.split()[2:]) for line in metrics_page(busy) if line.startswith("# TYPE")]
    # An answer that lacks segments needs damaged files; objects are here: test_object_store.py has the others.
    told = [(name, kind) for name, kind in told if not name.startswith("milvus_storage_")]
    assert sorted(there) == sorted(set(told) - {("milvus_querynode_partial_result_count", "counter")})
    assert len(told) == len(set(told))


def test_the_numbers_are_those_of_what_was_done(busy):
    here = {"db_name": "default", "collection_name": "busy"}
    for family, number in (("insert", ROWS + 1), ("upsert", 1), ("delete", 2), ("search", 3 + 1 + 1)):
        assert metric(busy, f"milvus_proxy_{family}_vectors_count", **here) == number, family
    assert metric(busy, "milvus_proxy_received_nq", query_type="search", **here) == 4
    assert metric(busy, "milvus_proxy_received_nq", query_type="hybrid_search", **here) == 1
    assert metric(busy, "milvus_proxy_received_nq", query_type="query", **here) == 2
    assert metric(busy, "milvus_proxy_recall_search_cnt", query_type="search", **here) == 1
    for kind, reads in (("search", 2), ("hybrid_search", 1), ("query", 1)):
        for family in ("sq_latency", "collection_sq_latency"):
            assert metric(busy, f"milvus_proxy_{family}_count", query_type=kind, **here) == reads, (family, kind)
    for kind, writes in (("insert", 2), ("upsert", 1), ("delete", 1)):
        assert metric(busy, "milvus_proxy_mutation_latency_count", msg_type=kind, **here) == writes
        assert metric(busy, "milvus_proxy_mutation_send_latency_count", msg_type=kind) == writes
        assert metric(busy, "milvus_proxy_receive_bytes_count", msg_type=kind, **here) > 10
    assert metric(busy, "milvus_proxy_req_count", function_name="Insert", status="success", **here) == 2
    assert metric(busy, "milvus_proxy_req_count", function_name="Query", status="fail_input", **here) == 1
    assert metric(busy, "milvus_proxy_req_count", function_name="CreateCollection", status="total", **here) == 1
    for family in ("req_latency", "grpc_latency", "req_in_queue_latency"):
        assert metric(busy, f"milvus_proxy_{family}_count", function_name="Search") == 2, family
    assert metric(busy, "milvus_proxy_send_bytes_count") > 1000
    assert metric(busy, "milvus_proxy_rate_limit_req_count", msg_type="search", status="success") == 3
    assert metric(busy, "milvus_proxy_executing_total_nq") == 0
    assert metric(busy, "milvus_querynode_search_nq_count") >= 4
    assert metric(busy, "milvus_querynode_load_segment_latency_count") >= 1
