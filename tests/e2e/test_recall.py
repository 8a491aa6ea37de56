"""Recall of every vector index and metric against exact search in numpy."""
import numpy as np
import pytest

from support import clustered, make, row

ROWS, DIM, QUERIES, K = 3000, 48, 40, 10
SEARCH = {"FLAT": {}, "IVF_FLAT": {"nprobe": 16}, "HNSW": {"ef": 100}, "AUTOINDEX": {}}
BUILD = {"FLAT": {}, "IVF_FLAT": {"nlist": 32}, "HNSW": {"M": 16, "efConstruction": 150}, "AUTOINDEX": {}}


def scores(metric, rows, query):
    """Better is smaller."""
    if metric == "L2":
        return ((rows - query) ** 2).sum(1)
    if metric == "IP":
        return -(rows @ query)
    return -(rows @ query) / (np.linalg.norm(rows, axis=1) * np.linalg.norm(query))


@pytest.mark.parametrize("metric", ["L2", "IP", "COSINE"])
@pytest.mark.parametrize("index", list(SEARCH))
def test_recall(client, name, index, metric):
    rows, queries = clustered(ROWS, DIM, seed=3), clustered(QUERIES, DIM, seed=4)
    make(client, name, index=index, metric=metric, dim=DIM, params=BUILD[index], load=False)
    for first in range(0, ROWS, 1000):
        client.insert(name, [row(i, rows[i]) for i in range(first, first + 1000)])
    client.flush(name)
    client.load_collection(name)
    for filter_text, allowed in (("", np.arange(ROWS)), ("group == 3", np.arange(3, ROWS, 10))):
        answers = client.search(name, queries.tolist(), limit=K, filter=filter_text, consistency_level="Strong",
                                search_params={"params": SEARCH[index]})
        found = 0
        for query, hits in zip(queries, answers):
            exact = scores(metric, rows[allowed], query)
            truth = set(allowed[np.argsort(exact)[:K]].tolist())
            found += len(truth & {hit["id"] for hit in hits})
            # Scores are as on the wire: a distance for L2, a similarity for the others.
            wanted = dict(zip(allowed.tolist(), exact if metric == "L2" else -exact))
            for hit in hits:
                assert hit["distance"] == pytest.approx(wanted[hit["id"]], rel=1e-3, abs=1e-3)
        assert found / (K * QUERIES) >= (1.0 if index == "FLAT" else 0.95), filter_text
