"""Deletes get into files by themselves, so that the log need not be kept for them."""
import time

import pytest
from pymilvus import MilvusClient
from pymilvus.grpc_gen import milvus_pb2 as pb
from server_process import Server
from support import count, make, row, settings, vectors
from test_compaction import until
from wire import calls

L0, BESIDE = "streaming.flush.l0.", "dataCoord.sealPolicy.channel.blockingL0"
# (keys, deletes, whether rows grow beside them, whether they are written although nobody asks)
DELETES = [({}, 500, False, False), ({L0 + "maxRowNum": 500}, 500, False, True), ({L0 + "maxRowNum": 501}, 500, False, False),
           ({L0 + "maxSize": 16000}, 500, False, True), ({L0 + "maxLifetime": 1}, 1, False, True),
           ({L0 + "maxLifetime": 1, L0 + "maxRowNum": 1, L0 + "maxSize": 1}, 500, True, False),
           ({BESIDE + "EntryNum": 500}, 500, True, True), ({BESIDE + "SizeInMB": 1}, 40000, True, True)]


@pytest.mark.parametrize("keys, deletes, grows, written", DELETES, ids=[f"{row[0]} {row[2]}" for row in DELETES])
def test_deletes_are_written_when_they_are_many_large_or_old(binary, tmp_path, keys, deletes, grows, written):
    with Server(binary, str(tmp_path / "data"), arguments=settings(keys)) as server, calls(server.address) as call:
        client = MilvusClient(uri=server.uri)
        make(client, "c", rows=500)
        client.flush("c")
        if grows:
            client.insert("c", [row(100_000, vectors(1)[0])])
        client.delete("c", ids=list(range(deletes)))
        moment = call("AllocTimestamp", pb.AllocTimestampRequest()).timestamp

        def is_written():
            answer = call("GetFlushState", pb.GetFlushStateRequest(collection_name="c", flush_ts=moment))
            assert answer.status.code == 0
            return answer.flushed
        if written:
            until(is_written, "the deletes are in files", 30)
        else:
            time.sleep(2)
            assert not is_written()
        assert count(client, "c") == 500 - min(deletes, 500) + grows
        client.close()
        server.kill()
        server.start()
        client = MilvusClient(uri=server.uri)
        assert count(client, "c") == 500 - min(deletes, 500) + grows
        client.close()
