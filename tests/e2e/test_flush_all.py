"""Flushes of all collections at once."""
import pytest
from pymilvus import MilvusClient

from server_process import Server
from support import DIM, count, make, refused

MISSING_PARAMETER = 1101


@pytest.fixture
def server(binary, tmp_path):
    with Server(binary, str(tmp_path / "data")) as running:
        yield running


def rows_in_files(client, name):
    return sum(segment.num_rows for segment in client._get_connection().get_persistent_segment_infos(name))


def test_all_collections_are_flushed_at_once(server):
    client = MilvusClient(uri=server.uri)
    for name in ("a", "b"):
        make(client, name, rows=20)
    make(client, "empty")
    assert (rows_in_files(client, "a"), rows_in_files(client, "b")) == (0, 0)
    client._get_connection().flush_all()  # Returns when all is flushed.
    assert (rows_in_files(client, "a"), rows_in_files(client, "b")) == (20, 20)
    assert count(client, "a") == 20
    client.insert("b", [{"id": 100, "group": 0, "name": "", "vector": [0.0] * DIM}])
    assert count(client, "b") == 21
    now = client._get_connection().alloc_timestamp()
    assert client._get_connection().get_flush_all_state(now) is False
    client._get_connection().flush_all()
    assert client._get_connection().get_flush_all_state(now) is True


def test_a_moment_is_needed_once_there_is_a_collection(server):
    client = MilvusClient(uri=server.uri)
    connection = client._get_connection()
    assert connection.get_flush_all_state(0) is True
    make(client, "a")
    with refused(MISSING_PARAMETER):
        connection.get_flush_all_state(0)
