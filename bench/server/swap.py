"""Search latency while segments are swapped: rows that grow are flushed, indexed and merged under a client that
searches one vector after another. The searches of the second that follows each step are told apart.

    bench/server/swap.py --server build/release/elanus [--rows 100000] [--dim 128] [--index HNSW] [--set KEY=VALUE]...
"""
import time

from pymilvus import MilvusClient

from busy import Searcher, add_index, arguments, compact, insert, make, random_rows, running, show, until_indexed

FLUSHES, BEFORE_S, AFTER_S = 4, 0.05, 1.0


def main():
    given = arguments(__doc__).parse_args()
    data = random_rows(given)
    with running(given) as server:
        client = MilvusClient(uri=server.uri)
        make(client, "c", given.dim)
        add_index(client, "c", given.index)
        client.load_collection("c")
        steps = {"growing": [], "after a flush": [], "after an index": [], "after a compaction": []}

        def watch(what, searcher, work):
            work()
            end = time.perf_counter()
            time.sleep(AFTER_S)
            steps[what] += searcher.between(end - BEFORE_S, end + AFTER_S)

        for flush in range(FLUSHES):
            insert(client, "c", data, given.rows * flush // FLUSHES, given.rows * (flush + 1) // FLUSHES)
            searcher = Searcher(server.uri, "c", data)
            watch("growing", searcher, lambda: time.sleep(1))
            watch("after a flush", searcher, lambda: client.flush("c"))
            watch("after an index", searcher, lambda: until_indexed(client, "c"))
            if flush == FLUSHES - 1:
                watch("after a compaction", searcher, lambda: compact(client, "c"))
            searcher.close()
        for what, taken in steps.items():
            show(what, taken)
        client.close()


if __name__ == "__main__":
    main()
