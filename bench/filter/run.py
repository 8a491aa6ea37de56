"""elanus's filters beside DuckDB's on the same rows and one core: medians, and one table of ratios.

  run.py [--rows 10000000] [--rounds 3] [--repeats 5] [--out docs/benchmarks]
Each round times elanus and then DuckDB, the best of --repeats each; the ratio of a filter is the median over rounds.
JSON and arrays have a tenth of the rows. Both count the rows that match, and the counts must agree.
"""
import argparse
import json
import os
import platform
import statistics
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "scripts"))
from devlib import BUILD, Failed, answers, run, venv  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
WORKER = os.path.join(BUILD, "release", "elanus_filter")


def report(rows, rounds, names):
    """A row for each filter: medians of the times and of each round's own ratios."""
    table = []
    for name in names:
        elanus, duck = [r[0][name] for r in rounds], [r[1][name] for r in rounds]
        counts = {one["count"] for one in elanus + duck}
        if len(counts) != 1:
            raise Failed(f"{name}: the counts differ: {sorted(counts)}")
        median = statistics.median
        table.append({
            "filter": name, "rows": elanus[0]["rows"], "matches": counts.pop(),
            "duckdb_ms": median(d["ms"] for d in duck),
            "scan_ms": median(e["scan_ms"] for e in elanus), "index_ms": median(e["index_ms"] for e in elanus),
            "scan_ratio": median(d["ms"] / e["scan_ms"] for e, d in zip(elanus, duck)),
            "index_ratio": median(d["ms"] / e["index_ms"] for e, d in zip(elanus, duck)),
            "index_bytes_a_row": elanus[0]["index_bytes"] / elanus[0]["rows"]})
    text = [f"{rows} rows (JSON and arrays a tenth), one core of {platform.processor() or platform.machine()}, "
            f"median of {len(rounds)} rounds. Ratios are DuckDB's time over elanus's.", "",
            "| filter | rows that match | DuckDB ms | elanus ms | with an index | ratio | with an index | index bytes a row |",
            "| --- | --- | --- | --- | --- | --- | --- | --- |"]
    for one in table:
        text.append("| {filter} | {matches} | {duckdb_ms:.2f} | {scan_ms:.2f} | {index_ms:.3f} | {scan_ratio:.1f} | "
                    "{index_ratio:.0f} | {index_bytes_a_row:.1f} |".format(**one))
    return table, "\n".join(text) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--worker", default=WORKER, help="the program of worker.cc; built when not given")
    parser.add_argument("--out", help="a folder for filter.md and filter.json")
    args = parser.parse_args()
    if args.worker == WORKER:
        run("ninja", "-C", os.path.join(BUILD, "release"), "elanus_filter")
    python = venv("bench_filter")
    data = os.path.join(BUILD, "bench", f"filter-{args.rows}")
    if not os.path.exists(os.path.join(data, "done")):
        os.makedirs(data, exist_ok=True)
        run(args.worker, "generate", str(args.rows), data)
        open(os.path.join(data, "done"), "w").close()
    rounds = []
    for _ in range(args.rounds):
        rounds.append((answers("name", args.worker, "measure", str(args.rows), str(args.repeats)),
                       answers("name", python, os.path.join(HERE, "duck.py"), data, str(args.repeats))))
    table, text = report(args.rows, rounds, list(rounds[0][0]))
    print(text)
    if args.out:
        os.makedirs(args.out, exist_ok=True)
        with open(os.path.join(args.out, "filter.md"), "w") as out:
            out.write(text)
        with open(os.path.join(args.out, "filter.json"), "w") as out:
            json.dump({"rows": args.rows, "rounds": args.rounds, "filters": table}, out, indent=1)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as failure:
        sys.exit(f"failed: {failure}")
