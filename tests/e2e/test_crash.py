"""kill -9 in the middle of writes: what was acknowledged is there, deleted rows stay away, and nothing is invented."""
import random
import threading
import time

import grpc
import numpy as np
import pytest
from pymilvus import MilvusClient
from pymilvus.grpc_gen import common_pb2, milvus_pb2, schema_pb2

from server_process import Server, StartFailed
from support import DIM, count, make
from wire import calls, column, insert_request, status_of

LIVES, ACKNOWLEDGED_MIN, BATCH, PAGE = 6, 10, 20, 2000
KEYS = 10 ** 6  # A writer's own range of keys.
# (collection, index, shards): exact search shows a lost row for certain; the graph is being built when the server dies.
COLLECTIONS = [("exact", "FLAT", 1), ("graph", "HNSW", 2)]
# Small segments get their graph, too.
OPTIONS = ["--set", "indexCoord.segment.minSegmentNumRowsToEnableIndex=50"]
ABSENT = None


def vector_of(key, version):
    return np.random.default_rng([key, version]).normal(size=DIM).astype(np.float32)


def columns_of(versions):
    """The columns of rows {key: version}; a row's values tell its key and version."""
    return [column("id", "Int64", versions), column("group", "Int64", versions.values()),
            column("name", "VarChar", [f"row {k}.{v}" for k, v in versions.items()]),
            column("vector", "FloatVector", np.concatenate([vector_of(k, v) for k, v in versions.items()]), DIM)]


class UntilItDies:
    """A thread that does one thing over and over until the server dies under it."""

    def start(self, address):
        self.acknowledged, self.problem = 0, None
        self.thread = threading.Thread(target=self._run, args=(address,), daemon=True)
        self.thread.start()

    def _run(self, address):
        try:
            with calls(address) as call:
                while True:
                    self.once(call)
                    self.acknowledged += 1
        except Exception as problem:  # Judged by the test: only a lost connection is right.
            self.problem = problem

    def lost_its_connection(self):
        self.thread.join(30)
        return isinstance(self.problem, grpc.RpcError) and self.problem.code() == grpc.StatusCode.UNAVAILABLE


class Flusher(UntilItDies):
    def once(self, call):
        request = milvus_pb2.FlushRequest(collection_names=[collection for collection, _, _ in COLLECTIONS])
        status = status_of(call("Flush", request))
        assert status.code == 0, status
        time.sleep(0.1)


class Namer(UntilItDies):
    """Creates and drops collections; `allowed[name]` holds whether it may be there and whether it may not."""

    def __init__(self):
        self.allowed = {}

    def once(self, call):
        present = [name for name, there in self.allowed.items() if there == {True}]
        if len(present) < 5:
            name = f"named_{len(self.allowed)}"
            schema = schema_pb2.CollectionSchema(name=name, fields=[
                schema_pb2.FieldSchema(name="id", data_type=schema_pb2.Int64, is_primary_key=True),
                schema_pb2.FieldSchema(name="vector", data_type=schema_pb2.FloatVector,
                                       type_params=[common_pb2.KeyValuePair(key="dim", value="4")])])
            self.allowed[name] = {False, True}
            status = call("CreateCollection", milvus_pb2.CreateCollectionRequest(collection_name=name,
                                                                                 schema=schema.SerializeToString()))
        else:
            name = present[0]
            self.allowed[name] = {False, True}
            status = call("DropCollection", milvus_pb2.DropCollectionRequest(collection_name=name))
        assert status.code == 0, status
        self.allowed[name] = {len(present) < 5}

    def compare(self, client):
        names = set(client.list_collections()) - {collection for collection, _, _ in COLLECTIONS}
        assert names <= set(self.allowed)
        for name, there in self.allowed.items():
            assert (name in names) in there, (name, there)
            if name in names:
                assert [field["name"] for field in client.describe_collection(name)["fields"]] == ["id", "vector"]
        self.allowed = {name: {name in names} for name in self.allowed}


class Writer(UntilItDies):
    """Writes to a collection, and keeps book of what each row may be.

    `allowed[key]` holds the versions that a read may find, ABSENT among them: one when the last write of the row was
    acknowledged, two while it is on its way."""

    def __init__(self, collection, seed):
        self.collection, self.draw = collection, random.Random(seed)
        self.allowed, self.newest = {}, {}
        self.first_key = self.next_key = seed * KEYS
        self.version = 0

    def once(self, call):
        present = [key for key, versions in self.allowed.items() if ABSENT not in versions]
        kind = self.draw.choice(["insert"] * 5 + ["upsert", "delete", "delete by filter"]) if present else "insert"
        self.version += 1
        if kind == "insert":
            changes = {self.next_key + i: self.version for i in range(BATCH)}
            self.next_key += BATCH
        else:
            changes = dict.fromkeys(self.draw.sample(present, min(5, len(present))),
                                    self.version if kind == "upsert" else ABSENT)
        if kind in ("insert", "upsert"):
            request = insert_request(self.collection, columns_of(changes), rows=len(changes), upsert=kind == "upsert")
        else:
            by_key, by_filter = f"id in {sorted(changes)}", " or ".join(f"id + 0 == {key}" for key in changes)
            request = milvus_pb2.DeleteRequest(collection_name=self.collection,
                                               expr=by_key if kind == "delete" else by_filter)
        for key, version in changes.items():
            self.allowed.setdefault(key, {ABSENT}).add(version)
            self.newest[key] = version or self.newest[key]
        status = status_of(call({"insert": "Insert", "upsert": "Upsert"}.get(kind, "Delete"), request))
        assert status.code == 0, status
        for key, version in changes.items():
            self.allowed[key] = {version}


def wait_until(what, holds, timeout_s=30):
    end = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < end, f"{what}: not within {timeout_s} s"
        time.sleep(0.01)


def read_all(client, writer):
    """{key: row} of every row in the writer's range, page by page."""
    rows, last = {}, writer.first_key - 1
    while True:
        page = client.query(writer.collection, filter=f"{last} < id < {writer.first_key + KEYS}", limit=PAGE,
                            consistency_level="Strong", output_fields=["id", "group", "name", "vector"])
        keys = [row["id"] for row in page]
        assert keys == sorted(set(keys)) and (not keys or keys[0] > last)
        rows.update(zip(keys, page))
        if len(page) < PAGE:
            return rows
        last = keys[-1]


def compare(client, writer):
    """Every row against the book; then the book holds what was found, which from now on has to stay."""
    rows = read_all(client, writer)
    found = {key: row["group"] for key, row in rows.items()}
    assert set(found) <= set(writer.allowed), "rows that nobody wrote"
    wrong = {key: (found.get(key, ABSENT), versions) for key, versions in writer.allowed.items()
             if found.get(key, ABSENT) not in versions}
    lost = [key for key, (is_now, _) in wrong.items() if is_now is ABSENT]
    back = [key for key, (_, versions) in wrong.items() if versions == {ABSENT}]
    some = list(wrong.items())[:5]
    assert not wrong, f"{len(lost)} lost, {len(back)} deleted and back, {len(wrong)} wrong of {len(found)}: {some}"
    for key, version in found.items():
        assert rows[key]["name"] == f"row {key}.{version}"
        assert np.array_equal(np.float32(rows[key]["vector"]), vector_of(key, version)), key
    # This counts versions of rows, so an old one that came back would show.
    assert count(client, writer.collection, f"{writer.first_key} <= id < {writer.first_key + KEYS}") == len(found)
    writer.allowed = {key: {found.get(key, ABSENT)} for key in writer.allowed}
    return found


def search_finds(client, writer, found, draw):
    """Each row is the best hit for its own vector; for the graph nearly each, as recall at ef 64 allows."""
    keys = draw.sample(sorted(found), min(200, len(found)))
    answers = client.search(writer.collection, [vector_of(k, found[k]) for k in keys], limit=1,
                            search_params={"params": {"ef": 64}}, consistency_level="Strong")
    missed = [key for key, hits in zip(keys, answers) if not hits or hits[0]["id"] != key]
    assert len(missed) <= (0 if writer.collection == "exact" else len(keys) // 50), missed
    gone = [key for key, versions in writer.allowed.items() if versions == {ABSENT}]
    some = draw.sample(gone, min(200, len(gone)))
    if some:
        answers = client.search(writer.collection, [vector_of(k, writer.newest[k]) for k in some], limit=10,
                                consistency_level="Strong")
        assert not {hit["id"] for hits in answers for hit in hits} & set(gone)


@pytest.fixture
def server_to_kill(binary, tmp_path):
    with Server(binary, str(tmp_path / "data"), arguments=OPTIONS) as running:
        yield running


def test_acknowledged_writes_survive_kill_9(server_to_kill):
    server, draw = server_to_kill, random.Random(3)
    client = MilvusClient(uri=server.uri)
    writers, namer = [], Namer()
    for collection, index, shards in COLLECTIONS:
        make(client, collection, index=index, params={"M": 8, "efConstruction": 64} if index == "HNSW" else {},
             num_shards=shards)
        writers += [Writer(collection, len(writers) + 1), Writer(collection, len(writers) + 2)]
    client.close()
    for life in range(LIVES):
        live_and_die(server, [*writers, namer, *([Flusher()] if life % 2 else [])], draw)
        check(server, writers, namer, draw)
        print(f"life {life}: {[w.acknowledged for w in (*writers, namer)]} acknowledged")
    assert server.stop() == 0
    server.start()
    check(server, writers, namer, draw)
    client = MilvusClient(uri=server.uri)
    wait_until("the graph is built", lambda: int(client.describe_index("graph", "vector")["indexed_rows"]) > 0)
    client.close()


def live_and_die(server, threads, draw):
    """Lets the threads make progress, kills the server under them and starts it again."""
    for thread in threads:
        thread.start(server.address)
    enough = [ACKNOWLEDGED_MIN if isinstance(thread, Writer) else 1 for thread in threads]
    wait_until("each thread moves on",
               lambda: all(t.acknowledged >= least or t.problem for t, least in zip(threads, enough)))
    time.sleep(draw.random() * 0.8)
    before = [thread.problem for thread in threads]
    server.kill()
    for thread, problem in zip(threads, before):
        assert problem is None, problem
        assert thread.lost_its_connection(), thread.problem
    try:  # The recovery is cut short, too.
        server.start(timeout_s=draw.random() * 0.1)
        server.kill()
    except StartFailed:
        pass
    server.start()


def check(server, writers, namer, draw):
    client = MilvusClient(uri=server.uri)
    namer.compare(client)
    for collection, _, _ in COLLECTIONS:
        client.load_collection(collection)
    for writer in writers:
        found = compare(client, writer)
        search_finds(client, writer, found, draw)
    client.close()
