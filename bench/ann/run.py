"""elanus's indexes beside the peers' on the same vectors in one run, in turns, round by round: medians and ratios.

Queries per CPU second on one thread, so that what else the machine does counts little. Each index is its own process.
What is built is kept under build/bench/index and not built again unless --rebuild says so; what a run has measured is
kept too, so that --resume goes on where one ended. --prepare only builds, which is most of the time.
"""
import argparse
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "scripts"))
from devlib import BUILD, Failed, machine, pinned, run, venv  # noqa: E402
import report  # noqa: E402
import rounds  # noqa: E402
import settings  # noqa: E402
from process import PROGRAM, WORK, read_json, write_json  # noqa: E402

REAL = os.path.join(os.path.dirname(ROOT), "shared", "perf", "data", "unpack.py")
GENERATED = [("clustered", 1000000, 128, "L2"), ("clustered", 300000, 768, "IP"), ("clustered", 100000, 1536, "IP"),
             ("uniform", 100000, 96, "L2")]

ROWS_ANY = 1 << 40
# What filters do is measured on, beside the real vectors, and how many rows of each set unless --rows says it.
FILTERED = [("clustered", 100000, 128, "L2")]
FILTERED_ROWS = 1 << 17

KINDS = {"debtext384": "real: sentences of Debian package descriptions, embedded by all-MiniLM-L6-v2",
         "clustered": "generated: clusters of uneven size on patches of 8 to 28 dimensions, with noise",
         "uniform": "generated: every coordinate drawn alone"}


def real_data():
    """The folder of the package descriptions' embeddings; none where this checkout has no such data beside it."""
    folder = os.path.join(WORK, "debtext384")
    if os.path.exists(REAL) and not os.path.exists(os.path.join(folder, "meta.json")):
        run(venv("bench_ann"), REAL, folder)
    return [folder] if os.path.exists(os.path.join(folder, "meta.json")) else []


def generated_data(kinds, rows_max):
    folders = []
    for kind, rows, dim, metric in kinds:
        rows = min(rows, rows_max)
        size = f"{rows // 1000000}m" if rows % 1000000 == 0 else f"{rows // 1000}k"
        folders.append(os.path.join(WORK, f"{kind}{dim}-{size}"))
        if not os.path.exists(os.path.join(folders[-1], "meta.json")):
            make = os.path.join(HERE, "data.py")
            run(venv("bench_ann"), make, kind, str(rows), str(dim), folders[-1], "--metric", metric)
    return folders


def data(args):
    if args.data:
        return args.data
    if args.engine:
        return real_data() or generated_data([("clustered", 100000, 128, "L2")], args.rows)
    return ([] if args.quick else real_data()) + generated_data(GENERATED, args.rows)


def kind_of(meta):
    return KINDS.get(meta.get("kind", meta.get("name")), "vectors given")


def load_truth(folder):
    code = "import sys, json, numpy as np; print(json.dumps(np.load(sys.argv[1])[:, :10].tolist()))"
    text = subprocess.run([venv("bench_ann"), "-c", code, os.path.join(folder, "gt.npy")], capture_output=True,
                          text=True, check=True).stdout
    return [set(row) for row in json.loads(text)]


def peers():
    """The peers' packages and versions, as pinned."""
    known = ("diskannpy", "faiss-cpu", "hnswlib", "pyglass-portable", "pyvsag", "scalable-vs", "scann-core", "usearch")
    lines = [line for file in ("bench_ann", "bench_glass", "bench_diskann") for line in pinned(file)]
    return [line.replace("==", " ") for line in lines if line.split("==")[0] in known]


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--engine", action="store_true", help="HNSW, IVF_FLAT and FLAT beside hnswlib and faiss only")
    p.add_argument("--data", action="append", default=[], help="a folder with base.fbin, query.fbin, gt.npy, meta.json")
    p.add_argument("--only", default="", metavar="REGEX",
                   help="names of indexes and peers, or a part of name and configuration")
    p.add_argument("--skip", default="", metavar="REGEX", help="a part of name and configuration: what is left out")
    p.add_argument("--everything", action="store_true", help="on large sets also what never came first on small ones")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--rows", type=int, default=ROWS_ANY,
                   help="generated sets hold at most this many; with --filtered all sets")
    p.add_argument("--sparse", type=int, default=-1, metavar="ROWS",
                   help="rows of the sparse set; a million unless something else is asked for, 0: none")
    p.add_argument("--quick", action="store_true", help="generated sets of 20,000 rows, two rounds")
    p.add_argument("--threads", type=int, default=2, help="for builds and for batches on all cores")
    p.add_argument("--mode", choices=["batch", "single"], default="batch", help="one call for all queries, or one each")
    p.add_argument("--prepare", action="store_true", help="make the data, build what is missing, measure nothing")
    p.add_argument("--kept", action="store_true", help="only what is built already")
    p.add_argument("--add", action="store_true", help="keep the figures of other data sets that the JSON file has")
    p.add_argument("--rebuild", default="", metavar="REGEX", help="build these again")
    p.add_argument("--survey", action="store_true", help="find anew which settings count: after a change of a search")
    p.add_argument("--resume", action="store_true", help="go on with the run that ended half way")
    p.add_argument("--limit", type=float, default=5400, help="seconds that a build may take before it is left out")
    p.add_argument("--program", default="", help="the elanus_ann to measure, rather than build/release's, built first")
    p.add_argument("--filtered", action="store_true", help="only: what filters do to recall and cost, see filtered.py")
    p.add_argument("--json", default="", help="where the figures go")
    p.add_argument("--out", default="", help="folder of the page and the plots; docs/benchmarks publishes them")
    args = p.parse_args()
    if args.quick:
        args.rows, args.rounds = min(args.rows, 20000), min(args.rounds, 2)
    if args.sparse < 0:
        asked = args.data or args.engine or args.only or args.prepare or args.program
        args.sparse = 0 if asked else min(args.rows, 1000000)
    return args


def selected(args, meta):
    """The entries asked for: --only is whole names of indexes ("HNSW|hnswlib") or, where none is called that, a part of
    name and configuration ("glass", "sq_type=SQ8")."""
    everything = settings.entries(meta["n"], meta["dim"], args.everything or bool(args.only))
    wanted = re.compile(args.only or (settings.ENGINE if args.engine else "."), re.IGNORECASE)
    unwanted = re.compile(args.skip or "$^", re.IGNORECASE)
    found = [entry for entry in everything if wanted.fullmatch(entry.index)] or \
        [entry for entry in everything if wanted.search(entry.name)]
    found = [entry for entry in found if not unwanted.search(entry.name)]
    if not found:
        raise Failed(f"nothing is called {args.only}")
    return found


def measure_set(folder, args, state, keep):
    """Builds what is missing and measures one data set: (what is said of it, raw lines, batch lines)."""
    meta = read_json(os.path.join(folder, "meta.json"))
    if meta is None:
        raise Failed(f"{folder} has no meta.json: see bench/ann/data.py for what a folder holds")
    meta.setdefault("name", os.path.basename(os.path.abspath(folder)))
    rebuild = re.compile(args.rebuild or "$^", re.IGNORECASE)
    bench, entries = rounds.Bench(folder, meta, load_truth(folder), args), selected(args, meta)
    for entry in entries:
        bench.prepare(entry, bool(rebuild.search(entry.name)))
    rows, batch = ([], []) if args.prepare else rounds.measure(bench, entries, args, state, keep)
    kind = kind_of(meta)
    spent = {key: round(value) for key, value in state.get("spent", {}).get(meta["name"], {}).items()}
    about = f"{meta['n']:,} × {meta['dim']}, {meta['metric']}, {kind}"
    return {"name": meta["name"], "about": about, "dim": meta["dim"], "rounds": args.rounds, **spent,
            "machine": machine(), "left_out": bench.left_out}, rows, batch


def measure_sparse(args):
    """Sparse search beside a plain scan of posting lists, on generated rows: what was made, and a row a method."""
    run("ninja", "-C", os.path.join(BUILD, "release"), "elanus_sparse", stdout=subprocess.DEVNULL)
    program = os.path.join(BUILD, "release", "elanus_sparse")
    text = subprocess.run([program, str(args.sparse)], capture_output=True, text=True, check=True).stdout
    made, *rows = [json.loads(line) for line in text.splitlines()]
    return {**made, "machine": machine(), "methods": rows}


def publish(name, result, figures, out):
    """The page, the plots and, for the project's own docs, the table of docs/indexes.md."""
    page = report.page(name, result)
    with open(os.path.join(out, f"{name}.md"), "w") as target:
        target.write(page)
    run(venv("bench_ann"), os.path.join(HERE, "plot.py"), figures, out)
    if name == "ann" and os.path.abspath(out) == os.path.join(ROOT, "docs", "benchmarks"):
        with open(os.path.join(ROOT, "docs", "indexes.md"), "r+") as users:
            text = report.for_users(users.read(), result)
            users.seek(0)
            users.truncate()
            users.write(text)
    print(page)


def filtered(args):
    folders = args.data or real_data() + generated_data(FILTERED, args.rows)
    names = [word for folder in folders for word in ("--name", kind_of(read_json(os.path.join(folder, "meta.json"))))]
    rows = FILTERED_ROWS if args.rows == ROWS_ANY else args.rows
    run(venv("bench_ann"), os.path.join(HERE, "filtered.py"), *folders, *names, "--program", args.program, "--work",
        os.path.join(WORK, "filtered"), "--rows", str(rows), "--repeats", str(args.rounds), "--only", args.only,
        "--machine", machine(), *(["--json", args.json] if args.json else []),
        *(["--out", args.out] if args.out else []))


def main():
    args = arguments()
    if not args.program:
        run("ninja", "-C", os.path.join(BUILD, "release"), "elanus_ann", stdout=subprocess.DEVNULL)
        args.program = PROGRAM
    if args.filtered:
        filtered(args)
        return
    name = "engine" if args.engine else "ann"
    out = args.out or os.path.join(WORK, name)
    os.makedirs(out, exist_ok=True)
    figures = args.json or os.path.join(out, f"{name}.json")
    half = figures + ".half"  # What is measured so far.
    state = (read_json(half) if args.resume else None) or {}
    sets, rows, batch = [], [], []
    for folder in data(args):
        about, set_rows, set_batch = measure_set(folder, args, state, lambda: write_json(half, state))
        sets, rows, batch = sets + [about], rows + set_rows, batch + set_batch
    if args.prepare:
        print(json.dumps({about["name"]: about["left_out"] for about in sets}, indent=1))
        return
    before = read_json(figures) if args.add else None
    if before:
        new = {about["name"] for about in sets}
        sets = [about for about in before["sets"] if about["name"] not in new] + sets
        rows = [row for row in before["rows"] if row["data"] not in new] + rows
        batch = [line for line in before["batch"] if line["data"] not in new] + batch
    result = {"cpus": os.cpu_count(), "mode": args.mode, "build_threads": args.threads,
              "peers": peers(), "sets": sets, "rows": rows, "batch": batch}
    if args.sparse:
        result["sparse"] = measure_sparse(args)
    elif before and "sparse" in before:
        result["sparse"] = before["sparse"]
    write_json(figures, result)
    if os.path.exists(half):
        os.remove(half)
    publish(name, result, figures, out)


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(f"failed: {failure}")
