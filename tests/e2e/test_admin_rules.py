"""What is promised of databases, collections, partitions, compactions and snapshots, statement by statement: a line each."""
import pytest
from pymilvus.grpc_gen import milvus_pb2 as pb
from pymilvus.grpc_gen import schema_pb2
from support import count, make, refused, row, vectors
from test_bad_input import KEY, VECTOR
from test_compaction import until
from wire import query_request, status_of


def create(name, *fields, properties=None, dynamic=False, **more):
    schema = schema_pb2.CollectionSchema(name=name, fields=fields or [KEY, VECTOR], enable_dynamic_field=dynamic)
    request = pb.CreateCollectionRequest(collection_name=name, schema=schema.SerializeToString(), **more)
    for key, value in (properties or {}).items():
        request.properties.add(key=key, value=value)
    return request


def described(call, name):
    answer = call("DescribeCollection", pb.DescribeCollectionRequest(collection_name=name))
    assert answer.status.code == 0, answer.status
    return answer


# --- Collections that are made ---------------------------------------------------------------------------------------

# (what the request has besides, the code, a word of the message)
REFUSED = [({"shards_num": 17}, 1100, "16"), ({"shards_num": -1}, 1100, "-1"),
           ({"consistency_level": 9}, 1100, "consistency level"), ({"consistency_level": -1}, 1100, "consistency level"),
           ({"num_partitions": 3}, 1100, "partition key"), ({"num_partitions": -1}, 1100, "-1"),
           ({"db_name": "nobodys"}, 800, "nobodys"),
           *(({"properties": {key: value}}, code, key) for key, value, code in [
               ("collection.external_source", "s3://x", 1100), ("collection.external_spec", "{}", 1100),
               ("collection.on.truncating", "true", 1100), ("cipher.enabled", "true", 1100), ("cipher.key", "x", 1100),
               ("warmup", "sync", 1100), ("warmup.everything", "sync", 1100), ("warmup.vectorIndex", "now", 1100),
               ("namespace.mode", "both", 1100), ("preserve_field_ids", "perhaps", 1100),
               ("preserve_field_ids", "true", 10), ("dynamicfield.enabled", "perhaps", 1100),
               ("dynamicfield.enabled", "true", 1100), ("collection.replica.number", "2", 10)]),
           ({"properties": {"consistency_level": "Sometimes"}}, 1100, "Sometimes"),
           ({"properties": {"collection.description": "x" * 1025}}, 1100, "1024"),
           ({"properties": {"dynamicfield.enabled": "false"}, "dynamic": True}, 1100, "dynamicfield.enabled")]


@pytest.mark.parametrize("more, code, words", REFUSED, ids=[str(more)[:60] for more, *_ in REFUSED])
def test_what_a_new_collection_cannot_be_is_refused(client, call, name, more, code, words):
    status = call("CreateCollection", create(name, **more))
    assert (status.code, words in status.reason) == (code, True), status
    assert not client.has_collection(name)
    # The same of one that is there and is like it otherwise.
    assert call("CreateCollection", create(name)).code == 0
    before = described(call, name)
    assert call("CreateCollection", create(name, **more)).code == code
    assert described(call, name) == before


# (properties of the request, level, description, whether the dynamic field is there)
TAKEN_IN = [({"consistency_level": "Bounded"}, 2, "", False), ({"consistency_level": "1"}, 1, "", False),
            ({"collection.description": "birds"}, 0, "birds", False), ({"dynamicfield.enabled": "true"}, 0, "", True),
            ({"dynamicfield.enabled": "false"}, 0, "", False)]


@pytest.mark.parametrize("properties, level, description, dynamic", TAKEN_IN, ids=[str(row[0]) for row in TAKEN_IN])
def test_properties_that_say_what_members_say_are_taken_for_these(call, name, properties, level, description, dynamic):
    request = create(name, properties={**properties, "mine": "words"}, dynamic=dynamic)
    assert call("CreateCollection", request).code == 0
    told = described(call, name)
    assert (told.consistency_level, told.schema.description) == (level, description)
    assert told.schema.enable_dynamic_field == dynamic
    assert {pair.key for pair in told.properties} == {
        "mine", "timezone", "max_field_id", "namespace.sharding.enabled"}, "as after an alteration"
    assert call("CreateCollection", request).code == 0, "the same again"
    assert call("CreateCollection", create(name, properties={"mine": "other"}, dynamic=dynamic)).code == 1100


def test_of_a_property_that_is_there_twice_the_last_counts(call, name):
    request = create(name, properties={"mine": "first"})
    request.properties.add(key="mine", value="last")
    assert call("CreateCollection", request).code == 0
    assert [pair.value for pair in described(call, name).properties if pair.key == "mine"] == ["last"]


# --- What a change of nothing changes --------------------------------------------------------------------------------

def test_a_collection_is_newer_after_a_change_and_only_then(call, name):
    assert call("CreateCollection", create(name)).code == 0

    def alter(delete=(), **properties):
        request = pb.AlterCollectionRequest(collection_name=name, delete_keys=delete)
        for key, value in properties.items():
            request.properties.add(key=key, value=value)
        return call("AlterCollection", request).code, described(call, name)
    first = described(call, name).update_timestamp
    code, told = alter(mine="words")
    assert code == 0 and told.update_timestamp > first
    for again in (alter(mine="words"), alter(delete=["nobodys"])):
        assert again == (0, told)
    for both in (alter(delete=["mine"], mine="x"), alter()):
        assert both == (1100, told)
    code, told = alter(delete=["mine"])
    assert code == 0 and "mine" not in {pair.key for pair in told.properties}


def test_a_renamed_collection_is_the_same_one(client, call, name):
    make(client, name, rows=10)
    old = described(call, name)
    renamed = name + "_new"
    for to, database, code in ((name, "", 1100), ("", "", 1100), (renamed, "nobodys", 800), (renamed, "", 0)):
        request = pb.RenameCollectionRequest(oldName=name, newName=to, newDBName=database)
        assert call("RenameCollection", request).code == code, (to, database)
    assert count(client, renamed) == 10, "it is loaded as it was"
    assert described(call, renamed).collectionID == old.collectionID
    with refused(100):
        count(client, name)
    make(client, name, rows=3)  # The old name is free.
    assert described(call, name).collectionID > old.collectionID and count(client, name) == 3
    assert call("RenameCollection", pb.RenameCollectionRequest(oldName=name, newName=renamed)).code == 1100
    client.drop_collection(renamed)


def test_a_dropped_collection_leaves_nothing_to_one_of_its_name(client, call, name):
    make(client, name, rows=10)
    client.flush(name)
    old = described(call, name).collectionID
    client.drop_collection(name)  # Although it is loaded.
    client.drop_collection(name)  # A second time, too.
    make(client, name)
    assert described(call, name).collectionID > old and count(client, name) == 0
    assert int(client.get_collection_stats(name)["row_count"]) == 0


# --- Databases -------------------------------------------------------------------------------------------------------

def request_of(kind, **members):
    made = getattr(pb, kind, None)
    return None if made is None else made(**{key: value for key, value in members.items()
                                             if key in made.DESCRIPTOR.fields_by_name})


# Of a database that is not there: (method, its request's members besides).
ELSEWHERE = [("DescribeCollection", {}), ("HasCollection", {}), ("ShowCollections", {}), ("ShowPartitions", {}),
             ("DescribeDatabase", {}), ("Insert", {}), ("Delete", {"expr": "id == 1"}), ("Query", {"expr": "id == 1"}),
             ("Flush", {"collection_names": ["c"]}), ("GetFlushState", {"flush_ts": 1}), ("GetLoadState", {}),
             ("GetLoadingProgress", {}), ("LoadCollection", {}), ("ReleaseCollection", {}), ("GetReplicas", {}),
             ("AlterCollection", {}), ("RenameCollection", {"oldName": "c", "newName": "d"}), ("TruncateCollection", {}),
             ("ManualCompaction", {}), ("GetCollectionStatistics", {}), ("CreatePartition", {"partition_name": "p"}),
             ("GetPersistentSegmentInfo", {"dbName": "nobodys", "collectionName": "c"}),
             ("GetQuerySegmentInfo", {"dbName": "nobodys", "collectionName": "c"}),
             ("LoadBalance", {"collectionName": "c"}), ("DescribeIndex", {}),
             ("CreateSnapshot", {"name": "s"}), ("ListSnapshots", {}), ("ListRestoreSnapshotJobs", {}),
             ("DescribeSnapshot", {"name": "s"}), ("PinSnapshotData", {"name": "s"})]


@pytest.mark.parametrize("method, members", ELSEWHERE, ids=[method for method, _ in ELSEWHERE])
def test_a_database_that_is_not_there_is_told(client, call, name, method, members):
    kind = {"ManualCompaction": "ManualCompactionRequest"}.get(method, method + "Request")
    request = request_of(kind, **{"db_name": "nobodys", "collection_name": "c", **members})
    if request is None:
        pytest.skip("the SDK cannot say it yet")
    if method == "AlterCollection":
        request.properties.add(key="mine", value="words")
    status = status_of(call(method, request))
    assert status.code == 800 and "nobodys" in status.reason, status


def test_what_needs_no_database_does_not_ask_for_it(call):
    nowhere = {"db_name": "nobodys"}
    assert status_of(call("Flush", pb.FlushRequest(**nowhere))).code == 0, "of no collections"
    assert status_of(call("DropCollection", pb.DropCollectionRequest(collection_name="c", **nowhere))).code == 0
    told = call("ListDatabases", pb.ListDatabasesRequest())
    assert (list(told.db_names), list(told.db_ids)) == (["default"], [1])
    assert call("DescribeDatabase", pb.DescribeDatabaseRequest()).db_name == "default"


# --- What is shown ---------------------------------------------------------------------------------------------------

def test_collections_in_memory_are_shown_by_name_or_all(client, call, name):
    other = name + "_b"
    make(client, name, rows=3)
    make(client, other, rows=3, load=False)

    def show(*names, kind=pb.ShowType.InMemory):
        answer = call("ShowCollections", pb.ShowCollectionsRequest(type=kind, collection_names=names))
        return answer.status.code or set(answer.collection_names)
    assert name in show() and other not in show()
    assert show(name) == {name}
    assert show(other) == show(name, other) == 101
    assert show("nobody") == 100 and show("1 bad") == 1100
    assert {name, other} <= show("nobody", kind=pb.ShowType.All), "names count for what is loaded"
    client.drop_collection(other)


# --- Partitions ------------------------------------------------------------------------------------------------------

def test_names_of_partitions_lose_the_blanks_around_them(client, call, name):
    make(client, name, load=False)
    for blank, code in ((" p-1 ", 0), ("\tp-1\n", 0), (" ", 1100), (" -p", 1100), ("p 1", 1100), (" " + "x" * 255, 0),
                        ("x" * 256, 1100)):
        request = pb.CreatePartitionRequest(collection_name=name, partition_name=blank)
        assert call("CreatePartition", request).code == code, repr(blank)
    assert sorted(client.list_partitions(name)) == ["_default", "p-1", "x" * 255]
    client.insert(name, [row(1, vectors(1)[0])], partition_name=" p-1")
    assert call("HasPartition", pb.HasPartitionRequest(collection_name=name, partition_name="p-1 ")).value
    assert status_of(call("LoadPartitions", pb.LoadPartitionsRequest(
        collection_name=name, partition_names=["p-1 "]))).code == 0
    until(lambda: call("GetLoadState", pb.GetLoadStateRequest(collection_name=name)).state == 3, "it is loaded")
    assert call("Query", query_request(name, partitions=[" p-1 "])).fields_data[0].scalars.long_data.data == [1]
    client.release_collection(name)
    client.drop_partition(name, " p-1 ")
    assert "p-1" not in client.list_partitions(name)


def test_partitions_are_dropped_once_they_are_released_and_others_are_not_there(client, call, name):
    make(client, name, rows=10)
    client.create_partition(name, "a")
    client.create_partition(name, "a")  # Again: nothing happens.
    client.insert(name, [row(50, vectors(1)[0])], partition_name="a")

    def drop(partition):
        return call("DropPartition", pb.DropPartitionRequest(collection_name=name, partition_name=partition)).code
    assert drop("a") == 1100 and drop("_default") == 1100 and drop("nobodys") == 0
    assert count(client, name) == 11
    client.release_collection(name)
    assert drop("a") == 0 and drop("_default") == 1100
    client.load_collection(name)
    assert count(client, name) == 10, "its rows went with it"


# --- Loads -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("more, code", [({"replica_number": -1}, 1100), ({"load_params": {"load_priority": "now"}}, 1100),
                                        ({"load_params": {"load_priority": "high"}}, 0)], ids=str)
def test_loads_are_asked_for_in_words_there_are(client, call, name, more, code):
    make(client, name, rows=3, load=False)
    for method, request in (
            ("LoadCollection", pb.LoadCollectionRequest(collection_name=name, **more)),
            ("LoadPartitions", pb.LoadPartitionsRequest(collection_name=name, partition_names=["_default"], **more))):
        assert call(method, request).code == code
        assert (call("GetLoadState", pb.GetLoadStateRequest(collection_name=name)).state == 1) == bool(code)
        client.release_collection(name)


# --- Compactions on request ------------------------------------------------------------------------------------------

# (what is asked for, the code, how many plans); of six segments, three in each of two partitions
ASKED = [({"majorCompaction": True}, 2304, 0), ({"majorCompaction": True, "l0Compaction": True}, 0, 0),
         ({"partition_id": 5}, 0, 0), ({"channel": "nobodys"}, 0, 0), ({"segment_ids": [5]}, 0, 0),
         ({"target_size": -1}, 1100, 0), ({"majorCompaction": True, "target_size": 100, "segment_ids": [5]}, 0, 0),
         ({"segment_ids": "two of one partition"}, 0, 1), ({"segment_ids": "one of each partition"}, 0, None),
         ({"partition_id": "the second"}, 0, 1), ({"majorCompaction": True, "target_size": 100}, 0, 1)]


def test_a_compaction_takes_what_is_asked_for(client, call, name):
    make(client, name, properties={"collection.autocompaction.enabled": "false"})
    client.create_partition(name, "p")
    for i in range(6):
        data = vectors(10, seed=i)
        client.insert(name, [row(i * 10 + j, data[j]) for j in range(10)], partition_name="p" if i % 2 else "_default")
        client.flush(name)

    def segments():
        answer = call("GetPersistentSegmentInfo", pb.GetPersistentSegmentInfoRequest(collectionName=name))
        return {info.segmentID: info.partitionID for info in answer.infos}
    for asked, code, plans in ASKED:
        before = segments()
        first, second = min(before.values()), max(before.values())
        ids = {"two of one partition": [key for key, partition in before.items() if partition == first][:2],
               "one of each partition": [next(key for key, one in before.items() if one == partition)
                                         for partition in (first, second)]}
        asked = {key: ids.get(value, value) if isinstance(value, str) and key == "segment_ids" else value
                 for key, value in asked.items()}
        if asked.get("partition_id") == "the second":
            asked["partition_id"] = second
        answer = call("ManualCompaction", pb.ManualCompactionRequest(collection_name=name, **asked))
        assert answer.status.code == code, (asked, answer.status)
        if code or plans == 0:
            assert answer.compactionPlanCount == 0 and (code or answer.compactionID == -1), (asked, answer)
            assert segments() == before
            continue
        assert plans is None or answer.compactionPlanCount == plans, (asked, answer)
        until(lambda job=answer.compactionID: client.get_compaction_state(job) == "Completed", "it is done")
        gone = set(before) - set(segments())
        assert gone <= set(asked.get("segment_ids", before)), (asked, gone)
        assert {before[key] for key in gone} <= {asked.get("partition_id", before[key]) for key in gone}
        assert count(client, name) == 60


# --- Snapshots -------------------------------------------------------------------------------------------------------

@pytest.mark.skipif(not hasattr(pb, "CreateSnapshotRequest"), reason="the SDK has no snapshots")
def test_names_of_snapshots_and_places_of_restores(client, call, name):
    make(client, name, rows=5)
    client.flush(name)
    target = name + "_copy"

    def make_one(snapshot):
        return call("CreateSnapshot", pb.CreateSnapshotRequest(collection_name=name, name=snapshot)).code
    for bad in ("", " ", "1a", "$a", "a b", "a-b", "ä", "x" * 256):
        assert make_one(bad) == 1100, bad
    assert make_one(" a$b ") == 0 and make_one("a$b") == 1100, "there is one"
    assert list(call("ListSnapshots", pb.ListSnapshotsRequest(collection_name=name)).snapshots) == ["a$b"]
    told = call("DescribeSnapshot", pb.DescribeSnapshotRequest(collection_name=name, name="a$b "))
    assert told.name == "a$b" and told.collection_name == name

    def restore(to, **more):
        return call("RestoreSnapshot", pb.RestoreSnapshotRequest(
            collection_name=name, name=" a$b", target_collection_name=to, **more))
    assert restore(name).status.code == 1100 and restore("").status.code == 1100
    assert restore(target, target_db_name="nobodys").status.code == 800
    assert not client.has_collection(target), "nowhere else instead"
    job = restore(target).job_id

    def state():
        return call("GetRestoreSnapshotState", pb.GetRestoreSnapshotStateRequest(job_id=job)).info
    until(lambda: state().progress == 100, "it is restored")
    assert (state().db_name, state().collection_name, state().snapshot_name) == ("default", target, "a$b")
    jobs = call("ListRestoreSnapshotJobs", pb.ListRestoreSnapshotJobsRequest(collection_name=target)).jobs
    assert [one.job_id for one in jobs] == [job]
    assert call("DropSnapshot", pb.DropSnapshotRequest(collection_name=name, name=" a$b ")).code == 0
    assert not call("ListSnapshots", pb.ListSnapshotsRequest(collection_name=name)).snapshots
    client.drop_collection(target)
