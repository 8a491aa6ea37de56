"""Schemas that change under a live, full collection: fields and structs that come and go, limits that move, readers
and writers meanwhile."""
import threading

import pytest
from pymilvus import DataType, Function, FunctionType, MilvusClient, MilvusException
from pymilvus.grpc_gen import common_pb2, milvus_pb2, schema_pb2

from server_process import Server
from support import DIM, add_index, count, make, refused, row, vectors
from test_compaction import OPTIONS, compact
from wire import column, insert_request, status_of

ROWS = 300

# What pymilvus 2.6 has no call for.
newer_sdk = pytest.mark.skipif(not hasattr(MilvusClient, "drop_collection_field"), reason="the SDK cannot say it yet")


@pytest.fixture
def tidy(binary, tmp_path):
    with Server(binary, str(tmp_path / "data"), arguments=OPTIONS) as running:
        yield running


def full(client, name, index="HNSW", sealed=True, **more):
    """Sealed rows with an index, and growing ones behind them."""
    data = make(client, name, index=index, params={"M": 8, "efConstruction": 40} if index == "HNSW" else {},
                level="Strong", **more)
    data = vectors(ROWS)
    client.insert(name, [row(i, data[i]) for i in range(ROWS // 2)])
    if sealed:
        client.flush(name)
    client.insert(name, [row(i, data[i]) for i in range(ROWS // 2, ROWS)])
    return data


def read(client, name, field, text="id >= 0"):
    found = client.query(name, filter=text, output_fields=["id", field], limit=16384)
    return {r["id"]: r[field] for r in found}


def field_of(client, name, field):
    return {f["name"]: f for f in client.describe_collection(name)["fields"]}[field]


KINDS = {
    "flag": (DataType.BOOL, {}, True),
    "small": (DataType.INT8, {}, -5),
    "number": (DataType.INT64, {}, 1 << 40),
    "real": (DataType.DOUBLE, {}, 0.25),
    "words": (DataType.VARCHAR, {"max_length": 32}, "as it was"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("has_default", [False, True])
def test_a_new_field_reads_as_null_or_its_default_in_old_rows(client, name, kind, has_default):
    full(client, name)
    data_type, params, default = KINDS[kind]
    more = {"default_value": default} if has_default else {}
    client.add_collection_field(name, "new", data_type, nullable=True, **params, **more)
    told = field_of(client, name, "new")
    assert told["type"] == data_type and told["nullable"]
    assert told["field_id"] > max(f["field_id"] for f in client.describe_collection(name)["fields"]
                                  if f["name"] != "new")
    old = default if has_default else None
    assert set(read(client, name, "new").values()) == {old}
    assert count(client, name, "new is null") == (0 if has_default else ROWS)
    literal = f'"{default}"' if kind == "words" else str(default).lower() if kind == "flag" else default
    assert count(client, name, f"new == {literal}") == (ROWS if has_default else 0)
    fresh = vectors(3, seed=4)
    client.insert(name, [dict(row(1000, fresh[0]), new=default), dict(row(1001, fresh[1]), new=None),
                         row(1002, fresh[2])])
    values = read(client, name, "new", "id >= 1000")
    assert values == {1000: default, 1001: old, 1002: old}
    assert count(client, name, f"new == {literal}") == (ROWS + 3 if has_default else 1)
    hits = client.search(name, [fresh[0]], filter=f"new == {literal}", limit=1, output_fields=["new"])[0]
    assert (hits[0]["id"], hits[0]["entity"]["new"]) == (1000, default)


def test_a_new_field_is_there_in_every_state_of_a_row(tidy):
    client = MilvusClient(uri=tidy.uri)
    full(client, "c")
    client.add_collection_field("c", "grade", DataType.INT32, nullable=True)
    client.add_collection_field("c", "kind", DataType.VARCHAR, max_length=16, nullable=True, default_value="plain")
    data = vectors(ROWS, seed=8)
    client.insert("c", [dict(row(ROWS + i, data[i]), grade=i, kind=f"k{i % 3}") for i in range(100)])
    client.upsert("c", [dict(row(5, data[5]), grade=-5, kind="up")])

    def check():
        grades, kinds = read(client, "c", "grade"), read(client, "c", "kind")
        assert len(grades) == ROWS + 100
        for key in grades:
            wanted = (-5, "up") if key == 5 else (None, "plain") if key < ROWS else (key - ROWS, f"k{(key - ROWS) % 3}")
            assert (grades[key], kinds[key]) == wanted, key
        assert count(client, "c", "grade >= 50") == 50
        assert count(client, "c", 'kind == "plain" and grade is null') == ROWS - 1
        hits = client.search("c", [data[7]], filter='kind == "k1"', limit=1, output_fields=["grade"])[0]
        assert hits[0]["entity"]["grade"] == 7

    check()
    client.flush("c")
    check()
    indexes = client.prepare_index_params()
    indexes.add_index("grade", index_type="STL_SORT")
    indexes.add_index("kind", index_type="INVERTED")
    client.create_index("c", indexes)
    check()
    compact(client, "c")
    check()
    client.release_collection("c")
    client.load_collection("c")
    check()
    client.close()
    tidy.kill()
    tidy.start()
    client = MilvusClient(uri=tidy.uri)
    client.load_collection("c")
    check()
    assert client.describe_collection("c").get("schema_version", 2) == 2
    stats = client.get_collection_stats("c")
    assert int(stats["schema_version_consistent_segments"]) == int(stats["schema_version_total_segments"]) >= 1
    client.close()


def test_a_new_field_of_arrays_and_documents_is_null_in_old_rows(client, name):
    full(client, name)
    client.add_collection_field(name, "tags", DataType.ARRAY, element_type=DataType.VARCHAR, max_capacity=4,
                                max_length=16, nullable=True)
    client.add_collection_field(name, "doc", DataType.JSON, nullable=True)
    client.insert(name, [dict(row(1000, vectors(1)[0]), tags=["a", "b"], doc={"k": [1, 2]})])
    assert set(map(str, read(client, name, "tags").values())) == {"None", "['a', 'b']"}
    assert count(client, name, 'array_contains(tags, "b")') == 1
    assert count(client, name, 'json_contains(doc["k"], 2)') == 1
    assert count(client, name, "doc is null") == ROWS


@newer_sdk
def test_a_new_vector_field_is_searched_where_rows_have_it(client, name):
    data = full(client, name)
    client.add_collection_field(name, "other", DataType.FLOAT_VECTOR, dim=4, nullable=True)
    add_index(client, name, "HNSW", params={"M": 8, "efConstruction": 40}, field="other")
    assert client.search(name, [[0.0] * 4], anns_field="other", limit=5)[0] == []
    client.insert(name, [dict(row(1000 + i, data[i]), other=[float(i)] * 4) for i in range(20)])
    for _ in range(2):
        hits = client.search(name, [[3.1] * 4], anns_field="other", limit=3, output_fields=["other"])[0]
        assert [hit["id"] for hit in hits] == [1003, 1004, 1002]
        hits = client.search(name, [data[9]], anns_field="vector", limit=2, output_fields=["other"])[0]
        assert {hit["id"]: hit["entity"]["other"] for hit in hits} == {9: None, 1009: [9.0] * 4}
        client.flush(name)
        client.release_collection(name)
        client.load_collection(name)


@newer_sdk
def test_a_new_struct_is_null_in_old_rows(client, name):
    data = full(client, name)
    parts = client.create_struct_field_schema()
    parts.add_field("label", DataType.VARCHAR, max_length=16)
    parts.add_field("spot", DataType.FLOAT_VECTOR, dim=4)
    client.add_collection_struct_field(name, "clips", parts, max_capacity=8)
    clips = [{"label": "a", "spot": [1.0] * 4}, {"label": "b", "spot": [2.0] * 4}]
    client.insert(name, [dict(row(1000, data[0]), clips=clips), row(1001, data[1])])
    found = read(client, name, "clips", "id in [3, 1000, 1001]")
    assert found[3] is None and found[1001] is None
    assert [clip["label"] for clip in found[1000]] == ["a", "b"]
    client.flush(name)
    assert read(client, name, "clips", "id in [3, 1000]")[3] is None
    with refused(1100, "nullable"):
        request = milvus_pb2.AddCollectionStructFieldRequest(collection_name=name)
        request.struct_array_field_schema.name = "more"
        part = request.struct_array_field_schema.fields.add(name="n", data_type=schema_pb2.Array,
                                                            element_type=schema_pb2.Int64)
        part.type_params.add(key="max_capacity", value="4")
        status = client._get_connection()._stub.AddCollectionStructField(request)
        if status.code:
            raise MilvusException(status.code, status.reason)
    client.drop_collection_field(name, "clips")
    assert "clips" not in read_all(client, name)[3]


def read_all(client, name, text="id >= 0"):
    return {r["id"]: r for r in client.query(name, filter=text, output_fields=["*"], limit=16384)}


@newer_sdk
def test_a_dropped_field_is_gone_and_its_name_begins_anew(tidy):
    client = MilvusClient(uri=tidy.uri)
    data = full(client, "c")
    indexes = client.prepare_index_params()
    indexes.add_index("group", index_type="INVERTED")
    client.create_index("c", indexes)
    old_id = field_of(client, "c", "group")["field_id"]
    client.drop_collection_field("c", "group")
    assert "group" not in client.list_indexes("c")
    for act in (lambda: client.query("c", filter="group == 1", limit=1),
                lambda: client.query("c", filter="id >= 0", output_fields=["group"], limit=1),
                lambda: client.insert("c", [row(9000, data[0])])):
        with pytest.raises(MilvusException):
            act()
    assert set(read_all(client, "c")[3]) == {"id", "name", "vector"}
    client.insert("c", [{"id": 1000, "name": "n", "vector": data[0]}])
    client.add_collection_field("c", "group", DataType.VARCHAR, max_length=16, nullable=True)
    assert field_of(client, "c", "group")["field_id"] > old_id
    client.insert("c", [{"id": 1001, "name": "n", "vector": data[0], "group": "text"}])

    def check():
        groups = read(client, "c", "group")
        assert len(groups) == ROWS + 2
        assert {key: value for key, value in groups.items() if value is not None} == {1001: "text"}

    check()
    client.flush("c")
    compact(client, "c")
    check()
    client.close()
    tidy.kill()
    tidy.start()
    client = MilvusClient(uri=tidy.uri)
    client.load_collection("c")
    check()
    # Ids are not given again, whatever was dropped before the restart.
    client.drop_collection_field("c", "group")
    last = max(f["field_id"] for f in client.describe_collection("c")["fields"])
    client.add_collection_field("c", "another", DataType.INT64, nullable=True)
    assert field_of(client, "c", "another")["field_id"] > last + 1
    client.close()


@newer_sdk
def test_what_cannot_be_dropped_stays(client, name):
    schema = client.create_schema(auto_id=False, enable_dynamic_field=True)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("tenant", DataType.INT64, is_partition_key=True)
    schema.add_field("order", DataType.INT64, is_clustering_key=True)
    schema.add_field("text", DataType.VARCHAR, max_length=64, enable_analyzer=True)
    schema.add_field("counts", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(Function("bm25", FunctionType.BM25, ["text"], ["counts"]))
    client.create_collection(name, schema=schema)
    for field in ("id", "tenant", "order", "text", "counts", "$meta", "RowID", "unknown"):
        with refused(1100):
            client.drop_collection_field(name, field)
    with refused(1100):
        client.drop_collection_field(name, field_id=9999)
    with refused(1100, "bm25"):
        client.drop_collection_function(name, "bm25")
    with refused(1100, "last vector"):
        client.drop_function_field(name, "bm25")
    client.add_collection_field(name, "vector", DataType.FLOAT_VECTOR, dim=DIM, nullable=True)
    client.drop_function_field(name, "bm25")
    told = client.describe_collection(name)
    assert told["functions"] == [] and "counts" not in [f["name"] for f in told["fields"]]
    with refused(1100, "last vector"):
        client.drop_collection_field(name, "vector")


def add(call, collection, **field):
    """AddCollectionField as it is, without what the SDK checks first."""
    params = field.pop("params", {})
    schema = schema_pb2.FieldSchema(**field)
    for key, value in params.items():
        schema.type_params.add(key=key, value=str(value))
    request = milvus_pb2.AddCollectionFieldRequest(collection_name=collection, schema=schema.SerializeToString())
    return status_of(call("AddCollectionField", request))


def test_fields_that_cannot_be_added(client, name, call):
    make(client, name)
    number = dict(data_type=schema_pb2.Int64, nullable=True)
    refusals = [
        (dict(number, name="group"), "duplicated"),
        (dict(number, name="RowID"), "system"),
        (dict(number, name="$meta"), "system"),
        (dict(number, name="new", nullable=False), "nullable"),
        (dict(number, name="new", is_primary_key=True), "primary"),
        (dict(number, name="new", autoID=True), "autoid"),
        (dict(number, name="new", is_partition_key=True), "partition key"),
        (dict(number, name="new", data_type=77), "data type"),
        (dict(number, name="new", data_type=schema_pb2.FloatVector), "dim"),
        (dict(number, name="new", data_type=schema_pb2.FloatVector, params={"dim": 1}), "dim"),
    ]
    for field, words in refusals:
        status = add(call, name, **field)
        assert status.code == 1100 and words in status.reason.lower(), (field, status.reason)
    assert add(call, name, **dict(number, name="1st")).code == 1701
    assert add(call, name, **dict(number, name="new", data_type=schema_pb2.VarChar)).code == 1101
    assert add(call, "nowhere_" + name, **dict(number, name="new")).code == 100
    bad = milvus_pb2.AddCollectionFieldRequest(collection_name=name, schema=b"\xff\xff\xff")
    assert status_of(call("AddCollectionField", bad)).code == 65535
    assert client.describe_collection(name)["fields"][-1]["name"] == "vector"
    for i in range(60):
        assert add(call, name, **dict(number, name=f"f{i}")).code == 0
    assert add(call, name, **dict(number, name="one_more")).code == 1100


def test_a_writer_with_an_old_schema_is_told_so(client, name, call):
    make(client, name, level="Strong")
    described = call("DescribeCollection", milvus_pb2.DescribeCollectionRequest(collection_name=name))
    before = described.update_timestamp
    client.add_collection_field(name, "new", DataType.INT64, nullable=True)
    request = insert_request(name, [column("id", "Int64", [1, 2]), column("group", "Int64", [1, 2]),
                                    column("name", "VarChar", ["a", "b"]),
                                    column("vector", "FloatVector", [0.0] * 2 * DIM, dim=DIM)])
    request.schema_timestamp = before
    assert status_of(call("Insert", request)).code == 109
    described = call("DescribeCollection", milvus_pb2.DescribeCollectionRequest(collection_name=name))
    assert described.update_timestamp > before and described.schema.version == 1
    request.schema_timestamp = described.update_timestamp
    assert status_of(call("Insert", request)).code == 0
    client.insert(name, [dict(row(5, vectors(1)[0]), new=7)])
    assert read(client, name, "new") == {1: None, 2: None, 5: 7}


def test_a_second_client_follows_the_schema(server, name):
    one, two = MilvusClient(uri=server.uri), MilvusClient(uri=server.uri)
    data = make(one, name, rows=3, level="Strong")
    two.insert(name, [row(10, data[0])])  # Keeps the schema.
    one.add_collection_field(name, "new", DataType.INT64, nullable=True)
    two.insert(name, [dict(row(11, data[0]), new=4)])
    two.upsert(name, [dict(row(10, data[0]), new=5)])
    assert read(two, name, "new") == {0: None, 1: None, 2: None, 10: 5, 11: 4}
    two.drop_collection(name)
    one.close()
    two.close()


def test_limits_of_fields_move(client, name):
    make(client, name, level="Strong")
    client.insert(name, [dict(row(1, vectors(1)[0]), name="n" * 60)])
    with refused(1100):
        client.insert(name, [dict(row(2, vectors(1)[0]), name="n" * 100)])
    client.alter_collection_field(name, "name", {"max_length": 200})
    assert field_of(client, name, "name")["params"]["max_length"] == 200
    client.insert(name, [dict(row(2, vectors(1)[0]), name="n" * 100)])
    client.alter_collection_field(name, "name", {"max_length": 10})
    with refused(1100):
        client.insert(name, [dict(row(3, vectors(1)[0]), name="n" * 11)])
    assert sorted(map(len, read(client, name, "name").values())) == [60, 100]
    for field, params in (("group", {"max_length": 10}), ("name", {"max_length": 65536}), ("name", {"max_length": "x"}),
                          ("name", {"max_capacity": 4}), ("name", {"dim": 4}), ("name", {"analyzer_params": "{}"}),
                          ("name", {"warmup": "x"})):
        with pytest.raises(MilvusException) as caught:
            client.alter_collection_field(name, field, params)
        assert caught.value.code in (1100, 104), (field, params, caught.value)
    with pytest.raises(MilvusException) as caught:
        client.alter_collection_field(name, "unknown", {"max_length": 4})
    assert caught.value.code in (1100, 1700)


def test_how_a_field_is_held_changes_while_it_is_released(client, name):
    full(client, name)
    for key, value in (("mmap.enabled", "false"), ("warmup", "sync")):
        with refused(104):
            client.alter_collection_field(name, "vector", {key: value})
    client.release_collection(name)
    client.alter_collection_field(name, "vector", {"mmap_enabled": False, "warmup": "sync"})
    client.alter_index_properties(name, "vector", {"mmap.enabled": "false"})
    told = client.describe_index(name, "vector")
    assert str(told["mmap.enabled"]).lower() == "false"
    with refused(1100):
        client.alter_index_properties(name, "vector", {"M": 4})
    with refused(700):
        client.alter_index_properties(name, "unknown", {"mmap.enabled": "true"})
    client.load_collection(name)
    assert count(client, name) == ROWS
    with refused(104):
        client.alter_index_properties(name, "vector", {"mmap.enabled": "true"})
    client.release_collection(name)
    client.drop_index_properties(name, "vector", ["mmap.enabled"])
    assert "mmap.enabled" not in client.describe_index(name, "vector")


def test_properties_of_a_live_collection(client, name):
    full(client, name, sealed=False)
    client.alter_collection_properties(name, {"my own": "words", "consistency_level": "Bounded"})
    told = client.describe_collection(name)
    assert told["properties"]["my own"] == "words"
    assert told["consistency_level_name"] == "Bounded"
    client.drop_collection_properties(name, ["my own"])
    assert "my own" not in client.describe_collection(name)["properties"]
    refusals = [({"allow_insert_auto_id": "true"}, 1100), ({"allow_insert_auto_id": "what"}, 1100),
                ({"consistency_level": "what"}, 1100), ({"namespace.mode": "partition"}, 1100),
                ({"namespace.sharding.enabled": "true"}, 1100), ({"collection.external_source": "s3"}, 1100),
                ({"timezone": "Moon/Sea"}, 1100), ({"collection.autocompaction.enabled": "what"}, 1100),
                ({"warmup.what": "sync"}, 1100), ({"mmap.enabled": "true"}, 104), ({"max_field_id": "1"}, 1100),
                ({"partitionkey.isolation": "true"}, 105),
                ({"dynamicfield.enabled": "true", "a": "b"}, 1100)]
    for properties, code in refusals:
        with pytest.raises(MilvusException) as caught:
            client.alter_collection_properties(name, properties)
        assert caught.value.code == code, (properties, caught.value)
    with refused(1100):
        client.drop_collection_properties(name, ["dynamicfield.enabled"])
    assert count(client, name) == ROWS


def test_the_dynamic_field_comes_and_goes(client, name):
    data = full(client, name)
    with pytest.raises(Exception):
        client.insert(name, [dict(row(1000, data[0]), extra=1)])
    client.alter_collection_properties(name, {"dynamicfield.enabled": "true"})
    assert client.describe_collection(name)["enable_dynamic_field"]
    client.insert(name, [dict(row(1000, data[0]), extra=1)])
    assert count(client, name, "extra == 1") == 1
    assert count(client, name, "not exists extra") == ROWS
    client.flush(name)
    assert count(client, name, "extra == 1") == 1
    client.alter_collection_properties(name, {"dynamicfield.enabled": "false"})
    assert not client.describe_collection(name)["enable_dynamic_field"]
    with pytest.raises(MilvusException):
        count(client, name, "extra == 1")
    assert count(client, name) == ROWS + 1


def test_readers_and_writers_meet_one_schema_or_the_other(server, name):
    """Fields come (and go, where the SDK can) while rows are written, deleted, searched and queried."""
    client = MilvusClient(uri=server.uri)
    data = full(client, name, index="FLAT")
    wrong, done = [], threading.Event()
    written = []

    def write():
        try:
            own = MilvusClient(uri=server.uri)
            for key in range(10000, 10400):
                if done.is_set():
                    break
                while True:
                    try:
                        own.insert(name, [row(key, data[key % ROWS])])
                        break
                    except MilvusException as error:  # The SDK asks for the newer schema once only.
                        assert "schema mismatch" in str(error), error
                written.append(key)
            own.close()
        except Exception as error:  # noqa: BLE001
            wrong.append(error)

    def reads():
        try:
            own = MilvusClient(uri=server.uri)
            while not done.is_set():
                found = own.query(name, filter="id < 300", output_fields=["*"], limit=400, consistency_level="Strong")
                assert len(found) == ROWS
                kinds = {frozenset(r) for r in found}
                assert len(kinds) == 1, f"rows of two schemas: {kinds}"
                hits = own.search(name, [data[7]], filter="group == 7", limit=3, output_fields=["*"],
                                  consistency_level="Strong")[0]
                assert hits[0]["entity"]["name"] == "row 7"
            own.close()
        except Exception as error:  # noqa: BLE001
            wrong.append(error)

    threads = [threading.Thread(target=work) for work in (write, reads, reads)]
    for thread in threads:
        thread.start()
    can_drop = hasattr(client, "drop_collection_field")
    for turn in range(12):
        client.add_collection_field(name, f"new{turn}", DataType.INT64, nullable=True, default_value=turn)
        assert set(read(client, name, f"new{turn}", "id < 300").values()) == {turn}
        if turn % 3 == 1:
            client.flush(name)
        if can_drop and turn % 2:
            client.drop_collection_field(name, f"new{turn - 1}")
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert count(client, name) == ROWS + len(written)
    found = read(client, name, "new11", "id >= 10000")
    assert sorted(found) == written and set(found.values()) <= {11}
    client.drop_collection(name)
    client.close()


def test_a_snapshot_has_the_schema_of_its_moment(tidy):
    client = MilvusClient(uri=tidy.uri)
    if not hasattr(client, "create_snapshot"):
        pytest.skip("the SDK has no snapshots")
    from test_snapshots import restore
    full(client, "c")
    client.add_collection_field("c", "early", DataType.INT64, nullable=True, default_value=3)
    client.flush("c")
    client.create_snapshot("s", "c")
    client.add_collection_field("c", "late", DataType.INT64, nullable=True)
    client.drop_collection_field("c", "early")
    restore(client, "s", "c", "again")
    client.load_collection("again")
    assert [f["name"] for f in client.describe_collection("again")["fields"]] == ["id", "group", "name", "vector",
                                                                                  "early"]
    assert set(read(client, "again", "early").values()) == {3}
    client.close()


@newer_sdk
def test_functions_of_stored_text_are_not_added_alone(client, name):
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=64, enable_analyzer=True)
    schema.add_field("counts", DataType.SPARSE_FLOAT_VECTOR)
    client.create_collection(name, schema=schema)
    function = Function("bm25", FunctionType.BM25, ["text"], ["counts"])
    with refused(1100, "bm25"):
        client.add_collection_function(name, function)
    with refused(1100):
        client.alter_collection_function(name, "other", function)
    client.drop_collection_function(name, "unknown")


def test_requests_that_say_nothing_are_refused(client, name, call):
    make(client, name)
    request = milvus_pb2.AlterCollectionSchemaRequest(collection_name=name) \
        if hasattr(milvus_pb2, "AlterCollectionSchemaRequest") else None
    if request is not None:
        assert call("AlterCollectionSchema", request).alter_status.code == 1100
        request.action.add_request.SetInParent()
        assert call("AlterCollectionSchema", request).alter_status.code == 1100
        request.action.drop_request.SetInParent()
        assert call("AlterCollectionSchema", request).alter_status.code == 1101
    pair = common_pb2.KeyValuePair(key="mmap.enabled", value="true")
    both = milvus_pb2.AlterIndexRequest(collection_name=name, index_name="vector", extra_params=[pair],
                                        delete_keys=["warmup"])
    assert status_of(call("AlterIndex", both)).code == 1100
    assert status_of(call("AlterIndex", milvus_pb2.AlterIndexRequest(collection_name=name))).code == 1100
    assert status_of(call("AlterCollectionField", milvus_pb2.AlterCollectionFieldRequest(
        collection_name=name, field_name="name"))).code == 1100
    assert status_of(call("AlterCollection", milvus_pb2.AlterCollectionRequest(collection_name=name))).code == 1100
