"""How the server treats connections: compression, many calls at once, callers that leave, limits, slow readers."""
import concurrent.futures
import socket
import threading
import time

import grpc
import numpy as np
import pytest
from pymilvus import MilvusClient
from pymilvus.grpc_gen import milvus_pb2
from server_process import Server
from support import count, make, row, vectors
from wire import DECODE, SERVICE, calls

VERSION = f"/{SERVICE.full_name}/GetVersion"


def version(channel, timeout=20, **more):
    return channel.unary_unary(VERSION, request_serializer=lambda b: b, response_deserializer=DECODE["GetVersion"])(
        b"", timeout=timeout, **more).version


def limited(binary, tmp_path, text):
    config = tmp_path / "elanus.yaml"
    config.write_text(text)
    return Server(binary, str(tmp_path / "data"), arguments=["--config", str(config)])


@pytest.mark.parametrize("compression", [grpc.Compression.Gzip, grpc.Compression.Deflate])
def test_compressed_requests_are_understood(client, server, name, compression):
    make(client, name, load=False)
    rows = 2000
    request = milvus_pb2.InsertRequest(collection_name=name, num_rows=rows)
    for field, kind, values in (("id", 5, range(rows)), ("group", 5, [7] * rows)):
        request.fields_data.add(field_name=field, type=kind).scalars.long_data.data.extend(values)
    request.fields_data.add(field_name="name", type=21).scalars.string_data.data.extend(["same"] * rows)
    data = request.fields_data.add(field_name="vector", type=101).vectors
    data.dim = 8
    data.float_vector.data.extend(np.zeros(8 * rows))
    with grpc.insecure_channel(server.address, compression=compression) as channel:
        answer = channel.unary_unary(f"/{SERVICE.full_name}/Insert", request_serializer=lambda b: b,
                                     response_deserializer=DECODE["Insert"])(request.SerializeToString(), timeout=20)
    assert answer.status.code == 0 and answer.insert_cnt == rows
    client.load_collection(name)
    assert count(client, name) == rows


def test_many_calls_of_one_connection_are_answered_each_its_own(server, client, name):
    data = make(client, name, 500)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        found = pool.map(lambda i: client.search(name, [data[i]], limit=1)[0][0]["id"], range(500))
        assert list(found) == list(range(500))


def test_a_large_answer_reaches_a_client_that_reads_slowly(client, server, name):
    """The socket takes a part at a time; what waits goes when the client has read."""
    rows = 6000
    make(client, name, dim=256, load=False)
    for begin in range(0, rows, 2000):
        data = vectors(2000, 256, seed=begin)
        client.insert(name, [row(begin + i, data[i]) for i in range(2000)])
    client.load_collection(name)
    front = socket.create_server(("127.0.0.1", 0))
    front.settimeout(20)

    def relay():
        near, _ = front.accept()
        near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
        far = socket.create_connection(("127.0.0.1", server.port))

        def up():
            while piece := near.recv(65536):
                far.sendall(piece)
        threading.Thread(target=up, daemon=True).start()
        taken = 0
        while piece := far.recv(16384):
            near.sendall(piece)
            taken += len(piece)
            if taken % (1 << 20) < len(piece):
                time.sleep(0.05)

    threading.Thread(target=relay, daemon=True).start()
    slow = MilvusClient(uri=f"http://127.0.0.1:{front.getsockname()[1]}")
    got = slow.query(name, filter="id >= 0", output_fields=["vector"], limit=rows, consistency_level="Strong")
    assert len(got) == rows and len(got[-1]["vector"]) == 256
    slow.close()
    front.close()


def test_callers_that_hang_up_leave_nothing_behind(own_server):
    """Connections that end in the middle of everything, a thousand of them; then descriptors are as before."""
    with calls(own_server.address) as call:
        call("GetVersion")
        before = own_server.descriptors()
        hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
        for i in range(1000):
            with socket.create_connection(("127.0.0.1", own_server.port)) as caller:
                caller.sendall(hello[:i % (len(hello) + 1)])
        for _ in range(200):
            if own_server.descriptors() <= before:
                break
            time.sleep(0.05)
        assert own_server.descriptors() <= before
        assert call("GetVersion").version


def test_more_connections_than_allowed_are_turned_away_until_one_leaves(binary, tmp_path):
    with limited(binary, tmp_path, "proxy:\n  grpc:\n    maxConnections: 2\n") as server:
        options = [("grpc.use_local_subchannel_pool", 1)]
        first, second = (grpc.insecure_channel(server.address, options=options) for _ in range(2))
        assert version(first) and version(second)
        with grpc.insecure_channel(server.address, options=options) as third:
            with pytest.raises(grpc.RpcError) as caught:
                version(third)
            assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
        first.close()
        with grpc.insecure_channel(server.address, options=options) as fourth:
            assert version(fourth, wait_for_ready=True)
        second.close()


def test_more_calls_than_a_connection_may_have_wait_their_turn(binary, tmp_path):
    with limited(binary, tmp_path, "proxy:\n  grpc:\n    maxConcurrentStreams: 2\n") as server:
        with calls(server.address) as call, concurrent.futures.ThreadPoolExecutor(20) as pool:
            assert all(answer.version for answer in pool.map(lambda _: call("GetVersion"), range(100)))
