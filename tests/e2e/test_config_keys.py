"""Keys of the configuration: those that are refused with a reason, and some that limit."""
import os
import re
import subprocess

from pymilvus import MilvusClient
from pymilvus.grpc_gen import milvus_pb2 as pb
from server_process import Server
from support import count, make, row, settings, vectors
from test_admin_rules import create
from wire import calls, query_request, search_request, status_of

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def refused_keys():
    with open(os.path.join(ROOT, "docs", "generated", "config.md"), encoding="utf-8") as page:
        own, foreign = page.read().split("## Keys of Milvus that are refused")
    return (set(re.findall(r"^\| `([^`]+)`", own, re.M)), re.findall(r"^\| `([^`]+)` \| (.+) \|$", foreign, re.M))


def test_keys_that_mean_nothing_here_are_refused_with_the_reason(binary, tmp_path):
    own, foreign = refused_keys()
    assert len(foreign) > 50
    for key, why in foreign:
        assert key not in own
        one = key.replace("*", "something")
        done = subprocess.run([binary, "serve", "--data", str(tmp_path / "data"), "--set", f"{one}=1"],
                              capture_output=True, text=True, timeout=20)
        assert done.returncode != 0 and f"elanus has no configuration key {one}: " in done.stderr, done.stderr
        assert why in done.stderr, (one, done.stderr)
        for mentioned in re.findall(r"\b(?:\w+\.)+\w+\b", why):  # Who is sent to another key finds it.
            assert any(known == mentioned or known.startswith(mentioned + ".") or mentioned.startswith("collection.")
                       for known in own), mentioned
    assert not (tmp_path / "data").exists()


def test_a_database_has_so_many_collections(binary, tmp_path):
    arguments = settings({"quotaAndLimits.limits.maxCollectionNumPerDB": 1})
    with Server(binary, str(tmp_path / "data"), arguments=arguments) as server, calls(server.address) as call:
        assert call("CreateCollection", create("a")).code == 0
        assert call("CreateCollection", create("a")).code == 0, "it is there"
        assert call("CreateCollection", create("b")).code == 102
        assert call("DropCollection", pb.DropCollectionRequest(collection_name="a")).code == 0
        assert call("CreateCollection", create("b")).code == 0


def test_reads_can_be_denied_and_writes_go_on(binary, tmp_path):
    data = str(tmp_path / "data")
    with Server(binary, data) as server:
        client = MilvusClient(uri=server.uri)
        make(client, "c", rows=10)
        client.close()
    with Server(binary, data, arguments=settings({"quotaAndLimits.limitReading.forceDeny": "true"})) as server:
        with calls(server.address) as call:
            for method, request in (("Query", query_request("c")), ("Search", search_request("c", vectors(1)))):
                status = status_of(call(method, request))
                assert status.code == 9 and "disabled by the administrator" in status.reason
        client = MilvusClient(uri=server.uri)
        client.insert("c", [row(50, vectors(1)[0])])
        client.delete("c", ids=[50])
        client.close()
    with Server(binary, data) as server:
        client = MilvusClient(uri=server.uri)
        assert count(client, "c") == 10
        client.close()
