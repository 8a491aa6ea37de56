"""Search latency while the server works in the background: p50 and p99 alone, while segments are merged and indexed
behind the searches, and while an index of other rows is built; and by how much the server's heap grows meanwhile.

    bench/server/compaction.py --server build/release/elanus [--rows 100000] [--dim 128] [--index HNSW] [--turns 1]
                               [--set KEY=VALUE]... [--against KEY=VALUE]...

With --against the same is measured with these options too, turn by turn.
"""
import threading
import time

from pymilvus import MilvusClient

from busy import Searcher, add_index, arguments, compact, insert, make, random_rows, running, show, until_indexed

SEGMENTS, ALONE_S = 8, 10


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


def fill(client, name, data):
    make(client, name, data.shape[1])
    for segment in range(SEGMENTS):
        insert(client, name, data, len(data) * segment // SEGMENTS, len(data) * (segment + 1) // SEGMENTS)
        client.flush(name)


def build(client, index):
    add_index(client, "other", index)
    until_indexed(client, "other")


def measure(given):
    """One turn with one server: the 99th percentiles in ms."""
    data = random_rows(given)
    with running(given) as server:
        client = MilvusClient(uri=server.uri)
        fill(client, "c", data)
        add_index(client, "c", given.index)
        until_indexed(client, "c")
        client.load_collection("c")
        fill(client, "other", data)
        searcher = Searcher(server.uri, "c", data)
        begin = time.perf_counter()
        time.sleep(ALONE_S)
        alone = show("alone", searcher.between(begin, time.perf_counter()))
        found = {"alone": alone}
        for what, work in (("while it is compacted", lambda: compact(client, "c")),
                           ("while others are indexed", lambda: build(client, given.index))):
            heap = HeapWatch(server.process.pid)
            begin = time.perf_counter()
            work()
            end = time.perf_counter()
            p99 = found[what] = show(what, searcher.between(begin, end))
            print(f"{'':24} p99 grows by {p99 / alone:.2f}; it took {end - begin:.1f} s and up to {heap.growth():.0f} MB "
                  f"of heap for {data.nbytes / 2 ** 20:.0f} MB of vectors", flush=True)
        searcher.close()
        client.close()
    return {what: float(p99) for what, p99 in found.items()}


def main():
    parser = arguments(__doc__)
    parser.add_argument("--turns", type=int, default=1)
    parser.add_argument("--against", action="append", default=[], help="an option that the other server has, too")
    given = parser.parse_args()
    own = given.set
    for turn in range(given.turns):
        for options in [own, own + given.against] if given.against else [own]:
            given.set = options
            print(f"turn {turn + 1} {' '.join(options)}", flush=True)
            measure(given)


if __name__ == "__main__":
    main()
