"""The page of methods says the truth: who is marked "yes" answers, all others answer UNIMPLEMENTED with their name."""
import os
import re

import grpc
import pytest
from pymilvus import MilvusException

from support import count, make
from wire import DECODE

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def methods():
    with open(os.path.join(ROOT, "docs", "generated", "methods.md"), encoding="utf-8") as page:
        return dict(re.findall(r"^\| (\w+) \| (yes|no) \|$", page.read(), re.M))


def test_the_page_knows_every_method_of_this_sdk():
    assert set(DECODE) - set(methods()) == set()


@pytest.mark.parametrize("method", ["NoSuchMethodAnywhere", *(m for m, yes in methods().items() if yes == "no")])
def test_an_unbuilt_method_says_so_with_its_name(call, method):
    with pytest.raises(grpc.RpcError) as caught:
        call(method)
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED
    assert re.search(rf"\b{method}\b", caught.value.details())


@pytest.mark.parametrize("method", [m for m, yes in methods().items() if yes == "yes"])
def test_a_built_method_answers_an_empty_message(call, method):
    call(method)


@pytest.mark.parametrize("service", ["milvus.proto.milvus.ProxyService", "grpc.health.v1.Health", ""])
def test_another_service_is_not_answered(server, service):
    with grpc.insecure_channel(server.address) as channel, pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary(f"/{service}/Insert")(b"", timeout=10)
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("method, use", [
    ("CreateAlias", lambda client, name: client.create_alias(name, name + "_alias")),
    ("CreateDatabase", lambda client, name: client.create_database("another")),
    ("CreateCredential", lambda client, name: client.create_user("somebody", "secret-1"))])
def test_the_sdk_hears_which_method_is_missing(client, name, method, use):
    make(client, name, rows=3)
    with pytest.raises((grpc.RpcError, MilvusException)) as caught:
        use(client, name)
    assert "UNIMPLEMENTED" in str(caught.value) and method in str(caught.value)
    assert count(client, name) == 3
