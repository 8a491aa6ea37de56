"""One measurement of one running server, from a client environment of its own; prints one JSON line.

  measure.py setup|insert|search|fresh --port N --loadgen BIN --data DIR --rows N [--ef N] [--pid N] [--seconds S]
Setup goes through pymilvus; inserts and timed searches through loadgen, which encodes its requests before the clock starts.
"""
import argparse
import json
import os
import statistics
import subprocess
import time

import numpy as np
from pymilvus import Collection, CollectionSchema, DataType, FieldSchema, connections, utility

NAME = "bench"


def cpu_s(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def loadgen(args, collection, *more):
    done = subprocess.run([args.loadgen, "-addr", f"127.0.0.1:{args.port}", "-coll", collection, *map(str, more)],
                          capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise SystemExit(f"loadgen: {done.stderr[-500:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def create(name, dim):
    if utility.has_collection(name):
        utility.drop_collection(name)
    return Collection(name, CollectionSchema([
        FieldSchema("id", DataType.INT64, is_primary=True, auto_id=False), FieldSchema("a", DataType.INT64),
        FieldSchema("vec", DataType.FLOAT_VECTOR, dim=dim)]), consistency_level="Bounded")


def insert(args, name, rows):
    (line,) = loadgen(args, name, "-mode", "insert", "-base", f"{args.data}/base.fbin", "-n", rows, "-batch", 1000, "-c", 2)
    return line["rows_per_s"]


def run_setup(args, dim):
    collection = create(NAME, dim)
    insert(args, NAME, args.rows)
    collection.flush()
    begin = time.time()
    collection.create_index("vec", {"index_type": "HNSW", "metric_type": "IP", "params": {"M": 16, "efConstruction": 200}})
    utility.wait_for_index_building_complete(NAME, timeout=900)
    built = time.time()
    collection.load(timeout=300)
    return {"build_s": built - begin, "load_s": time.time() - built}


def run_insert(args, dim):
    create("bench_insert", dim)
    rate = insert(args, "bench_insert", min(args.rows, 40000))
    utility.drop_collection("bench_insert")
    return {"rows_per_s": rate}


def run_search(args, _dim):
    queries = int(np.fromfile(f"{args.data}/query.fbin", np.int32, 1)[0])
    result = {}
    for clients in (1, 4):
        used = cpu_s(args.pid)
        (line,) = loadgen(args, NAME, "-metric", "IP", "-params", json.dumps({"ef": args.ef}), "-query", f"{args.data}/query.fbin",
                          "-gt", args.truth, "-c", clients, "-dur", f"{args.seconds}s", "-rounds", 1)
        qps = line["qps"][1]
        result["recall"], result[f"qps_{clients}"] = line["recall"], qps
        # Before its clock starts loadgen asks every query once, for recall and to warm up; the CPU saw those, too.
        result[f"cpu_us_{clients}"] = (cpu_s(args.pid) - used) / (qps * args.seconds + queries) * 1e6
        result[f"p99_ms_{clients}"] = line["p99_ms"][1]
    return result


def run_fresh(args, dim):
    """Milliseconds from sending one row until a Strong search returns it: the median of ten."""
    collection = Collection(NAME)
    times = []
    random = np.random.default_rng(os.getpid())
    for i in range(10):
        vector = random.normal(size=dim)
        vector = (vector / np.linalg.norm(vector) * 3).astype(np.float32).tolist()
        key = 10_000_000 + int(random.integers(0, 1 << 40))
        begin = time.perf_counter()
        collection.insert([[key], [0], [vector]])
        while time.perf_counter() - begin < 10:
            hits = collection.search([vector], "vec", {"metric_type": "IP", "params": {"ef": 64}}, 1, consistency_level="Strong")
            if key in hits[0].ids:
                break
        times.append((time.perf_counter() - begin) * 1e3)
        collection.delete(f"id in [{key}]")
    return {"fresh_ms": statistics.median(times)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["setup", "insert", "search", "fresh"])
    for name, kind in (("port", int), ("loadgen", str), ("data", str), ("truth", str), ("rows", int), ("ef", int), ("pid", int),
                       ("seconds", float)):
        parser.add_argument("--" + name, type=kind)
    args = parser.parse_args()
    connections.connect("default", host="127.0.0.1", port=str(args.port))
    dim = int(np.fromfile(f"{args.data}/base.fbin", np.int32, 2)[1])
    print("RESULT " + json.dumps(globals()["run_" + args.what](args, dim)))


if __name__ == "__main__":
    main()
