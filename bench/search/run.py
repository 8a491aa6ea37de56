"""BM25 top 10 over the descriptions of Debian packages, one core, beside tantivy and bm25s.

  run.py [--texts 100000] [--queries 2000] [--rounds 3] [--repeats 3] [--out docs/benchmarks]
A query is three different words of one description. Each round runs elanus and then each peer in a process of its own, the
best of --repeats each; figures are medians over rounds. Times are CPU times. Scores of the first queries must agree.
"""
import argparse
import json
import os
import platform
import random
import re
import statistics
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "scripts"), os.path.join(ROOT, "demo")]
from devlib import BUILD, Failed, run, venv  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
WORKER = os.path.join(BUILD, "release", "elanus_search")
GOALS = {("or", "tantivy"): 1.2, ("or", "bm25s"): 1.0, ("and", "tantivy"): 1.0}


def lines(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise Failed(f"{os.path.basename(command[0])} ended with {done.returncode}")
    return {one["kind"]: one for one in map(json.loads, done.stdout.splitlines())}


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
    text = [f"{count} package descriptions, three words a query, top 10, one core of {platform.processor() or platform.machine()}, "
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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--worker", default=WORKER, help="the program of worker.cc; built when not given")
    parser.add_argument("--out", help="a folder for search.md and search.json")
    args = parser.parse_args()
    if args.worker == WORKER:
        run("ninja", "-C", os.path.join(BUILD, "release"), "elanus_search")
    python = venv("bench_search")
    folder = os.path.join(BUILD, "bench", "search")
    count = prepare(folder, args.texts, args.queries)
    files = [os.path.join(folder, "texts"), os.path.join(folder, "queries"), str(args.repeats)]
    rounds = []
    for _ in range(args.rounds):
        one = {"elanus": lines(args.worker, *files)}
        for peer in ("tantivy", "bm25s"):
            one[peer] = lines(python, os.path.join(HERE, "peers.py"), peer, *files)
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


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(str(failure))
