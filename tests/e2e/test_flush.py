"""What a flush answers, and what is told of segments afterwards."""
import time

from pymilvus.grpc_gen import common_pb2, milvus_pb2
from support import count, make, row, vectors
from wire import status_of


def flush(call, *names):
    answer = call("Flush", milvus_pb2.FlushRequest(collection_names=names))
    assert answer.status.code == 0, answer.status
    return answer


def segments(call, name, **more):
    answer = call("GetPersistentSegmentInfo", milvus_pb2.GetPersistentSegmentInfoRequest(collectionName=name, **more))
    assert answer.status.code == 0, answer.status
    return {info.segmentID: info for info in answer.infos}


def test_a_flush_tells_what_it_sealed_what_was_there_and_its_moment(client, call, name):
    data = make(client, name, rows=30)
    before_s = int(time.time())
    first = flush(call, name)
    sealed = list(first.coll_segIDs[name].data)
    assert len(sealed) == 1 and not first.flush_coll_segIDs[name].data
    assert before_s - 2 <= first.coll_seal_times[name] <= time.time() + 2
    assert first.coll_flush_ts[name] >> 18 >= before_s * 1000 - 2000

    def state(ids, moment):
        answer = call("GetFlushState", milvus_pb2.GetFlushStateRequest(segmentIDs=ids, flush_ts=moment, collection_name=name))
        assert answer.status.code == 0, answer.status
        return answer.flushed
    end = time.monotonic() + 20
    while not state(sealed, first.coll_flush_ts[name]):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert state([123456789], first.coll_flush_ts[name]), "what nobody knows is not waited for"
    client.insert(name, [row(100, data[0])])
    assert not state([], first.coll_flush_ts[name] + (3_600_000 << 18)), "an hour from now has not come"
    client.flush(name)
    second = flush(call, name)
    known = set(second.flush_coll_segIDs[name].data)
    assert set(sealed) < known and not known & set(second.coll_segIDs[name].data)
    assert second.coll_flush_ts[name] > first.coll_flush_ts[name]


def test_flushes_of_nothing_of_several_and_of_nobody(client, call, name):
    answer = flush(call)
    assert not answer.coll_segIDs and not answer.coll_flush_ts
    other = name + "_b"
    for one in (name, other):
        make(client, one, rows=10)
    answer = flush(call, name, other)
    assert set(answer.coll_segIDs) == set(answer.coll_flush_ts) == {name, other}
    client.flush(name), client.flush(other)
    # One that is unknown: nothing is sealed of the others.
    client.insert(name, [row(50, vectors(1)[0])])
    rows = sum(info.num_rows for info in segments(call, name).values())
    assert status_of(call("Flush", milvus_pb2.FlushRequest(collection_names=[name, "nobody"]))).code == 100
    assert sum(info.num_rows for info in segments(call, name).values()) == rows == 10
    assert count(client, name) == 11
    client.drop_collection(other)


def test_segments_tell_what_they_are(client, call, name):
    make(client, name)
    data = vectors(100)
    assert segments(call, name) == {}
    described = client.describe_collection(name)
    for begin in (0, 50):
        client.insert(name, [row(i, data[i]) for i in range(begin, begin + 50)])
        client.flush(name)
    found = segments(call, name)
    assert len(found) == 2
    for key, info in found.items():
        assert (info.segmentID, info.collectionID, info.num_rows) == (key, described["collection_id"], 50)
        assert info.partitionID > 0 and info.state == common_pb2.SegmentState.Flushed
        assert info.level == common_pb2.SegmentLevel.L1
    if "states" in milvus_pb2.GetPersistentSegmentInfoRequest.DESCRIPTOR.fields_by_name:  # Not in 2.6.
        assert segments(call, name, states=[common_pb2.SegmentState.Sealed]) == {}
        assert segments(call, name, states=[common_pb2.SegmentState.Flushed]).keys() == found.keys()
    job = client.compact(name)
    end = time.monotonic() + 30
    while client.get_compaction_state(job) != "Completed":
        assert time.monotonic() < end
        time.sleep(0.05)
    [merged] = segments(call, name).values()
    assert merged.num_rows == 100 and merged.level == common_pb2.SegmentLevel.L1 and merged.segmentID not in found
    unknown = call("GetPersistentSegmentInfo", milvus_pb2.GetPersistentSegmentInfoRequest(collectionName="nobody"))
    assert unknown.status.code == 100
