"""Limits of requests, each with its key, its code and the last request that is let through."""
import pytest
from pymilvus import AnnSearchRequest, MilvusClient, RRFRanker
from server_process import Server
from support import DIM, count, make, refused, row, server_of_file, settings, vectors
from wire import calls, column, insert_request, query_request, search_request, status_of

NAME = "t"


LIMITS = {"quotaAndLimits.limits.maxInsertSize": 20000, "quotaAndLimits.limits.topK": 20,
          "quotaAndLimits.limits.nq": 5, "quotaAndLimits.limits.maxQueryResultWindow": 50,
          "quotaAndLimits.limits.maxGroupSize": 3, "quotaAndLimits.limits.maxOutputSize": 2600,
          "proxy.maxResultEntries": 60, "common.groupBy.maxGroups": 9, "proxy.maxHybridSearches": 2}


def fill(client, rows=200):
    data = vectors(rows)
    for begin in range(0, rows, 100):
        client.insert(NAME, [row(i, data[i]) for i in range(begin, min(begin + 100, rows))])
    return data


def make_and_fill(client):
    make(client, NAME)
    fill(client)


server = server_of_file(LIMITS, make_and_fill)


def write(rows, first=1000, name=NAME):
    ids = list(range(first, first + rows))
    return [column("id", "Int64", ids), column("group", "Int64", ids), column("name", "VarChar", [""] * rows),
            column("vector", "FloatVector", [0.5] * (rows * DIM), DIM)]


@pytest.mark.parametrize("upsert", [False, True])
def test_an_insert_has_a_size(client, call, upsert):
    """What counts are the columns: 8 bytes an id or group, 32 a vector; of a text its bytes and where it ends."""
    before = count(client, NAME)
    method = "Upsert" if upsert else "Insert"
    status = status_of(call(method, insert_request(NAME, write(500), rows=500, upsert=upsert)))
    assert status.code == 1102, status
    assert "quotaAndLimits.limits.maxInsertSize" in status.reason
    assert count(client, NAME) == before, "nothing of it is stored"
    long = write(2)
    long[2].scalars.string_data.data[0] = "x" * 20001
    assert status_of(call(method, insert_request(NAME, long, rows=2, upsert=upsert))).code == 1102
    long[2].scalars.string_data.data[0] = "x" * 19000
    fits = status_of(call(method, insert_request(NAME, long, rows=2, upsert=upsert)))
    assert fits.code == 1100, "now the values are looked at"
    for name, code in (("no such name", 1100), ("no_such_collection", 1102)):
        status = status_of(call(method, insert_request(name, write(500), rows=500, upsert=upsert)))
        assert status.code == code, "the name is looked at first, and what it names after the size"
    stale = insert_request(NAME, write(500), rows=500, partition="nowhere", upsert=upsert)
    stale.schema_timestamp = 12345
    assert status_of(call(method, stale)).code == 1102
    assert count(client, NAME) == before


def test_a_search_asks_for_so_many_hits(call):
    for params, code in (({"topk": "20"}, 0), ({"topk": "21"}, 1100), ({"topk": "5", "offset": "15"}, 0),
                         ({"topk": "5", "offset": "16"}, 1100), ({"topk": "0"}, 1100), ({"topk": "-1"}, 1100),
                         ({"topk": "1", "offset": "-1"}, 1100), ({"topk": "1", "offset": "21"}, 1100)):
        status = status_of(call("Search", search_request(NAME, vectors(1), **params)))
        assert status.code == code, (params, status)


def test_a_search_has_so_many_queries(call):
    for queries, code in ((5, 0), (6, 1100)):
        status = status_of(call("Search", search_request(NAME, vectors(queries), topk="1")))
        assert status.code == code, (queries, status)


def test_a_search_has_so_many_hits_in_all(call):
    for queries, topk, code in ((3, 20, 0), (4, 15, 0), (4, 16, 1100), (5, 13, 1100)):
        status = status_of(call("Search", search_request(NAME, vectors(queries), topk=str(topk))))
        assert status.code == code, (queries, topk, status)


def test_a_group_has_so_many_hits(call):
    for size, code in ((3, 0), (4, 1100)):
        status = status_of(call("Search", search_request(NAME, vectors(1), topk="2", group_by_field="group",
                                                         group_size=str(size))))
        assert status.code == code, (size, status)


def test_a_hybrid_search_is_made_of_so_many(client):
    def search(parts):
        asks = [AnnSearchRequest(vectors(1).tolist(), "vector", param={}, limit=3) for _ in range(parts)]
        return client.hybrid_search(NAME, reqs=asks, ranker=RRFRanker(60), limit=3)
    assert len(search(2)[0]) == 3
    with refused(1100):
        search(3)


def test_a_query_sees_so_many_rows(call):
    for params, code in (({"limit": "50"}, 0), ({"limit": "51"}, 1100), ({"limit": "25", "offset": "25"}, 0),
                         ({"limit": "26", "offset": "25"}, 1100)):
        status = status_of(call("Query", query_request(NAME, **params)))
        assert status.code == code, (params, status)


def test_a_query_has_so_many_groups(call):
    for text, code in (("group < 9", 0), ("group < 10", 2000)):
        status = status_of(call("Query", query_request(NAME, text, ["group", "count(*)"], group_by_fields="group")))
        assert status.code == code, (text, status)


def test_an_answer_has_a_size(call):
    for output, code in ((["id", "vector"], 0), (["id", "group", "name", "vector"], 1100)):
        status = status_of(call("Query", query_request(NAME, output=output, limit="50")))
        assert status.code == code, (output, status)
        status = status_of(call("Search", search_request(NAME, vectors(3), topk="16", output=output)))
        assert status.code == code, (output, status)


def test_without_a_limit_an_insert_may_be_large(own_server):
    client = MilvusClient(uri=own_server.uri)
    make(client, NAME)
    data = vectors(5000)
    assert client.insert(NAME, [row(i, data[i]) for i in range(5000)])["insert_count"] == 5000
    client.close()


def test_a_collection_of_many_hits_has_limits_of_its_own(binary, tmp_path):
    limits = {"quotaAndLimits.limits.topK": 10, "quotaAndLimits.limits.largeTopK": 30,
              "quotaAndLimits.limits.maxQueryResultWindow": 10, "quotaAndLimits.limits.largeMaxQueryResultWindow": 40}
    with Server(binary, str(tmp_path / "data"), arguments=settings(limits)) as server, calls(server.address) as call:
        client = MilvusClient(uri=server.uri)
        make(client, NAME, load=False, properties={"query_mode": "large_topk"}, index="IVF_FLAT", params={"nlist": 1})
        client.load_collection(NAME)
        data = fill(client, 60)
        for params, code in (({"topk": "30"}, 0), ({"topk": "31"}, 1100), ({"topk": "20", "offset": "10"}, 0),
                             ({"topk": "20", "offset": "11"}, 1100)):
            status = status_of(call("Search", search_request(NAME, data[:1], **params)))
            assert status.code == code, (params, status)
        for limit, code in (("40", 0), ("41", 1100)):
            assert status_of(call("Query", query_request(NAME, limit=limit))).code == code, limit
        client.close()
