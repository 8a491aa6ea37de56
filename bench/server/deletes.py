"""What deletes cost, as parts of storage.py: a million keys by one filter and by lists while another client searches,
and keys that one of many segments has."""
import os
import tempfile
import time

import numpy as np
from pymilvus import MilvusClient

from busy import Searcher
from rows import BATCH, NAME, add_index, count, create, encode_delete, encode_insert, fill, send, until_indexed, vectors
from server_process import Server

LIST = 100_000  # Keys of one request.
ALONE_S = 3
NO_COMPACTION = ["--set", "dataCoord.compaction.enableAutoCompaction=false"]


def percentiles(taken):
    return [float(value) for value in np.percentile(taken, [50, 99])] if taken else [float("nan")] * 2


def until_left(client, rows):
    while (left := count(client)) != rows:
        if left < rows:
            raise SystemExit(f"{left} rows are left, not {rows}")
        time.sleep(0.005)


def filled(server, rows, dim, index):
    client = MilvusClient(uri=server.uri)
    create(client, dim)
    fill(server.address, 0, rows, dim)
    client.flush(NAME)
    add_index(client, index)
    until_indexed(client)
    client.load_collection(NAME)
    return client


def measure_million(args, folder):
    """Deletes `args.deletes` of a tenth more rows, by a filter and by lists of keys; a row of the table for each."""
    found = []
    rows = args.deletes + max(BATCH, args.deletes // 10 // BATCH * BATCH)
    lists = [encode_delete(f"id in {list(range(at, min(args.deletes, at + LIST)))}")
             for at in range(0, args.deletes, LIST)]
    for how, requests in (("by one filter", [encode_delete(f"id < {args.deletes}")]), ("by lists of keys", lists)):
        with tempfile.TemporaryDirectory(dir=folder) as part, Server(
                args.server, os.path.join(part, "deletes"), arguments=NO_COMPACTION) as server:
            client = filled(server, rows, args.dim, "IVF_FLAT")
            searcher = Searcher(server.uri, NAME, vectors(args.deletes, BATCH, args.dim))
            time.sleep(ALONE_S)
            begin = time.perf_counter()
            acknowledged = send(server.address, requests, "Delete")
            until_left(client, rows - args.deletes)
            end = time.perf_counter()
            searcher.close()
            alone, beside = searcher.between(begin - ALONE_S, begin), searcher.between(begin, end)
            found.append({"deleted": args.deletes, "how": how, "acknowledged_s": acknowledged, "seen_s": end - begin,
                          "p50_alone_ms": percentiles(alone)[0], "p99_alone_ms": percentiles(alone)[1],
                          "p50_ms": percentiles(beside)[0], "p99_ms": percentiles(beside)[1],
                          "slowest_ms": max(beside, default=float("nan"))})
            client.close()
        print(f"  {found[-1]}", flush=True)
    return found


def timed_each(work, arguments):
    """Milliseconds of each."""
    taken = []
    for argument in arguments:
        begin = time.perf_counter()
        work(argument)
        taken.append((time.perf_counter() - begin) * 1e3)
    return percentiles(taken)


def measure_segments(args, folder):
    """Keys that lie scattered over `args.segments` segments, so that no range tells which of them has one."""
    dim, each = 8, args.segment_rows
    rows = args.segments * each
    keys = np.random.default_rng(3).permutation(rows)
    with Server(args.server, os.path.join(folder, "segments"), arguments=NO_COMPACTION) as server:
        client = MilvusClient(uri=server.uri)
        create(client, dim)
        for first in range(0, rows, each):
            send(server.address, [encode_insert(at, BATCH, dim, keys[at:at + BATCH].tolist())
                                  for at in range(first, first + each, BATCH)])
            client.flush(NAME)
        add_index(client, "FLAT")
        until_indexed(client)
        client.load_collection(NAME)
        gone, random = rows // 5, np.random.default_rng(4)
        wanted = random.integers(gone, rows, (300, 10)).tolist()
        get = timed_each(lambda ids: client.query(NAME, filter=f"id in {ids}", output_fields=["id"]), wanted)
        one = timed_each(lambda ids: client.query(NAME, filter=f"id == {ids[0]}", output_fields=["id"]), wanted)
        many = random.permutation(np.arange(gone, rows))[:50_000].tolist()
        in_list = timed_each(lambda _: client.query(NAME, filter=f"id in {many}", output_fields=["count(*)"]), range(5))
        request = encode_delete(f"id in {random.permutation(gone).tolist()}")
        begin = time.perf_counter()
        send(server.address, [request], "Delete")
        until_left(client, rows - gone)
        bulk = time.perf_counter() - begin
        singles = list(range(gone, gone + 200))
        single = timed_each(lambda key: (client.delete(NAME, ids=[key]), client.query(
            NAME, filter=f"id == {key}", consistency_level="Strong")), singles)
        client.close()
    found = {"segments": args.segments, "rows": rows, "get_1_ms": one, "get_10_ms": get, "count_50000_ms": in_list,
             "deleted": gone, "delete_s": bulk, "delete_1_ms": single}
    print(f"  {found}", flush=True)
    return found


def million_table(found):
    lines = ["| deleted | | acknowledged s | seen s | search p99 alone ms | p50 meanwhile | p99 meanwhile | slowest |",
             "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
    lines += [f"| {row['deleted']:,} | {row['how']} | {row['acknowledged_s']:.2f} | {row['seen_s']:.2f} | "
              f"{row['p99_alone_ms']:.2f} | {row['p50_ms']:.2f} | {row['p99_ms']:.2f} | {row['slowest_ms']:.2f} |"
              for row in found]
    return lines


def segments_table(found):
    def row(what, times):
        return f"| {what} | {times[0]:.2f} | {times[1]:.2f} |"

    return [f"{found['rows']:,} rows with keys in no order over {found['segments']} segments, one request after "
            f"another; a delete of {found['deleted']:,} keys in one list is seen after {found['delete_s']:.2f} s.", "",
            "| | p50 ms | p99 ms |", "| --- | ---: | ---: |", row("a row by its key", found["get_1_ms"]),
            row("10 rows by key", found["get_10_ms"]), row("count of 50,000 keys", found["count_50000_ms"]),
            row("one key deleted, and asked for again (Strong)", found["delete_1_ms"])]
