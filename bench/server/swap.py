"""Search latency while segments are swapped: rows that grow are flushed, indexed and merged under a client that
searches one vector after another. The searches of the second that follows each step are told apart.

    bench/server/swap.py --server build/release/elanus [--rows 100000] [--dim 128] [--index HNSW] [--set KEY=VALUE]...
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

BATCH, FLUSHES, AFTER_S = 2000, 4, 1.0


class Searcher:
    """Searches until it is closed; notes when each search began and how long it took."""

    def __init__(self, uri, data):
        self.client, self.data, self.taken, self.over = MilvusClient(uri=uri), data, [], threading.Event()
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self):
        i = 0
        while not self.over.is_set():
            begin = time.perf_counter()
            query = self.data[i % len(self.data)]
            self.client.search("c", data=[query], limit=10, search_params={"params": {"ef": 64}})
            self.taken.append((begin, (time.perf_counter() - begin) * 1000))
            i += 1

    def close(self):
        self.over.set()
        self.thread.join()
        self.client.close()


def show(what, taken):
    p50, p99 = np.percentile(taken, [50, 99])
    print(f"{what:20} {len(taken):6} searches, p50 {p50:6.2f} ms, p99 {p99:6.2f} ms, slowest {max(taken):6.2f} ms",
          flush=True)


def insert(client, data, begin, end):
    for at in range(begin, end, BATCH):
        client.insert("c", [{"id": i, "vector": data[i]} for i in range(at, min(end, at + BATCH))])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=128)
    parser.add_argument("--index", default="HNSW")
    parser.add_argument("--set", action="append", default=[], help="an option of the server")
    given = parser.parse_args()
    data = np.random.default_rng(1).normal(size=(given.rows, given.dim)).astype(np.float32)
    arguments = [word for option in ["dataCoord.compaction.enableAutoCompaction=false", *given.set]
                 for word in ("--set", option)]
    with tempfile.TemporaryDirectory() as folder, Server(given.server, os.path.join(folder, "data"),
                                                         arguments=arguments) as server:
        client = MilvusClient(uri=server.uri)
        schema = client.create_schema(auto_id=False)
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=given.dim)
        client.create_collection("c", schema=schema)
        indexes = client.prepare_index_params()
        params = {"M": 16, "efConstruction": 100} if given.index == "HNSW" else {}
        indexes.add_index("vector", index_type=given.index, metric_type="L2", params=params)
        client.create_index("c", indexes)
        client.load_collection("c")
        steps = {"growing": [], "after a flush": [], "after an index": [], "after a compaction": []}

        def watch(what, searcher, work):
            work()
            end = time.perf_counter()
            time.sleep(AFTER_S)
            steps[what] += [ms for begin, ms in searcher.taken if end - 0.05 <= begin < end + AFTER_S]

        def until_indexed():
            while client.describe_index("c", "vector")["pending_index_rows"] > 0:
                time.sleep(0.01)

        def compact():
            job = client.compact("c")
            while client.get_compaction_state(job) != "Completed":
                time.sleep(0.02)

        for flush in range(FLUSHES):
            insert(client, data, given.rows * flush // FLUSHES, given.rows * (flush + 1) // FLUSHES)
            searcher = Searcher(server.uri, data)
            watch("growing", searcher, lambda: time.sleep(1))
            watch("after a flush", searcher, lambda: client.flush("c"))
            watch("after an index", searcher, until_indexed)
            if flush == FLUSHES - 1:
                watch("after a compaction", searcher, compact)
            searcher.close()
        for what, taken in steps.items():
            show(what, taken)
        client.close()


if __name__ == "__main__":
    main()
