"""Measures a running elanus as search is used: hybrid and grouped searches, many clients at once, an iterator over all
rows beside one scan of them. Runs in a client environment; prints one JSON line per figure.

  serving.py hybrid|group|load|iterator --port N --pid N [--data DIR --texts FILE --loadgen BIN] [--rows N] [--seconds S]
CPU is the whole server's for each request, kernel included, from /proc: the client's share of the machine does not count."""
import argparse
import json
import os
import subprocess
import sys
import time

import grpc
import numpy as np
from pymilvus import DataType, Function, FunctionType, MilvusClient, RRFRanker
from pymilvus.client.prepare import Prepare
from pymilvus.grpc_gen import milvus_pb2

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from replay import SERVICE, replay  # noqa: E402

CLIENTS = (1, 2, 4, 8, 16, 32, 64)
INSERT_BATCH = 2000
GROUPS = 100


def cpu_s(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def tell(**figure):
    print("RESULT " + json.dumps(figure), flush=True)


def load_fbin(path, rows=None):
    count, dim = (int(n) for n in np.fromfile(path, np.int32, 2))
    rows = min(rows or count, count)
    return np.fromfile(path, np.float32, rows * dim, offset=8).reshape(rows, dim)


def timed(args, method, requests, clients):
    """The replay with the server's CPU for each request."""
    replay(args.port, method, requests, clients, min(0.5, args.seconds))
    before = cpu_s(args.pid)
    found = replay(args.port, method, requests, clients, args.seconds)
    # Each process asks once before its clock starts.
    found["cpu_us"] = (cpu_s(args.pid) - before) / (found["qps"] * args.seconds + (clients + 7) // 8) * 1e6
    return found


def make(client, name, data, texts=None):
    """Rows of a dense vector, a group and perhaps a text with BM25 over it; flushed, indexed, loaded."""
    if client.has_collection(name):
        client.drop_collection(name)
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("group", DataType.INT64)
    schema.add_field("dense", DataType.FLOAT_VECTOR, dim=data.shape[1])
    indexes = client.prepare_index_params()
    indexes.add_index("dense", index_type="HNSW", metric_type="IP", params={"M": 16, "efConstruction": 200})
    if texts is not None:
        schema.add_field("text", DataType.VARCHAR, max_length=4096, enable_analyzer=True)
        schema.add_field("words", DataType.SPARSE_FLOAT_VECTOR)
        schema.add_function(Function("bm25", FunctionType.BM25, ["text"], ["words"]))
        indexes.add_index("words", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
    client.create_collection(name, schema=schema)
    groups = np.random.default_rng(5).integers(0, GROUPS, len(data))
    for begin in range(0, len(data), INSERT_BATCH):
        rows = [{"id": i, "group": int(groups[i]), "dense": data[i]} for i in range(begin, min(len(data), begin + INSERT_BATCH))]
        if texts is not None:
            for row in rows:
                row["text"] = texts[row["id"]]
        client.insert(name, rows)
    client.flush(name)
    client.create_index(name, indexes)
    for field in ("dense", "words") if texts is not None else ("dense",):
        while client.describe_index(name, field)["pending_index_rows"]:
            time.sleep(0.2)
    client.load_collection(name)


def search_bytes(name, vectors, **more):
    """A request for each vector, as the SDK encodes it."""
    return [Prepare.search_requests_with_expr(
        collection_name=name, anns_field="dense", param={"metric_type": "IP", "params": {"ef": 64}}, limit=10, data=[vector],
        use_default_consistency=False, consistency_level=3, guarantee_timestamp=1, **more).SerializeToString()
            for vector in vectors]


def run_hybrid(args, client):
    with open(args.texts) as lines:
        texts = [line.rstrip("\n")[:2000] for line in lines][:args.rows]
    data = load_fbin(f"{args.data}/base.fbin", len(texts))
    texts = texts[:len(data)]
    make(client, "bench_hybrid", data, texts)
    queries, random, requests = load_fbin(f"{args.data}/query.fbin", 500), np.random.default_rng(7), {"hybrid": [], "words": []}
    for vector in queries:
        words = " ".join(random.choice(texts[random.integers(len(texts))].split(), 3))
        parts = [Prepare.search_requests_with_expr(collection_name="bench_hybrid", anns_field=field, param=param, limit=10, data=[what],
                                                         use_default_consistency=False, consistency_level=3, guarantee_timestamp=1)
                 for field, what, param in (("dense", vector, {"metric_type": "IP", "params": {"ef": 64}}),
                                            ("words", words, {"metric_type": "BM25", "params": {}}))]
        fused = Prepare.hybrid_search_request_with_ranker("bench_hybrid", parts, RRFRanker(), 10, use_default_consistency=False,
                                                          consistency_level=3, guarantee_timestamp=1)
        requests["hybrid"].append(fused.SerializeToString())
        requests["words"].append(parts[1].SerializeToString())
    requests["dense"] = search_bytes("bench_hybrid", queries)
    for what, method in (("dense", "Search"), ("words", "Search"), ("hybrid", "HybridSearch")):
        for clients in (1, 4):
            tell(what=f"hybrid: {what}", clients=clients, rows=len(data), **timed(args, method, requests[what], clients))
    client.drop_collection("bench_hybrid")


def run_group(args, client):
    data = load_fbin(f"{args.data}/base.fbin", args.rows)
    make(client, "bench_group", data)
    queries = load_fbin(f"{args.data}/query.fbin", 500)
    kinds = {"no groups": {}, "10 groups of 1": {"group_by_field": "group"}, "10 groups of 3": {"group_by_field": "group", "group_size": 3},
             "10 groups of 3, strict": {"group_by_field": "group", "group_size": 3, "strict_group_size": True}}
    for what, more in kinds.items():
        for clients in (1, 4):
            tell(what=f"group: {what}", clients=clients, rows=len(data),
                 **timed(args, "Search", search_bytes("bench_group", queries, **more), clients))
    client.drop_collection("bench_group")


def run_load(args, client):
    make(client, "bench_load", load_fbin(f"{args.data}/base.fbin", args.rows))
    for clients in CLIENTS:
        before = cpu_s(args.pid)
        done = subprocess.run([args.loadgen, "-addr", f"127.0.0.1:{args.port}", "-coll", "bench_load", "-field", "dense",
                               "-metric", "IP", "-params", json.dumps({"ef": args.ef}), "-query", f"{args.data}/query.fbin",
                               "-c", str(clients), "-dur", f"{args.seconds}s", "-rounds", "1"],
                              capture_output=True, text=True, timeout=300)
        if done.returncode:
            raise SystemExit(f"loadgen: {done.stderr[-500:]}")
        line = json.loads(done.stdout.splitlines()[-1])
        asked = line["qps"][1] * args.seconds + 1000  # It asks every query once before its clock starts.
        tell(what="load", clients=clients, ef=args.ef, qps=line["qps"][1], cpu_us=(cpu_s(args.pid) - before) / asked * 1e6,
             **{key: line[key][1] for key in ("p50_ms", "p95_ms", "p99_ms") if key in line})
    client.drop_collection("bench_load")


def fill_rows(client, channel, name, rows, flush):
    """A collection of keys in no order, all in one segment."""
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("a", DataType.INT64)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=2)
    if client.has_collection(name):
        client.drop_collection(name)
    client.create_collection(name, schema=schema)
    indexes = client.prepare_index_params()
    indexes.add_index("v", index_type="FLAT", metric_type="L2")
    client.create_index(name, indexes)
    client.load_collection(name)
    insert = channel.unary_unary(SERVICE + "Insert", request_serializer=milvus_pb2.InsertRequest.SerializeToString,
                                 response_deserializer=milvus_pb2.MutationResult.FromString)
    order = np.random.default_rng(3).permutation(rows)
    for begin in range(0, rows, 50_000):
        keys = order[begin:begin + 50_000]
        request = milvus_pb2.InsertRequest(collection_name=name, num_rows=len(keys))
        for field, values in (("id", keys), ("a", keys % 1000)):
            request.fields_data.add(field_name=field, type=5).scalars.long_data.data.extend(values.tolist())
        vectors = request.fields_data.add(field_name="v", type=101).vectors
        vectors.dim = 2
        vectors.float_vector.data.extend(np.zeros(2 * len(keys)).tolist())
        answer = insert(request, timeout=60)
        assert answer.status.code == 0, answer.status
    if flush:
        client.flush(name)
        client.load_collection(name)


def run_iterator(args, client):
    """The pages of a query iterator over all rows, sealed and growing, and one query for the same rows; answers are taken, and of
    a page its last key is looked at, but no rows are made of them: the figure is the server's. As many calls that do nothing
    tell what of it is the client's."""
    channel = grpc.insecure_channel(f"127.0.0.1:{args.port}", options=[("grpc.max_receive_message_length", -1)])
    ask = channel.unary_unary(SERVICE + "Query", request_serializer=milvus_pb2.QueryRequest.SerializeToString,
                              response_deserializer=milvus_pb2.QueryResults.FromString)
    get_version = channel.unary_unary(SERVICE + "GetVersion", request_serializer=milvus_pb2.GetVersionRequest.SerializeToString,
                                      response_deserializer=milvus_pb2.GetVersionResponse.FromString)

    def query(name, filter_text, **params):
        request = milvus_pb2.QueryRequest(collection_name=name, expr=filter_text, output_fields=["a"], guarantee_timestamp=1,
                                          consistency_level=3)
        for key, value in params.items():
            request.query_params.add(key=key, value=str(value))
        answer = ask(request, timeout=300)
        assert answer.status.code == 0, answer.status
        return next(f for f in answer.fields_data if f.field_name == "id").scalars.long_data.data

    def page(name, last, batch):
        return query(name, f"id > {last}", limit=batch, iterator="True", reduce_stop_for_best="True")

    def pages(name, batch):
        last, count = -1, 0
        while True:
            keys = page(name, last, batch)
            count += len(keys)
            if len(keys) < batch:
                return count
            last = keys[-1]

    for name, rows, is_growing in (("bench_rows", args.rows, False), ("bench_growing", args.growing_rows, True)):
        fill_rows(client, channel, name, rows, flush=not is_growing)
        calls = rows // 1000 + 1
        runs = [("scan", 1, lambda: len(query(name, "id >= 0"))),
                ("iterator, pages of 16384", rows // 16384 + 1, lambda: pages(name, 16384)),
                ("iterator, pages of 1000", calls, lambda: pages(name, 1000)),
                ("pages without a row", calls, lambda: sum(len(page(name, rows, 1000)) for _ in range(calls)) + rows),
                ("GetVersion", calls, lambda: sum(get_version(milvus_pb2.GetVersionRequest()).status.code for _ in range(calls)) + rows)]
        figures = {}
        for _ in range(args.rounds):
            for what, _, run in runs:
                cpu, begin = cpu_s(args.pid), time.perf_counter()
                assert run() == rows, what
                figures.setdefault(what, []).append((time.perf_counter() - begin, cpu_s(args.pid) - cpu))
        for what, calls_of_it, _ in runs:
            wall, cpu = sorted(figures[what])[len(figures[what]) // 2]
            tell(what=f"rows: {what}", state="growing" if is_growing else "sealed", rows=rows, calls=calls_of_it, wall_s=wall, cpu_s=cpu)
        client.drop_collection(name)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["hybrid", "group", "load", "iterator"])
    for name, kind, usual in (("port", int, 0), ("pid", int, 0), ("data", str, ""), ("texts", str, ""), ("loadgen", str, ""),
                              ("rows", int, 100_000), ("growing_rows", int, 200_000), ("seconds", float, 3.0), ("rounds", int, 3), ("ef", int, 64)):
        parser.add_argument("--" + name, type=kind, default=usual)
    args = parser.parse_args()
    client = MilvusClient(uri=f"http://127.0.0.1:{args.port}")
    globals()["run_" + args.what](args, client)
    client.close()


if __name__ == "__main__":
    main()
