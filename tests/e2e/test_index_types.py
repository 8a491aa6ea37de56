"""Every vector index type, end to end: made with parameters, described as given, searched with parameters, kept."""
import json
import time

import numpy as np
import pytest
from pymilvus import DataType, MilvusClient

from server_process import Server
from support import clustered, refused, vectors

ROWS, DIM, QUERIES, K = 3000, 32, 30, 10
METRICS = ["L2", "IP", "COSINE"]
# Type: build parameters; search parameters; recall at least; parameters a search refuses, and how.
TYPES = {
    "FLAT": ({}, {}, 1.0, None),
    "IVF_FLAT": ({"nlist": 32}, {"nprobe": 16}, 0.97, {"nprobe": 0}),
    "IVF_SQ8": ({"nlist": 32, "sq_type": "SQ6", "refine": True}, {"nprobe": 16, "refine_k": 4}, 0.97,
                {"refine_k": 0.5}),
    "IVF_PQ": ({"nlist": 32, "m": 16, "nbits": 6, "refine": True}, {"nprobe": 16, "refine_k": 10}, 0.95,
               {"nprobe": 65537}),
    "IVF_RABITQ": ({"nlist": 32, "rbq_bits": 2, "refine": True, "refine_type": "FP16"},
                   {"nprobe": 16, "refine_k": 10}, 0.95, {"nprobe": "x"}),
    "SCANN": ({"nlist": 32, "sub_dim": 2}, {"nprobe": 16, "reorder_k": 100}, 0.97, {"reorder_k": K - 1}),
    "HNSW": ({"M": 12, "efConstruction": 80}, {"ef": 64}, 0.97, {"ef": K - 1}),
    "HNSW_SQ": ({"M": 12, "efConstruction": 80, "sq_type": "SQ8", "refine": True, "refine_type": "BF16"},
                {"ef": 64, "refine_k": 2}, 0.95, {"ef": 0}),
    "HNSW_PQ": ({"M": 12, "efConstruction": 80, "m": 16, "nbits": 6, "refine": True}, {"ef": 64, "refine_k": 6}, 0.95,
                {"ef": "x"}),
    "HNSW_PRQ": ({"M": 12, "efConstruction": 80, "m": 8, "nrq": 2, "nbits": 5, "refine": True},
                 {"ef": 64, "refine_k": 6}, 0.95, {"refine_k": 0}),
    "IVFSQ": ({"nlist": 32}, {"nprobe": 16}, 0.9, {"nprobe": 0}),  # An old name of IVF_SQ8.
}


@pytest.fixture(scope="module")
def data():
    return clustered(ROWS, DIM, seed=3)


@pytest.fixture(scope="module")
def kept(binary, tmp_path_factory, data):
    """A server of this file's own with a collection of each type, which has an index for each metric."""
    with Server(binary, str(tmp_path_factory.mktemp("types") / "data")) as server:
        fill(server, data)
        yield server


def fill(server, data):
    client = MilvusClient(uri=server.uri)
    for kind, (build, *_) in TYPES.items():
        schema, indexes = client.create_schema(auto_id=False), client.prepare_index_params()
        schema.add_field("id", DataType.INT64, is_primary=True)
        for metric in METRICS:
            schema.add_field(metric, DataType.FLOAT_VECTOR, dim=DIM)
            indexes.add_index(metric, index_type=kind, metric_type=metric, params=build)
        client.create_collection(kind, schema=schema)
        client.create_index(kind, indexes)
        client.insert(kind, [{"id": i, **{metric: data[i] for metric in METRICS}} for i in range(ROWS)])
        client.flush(kind)
        client.load_collection(kind)
    for kind in TYPES:
        for metric in METRICS:
            wait_for_index(client, kind, metric)
    client.close()


def wait_for_index(client, kind, metric):
    for _ in range(400):
        about = client.describe_index(kind, metric)
        if int(about["indexed_rows"]) == ROWS and int(about["pending_index_rows"]) == 0:
            return
        time.sleep(0.05)
    pytest.fail(f"no index after 20 s: {about}")


def scores(metric, rows, query):
    if metric == "L2":
        return ((rows - query) ** 2).sum(1)
    scale = 1 if metric == "IP" else np.linalg.norm(rows, axis=1) * np.linalg.norm(query)
    return rows @ query / scale


def check_searches(client, data, kind):
    _, search, least, _ = TYPES[kind]
    queries = clustered(QUERIES, DIM, seed=4)
    for metric in METRICS:
        answers = client.search(kind, queries.tolist(), anns_field=metric, limit=K, consistency_level="Strong",
                                search_params={"metric_type": metric, "params": search})
        found = 0
        for query, hits in zip(queries, answers):
            exact = scores(metric, data, query)
            best = set(np.argsort(exact if metric == "L2" else -exact, kind="stable")[:K].tolist())
            got = [hit["id"] for hit in hits]
            assert len(set(got)) == K
            # Without refine by whole vectors a score is as good as its codes.
            assert [hit["distance"] for hit in hits] == pytest.approx(exact[got], rel=0.02, abs=0.05)
            found += len(best & set(got))
        assert found / (K * QUERIES) >= least, (kind, metric)


@pytest.mark.parametrize("kind", list(TYPES))
def test_finds_what_numpy_finds(kept, data, kind):
    client = MilvusClient(uri=kept.uri)
    check_searches(client, data, kind)
    client.close()


@pytest.mark.parametrize("kind", list(TYPES))
def test_is_described_as_it_was_given(kept, kind):
    client = MilvusClient(uri=kept.uri)
    for metric in METRICS:
        about = client.describe_index(kind, metric)
        assert (about["index_type"], about["metric_type"], about["field_name"]) == (kind, metric, metric)
        assert (int(about["total_rows"]), about["state"]) == (ROWS, "Finished")
        given = json.loads(about["params"]) if "params" in about else about
        for key, value in TYPES[kind][0].items():
            assert str(given[key]).lower() == str(value).lower(), key
    client.close()


@pytest.mark.parametrize("kind", [kind for kind in TYPES if TYPES[kind][3]])
def test_refuses_search_parameters_out_of_range(kept, kind):
    client = MilvusClient(uri=kept.uri)
    wrong = TYPES[kind][3]
    with refused(2000, next(iter(wrong))):
        client.search(kind, vectors(1, DIM), anns_field="L2", limit=K,
                      search_params={"params": {**TYPES[kind][1], **wrong}})
    client.close()


def test_finds_the_same_after_a_restart(kept, data):
    assert kept.stop() == 0
    kept.start()
    client = MilvusClient(uri=kept.uri)
    for kind in TYPES:
        for metric in METRICS:
            wait_for_index(client, kind, metric)
        check_searches(client, data, kind)
    client.close()
