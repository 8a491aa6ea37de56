"""Starts the real server for the end-to-end tests and hands out clients."""
import os
import sys
import uuid

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "scripts"))
from server_process import Server  # noqa: E402
from wire import calls  # noqa: E402

BINARY = os.environ.get("ELANUS_BINARY", os.path.join(ROOT, "build", "release", "elanus"))


@pytest.fixture(scope="session")
def binary():
    return BINARY


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """One server for all tests that need nothing special of it."""
    with Server(BINARY, str(tmp_path_factory.mktemp("shared") / "data")) as running:
        yield running


@pytest.fixture
def own_server(tmp_path):
    """A server of the test's own, to be killed and started again."""
    with Server(BINARY, str(tmp_path / "data")) as running:
        yield running


@pytest.fixture
def client(server):
    from pymilvus import MilvusClient
    made = MilvusClient(uri=server.uri)
    yield made
    made.close()


@pytest.fixture
def call(server):
    """Calls the server without the checks and retries of the SDK."""
    with calls(server.address) as made:
        yield made


@pytest.fixture
def name(client):
    """A collection name nobody uses; the collection is dropped afterwards."""
    chosen = "c_" + uuid.uuid4().hex[:10]
    yield chosen
    client.drop_collection(chosen)
