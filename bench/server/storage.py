"""What storage costs: insert rate beside milvus-lite, restart, deletes, space, and all of it as rows grow.

  storage.py --server build/release/elanus [--rows 1000000] [--sizes 100000,300000,1000000,3000000] [--index HNSW]
             [--insert-rows 300000] [--skip insert|lite|grow|restart|delete|space] [--out docs/benchmarks]
Requests are encoded before the clock starts, and both servers get the same bytes over two connections. Every search is
for a stored row, which must come first.
"""
import argparse
import importlib.util
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "scripts"))
from devlib import BINARY, venv  # noqa: E402

if importlib.util.find_spec("pymilvus") is None:  # Once more, where the client is.
    python = venv("bench_lite")
    os.execv(python, [python, *sys.argv])

import grpc  # noqa: E402
import numpy as np  # noqa: E402
from pymilvus import DataType, MilvusClient  # noqa: E402
from pymilvus.grpc_gen import common_pb2, milvus_pb2, schema_pb2  # noqa: E402

from server_process import Server  # noqa: E402

NAME = "rows"
BATCH = 1000
OPTIONS = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
# What was compacted goes at once, so that space is what the data needs.
ARGUMENTS = ["--set", "dataCoord.gc.dropTolerance=0", "--set", "dataCoord.gc.interval=1"]
TARGETS = {"insert_gb_min": ("insert, 768-d, GB/min", ">= 1"), "lite_ratio": ("times milvus-lite", ">= 10"),
           "restart_s": ("restart to the first correct answer, s", "< 3"),
           "delete_s": ("delete of 100,000 keys, s", "< 1"), "space_ratio": ("disk / (raw + index)", "<= 1.3")}


def block_of_vectors(number, dim):
    """Near a plane of 24 dimensions, as embeddings are near one of few."""
    random = np.random.default_rng(number)
    plane = np.random.default_rng(99).normal(size=(24, dim))
    return (random.normal(size=(BATCH, 24)) @ plane + random.normal(0, 0.5, (BATCH, dim))).astype(np.float32)


def vectors(first, rows, dim):
    """The same rows for the same place, in blocks of BATCH, so that any of them can be made again."""
    blocks = [block_of_vectors(number, dim) for number in range(first // BATCH, (first + rows - 1) // BATCH + 1)]
    begin = first % BATCH
    return np.concatenate(blocks)[begin:begin + rows]


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def packed(values):
    """A message whose field 1 is a packed array: FloatArray."""
    raw = values.tobytes()
    return b"\x0a" + varint(len(raw)) + raw


def encode_insert(first, rows, dim):
    floats = schema_pb2.FloatArray()
    floats.ParseFromString(packed(vectors(first, rows, dim)))
    ids = schema_pb2.FieldData(type=schema_pb2.DataType.Int64, field_name="id")
    ids.scalars.long_data.data.extend(range(first, first + rows))
    column = schema_pb2.FieldData(type=schema_pb2.DataType.FloatVector, field_name="vector")
    column.vectors.dim = dim
    column.vectors.float_vector.CopyFrom(floats)
    request = milvus_pb2.InsertRequest(base=common_pb2.MsgBase(msg_type=common_pb2.MsgType.Insert), num_rows=rows,
                                       collection_name=NAME, partition_name="_default", fields_data=[ids, column])
    return request.SerializeToString()


def send(address, requests):
    """All of them over two connections; seconds."""
    left, lock, failures = list(reversed(requests)), threading.Lock(), []

    def work(call):
        while True:
            with lock:
                if not left or failures:
                    return
                request = left.pop()
            answer = milvus_pb2.MutationResult.FromString(call(request, timeout=300))
            if answer.status.code or answer.status.error_code:
                failures.append(answer.status.reason)

    channels = [grpc.insecure_channel(address, OPTIONS + [("grpc.use_local_subchannel_pool", 1)]) for _ in range(2)]
    calls = [channel.unary_unary("/milvus.proto.milvus.MilvusService/Insert", None, None) for channel in channels]
    workers = [threading.Thread(target=work, args=(call,)) for call in calls]
    begin = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    taken = time.perf_counter() - begin
    for channel in channels:
        channel.close()
    if failures:
        raise SystemExit(f"insert refused: {failures[0]}")
    return taken


def fill(address, begin, end, dim):
    """Rows [begin, end); encoded a few hundred MB at a time, outside of the clock."""
    step = max(BATCH, (256 << 20) // (4 * dim) // BATCH * BATCH)
    seconds = 0.0
    for first in range(begin, end, step):
        last = min(end, first + step)
        seconds += send(address, [encode_insert(at, min(BATCH, last - at), dim) for at in range(first, last, BATCH)])
    return seconds


def create(client, dim):
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dim)
    client.create_collection(NAME, schema=schema)


def timed(work):
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def until_indexed(client):
    while client.describe_index(NAME, "vector")["pending_index_rows"] > 0:
        time.sleep(0.1)


def search_one(client, row, query, **more):
    params = {"params": {"ef": 64}}
    hits = client.search(NAME, data=query, limit=10, search_params=params, **more)
    return hits[0] and hits[0][0]["id"] == row


def latencies(client, rows, dim, count=300):
    """p50, p99 in ms and the share of searches that found their row."""
    random = np.random.default_rng(5)
    wanted = [int(row) for row in random.integers(0, rows, count + 20)]
    queries = [vectors(row, 1, dim) for row in wanted]
    taken, right = [], 0
    for i, (row, query) in enumerate(zip(wanted, queries)):
        begin = time.perf_counter()
        found = search_one(client, row, query)
        if i >= 20:
            taken.append((time.perf_counter() - begin) * 1e3)
            right += found
    return (*np.percentile(taken, [50, 99]), right / count)


def memory_mb(server):
    """Of the heap, and of mapped files."""
    with open(f"/proc/{server.process.pid}/status") as status:
        lines = dict(line.split(":", 1) for line in status)
    return int(lines["RssAnon"].split()[0]) / 1024, int(lines["RssFile"].split()[0]) / 1024


def size_mb(*folders):
    total = 0
    for folder in folders:
        for path, _, names in os.walk(folder):
            for name in names:
                try:
                    total += os.stat(os.path.join(path, name)).st_blocks * 512
                except FileNotFoundError:
                    pass  # Garbage, collected meanwhile.
    return total / 2 ** 20


def measure_insert(args, folder):
    dim, rows = 768, args.insert_rows
    gb = rows * dim * 4 / 1e9
    with Server(args.server, os.path.join(folder, "insert")) as server:
        client = MilvusClient(uri=server.uri)
        create(client, dim)
        rate = gb / fill(server.address, 0, rows, dim) * 60
        client.flush(NAME)
        client.close()
    found = {"insert_gb_min": rate}
    if "lite" in args.skip:
        return found
    some = min(rows, args.lite_rows)
    program = os.path.join(os.path.dirname(venv("bench_lite")), "milvus-lite")
    with open(os.path.join(folder, "lite.log"), "wb") as log:
        lite = subprocess.Popen([program, "server", "--host", "127.0.0.1", "--port", str(args.lite_port), "--data-dir",
                                 os.path.join(folder, "lite")], stdout=log, stderr=subprocess.STDOUT)
    try:
        address = f"127.0.0.1:{args.lite_port}"
        grpc.channel_ready_future(grpc.insecure_channel(address)).result(timeout=60)
        client = MilvusClient(uri=f"http://{address}")
        create(client, dim)
        lite_rate = some * dim * 4 / 1e9 / fill(address, 0, some, dim) * 60
        client.close()
    finally:
        lite.terminate()
        lite.wait(30)
    return {**found, "lite_gb_min": lite_rate, "lite_ratio": rate / lite_rate}


def add_index(client, args):
    indexes = client.prepare_index_params()
    params = {"M": 16, "efConstruction": 100} if args.index == "HNSW" else {}
    indexes.add_index("vector", index_type=args.index, metric_type="L2", params=params)
    client.create_index(NAME, indexes)


def measure_size(args, folder, rows):
    """One row of the table, and what is measured at the size of --rows besides."""
    dim, found, more = args.dim, {"rows": rows}, {}
    with Server(args.server, os.path.join(folder, f"size-{rows}"), arguments=ARGUMENTS) as server:
        client = MilvusClient(uri=server.uri)
        create(client, dim)
        found["insert_s"] = fill(server.address, 0, rows, dim)
        found["flush_s"] = timed(lambda: client.flush(NAME))
        found["index_s"] = timed(lambda: (add_index(client, args), until_indexed(client)))
        found["load_s"] = timed(lambda: client.load_collection(NAME))
        found["p50_ms"], found["p99_ms"], found["found"] = latencies(client, rows, dim)
        found["heap_mb"], found["mapped_mb"] = memory_mb(server)
        print("  " + " ".join(f"{key}={value:.4g}" for key, value in found.items()), flush=True)
        if rows == args.rows:
            if "restart" not in args.skip:
                client = measure_restart(args, server, client, more)
            if "delete" not in args.skip:
                measure_delete(args, client, more)
            if "space" not in args.skip:
                measure_space(args, server, client, more)
        client.close()
    return found, more


def measure_restart(args, server, client, more):
    client.close()
    taken = []
    for end in (server.stop, server.kill, server.stop):
        end()
        begin = time.perf_counter()
        server.start(timeout_s=120)
        client = MilvusClient(uri=server.uri)
        row = args.rows // 3 + len(taken)
        query = vectors(row, 1, args.dim)
        while True:
            try:
                if search_one(client, row, query, consistency_level="Strong"):
                    break
            except Exception as refusal:  # It loads.
                if time.perf_counter() - begin > 120:
                    raise SystemExit(f"no answer after a restart: {refusal}") from refusal
            time.sleep(0.01)
        taken.append(time.perf_counter() - begin)
        if len(taken) < 3:
            client.close()
    more["restart_s"] = float(np.median(taken))
    print(f"  restarts: {' '.join(f'{t:.2f}' for t in taken)} s", flush=True)
    return client


def measure_delete(args, client, more):
    keys = list(range(0, args.rows, max(2, args.rows // 100_000)))[:100_000]
    more["delete_s"] = timed(lambda: client.delete(NAME, ids=keys))
    more["delete_keys"] = len(keys)
    left = client.query(NAME, output_fields=["count(*)"], consistency_level="Strong")[0]["count(*)"]
    if left != args.rows - len(keys):
        raise SystemExit(f"{left} rows are left of {args.rows} after {len(keys)} deletes")
    print(f"  delete of {len(keys)} keys: {more['delete_s']:.2f} s", flush=True)


def measure_space(args, server, client, more):
    client.flush(NAME)
    begin = time.perf_counter()
    job = client.compact(NAME)
    while client.get_compaction_state(job) != "Completed":
        time.sleep(0.2)
    until_indexed(client)
    more["compaction_s"] = time.perf_counter() - begin
    rows = client.query(NAME, output_fields=["count(*)"], consistency_level="Strong")[0]["count(*)"]
    raw_mb = rows * (args.dim * 4 + 8) / 2 ** 20
    objects = os.path.join(server.data, "objects")
    end = time.monotonic() + 20
    least = float("inf")
    while time.monotonic() < end:  # Garbage goes in the background.
        least = min(least, size_mb(server.data))
        time.sleep(1)
    index_mb = size_mb(os.path.join(objects, "indexes"))
    more["disk_mb"], more["raw_mb"], more["index_mb"] = least, raw_mb, index_mb
    more["space_ratio"] = least / (raw_mb + index_mb)
    print(f"  {least:.0f} MB on disk for {raw_mb:.0f} MB of rows and {index_mb:.0f} MB of index; the log has "
          f"{size_mb(os.path.join(server.data, 'wal')):.0f} MB; compaction {more['compaction_s']:.1f} s", flush=True)


def table(sizes, found):
    lines = ["| | measured | wanted |", "| --- | --- | --- |"]
    lines += [f"| {title} | {found[key]:.3g} | {wanted} |" for key, (title, wanted) in TARGETS.items() if key in found]
    if sizes:
        keys = list(sizes[0])
        lines += ["", "| " + " | ".join(keys) + " |", "| " + " | ".join("---" for _ in keys) + " |"]
        lines += ["| " + " | ".join(f"{row[key]:.4g}" if key != "rows" else f"{row[key]:,}" for key in keys) + " |"
                  for row in sizes]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default=BINARY)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the restart, the deletes and the space")
    parser.add_argument("--sizes", default="100000,300000,1000000,3000000")
    parser.add_argument("--dim", type=int, default=128)
    parser.add_argument("--index", default="HNSW")
    parser.add_argument("--insert-rows", type=int, default=300_000)
    parser.add_argument("--lite-rows", type=int, default=50_000)
    parser.add_argument("--lite-port", type=int, default=19931)
    parser.add_argument("--skip", action="append", default=[],
                        choices=["insert", "lite", "grow", "restart", "delete", "space"])
    parser.add_argument("--folder", help="where the data goes meanwhile; else the system's temporary folder")
    parser.add_argument("--out", help="a folder for storage.md and storage.json")
    args = parser.parse_args()
    found, rows = {}, []
    sizes = [] if "grow" in args.skip else [int(size) for size in args.sizes.split(",")]
    if args.rows not in sizes and {"restart", "delete", "space"} - set(args.skip):
        sizes.append(args.rows)
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        if "insert" not in args.skip:
            found.update(measure_insert(args, folder))
            print("  " + " ".join(f"{key}={value:.3g}" for key, value in found.items()), flush=True)
        for size in sorted(sizes):
            print(f"{size} x {args.dim}, {args.index}", flush=True)
            row, more = measure_size(args, folder, size)
            rows.append(row)
            found.update(more)
    text = table(rows, found)
    print("\n" + text)
    if args.out:
        os.makedirs(args.out, exist_ok=True)
        head = (f"# Storage benchmark\n\n{os.cpu_count()} cores, {platform.system()} {platform.release()}; "
                f"{args.index}, {args.dim} dimensions, L2. Written by `./dev bench storage`.\n\n")
        with open(os.path.join(args.out, "storage.md"), "w") as out:
            out.write(head + text + "\n")
        with open(os.path.join(args.out, "storage.json"), "w") as out:
            json.dump({"found": found, "sizes": rows}, out, indent=1)


if __name__ == "__main__":
    main()
