"""Search latency while a compaction runs: p50 and p99 alone, and with segments being merged and indexed behind them;
and by how much the server's heap grows meanwhile.

    bench/server/compaction.py --server build/release/elanus [--rows 100000] [--dim 128] [--index HNSW]
                               [--set KEY=VALUE]...
"""
import argparse
import os
import sys
import tempfile
import threading
import time

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "scripts"))
from pymilvus import DataType, MilvusClient  # noqa: E402
from server_process import Server  # noqa: E402

SEGMENTS = 8


class HeapWatch:
    """The largest heap of a process while it is watched, in MB."""

    def __init__(self, pid):
        self.pid, self.over, self.largest = pid, threading.Event(), 0
        self.first = self.now()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def now(self):
        with open(f"/proc/{self.pid}/status") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("RssAnon"))

    def watch(self):
        while not self.over.wait(0.01):
            self.largest = max(self.largest, self.now())

    def growth(self):
        self.over.set()
        self.thread.join()
        return self.largest - self.first


def fill(client, rows, dim, index):
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dim)
    client.create_collection("c", schema=schema)
    indexes = client.prepare_index_params()
    params = {"M": 16, "efConstruction": 100} if index == "HNSW" else {}
    indexes.add_index("vector", index_type=index, metric_type="L2", params=params)
    client.create_index("c", indexes)
    data = np.random.default_rng(1).normal(size=(rows, dim)).astype(np.float32)
    for segment in range(SEGMENTS):
        begin, end = rows * segment // SEGMENTS, rows * (segment + 1) // SEGMENTS
        for at in range(begin, end, 2000):
            client.insert("c", [{"id": i, "vector": data[i]} for i in range(at, min(end, at + 2000))])
        client.flush("c")
    while client.describe_index("c", "vector")["pending_index_rows"] > 0:
        time.sleep(0.2)
    client.load_collection("c")
    return data


def measure(client, data, until):
    """Milliseconds of searches, one after another, until told."""
    taken, i = [], 0
    while not until():
        begin = time.perf_counter()
        client.search("c", data=[data[i % len(data)]], limit=10, search_params={"params": {"ef": 64}})
        taken.append((time.perf_counter() - begin) * 1000)
        i += 1
    return taken


def show(what, taken):
    p50, p99 = np.percentile(taken, [50, 99])
    print(f"{what}: {len(taken)} searches, p50 {p50:.2f} ms, p99 {p99:.2f} ms")
    return p99


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=128)
    parser.add_argument("--index", default="HNSW")
    parser.add_argument("--set", action="append", default=[], help="an option of the server")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Server(given.server, os.path.join(folder, "data"), arguments=[
            "--set", "dataCoord.compaction.enableAutoCompaction=false",
            *(word for option in given.set for word in ("--set", option))]) as server:
        client = MilvusClient(uri=server.uri)
        data = fill(client, given.rows, given.dim, given.index)
        end = time.monotonic() + 10
        alone = show("alone", measure(client, data, lambda: time.monotonic() > end))
        over = threading.Event()

        def compact():
            other = MilvusClient(uri=server.uri)
            job = other.compact("c")
            while other.get_compaction_state(job) != "Completed":
                time.sleep(0.1)
            other.close()
            over.set()

        heap = HeapWatch(server.process.pid)
        worker = threading.Thread(target=compact)
        begin = time.monotonic()
        worker.start()
        during = show("while it is compacted", measure(client, data, over.is_set))
        worker.join()
        print(f"p99 grows by {during / alone:.2f}; the compaction took {time.monotonic() - begin:.1f} s and up to "
              f"{heap.growth():.0f} MB of heap for {given.rows * given.dim * 4 / 2 ** 20:.0f} MB of vectors")
        client.close()


if __name__ == "__main__":
    main()
