"""Vectors to measure on: the real ones where they are, and two generated kinds.

  data.py generate KIND ROWS DIM FOLDER [--queries 1000]     KIND: clustered (low intrinsic dimension) or uniform
A folder holds base.fbin and query.fbin (two int32: rows, dimension; then float32), gt.npy (the exact neighbours of
each query, best first) and meta.json with the metric.
"""
import argparse
import json
import os

import numpy as np

NEIGHBOURS = 100


def write(path, rows):
    with open(path, "wb") as out:
        np.array(rows.shape, np.int32).tofile(out)
        rows.astype(np.float32).tofile(out)


def read(path):
    rows, dim = np.fromfile(path, np.int32, 2)
    return np.fromfile(path, np.float32, offset=8).reshape(rows, dim)


def clustered(rows, dim, rng):
    """Clusters of uneven size, each on its own 16-dimensional patch with a little noise of full rank."""
    count = max(64, int(rows ** 0.5) // 2)
    centres = rng.standard_normal((count, 32)) @ rng.standard_normal((32, dim)) / 32 ** 0.5
    weight = 1 / (np.arange(count) + 20.0) ** 0.8
    label = rng.choice(count, rows, p=weight / weight.sum())
    out = np.empty((rows, dim), np.float32)
    for cluster in range(count):
        chosen = np.flatnonzero(label == cluster)
        patch = rng.standard_normal((16, dim)) * (np.arange(1, 17) ** -0.5)[:, None] / 2
        out[chosen] = centres[cluster] + rng.standard_normal((len(chosen), 16)) @ patch
    out += 0.1 * rng.standard_normal(out.shape, np.float32)
    return out


def uniform(rows, dim, rng):
    return rng.random((rows, dim), np.float32)


def exact(base, queries, metric):
    """The nearest rows of each query: blocks by matrix product, the best of them again in float64."""
    spare = NEIGHBOURS + 20
    numbers, scores = np.zeros((len(queries), 0), np.int64), np.zeros((len(queries), 0), np.float32)
    for begin in range(0, len(base), 50000):
        block = base[begin:begin + 50000]
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


def generate(kind, rows, dim, folder, queries=1000):
    rng = np.random.default_rng(dim)
    all_rows = {"clustered": clustered, "uniform": uniform}[kind](rows + queries, dim, rng)
    os.makedirs(folder, exist_ok=True)
    write(os.path.join(folder, "base.fbin"), all_rows[:rows])
    write(os.path.join(folder, "query.fbin"), all_rows[rows:])
    np.save(os.path.join(folder, "gt.npy"), exact(all_rows[:rows], all_rows[rows:], "L2"))
    with open(os.path.join(folder, "meta.json"), "w") as out:
        json.dump({"name": os.path.basename(folder), "n": rows, "dim": dim, "nq": queries, "metric": "L2"}, out)


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("what", choices=["generate"])
    p.add_argument("kind", choices=["clustered", "uniform"])
    p.add_argument("rows", type=int)
    p.add_argument("dim", type=int)
    p.add_argument("folder")
    p.add_argument("--queries", type=int, default=1000)
    args = p.parse_args()
    generate(args.kind, args.rows, args.dim, args.folder, args.queries)
