"""Index names that stand for another type, AUTOINDEX under little memory, and how an index is held once it is loaded."""
import json
import time

import numpy as np
import pytest
from pymilvus import DataType, MilvusClient

from server_process import Server
from support import clustered, refused

ROWS, DIM, QUERIES, K = 3000, 32, 20, 10
# Name: build parameters, search parameters, what describe_index says of it.
NAMES = {
    "IVF_FLAT_CC": ({"nlist": 32, "ssize": 48}, {"nprobe": 16}, "IVF_FLAT"),
    "SCANN_DVR": ({"nlist": 32, "sub_dim": 2, "refine_type": 0}, {"nprobe": 16, "refine_ratio": 8}, "SCANN"),
    "IVF_RABITQ_FASTSCAN": ({"nlist": 32, "rbq_bits": 2, "refine": True, "refine_type": "FLAT"},
                            {"nprobe": 16, "refine_k": 8}, "IVF_RABITQ"),
    "AISAQ": ({"max_degree": 24, "search_list_size": 60, "inline_pq": -1}, {"search_list": 60, "beamwidth": 4}, None),
}


@pytest.fixture(scope="module")
def rows():
    return clustered(ROWS, DIM, seed=3)


def fill(client, name, rows, index_type, params=None, **options):
    schema, indexes = client.create_schema(auto_id=False), client.prepare_index_params()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM)
    indexes.add_index("vector", index_type=index_type, metric_type="L2", params=params or {}, **options)
    client.create_collection(name, schema=schema)
    client.create_index(name, indexes)
    client.insert(name, [{"id": i, "vector": row} for i, row in enumerate(rows)])
    client.flush(name)
    client.load_collection(name)
    for _ in range(400):
        about = client.describe_index(name, "vector")
        if int(about["indexed_rows"]) == len(rows) and int(about["pending_index_rows"]) == 0:
            return about
        time.sleep(0.05)
    pytest.fail(f"no index after 20 s: {about}")


def recall(client, name, rows, search):
    queries, found = clustered(QUERIES, DIM, seed=4), 0
    answers = client.search(name, queries.tolist(), limit=K, consistency_level="Strong", search_params={"params": search})
    for query, hits in zip(queries, answers):
        best = np.argsort(((rows - query) ** 2).sum(1), kind="stable")[:K]
        found += len(set(best.tolist()) & {hit["id"] for hit in hits})
    return found / (K * QUERIES)


@pytest.mark.parametrize("kind", list(NAMES))
def test_another_name_is_built_as_what_it_says(client, name, rows, kind):
    build, search, built_as = NAMES[kind]
    about = fill(client, name, rows, kind, build)
    assert about["index_type"] == kind
    assert (json.loads(about["built_as"])["index_type"] if "built_as" in about else None) == built_as
    assert recall(client, name, rows, search) >= 0.95


@pytest.mark.parametrize("kind, build, word", [
    ("IVF_FLAT_CC", {"nlist": 32, "ssize": 31}, "ssize"), ("SCANN_DVR", {"nlist": 32, "refine_type": 4}, "refine_type"),
    ("IVF_RABITQ_FASTSCAN", {"refine": True, "refine_type": "sq8"}, "refine_type"),
    ("AISAQ", {"num_entry_points": 1001}, "num_entry_points"), ("SCANN_DVR", {"sub_dim": 5}, "sub_dim")])
def test_parameters_of_another_name_are_checked(client, name, kind, build, word):
    with refused(1100, word):
        fill(client, name, np.zeros((1, DIM), np.float32), kind, build)


def test_autoindex_says_what_it_chose(client, name, rows):
    chosen = json.loads(fill(client, name, rows, "AUTOINDEX")["built_as"])
    assert (chosen["index_type"], chosen["sq_type"]) == ("HNSW_SQ", "SQ8")


def test_autoindex_takes_smaller_codes_where_memory_is_short(binary, tmp_path):
    rows = clustered(12000, DIM, seed=5)
    with Server(binary, str(tmp_path / "data"), arguments=["--set", "autoIndex.memoryLimit=1"]) as server:
        client = MilvusClient(uri=server.uri)
        about = fill(client, "short", rows, "AUTOINDEX")
        assert json.loads(about["built_as"])["index_type"] == "IVF_RABITQ"
        assert recall(client, "short", rows, {}) >= 0.5
        client.close()


@pytest.mark.parametrize("maps", ["true", "false"])
def test_an_index_is_held_as_it_is_asked_for(client, name, rows, maps):
    about = fill(client, name, rows, "HNSW", {"M": 12, "efConstruction": 60, "mmap.enabled": maps, "warmup": "async"})
    assert (about["mmap.enabled"], about["warmup"]) == (maps, "async")
    assert recall(client, name, rows, {"ef": 64}) >= 0.95


@pytest.mark.parametrize("kind, params, word", [
    ("DISKANN", {"mmap.enabled": "true"}, "mmap"), ("HNSW", {"mmap.enabled": "maybe"}, "mmap.enabled"),
    ("HNSW", {"warmup": "now"}, "warmup"), ("HNSW", {"indexoffsetcache.enabled": "true"}, "BITMAP")])
def test_how_an_index_is_held_is_checked(client, name, kind, params, word):
    with refused(1100, word):
        fill(client, name, np.zeros((1, DIM), np.float32), kind, params)


def test_a_large_batch_answers_as_single_queries_do(client, name, rows):
    fill(client, name, rows, "HNSW", {"M": 12, "efConstruction": 60})
    queries = clustered(300, DIM, seed=6).tolist()
    ask = dict(limit=K, consistency_level="Strong", filter="id % 3 != 0", search_params={"params": {"ef": 64}})
    together = client.search(name, queries, **ask)
    for query in range(0, 300, 17):
        alone = client.search(name, [queries[query]], **ask)[0]
        assert [hit["id"] for hit in together[query]] == [hit["id"] for hit in alone]
        assert [hit["distance"] for hit in together[query]] == [hit["distance"] for hit in alone]
