"""The parts of the search benchmark that need servers: elanus alone as it is used (serving.py), and beside Milvus 2.3.5.

Milvus runs as in bench/server: in a network namespace, both servers on loopback in it, the one that is not measured
standing still. Each is asked with the smallest ef that reaches the recall both are compared at, with and without a
filter that a tenth of the rows pass; where none does, with the largest, and its recall says so."""
import json
import os
import statistics
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "scripts"), os.path.join(ROOT, "bench", "server")]
from devlib import BINARY, BUILD, Failed, run, venv  # noqa: E402
from server_process import Server  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
EF_MAX = 512
FILTERS = {"no filter": "", "10 % pass": "a < 10"}
GOALS = {"milvus": 6.0, "iterator": 1.5}
# Truth under a filter: the rows' values of `a` are those that loadgen inserts.
TRUTH = """
import sys, numpy as np
data, rows, share, out = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
def load(name):
    rows_dim = np.fromfile(f"{data}/{name}.fbin", np.int32, 2)
    return np.memmap(f"{data}/{name}.fbin", np.float32, "r", 8, tuple(rows_dim))
values = ((np.arange(rows, dtype=np.uint64) * np.uint64(2654435761)) >> np.uint64(7)) % np.uint64(100)
passing = np.flatnonzero(values < share)
base, queries = np.array(load("base")[:rows])[passing], np.array(load("query"))
np.save(out, passing[np.argsort(-(queries @ base.T), axis=1)[:, :10]].astype(np.int32))
"""


def results(done, what):
    lines = [json.loads(line[7:]) for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if done.returncode or not lines:
        raise Failed(f"{what} failed: {done.stderr[-800:]}")
    return lines


def serving(what, args, more):
    """Runs one part of serving.py against an elanus of its own; its figures, which it prints as they come."""
    folder = os.path.join(BUILD, "bench", "serving")
    run("rm", "-rf", folder)
    os.makedirs(folder)
    with Server(args.server or BINARY, os.path.join(folder, "data")) as server:
        words = [f"--{key}={value}" for key, value in {"port": server.port, "pid": server.process.pid, "seconds": args.seconds,
                                                       "rounds": args.rounds, **more}.items()]
        done = subprocess.run([venv("bench_lite"), "-W", "ignore", os.path.join(HERE, "serving.py"), what, *words],
                              capture_output=True, text=True, timeout=3600)
    run("rm", "-rf", folder)
    figures = results(done, what)
    for one in figures:
        print(" ".join(f"{key}={value:.4g}" if isinstance(value, float) else f"{key}={value}" for key, value in one.items()),
              flush=True)
    return figures


def prepare_vectors(rows):
    """The folder of real embeddings, the load generator, and the truth for each filter."""
    import run as server_bench  # bench/server/run.py
    truths = {"no filter": server_bench.prepare(rows), "10 % pass": os.path.join(BUILD, "bench", f"truth-{rows}-10.npy")}
    if not os.path.exists(truths["10 % pass"]):
        run(venv("bench_lite"), "-c", TRUTH, server_bench.DATA, str(rows), "10", truths["10 % pass"])
    return server_bench, truths


def ask(arena, bench, peer, truth, filter_text, ef, clients, seconds):
    """QPS, recall and latencies of one server at one ef; the other one stands still."""
    import signal
    import time
    for other in arena.peers:
        other.signal(signal.SIGSTOP if other is not peer else signal.SIGCONT)
    done = subprocess.run(arena.inside(bench.LOADGEN, "-addr", f"127.0.0.1:{peer.port}", "-coll", "bench", "-metric", "IP", "-params",
                                       json.dumps({"ef": ef}), "-query", f"{bench.DATA}/query.fbin", "-gt", truth, "-expr",
                                       filter_text, "-c", str(clients), "-dur", f"{seconds}s", "-rounds", "1"),
                          capture_output=True, text=True, timeout=600)
    for other in arena.peers:
        other.signal(signal.SIGCONT)
    time.sleep(1)  # Long enough for a stopped Milvus to renew its lease.
    if done.returncode:
        raise Failed(f"loadgen against {peer.name}: {done.stderr[-400:]}")
    line = json.loads(done.stdout.splitlines()[-1])
    return {"recall": line["recall"], "qps": line["qps"][1], "p99_ms": line["p99_ms"][1]}


def choose_ef(arena, bench, peer, truth, filter_text, recall):
    """The smallest even ef that reaches the recall, by halving; the largest when none does."""
    low, high = 5, EF_MAX // 2
    while low < high:
        middle = (low + high) // 2
        found = ask(arena, bench, peer, truth, filter_text, 2 * middle, 4, 0.3)
        low, high = (low, middle) if found["recall"] >= recall else (middle + 1, high)
    return 2 * high


def milvus(args):
    """[{filter, clients, elanus and Milvus: ef, recall, QPS, p99; ratio}]; rounds A-B-A-B, medians."""
    bench, truths = prepare_vectors(args.vectors)
    bench.BINARY = args.server or BINARY
    arena = bench.Arena(os.path.join(BUILD, "bench", "arena-search"), ["lite"])
    table = []
    try:
        for peer in arena.peers:
            arena.measure(peer, "setup", type("Setup", (), {"rows": args.vectors, "seconds": args.seconds}), truths["no filter"])
        for name, filter_text in FILTERS.items():
            efs = {peer.name: choose_ef(arena, bench, peer, truths[name], filter_text, args.recall) for peer in arena.peers}
            samples = {peer.name: [] for peer in arena.peers}
            for _ in range(args.rounds):
                for peer in arena.peers:
                    samples[peer.name].append(ask(arena, bench, peer, truths[name], filter_text, efs[peer.name], 4, args.seconds))
            row = {"filter": name, "clients": 4}
            for peer, found in samples.items():
                row[peer] = {"ef": efs[peer], **{key: statistics.median(one[key] for one in found) for key in found[0]}}
            ours, theirs = (row[peer.name]["qps"] for peer in arena.peers)
            row["ratio"] = ours / theirs
            print(json.dumps(row), flush=True)
            table.append(row)
    finally:
        arena.stop()
    return table


def report(figures, beside):
    """Markdown of what was measured."""
    lines = []
    served = [f for f in figures if "qps" in f]
    if served:
        lines += ["| search | clients | QPS | p50 ms | p95 ms | p99 ms | server CPU, us |", "| --- |" + " ---: |" * 6]
        lines += [f"| {f['what']} | {f['clients']} | {f['qps']:,.0f} | {f['p50_ms']:.2f} | {f['p95_ms']:.2f} | {f['p99_ms']:.2f} | "
                  f"{f['cpu_us']:,.0f} |" for f in served]
    for state in ("sealed", "growing"):
        rows = [f for f in figures if "wall_s" in f and f["state"] == state]
        if not rows:
            continue
        scan = next(f for f in rows if f["what"] == "rows: scan")
        call_s = next(f["wall_s"] / f["calls"] for f in rows if f["what"] == "rows: pages without a row")
        lines += ["", f"| all {scan['rows']:,} rows, {state} | calls | wall s | times the scan | less as many empty calls | server CPU s | "
                  "times the scan | goal |", "| --- |" + " ---: |" * 7]
        for f in rows:
            is_all = f["what"] == "rows: scan" or "iterator" in f["what"]
            less = f"{(f['wall_s'] - f['calls'] * call_s) / (scan['wall_s'] - call_s):.2f}"
            lines.append(f"| {f['what'][6:]} | {f['calls']} | {f['wall_s']:.3f} | {f['wall_s'] / scan['wall_s']:.2f} | {less if is_all else ''} | "
                         f"{f['cpu_s']:.2f} | {f['cpu_s'] / max(scan['cpu_s'], 0.01):.2f} | {GOALS['iterator'] if 'iterator' in f['what'] else ''} |")
    if beside:
        peers = [key for key in beside[0] if isinstance(beside[0][key], dict)]
        lines += ["", "| 4 clients | " + " | ".join(f"{p}: QPS | recall | ef | p99 ms" for p in peers) + " | ratio | goal |",
                  "| --- |" + " ---: |" * (4 * len(peers) + 2)]
        for row in beside:
            cells = [f"{row[p]['qps']:,.0f} | {row[p]['recall']:.3f} | {row[p]['ef']} | {row[p]['p99_ms']:.2f}" for p in peers]
            lines.append(f"| {row['filter']} | " + " | ".join(cells) + f" | {row['ratio']:.2f} | {GOALS['milvus']} |")
    return "\n".join(lines) + "\n"
