"""Does a filter cost recall or too much time? Every index under filters of every share, random and correlated.

For each index, at its default search parameters and at wider ones, and each filter: the recall among the rows that pass
must not be below the recall without a filter, and a query must not cost more than the cheaper of an exact scan of what
passes and twice the search without a filter. Queries per CPU second on one thread, each query a call, best of several.
`./dev bench ann --filtered` runs it; the exit status says whether everything holds.
"""
import argparse
import json
import os
import subprocess
import sys

import numpy as np

TOP = 10
SHARES = [0.001, 0.01, 0.03, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99]
# Build and two sets of search parameters.
INDEXES = {
    "HNSW": ({"M": 16, "efConstruction": 200}, [{}, {"ef": 160}]),
    "HNSW_SQ": ({"M": 16, "efConstruction": 200, "sq_type": "SQ8"}, [{}, {"ef": 160}]),
    "IVF_FLAT": ({"nlist": 256}, [{}, {"nprobe": 32}]),
    "SCANN": ({"nlist": 256}, [{}, {"nprobe": 32, "reorder_k": 100}]),
    "IVF_RABITQ": ({"nlist": 256, "refine": "true", "refine_type": "SQ8"}, [{}, {"nprobe": 32, "refine_k": 4}]),
    "DISKANN": ({}, [{}, {"search_list": 60}]),
}
RECALL_SLACK = 0.01   # Of so few queries' recall: one hit in a hundred.
COST_SLACK = 1.25     # Of times that so short runs give,
COST_SLACK_US = 15    # and what a query costs whatever it does.


def read_vectors(path):
    rows, dim = np.fromfile(path, np.int32, 2)
    return np.fromfile(path, np.float32, offset=8).reshape(rows, dim)


def write_vectors(path, vectors):
    with open(path, "wb") as target:
        np.array(vectors.shape, np.int32).tofile(target)
        np.ascontiguousarray(vectors, np.float32).tofile(target)


class Data:
    """The first rows of a folder's vectors, and filters over them."""

    def __init__(self, folder, rows, queries, work):
        with open(os.path.join(folder, "meta.json")) as source:
            meta = json.load(source)
        self.metric = meta["metric"]
        self.base = read_vectors(os.path.join(folder, "base.fbin"))[:rows]
        self.queries = read_vectors(os.path.join(folder, "query.fbin"))[:queries]
        self.folder = os.path.join(work, f"{os.path.basename(os.path.abspath(folder))}-{len(self.base)}")
        os.makedirs(self.folder, exist_ok=True)
        write_vectors(os.path.join(self.folder, "base.fbin"), self.base)
        write_vectors(os.path.join(self.folder, "query.fbin"), self.queries)
        self.scores = self.queries @ self.base.T
        if self.metric == "L2":
            self.scores = 2 * self.scores - (self.base ** 2).sum(1)
        # Along a direction in which the rows differ much: what passes lies together, on the side of some queries only.
        middle = self.base.mean(0)
        random = np.random.default_rng(1)
        direction = random.normal(size=self.base.shape[1])
        for _ in range(10):
            direction = (self.base[:5000] - middle).T @ ((self.base[:5000] - middle) @ direction)
            direction /= np.linalg.norm(direction)
        self.place = np.argsort(np.argsort(self.base @ direction)) / len(self.base)
        self.luck = np.argsort(random.permutation(len(self.base))) / len(self.base)

    def filters(self):
        yield "none", 1.0, np.ones(len(self.base), bool)
        for share in SHARES:
            yield "random", share, self.luck < share
            yield "correlated", share, self.place < share

    def truth(self, keep):
        scores = np.where(keep, self.scores, -np.inf)
        return [set(np.argpartition(-row, TOP)[:TOP][np.isfinite(row[np.argpartition(-row, TOP)[:TOP]])])
                for row in scores]


class Worker:
    """elanus's program over one index."""

    def __init__(self, program, data, kind, build):
        self.data, self.out = data, os.path.join(data.folder, f"{kind}.found")
        words = [f"{key}={value}" for key, value in build.items()]
        index = os.path.join(data.folder, "-".join([kind, *words]).replace("=", ""))
        self.process = subprocess.Popen([program, data.folder, index, kind, "2", *words], text=True,
                                        env={**os.environ, "ELANUS_METRIC": data.metric}, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        self.built = json.loads(self.process.stdout.readline())

    def run(self, params, allowed, repeats):
        """Microseconds of CPU a query, and the rows found."""
        words = [f"{key}={value}" for key, value in params.items()]
        if allowed:
            words.append(f"allowed={allowed}")
        best = float("inf")
        for _ in range(repeats):
            self.process.stdin.write(" ".join(["single", self.out, *words]) + "\n")
            self.process.stdin.flush()
            best = min(best, json.loads(self.process.stdout.readline())["cpu_s"])
        found = np.fromfile(self.out, np.uint32).reshape(-1, TOP)
        return best * 1e6 / len(self.data.queries), found

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def recall_of(found, truth):
    hits = sum(len(set(row.tolist()) & best) for row, best in zip(found, truth))
    return hits / max(1, sum(map(len, truth)))


def measure(args, data):
    filters = []
    for kind, share, keep in data.filters():
        path = ""
        if kind != "none":
            path = os.path.join(data.folder, f"{kind}-{share}.bits")
            np.packbits(keep, bitorder="little").tofile(path)
        filters.append((kind, share, path, data.truth(keep)))
    scan = Worker(args.program, data, "FLAT", {})
    exact = {(kind, share): scan.run({}, path, args.repeats)[0] for kind, share, path, _ in filters}
    scan.close()
    rows = []
    for index, (build, searches) in INDEXES.items():
        if args.only and index not in args.only.split("|"):
            continue
        worker = Worker(args.program, data, index, build)
        for params in searches:
            for kind, share, path, truth in filters:
                cost, found = worker.run(params, path, args.repeats)
                row = {"index": index, "params": params, "filter": kind, "share": share, "us": round(cost, 1),
                       "exact_us": round(exact[kind, share], 1), "recall": round(recall_of(found, truth), 4)}
                plain = row if kind == "none" else plain
                row["limit_us"] = round(min(row["exact_us"], 2 * plain["us"]), 1)
                row["keeps_recall"] = row["recall"] >= plain["recall"] - RECALL_SLACK
                row["keeps_cost"] = kind == "none" or row["us"] <= COST_SLACK * row["limit_us"] + COST_SLACK_US
                rows.append(row)
        worker.close()
    return rows


def show(rows):
    print(f"{'index':11} {'parameters':34} {'filter':10} {'share':>6} {'recall':>7} {'us':>8} {'exact':>8} "
          f"{'limit':>8}")
    for row in rows:
        faults = " ".join(fault for fault in ("recall" * (not row["keeps_recall"]), "cost" * (not row["keeps_cost"]))
                          if fault)
        params = " ".join(f"{key}={value}" for key, value in row["params"].items())
        print(f"{row['index']:11} {params:34} {row['filter']:10} {row['share']:>6} {row['recall']:7.4f} "
              f"{row['us']:8.1f} {row['exact_us']:8.1f} {row['limit_us']:8.1f} {faults}")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("data", help="a folder with base.fbin, query.fbin, meta.json")
    p.add_argument("--program", required=True)
    p.add_argument("--work", required=True, help="where the cut data and the indexes are kept")
    p.add_argument("--rows", type=int, default=50000)
    p.add_argument("--queries", type=int, default=200)
    p.add_argument("--repeats", type=int, default=3)
    p.add_argument("--only", default="", help="names of indexes, with | between them")
    p.add_argument("--json", default="")
    args = p.parse_args()
    rows = measure(args, Data(args.data, args.rows, args.queries, args.work))
    show(rows)
    if args.json:
        with open(args.json, "w") as target:
            json.dump(rows, target, indent=1)
    faults = [row for row in rows if not (row["keeps_recall"] and row["keeps_cost"])]
    print(f"{len(rows) - len(faults)} of {len(rows)} hold")
    sys.exit(1 if faults else 0)


main()
