"""What the measurements of a busy server share: a server with rows, background work that is waited for, a client that
searches one vector after another."""
import argparse
import os
import sys
import tempfile
import threading
import time
from contextlib import contextmanager

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "scripts"))
from pymilvus import DataType, MilvusClient  # noqa: E402
from server_process import Server  # noqa: E402

BATCH = 2000


def arguments(description):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=128)
    parser.add_argument("--index", default="HNSW")
    parser.add_argument("--set", action="append", default=[], help="an option of the server")
    return parser


@contextmanager
def running(given):
    """A server that compacts when it is asked to, on a folder of its own."""
    words = [word for option in ["dataCoord.compaction.enableAutoCompaction=false", *given.set]
             for word in ("--set", option)]
    with tempfile.TemporaryDirectory() as folder, Server(given.server, os.path.join(folder, "data"),
                                                         arguments=words) as server:
        yield server


def random_rows(given):
    return np.random.default_rng(1).normal(size=(given.rows, given.dim)).astype(np.float32)


def make(client, name, dim):
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dim)
    client.create_collection(name, schema=schema)


def add_index(client, name, index):
    indexes = client.prepare_index_params()
    params = {"M": 16, "efConstruction": 100} if index == "HNSW" else {}
    indexes.add_index("vector", index_type=index, metric_type="L2", params=params)
    client.create_index(name, indexes)


def insert(client, name, data, begin, end):
    for at in range(begin, end, BATCH):
        client.insert(name, [{"id": i, "vector": data[i]} for i in range(at, min(end, at + BATCH))])


def until_indexed(client, name):
    while client.describe_index(name, "vector")["pending_index_rows"] > 0:
        time.sleep(0.01)


def compact(client, name):
    job = client.compact(name)
    while client.get_compaction_state(job) != "Completed":
        time.sleep(0.02)


class Searcher:
    """Searches until it is closed; notes when each search began and how many milliseconds it took."""

    def __init__(self, uri, name, data):
        self.client, self.name, self.data = MilvusClient(uri=uri), name, data
        self.taken, self.over = [], threading.Event()
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self):
        i = 0
        while not self.over.is_set():
            begin = time.perf_counter()
            query = self.data[i % len(self.data)]
            self.client.search(self.name, data=[query], limit=10, search_params={"params": {"ef": 64}})
            self.taken.append((begin, (time.perf_counter() - begin) * 1000))
            i += 1

    def between(self, begin, end):
        return [ms for at, ms in self.taken if begin <= at < end]

    def close(self):
        self.over.set()
        self.thread.join()
        self.client.close()


def show(what, taken):
    """Says how long the searches took; returns the 99th percentile."""
    p50, p99 = np.percentile(taken, [50, 99])
    print(f"{what:24} {len(taken):6} searches, p50 {p50:6.2f} ms, p99 {p99:6.2f} ms, slowest {max(taken):6.2f} ms",
          flush=True)
    return p99
