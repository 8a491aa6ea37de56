"""Garbage collection is paused by a ticket through the management port, and goes on when that ends."""
import json
import time
import urllib.error
import urllib.request

import pytest
from pymilvus import MilvusClient
from server_process import Server
from support import make
from test_compaction import OPTIONS, files, until

PATH = "/management/datacoord/garbage_collection/"


@pytest.fixture
def tidy(binary, tmp_path):
    with Server(binary, str(tmp_path / "data"), arguments=OPTIONS) as running:
        yield running


def ask(server, what, body=None):
    """The status and the answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.management_port}{PATH}{what}", data=body, timeout=10) as got:
            return got.status, json.load(got)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def dropped(client, server, name):
    """A collection of two segments that was dropped: its files."""
    make(client, name, rows=100)
    client.flush(name)
    known = {path for path in files(server, "segments") if f"/{client.describe_collection(name)['collection_id']}/" in path}
    assert known
    client.drop_collection(name)
    return known


def left(server, known):
    return known & set(files(server, "segments"))


def test_a_ticket_holds_all_files_until_it_is_given_back_or_its_time_is_over(tidy):
    client = MilvusClient(uri=tidy.uri)
    status, answer = ask(tidy, "pause?pause_seconds=600")
    assert status == 200 and answer["msg"] == "OK" and answer["ticket"]
    known = dropped(client, tidy, "c")
    time.sleep(5)  # It would have gone after two seconds.
    assert left(tidy, known) == known
    brief = ask(tidy, "pause?pause_seconds=4", body=b"")[1]["ticket"]
    assert brief != answer["ticket"]
    assert ask(tidy, f"resume?ticket={answer['ticket']}") == (200, {"msg": "OK"})
    time.sleep(2)
    assert left(tidy, known) == known, "the other ticket holds them"
    until(lambda: not left(tidy, known), "its time is over", 20)
    assert ask(tidy, f"resume?ticket={answer['ticket']}")[0] == 400
    client.close()


def test_a_pause_of_one_collection_leaves_the_others_alone(tidy):
    client = MilvusClient(uri=tidy.uri)
    make(client, "held")
    held = client.describe_collection("held")["collection_id"]
    ask(tidy, f"pause?pause_seconds=600&collection_id={held}")
    other = dropped(client, tidy, "other")
    client.insert("held", [{"id": 1, "group": 1, "name": "x", "vector": [0.5] * 8}])
    client.flush("held")
    known = {path for path in files(tidy, "segments") if f"/{held}/" in path}
    client.drop_collection("held")
    until(lambda: not left(tidy, other), "the other's go", 20)
    time.sleep(3)
    assert known and left(tidy, known) == known
    assert ask(tidy, "resume") == (200, {"msg": "OK"})
    until(lambda: not left(tidy, known), "all pauses are over", 20)
    client.close()


@pytest.mark.parametrize("what, words", [
    ("pause", "pause_seconds is missing"), ("pause?pause_seconds=", "integer"), ("pause?pause_seconds=0", "from 1"),
    ("pause?pause_seconds=-5", "from 1"), ("pause?pause_seconds=1.5", "integer"), ("pause?pause_seconds=x", "integer"),
    ("pause?pause_seconds=9999999999", "from 1"), ("pause?pause_seconds=1&pause_seconds=2", "twice"),
    ("pause?pause_seconds=1&collection_id=0", "collection"), ("pause?pause_seconds=1&collection_id=-1", "collection"),
    ("pause?pause_seconds=1&collection_id=a", "integer"), ("pause?seconds=1", "unknown parameter"),
    ("resume?ticket=nobodys", "ticket"), ("resume?tickets=1", "unknown parameter")])
def test_what_cannot_be_understood_is_refused(server, what, words):
    status, answer = ask(server, what)
    assert status == 400 and words in answer["msg"]
