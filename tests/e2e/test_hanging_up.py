"""A read that nobody waits for any more is dropped soon, whatever it does; the log and the metrics say so."""
import re
import threading
import time

import grpc
import numpy as np
import pytest
from pymilvus import MilvusClient
from pymilvus.grpc_gen import milvus_pb2

from support import DIM, make, metric
from wire import DECODE, SERVICE, column, insert_request, query_request, search_request, status_of

ROWS = 60_000
# Hundreds of patterns, none of which matches, so that the read takes many seconds.
SLOW = " or ".join(f'name =~ "([a-z]+[0-9]*)+x{n}(y|z)*$"' for n in range(400))


@pytest.fixture(scope="module")
def slow(server):
    client = MilvusClient(uri=server.uri)
    make(client, "slow_to_read")
    with grpc.insecure_channel(server.address) as channel:
        for begin in range(0, ROWS, 10_000):
            keys = range(begin, begin + 10_000)
            request = insert_request("slow_to_read", [
                column("id", "Int64", keys), column("group", "Int64", [0] * len(keys)),
                column("name", "VarChar", [f"abc{k}def{k}ghi{k}jkl{k}mno{k}" for k in keys]),
                column("vector", "FloatVector", np.zeros(DIM * len(keys)), DIM)], rows=len(keys))
            answer = channel.unary_unary(f"/{SERVICE.full_name}/Insert", request_serializer=lambda r: r.SerializeToString(),
                                         response_deserializer=DECODE["Insert"])(request, timeout=60)
            assert answer.status.code == 0
    client.flush("slow_to_read")
    yield "slow_to_read"
    client.drop_collection("slow_to_read")
    client.close()


def begin(channel, method, request, timeout=60):
    stub = channel.unary_unary(f"/{SERVICE.full_name}/{method}", request_serializer=lambda r: r.SerializeToString(),
                               response_deserializer=DECODE[method])
    return stub.future(request, timeout=timeout)


def requests(name):
    return {"Query": query_request(name, SLOW, output=["count(*)"]),
            "Search": search_request(name, [np.zeros(DIM)], filter_text=SLOW),
            "Delete": milvus_pb2.DeleteRequest(collection_name=name, expr=SLOW)}


def dropped(server, method):
    with open(server.log_path, errors="replace") as log:
        return len(re.findall(rf"{method} dropped reason=", log.read()))


def counted(server, method):
    """Reads whose caller went or whose deadline passed: a client hangs up at its deadline, which may come first."""
    return sum(metric(server, "milvus_proxy_req_count", function_name=method, status=status,
                      collection_name="slow_to_read") for status in ("cancel", "abandon"))


def wait_until_idle(server, seconds=5):
    """Half a second with hardly any CPU: whoever works takes what it gets, on a busy machine too."""
    end = time.monotonic() + seconds
    while True:
        before = server.cpu_s()
        time.sleep(0.5)
        if server.cpu_s() - before < 0.05:
            return
        assert time.monotonic() < end, "the read goes on"


def wait_for(holds, seconds=10):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("how", ["cancel", "close", "deadline"])
@pytest.mark.parametrize("method", ["Query", "Search", "Delete"])
def test_a_long_read_ends_with_its_caller(server, slow, method, how):
    before = dropped(server, method)
    count_before = counted(server, method) if method != "Delete" else 0
    channel = grpc.insecure_channel(server.address, options=[("grpc.use_local_subchannel_pool", 1)])
    call = begin(channel, method, requests(slow)[method], timeout=0.6 if how == "deadline" else 60)
    time.sleep(0.4)
    assert not call.done(), "the read is not long enough for this test"
    if how == "cancel":
        call.cancel()
    elif how == "close":
        channel.close()
    else:
        try:  # Whoever hears of the deadline first, client or server, ends the call.
            assert status_of(call.result()).code != 0
        except grpc.RpcError as refused:
            assert refused.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    wait_until_idle(server)
    channel.close()
    if method != "Delete":
        wait_for(lambda: dropped(server, method) == before + 1)
        assert counted(server, method) == count_before + 1


def test_others_are_served_while_long_reads_run(server, slow):
    """The long one does not keep the short ones waiting: they are answered while it runs, and it is dropped after."""
    client = MilvusClient(uri=server.uri)
    with grpc.insecure_channel(server.address) as channel:
        long = [begin(channel, "Query", requests(slow)["Query"]) for _ in range(2)]
        time.sleep(0.3)
        times = []
        for _ in range(10):
            start = time.monotonic()
            assert client.query(slow, filter="id == 5", output_fields=["id"])[0]["id"] == 5
            times.append(time.monotonic() - start)
        assert not any(call.done() for call in long)
        for call in long:
            call.cancel()
    assert sorted(times)[len(times) // 2] < 1.0
    wait_until_idle(server)
    client.close()


def test_a_hung_up_read_leaves_the_server_sound(server, slow):
    client = MilvusClient(uri=server.uri)
    stop = threading.Event()

    def hang_up():
        while not stop.is_set():
            with grpc.insecure_channel(server.address, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
                call = begin(channel, "Search", requests(slow)["Search"])
                time.sleep(0.05)
                call.cancel()
    threads = [threading.Thread(target=hang_up) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for i in range(20):
            assert client.query(slow, filter=f"id == {i}", output_fields=["id"])[0]["id"] == i
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    wait_until_idle(server)
    client.close()
