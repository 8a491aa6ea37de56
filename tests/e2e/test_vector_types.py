"""Every type of vector, end to end: answered bit by bit as stored, searched by every metric and index against numpy."""
import time

import numpy as np
import pytest
from pymilvus import DataType, MilvusClient

from support import clustered, refused, server_of_file

ROWS, DIM, QUERIES, K = 3000, 32, 20, 10
DENSE = {"L2": ["FLAT", "HNSW", "AUTOINDEX"], "IP": ["FLAT", "HNSW", "IVF_FLAT"],
         "COSINE": ["FLAT", "HNSW", "AUTOINDEX"]}
BINARY = {metric: ["BIN_FLAT", "BIN_IVF_FLAT", "HNSW", "AUTOINDEX"] for metric in ("HAMMING", "JACCARD")}
PARAMS = {"HNSW": {"M": 16, "efConstruction": 100}, "IVF_FLAT": {"nlist": 16}, "BIN_IVF_FLAT": {"nlist": 16}}
SEARCH = {"HNSW": {"ef": 100}, "IVF_FLAT": {"nprobe": 12}, "BIN_IVF_FLAT": {"nprobe": 12},
          "AUTOINDEX": {"nprobe": 1000}}
EXACT = {"FLAT", "BIN_FLAT", "SPARSE_INVERTED_INDEX", "SPARSE_WAND"}


def to_bfloat16(numbers):
    """The upper 16 bits of float32 numbers, rounded to nearest even."""
    bits = np.ascontiguousarray(numbers, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def from_bfloat16(bits):
    return (np.asarray(bits, np.uint32) << 16).view(np.float32)


def sparse_rows(count, seed):
    random = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        # Low dimensions are common, high ones rare, as words are.
        dims = np.unique((random.exponential(60, 24)).astype(int))
        rows.append({int(dim): float(np.float32(random.exponential(1.0))) for dim in dims})
    return rows


def dense_of(rows, width=2000):
    matrix = np.zeros((len(rows), width), np.float32)
    for i, row in enumerate(rows):
        for dim, value in row.items():
            matrix[i, dim] = value
    return matrix


class Kind:
    """One type of vector: rows and queries as the SDK takes them, as numbers for numpy, and how it is indexed."""

    def __init__(self, name, data_type, indexes, make, numbers, raw=None, dim=DIM):
        self.name, self.type, self.indexes, self.dim = name, data_type, indexes, dim
        self.rows, self.queries = make(ROWS, 5), make(QUERIES, 6)
        self.numbers = numbers
        self.row_numbers, self.query_numbers = numbers(self.rows), numbers(self.queries)
        self.raw = raw or (lambda value: value.tobytes())

    def fields(self):
        """Name, metric and index of each field: one for every index that is tested."""
        return [(f"{metric}_{index}".lower(), metric, index)
                for metric, names in self.indexes.items() for index in names]

    def dim_param(self):
        return {} if self.type == DataType.SPARSE_FLOAT_VECTOR else {"dim": self.dim}


KINDS = {kind.name: kind for kind in (
    Kind("float16", DataType.FLOAT16_VECTOR, DENSE, lambda n, seed: list(clustered(n, DIM, seed).astype(np.float16)),
         lambda rows: np.array(rows).astype(np.float32)),
    Kind("bfloat16", DataType.BFLOAT16_VECTOR, DENSE,
         lambda n, seed: [row.tobytes() for row in to_bfloat16(clustered(n, DIM, seed))],
         lambda rows: np.array([from_bfloat16(np.frombuffer(row, np.uint16)) for row in rows]), raw=bytes),
    Kind("int8", DataType.INT8_VECTOR, DENSE,
         lambda n, seed: list(np.clip(clustered(n, DIM, seed) * 30, -128, 127).astype(np.int8)),
         lambda rows: np.array(rows).astype(np.float32)),
    Kind("binary", DataType.BINARY_VECTOR, BINARY,
         lambda n, seed: [row.tobytes() for row in np.packbits(clustered(n, 4 * DIM, seed) > 0, axis=1)],
         lambda rows: np.unpackbits(np.frombuffer(b"".join(rows), np.uint8)).reshape(len(rows), -1).astype(np.float32),
         raw=bytes, dim=4 * DIM),
    Kind("sparse", DataType.SPARSE_FLOAT_VECTOR, {"IP": ["SPARSE_INVERTED_INDEX", "SPARSE_WAND", "AUTOINDEX"]},
         sparse_rows, dense_of, raw=lambda value: value),
)}


def true_scores(metric, rows, query):
    if metric == "L2":
        return ((rows - query) ** 2).sum(1)
    if metric == "HAMMING":
        return np.abs(rows - query).sum(1)
    if metric == "JACCARD":
        both, either = (rows * query).sum(1), np.maximum(rows, query).sum(1)
        return 1 - both / np.maximum(either, 1)
    scale = np.linalg.norm(rows, axis=1) * np.linalg.norm(query) if metric == "COSINE" else 1
    return rows @ query / np.maximum(scale, 1e-30)


def stored(value):
    """A vector of an answer as bytes, or as a dict for a sparse one: SDKs wrap them in different ways."""
    while isinstance(value, list) and len(value) == 1 and isinstance(value[0], (bytes, bytearray)):
        value = value[0]
    if isinstance(value, (list, np.ndarray)):
        value = np.asarray(value)
        value = value if value.dtype != np.int64 else value.astype(np.int8)
        return value.tobytes()
    return bytes(value) if isinstance(value, (bytes, bytearray)) else value


def same(kind, value, row):
    value = stored(value)
    if kind.name == "sparse":
        return value.keys() == row.keys() and all(abs(value[dim] - row[dim]) < 1e-6 for dim in row)
    return value == kind.raw(row)


def fill(client, kind, collection):
    schema, indexes = client.create_schema(auto_id=False), client.prepare_index_params()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("group", DataType.INT64)
    for field, metric, index in kind.fields():
        schema.add_field(field, kind.type, **kind.dim_param())
        indexes.add_index(field, index_type=index, metric_type=metric, params=PARAMS.get(index, {}))
    client.create_collection(collection, schema=schema)
    client.create_index(collection, indexes)
    client.load_collection(collection)
    names = [field for field, *_ in kind.fields()]
    for begin in range(0, ROWS, 1000):
        client.insert(collection, [{"id": i, "group": i % 5, **{name: kind.rows[i] for name in names}}
                                   for i in range(begin, begin + 1000)])


def seal(client, kind, collection):
    client.flush(collection)
    for field, *_ in kind.fields():
        wait_for_index(client, collection, field)


def wait_for_index(client, collection, index, rows=ROWS):
    for _ in range(600):
        about = client.describe_index(collection, index)
        if int(about["indexed_rows"]) == rows and int(about["pending_index_rows"]) == 0:
            return
        time.sleep(0.05)
    pytest.fail(f"no index after 30 s: {about}")


def queries(kind):
    """Queries as an SDK without a type for them can send them: bfloat16 in single precision, sparse as dicts."""
    return list(kind.query_numbers) if kind.name == "bfloat16" else kind.queries


def search(client, collection, field, metric, index, data, **more):
    return client.search(collection, data, anns_field=field, limit=K, consistency_level="Strong",
                         search_params={"metric_type": metric, "params": SEARCH.get(index, {})}, **more)


def check_hits(kind, metric, index, found, allowed=None, recall_min=0.95):
    """Scores are true, best first, and the hits are among the best: all of them for exact indexes."""
    larger = metric in ("IP", "COSINE")
    good = wanted = 0
    for query, hits in zip(kind.query_numbers, found):
        scores = true_scores(metric, kind.row_numbers, query)
        ids = [hit["id"] for hit in hits]
        distances = np.array([hit["distance"] for hit in hits])
        assert len(set(ids)) == len(ids)
        assert allowed is None or all(allowed(i) for i in ids)
        tolerance = 1e-3 * max(1.0, float(np.abs(scores).max()))
        assert np.allclose(distances, scores[ids], atol=tolerance), (distances, scores[ids])
        assert np.all(np.diff(distances) <= 0) if larger else np.all(np.diff(distances) >= 0)
        pool = scores if allowed is None else scores[[allowed(i) for i in range(ROWS)]]
        pool = np.sort(pool[pool > 0] if kind.name == "sparse" else pool)
        best = pool[::-1][:K] if larger else pool[:K]
        worst = best[-1] - tolerance if larger else best[-1] + tolerance
        good += sum(scores[i] >= worst if larger else scores[i] <= worst for i in ids)
        wanted += len(best)
    assert good / wanted >= (1.0 if index in EXACT else recall_min), f"{metric} {index}: {good} of {wanted}"


def fill_all(client):
    """A collection of each type in memory, and one flushed and indexed."""
    for kind in KINDS.values():
        fill(client, kind, f"{kind.name}_growing")
        fill(client, kind, f"{kind.name}_sealed")
        seal(client, kind, f"{kind.name}_sealed")


server = server_of_file({}, fill_all)


@pytest.mark.parametrize("state", ["growing", "sealed"])
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_searches_find_what_numpy_finds(client, kind, state):
    for field, metric, index in kind.fields():
        check_hits(kind, metric, index, search(client, f"{kind.name}_{state}", field, metric, index, queries(kind)))


@pytest.mark.parametrize("state", ["growing", "sealed"])
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_filters_hold_and_keep_recall(client, kind, state):
    for field, metric, index in kind.fields():
        found = search(client, f"{kind.name}_{state}", field, metric, index, queries(kind), filter="group == 3")
        check_hits(kind, metric, index, found, allowed=lambda i: i % 5 == 3)


@pytest.mark.parametrize("state", ["growing", "sealed"])
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_answers_carry_the_vectors_that_were_stored(client, kind, state):
    collection, field = f"{kind.name}_{state}", kind.fields()[0][0]
    for row in client.query(collection, filter="id < 7", output_fields=[field]):
        assert same(kind, row[field], kind.rows[row["id"]])
    for row in client.get(collection, [11, 2999], output_fields=["*"]):
        for name, *_ in kind.fields():
            assert same(kind, row[name], kind.rows[row["id"]])
    for hits in search(client, collection, *kind.fields()[0], queries(kind)[:2], output_fields=[field]):
        for hit in hits:
            assert same(kind, hit["entity"][field], kind.rows[hit["id"]])


def test_everything_is_there_after_a_restart(server):
    server.stop()
    server.start()
    client = MilvusClient(uri=server.uri)
    for kind in KINDS.values():
        for state in ("growing", "sealed"):
            for field, metric, index in kind.fields():
                found = search(client, f"{kind.name}_{state}", field, metric, index, queries(kind))
                check_hits(kind, metric, index, found)
            row = client.get(f"{kind.name}_{state}", [5], output_fields=["*"])[0]
            assert all(same(kind, row[field], kind.rows[5]) for field, *_ in kind.fields())
    client.close()


def one_field(client, name, kind, index, metric, **more):
    schema, indexes = client.create_schema(auto_id=False), client.prepare_index_params()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("v", kind.type, **kind.dim_param(), **more)
    schema.add_field("plain", DataType.FLOAT_VECTOR, dim=2)
    indexes.add_index("v", index_type=index, metric_type=metric, params=PARAMS.get(index, {}))
    indexes.add_index("plain", index_type="FLAT", metric_type="L2")
    client.create_collection(name, schema=schema)
    client.create_index(name, indexes)
    client.load_collection(name)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_upserts_and_deletes_reach_sealed_and_growing_rows(client, name, kind):
    metric, (index, *_) = next(iter(kind.indexes.items()))
    one_field(client, name, kind, index, metric)
    rows = [{"id": i, "v": kind.rows[i], "plain": [i, 0]} for i in range(100)]
    client.insert(name, rows[:50])
    client.flush(name)
    client.insert(name, rows[50:])
    client.upsert(name, [{"id": i, "v": kind.rows[1000 + i], "plain": [0, 0]} for i in (10, 60)])
    client.delete(name, ids=[20, 70])
    found = {row["id"]: row["v"] for row in client.query(name, filter="id >= 0", output_fields=["v"],
                                                         consistency_level="Strong")}
    assert sorted(found) == [i for i in range(100) if i not in (20, 70)]
    for i, value in found.items():
        assert same(kind, value, kind.rows[1000 + i] if i in (10, 60) else kind.rows[i])
    hits = search(client, name, "v", metric, index, queries(kind)[:1])[0]
    live = np.array([kind.row_numbers[1000 + i if i in (10, 60) else i] for i in found])
    scores = true_scores(metric, live, kind.query_numbers[0])
    best = np.sort(scores)[::-1][:K] if metric == "IP" else np.sort(scores)[:K]
    assert np.allclose([hit["distance"] for hit in hits], best, rtol=1e-3, atol=1e-2)


NULLABLE = [("float16", "L2", "HNSW"), ("int8", "COSINE", "AUTOINDEX"), ("binary", "HAMMING", "BIN_IVF_FLAT"),
            ("sparse", "IP", "SPARSE_INVERTED_INDEX"), ("bfloat16", "IP", "FLAT")]


@pytest.mark.parametrize("sealed", [False, True], ids=["growing", "sealed"])
@pytest.mark.parametrize("kind, metric, index", [(KINDS[kind], *rest) for kind, *rest in NULLABLE],
                         ids=[kind for kind, *_ in NULLABLE])
def test_rows_without_a_vector_are_kept_and_never_found(client, name, kind, metric, index, sealed):
    one_field(client, name, kind, index, metric, nullable=True)
    has_vector = lambda i: i % 3 != 0  # noqa: E731
    for begin in range(0, ROWS, 1000):
        client.insert(name, [{"id": i, "v": kind.rows[i] if has_vector(i) else None, "plain": [i, 0]}
                             for i in range(begin, begin + 1000)])
    if sealed:
        client.flush(name)
        wait_for_index(client, name, "v")
    check_hits(kind, metric, index, search(client, name, "v", metric, index, queries(kind)), allowed=has_vector)
    for row in client.query(name, filter="id < 30", output_fields=["v"], consistency_level="Strong"):
        assert (row["v"] is not None) == has_vector(row["id"])
        assert row["v"] is None or same(kind, row["v"], kind.rows[row["id"]])
    hits = client.search(name, [[0.0, 0.0]], anns_field="plain", limit=4, output_fields=["v"])[0]
    assert [hit["entity"]["v"] is None for hit in hits] == [True, False, False, True]
    assert search(client, name, "v", metric, index, queries(kind)[:1], filter="id in [0, 3, 6]")[0] == []


def test_single_precision_fits_half_precision_fields(client, name):
    kind = KINDS["float16"]
    one_field(client, name, kind, "FLAT", "L2")
    numbers = np.linspace(-2, 2, DIM).astype(np.float32)
    client.insert(name, [{"id": 1, "v": numbers.astype(np.float16), "plain": [0, 0]}])
    hit = client.search(name, [numbers.tolist()], anns_field="v", limit=1, consistency_level="Strong")[0][0]
    assert hit["distance"] < 1e-4
    with refused(1100, "too large"):
        client.search(name, [[1e6] * DIM], anns_field="v", limit=1)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_queries_of_another_type_or_dim_are_refused(client, kind):
    collection, (field, *_) = f"{kind.name}_sealed", kind.fields()[0]
    for other in KINDS.values():
        if other is kind or other.name == "bfloat16":
            continue
        # Newer SDKs send bytes as whatever the field is.
        with refused(1100, "" if isinstance(other.queries[0], bytes) else "do not fit"):
            client.search(collection, other.queries[:1], anns_field=field, limit=1)
    if kind.name in ("float16", "int8", "binary"):
        with refused(1100, "dimension mismatch"):
            client.search(collection, [kind.queries[0][:-1]], anns_field=field, limit=1)
