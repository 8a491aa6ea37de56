"""What a hybrid search takes from the whole and what from the searches in it, how their scores are made comparable and
rounded: the contract's statements, one a line."""
import math

import numpy as np
import pytest
from pymilvus import DataType, Function, FunctionType, MilvusClient
from pymilvus.grpc_gen import common_pb2, milvus_pb2, schema_pb2
from search_data import hits_of, raw_search
from support import refused
from wire import placeholder

NAME, ROWS, DIM = "hybrid_rules", 60, 4
RANDOM = np.random.default_rng(12)
VECTORS = RANDOM.normal(size=(ROWS, DIM)).astype(np.float32)
QUERY = RANDOM.normal(size=DIM).astype(np.float32)
TEXTS = [("running dogs" if i % 7 == 0 else "ran a dog") + f" word{i % 5}" for i in range(ROWS)]
FIRST = 45  # The rows from here on are in the partition `other`.
LANGUAGES = {"analyzers": {"default": {}, "en": {"type": "english"}}, "by_field": "lang"}


@pytest.fixture(scope="module")
def name(server):
    """Sealed rows and growing ones, fields of three metrics and two texts, the second with an analyzer a language."""
    client = MilvusClient(uri=server.uri)
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("n", DataType.INT64)
    schema.add_field("lang", DataType.VARCHAR, max_length=20)
    schema.add_field("text", DataType.VARCHAR, max_length=100, enable_analyzer=True, multi_analyzer_params=LANGUAGES)
    for field, kind, dim in (("near", DataType.FLOAT_VECTOR, DIM), ("alike", DataType.FLOAT_VECTOR, DIM),
                             ("inner", DataType.FLOAT_VECTOR, DIM), ("bits", DataType.BINARY_VECTOR, 8)):
        schema.add_field(field, kind, dim=dim)
    schema.add_field("words", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(Function("bm25", FunctionType.BM25, ["text"], ["words"]))
    client.create_collection(NAME, schema=schema, consistency_level="Strong")
    client.create_partition(NAME, "other")
    indexes = client.prepare_index_params()
    for field, metric in (("near", "L2"), ("alike", "COSINE"), ("inner", "IP")):
        indexes.add_index(field, index_type="FLAT", metric_type=metric)
    indexes.add_index("bits", index_type="BIN_FLAT", metric_type="HAMMING")
    indexes.add_index("words", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
    client.create_index(NAME, indexes)
    client.load_collection(NAME)
    rows = [{"id": i, "n": i % 6, "lang": "en" if i % 2 else "xx", "text": TEXTS[i], "near": VECTORS[i],
             "alike": VECTORS[i], "inner": VECTORS[i], "bits": bytes([i])} for i in range(ROWS)]
    client.insert(NAME, rows[:30])
    client.flush(NAME)
    client.insert(NAME, rows[30:FIRST])
    client.insert(NAME, rows[FIRST:], partition_name="other")
    yield NAME
    client.drop_collection(NAME)
    client.close()


def part(field="near", queries=1, **params):
    params = {"topk": 10, **params}
    request = raw_search(None, NAME, [QUERY] * queries, anns_field=field,
                         **{key: value for key, value in params.items() if value is not None})
    if params["topk"] is None:
        [usual] = [one for one in request.search_params if one.key == "topk"]
        request.search_params.remove(usual)
    return request


def of_kind(field, kind, value, **params):
    """A part that looks for one placeholder's value of this kind."""
    request = part(field, **params)
    value = common_pb2.PlaceholderValue(tag="$0", type=getattr(common_pb2.PlaceholderType, kind), values=[value])
    request.placeholder_group = common_pb2.PlaceholderGroup(placeholders=[value]).SerializeToString()
    return request


def words(text, analyzer=None, topk=10):
    return of_kind("words", "VarChar", text.encode(), topk=topk, **({"analyzer_name": analyzer} if analyzer else {}))


def bits():
    return of_kind("bits", "BinaryVector", b"\x05")


def hybrid(parts, partitions=(), output=(), **rank):
    request = milvus_pb2.HybridSearchRequest(collection_name=NAME, requests=parts, partition_names=partitions,
                                             output_fields=output)
    for key, value in {"limit": 10, **rank}.items():
        if value is not None:
            request.rank_params.add(key=key, value=str(value))
    return request


def weighted(call, parts, weights, norm=False, **rank):
    params = f'{{"weights": {weights}, "norm_score": {str(norm).lower()}}}'
    return hits_of(call("HybridSearch", hybrid(parts, strategy="weighted", params=params, **rank)))[0]


def exact(field):
    if field == "near":
        return ((VECTORS - QUERY) ** 2).sum(1)
    dot = VECTORS @ QUERY
    return dot if field == "inner" else dot / np.linalg.norm(VECTORS, axis=1) / np.linalg.norm(QUERY)


def nearest(limit, offset=0, keep=None):
    order = [int(i) for i in np.lexsort((np.arange(ROWS), exact("near"))) if keep is None or keep(i)]
    return order[offset:offset + limit]


def keys(answer):
    return [key for key, _ in hits_of(answer)[0]]


# --- What is refused -------------------------------------------------------------------------------------------------

DECAY = {"function": "exp", "origin": "1", "scale": "1"}
# The words of the refusal, the searches, and what the whole says.
REFUSED = {
    "no limit": ("limit", [part()], {"limit": None}), "a limit of 0": ("topk [0]", [part()], {"limit": 0}),
    "a limit in words": ("limit [ten]", [part()], {"limit": "ten"}),
    "an offset below 0": ("offset [-1]", [part()], {"offset": -1}), "no searches": ("got 0", [], {}),
    "1025 searches": ("got 1025", [part(topk=1)] * 1025, {}),
    "another strategy": ("rank type RRF", [part()], {"strategy": "RRF"}),
    "params that are no JSON": ("JSON", [part()], {"params": "{"}),
    "k in words": ("k should be", [part()], {"params": '{"k": "x"}'}),
    "a weight below 0": ("weight", [part()], {"strategy": "weighted", "params": '{"weights": [-0.1]}'}),
    "weights of one number": ("weights", [part()], {"strategy": "weighted", "params": '{"weights": 1}'}),
    "other numbers of queries": ("nq", [part(), part(queries=2)], {}), "a topk of 0": ("topk [0]", [part(topk=0)], {}),
    "an iterator": ("iterator", [part(iterator="True", search_iter_v2="True", search_iter_batch_size=5)], {}),
    "a wrong filter in one": ("n >", [part(), part(filter_text="n >")], {}),
    "groups of bits": ("cannot be grouped", [part(), bits()], {"group_by_field": "n"}),
    "groups of a range": ("range", [part(params={"radius": 9})], {"group_by_field": "n"}),
    "a decay of a text": ("numeric", [part()], {"function": ("decay", DECAY, ["text"])}),
    "a boost": ("boost", [part()], {"function": ("boost", {"weight": "2"}, [])}),
    "a part's round_decimal of 7": ("round_decimal [7]", [part(round_decimal=7)], {}),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_a_hybrid_search_may_not_be_has_its_code(call, name, what):
    says, parts, rank = REFUSED[what]
    rank = dict(rank)
    function = rank.pop("function", None)
    request = hybrid(parts, **rank)
    if function:
        made = request.function_score.functions.add(name="f", type=schema_pb2.FunctionType.Rerank,
                                                    input_field_names=function[2])
        for key, value in {"reranker": function[0], **function[1]}.items():
            made.params.add(key=key, value=value)
    status = call("HybridSearch", request).status
    assert status.code == 1100 and says in status.reason, status.reason


def test_an_unknown_field_in_one_search_fails_all(call, name):
    assert call("HybridSearch", hybrid([part(), part("nobody")])).status.code == 1700


def test_as_many_searches_as_are_allowed_are_answered(call, name):
    assert keys(call("HybridSearch", hybrid([part(topk=1)] * 1024))) == nearest(1)


@pytest.mark.skipif(not hasattr(common_pb2, "Highlighter"), reason="the SDK cannot say it yet")
def test_no_part_and_no_whole_is_highlighted(client, call, name):
    one = words("dog")
    one.highlighter.params.add(key="highlight_search_text", value="true")
    status = call("HybridSearch", hybrid([one])).status
    assert status.code == 1100 and "not support hybrid search with highlight now" in status.reason
    from pymilvus import AnnSearchRequest, LexicalHighlighter, RRFRanker
    with refused(1100, "not support hybrid search with highlight now"):  # The SDK puts it into each part.
        client.hybrid_search(NAME, [AnnSearchRequest(["dog"], "words", {}, limit=5)], RRFRanker(), limit=5,
                             highlighter=LexicalHighlighter(pre_tags=["<"], post_tags=[">"], highlight_search_text=True))
    whole = milvus_pb2.SearchRequest(collection_name=NAME)
    whole.sub_reqs.add(placeholder_group=placeholder([QUERY]), nq=1).search_params.add(key="anns_field", value="near")
    whole.search_params.add(key="limit", value="3")
    assert call("Search", whole).status.code == 0
    whole.highlighter.params.add(key="highlight_search_text", value="true")
    assert call("Search", whole).status.code == 1100


# --- What counts, the whole's or the part's --------------------------------------------------------------------------

def test_the_offset_of_a_part_is_ignored(call, name):
    assert keys(call("HybridSearch", hybrid([part(offset=3), part(offset="x")]))) == nearest(10)


def test_a_part_without_topk_finds_what_the_whole_needs(call, name):
    assert keys(call("HybridSearch", hybrid([part(topk=None)], limit=4, offset=2))) == nearest(4, offset=2)
    assert keys(call("HybridSearch", hybrid([part(topk=3)], limit=4, offset=2))) == nearest(1, offset=2)


def test_partitions_output_and_level_are_the_wholes(call, name):
    one = part()
    one.partition_names.append("nowhere")
    one.output_fields.append("nobody")
    one.consistency_level, one.guarantee_timestamp = 4, 1 << 62  # Of the far future.
    answer = call("HybridSearch", hybrid([one], partitions=["other"], output=["n"]))
    assert keys(answer) == nearest(10, keep=lambda i: i >= FIRST)
    assert [field.field_name for field in answer.results.fields_data] == ["n"]
    assert list(answer.results.fields_data[0].scalars.long_data.data) == [i % 6 for i in keys(answer)]


def test_each_part_has_its_filter_and_its_analyzer(call, name):
    def found(*parts):
        return set(keys(call("HybridSearch", hybrid(parts, limit=ROWS))))
    assert found(part(topk=ROWS, filter_text="n == 1"), part(topk=ROWS, filter_text="n == 2")) == \
        {i for i in range(ROWS) if i % 6 in (1, 2)}
    english = {i for i in range(ROWS) if i % 2 and "running" in TEXTS[i]}
    plain = {i for i in range(ROWS) if not i % 2 and "running" in TEXTS[i]}
    assert english and plain
    assert found(words("run", "en", topk=ROWS)) == english
    assert found(words("running", topk=ROWS)) == plain
    assert found(words("run", "en", topk=ROWS), words("running", topk=ROWS)) == english | plain


# --- Scores ----------------------------------------------------------------------------------------------------------

NORM = {"near": lambda s: 1 - 2 * math.atan(s) / math.pi, "alike": lambda s: (1 + s) / 2,
        "inner": lambda s: 0.5 + math.atan(s) / math.pi}


def same(got, total, limit=10):
    """The best of these totals by key, ties to the smaller key."""
    order = sorted(total, key=lambda i: (-np.float32(total[i]), i))[:limit]
    assert [key for key, _ in got] == order
    np.testing.assert_allclose([score for _, score in got], [total[i] for i in order], rtol=1e-5, atol=1e-6)


def test_each_metric_is_normalised_its_own_way(call, name):
    fields, weights = list(NORM), [0.5, 0.3, 0.9]
    got = weighted(call, [part(field, topk=ROWS) for field in fields], weights, norm=True)
    same(got, {i: sum(weight * NORM[field](float(exact(field)[i])) for field, weight in zip(fields, weights))
               for i in range(ROWS)})


def test_texts_are_normalised_as_texts(call, name):
    plain = dict(weighted(call, [words("dog", topk=ROWS)], [1], limit=ROWS))
    normal = dict(weighted(call, [words("dog", topk=ROWS)], [1], norm=True, limit=ROWS))
    assert set(plain) == set(normal) and plain
    for key, score in plain.items():
        assert normal[key] == pytest.approx(2 * math.atan(score) / math.pi, rel=1e-5)


def test_similarities_alone_stay_as_they_are(call, name):
    got = weighted(call, [part("alike", topk=ROWS), part("inner", topk=ROWS)], [0.2, 0.7])
    same(got, {i: 0.2 * float(exact("alike")[i]) + 0.7 * float(exact("inner")[i]) for i in range(ROWS)})


def test_of_mixed_directions_only_distances_are_turned(call, name):
    got = weighted(call, [part("near", topk=ROWS), part("inner", topk=ROWS)], [0.6, 0.4])
    same(got, {i: 0.6 * NORM["near"](float(exact("near")[i])) + 0.4 * float(exact("inner")[i]) for i in range(ROWS)})


def half_up(values, decimals):
    return np.floor(np.asarray(values, np.float64) * 10 ** decimals + 0.5) / 10 ** decimals


def test_parts_are_rounded_before_the_fusion_and_the_whole_after_its_order(call, name):
    got = weighted(call, [part("inner", topk=ROWS, round_decimal=0), part("alike", topk=ROWS)], [0.5, 0.5],
                   round_decimal=1)
    # Half away from zero, in each segment.
    inner = np.sign(exact("inner")) * np.floor(np.abs(exact("inner")) + 0.5)
    total = 0.5 * inner + 0.5 * exact("alike")
    order = np.lexsort((np.arange(ROWS), -total.astype(np.float32)))[:10]
    assert [key for key, _ in got] == order.tolist()
    np.testing.assert_allclose([score for _, score in got], half_up(total[order], 1), atol=1e-5)


@pytest.mark.parametrize("field", ["near", "inner"])
def test_what_a_path_has_not_found_adds_nothing(call, name, field):
    got = weighted(call, [part("alike", topk=ROWS), part(field, topk=5)], [1, 1], norm=True, limit=ROWS)
    scores = exact(field)
    best = set(np.lexsort((np.arange(ROWS), scores if field == "near" else -scores))[:5].tolist())
    same(got, {i: NORM["alike"](float(exact("alike")[i])) + (NORM[field](float(scores[i])) if i in best else 0)
               for i in range(ROWS)}, ROWS)


def test_the_sdk_says_nothing_else(client, name):
    from pymilvus import AnnSearchRequest, WeightedRanker
    with refused(1100, "weights"):
        client.hybrid_search(NAME, [AnnSearchRequest([QUERY], "near", {}, limit=5)], WeightedRanker(0.5, 0.5), limit=5)
