"""Does a filter cost recall or too much time? Every index under filters of every share, random and correlated.

For each index, at its default search parameters and at wider ones, and each filter: the recall among the rows that pass
must not be below the recall without a filter, and a query must not cost more than the cheaper of an exact scan of what
passes and twice the search without a filter. CPU time of one thread, each query a call; the searches take turns, and
the best round counts. `./dev bench ann --filtered` runs it, with `--out docs/benchmarks` it publishes the page; the
exit status says whether everything holds.
"""
import argparse
import itertools
import json
import os
import subprocess
import sys

import numpy as np

TOP = 10
SHARES = [0.001, 0.01, 0.03, 0.1, 0.15, 0.25, 0.5, 0.75, 0.9, 0.99]
# Build and two sets of search parameters.
INDEXES = {
    "HNSW": ({"M": 16, "efConstruction": 200}, [{}, {"ef": 160}]),
    "HNSW_SQ": ({"M": 16, "efConstruction": 200, "sq_type": "SQ8", "refine": "true", "refine_type": "fp32"},
                [{}, {"ef": 160}]),
    "IVF_FLAT": ({"nlist": 256}, [{}, {"nprobe": 32}]),
    "SCANN": ({"nlist": 256}, [{}, {"nprobe": 32, "reorder_k": 100}]),
    "IVF_RABITQ": ({"nlist": 256, "refine": "true", "refine_type": "SQ8"}, [{}, {"nprobe": 32, "refine_k": 4}]),
    "DISKANN": ({"search_cache_budget_gb_ratio": 0}, [{}, {"search_list": 60}]),
}
RECALL_SLACK = 0.01   # Of so few queries' recall: one hit in a hundred.
COST_SLACK = 1.25     # Of times that so short runs give,
COST_SLACK_US = 15    # and what a query costs whatever it does.
FEW = 50              # Queries that the program's mode "few" takes.


def read_vectors(path):
    rows, dim = np.fromfile(path, np.int32, 2)
    return np.fromfile(path, np.float32, offset=8).reshape(rows, dim)


def write_vectors(path, vectors):
    with open(path, "wb") as target:
        np.array(vectors.shape, np.int32).tofile(target)
        np.ascontiguousarray(vectors, np.float32).tofile(target)


class Data:
    """The first rows of a folder's vectors, and filters over them. `name` is what the page calls them."""

    def __init__(self, folder, name, rows, queries, work):
        with open(os.path.join(folder, "meta.json")) as source:
            meta = json.load(source)
        self.name, self.metric = name, meta["metric"]
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

    def title(self):
        return f"{len(self.base):,} × {self.base.shape[1]}, {self.metric}, {self.name}"

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

    def run(self, mode, params, allowed):
        """Microseconds of CPU a query, and the rows found."""
        words = [f"{key}={value}" for key, value in params.items()]
        if allowed:
            words.append(f"allowed={allowed}")
        self.process.stdin.write(" ".join([mode, self.out, *words]) + "\n")
        self.process.stdin.flush()
        cpu = json.loads(self.process.stdout.readline())["cpu_s"]
        queries = min(FEW, len(self.data.queries)) if mode == "few" else len(self.data.queries)
        return cpu * 1e6 / queries, np.fromfile(self.out, np.uint32).reshape(-1, TOP)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def recall_of(found, truth):
    hits = sum(len(set(row.tolist()) & best) for row, best in zip(found, truth))
    return hits / max(1, sum(map(len, truth)))


def make_filters(data):
    """(kind, share, file of bits, the true hits of each query) of each filter; the first is none."""
    filters = []
    for kind, share, keep in data.filters():
        path = ""
        if kind != "none":
            path = os.path.join(data.folder, f"{kind}-{share}.bits")
            np.packbits(keep, bitorder="little").tofile(path)
        filters.append((kind, share, path, data.truth(keep)))
    return filters


def measure_turns(worker, mode, params, filters, rounds):
    """The least cost under each filter, and what was found; the filters take turns."""
    costs, found = [float("inf")] * len(filters), [None] * len(filters)
    for _ in range(rounds):
        for i, (_, _, path, _) in enumerate(filters):
            cost, found[i] = worker.run(mode, params, path)
            costs[i] = min(costs[i], cost)
    return costs, found


def measure(args, data):
    filters = make_filters(data)
    scan = Worker(args.program, data, "FLAT", {})
    exact, _ = measure_turns(scan, "few", {}, filters, args.repeats)
    scan.close()
    rows = []
    for index, (build, searches) in INDEXES.items():
        if args.only and index not in args.only.split("|"):
            continue
        worker = Worker(args.program, data, index, build)
        for params in searches:
            costs, found = measure_turns(worker, "single", params, filters, args.repeats)
            plain_recall = recall_of(found[0], filters[0][3])
            for i, (kind, share, _, truth) in enumerate(filters):
                limit, recall = min(exact[i], 2 * costs[0]), recall_of(found[i], truth)
                rows.append({"data": data.title(), "index": index, "build": build, "params": params, "filter": kind,
                             "share": share, "us": round(costs[i], 1), "exact_us": round(exact[i], 1), "limit_us": round(limit, 1),
                             "recall": round(recall, 4), "keeps_recall": recall >= plain_recall - RECALL_SLACK,
                             "keeps_cost": i == 0 or costs[i] <= COST_SLACK * limit + COST_SLACK_US})
        worker.close()
    return rows


def words_of(values):
    return " ".join(f"{key}={value}" for key, value in values.items())


def page(rows, args):
    """What docs/benchmarks/filtered.md says."""
    lines = ["# What filters do to recall and cost", "",
             f"{args.queries} queries, the best {TOP}, one query a call on one thread; CPU time of the best of "
             f"{args.repeats} rounds in which the searches took turns. {args.machine}.", "",
             "A filter allows a share of the rows: drawn at random, or lying together on one side of the vectors "
             "(correlated). The limit is the cheaper of an exact scan of the allowed rows and twice the same search "
             f"without a filter. **Bold**: recall more than {RECALL_SLACK} below the one without a filter, or a cost "
             f"above {COST_SLACK} times the limit and {COST_SLACK_US} µs. {held(rows)} hold.", "",
             "Again: `./dev bench ann --filtered`. Raw figures: the JSON file beside this page.", ""]
    for data, of_data in grouped(rows, lambda row: row["data"]):
        lines += [f"## {data}", "", f"{held(of_data)} hold.", ""]
        for _, group in grouped(of_data, lambda row: (row["index"], words_of(row["params"]))):
            lines += table(group)
    return "\n".join(lines)


def held(rows):
    return f"{sum(row['keeps_recall'] and row['keeps_cost'] for row in rows)} of {len(rows)}"


def grouped(rows, key):
    """(key, its rows) in the order in which the keys come first."""
    groups = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups.items()


def table(group):
    """Of one index and one set of search parameters; the first row is without a filter."""
    plain = group[0]
    build, params = words_of(plain["build"]), words_of(plain["params"])
    lines = [f"### {plain['index']}" + (f" ({build})" if build else "") + f", {params or 'default search'}", "",
             f"Without a filter: recall {plain['recall']:.3f}, {plain['us']:.0f} µs.", "",
             "| allowed | random: recall | µs | limit | correlated: recall | µs | limit |", "|---|" + "---:|" * 6]
    for share in SHARES:
        cells = []
        for kind in ("random", "correlated"):
            row = next(row for row in group if row["filter"] == kind and row["share"] == share)
            cells += [mark(f"{row['recall']:.3f}", row["keeps_recall"]), mark(f"{row['us']:.0f}", row["keeps_cost"]),
                      f"{row['limit_us']:.0f}"]
        lines.append(f"| {100 * share:g} % | " + " | ".join(cells) + " |")
    return [*lines, ""]


def mark(text, holds):
    return text if holds else f"**{text}**"


def show(rows):
    print(f"{'index':11} {'parameters':34} {'filter':10} {'share':>6} {'recall':>7} {'us':>8} {'exact':>8} "
          f"{'limit':>8}")
    for row in rows:
        faults = " ".join(fault for fault in ("recall" * (not row["keeps_recall"]), "cost" * (not row["keeps_cost"]))
                          if fault)
        print(f"{row['index']:11} {words_of(row['params']):34} {row['filter']:10} {row['share']:>6} "
              f"{row['recall']:7.4f} {row['us']:8.1f} {row['exact_us']:8.1f} {row['limit_us']:8.1f} {faults}")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("data", nargs="+", help="folders with base.fbin, query.fbin, meta.json")
    p.add_argument("--program", required=True)
    p.add_argument("--work", required=True, help="where the cut data and the indexes are kept")
    p.add_argument("--rows", type=int, default=50000)
    p.add_argument("--queries", type=int, default=200)
    p.add_argument("--repeats", type=int, default=3)
    p.add_argument("--only", default="", help="names of indexes, with | between them")
    p.add_argument("--json", default="")
    p.add_argument("--out", default="", help="folder that gets filtered.md and filtered.json")
    p.add_argument("--name", action="append", default=[], help="of each folder's vectors, for the page")
    p.add_argument("--machine", default="", help="in words, for the page")
    args = p.parse_args()
    rows = []
    for folder, name in itertools.zip_longest(args.data, args.name[:len(args.data)], fillvalue="given vectors"):
        data = Data(folder, name, args.rows, args.queries, args.work)
        rows += measure(args, data)
        print(data.title())
        show([row for row in rows if row["data"] == data.title()])
    if args.out:
        os.makedirs(args.out, exist_ok=True)
    for path in filter(None, [args.json, args.out and os.path.join(args.out, "filtered.json")]):
        with open(path, "w") as target:
            target.write("[" + ",\n ".join(map(json.dumps, rows)) + "]\n")
    if args.out:
        with open(os.path.join(args.out, "filtered.md"), "w") as target:
            target.write(page(rows, args))
    faults = [row for row in rows if not (row["keeps_recall"] and row["keeps_cost"])]
    print(f"{len(rows) - len(faults)} of {len(rows)} hold")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
