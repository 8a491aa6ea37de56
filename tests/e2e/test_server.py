"""The process: readiness, memory, ports, the data directory, crashes."""
import random
import socket
import threading
import time
import urllib.request

import pytest
from pymilvus import MilvusClient

from server_process import Server, StartFailed
from support import count, make, row, vectors


def test_idle_memory_is_small_and_the_server_is_ready_soon(own_server):
    time.sleep(0.5)
    print(f"ready after {own_server.ready_s:.3f} s, {own_server.rss_mb():.1f} MB resident")
    assert own_server.rss_mb() < 80


def test_the_management_port_answers_health(own_server):
    with urllib.request.urlopen(f"http://127.0.0.1:{own_server.management_port}/healthz", timeout=5) as answer:
        assert answer.status == 200 and answer.read()


def test_sigterm_stops_cleanly_and_nothing_is_lost(own_server):
    client = MilvusClient(uri=own_server.uri)
    make(client, "kept", rows=100)
    client.close()
    assert own_server.stop() == 0
    own_server.start()
    client = MilvusClient(uri=own_server.uri)
    client.load_collection("kept")
    assert count(client, "kept") == 100
    client.close()


def test_a_second_process_on_the_same_directory_is_refused(own_server, binary):
    with pytest.raises(StartFailed) as refused:
        Server(binary, own_server.data)
    assert own_server.data in str(refused.value) or "in use" in str(refused.value)
    assert own_server.running


def test_a_port_in_use_is_refused(own_server, binary, tmp_path):
    with pytest.raises(StartFailed) as refused:
        Server(binary, str(tmp_path / "other"), port=own_server.port)
    assert str(own_server.port) in str(refused.value)
    with pytest.raises(StartFailed) as refused:
        Server(binary, str(tmp_path / "third"), management_port=own_server.management_port)
    assert str(own_server.management_port) in str(refused.value)


@pytest.mark.parametrize("arguments", [["--no-such-flag"], ["--port", "x"], ["--config", "/does/not/exist.yaml"]])
def test_bad_arguments_are_refused(binary, tmp_path, arguments):
    with pytest.raises(StartFailed):
        Server(binary, str(tmp_path / "data"), arguments=arguments)


def test_acknowledged_rows_survive_kill_9(own_server):
    """Five crashes in the middle of inserts and deletes: what was acknowledged is there and found."""
    client = MilvusClient(uri=own_server.uri)
    make(client, "crashes", index="HNSW", params={"M": 8, "efConstruction": 64})
    kept, deleted, seed = {}, set(), random.Random(3)
    for life in range(5):
        data = vectors(20000, seed=life)
        end = threading.Timer(0.2 + seed.random() * 0.6, own_server.kill)
        end.start()
        try:
            for batch in range(0, 20000, 20):
                first = life * 100000 + batch
                pending = {first + i: data[batch + i] for i in range(20)}
                client.insert("crashes", [row(i, v) for i, v in pending.items()], timeout=5)
                kept.update(pending)
                if batch % 100 == 40:
                    victims = [first, first + 1]
                    client.delete("crashes", ids=victims, timeout=5)
                    deleted.update(victims)
                if batch == 200:
                    client.flush("crashes", timeout=5)
        except Exception:  # The crash, seen from the client: any kind of error will do.
            pass
        end.join()
        own_server.kill()
        client.close()
        own_server.start()
        client = MilvusClient(uri=own_server.uri)
        client.load_collection("crashes")
        found = {r["id"] for r in client.query("crashes", filter="id >= 0", output_fields=["id"],
                                               consistency_level="Strong", limit=16384)}
        expected = sorted(set(kept) - deleted)
        if len(expected) < 16000:
            # A batch or a delete whose answer never came may be there or not; nothing acknowledged may differ.
            lost = [i for i in expected if i not in found]
            assert len(lost) <= 2 and not (set(lost) - _last_victims(kept)), f"lost {lost[:10]}"
            assert not (found & deleted)
        for i in seed.sample(expected, min(20, len(expected))):
            # Wide: this test is about what is there, not about the recall of a small graph.
            hits = client.search("crashes", [kept[i]], limit=1, search_params={"params": {"ef": 4096}},
                                 consistency_level="Strong")[0]
            if i not in _last_victims(kept):
                assert hits[0]["id"] == i
    client.close()


def _last_victims(kept):
    """Rows of the newest acknowledged batch of each life, whose delete may have been on its way."""
    lives = {i // 100000 for i in kept}
    return {20 * (max(i for i in kept if i // 100000 == life) // 20) + n for life in lives for n in (0, 1)}


def test_random_bytes_and_half_messages_do_not_stop_the_server(own_server):
    client = MilvusClient(uri=own_server.uri)
    make(client, "steady", rows=10)
    seed = random.Random(1)
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    for start in (b"", preface, preface + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00", b"GET / HTTP/1.1\r\n", b"\x16\x03\x01"):
        for length in (0, 1, 100, 10000):
            for port in (own_server.port, own_server.management_port):
                with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                    try:
                        connection.sendall(start + seed.randbytes(length))
                    except OSError:
                        pass  # Closed on us, which is an answer.
    assert own_server.running and count(client, "steady") == 10
    client.close()
