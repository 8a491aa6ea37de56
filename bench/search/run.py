"""Search as people use it, in parts.

  run.py [--only text hybrid group load iterator milvus] [--rounds 3] [--seconds 3] [--out docs/benchmarks]

text: BM25 top 10 over the descriptions of Debian packages, one core, beside tantivy and bm25s. A query is three different
words of one description. Each round runs elanus and then each peer in a process of its own, the best of --repeats each;
figures are medians over rounds. Times are CPU times. Scores of the first queries must agree.
hybrid, group, load, iterator: a server of its own, asked as clients do (serving.py): dense and BM25 fused, groups, 1 to 64
clients at once, all rows by the pages of an iterator and by one scan. milvus: beside Milvus 2.3.5, 4 clients, at equal
recall, with and without a filter (beside.py; root).
"""
import argparse
import json
import os
import random
import re
import statistics
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "scripts"), os.path.join(ROOT, "demo")]
from devlib import BUILD, Failed, answers, machine, run, venv  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
PARTS = ["text", "hybrid", "group", "load", "iterator", "milvus"]
WORKER = os.path.join(BUILD, "release", "elanus_search")
GOALS = {("or", "tantivy"): 1.2, ("or", "bm25s"): 1.0, ("and", "tantivy"): 1.0}


def prepare(folder, texts, queries):
    from corpus import load
    os.makedirs(folder, exist_ok=True)
    rows = [row["text"] for row in load(texts)]
    source = random.Random(7)
    asked = []
    while len(asked) < queries:
        words = sorted(set(re.findall(r"[^\W_]+", source.choice(rows).lower())))
        words = [word for word in words if len(word) > 2]
        if len(words) >= 3:
            asked.append(" ".join(source.sample(words, 3)))
    for name, content in (("texts", rows), ("queries", asked)):
        with open(os.path.join(folder, name), "w") as out:
            out.write("\n".join(content) + "\n")
    return len(rows)


def agree(name, ours, theirs):
    """Tantivy keeps a row's length in a byte, so its scores are near; others agree to 1e-3."""
    tolerance = 0.08 if name == "tantivy" else 1e-3
    for a, b in zip(ours["scores"], theirs["scores"]):
        if len(a) != len(b) or any(abs(x - y) > tolerance * max(1, x) for x, y in zip(a, b)):
            raise Failed(f"{name}: scores differ: {a} {b}")


def report(count, rounds):
    median = statistics.median
    text = [f"{count} package descriptions, three words a query, top 10, one core of {machine()}, "
            f"queries per second of CPU time, median of {len(rounds)} rounds.", "",
            "| query | elanus | peer | its QPS | ratio | goal |", "| --- | --- | --- | --- | --- | --- |"]
    table = []
    for (kind, peer), goal in GOALS.items():
        ours = median(r["elanus"][kind]["qps"] for r in rounds)
        theirs = median(r[peer][kind]["qps"] for r in rounds)
        ratio = median(r["elanus"][kind]["qps"] / r[peer][kind]["qps"] for r in rounds)
        table.append({"query": kind, "peer": peer, "elanus_qps": ours, "peer_qps": theirs, "ratio": ratio, "goal": goal})
        text.append(f"| {kind.upper()} of three | {ours:,.0f} | {peer} | {theirs:,.0f} | {ratio:.2f} | {goal} |")
    return table, "\n".join(text) + "\n"


def run_text(args):
    if args.worker == WORKER:
        run("ninja", "-C", os.path.join(BUILD, "release"), "elanus_search")
    python = venv("bench_search")
    folder = os.path.join(BUILD, "bench", "search")
    count = prepare(folder, args.texts, args.queries)
    files = [os.path.join(folder, "texts"), os.path.join(folder, "queries"), str(args.repeats)]
    rounds = []
    for _ in range(args.rounds):
        one = {"elanus": answers("kind", args.worker, *files)}
        for peer in ("tantivy", "bm25s"):
            one[peer] = answers("kind", python, os.path.join(HERE, "peers.py"), peer, *files)
            for kind in one[peer]:
                agree(peer, one["elanus"][kind], one[peer][kind])
        rounds.append(one)
    table, text = report(count, rounds)
    print(text)
    if args.out:
        with open(os.path.join(args.out, "search.md"), "w") as out:
            out.write("# Full text beside its peers\n\n" + text)
        with open(os.path.join(args.out, "search.json"), "w") as out:
            json.dump(table, out, indent=1)


def run_served(args, parts):
    """The parts that need servers."""
    import beside
    figures, compared = [], []
    vectors = beside.prepare_vectors(args.vectors)[0] if {"hybrid", "group", "load"} & set(parts) else None
    more = {"rows": args.vectors, "data": vectors.DATA, "loadgen": vectors.LOADGEN} if vectors else {}
    if "hybrid" in parts:
        folder = os.path.join(BUILD, "bench", "search")
        prepare(folder, args.texts, 1)
        figures += beside.serving("hybrid", args, {**more, "texts": os.path.join(folder, "texts")})
    for part in ("group", "load"):
        if part in parts:
            figures += beside.serving(part, args, more)
    if "iterator" in parts:
        figures += beside.serving("iterator", args, {"rows": args.rows})
    if "milvus" in parts:
        compared = beside.milvus(args)
    text = beside.report(figures, compared)
    print(text)
    if args.out:
        with open(os.path.join(args.out, "serving.md"), "w") as out:
            out.write(f"# Search as it is served\n\n{args.vectors:,} x 384 real embeddings, HNSW M 16 efConstruction 200, ef 64 where "
                      f"nothing else is said, top 10; CPU is the whole server's for each request. {machine()}. Written by `./dev bench search`.\n\n{text}")
        with open(os.path.join(args.out, "serving.json"), "w") as out:
            json.dump({"figures": figures, "milvus": compared}, out, indent=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--vectors", type=int, default=122_000, help="rows of the parts with embeddings")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the iterator")
    parser.add_argument("--seconds", type=float, default=3, help="of each figure of a server")
    parser.add_argument("--recall", type=float, default=0.95, help="at which servers are compared")
    parser.add_argument("--worker", default=WORKER, help="the program of worker.cc; built when not given")
    parser.add_argument("--server", help="the elanus to be measured; the release build when not given")
    parser.add_argument("--out", help="a folder for search.md and .json, serving.md and .json")
    args = parser.parse_args()
    if "text" in args.only:
        run_text(args)
    if set(args.only) - {"text"}:
        run_served(args, args.only)


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(str(failure))
