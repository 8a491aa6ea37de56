"""How reads are run, as users see it: the output fields $explain and $explain_json through the SDK, POST /explain of the
management port, and the log of slow reads."""
import http.client
import json
import re
import time
import urllib.error
import urllib.request

import numpy as np
import pytest
from pymilvus import AnnSearchRequest, MilvusClient, MilvusException, RRFRanker

from server_process import Server
from support import DIM, add_index, make, metric, metrics, row, vectors
from wire import calls, query_request, search_request

ROWS = 3000


def built(client, name, *indexes):
    """Waits until the indexes are there: a segment is loaded with those it has."""
    end = time.monotonic() + 60
    while any(client.describe_index(name, index)["pending_index_rows"] for index in indexes):
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture
def filled(client, name):
    """Rows with indexes in a sealed segment, and some that still grow."""
    data = make(client, name, rows=ROWS, index="HNSW", params={"M": 8, "efConstruction": 64}, load=False)
    indexes = client.prepare_index_params()
    indexes.add_index("group", index_type="INVERTED")
    client.create_index(name, indexes)
    client.flush(name)
    built(client, name, "vector", "group")
    client.load_collection(name)
    client.insert(name, [row(ROWS + i, data[i]) for i in range(100)])
    return name


def steps(tree, name):
    found = [tree] if tree["step"] == name else []
    for step in tree.get("steps", []):
        found += steps(step, name)
    return found


def facts(step):
    return step.get("facts", {})


def post(server, body, query=""):
    request = urllib.request.Request(f"http://127.0.0.1:{server.management_port}/explain{query}",
                                     data=body if isinstance(body, bytes) else json.dumps(body).encode())
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def check_segments(tree, rows_seen=ROWS + 100):
    segments = steps(tree, "segment")
    assert {facts(s)["state"] for s in segments} == {"sealed", "growing"}
    assert sum(facts(s)["rows"] for s in segments) == rows_seen
    return segments


def test_a_search_tells_plan_segments_filter_and_index(client, filled):
    hits = client.search(filled, [[0.1] * DIM], limit=5, filter="group == 3 and name like \"%7%\"",
                         output_fields=["id", "$explain_json"], consistency_level="Strong")[0]
    assert len(hits) == 5
    tree = json.loads(hits[0]["entity"]["$explain_json"])
    assert all(hit["entity"]["$explain_json"] == "" for hit in hits[1:])
    assert tree["step"] == "Search" and tree["wall_us"] > 0 and tree["cpu_us"] > 0
    assert facts(tree)["collection"] == filled and "group == 3" in facts(tree)["filter"]
    plan, = steps(tree, "plan")
    assert facts(plan)["field"] == "vector" and facts(plan)["k"] == 5
    assert len(steps(tree, "shard")) == 1
    for segment in check_segments(tree):
        applied, = steps(segment, "filter")
        assert facts(applied)["rows_visible"] == facts(segment)["rows"]
        conditions = {facts(c)["text"]: facts(c) for c in steps(applied, "condition")}
        by_group, by_name = conditions["group == 3"], conditions['name like "%7%"']
        assert by_group["rows_after"] == facts(segment)["rows"] // 10
        assert by_name["rows_before"] == by_group["rows_after"] and by_name["rows_after"] == facts(applied)["rows_after"]
        assert by_name["by"] == "rows" and by_name["why"] == "no index answers it"
        found, = steps(segment, "vectors")
        if facts(segment)["state"] == "sealed":
            assert facts(found)["by"] == "HNSW"
        else:
            assert by_group["by"] == "rows" and facts(found)["why"] == "the segment still grows"


def test_text_and_json_say_the_same_and_other_fields_stay(client, filled):
    hit, = client.search(filled, [[0.1] * DIM], limit=1, output_fields=["name", "$explain"])[0]
    assert hit["entity"]["name"].startswith("row ")
    lines = hit["entity"]["$explain"].splitlines()
    assert lines[0].startswith("Search ") and all(re.search(r" \d+\.\d{3} ms", line) for line in lines)
    assert any(line.lstrip().startswith("vectors") and "by: HNSW" in line for line in lines)
    assert set(client.search(filled, [[0.1] * DIM], limit=1, output_fields=["name"])[0][0]["entity"]) == {"name"}


def test_a_query_tells_too(client, filled):
    rows = client.query(filled, filter="group in [1, 2]", output_fields=["group", "$explain_json"], limit=7,
                        consistency_level="Strong")
    assert len(rows) == 7 and [r["$explain_json"] for r in rows[1:]] == [""] * 6
    tree = json.loads(rows[0]["$explain_json"])
    assert tree["step"] == "Query" and steps(tree, "read output fields")
    for segment in check_segments(tree):
        condition, = steps(segment, "condition")
        assert facts(condition)["text"] == "group in [1, 2]"
        assert facts(condition)["rows_after"] == facts(segment)["rows"] // 5
    counted, = client.query(filled, filter="group == 1", output_fields=["count(*)", "$explain"], consistency_level="Strong")
    assert counted["count(*)"] == (ROWS + 100) // 10 and "segment" in counted["$explain"]


def test_segments_that_cannot_match_are_named(client, filled):
    rows = client.query(filled, filter=f"id >= {ROWS}", output_fields=["$explain_json"], limit=3, consistency_level="Strong")
    segments = {facts(s)["state"]: s for s in steps(json.loads(rows[0]["$explain_json"]), "segment")}
    assert "pruned" in facts(segments["sealed"]) and "steps" not in segments["sealed"]
    assert "pruned" not in facts(segments["growing"])


def test_keys_are_looked_up_and_pages_end_early(client, filled):
    rows = client.query(filled, filter="id in [5, 6, 2000]", output_fields=["$explain_json"], consistency_level="Strong")
    by = {facts(s)["state"]: steps(s, "condition") for s in steps(json.loads(rows[0]["$explain_json"]), "segment")}
    assert facts(by["sealed"][0])["by"] == "primary key" and facts(by["sealed"][0])["rows_after"] == 3
    client.flush(filled)
    page = client.query(filled, filter="id >= 0", output_fields=["$explain_json"], limit=10, consistency_level="Strong")
    assert [r["id"] for r in page] == list(range(10))
    skipped = [facts(s).get("skipped") for s in steps(json.loads(page[0]["$explain_json"]), "segment")]
    assert "its keys lie past the page" in skipped


def test_a_hybrid_search_tells_of_each_search(client, name):
    schema = client.create_schema()
    schema.add_field("id", 5, is_primary=True)
    for field in ("one", "two"):
        schema.add_field(field, 101, dim=DIM)
    client.create_collection(name, schema=schema)
    indexes = client.prepare_index_params()
    for field in ("one", "two"):
        indexes.add_index(field, index_type="FLAT", metric_type="L2")
    client.create_index(name, indexes)
    client.load_collection(name)
    data = vectors(50)
    client.insert(name, [{"id": i, "one": data[i], "two": data[-i]} for i in range(50)])
    parts = [AnnSearchRequest([data[0]], field, {}, limit=5) for field in ("one", "two")]
    hits = client.hybrid_search(name, parts, RRFRanker(), limit=4, output_fields=["id", "$explain_json"],
                                consistency_level="Strong")[0]
    tree = json.loads(hits[0]["entity"]["$explain_json"])
    assert tree["step"] == "HybridSearch" and steps(tree, "fuse, rank, order and cut")
    assert {facts(s)["field"] for s in steps(tree, "search")} == {"one", "two"}
    assert all(steps(s, "vectors") for s in steps(tree, "search"))


def test_an_answer_without_rows_carries_the_report_in_its_status(server, client, filled):
    with calls(server.address) as call:
        answer = call("Query", query_request(filled, "group == 77", output=["$explain"]))
        assert json.loads(answer.status.extra_info["explain"])["step"] == "Query"
        answer = call("Search", search_request(filled, [np.zeros(DIM)], filter_text="group == 77", output=["$explain"]))
        assert answer.results.topks == [0]
        assert json.loads(answer.status.extra_info["explain"])["step"] == "Search"
        answer = call("Query", query_request(filled, "group == 77", output=["id"]))
        assert not answer.status.extra_info


@pytest.mark.parametrize("method, more, what", [
    ("search", {"data": [[0.1] * DIM], "limit": 4}, "hits"), ("search", {"ids": [1, 2], "limit": 3}, "hits"),
    ("query", {"limit": 6}, "rows"), ("delete", {}, "rows"),
    ("hybrid_search", {"search": [{"data": [[0.1] * DIM], "anns_field": "vector", "filter": "group < {most}",
                                   "filter_params": {"most": 5}}], "limit": 3}, "hits")])
def test_the_management_port_explains_reads(server, client, filled, method, more, what):
    filter_text = "" if method == "hybrid_search" else "group == 3"
    asked = {"method": method, "collection_name": filled, "filter": filter_text, "consistency_level": "Strong", **more}
    for search in asked.get("search", []):
        search["collection_name"] = filled
    status, body = post(server, asked)
    assert status == 200, body
    tree = json.loads(body)
    assert tree["step"] == method and facts(tree)[what] > 0
    assert steps(tree, "segment") and steps(tree, "condition")
    status, text = post(server, asked, "?format=text")
    assert status == 200 and text.startswith(method) and "condition" in text
    assert client.query(filled, filter="group == 3", output_fields=["count(*)"],
                        consistency_level="Strong")[0]["count(*)"] == (ROWS + 100) // 10  # Nothing is deleted.


def test_the_management_port_says_what_is_wrong(server, filled):
    assert post(server, b"no json") == (400, '{"code":1100,"message":"the description of a read is not valid JSON"}\n')
    for asked, word in (({"method": "insert"}, "method"), ({"method": "query", "collection_name": filled, "filter": "("}, "parse"),
                        ({"method": "search", "collection_name": filled}, "data"), ([], "object"),
                        ({"method": "search", "collection_name": filled, "data": [["a"]]}, "numbers"),
                        ({"method": "search", "collection_name": filled, "ids": [2 ** 63]}, "64 bits"),
                        ({"method": "delete", "collection_name": filled, "filter": ""}, "empty")):
        status, body = post(server, asked)
        assert status == 400 and word in json.loads(body)["message"], body
    status, body = post(server, {"method": "query", "collection_name": "never_made", "filter": "id > 0"})
    assert json.loads(body)["code"] == 100
    asking = http.client.HTTPConnection("127.0.0.1", server.management_port, timeout=30)
    asking.putrequest("POST", "/explain")
    asking.putheader("Content-Length", str(5 << 20))
    asking.endheaders()
    assert asking.getresponse().status == 413
    asking.close()
    get = urllib.request.Request(f"http://127.0.0.1:{server.management_port}/explain")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(get, timeout=30)
    assert refused.value.code == 405


def test_a_slow_read_is_explained_in_the_log(binary, tmp_path):
    options = ["--set", "proxy.slowQuerySpanInSeconds=0", "--set", "proxy.slowQueryExplain=true"]
    with Server(binary, str(tmp_path / "data"), arguments=options) as server:
        client = MilvusClient(uri=server.uri)
        make(client, "slow", rows=10)
        client.query("slow", filter="group == 3", output_fields=["id"], consistency_level="Strong")
        client.search("slow", [[0.0] * DIM], limit=1, consistency_level="Eventually")
        for kind in ("search", "query"):
            assert metric(server, "milvus_proxy_slow_query_count", msg_type=kind) >= 1
        client.close()
        server.stop()
        with open(server.log_path) as log:
            text = log.read()
    told = dict(re.findall(r"(\w+) slow explain=(\{.*\})", text))
    waits = dict((kind, (int(moment), level)) for kind, moment, level in
                 re.findall(r"(\w+) slow database=\S* collection=slow guarantee_timestamp=(\d+) consistency_level=(\w+)", text))
    assert waits["Query"][1] == "Strong" and abs((waits["Query"][0] >> 18) / 1000 - time.time()) < 60
    assert waits["Search"][1] == "Eventually"
    assert steps(json.loads(told["Query"]), "condition") and steps(json.loads(told["Search"]), "vectors")


def test_reads_are_counted_by_collection(server, client, filled):
    client.search(filled, [[0.1] * DIM], limit=1)
    client.query(filled, filter="id == 1", output_fields=["id"])
    with pytest.raises(MilvusException):
        client.query(filled, filter="id ==", output_fields=["id"])
    with calls(server.address) as call:
        assert call("Query", query_request("never_made_either")).status.code == 100

    def counted(method, status):
        return metric(server, "milvus_proxy_req_count", function_name=method, status=status, db_name="default",
                      collection_name=filled)
    assert counted("Search", "success") == counted("Search", "total") == 1
    assert (counted("Query", "success"), counted("Query", "fail_input"), counted("Query", "total")) == (1, 1, 2)
    assert not any("never_made_either" in dict(labels).values() for _, labels in metrics(server))


def test_a_page_behind_a_key_asks_its_filter_in_key_order(client, name):
    make(client, name, rows=0, load=False)
    data = vectors(4000, seed=5)
    client.insert(name, [row(int(i), data[i]) for i in np.random.default_rng(1).permutation(4000)])
    client.flush(name)
    client.load_collection(name)
    for text, keys in (("id > 1000", range(1001, 1051)), ('name like "%7" and id > 1000', range(1007, 1507, 10))):
        page = client.query(name, filter=text, output_fields=["name", "$explain_json"], limit=50,
                            consistency_level="Strong")
        assert [(r["id"], r["name"]) for r in page] == [(i, f"row {i}") for i in keys]
        segment, = steps(json.loads(page[0]["$explain_json"]), "segment")
        assert facts(segment)["rows_filtered"] <= 1000 and not steps(segment, "filter")
    page = client.query(name, filter="name like \"%777\" and id > 10", output_fields=["$explain_json"], limit=50,
                        consistency_level="Strong")
    assert [r["id"] for r in page] == [777, 1777, 2777, 3777]
    assert steps(json.loads(page[0]["$explain_json"]), "filter")


def test_a_report_has_a_limit(binary, tmp_path):
    with Server(binary, str(tmp_path / "data"), arguments=["--set", "proxy.explain.maxSteps=4"]) as server:
        client = MilvusClient(uri=server.uri)
        make(client, "small", rows=10)
        rows = client.query("small", filter="group == 3", output_fields=["$explain_json"], consistency_level="Strong")
        tree = json.loads(rows[0]["$explain_json"])
        assert tree["steps_left_out"] > 0
        client.close()


def test_the_hint_asks_the_filter_of_few_rows(client, name):
    make(client, name, rows=0, load=False)
    data = vectors(5000, seed=3)
    client.insert(name, [row(i, data[i]) for i in range(5000)])
    client.flush(name)
    client.drop_index(name, "vector")
    add_index(client, name, "HNSW", params={"M": 16, "efConstruction": 100})
    built(client, name, "vector")
    client.load_collection(name)

    def ask(**params):
        hits = client.search(name, [data[0]], limit=10, filter='name like "%1%"', search_params={"params": params},
                             output_fields=["$explain_json"], consistency_level="Strong")[0]
        return [hit["id"] for hit in hits], json.loads(hits[0]["entity"]["$explain_json"])
    usual, tree = ask(ef=128)
    assert not any("rows_filtered" in facts(v) for v in steps(tree, "vectors"))
    hinted, tree = ask(ef=128, hints="iterative_filter")
    looked_at = [facts(v)["rows_filtered"] for v in steps(tree, "vectors") if "rows_filtered" in facts(v)]
    assert looked_at and sum(looked_at) < 1000 and len(set(usual) & set(hinted)) >= 9
    off, tree = ask(ef=128, hints="disable")
    assert off == usual and not any("rows_filtered" in facts(v) for v in steps(tree, "vectors"))
