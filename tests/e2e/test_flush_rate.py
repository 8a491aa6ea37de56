"""How often flushes may be asked for: once in ten seconds for each collection, unless the configuration says otherwise."""
import time

import pytest
from pymilvus import MilvusClient
from pymilvus.grpc_gen import milvus_pb2
from server_process import Server
from support import make, metric, refused, row, settings, vectors
from test_compaction import until
from test_flush import segments
from wire import calls, status_of

ON = "quotaAndLimits.flushRate.enabled"
WHOLE, DATABASE, COLLECTION = (f"quotaAndLimits.flushRate.{key}max" for key in ("", "db.", "collection."))


@pytest.fixture
def limited(binary, tmp_path):
    """Starts servers with these keys; those of the other tests have the limit off."""
    running = []

    def start(values=None):
        running.append(Server(binary, str(tmp_path / f"data{len(running)}"), arguments=settings({ON: "true", **(values or {})})))
        return running[-1]
    yield start
    for server in running:
        server.stop()


def flush(call, *names):
    return call("Flush", milvus_pb2.FlushRequest(collection_names=names))


def code(answer):
    return status_of(answer).code


def test_a_second_flush_within_ten_seconds_is_refused_and_flushes_nothing(limited):
    server = limited()
    client = MilvusClient(uri=server.uri)
    data = make(client, "c", rows=10)
    make(client, "other", rows=10)
    with calls(server.address) as call:
        begun = time.monotonic()
        assert code(flush(call, "c")) == 0
        client.insert("c", [row(100, data[0])])
        again = status_of(flush(call, "c"))
        assert again.code == 8 and again.retriable, again
        for words in ("rate limit exceeded[rate=0.1", COLLECTION, "please retry later"):
            assert words in again.reason, again
        # Of several all are flushed or none.
        assert code(flush(call, "other", "c")) == 8
        time.sleep(1)
        assert sum(info.num_rows for info in segments(call, "c").values()) == 10
        assert not segments(call, "other")
        assert code(flush(call, "other")) == 0, "what was refused has used nothing of it"
        assert code(call("FlushAll", milvus_pb2.FlushAllRequest())) == 0, "that is not counted"
        assert metric(server, "milvus_proxy_rate_limit_req_count", msg_type="flush", status="success") == 2
        assert metric(server, "milvus_proxy_rate_limit_req_count", msg_type="flush", status="fail") == 2
        assert time.monotonic() - begun < 9, "the machine is too slow for this test"
        # The SDK comes again by itself, and is let in when the ten seconds are over.
        client.insert("c", [row(101, data[0])])
        client.flush("c", timeout=60)
        assert time.monotonic() - begun >= 9.9
        assert sum(info.num_rows for info in segments(call, "c").values()) == 12
    client.close()


def test_a_refused_flush_of_a_client_that_does_not_wait(limited):
    client = MilvusClient(uri=limited().uri)
    make(client, "c", rows=10)
    client.flush("c")
    with refused(8, "rate limit exceeded"):
        client._get_connection().flush(["c"], retry_times=1)
    client.close()


@pytest.mark.parametrize("key", [WHOLE, DATABASE])
def test_the_collections_of_a_database_and_of_the_server(limited, key):
    server = limited({key: "2", COLLECTION: "-1"})
    client = MilvusClient(uri=server.uri)
    for name in "abc":
        make(client, name, rows=10)
    with calls(server.address) as call:
        assert [code(flush(call, name)) for name in "aa"] == [0, 0], "each of them may"
        third = status_of(flush(call, "c"))
        assert third.code == 8 and key in third.reason
        time.sleep(0.6)
        assert code(flush(call, "c")) == 0
    client.close()


def test_a_rate_of_nothing_denies_and_the_switch_turns_it_off(limited):
    for values, wanted in (({COLLECTION: "0"}, 9), ({WHOLE: "0"}, 9), ({DATABASE: "0"}, 9), ({ON: "false", COLLECTION: "0"}, 0),
                           ({COLLECTION: "-1"}, 0)):
        server = limited(values)
        client = MilvusClient(uri=server.uri)
        make(client, "c", rows=10)
        with calls(server.address) as call:
            assert {code(flush(call, "c")) for _ in range(3)} == {wanted}, values
            if wanted == 0:
                until(lambda: segments(call, "c"), "it is flushed")
            assert bool(segments(call, "c")) == (wanted == 0), values
        client.close()
