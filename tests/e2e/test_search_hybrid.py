"""Hybrid search against exact answers: every kind of vector, every ranking, in every state of the rows."""
import math

import numpy as np
import pytest
from pymilvus import AnnSearchRequest, DataType, Function, FunctionType, RRFRanker, WeightedRanker
from search_data import BITS, DIM, TERMS, Rows, collection_in_every_state, hits_of, raw_search, same_hits, small_indexes
from support import refused
from wire import placeholder

DATA = Rows()
QUERY = {"dense": np.random.default_rng(8).normal(size=DIM).astype(np.float32),
         "bits": np.random.default_rng(9).integers(0, 2, BITS).astype(np.uint8),
         "sparse": {i: 0.5 + i / 40 for i in range(0, TERMS, 3)}}
METRIC = {"dense": "L2", "bits": "HAMMING", "sparse": "IP"}
server = small_indexes()
name = collection_in_every_state(DATA)


def whole_ties(field, limit, keep=None):
    """So many hits that none of the next is as far: which of equally far rows are found is an index's own affair."""
    order, scores = DATA.best(field, QUERY[field], keep=keep), DATA.scores(field, QUERY[field])
    while limit < len(order) and scores[order[limit]] == scores[order[limit - 1]]:
        limit += 1
    return limit


def part(field, limit=40, expr=None, keep=None):
    limit = whole_ties(field, limit, keep)
    query = np.packbits(QUERY["bits"]).tobytes() if field == "bits" else QUERY[field]
    return AnnSearchRequest(data=[query], anns_field=field, param={"metric_type": METRIC[field], "params": {}},
                            limit=limit, expr=expr)


def norm(field, score):
    return 0.5 + math.atan(score) / math.pi if field == "sparse" else 1 - 2 * math.atan(score) / math.pi


def fused(fields, score_of, limit=40, keep=None):
    """Places with scores of every row in a path, the best first; score_of(path, field, rank, score)."""
    total = {}
    for path, field in enumerate(fields):
        scores = DATA.scores(field, QUERY[field])
        for rank, place in enumerate(DATA.best(field, QUERY[field], whole_ties(field, limit, keep), keep), 1):
            total[place] = total.get(place, 0.0) + score_of(path, field, rank, float(scores[place]))
    order = sorted(total, key=lambda i: (-np.float32(total[i]), DATA.ids[i]))
    return order, [total[i] for i in order]


def hits(result):
    return [(hit["id"], hit["distance"]) for hit in result[0]]


FIELDS = ["dense", "sparse", "bits"]


@pytest.mark.parametrize("fields", [["dense", "sparse"], FIELDS, ["dense"], ["dense", "dense", "bits"]])
def test_rrf(client, name, fields):
    got = client.hybrid_search(name, [part(f) for f in fields], RRFRanker(60), limit=15, consistency_level="Strong")
    order, scores = fused(fields, lambda path, field, rank, score: 1 / (60 + rank))
    same_hits(hits(got), order[:15], scores[:15], DATA)


@pytest.mark.parametrize("normalise", [True, False])
def test_weighted(client, name, normalise):
    weights = [0.7, 0.2, 0.4]
    ranker = WeightedRanker(*weights, norm_score=normalise)
    got = client.hybrid_search(name, [part(f) for f in FIELDS], ranker, limit=15, consistency_level="Strong")

    def score_of(path, field, rank, score):
        return weights[path] * (norm(field, score) if normalise or field != "sparse" else score)
    order, scores = fused(FIELDS, score_of)
    same_hits(hits(got), order[:15], scores[:15], DATA)


def test_weighted_distances_alone_stay_distances(client, name):
    got = client.hybrid_search(name, [part("dense"), part("bits")], WeightedRanker(0.5, 0.5, norm_score=False),
                               limit=10, consistency_level="Strong")
    order, scores = fused(["dense", "bits"], lambda path, field, rank, score: -0.5 * score)
    same_hits(hits(got), order[:10], [-s for s in scores[:10]], DATA)


def test_filters_offset_and_output_fields(client, name):
    keep = DATA.group < 12
    got = client.hybrid_search(name, [part(f, expr="group < 12", keep=keep) for f in FIELDS], RRFRanker(), limit=10,
                               offset=5, output_fields=["group", "label", "meta", "dense"], consistency_level="Strong")
    order, scores = fused(FIELDS, lambda path, field, rank, score: 1 / (60 + rank), keep=keep)
    same_hits(hits(got), order[5:15], scores[5:15], DATA)
    for hit, place in zip(got[0], order[5:15]):
        assert hit["entity"]["group"] == DATA.group[place]
        assert hit["entity"]["label"] == DATA.label[place]
        assert hit["entity"]["meta"] == DATA.meta[place]
        np.testing.assert_array_equal(hit["entity"]["dense"], DATA.dense[place])


def test_the_orm_client_style(server, name):
    from pymilvus import Collection, connections
    connections.connect("hybrid", uri=server.uri)
    got = Collection(name, using="hybrid").hybrid_search([part(f) for f in FIELDS], RRFRanker(), limit=8,
                                                         consistency_level="Strong")
    order, scores = fused(FIELDS, lambda path, field, rank, score: 1 / (60 + rank))
    same_hits([(hit.id, hit.distance) for hit in got[0]], order[:8], scores[:8], DATA)
    connections.disconnect("hybrid")


def test_rankers_as_functions(client, name):
    def ranker(**params):
        return Function(name="rank", input_field_names=[], function_type=FunctionType.RERANK, params=params)
    parts = [part(f) for f in FIELDS]
    got = client.hybrid_search(name, parts, ranker(reranker="RRF", k=10), limit=10, consistency_level="Strong")
    order, scores = fused(FIELDS, lambda path, field, rank, score: 1 / (10 + rank))
    same_hits(hits(got), order[:10], scores[:10], DATA)
    got = client.hybrid_search(name, parts, ranker(reranker="weighted", weights=[0.1, 0.9, 0.3], norm_score=True),
                               limit=10, consistency_level="Strong")
    order, scores = fused(FIELDS, lambda path, field, rank, score: [0.1, 0.9, 0.3][path] * norm(field, score))
    same_hits(hits(got), order[:10], scores[:10], DATA)


@pytest.mark.parametrize("mode", ["max", "sum", "avg"])
def test_decay_over_several_paths(client, name, mode):
    function = Function(name="rank", input_field_names=["price"], function_type=FunctionType.RERANK,
                        params={"reranker": "decay", "function": "exp", "origin": 20, "scale": 6, "offset": 2,
                                "decay": 0.4, "score_mode": mode, "norm_score": True})
    got = client.hybrid_search(name, [part(f) for f in FIELDS], function, limit=10, consistency_level="Strong")
    paths = {}
    for field in FIELDS:
        scores = DATA.scores(field, QUERY[field])
        for place in DATA.best(field, QUERY[field], whole_ties(field, 40)):
            paths.setdefault(place, []).append(norm(field, float(scores[place])))
    merge = {"max": max, "sum": sum, "avg": lambda values: sum(values) / len(values)}[mode]

    def factor(price):
        return 0.0 if price is None else math.exp(max(0, abs(price - 20) - 2) * math.log(0.4) / 6)
    total = {i: np.float32(np.float32(merge(values)) * factor(DATA.price[i])) for i, values in paths.items()}
    order = sorted(total, key=lambda i: (-total[i], DATA.ids[i]))[:10]
    same_hits(hits(got), order, [total[i] for i in order], DATA)


def hybrid_request(call, name, fields=FIELDS, answer=True, **rank):
    from pymilvus.grpc_gen import milvus_pb2
    request = milvus_pb2.HybridSearchRequest(collection_name=name)
    for field in fields:
        sub = raw_search(None, name, [QUERY["dense"]], anns_field="dense", topk=40)
        sub.nq = 1
        request.requests.append(sub)
    for key, value in {"limit": 10, **rank}.items():
        request.rank_params.add(key=key, value=str(value))
    return call("HybridSearch", request)


def test_ordered_by_a_field_after_the_fusion(call, name):
    answer = hybrid_request(call, name, ["dense", "dense"], order_by_fields="price:desc,id", limit=6, offset=2)
    best = DATA.best("dense", QUERY["dense"], 8)

    def key(i):
        return (DATA.price[i] is not None, -(DATA.price[i] or 0), DATA.ids[i])
    order = sorted(best, key=key)[2:8]
    assert [k for k, _ in hits_of(answer)[0]] == [int(DATA.ids[i]) for i in order]


@pytest.mark.parametrize("scorer", ["max", "sum", "avg"])
def test_grouped(client, name, scorer):
    got = client.hybrid_search(name, [part(f, 25) for f in ("dense", "sparse")], RRFRanker(), limit=6,
                               group_by_field="group", group_size=2, strict_group_size=True, rank_group_scorer=scorer,
                               output_fields=["group"], consistency_level="Strong")
    total = {}
    for field in ("dense", "sparse"):
        heads, members = [], {}
        for place in DATA.best(field, QUERY[field]):
            members.setdefault(DATA.group[place], []).append(place)
        heads = list(members)[:25]
        ranked = [place for group in heads for place in members[group][:2]]
        for rank, place in enumerate(ranked, 1):
            total[place] = total.get(place, 0) + 1 / (60 + rank)
    groups = {}
    for place in sorted(total, key=lambda i: (-np.float32(total[i]), DATA.ids[i])):
        if len(groups.setdefault(DATA.group[place], [])) < 2:
            groups[DATA.group[place]].append(place)
    merge = {"max": max, "sum": sum, "avg": lambda values: sum(values) / len(values)}[scorer]
    best = sorted(groups.values(), key=lambda members: -np.float32(merge([np.float32(total[i]) for i in members])))[:6]
    order = [place for members in best for place in members]
    same_hits(hits(got), order, [total[i] for i in order], DATA)


MANY = [np.random.default_rng(60 + i).normal(size=DIM).astype(np.float32) for i in range(3)]


def of_many(fields, limit=40):
    """A part for three queries at once; of `sparse` each has its own terms."""
    return [AnnSearchRequest(data=MANY if field == "dense" else [sparse_query(q) for q in range(len(MANY))],
                             anns_field=field, param={"metric_type": METRIC[field], "params": {}}, limit=limit)
            for field in fields]


def sparse_query(q):
    return {i: 0.4 + (i + q) / 50 for i in range(q, TERMS, 4)}


def ranks_of_many(q, limit=40):
    """By place, of both fields: 1 / (60 + rank), summed."""
    total = {}
    for field, query in (("dense", MANY[q]), ("sparse", sparse_query(q))):
        for rank, place in enumerate(DATA.best(field, query, limit), 1):
            total[place] = total.get(place, 0.0) + 1 / (60 + rank)
    return total


def by_total(total):
    return sorted(total, key=lambda i: (-np.float32(total[i]), DATA.ids[i]))


def test_each_of_several_queries_has_its_own_list(client, name):
    got = client.hybrid_search(name, of_many(["dense", "sparse"]), RRFRanker(60), limit=12, offset=3,
                               output_fields=["group", "sparse"], consistency_level="Strong")
    assert len(got) == len(MANY)
    for q, hits_of_one in enumerate(got):
        total = ranks_of_many(q)
        order = by_total(total)[3:15]
        same_hits([(hit["id"], hit["distance"]) for hit in hits_of_one], order, [total[i] for i in order], DATA)
        assert [hit["entity"]["group"] for hit in hits_of_one] == [int(DATA.group[i]) for i in order]
        assert [set(hit["entity"]["sparse"]) for hit in hits_of_one] == [set(DATA.sparse[i]) for i in order]


def test_several_queries_are_ordered_and_decay_each_for_itself(client, call, name):
    decay = Function(name="rank", input_field_names=["price"], function_type=FunctionType.RERANK,
                     params={"reranker": "decay", "function": "linear", "origin": 10, "scale": 15, "decay": 0.2})
    got = client.hybrid_search(name, of_many(["dense"]), decay, limit=10, offset=2, consistency_level="Strong")
    for q, hits_of_one in enumerate(got):
        scores = DATA.scores("dense", MANY[q])

        def factor(price):
            return 0.0 if price is None else max(0.2, 1 - abs(price - 10) * 0.8 / 15)
        total = {i: np.float32(np.float32(1 - 2 * math.atan(float(scores[i])) / math.pi) * factor(DATA.price[i]))
                 for i in DATA.best("dense", MANY[q], 40)}
        order = sorted(total, key=lambda i: (-total[i], DATA.ids[i]))[2:12]
        same_hits([(hit["id"], hit["distance"]) for hit in hits_of_one], order, [total[i] for i in order], DATA)


@pytest.mark.parametrize("more", [{}, {"order_by_fields": "price:asc"}])
def test_an_offset_of_a_grouped_fusion_skips_groups(client, name, more):
    parts = [AnnSearchRequest(data=MANY, anns_field="dense", param={"metric_type": "L2", "params": {}}, limit=25)] * 2
    got = client.hybrid_search(name, parts, RRFRanker(60), limit=4, offset=2, group_by_field="group", group_size=2,
                               strict_group_size=True, output_fields=["group"], consistency_level="Strong", **more)
    for q, hits_of_one in enumerate(got):
        groups = {}
        for place in DATA.best("dense", MANY[q]):
            groups.setdefault(DATA.group[place], []).append(place)
        best = [places[:2] for places in groups.values()][:6]
        if more:
            best.sort(key=lambda places: (DATA.price[places[0]] is None, DATA.price[places[0]] or 0))
        order = [place for places in best[2:] for place in places]
        assert [hit["id"] for hit in hits_of_one] == [int(DATA.ids[i]) for i in order]


def test_keys_of_rows_may_stand_for_vectors(call, name):
    """Where all have one."""
    from pymilvus.grpc_gen import milvus_pb2
    places = [5, 77]
    request = milvus_pb2.HybridSearchRequest(collection_name=name)
    for _ in range(2):
        request.requests.append(raw_search(None, name, [], ids=[int(DATA.ids[i]) for i in places], topk=30))
    request.rank_params.add(key="limit", value="9")
    for place, got in zip(places, hits_of(call("HybridSearch", request))):
        order = DATA.best("dense", DATA.dense[place], 9)
        same_hits(got, order, [2 / (60 + rank) for rank in range(1, 10)], DATA)


def test_an_answer_of_nothing_has_its_columns(client, name):
    got = client.hybrid_search(name, [part(f, expr="group < 0") for f in FIELDS], RRFRanker(), limit=10,
                               output_fields=["group", "dense"], consistency_level="Strong")
    assert list(got[0]) == []


@pytest.mark.parametrize("order", [[{"field": "price", "order": "desc"}, {"field": "id", "order": "asc"}],
                                   'meta["deep"]["n"]:asc:nulls_first,group:desc'])
def test_the_sdk_says_the_order_of_the_whole_in_each_part(client, name, order):
    got = client.hybrid_search(name, [part("dense"), part("sparse")], RRFRanker(60), limit=8, offset=4,
                               order_by_fields=order, consistency_level="Strong")
    places, scores = fused(["dense", "sparse"], lambda path, field, rank, score: 1 / (60 + rank))
    total = dict(zip(places, scores))

    def price_then_key(i):
        return DATA.price[i] is not None, -(DATA.price[i] or 0), DATA.ids[i]

    def depth_then_group(i):
        n = DATA.meta[i].get("deep", {}).get("n")
        return n is not None, n or 0, -DATA.group[i]
    ordered = sorted(places[:12], key=price_then_key if isinstance(order, list) else depth_then_group)[4:]
    same_hits(hits(got), ordered, [total[i] for i in ordered], DATA)


def first_of_groups(value_of, limit):
    """Of the rows that a dense search puts first, the best of each group."""
    groups = {}
    for place in DATA.best("dense", QUERY["dense"]):
        groups.setdefault(value_of(place), place)
    return list(groups.values())[:limit]


@pytest.mark.parametrize("more, value_of", [
    ({"group_by_fields": ["group", "label"]}, lambda i: (DATA.group[i], DATA.label[i])),
    ({"group_by_field": "meta", "json_path": "/deep/n"}, lambda i: DATA.meta[i].get("deep", {}).get("n")),
    ({"group_by_field": 'meta["kind"]', "json_type": DataType.VARCHAR, "strict_cast": True},
     lambda i: None if isinstance(DATA.meta[i].get("kind"), int) else DATA.meta[i].get("kind"))])
def test_the_sdk_says_the_groups_of_the_whole_in_each_part(client, name, more, value_of):
    parts = [part("dense", len(DATA.ids))] * 2
    got = client.hybrid_search(name, parts, RRFRanker(60), limit=6, consistency_level="Strong", **more)
    order = first_of_groups(value_of, 6)
    assert [key for key, _ in hits(got)] == [int(DATA.ids[i]) for i in order]


def test_one_order_goes_for_all(call, name):
    from pymilvus.grpc_gen import milvus_pb2

    def answer(parts, whole=None):
        request = milvus_pb2.HybridSearchRequest(collection_name=name)
        for order in parts:
            request.requests.append(raw_search(None, name, [QUERY["dense"]], **({"order_by_fields": order} if order else {})))
        for key, value in (("limit", "5"), ("order_by_fields", whole)):
            if value:
                request.rank_params.add(key=key, value=value)
        return call("HybridSearch", request)
    first = hits_of(answer(["group,id"] * 2))
    assert hits_of(answer([None] * 2, "group,id")) == hits_of(answer(["group,id"] * 2, "group,id")) == first
    assert hits_of(answer([None] * 2)) != first
    for parts, whole in ((["group", "id"], None), (["group", None], None), ([None, "group"], None), (["id"] * 2, "group")):
        status = answer(parts, whole).status
        assert status.code == 1100 and "order_by_fields" in status.reason, (parts, whole, status)


@pytest.mark.parametrize("parts, code", [
    ([{"group_by_field": "group"}] * 2, 0), ([{"group_by_field": "group"}, {}], 1100), ([{}, {"group_by_field": "group"}], 1100),
    ([{"group_by_field": "group"}, {"group_by_field": "label"}], 1100), ([{"group_size": 2}, {"group_size": 3}], 1100),
    ([{"group_by_field": "group", "group_size": 2}, {"group_by_field": "group"}], 1100)])
def test_groups_are_the_wholes(call, name, parts, code):
    from pymilvus.grpc_gen import milvus_pb2
    request = milvus_pb2.HybridSearchRequest(collection_name=name)
    for one in parts:
        request.requests.append(raw_search(None, name, [QUERY["dense"]], topk=100, **one))
    request.rank_params.add(key="limit", value="5")
    answer = call("HybridSearch", request)
    assert answer.status.code == code, answer.status
    if not code:
        assert [key for key, _ in hits_of(answer)[0]] == [int(DATA.ids[i]) for i in first_of_groups(lambda i: DATA.group[i], 5)]


@pytest.mark.parametrize("rank, words", [
    ({"strategy": "best"}, "rank"), ({"strategy": "weighted"}, "weights"), ({"params": '{"k": 0}'}, "k"),
    ({"params": '{"k": 16384}'}, "k"), ({"strategy": "weighted", "params": '{"weights": [0.5]}'}, "weights"),
    ({"strategy": "weighted", "params": '{"weights": [0.5, 0.5, 2]}'}, "weight"), ({"limit": 0}, "topk"),
    ({"limit": 16384, "offset": 1}, "offset"), ({"round_decimal": 7}, "round_decimal"),
    ({"group_size": 11}, "group_size"),
    ({"order_by_fields": "nobody"}, "order_by"), ({"rank_group_scorer": "min", "group_by_field": "group"}, "scorer")])
def test_bad_ranking_is_refused(call, name, rank, words):
    status = hybrid_request(call, name, **rank).status
    assert status.code == 1100, status.reason
    assert words in status.reason


def test_bad_parts_are_refused(client, call, name):
    from pymilvus.grpc_gen import milvus_pb2
    for change in ({"order_by_fields": "nobody"}, {"iterator": "True"}, {"group_size": "0"}):
        request = milvus_pb2.HybridSearchRequest(collection_name=name,
                                                 requests=[raw_search(None, name, [QUERY["dense"]], **change)])
        request.rank_params.add(key="limit", value="5")
        assert call("HybridSearch", request).status.code == 1100
    request = milvus_pb2.HybridSearchRequest(collection_name=name)
    request.rank_params.add(key="limit", value="5")
    assert call("HybridSearch", request).status.code == 1100
    request.requests.append(raw_search(None, name, [QUERY["dense"]]))
    request.requests.append(raw_search(None, name, [QUERY["dense"]] * 2))
    assert call("HybridSearch", request).status.code == 1100
    with refused(1100):
        client.hybrid_search(name, [part("dense", expr="group <")], RRFRanker(), limit=5)


def test_sub_requests_of_a_search(call, name):
    from pymilvus.grpc_gen import milvus_pb2
    request = milvus_pb2.SearchRequest(collection_name=name)
    for _ in range(2):
        sub = request.sub_reqs.add(placeholder_group=placeholder([QUERY["dense"]]), nq=1)
        sub.search_params.add(key="anns_field", value="dense")
        sub.search_params.add(key="topk", value="20")
    request.search_params.add(key="limit", value="5")
    best = DATA.best("dense", QUERY["dense"], 5)
    same_hits(hits_of(call("Search", request))[0], best, [2 / (60 + rank) for rank in range(1, 6)], DATA)
