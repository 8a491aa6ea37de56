"""Function chains as the newer SDK sends them: over the merged hits, and over those of each segment."""
import math

import numpy as np
import pytest
from search_data import DIM, Rows, collection_in_every_state, hits_of, raw_search, same_hits, small_indexes

pytest.importorskip("pymilvus.function_chain", reason="the older SDK has no function chains")
from pymilvus.function_chain import FunctionChain, FunctionChainExpr, FunctionChainOp  # noqa: E402
from pymilvus.function_chain import FunctionChainStage, col, fn  # noqa: E402
from pymilvus.grpc_gen import milvus_pb2  # noqa: E402

DATA = Rows(seed=19)
QUERIES = np.random.default_rng(8).normal(size=(2, DIM)).astype(np.float32)
server = small_indexes()
name = collection_in_every_state(DATA)
CURVE = {"function": "exp", "origin": 1, "scale": 2}
MERGED, SEGMENT = FunctionChainStage.L2_RERANK, FunctionChainStage.L0_RERANK


def search(client, name, chains, limit=20, **more):
    found = client.search(name, list(QUERIES), anns_field="dense", limit=limit, function_chains=chains,
                          consistency_level="Strong", **more)
    return [[(hit["id"], hit["distance"]) for hit in hits] for hits in found]


def near(price):
    return 0.0 if price is None else math.exp(max(0, abs(price - 20) - 1) * math.log(0.4) / 5)


def combined(query, limit):
    """Places and scores of: round(0.7 score + 0.3 nearness of the price, 3), the largest first."""
    scores = DATA.scores("dense", query)
    total = {i: math.floor((0.7 * float(scores[i]) + 0.3 * near(DATA.price[i])) * 1000 + 0.5) / 1000
             for i in DATA.best("dense", query, limit)}
    order = sorted(total, key=lambda i: (-total[i], DATA.ids[i]))
    return order, [total[i] for i in order]


def chain(*ops, stage=MERGED):
    made = FunctionChain(stage)
    made._ops.extend(ops)
    return made.to_proto()


def op(kind, expression=None, inputs=(), outputs=(), **params):
    return FunctionChainOp(op=kind, expr=expression, inputs=inputs, outputs=outputs, params=params)


def expression(name_, *columns, **params):
    return FunctionChainExpr(name_, args=tuple(col(c) for c in columns), params=params)


def boost(*columns, **params):
    return expression("boost_score", *columns, **params)


def rank_chain(stage=MERGED):
    return (FunctionChain(stage, name="rank")
            .map("near", fn.decay(col("price"), function="exp", origin=20, scale=5, offset=1, decay=0.4))
            .map("$score", fn.num_combine(col("$score"), col("near"), mode="weighted", weights=[0.7, 0.3]))
            .map("$score", fn.round_decimal(col("$score"), decimal=3))
            .sort(col("$score"), desc=True, tie_break_col=col("$id")))


def test_merged_hits_are_scored_sorted_and_cut(client, name):
    for query, got in zip(QUERIES, search(client, name, rank_chain().limit(7, offset=2))):
        order, scores = combined(query, 20)
        same_hits(got, order[2:9], scores[2:9], DATA)


def test_the_offset_of_the_search_counts_in_the_order_of_the_chain(client, name):
    for query, got in zip(QUERIES, search(client, name, rank_chain(), limit=10, offset=5)):
        order, scores = combined(query, 15)
        same_hits(got, order[5:], scores[5:], DATA)


def test_fields_that_only_the_chain_reads_are_not_in_the_answer(client, name):
    found = client.search(name, [QUERIES[0]], anns_field="dense", limit=5, function_chains=rank_chain(),
                          output_fields=["label"], consistency_level="Strong")[0]
    order, _ = combined(QUERIES[0], 5)
    assert [hit["entity"] for hit in found] == [{"label": DATA.label[i]} for i in order]


def test_hits_of_segments_are_scored_before_they_are_merged(client, name):
    # All rows are candidates, so that the answer does not hang on segments; smaller stays better.
    chain = FunctionChain(SEGMENT).map("$score", fn.num_combine(col("$score"), col("group"), mode="sum"))
    for query, got in zip(QUERIES, search(client, name, chain, limit=len(DATA.ids))):
        total = (DATA.scores("dense", query).astype(np.float64) + DATA.group).astype(np.float32)
        order = np.lexsort((DATA.ids, total))
        same_hits(got, order, total[order], DATA)


@pytest.mark.parametrize("mode", ["multiply", "sum"])
def test_rows_that_pass_a_filter_are_boosted_in_their_segments(client, name, mode):
    # All rows are candidates, so that the answer does not hang on segments; smaller stays better.
    chain = (FunctionChain(SEGMENT).map("$score", boost(filter="group < 10", weight=0.5, boost_mode=mode))
             .map("$score", boost("$score", filter='label == "label 3" or group == 20', weight=3, boost_mode=mode)))
    for query, got in zip(QUERIES, search(client, name, chain, limit=len(DATA.ids))):
        total = DATA.scores("dense", query).astype(np.float64)
        for weight, passes in ((0.5, DATA.group < 10), (3, [label == "label 3" or group == 20 for label, group
                                                            in zip(DATA.label, DATA.group)])):
            total = np.where(passes, total + weight if mode == "sum" else total * weight, total)
        total = total.astype(np.float32)
        order = np.lexsort((DATA.ids, total))
        same_hits(got, order, total[order], DATA)


def test_random_boosts_repeat(client, name):
    def draws(**spec):
        chain = FunctionChain(SEGMENT).map("$score", boost(weight=2, random_score=spec))
        plain = dict(zip(DATA.ids.tolist(), DATA.scores("dense", QUERIES[0])))
        return {key: score / plain[key] / 2 for key, score in search(client, name, chain, limit=len(DATA.ids))[0]}
    once = draws(seed=1, field="id")
    assert once == draws(seed=1, field="id")
    assert once != draws(seed=2, field="id")
    assert draws(seed=3) == draws(seed=3)
    assert 0 <= min(once.values()) < 0.05 and 0.95 < max(once.values()) < 1.0001
    assert abs(np.mean(list(once.values())) - 0.5) < 0.08


def test_both_stages_in_one_search(client, name):
    chains = [FunctionChain(SEGMENT).map("$score", fn.num_combine(col("$score"), col("group"), mode="sum")),
              FunctionChain(MERGED).sort(col("group"), desc=False, tie_break_col=col("$id"))]
    got = search(client, name, chains, limit=len(DATA.ids))[0]
    total = (DATA.scores("dense", QUERIES[0]).astype(np.float64) + DATA.group).astype(np.float32)
    order = np.lexsort((DATA.ids, DATA.group))
    same_hits(got, order, total[order], DATA)


@pytest.mark.parametrize("size, limit, offset", [(1, 100, 0), (2, 3, 1)])
def test_a_few_hits_of_each_group_are_kept(call, name, size, limit, offset):
    """The hits in the order that the chain has made, and of each value of the field the first ones."""
    request = raw_search(None, name, QUERIES[:1], topk=60)
    steps = FunctionChain(MERGED).sort(col("group"), desc=True, tie_break_col=col("$id"))
    steps._ops.append(op("group_by", inputs=("label",), group_size=size, limit=limit, offset=offset))
    request.function_chains.append(steps.to_proto())
    groups = {}
    for i in sorted(DATA.best("dense", QUERIES[0], 60), key=lambda i: (-DATA.group[i], DATA.ids[i])):
        groups.setdefault(DATA.label[i], []).append(i)
    order = [i for of in list(groups.values())[offset:offset + limit] for i in of[:size]]
    assert [key for key, _ in hits_of(call("Search", request))[0]] == [int(DATA.ids[i]) for i in order]


def test_only_what_was_selected_can_be_read(call, name):
    near_price = op("map", expression("decay", "price", **CURVE), outputs=("near",))
    for last, code in ((op("sort", inputs=("near",)), 0), (op("sort", inputs=("$score",)), 0), (op("sort", inputs=("$id",)), 0),
                       (op("sort", inputs=("group",)), 1100)):
        request = raw_search(None, name, QUERIES[:1])
        request.function_chains.append(chain(near_price, op("select", inputs=("near",)), last))
        assert call("Search", request).status.code == code, last


def test_ordered_by_a_field_after_the_chain(call, name):
    request = raw_search(None, name, QUERIES[:1], topk=12, order_by_fields="group")
    request.function_chains.append(rank_chain().to_proto())
    order, _ = combined(QUERIES[0], 12)
    order.sort(key=lambda i: DATA.group[i])
    assert [key for key, _ in hits_of(call("Search", request))[0]] == [int(DATA.ids[i]) for i in order]


@pytest.mark.parametrize("made", [
    [chain()], [chain(op("shuffle"))], [chain(op("limit", limit=0))], [chain(op("sort", inputs=("nobody",)))],
    [chain(op("sort", inputs=("dense",)))], [chain(op("map", expression("guess", "price"), outputs=("x",)))],
    [chain(op("map", expression("decay", "price", **CURVE), outputs=("price",)))],
    [chain(op("map", expression("decay", "price", **CURVE), outputs=("$id",)))],
    [chain(op("map", expression("decay", "label", **CURVE), outputs=("x",)))],
    [chain(op("map", expression("decay", "$seg_offset", **CURVE), outputs=("x",)))],
    [chain(op("map", expression("num_combine", "price"), outputs=("x",)))],
    [chain(op("map", expression("round_decimal", "$score", decimal=7), outputs=("$score",)))],
    [chain(op("map", expression("xgboost", "price", model_resource="m"), outputs=("$score",)))],
    [chain(op("map", expression("xgboost", "price", model_resource="m"), outputs=("$score",)), stage=SEGMENT)],
    [chain(op("map", expression("xgboost", "price"), outputs=("$score",)))],
    [chain(op("map", expression("xgboost", "label", model_resource="m"), outputs=("$score",)))],
    [chain(op("map", expression("xgboost", "price", model_resource="m", output="leaf"), outputs=("$score",)))],
    [chain(op("map", expression("xgboost", "price", model_resource="m", guess=1), outputs=("$score",)))],
    [chain(op("map", boost(weight=2), outputs=("$score",)))],
    [chain(op("map", boost(), outputs=("$score",)), stage=SEGMENT)],
    [chain(op("map", boost(weight="2"), outputs=("$score",)), stage=SEGMENT)],
    [chain(op("map", boost("label", weight=2), outputs=("$score",)), stage=SEGMENT)],
    [chain(op("map", boost(weight=2, filter="group <"), outputs=("$score",)), stage=SEGMENT)],
    [chain(op("map", boost(weight=2, filter="nobody < 3"), outputs=("$score",)), stage=SEGMENT)],
    [chain(op("map", boost(weight=2, boost_mode="max"), outputs=("$score",)), stage=SEGMENT)],
    [chain(op("map", boost(weight=2, random_score={"seed": "x"}), outputs=("$score",)), stage=SEGMENT)],
    [chain(op("map", boost(weight=2, random_score={"field": "price"}), outputs=("$score",)), stage=SEGMENT)],
    [chain(op("map", boost(weight=2, random_score={"other": 1}), outputs=("$score",)), stage=SEGMENT)],
    [chain(op("map", boost(weight=2, guess=1), outputs=("$score",)), stage=SEGMENT)],
    [chain(op("limit", limit=3), stage=FunctionChainStage.L1_RERANK)],
    [chain(op("limit", limit=3), stage=FunctionChainStage.POST_PROCESS)],
    [chain(op("limit", limit=3, offset=-1))], [chain(op("select"))], [chain(op("merge"))],
    [chain(op("filter", expression("decay", "price", **CURVE)))], [chain(op("group_by", inputs=("$score",)))],
    [chain(op("group_by", inputs=("label",), group_size=0))], [chain(op("map", expression("decay", "price", **CURVE)))],
    [chain(op("limit", limit=3)), chain(op("limit", limit=2))]])
def test_bad_chains_are_refused(call, name, made):
    request = raw_search(None, name, QUERIES[:1])
    request.function_chains.extend(made)
    status = call("Search", request).status
    assert status.code == 1100, status.reason


def test_chains_go_with_no_score_function_iterator_or_hybrid_search(call, name):
    good = chain(op("limit", limit=3))
    request = raw_search(None, name, QUERIES[:1])
    request.function_chains.append(good)
    assert call("Search", request).status.code == 0
    hybrid = milvus_pb2.HybridSearchRequest(collection_name=name, requests=[request])
    hybrid.rank_params.add(key="limit", value="5")
    assert call("HybridSearch", hybrid).status.code == 1100
    hybrid = milvus_pb2.HybridSearchRequest(collection_name=name, function_chains=[good])
    assert call("HybridSearch", hybrid).status.code == 1100
    request.function_score.functions.add(name="f", type=3).params.add(key="reranker", value="rrf")
    assert call("Search", request).status.code == 1100
    request.ClearField("function_score")
    request.search_params.add(key="iterator", value="True")
    assert call("Search", request).status.code == 1100
