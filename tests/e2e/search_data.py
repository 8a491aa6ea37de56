"""Rows with every kind of vector, in the states that rows can be in, and exact answers about them by NumPy."""
import json
import time
import uuid
from contextlib import contextmanager

import numpy as np
import pytest
from pymilvus import DataType, MilvusClient
from pymilvus.grpc_gen import common_pb2, milvus_pb2
from support import server_of_file
from wire import placeholder

ROWS, DIM, BITS, TERMS = 400, 8, 16, 30
STATES = ["growing", "sealed", "mixed"]
# Of the dense field. Small segments get these too, on a server of small_indexes(); a search that says nothing more of
# them finds all there is to find.
INDEXES = {"FLAT": {}, "HNSW": {"M": 16, "efConstruction": 100}, "IVF_FLAT": {"nlist": 4}}
CASES = [(state, "FLAT") for state in STATES] + [(state, index) for index in ("HNSW", "IVF_FLAT")
                                                 for state in ("sealed", "mixed")]


class Rows:
    """`values[field]` is a column; scores(field, query) are those of all rows, better(field) says which end is good."""

    def __init__(self, rows=ROWS, seed=5):
        random = np.random.default_rng(seed)
        self.ids = random.permutation(rows * 3)[:rows].astype(np.int64)
        self.dense = random.normal(size=(rows, DIM)).astype(np.float32)
        self.bits = random.integers(0, 2, (rows, BITS)).astype(np.uint8)
        self.sparse = [{int(i): float(np.float32(w)) for i, w in zip(random.choice(TERMS, 5, replace=False),
                                                                     random.uniform(0.1, 1, 5))} for _ in range(rows)]
        self.group = random.integers(0, 25, rows)
        self.label = [None if i % 13 == 0 else f"label {random.integers(0, 12)}" for i in range(rows)]
        self.price = [None if i % 17 == 0 else float(random.integers(0, 40)) for i in range(rows)]
        kinds = ["a", "b", 3, None]
        self.meta = [{"kind": kinds[i % 4], "deep": {"n": int(i % 7)}} if i % 5 else {} for i in range(rows)]

    def row(self, i):
        return {"id": int(self.ids[i]), "group": int(self.group[i]), "label": self.label[i], "price": self.price[i],
                "meta": self.meta[i], "dense": self.dense[i], "bits": np.packbits(self.bits[i]).tobytes(),
                "sparse": self.sparse[i]}

    def scores(self, field, query):
        if field == "dense":
            return ((self.dense - query) ** 2).sum(axis=1, dtype=np.float32)
        if field == "bits":
            return (self.bits != query).sum(axis=1).astype(np.float32)
        return np.array([sum(np.float32(weight) * np.float32(query.get(term, 0)) for term, weight in row.items())
                         for row in self.sparse], np.float32)

    def best(self, field, query, k=None, keep=None):
        """Places of the best rows; ties to the smaller key. A sparse row that shares no term is no hit."""
        scores = self.scores(field, query)
        sign = -1 if field == "sparse" else 1
        places = [i for i in np.lexsort((self.ids, sign * scores)) if keep is None or keep[i]]
        if field == "sparse":
            places = [i for i in places if scores[i] > 0]
        return places[:k]


def make_collection(client, name, data, state, index="FLAT", params=None):
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("group", DataType.INT64)
    schema.add_field("label", DataType.VARCHAR, max_length=64, nullable=True)
    schema.add_field("price", DataType.DOUBLE, nullable=True)
    schema.add_field("meta", DataType.JSON)
    schema.add_field("dense", DataType.FLOAT_VECTOR, dim=DIM)
    schema.add_field("bits", DataType.BINARY_VECTOR, dim=BITS)
    schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
    client.create_collection(name, schema=schema, num_shards=2)
    indexes = client.prepare_index_params()
    indexes.add_index("dense", index_type=index, metric_type="L2", params=params or INDEXES.get(index, {}))
    indexes.add_index("bits", index_type="BIN_FLAT", metric_type="HAMMING")
    indexes.add_index("sparse", index_type="SPARSE_INVERTED_INDEX", metric_type="IP")
    client.create_index(name, indexes)
    fill(client, name, [data.row(i) for i in range(len(data.ids))], state, ["dense"])


def fill(client, name, rows, state, fields, mixed=1 / 2):
    """Brings the rows into a state, their sealed part (`mixed` of them) with indexes on the fields; loads."""
    sealed = round({"growing": 0, "sealed": 1, "mixed": mixed}[state] * len(rows))
    if sealed:
        client.insert(name, rows[:sealed])
        client.flush(name)
        for field in fields:
            wait_for_index(client, name, field)
    client.load_collection(name)
    if sealed < len(rows):
        client.insert(name, rows[sealed:])


def wait_for_index(client, name, field):
    for _ in range(400):
        about = client.describe_index(name, field)
        if int(about["pending_index_rows"]) == 0:
            return
        time.sleep(0.05)
    pytest.fail(f"no index after 20 s: {about}")


def small_indexes():
    """The fixture `server`: one of a file's own, on which segments of any size are indexed."""
    return server_of_file({"indexCoord.segment.minSegmentNumRowsToEnableIndex": 1})


def collection_in_every_state(data):
    """The fixture `name`: a collection of these rows, once in each state and with each index, for all tests of a
    file."""
    @pytest.fixture(scope="module", params=CASES, ids=lambda case: "-".join(case))
    def name(request, server):
        with collection(server, make_collection, data, *request.param) as made:
            yield made
    return name


@contextmanager
def collection(server, make, *given):
    """The name of a collection that make(client, name, *given) makes; it is dropped in the end."""
    client = MilvusClient(uri=server.uri)
    name = "c_" + uuid.uuid4().hex[:10]
    make(client, name, *given)
    yield name
    client.drop_collection(name)
    client.close()


def raw_search(call, name, queries, output=(), filter_text="", ids=None, **params):
    """The answer of a search by hand: strong, with parameters under their names on the wire."""
    usual = {"anns_field": "dense", "topk": "10", "params": "{}", **params}
    request = milvus_pb2.SearchRequest(collection_name=name, dsl=filter_text, dsl_type=common_pb2.DslType.BoolExprV1,
                                       output_fields=output)
    if ids is None:
        request.placeholder_group = placeholder(queries)
    else:
        request.ids.int_id.data.extend(ids)
    for key, value in usual.items():
        request.search_params.add(key=key, value=json.dumps(value) if isinstance(value, dict) else str(value))
    return request if call is None else call("Search", request)


def hits_of(answer):
    """Lists of (key, score), one a query."""
    assert answer.status.code == 0, answer.status.reason
    pairs = list(zip(answer.results.ids.int_id.data, answer.results.scores))
    lists = []
    for count in answer.results.topks:
        lists.append(pairs[:count])
        pairs = pairs[count:]
    assert not pairs
    return lists


def same_hits(got, places, scores, data):
    """The hits are these rows in this order, with these scores."""
    assert [key for key, _ in got] == [int(data.ids[i]) for i in places]
    np.testing.assert_allclose([score for _, score in got], scores, rtol=1e-5, atol=1e-6)
