"""kill -9 in a loop on a real server under everything at once, each acknowledged operation against a model.

Writers insert, upsert and delete; others flush, compact, build and drop indexes, add and drop fields, create and drop
collections; garbage is collected without grace. The server is killed at a moment drawn from the seed, often once more
while it recovers, and started again; then every row, every count, searches and the names of the collections are
compared. Now and then the collections are dropped and made anew, so that a long run does not slow down."""
import argparse
import json
import os
import random
import sys
import tempfile
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "scripts"), os.path.join(ROOT, "tests", "e2e")]
sys.dont_write_bytecode = True

from pymilvus import MilvusClient  # noqa: E402
from pymilvus.grpc_gen import milvus_pb2, schema_pb2  # noqa: E402

from server_process import Server  # noqa: E402
from support import make  # noqa: E402
from test_crash import COLLECTIONS, Flusher, Namer, UntilItDies, Writer, check, live_and_die  # noqa: E402
from wire import status_of  # noqa: E402

LIVES_OF_A_GENERATION = 12
OPTIONS = ["indexCoord.segment.minSegmentNumRowsToEnableIndex=50", "dataCoord.gc.interval=1",
           "dataCoord.gc.dropTolerance=1", "dataCoord.gc.missingTolerance=1", "dataCoord.gc.scanInterval=0",
           "dataCoord.compaction.mix.triggerInterval=1", "dataCoord.compaction.levelzero.triggerInterval=1",
           "wal.fileMaxSize=1048576"]


class Counted(UntilItDies):
    """A thread whose acknowledged operations are summed up over its lives."""
    total = 0

    def start(self, address):
        self.total += getattr(self, "acknowledged", 0)
        super().start(address)

    def sum(self):
        return self.total + getattr(self, "acknowledged", 0)


class CountedWriter(Counted, Writer):
    kind = "writes (insert, upsert, delete)"


class CountedFlusher(Counted, Flusher):
    kind = "flushes"


class CountedNamer(Counted, Namer):
    kind = "collections created or dropped"


class Compactor(Counted):
    kind = "compactions asked for"

    def once(self, call):
        for collection, _, _ in COLLECTIONS:
            status = status_of(call("ManualCompaction", milvus_pb2.ManualCompactionRequest(collection_name=collection)))
            assert status.code == 0, status
        time.sleep(0.15)


class Indexer(Counted):
    """Builds and drops an index of a scalar field; what it does in vain, because it is there or gone, is right, too."""
    kind = "indexes created or dropped"

    def once(self, call):
        collection = COLLECTIONS[self.acknowledged % 2][0]
        request = milvus_pb2.CreateIndexRequest(collection_name=collection, field_name="group", index_name="by_group")
        request.extra_params.add(key="index_type", value=["INVERTED", "STL_SORT"][self.acknowledged // 2 % 2])
        status_of(call("CreateIndex", request))
        time.sleep(0.1)
        status = status_of(call("DropIndex", milvus_pb2.DropIndexRequest(
            collection_name=collection, field_name="group", index_name="by_group")))
        assert status.code in (0, 700), status


class Changer(Counted):
    """Adds fields and drops them again; what was acknowledged is there, or gone, ever after."""
    kind = "fields added or dropped"

    def __init__(self):
        self.there, self.gone, self.next = set(), set(), 0

    def once(self, call):
        collection = COLLECTIONS[0][0]
        described = call("DescribeCollection", milvus_pb2.DescribeCollectionRequest(collection_name=collection))
        fields = {field.name for field in described.schema.fields}
        assert self.there <= fields and not self.gone & fields, (self.there - fields, self.gone & fields)
        if len(self.there) < 8:
            self.next += 1
            field = schema_pb2.FieldSchema(name=f"added_{self.next}", data_type=schema_pb2.Int64, nullable=True)
            field.default_value.long_data = self.next
            status = status_of(call("AddCollectionField", milvus_pb2.AddCollectionFieldRequest(
                collection_name=collection, schema=field.SerializeToString())))
            self.there.add(field.name)
        else:
            name = self.there.pop()
            request = milvus_pb2.AlterCollectionSchemaRequest(collection_name=collection)
            request.action.drop_request.field_name = name
            status = call("AlterCollectionSchema", request).alter_status
            self.gone.add(name)
        assert status.code == 0, status
        time.sleep(0.05)


class Torture:
    def __init__(self, binary, folder, seed):
        self.draw = random.Random(seed)
        options = [word for option in OPTIONS for word in ("--set", option)]
        self.server = Server(binary, os.path.join(folder, "data"), arguments=options)
        self.kills = self.checks = self.generation = 0
        self.retired = []
        self.helpers = [CountedNamer(), CountedFlusher(), Compactor(), Indexer(), Changer()]
        self.writers = []

    def make_collections(self):
        client = MilvusClient(uri=self.server.uri)
        self.helpers[-1].there.clear()
        self.retired += self.writers
        self.writers = []
        for collection, index, shards in COLLECTIONS:
            client.drop_collection(collection)
            params = {"M": 8, "efConstruction": 64} if index == "HNSW" else {}
            make(client, collection, index=index, params=params, num_shards=shards)
            for _ in range(2):
                self.generation += 1
                self.writers.append(CountedWriter(collection, self.generation))
        client.close()

    def run(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.kills % LIVES_OF_A_GENERATION == 0:
                self.make_collections()
            namer, *others = self.helpers
            others = self.draw.sample(others, self.draw.randint(1, len(others)))
            live_and_die(self.server, [*self.writers, namer, *others], self.draw)
            self.kills += 1
            check(self.server, self.writers, namer, self.draw)
            self.checks += sum(len(writer.allowed) for writer in self.writers)
        assert self.server.stop() == 0
        self.server.start()
        check(self.server, self.writers, self.helpers[0], self.draw)
        self.server.stop()

    def figures(self):
        sums = {}
        for thread in [*self.retired, *self.writers, *self.helpers]:
            sums[thread.kind] = sums.get(thread.kind, 0) + thread.sum()
        return {"kills": self.kills, "rows compared": self.checks, **sums}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, help="the binary")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", help="a folder for data and log, which stay; else they go")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.keep or temporary
        os.makedirs(folder, exist_ok=True)
        torture = Torture(args.server, folder, args.seed)
        begin, failed = time.monotonic(), 0
        try:
            torture.run(args.seconds)
        except Exception:
            failed = 1
            traceback.print_exc(file=sys.stdout)
            print(f"seed {args.seed}; the end of the server's log:")
            with open(torture.server.log_path, errors="replace") as log:
                print(log.read()[-4000:])
        finally:
            if torture.server.running:
                torture.server.kill()
        figures = {**torture.figures(), "seconds": round(time.monotonic() - begin), "lost, back or wrong": failed}
        print(json.dumps(figures, indent=1))
        # Each life is a test: what was acknowledged in it and before was looked at.
        print(f"{torture.kills - failed if torture.kills else 0} passed, {failed} failed")
        return failed


if __name__ == "__main__":
    sys.exit(main())
