"""What is done with hits after the search: functions, boosts, order by fields; and searches by key."""
import math

import numpy as np
import pytest
from pymilvus import DataType, Function, FunctionType
from search_data import DIM, Rows, collection_in_every_state, hits_of, raw_search, same_hits, small_indexes
from support import add_index, refused

DATA = Rows(seed=11)
QUERIES = np.random.default_rng(8).normal(size=(2, DIM)).astype(np.float32)
server = small_indexes()
name = collection_in_every_state(DATA)


def function(inputs=(), **params):
    return Function(name="rank", input_field_names=list(inputs), function_type=FunctionType.RERANK, params=params)


def factor(shape, price, origin=20, scale=5, offset=1, decay=0.3):
    if price is None:
        return 0.0
    distance = max(0, abs(price - origin) - offset)
    if shape == "gauss":
        return math.exp(distance ** 2 * math.log(decay) / scale ** 2)
    if shape == "exp":
        return math.exp(distance * math.log(decay) / scale)
    return max(decay, 1 - distance * (1 - decay) / scale)


@pytest.mark.parametrize("shape", ["gauss", "exp", "linear"])
def test_decay(client, name, shape):
    ranker = function(["price"], reranker="decay", function=shape, origin=20, scale=5, offset=1, decay=0.3)
    got = client.search(name, [QUERIES[0]], anns_field="dense", limit=20, ranker=ranker, output_fields=["label"],
                        consistency_level="Strong")
    scores = DATA.scores("dense", QUERIES[0])
    total = {i: np.float32(np.float32(1 - 2 * math.atan(float(scores[i])) / math.pi) * factor(shape, DATA.price[i]))
             for i in DATA.best("dense", QUERIES[0], 20)}
    order = sorted(total, key=lambda i: (-total[i], DATA.ids[i]))
    same_hits([(hit["id"], hit["distance"]) for hit in got[0]], order, [total[i] for i in order], DATA)
    assert [hit["entity"] for hit in got[0]] == [{"label": DATA.label[i]} for i in order]


@pytest.mark.parametrize("more", [{}, {"group_by_field": "group"}])
def test_decay_of_several_queries_with_an_offset(client, name, more):
    """What decays are the hits that the search finds: those of the offset too, of groups the best of each."""
    ranker = function(["price"], reranker="decay", function="gauss", origin=20, scale=5, offset=1, decay=0.3)
    got = client.search(name, list(QUERIES), anns_field="dense", limit=8, offset=4, ranker=ranker, round_decimal=3,
                        consistency_level="Strong", **more)
    for query, hits in zip(QUERIES, got):
        scores = DATA.scores("dense", query)
        found = DATA.best("dense", query, None if more else 12)
        if more:
            heads = {}
            for place in found:
                heads.setdefault(DATA.group[place], place)
            found = list(heads.values())[:12]
        # The search's own scores are rounded before, the whole's after the order.
        near = {i: np.float32(math.floor(float(scores[i]) * 1000 + 0.5) / 1000) for i in found}
        total = {i: np.float32(np.float32(1 - 2 * math.atan(float(near[i])) / math.pi) * factor("gauss", DATA.price[i]))
                 for i in found}
        order = sorted(total, key=lambda i: (-total[i], DATA.ids[i]))[4:]
        assert [hit["id"] for hit in hits] == [int(DATA.ids[i]) for i in order]
        np.testing.assert_allclose([hit["distance"] for hit in hits], [math.floor(float(total[i]) * 1000 + 0.5) / 1000 for i in order],
                                   atol=1e-5)


def test_rrf_and_weighted_of_one_search(client, name):
    best = DATA.best("dense", QUERIES[0], 10)
    got = client.search(name, [QUERIES[0]], anns_field="dense", limit=10, ranker=function(reranker="rrf", k=20),
                        consistency_level="Strong")
    same_hits([(h["id"], h["distance"]) for h in got[0]], best, [1 / (20 + r) for r in range(1, 11)], DATA)
    got = client.search(name, [QUERIES[0]], anns_field="dense", limit=10, consistency_level="Strong",
                        ranker=function(reranker="weighted", weights=[0.5], norm_score=True))
    scores = DATA.scores("dense", QUERIES[0])[best]
    halves = [0.5 * (1 - 2 * math.atan(score) / math.pi) for score in scores]
    same_hits([(h["id"], h["distance"]) for h in got[0]], best, halves, DATA)


def boosted(call, name, functions, topk=15, modes=None, **more):
    from pymilvus.grpc_gen import schema_pb2
    request = raw_search(None, name, QUERIES[:1], topk=topk, **more)
    for number, params in enumerate(functions):
        made = request.function_score.functions.add(name=f"f{number}", type=schema_pb2.FunctionType.Rerank)
        given = {"reranker": "boost", **params}
        for key, value in given.items():
            if value is not None:
                made.params.add(key=key, value=str(value))
    for key, value in (modes or {}).items():
        request.function_score.params.add(key=key, value=value)
    return call("Search", request)


@pytest.mark.parametrize("modes", [{}, {"boost_mode": "sum"}, {"function_mode": "sum"},
                                   {"function_mode": "sum", "boost_mode": "sum"}])
def test_boosts(call, name, modes):
    # All rows are candidates, so that the answer does not hang on segments.
    answer = boosted(call, name, [{"filter": "group < 10", "weight": 0.5}, {"filter": "group >= 5", "weight": 0.25}],
                     topk=len(DATA.ids), modes=modes)
    total = DATA.scores("dense", QUERIES[0]).astype(np.float64)
    for i, group in enumerate(DATA.group):
        weights = ([0.5] if group < 10 else []) + ([0.25] if group >= 5 else [])
        change = sum(weights) if "function_mode" in modes else math.prod(weights)
        total[i] = total[i] + change if "boost_mode" in modes else total[i] * change
    total = total.astype(np.float32)
    order = np.lexsort((DATA.ids, total))
    same_hits(hits_of(answer)[0], order, total[order], DATA)


def test_random_boosts_repeat(call, name):
    def run(seed, weight=1):
        spec = f'{{"seed": {seed}, "field": "id"}}'
        return hits_of(boosted(call, name, [{"weight": weight, "random_score": spec}], topk=len(DATA.ids)))[0]
    assert run(1) == run(1)
    assert run(1) != run(2)
    plain = DATA.scores("dense", QUERIES[0])
    draws = [score / plain[list(DATA.ids).index(key)] for key, score in run(3)]
    assert 0 <= min(draws) < 0.05 and 0.95 < max(draws) < 1.0001
    assert abs(np.mean(draws) - 0.5) < 0.08


def test_the_seed_of_random_boosts_is_any_number(call, name):
    def run(seed):
        return hits_of(boosted(call, name, [{"weight": 1, "random_score": f'{{"seed": {seed}, "field": "id"}}'}]))[0]
    assert run(7.9) == run(7) != run(-7) and run(-7.5) == run(-7)


@pytest.mark.parametrize("words, params", [
    ("weight", {"weight": "heavy"}), ("weight", {}), ("filter of a boost", {"weight": 1, "filter": "group <"}),
    ("JSON object", {"weight": 1, "random_score": "[]"}),
    ("only support int64 field as random seed", {"weight": 1, "random_score": '{"field": "price"}'}),
    ("random seed field name must be string", {"weight": 1, "random_score": '{"field": 7}'}),
    ("random seed field not found", {"weight": 1, "random_score": '{"field": "nobody"}'}),
    ("random seed must be number", {"weight": 1, "random_score": '{"seed": "7"}'}),
    ("random seed must be number", {"weight": 1, "random_score": '{"seed": 1e300}'}),
    ("a seed and a field", {"weight": 1, "random_score": '{"sead": 7}'})])
def test_bad_boosts(call, name, words, params):
    status = boosted(call, name, [params]).status
    assert status.code == 1100 and words in status.reason, status.reason


def test_boosts_do_not_go_with_groups_and_iterators(call, name):
    for more in ({"group_by_field": "group"}, {"iterator": "True"}):
        status = boosted(call, name, [{"weight": 1}], **more).status
        assert status.code == 1100 and "segment scorer with group_by or search_iterator" in status.reason, status


def test_one_reranker_beside_boosts_is_named(call, name):
    for words, code, functions in (
            ("reranker name not specified", 1101, [{"weight": 1, "reranker": None}]),
            ("unsupported reranker magic", 1100, [{"reranker": "magic"}]),
            ("currently only supports one rerank function", 1100, [{"reranker": "rrf"}, {"reranker": "RRF"}])):
        status = boosted(call, name, functions).status
        assert status.code == code and words in status.reason, status


@pytest.mark.parametrize("code, inputs, params", [
    (1100, ["price"], {"reranker": "magic"}),
    (1100, [], {"reranker": "decay", "function": "exp", "origin": 1, "scale": 1}),
    (1100, ["label"], {"reranker": "decay", "function": "exp", "origin": 1, "scale": 1}),
    (1100, ["nobody"], {"reranker": "decay", "function": "exp", "origin": 1, "scale": 1}),
    (1101, ["price"], {"reranker": "decay", "function": "exp", "scale": 1}),
    (1101, ["price"], {"reranker": "decay", "function": "exp", "origin": 1}),
    (1100, ["price"], {"reranker": "decay", "function": "cubic", "origin": 1, "scale": 1}),
    (1100, ["price"], {"reranker": "decay", "function": "exp", "origin": 1, "scale": 0}),
    (1100, ["price"], {"reranker": "decay", "function": "exp", "origin": 1, "scale": 1, "decay": 1}),
    (1100, ["price"], {"reranker": "decay", "function": "exp", "origin": 1, "scale": 1, "decay": 0.0009}),
    (1100, ["price"], {"reranker": "decay", "function": "exp", "origin": 1, "scale": 1, "decay": 0.9995}),
    (1100, ["price"], {"reranker": "decay", "function": "exp", "origin": 1, "scale": 1, "offset": -1}),
    (1100, ["price"], {"reranker": "decay", "function": "exp", "origin": "x", "scale": 1}),
    (1100, [], {"reranker": "rrf", "k": 0}), (1100, [], {"reranker": "weighted", "weights": [0.5, 0.5]})])
def test_bad_functions(client, name, code, inputs, params):
    with refused(code):
        client.search(name, [QUERIES[0]], anns_field="dense", limit=5, ranker=function(inputs, **params))


def order_key(i, descending, nulls_first):
    price = DATA.price[i]
    null = (price is None) != nulls_first
    return null, 0 if price is None else -price if descending else price


@pytest.mark.parametrize("text, descending, nulls_first", [
    ("price", False, False), ("price:asc", False, False), ("price:desc", True, True),
    ("price:desc:nulls_last", True, False),
    ("price:ASC:NULLS_FIRST", False, True)])
def test_ordered_by_a_field(call, name, text, descending, nulls_first):
    answer = raw_search(call, name, QUERIES, topk=30, offset=5, order_by_fields=text)
    for got, query in zip(hits_of(answer), QUERIES):
        best = DATA.best("dense", query, 35)
        order = sorted(best, key=lambda i: order_key(i, descending, nulls_first))[5:]
        same_hits(got, order, DATA.scores("dense", query)[order], DATA)
    assert answer.results.top_k == 30
    assert not answer.results.fields_data, "what is ordered by was not asked for"


def test_ordered_by_json_and_then_a_field(call, name):
    answer = raw_search(call, name, QUERIES[:1], topk=40, order_by_fields='meta["kind"]:desc, group')
    best = DATA.best("dense", QUERIES[0], 40)

    def json_text(i):
        value = DATA.meta[i].get("kind")
        return None if value is None else f'"{value}"' if isinstance(value, str) else str(value)
    values = sorted({json_text(i) for i in best} - {None}, reverse=True)
    order = sorted(best, key=lambda i: (0 if json_text(i) is None else 1 + values.index(json_text(i)), DATA.group[i]))
    assert [key for key, _ in hits_of(answer)[0]] == [int(DATA.ids[i]) for i in order]


def test_ordered_after_a_function(call, name):
    from pymilvus.grpc_gen import schema_pb2
    request = raw_search(None, name, QUERIES[:1], topk=12, order_by_fields="group")
    made = request.function_score.functions.add(name="f", type=schema_pb2.FunctionType.Rerank)
    made.params.add(key="reranker", value="rrf")
    best = DATA.best("dense", QUERIES[0], 12)
    order = sorted(best, key=lambda i: DATA.group[i])
    assert [key for key, _ in hits_of(call("Search", request))[0]] == [int(DATA.ids[i]) for i in order]


@pytest.mark.parametrize("text", ["price:up", "price:asc:nulls_middle", "price:asc:nulls_last:more", "dense", "nobody",
                                  ","])
def test_bad_orders(call, name, text):
    assert raw_search(call, name, QUERIES, order_by_fields=text).status.code == 1100


def test_search_by_keys(call, name):
    places = [3, 250, 399]
    answer = raw_search(call, name, [], ids=[int(DATA.ids[i]) for i in places], topk=6, filter_text="group < 20")
    for got, place in zip(hits_of(answer), places):
        order = DATA.best("dense", DATA.dense[place], 6, DATA.group < 20)
        same_hits(got, order, DATA.scores("dense", DATA.dense[place])[order], DATA)
    assert answer.results.num_queries == 3


@pytest.mark.parametrize("ids", [[-5], [-5, -6], "twice"])
def test_bad_keys(call, name, ids):
    ids = [int(DATA.ids[0])] * 2 if ids == "twice" else ids
    status = raw_search(call, name, [], ids=ids).status
    assert status.code == 1100
    assert ids[0] > 0 or str(ids[0]) in status.reason


def test_recall_of_an_exact_search_is_one(call, name):
    answer = raw_search(call, name, QUERIES, enable_recall_calculation="true")
    assert list(answer.results.recalls) == [1.0, 1.0]
    answer = raw_search(call, name, QUERIES, enable_recall_calculation="true", filter_text="group < 0")
    assert list(answer.results.recalls) == [0.0, 0.0]


@pytest.mark.parametrize("params", [{"hints": "iterative_filter"}, {"hints": "disable"},
                                    {"params": {"hints": "iterative_filter"}}])
def test_hints_change_no_answer(call, name, params):
    got = hits_of(raw_search(call, name, QUERIES[:1], filter_text="group < 7", **params))[0]
    order = DATA.best("dense", QUERIES[0], 10, DATA.group < 7)
    same_hits(got, order, DATA.scores("dense", QUERIES[0])[order], DATA)
    assert raw_search(call, name, QUERIES[:1], hints="guess").status.code == 2000


def test_rows_not_sealed_may_be_left_out(call, client, name):
    got = hits_of(raw_search(call, name, QUERIES[:1], ignore_growing="true", topk=len(DATA.ids)))[0]
    sealed = client.get_collection_stats(name)["row_count"]
    assert len(got) in (0, len(DATA.ids) // 2, len(DATA.ids)) and len(got) <= sealed
    assert raw_search(call, name, QUERIES[:1], ignore_growing="perhaps").status.code == 1100


def test_a_collection_may_let_searches_ask_for_more(client, name):
    more = name + "_large"
    for mode, code in (("small", 1100), ("large_topk", 0)):
        schema = client.create_schema(auto_id=False)
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM)
        if code:
            with refused(code, "query_mode"):
                client.create_collection(more, schema=schema, properties={"query_mode": mode})
        else:
            client.create_collection(more, schema=schema, properties={"query_mode": mode})
    add_index(client, more, "FLAT")
    client.load_collection(more)
    client.insert(more, [{"id": i, "vector": DATA.dense[i]} for i in range(50)])
    got = client.search(more, [QUERIES[0]], limit=20000, consistency_level="Strong")[0]
    assert len(got) == 50
    with refused(1100, "topk"):
        client.search(more, [QUERIES[0]], limit=1000001)
    with refused(1100, "topk"):
        client.search(name, [QUERIES[0]], anns_field="dense", limit=20000)
    client.drop_collection(more)
