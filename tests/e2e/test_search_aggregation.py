"""Search aggregation as the newer SDK sends it, against buckets made by hand."""
import numpy as np
import pytest
from search_data import DIM, Rows, collection_in_every_state, raw_search, small_indexes
from support import refused

pytest.importorskip("pymilvus.client.search_aggregation", reason="the older SDK has no search aggregation")
from pymilvus import MilvusClient  # noqa: E402
from pymilvus.client.search_aggregation import SearchAggregation, TopHits, parse_agg_buckets  # noqa: E402

DATA = Rows(seed=16)
QUERIES = np.random.default_rng(8).normal(size=(2, DIM)).astype(np.float32)
server = small_indexes()
name = collection_in_every_state(DATA)


def best_groups(query, keys_of, groups, size, keep=None):
    """The hits that a search for so many groups finds, group by group."""
    found = {}
    for place in DATA.best("dense", query, keep=keep):
        found.setdefault(keys_of(place), []).append(place)
    return [place for members in list(found.values())[:groups] for place in members[:size]]


def ask(client, name, aggregation, queries=QUERIES, **more):
    found = client.search(name, list(queries), anns_field="dense", limit=10, search_aggregation=aggregation,
                          consistency_level="Strong", **more)
    return found.agg_buckets


def test_one_level_with_metrics_and_hits(client, name):
    spec = SearchAggregation(["label"], 4, {"n": {"count": "*"}, "mean": {"avg": "price"}, "sum": {"sum": "group"},
                                            "near": {"min": "_score"}}, top_hits=TopHits(3))
    for query, buckets in zip(QUERIES, ask(client, name, spec, output_fields=["group", "meta"])):
        hits = best_groups(query, lambda i: DATA.label[i], 4, 3)
        scores = DATA.scores("dense", query)
        assert len(buckets) == 4
        labels = list(dict.fromkeys(DATA.label[i] for i in hits))
        assert [bucket.key[0]["value"] for bucket in buckets] == labels
        assert all(bucket.key[0]["field_name"] == "label" for bucket in buckets)
        for bucket, label in zip(buckets, labels):
            members = [i for i in hits if DATA.label[i] == label]
            prices = [DATA.price[i] for i in members if DATA.price[i] is not None]
            assert bucket.count == bucket.metrics["n"] == len(members)
            assert bucket.metrics["mean"] == (pytest.approx(np.mean(prices)) if prices else None)
            assert bucket.metrics["sum"] == sum(int(DATA.group[i]) for i in members)
            assert bucket.metrics["near"] == pytest.approx(min(scores[members]), rel=1e-5)
            assert [hit.pk for hit in bucket.hits] == [int(DATA.ids[i]) for i in members]
            for hit, i in zip(bucket.hits, members):
                assert hit.score == pytest.approx(scores[i], rel=1e-5)
                assert hit.fields["group"] == DATA.group[i] and set(hit.fields) == {"group", "meta"}


def test_ordered_by_a_metric_and_hits_by_a_field(client, name):
    spec = SearchAggregation(["group"], 3, {"mean": {"avg": "price"}}, order=[{"mean": "asc"}, {"_key": "asc"}],
                             top_hits=TopHits(2, [{"price": "desc"}]))
    buckets = ask(client, name, spec, QUERIES[:1], filter="group < 20")[0]
    hits = best_groups(QUERIES[0], lambda i: DATA.group[i], 3, 2, DATA.group < 20)
    expected = []
    for group in dict.fromkeys(DATA.group[i] for i in hits):
        members = [i for i in hits if DATA.group[i] == group]
        prices = [DATA.price[i] for i in members if DATA.price[i] is not None]
        members.sort(key=lambda i: (DATA.price[i] is None, -(DATA.price[i] or 0)))
        expected.append((not prices, np.mean(prices) if prices else 0, group, [int(DATA.ids[i]) for i in members]))
    expected.sort(key=lambda one: one[:3])
    assert [(b.key[0]["value"], [h.pk for h in b.hits]) for b in buckets] == [(g, pks) for _, _, g, pks in expected]
    assert all(hit.fields == {} for bucket in buckets for hit in bucket.hits), "what is sorted by was not asked for"


def test_levels_in_levels(client, name):
    spec = SearchAggregation(["label"], 3, sub_aggregation=SearchAggregation(
        ["group"], 2, {"n": {"count": "*"}}, order=[{"_key": "desc"}], top_hits=TopHits(1)))
    buckets = ask(client, name, spec, QUERIES[:1])[0]
    hits = best_groups(QUERIES[0], lambda i: (DATA.label[i], DATA.group[i]), 6, 1)
    labels = list(dict.fromkeys(DATA.label[i] for i in hits))[:3]
    assert [bucket.key[0]["value"] for bucket in buckets] == labels
    for bucket, label in zip(buckets, labels):
        members = [i for i in hits if DATA.label[i] == label]
        assert bucket.count == len(members)
        groups = sorted(list(dict.fromkeys(DATA.group[i] for i in members))[:2], reverse=True)
        assert [inner.key[0]["value"] for inner in bucket.sub_groups] == groups
        for inner, group in zip(bucket.sub_groups, groups):
            first = next(i for i in members if DATA.group[i] == group)
            assert [hit.pk for hit in inner.hits] == [int(DATA.ids[first])]


def test_a_search_of_nothing_has_no_buckets(client, name):
    spec = SearchAggregation(["group"], 3)
    assert not any(ask(client, name, spec, filter="group < 0"))


def raw(call, name, change=None, **params):
    request = raw_search(None, name, QUERIES[:1], **params)
    request.search_aggregation.fields.append("group")
    request.search_aggregation.size = 3
    if change:
        change(request.search_aggregation)
    return call("Search", request)


def test_the_answer_on_the_wire(call, name):
    answer = raw(call, name)
    assert answer.status.code == 0, answer.status.reason
    assert list(answer.results.agg_topks) == [3] and not answer.results.scores
    assert len(parse_agg_buckets(answer.results.agg_buckets)) == 3


def sized(**sizes):
    def change(spec):
        for key, value in sizes.items():
            setattr(spec, key, value)
    return change


def keyed(*fields):
    def change(spec):
        del spec.fields[:]
        spec.fields.extend(fields)
    return change


def deep(spec):
    for field in ("label", "id", "group", "label"):
        spec = spec.sub_aggregation
        spec.fields.append(field)
        spec.size = 1


@pytest.mark.parametrize("change, params", [
    (None, {"group_by_field": "label"}), (None, {"iterator": "True"}), (None, {"offset": 3}),
    (sized(size=0), {}), (sized(size=5, search_size=4), {}), (sized(size=10001), {}), (keyed(), {}),
    (keyed("price"), {}), (keyed("meta"), {}), (keyed("nobody"), {}), (keyed("group", "group"), {}), (deep, {}),
    (lambda spec: spec.metrics["m"].MergeFromString(b"\n\x03sum\x12\x05label"), {}),
    (lambda spec: spec.order.add(key="nobody"), {}), (lambda spec: spec.top_hits.sort.add(field_name="dense"), {})])
def test_what_is_refused(call, name, change, params):
    status = raw(call, name, change, **params).status
    assert status.code == 1100, status.reason


def test_hybrid_searches_and_highlighters_take_none(call, name):
    from pymilvus.grpc_gen import milvus_pb2
    part = raw_search(None, name, QUERIES[:1])
    part.search_aggregation.fields.append("group")
    part.search_aggregation.size = 3
    hybrid = milvus_pb2.HybridSearchRequest(collection_name=name, requests=[part])
    hybrid.rank_params.add(key="limit", value="5")
    assert call("HybridSearch", hybrid).status.code == 1100
    part.highlighter.params.add(key="highlight_search_text", value="true")
    assert call("Search", part).status.code == 1100


def test_the_limit_counts_queries_buckets_and_hits(client: MilvusClient, name):
    with refused(1100, "10000"):
        ask(client, name, SearchAggregation(["group"], 100, top_hits=TopHits(51)))
