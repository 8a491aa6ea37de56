"""What storage costs: insert rate beside milvus-lite, restart, deletes, space, all of it as rows grow; writes the page.

  storage.py --server build/release/elanus [--rows 1000000] [--sizes 100000,300000,1000000,3000000] [--index HNSW]
             [--insert-rows 300000] [--deletes 1000000] [--segments 24] [--skip PART]... [--out docs/benchmarks]
Requests are encoded before the clock starts, and both servers get the same bytes over two connections. Every search is
for a stored row, which must come first.
"""
import argparse
import importlib.util
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "scripts"))
from devlib import BINARY, venv  # noqa: E402

if importlib.util.find_spec("pymilvus") is None:  # Once more, where the client is.
    python = venv("bench_lite")
    os.execv(python, [python, *sys.argv])

import grpc  # noqa: E402
import numpy as np  # noqa: E402
from pymilvus import MilvusClient  # noqa: E402

import compaction  # noqa: E402
from deletes import measure_million, measure_segments, million_table, segments_table  # noqa: E402
from rows import NAME, add_index, count, create, fill, timed, until_indexed, vectors  # noqa: E402
from server_process import Server  # noqa: E402

PARTS = ["insert", "lite", "grow", "restart", "delete", "space", "million", "segments", "beside"]

# What was compacted goes at once, so that space is what the data needs.
ARGUMENTS = ["--set", "dataCoord.gc.dropTolerance=0", "--set", "dataCoord.gc.interval=1"]
TARGETS = {"insert_gb_min": ("insert, 768-d, GB/min", ">= 1"), "lite_ratio": ("times milvus-lite", ">= 10"),
           "restart_s": ("restart to the first correct answer, s", "< 3"),
           "delete_s": ("delete of 100,000 keys, s", "< 1"), "space_ratio": ("disk / (raw + index)", "<= 1.3")}


def search_one(client, row, query, **more):
    params = {"params": {"ef": 64}}
    hits = client.search(NAME, data=query, limit=10, search_params=params, **more)
    return hits[0] and hits[0][0]["id"] == row


def latencies(client, rows, dim, searches=300):
    """p50, p99 in ms and the share of searches that found their row."""
    random = np.random.default_rng(5)
    wanted = [int(row) for row in random.integers(0, rows, searches + 20)]
    queries = [vectors(row, 1, dim) for row in wanted]
    taken, right = [], 0
    for i, (row, query) in enumerate(zip(wanted, queries)):
        begin = time.perf_counter()
        found = search_one(client, row, query)
        if i >= 20:
            taken.append((time.perf_counter() - begin) * 1e3)
            right += found
    return (*np.percentile(taken, [50, 99]), right / searches)


def memory_mb(server):
    """Of the heap, and of mapped files."""
    with open(f"/proc/{server.process.pid}/status") as status:
        lines = dict(line.split(":", 1) for line in status)
    return int(lines["RssAnon"].split()[0]) / 1024, int(lines["RssFile"].split()[0]) / 1024


def size_mb(*folders):
    total = 0
    for folder in folders:
        for path, _, names in os.walk(folder):
            for name in names:
                try:
                    total += os.stat(os.path.join(path, name)).st_blocks * 512
                except FileNotFoundError:
                    pass  # Garbage, collected meanwhile.
    return total / 2 ** 20


def measure_insert(args, folder):
    dim, rows = 768, args.insert_rows
    gb = rows * dim * 4 / 1e9
    with Server(args.server, os.path.join(folder, "insert")) as server:
        client = MilvusClient(uri=server.uri)
        create(client, dim)
        rate = gb / fill(server.address, 0, rows, dim) * 60
        client.flush(NAME)
        client.close()
    found = {"insert_gb_min": rate}
    if "lite" in args.skip:
        return found
    some = min(rows, args.lite_rows)
    program = os.path.join(os.path.dirname(venv("bench_lite")), "milvus-lite")
    with open(os.path.join(folder, "lite.log"), "wb") as log:
        lite = subprocess.Popen([program, "server", "--host", "127.0.0.1", "--port", str(args.lite_port), "--data-dir",
                                 os.path.join(folder, "lite")], stdout=log, stderr=subprocess.STDOUT)
    try:
        address = f"127.0.0.1:{args.lite_port}"
        grpc.channel_ready_future(grpc.insecure_channel(address)).result(timeout=60)
        client = MilvusClient(uri=f"http://{address}")
        create(client, dim)
        lite_rate = some * dim * 4 / 1e9 / fill(address, 0, some, dim) * 60
        client.close()
    finally:
        lite.terminate()
        lite.wait(30)
    return {**found, "lite_gb_min": lite_rate, "lite_ratio": rate / lite_rate}


def measure_size(args, folder, rows):
    """One row of the table, and what is measured at the size of --rows besides."""
    dim, found, more = args.dim, {"rows": rows}, {}
    with Server(args.server, os.path.join(folder, f"size-{rows}"), arguments=ARGUMENTS) as server:
        client = MilvusClient(uri=server.uri)
        create(client, dim)
        found["insert_s"] = fill(server.address, 0, rows, dim)
        found["flush_s"] = timed(lambda: client.flush(NAME))
        found["index_s"] = timed(lambda: (add_index(client, args.index), until_indexed(client)))
        found["load_s"] = timed(lambda: client.load_collection(NAME))
        found["p50_ms"], found["p99_ms"], found["found"] = latencies(client, rows, dim)
        found["heap_mb"], found["mapped_mb"] = memory_mb(server)
        print("  " + " ".join(f"{key}={value:.4g}" for key, value in found.items()), flush=True)
        if rows == args.rows:
            if "restart" not in args.skip:
                client = measure_restart(args, server, client, more)
            if "delete" not in args.skip:
                measure_delete(args, client, more)
            if "space" not in args.skip:
                measure_space(args, server, client, more)
        client.close()
    return found, more


def measure_restart(args, server, client, more):
    client.close()
    taken = []
    for end in (server.stop, server.kill, server.stop):
        end()
        begin = time.perf_counter()
        server.start(timeout_s=120)
        client = MilvusClient(uri=server.uri)
        row = args.rows // 3 + len(taken)
        query = vectors(row, 1, args.dim)
        while True:
            try:
                if search_one(client, row, query, consistency_level="Strong"):
                    break
            except Exception as refusal:  # It loads.
                if time.perf_counter() - begin > 120:
                    raise SystemExit(f"no answer after a restart: {refusal}") from refusal
            time.sleep(0.01)
        taken.append(time.perf_counter() - begin)
        if len(taken) < 3:
            client.close()
    more["restart_s"] = float(np.median(taken))
    print(f"  restarts: {' '.join(f'{t:.2f}' for t in taken)} s", flush=True)
    return client


def measure_delete(args, client, more):
    keys = list(range(0, args.rows, max(2, args.rows // 100_000)))[:100_000]
    more["delete_s"] = timed(lambda: client.delete(NAME, ids=keys))
    more["delete_keys"] = len(keys)
    left = count(client)
    if left != args.rows - len(keys):
        raise SystemExit(f"{left} rows are left of {args.rows} after {len(keys)} deletes")
    print(f"  delete of {len(keys)} keys: {more['delete_s']:.2f} s", flush=True)


def measure_space(args, server, client, more):
    client.flush(NAME)
    begin = time.perf_counter()
    job = client.compact(NAME)
    while client.get_compaction_state(job) != "Completed":
        time.sleep(0.2)
    until_indexed(client)
    more["compaction_s"] = time.perf_counter() - begin
    rows = count(client)
    raw_mb = rows * (args.dim * 4 + 8) / 2 ** 20
    objects = os.path.join(server.data, "objects")
    end = time.monotonic() + 20
    least = float("inf")
    while time.monotonic() < end:  # Garbage goes in the background.
        least = min(least, size_mb(server.data))
        time.sleep(1)
    index_mb = size_mb(os.path.join(objects, "indexes"))
    more["disk_mb"], more["raw_mb"], more["index_mb"] = least, raw_mb, index_mb
    more["space_ratio"] = least / (raw_mb + index_mb)
    print(f"  {least:.0f} MB on disk for {raw_mb:.0f} MB of rows and {index_mb:.0f} MB of index; the log has "
          f"{size_mb(os.path.join(server.data, 'wal')):.0f} MB; compaction {more['compaction_s']:.1f} s", flush=True)


def number(value):
    return "–" if value is None or value != value else f"{value:,}" if isinstance(value, int) else f"{value:.3g}"


def against_n_log_n(sizes, key):
    """By how much a cost grew from the smallest to the largest size, beside n log n: at most 1 is as it should be."""
    first, last = sizes[0], sizes[-1]

    def expected(n):
        return n * math.log2(n)

    return last[key] / first[key] / (expected(last["rows"]) / expected(first["rows"]))


def growth_table(sizes):
    titles = {"rows": "rows", "insert_s": "insert s", "flush_s": "flush s", "index_s": "index s", "load_s": "load s",
              "p50_ms": "search p50 ms", "p99_ms": "p99 ms", "found": "found", "heap_mb": "heap MB",
              "mapped_mb": "mapped MB"}
    lines = ["| " + " | ".join(titles.values()) + " |", "|" + " ---: |" * len(titles)]
    lines += ["| " + " | ".join(number(row[key]) for key in titles) + " |" for row in sizes]
    if len(sizes) > 1:
        costs = [number(against_n_log_n(sizes, key)) if key.endswith(("_s", "_ms", "_mb")) else "" for key in titles]
        lines.append("| " + " | ".join(["growth / n log n", *costs[1:]]) + " |")
    return lines


def page(args, found, sizes):
    """The whole of storage.md."""
    with open("/proc/cpuinfo") as info:
        names = [line.split(":")[1].strip() for line in info if line.startswith("model name")]
    build = "M 16, efConstruction 100" if args.index == "HNSW" else "its defaults"
    lines = ["# Storage benchmark", "",
             f"{os.cpu_count()} cores of {names[0] if names else platform.machine()}, {platform.system()} "
             f"{platform.release()}; {args.dim} dimensions, L2, {args.index} with {build}. Written by "
             f"{'runs' if args.keep else 'one run'} of `./dev bench storage`; search times are a Python client's, its own "
             "part included.", ""]
    lines += ["| | measured | wanted |", "| --- | --- | --- |"]
    lines += [f"| {title} | {number(found[key])} | {wanted} |"
              for key, (title, wanted) in TARGETS.items() if key in found]
    if sizes:
        lines += ["", "## As rows grow", "", *growth_table(sizes), "",
                  "The last line: by how much a cost grew from the first size to the last, divided by what n log n "
                  "would have grown. An insert is on disk when it is answered; a flush, an index and a load are waited "
                  "for; memory is that of the process after the searches."]
    if "million" in found:
        lines += ["", "## Deletes beside searches", "", *million_table(found["million"]), "",
                  "IVF_FLAT, one client that searches one vector after another; a delete is seen when a Strong count "
                  "tells so."]
    if "segments" in found:
        lines += ["", "## Keys of many segments", "", *segments_table(found["segments"])]
    if "beside" in found:
        lines += ["", "## Searches beside compactions and index builds", "",
                  f"{args.beside_rows:,} rows in eight segments, HNSW, the dearest to build (`bench/server/compaction.py`), "
                  f"medians of {args.beside_turns} turns; wanted: p99 at most twice as long.", "",
                  "| | p99 ms | times |", "| --- | ---: | ---: |"]
        alone = found["beside"]["alone"]
        lines += [f"| {what} | {p99:.2f} | {p99 / alone:.2f} |" for what, p99 in found["beside"].items()]
    return "\n".join(lines) + "\n"


def measure_beside(args):
    """The 99th percentiles of searches beside background work, each the median of the turns."""
    options = argparse.Namespace(server=args.server, rows=args.beside_rows, dim=args.dim, index="HNSW", set=[])
    turns = [compaction.measure(options) for _ in range(args.beside_turns)]
    return {what: float(np.median([turn[what] for turn in turns])) for what in turns[0]}


def kept(args):
    """What an earlier run found, where that counts on."""
    if not args.keep:
        return {}, []
    with open(os.path.join(args.out, "storage.json")) as before:
        figures = json.load(before)
    return figures["found"], figures["sizes"] if "grow" in args.skip else []


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default=BINARY)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the restart, the deletes and the space")
    parser.add_argument("--sizes", default="100000,300000,1000000,3000000")
    parser.add_argument("--dim", type=int, default=128)
    parser.add_argument("--index", default="HNSW")
    parser.add_argument("--insert-rows", type=int, default=300_000)
    parser.add_argument("--lite-rows", type=int, default=50_000)
    parser.add_argument("--lite-port", type=int, default=19931)
    parser.add_argument("--deletes", type=int, default=1_000_000, help="deleted at once")
    parser.add_argument("--segments", type=int, default=24, help="that keys are looked up in")
    parser.add_argument("--segment-rows", type=int, default=50_000)
    parser.add_argument("--beside-rows", type=int, default=60_000, help="of the searches beside compactions")
    parser.add_argument("--beside-turns", type=int, default=3, help="of which the median counts")
    parser.add_argument("--skip", action="append", default=[], choices=PARTS)
    parser.add_argument("--folder", help="where the data goes meanwhile; else the system's temporary folder")
    parser.add_argument("--out", help="a folder for storage.md and storage.json")
    parser.add_argument("--keep", action="store_true", help="parts that are skipped keep the figures that --out has")
    args = parser.parse_args()
    found, rows = kept(args)
    sizes = [] if "grow" in args.skip else [int(size) for size in args.sizes.split(",")]
    if args.rows not in sizes and {"restart", "delete", "space"} - set(args.skip):
        sizes.append(args.rows)
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        if "insert" not in args.skip:
            found.update(measure_insert(args, folder))
            print("  " + " ".join(f"{key}={value:.3g}" for key, value in found.items()), flush=True)
        for size in sorted(sizes):
            print(f"{size} x {args.dim}, {args.index}", flush=True)
            with tempfile.TemporaryDirectory(dir=folder) as part:  # The next one needs the room.
                row, more = measure_size(args, part, size)
            rows.append(row)
            found.update(more)
        for part, measure in (("million", measure_million), ("segments", measure_segments)):
            if part not in args.skip:
                print(part, flush=True)
                found[part] = measure(args, folder)
        if "beside" not in args.skip:
            found["beside"] = measure_beside(args)
    text = page(args, found, rows)
    print("\n" + text)
    if args.out:
        os.makedirs(args.out, exist_ok=True)
        with open(os.path.join(args.out, "storage.md"), "w") as out:
            out.write(text)
        with open(os.path.join(args.out, "storage.json"), "w") as out:
            json.dump({"found": found, "sizes": rows}, out, indent=1)


if __name__ == "__main__":
    main()
