"""Writers, upserters, deleters and readers at every consistency level on a real server that flushes, compacts and is
restarted meanwhile; then each read is judged by the history of what was written (history.py)."""
import argparse
import json
import os
import random
import sys
import tempfile
import threading
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "scripts"), os.path.join(ROOT, "tests", "e2e"), os.path.dirname(os.path.abspath(__file__))]
sys.dont_write_bytecode = True

import grpc  # noqa: E402
import numpy as np  # noqa: E402
from pymilvus import MilvusClient  # noqa: E402
from pymilvus.grpc_gen import milvus_pb2  # noqa: E402

from history import ABSENT, History, Read, Write, Wrong  # noqa: E402
from server_process import Server  # noqa: E402
from support import DIM, make  # noqa: E402
from wire import calls, column, insert_request, search_request, status_of  # noqa: E402

OPTIONS = ["indexCoord.segment.minSegmentNumRowsToEnableIndex=100000", "dataCoord.compaction.mix.triggerInterval=1",
           "dataCoord.compaction.levelzero.triggerInterval=1", "dataCoord.gc.interval=1", "common.retentionDuration=60"]
# (collection, shards, rows of a write): a write to several shards has a moment in each, so it has one row there.
COLLECTIONS = [("one", 1, 5), ("two", 2, 1)]
SHARED_KEYS = 60            # That every writer changes.
OWN_KEYS = 10 ** 6          # The first key of those that a writer inserts for itself; times its number.
OWN_MOST = 40               # That a writer leaves there, or a long run has more rows than a read gives.
LEVELS = {"Strong": 0, "Session": 1, "Bounded": 2, "Eventually": 3}
GRACE_MS = 5000             # common.gracefulTime: how far Bounded may lag.
EVERY_ROW = 16384
PAGE = 25                   # Rows of a page of an iterator that is read to its end.


def vectors_of(changes):
    """Those of even keys are equally far from the origin: an iterator from there must tell them apart itself."""
    draws = [np.random.default_rng([k, v]).normal(size=DIM).astype(np.float32) for k, v in changes.items()]
    return np.concatenate([np.sign(draw) if k % 2 == 0 else draw for k, draw in zip(changes, draws)])


def rows_of(changes):
    """Columns of {key: version}; `group` is the version."""
    return [column("id", "Int64", changes), column("group", "Int64", changes.values()),
            column("name", "VarChar", [f"{k}.{v}" for k, v in changes.items()]),
            column("vector", "FloatVector", vectors_of(changes), DIM)]


def values(answer, name):
    for data in answer:
        if data.field_name == name:
            return list(data.scalars.long_data.data)
    return []


def twice(keys):
    return [k for k in set(keys) if keys.count(k) > 1] if len(set(keys)) < len(keys) else []


class Part(threading.Thread):
    """Does one thing over and over until it is told to stop or the server dies."""

    def __init__(self, address, collection, history, draw):
        super().__init__(daemon=True)
        self.address, self.collection, self.history, self.draw = address, collection, history, draw
        self.stopping, self.problem = threading.Event(), None

    def run(self):
        try:
            with calls(self.address) as call:
                while not self.stopping.is_set():
                    self.once(call)
        except grpc.RpcError as problem:
            if problem.code() != grpc.StatusCode.UNAVAILABLE:
                self.problem = problem
        except Exception as problem:  # Shown and judged by the caller.
            self.problem = problem


class Writer(Part):
    version = 0
    lock = threading.Lock()

    def __init__(self, address, collection, history, draw, number, rows):
        super().__init__(address, collection, history, draw)
        self.rows, self.last = rows, 0
        self.oldest_key = self.next_key = OWN_KEYS * number

    def _new_version(self):
        with Writer.lock:
            Writer.version += 1
            return Writer.version

    def once(self, call):
        version, kind = self._new_version(), self.draw.choice(["insert", "upsert", "upsert", "upsert", "delete", "filter"])
        if kind == "insert" and self.next_key - self.oldest_key + self.rows > OWN_MOST:
            kind = "oldest"
        if kind == "insert":
            changes = {self.next_key + i: version for i in range(self.rows)}
            self.next_key += self.rows
            request = insert_request(self.collection, rows_of(changes), rows=len(changes))
        elif kind == "upsert":
            changes = dict.fromkeys(self.draw.sample(range(SHARED_KEYS), self.draw.randint(1, self.rows)), version)
            request = insert_request(self.collection, rows_of(changes), rows=len(changes), upsert=True)
        else:
            if kind == "oldest":
                keys = list(range(self.oldest_key, self.oldest_key + self.rows))
                self.oldest_key += self.rows
            else:
                keys = self.draw.sample(range(SHARED_KEYS), self.draw.randint(1, self.rows) if kind == "delete" else 1)
            changes = dict.fromkeys(keys, ABSENT)
            expr = f"id + 0 == {keys[0]}" if kind == "filter" else f"id in {keys}"
            request = milvus_pb2.DeleteRequest(collection_name=self.collection, expr=expr)
        write = Write(changes, time.monotonic())
        self.history.writes.append(write)
        answer = call({"insert": "Insert", "upsert": "Upsert"}.get(kind, "Delete"), request)
        assert status_of(answer).code == 0, status_of(answer)
        if kind == "filter" and answer.delete_cnt == 0:
            self.history.writes.remove(write)  # The row was not there to be found: nothing was written.
            return
        write.timestamp, write.end = answer.timestamp, time.monotonic()
        self.last = answer.timestamp


class Reader(Part):
    """All rows, by query or search, at a level; as a session it has what the writer last heard."""

    def __init__(self, address, collection, history, draw, writer):
        super().__init__(address, collection, history, draw)
        self.writer = writer

    def once(self, call):
        kind = self.draw.choice(["query", "query", "search", "first page", "past", "all pages"])
        level = self.draw.choice(list(LEVELS)) if kind in ("query", "search") else "Strong"
        guarantee = {"Strong": 0, "Session": self.writer.last or 1, "Bounded": 2, "Eventually": 1}[level]
        begin, wall_ms = time.monotonic(), time.time() * 1000
        least = {"Strong": self.history.least_of_strong(begin), "Session": guarantee,
                 "Bounded": int(wall_ms - GRACE_MS) << 18, "Eventually": 0}[level]
        if kind == "past":
            guarantee = least = self.writer.last
            if guarantee == 0:
                return
        if kind == "search":
            found, repeated, exact = self._search(call, level, guarantee)
        elif kind == "all pages":
            found, repeated, exact = self._pages(call)
        else:
            found, repeated, exact = self._query(call, level, guarantee, iterator=kind in ("first page", "past"))
        if kind == "past":
            exact = guarantee
        read = Read(f"{kind} {level}", (), found, begin, time.monotonic(), least, exact, repeated)
        self.history.reads.append(read)

    def _query(self, call, level, guarantee, iterator):
        request = milvus_pb2.QueryRequest(collection_name=self.collection, expr="id >= 0", output_fields=["group"],
                                          consistency_level=LEVELS[level], guarantee_timestamp=guarantee)
        request.query_params.add(key="limit", value=str(EVERY_ROW))
        if iterator:
            request.query_params.add(key="iterator", value="True")
        answer = call("Query", request)
        assert status_of(answer).code == 0, status_of(answer)
        keys, versions = values(answer.fields_data, "id"), values(answer.fields_data, "group")
        return dict(zip(keys, versions)), [k for k, n in zip(keys, keys[1:]) if k >= n], answer.session_ts

    def _search(self, call, level, guarantee):
        request = search_request(self.collection, [np.zeros(DIM)], output=["group"], topk=str(EVERY_ROW))
        request.consistency_level, request.guarantee_timestamp = LEVELS[level], guarantee
        request.use_default_consistency = False
        answer = call("Search", request)
        assert status_of(answer).code == 0, status_of(answer)
        keys = list(answer.results.ids.int_id.data)
        return dict(zip(keys, values(answer.results.fields_data, "group"))), twice(keys), 0

    def _pages(self, call):
        """All pages of a search iterator, with time between them for flushes and compactions."""
        keys, versions, cursor, moment = [], [], {}, 0
        while True:
            request = search_request(self.collection, [np.zeros(DIM)], output=["group"], iterator="True", topk=str(PAGE),
                                     search_iter_v2="True", search_iter_batch_size=str(PAGE), **cursor)
            request.guarantee_timestamp = moment
            answer = call("Search", request)
            assert status_of(answer).code == 0, status_of(answer)
            moment = moment or answer.session_ts
            keys += answer.results.ids.int_id.data
            versions += values(answer.results.fields_data, "group")
            if len(answer.results.ids.int_id.data) == 0:
                return dict(zip(keys, versions)), twice(keys), moment
            page = answer.results.search_iterator_v2_results
            cursor = {"search_iter_id": page.token, "search_iter_last_bound": str(page.last_bound)}
            self.stopping.wait(0.01)


class Keeper(Part):
    """Flushes and compacts."""

    def once(self, call):
        call("Flush", milvus_pb2.FlushRequest(collection_names=[self.collection]))
        self.stopping.wait(0.2 + 0.3 * self.draw.random())
        call("ManualCompaction", milvus_pb2.ManualCompactionRequest(collection_name=self.collection))
        self.stopping.wait(0.2)


def live(server, histories, draw, number, seconds):
    """One life of the server: everything at once, until it is killed, or every other time stopped."""
    parts, killed = [], number % 2 == 0
    for name, _, rows in COLLECTIONS:
        history = histories[name]
        writers = [Writer(server.address, name, history, random.Random(draw.random()), 1 + 2 * number + n, rows)
                   for n in (0, 1)]
        readers = [Reader(server.address, name, history, random.Random(draw.random()), writers[n % 2]) for n in range(3)]
        parts += [*writers, *readers, Keeper(server.address, name, history, random.Random(draw.random()))]
    for part in parts:
        part.start()
    time.sleep(seconds)
    if killed:
        server.kill()
    for part in parts:
        part.stopping.set()
    for part in parts:
        part.join(60)
        assert not part.is_alive(), f"{type(part).__name__} hangs"
        if part.problem is not None:
            raise part.problem
    if not killed:
        assert server.stop() == 0
    server.start()


def judge(server, histories):
    """Every read of the life; then what is not known of unanswered writes is read."""
    reads = writes = 0
    for name, history in histories.items():
        reads, writes = reads + len(history.reads), writes + sum(1 for w in history.writes if w.end)
        known = set(history.lines).union(*(w.changes for w in history.writes)) if history.writes else set(history.lines)
        for read in history.reads:
            read.keys = tuple(known)
        unsure = history.judge()
        with calls(server.address) as call:
            settler = Reader(server.address, name, history, random.Random(0), None)
            end = time.monotonic() + 30
            while True:
                try:
                    found, repeated, exact = settler._query(call, "Strong", 0, iterator=True)
                    break
                except (AssertionError, grpc.RpcError):  # It is loading what it had loaded.
                    if time.monotonic() > end:
                        raise
                    time.sleep(0.05)
        assert not repeated, repeated
        assert len(found) < EVERY_ROW, "more rows than a read gives: too long a run"
        lost = {k: line.versions[-1] for k, line in history.lines.items()
                if k not in unsure and found.get(k, ABSENT) != line.versions[-1]}
        if lost:
            raise Wrong(f"after the restart {name} lacks or has too much: {list(lost.items())[:5]} of {len(lost)}")
        history.settle(found, unsure, exact)
    return reads, writes


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, help="the binary")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--life", type=float, default=4, help="seconds between restarts")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", help="a folder for data and log, which stay; else they go")
    args = parser.parse_args()
    draw, totals, failed, lives = random.Random(args.seed), [0, 0], 0, 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.keep or temporary
        os.makedirs(folder, exist_ok=True)
        server = Server(args.server, os.path.join(folder, "data"),
                        arguments=[word for option in OPTIONS for word in ("--set", option)])
        try:
            client = MilvusClient(uri=server.uri)
            for name, shards, _ in COLLECTIONS:
                make(client, name, num_shards=shards)
            client.close()
            histories = {name: History(one_moment=shards == 1) for name, shards, _ in COLLECTIONS}
            end = time.monotonic() + args.seconds
            while time.monotonic() < end or lives < 2:
                live(server, histories, draw, lives, min(args.life, args.seconds))
                lives += 1
                totals = [a + b for a, b in zip(totals, judge(server, histories))]
        except Exception:
            failed = 1
            traceback.print_exc(file=sys.stdout)
            print(f"seed {args.seed}; the end of the server's log:")
            with open(server.log_path, errors="replace") as log:
                print(log.read()[-3000:])
        finally:
            if server.running:
                server.kill()
    print(json.dumps({"lives": lives, "reads judged": totals[0], "writes": totals[1], "impossible": failed}))
    print(f"{lives - failed if lives else 0} passed, {failed} failed")
    return failed


if __name__ == "__main__":
    sys.exit(main())
