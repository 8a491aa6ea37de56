"""Generated vectors to measure on, of two kinds, with their exact neighbours.

  data.py KIND ROWS DIM FOLDER [--metric L2|IP] [--queries 1000] [--seed 7]

clustered  Two levels of clusters of uneven size; each lies on a linear patch of its own of 8 to 28 dimensions whose
           spectrum falls off, bent a little by tanh, with a little noise of full rank: what embeddings look like.
uniform    Every coordinate drawn alone from [0, 1): no structure, where distances tell least.
With IP the rows are brought to length 1. Queries are fresh draws, never rows. The same seed gives the same vectors.
A folder holds base.fbin and query.fbin (two int32: rows, dimension; then float32), gt.npy (the 100 exact neighbours of
each query, best first, ranked in float64) and meta.json with the metric.
"""
import argparse
import json
import os

import numpy as np

NEIGHBOURS = 100
BLOCK = 100000
LATENT = 40  # The clusters' centres lie in a space of this many dimensions.


def write(path, rows):
    with open(path, "wb") as out:
        np.array(rows.shape, np.int32).tofile(out)
        rows.astype(np.float32, copy=False).tofile(out)


def draw_clusters(rows, dim, rng):
    """Where the clusters lie, how likely, of what rank and how wide."""
    count = max(64, round(rows ** 0.5))
    groups = max(8, count // 16)
    basis = rng.standard_normal((LATENT, dim)).astype(np.float32) / np.sqrt(LATENT)
    group = rng.standard_normal((groups, LATENT)).astype(np.float32) * 0.9
    centre = group[rng.integers(0, groups, count)] + rng.standard_normal((count, LATENT)).astype(np.float32) * 0.75
    centre = centre @ basis
    weight = 1.0 / (np.arange(1, count + 1) + 20.0) ** 0.8
    weight = rng.permutation(weight / weight.sum())
    rank = rng.integers(8, 29, count)
    scale = rng.uniform(0.6, 1.4, count)
    return centre, weight, rank, scale


def make_clustered(rows, queries, dim, seed):
    rng = np.random.default_rng(seed)
    centre, weight, rank, scale = draw_clusters(rows, dim, rng)
    total = rows + queries
    label = rng.choice(len(centre), size=total, p=weight)
    order = np.argsort(label, kind="stable")
    bounds = np.searchsorted(label[order], np.arange(len(centre) + 1))
    out = np.empty((total, dim), np.float32)
    for cluster in range(len(centre)):
        chosen = order[bounds[cluster]:bounds[cluster + 1]]
        if not len(chosen):
            continue
        spectrum = (np.arange(1, rank[cluster] + 1) ** -0.5).astype(np.float32)
        patch = rng.standard_normal((rank[cluster], dim)).astype(np.float32) * \
            (spectrum[:, None] * scale[cluster] / np.sqrt(spectrum @ spectrum))
        out[chosen] = centre[cluster] + rng.standard_normal((len(chosen), rank[cluster])).astype(np.float32) @ patch
    for begin in range(0, total, BLOCK):
        block = out[begin:begin + BLOCK]
        block += 0.15 * np.tanh(block[:, ::-1])
        block += rng.standard_normal(block.shape, np.float32) * 0.12
    return out[rng.permutation(total)]  # The order of rows must not follow the clusters.


def make_uniform(rows, queries, dim, seed):
    return np.random.default_rng(seed).random((rows + queries, dim), np.float32)


MAKERS = {"clustered": make_clustered, "uniform": make_uniform}


def exact(base, queries, metric):
    """The nearest rows of each query: blocks by matrix product, the best of them again in float64."""
    spare = NEIGHBOURS + 28
    numbers, scores = np.zeros((len(queries), 0), np.int64), np.zeros((len(queries), 0), np.float32)
    for begin in range(0, len(base), BLOCK):
        block = base[begin:begin + BLOCK]
        score = queries @ block.T
        if metric == "L2":
            score = 2 * score - (block * block).sum(1)[None, :]
        top = np.argpartition(-score, min(spare, len(block)) - 1, axis=1)[:, :spare]
        numbers = np.hstack([numbers, top + begin])
        scores = np.hstack([scores, np.take_along_axis(score, top, 1)])
        keep = np.argpartition(-scores, min(spare, scores.shape[1]) - 1, axis=1)[:, :spare]
        numbers, scores = np.take_along_axis(numbers, keep, 1), np.take_along_axis(scores, keep, 1)
    truth = np.empty((len(queries), min(NEIGHBOURS, len(base))), np.int32)
    for i, query in enumerate(queries.astype(np.float64)):
        rows = base[numbers[i]].astype(np.float64)
        key = ((rows - query) ** 2).sum(1) if metric == "L2" else -(rows @ query)
        truth[i] = numbers[i][np.lexsort((numbers[i], key))][:truth.shape[1]]
    return truth


def generate(kind, rows, dim, folder, metric="L2", queries=1000, seed=7):
    vectors = MAKERS[kind](rows, queries, dim, seed)
    if metric == "IP":
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    base, asked = vectors[:rows], vectors[rows:]
    os.makedirs(folder, exist_ok=True)
    write(os.path.join(folder, "base.fbin"), base)
    write(os.path.join(folder, "query.fbin"), asked)
    np.save(os.path.join(folder, "gt.npy"), exact(base, asked, metric))
    # Last, so that a folder with it is whole.
    with open(os.path.join(folder, "meta.json"), "w") as out:
        json.dump({"name": os.path.basename(os.path.abspath(folder)), "n": rows, "dim": dim, "nq": queries,
                   "metric": metric, "kind": kind, "seed": seed}, out)


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("kind", choices=sorted(MAKERS))
    p.add_argument("rows", type=int)
    p.add_argument("dim", type=int)
    p.add_argument("folder")
    p.add_argument("--metric", choices=["L2", "IP"], default="L2")
    p.add_argument("--queries", type=int, default=1000)
    p.add_argument("--seed", type=int, default=7)
    args = p.parse_args()
    generate(args.kind, args.rows, args.dim, args.folder, args.metric, args.queries, args.seed)
