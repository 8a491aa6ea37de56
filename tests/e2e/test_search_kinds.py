"""Search iterators over every kind of vector, as the SDK drives them in both forms: each row comes once, with its
score. Then ranges and pages of the same fields. Sealed rows with indexes, growing ones, both together; some rows are
deleted."""
import math
import random
from collections import Counter

import numpy as np
import pytest
from pymilvus import AnnSearchRequest, DataType, Function, FunctionType, RRFRanker, WeightedRanker
from pymilvus.exceptions import ServerVersionIncompatibleException
from pymilvus.grpc_gen import common_pb2
from search_data import STATES, collection, fill, raw_search, small_indexes

ROWS, DIM, BITS, TERMS = 600, 8, 64, 40
SOURCE = np.random.default_rng(31)
BASE = SOURCE.normal(size=(ROWS, DIM)).astype(np.float32)
GROUP = SOURCE.integers(0, 10, ROWS)
SETS = SOURCE.integers(0, 2, (ROWS, BITS)).astype(np.uint8)
TERM_ROWS = [{int(t): float(np.float32(w)) for t, w in zip(SOURCE.choice(TERMS, 6, replace=False),
                                                           SOURCE.uniform(0.1, 1, 6))} for _ in range(ROWS)]
WORDS = random.Random(31)
TEXTS = [" ".join(WORDS.choices([f"w{i}" for i in range(50)], k=WORDS.randint(3, 12))) for _ in range(ROWS)]
DELETED = set(range(0, ROWS, 29))
server = small_indexes()


def bfloat16(numbers):
    """The upper 16 bits of float32 numbers, rounded to nearest even; and the numbers that these are."""
    bits = np.ascontiguousarray(numbers, np.float32).view(np.uint32)
    upper = ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)
    return upper, (upper.astype(np.uint32) << 16).view(np.float32)


HALF = BASE.astype(np.float16)
UPPER, BRAIN = bfloat16(BASE)
BYTES = np.clip(BASE * 30, -128, 127).astype(np.int8)


def cosine(rows, query):
    return rows @ query / np.linalg.norm(rows, axis=1) / np.linalg.norm(query)


def bm25(query):
    """By the formula; None: shares no word."""
    counts = [Counter(text.split()) for text in TEXTS]
    mean = sum(map(Counter.total, counts)) / ROWS
    scores = [None] * ROWS
    for word, times in Counter(query.split()).items():
        holders = [i for i, count in enumerate(counts) if word in count]
        weight = times * math.log(1 + (ROWS - len(holders) + 0.5) / (len(holders) + 0.5))
        for i in holders:
            tf = counts[i][word]
            part = tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * counts[i].total() / mean))
            scores[i] = (scores[i] or 0) + weight * part
    return scores


def jaccard(query):
    both, either = (SETS & query).sum(1), (SETS | query).sum(1)
    return 1 - both / either


def shared_terms(query):
    return [sum(w * query[t] for t, w in row.items() if t in query) or None for row in TERM_ROWS]


QUERY = SOURCE.normal(size=DIM).astype(np.float32)
BIT_QUERY = SOURCE.integers(0, 2, BITS).astype(np.uint8)
TERM_QUERY = {0: 0.5, 7: 1.0, 21: 0.25}
# Of each field: its type, index and metric, what the SDK is given to search for, the scores of all rows (None: no hit).
FIELDS = {
    "dense": (DataType.FLOAT_VECTOR, "IVF_FLAT", "COSINE", QUERY, lambda: cosine(BASE, QUERY)),
    "half": (DataType.FLOAT16_VECTOR, "HNSW", "L2", QUERY.astype(np.float16),
             lambda: ((HALF.astype(np.float32) - QUERY.astype(np.float16).astype(np.float32)) ** 2).sum(1)),
    "brain": (DataType.BFLOAT16_VECTOR, "IVF_FLAT", "IP", QUERY, lambda: BRAIN @ bfloat16(QUERY)[1]),
    "bytes": (DataType.INT8_VECTOR, "HNSW", "COSINE", (QUERY * 30).astype(np.int8),
              lambda: cosine(BYTES.astype(np.float32), (QUERY * 30).astype(np.int8).astype(np.float32))),
    "hamming": (DataType.BINARY_VECTOR, "BIN_IVF_FLAT", "HAMMING", np.packbits(BIT_QUERY).tobytes(),
                lambda: (SETS != BIT_QUERY).sum(1)),
    "jaccard": (DataType.BINARY_VECTOR, "BIN_FLAT", "JACCARD", np.packbits(BIT_QUERY).tobytes(),
                lambda: jaccard(BIT_QUERY)),
    "sparse": (DataType.SPARSE_FLOAT_VECTOR, "SPARSE_INVERTED_INDEX", "IP", TERM_QUERY,
               lambda: shared_terms(TERM_QUERY)),
    "rank": (DataType.SPARSE_FLOAT_VECTOR, "SPARSE_INVERTED_INDEX", "BM25", "w3 w17 w40", lambda: bm25("w3 w17 w40")),
}
BUILD = {"HNSW": {"M": 8, "efConstruction": 60}, "IVF_FLAT": {"nlist": 16}, "BIN_IVF_FLAT": {"nlist": 16}}


def make(client, name, state):
    schema, indexes = client.create_schema(auto_id=False), client.prepare_index_params()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("group", DataType.INT64)
    schema.add_field("text", DataType.VARCHAR, max_length=1000, enable_analyzer=True)
    for field, (kind, index, metric, *_) in FIELDS.items():
        dim = {} if kind == DataType.SPARSE_FLOAT_VECTOR else {"dim": BITS if kind == DataType.BINARY_VECTOR else DIM}
        schema.add_field(field, kind, **dim)
        indexes.add_index(field, index_type=index, metric_type=metric, params=BUILD.get(index, {}))
    schema.add_function(Function(name="bm25", function_type=FunctionType.BM25, input_field_names=["text"],
                                 output_field_names=["rank"]))
    client.create_collection(name, schema=schema)
    client.create_index(name, indexes)
    rows = [{"id": i, "group": int(GROUP[i]), "text": TEXTS[i], "dense": BASE[i], "half": HALF[i],
             "brain": UPPER[i].tobytes(), "bytes": BYTES[i], "hamming": np.packbits(SETS[i]).tobytes(),
             "jaccard": np.packbits(SETS[i]).tobytes(), "sparse": TERM_ROWS[i]} for i in range(ROWS)]
    fill(client, name, rows, state, FIELDS)
    client.delete(name, ids=sorted(DELETED))


@pytest.fixture(scope="module", params=STATES)
def rows(request, server):
    with collection(server, make, request.param) as name:
        yield name


def drain(client, name, field, batch, text, params):
    iterator = client.search_iterator(name, [FIELDS[field][3]], batch, anns_field=field, filter=text,
                                      search_params={"metric_type": FIELDS[field][2], "params": params},
                                      consistency_level="Strong")
    pages = []
    while page := iterator.next():
        pages.append([(hit["id"], hit["distance"]) for hit in page])
    iterator.close()
    return pages


@pytest.mark.parametrize("batch, text", [(45, ""), (200, ""), (30, "group < 4")])
@pytest.mark.parametrize("form", ["second", "first"])
@pytest.mark.parametrize("field", FIELDS)
def test_every_row_comes_once_with_its_score(client, rows, monkeypatch, field, form, batch, text):
    def refuse(*_, **__):
        raise ServerVersionIncompatibleException(message="as if the server were old")
    if form == "first":
        monkeypatch.setattr("pymilvus.milvus_client.milvus_client.SearchIteratorV2", refuse)
    scores = {i: score for i, score in enumerate(FIELDS[field][4]())
              if score is not None and i not in DELETED and (not text or GROUP[i] < 4)}
    # The first form is a row of range searches, each of which finds what its breadth reaches.
    wide = {"nprobe": 16} if form == "first" and "IVF" in FIELDS[field][1] else {}
    pages = drain(client, rows, field, batch, text, wide)
    got = [hit for page in pages for hit in page]
    assert sorted(key for key, _ in got) == sorted(scores)
    np.testing.assert_allclose([score for _, score in got], [scores[key] for key, _ in got], rtol=2e-3, atol=2e-3)
    larger = FIELDS[field][2] in ("IP", "COSINE", "BM25")
    for page in pages:
        distances = [score for _, score in page]
        assert distances == sorted(distances, reverse=larger)


def wide(field):
    """Parameters with which an approximate index finds everything."""
    return {"IVF": {"nprobe": 16}, "HNS": {"ef": 2 * ROWS}}.get(FIELDS[field][1].removeprefix("BIN_")[:3], {})


@pytest.mark.parametrize("begin, end", [(0, 30), (0, 400), (20, 100), (150, 300)])
@pytest.mark.parametrize("field", FIELDS)
def test_a_range_gives_what_lies_in_it(client, rows, field, begin, end):
    larger = FIELDS[field][2] in ("IP", "COSINE", "BM25")
    scores = {i: float(score) for i, score in enumerate(FIELDS[field][4]()) if score is not None and i not in DELETED}
    steps = sorted(set(round(score, 4) for score in scores.values()), reverse=larger)
    if end >= len(steps):  # Counted in different scores, of which Hamming distances have few.
        begin, end = begin * len(steps) // 500, max(1, end * len(steps) // 500)
    # Between two scores that are well apart, so that rounding decides nothing.
    while abs(steps[end] - steps[end - 1]) < 1e-3 and end < len(steps) - 1:
        end += 1
    while begin and abs(steps[begin] - steps[begin - 1]) < 1e-3:
        begin -= 1
    low, high = (steps[begin - 1] + steps[begin]) / 2 if begin else None, (steps[end - 1] + steps[end]) / 2
    params = {**wide(field), "radius": high, **({} if low is None else {"range_filter": low})}
    hits = client.search(rows, [FIELDS[field][3]], anns_field=field, limit=ROWS, consistency_level="Strong",
                         search_params={"metric_type": FIELDS[field][2], "params": params})[0]

    def inside(score):
        return (score > high if larger else score < high) and (low is None or (score < low if larger else score > low))
    assert sorted(hit["id"] for hit in hits) == sorted(i for i, score in scores.items() if inside(score))
    np.testing.assert_allclose([hit["distance"] for hit in hits], [scores[hit["id"]] for hit in hits], rtol=2e-3,
                               atol=2e-3)


@pytest.mark.parametrize("field", FIELDS)
def test_pages_hold_every_row_once(client, rows, field):
    """In the order of one search for all of them: ties to the smaller key, on whatever page they come."""
    def search(limit, offset=0):
        hits = client.search(rows, [FIELDS[field][3]], anns_field=field, limit=limit, offset=offset, filter="group < 7",
                             consistency_level="Strong",
                             search_params={"metric_type": FIELDS[field][2], "params": wide(field)})[0]
        return [(hit["id"], hit["distance"]) for hit in hits]
    wanted = {i for i, score in enumerate(FIELDS[field][4]())
              if score is not None and i not in DELETED and GROUP[i] < 7}
    pages = [hit for offset in range(0, ROWS, 90) for hit in search(90, offset)]
    assert sorted(key for key, _ in pages) == sorted(wanted)
    assert pages == search(ROWS)
    larger = FIELDS[field][2] in ("IP", "COSINE", "BM25")
    assert pages == sorted(pages, key=lambda hit: (-hit[1] if larger else hit[1], hit[0]))


def exact(field):
    """The score of each row that is found."""
    return {i: float(score) for i, score in enumerate(FIELDS[field][4]()) if score is not None and i not in DELETED}


def is_similarity(field):
    return FIELDS[field][2] in ("IP", "COSINE", "BM25")


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("field", [field for field in FIELDS if FIELDS[field][0] != DataType.BINARY_VECTOR])
def test_groups_of_every_kind_have_their_best_rows(client, rows, field, size):
    scores, sign = exact(field), -1 if is_similarity(field) else 1
    hits = client.search(rows, [FIELDS[field][3]], anns_field=field, limit=6, group_by_field="group", group_size=size,
                         strict_group_size=True, output_fields=["group"], consistency_level="Strong",
                         search_params={"metric_type": FIELDS[field][2], "params": wide(field)})[0]
    groups = {}
    for key in sorted(scores, key=lambda i: (sign * scores[i], i)):
        groups.setdefault(GROUP[key], []).append(scores[key])
    best = [score for of in list(groups.values())[:6] for score in of[:size]]
    assert [hit["entity"]["group"] for hit in hits] == [GROUP[hit["id"]] for hit in hits]
    distances = [hit["distance"] for hit in hits]
    np.testing.assert_allclose(distances, [scores[hit["id"]] for hit in hits], rtol=2e-3, atol=2e-3)
    # Equally good rows may stand for one another: scores say whether the hits are the best.
    np.testing.assert_allclose(distances, best, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("ranker", ["rrf", "weighted"])
def test_a_hybrid_search_over_all_of_them(client, rows, ranker):
    """Dense vectors of four types, bits of two metrics, sparse vectors and a text: every row that any of them finds."""
    weights = [0.9, 0.2, 0.4, 0.3, 0.8, 0.5, 0.7, 0.6]
    parts = [AnnSearchRequest([value], field, {"metric_type": metric, "params": wide(field)}, limit=ROWS)
             for field, (_, _, metric, value, _) in FIELDS.items()]
    fusion = RRFRanker(20) if ranker == "rrf" else WeightedRanker(*weights, norm_score=True)
    hits = client.hybrid_search(rows, parts, fusion, limit=ROWS, consistency_level="Strong")[0]

    def normal(field, score):
        metric = FIELDS[field][2]
        if metric == "COSINE":
            return (1 + score) / 2
        if metric in ("BM25", "IP"):
            return (2 if metric == "BM25" else 1) * math.atan(score) / math.pi + (metric == "IP") * 0.5
        return 1 - 2 * math.atan(score) / math.pi
    total = dict.fromkeys((i for i in range(ROWS) if i not in DELETED), 0.0)
    for field, weight in zip(FIELDS, weights):
        scores = exact(field)
        order = sorted(scores, key=lambda i: (np.float32(scores[i]) * (-1 if is_similarity(field) else 1), i))
        for rank, key in enumerate(order, 1):
            total[key] += 1 / (20 + rank) if ranker == "rrf" else weight * normal(field, scores[key])
    assert sorted(hit["id"] for hit in hits) == sorted(total)
    got = np.array([hit["distance"] for hit in hits])
    assert np.all(np.diff(got) <= 0)
    # A rank may differ where two scores differ in their last bit.
    np.testing.assert_allclose(got, [total[hit["id"]] for hit in hits], rtol=3e-3)


def test_lists_of_vectors_take_no_iterator(client, call, name):
    schema, part = client.create_schema(auto_id=False), client.create_struct_field_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    part.add_field("embedding", DataType.FLOAT_VECTOR, dim=DIM)
    schema.add_field("clips", DataType.ARRAY, element_type=DataType.STRUCT, struct_schema=part, max_capacity=10)
    client.create_collection(name, schema=schema)
    indexes = client.prepare_index_params()
    indexes.add_index("clips[embedding]", index_type="HNSW", metric_type="MAX_SIM_COSINE", params=BUILD["HNSW"])
    client.create_index(name, indexes)
    client.load_collection(name)
    client.insert(name, [{"id": i, "clips": [{"embedding": BASE[i]}, {"embedding": BASE[i + 1]}]} for i in range(20)])
    value = common_pb2.PlaceholderValue(tag="$0", type=common_pb2.PlaceholderType.EmbListFloatVector,
                                        values=[QUERY.tobytes()])
    for params in ({}, {"iterator": "True"},
                   {"iterator": "True", "search_iter_v2": "True", "search_iter_batch_size": "10"}):
        request = raw_search(None, name, [], anns_field="clips[embedding]", **params)
        request.placeholder_group = common_pb2.PlaceholderGroup(placeholders=[value]).SerializeToString()
        status = call("Search", request).status
        assert status.code == (1100 if params else 0), status.reason
        assert not params or "iterator" in status.reason
