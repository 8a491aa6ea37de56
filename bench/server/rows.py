"""Rows for measurements of a server: made block by block, encoded before the clock starts, sent by two connections."""
import threading
import time

import grpc
import numpy as np
from pymilvus import DataType
from pymilvus.grpc_gen import common_pb2, milvus_pb2, schema_pb2

NAME = "rows"
BATCH = 1000
OPTIONS = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]


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


def encode_insert(first, rows, dim, keys=None):
    """Rows from `first` on; their keys are their places unless `keys` tells others."""
    floats = schema_pb2.FloatArray()
    floats.ParseFromString(packed(vectors(first, rows, dim)))
    ids = schema_pb2.FieldData(type=schema_pb2.DataType.Int64, field_name="id")
    ids.scalars.long_data.data.extend(range(first, first + rows) if keys is None else keys)
    column = schema_pb2.FieldData(type=schema_pb2.DataType.FloatVector, field_name="vector")
    column.vectors.dim = dim
    column.vectors.float_vector.CopyFrom(floats)
    request = milvus_pb2.InsertRequest(base=common_pb2.MsgBase(msg_type=common_pb2.MsgType.Insert), num_rows=rows,
                                       collection_name=NAME, partition_name="_default", fields_data=[ids, column])
    return request.SerializeToString()


def encode_delete(expression):
    request = milvus_pb2.DeleteRequest(base=common_pb2.MsgBase(msg_type=common_pb2.MsgType.Delete),
                                       collection_name=NAME, expr=expression)
    return request.SerializeToString()


def send(address, requests, method="Insert"):
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
    calls = [channel.unary_unary(f"/milvus.proto.milvus.MilvusService/{method}", None, None) for channel in channels]
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
        raise SystemExit(f"{method} refused: {failures[0]}")
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


def add_index(client, index):
    indexes = client.prepare_index_params()
    params = {"M": 16, "efConstruction": 100} if index == "HNSW" else {}
    indexes.add_index("vector", index_type=index, metric_type="L2", params=params)
    client.create_index(NAME, indexes)


def count(client):
    return client.query(NAME, output_fields=["count(*)"], consistency_level="Strong")[0]["count(*)"]
