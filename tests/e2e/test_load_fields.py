"""Loading some of the fields: others are unknown to reads, and need no index."""
import pytest
import test_schema_rules as schema_rules
from pymilvus import DataType, MilvusClient, MilvusException
from support import add_index, count, refused

DIM = 4
ROWS = 200


def make(client, name, dynamic=True, second_index=False):
    schema = client.create_schema(auto_id=False, enable_dynamic_field=dynamic)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("number", DataType.INT64)
    schema.add_field("words", DataType.VARCHAR, max_length=64)
    schema.add_field("first", DataType.FLOAT_VECTOR, dim=DIM)
    schema.add_field("second", DataType.FLOAT_VECTOR, dim=DIM)
    client.create_collection(name, schema=schema, consistency_level="Strong")
    for half in range(2):
        client.insert(name, [dict({"id": i, "number": i % 7, "words": f"w{i}", "first": [float(i)] * DIM,
                                   "second": [float(-i)] * DIM}, **({"extra": i} if dynamic else {}))
                             for i in range(half * ROWS // 2, (half + 1) * ROWS // 2)])
        if half == 0:
            client.flush(name)
    indexes = client.prepare_index_params()
    indexes.add_index("first", index_type="FLAT", metric_type="L2")
    if second_index:
        indexes.add_index("second", index_type="FLAT", metric_type="L2")
    client.create_index(name, indexes)


def fields_of(client, name):
    return set(client.query(name, "id == 3", output_fields=["*"])[0])


def test_fields_that_are_not_loaded_are_unknown_to_reads(client, name):
    make(client, name)
    client.load_collection(name, load_fields=["id", "number", "first"], skip_load_dynamic_field=True)
    assert fields_of(client, name) == {"id", "number", "first"}
    assert count(client, name, "number == 3") == len([i for i in range(ROWS) if i % 7 == 3])
    hits = client.search(name, [[5.0] * DIM], anns_field="first", limit=2, output_fields=["number"])[0]
    assert hits[0]["id"] == 5 and hits[0]["entity"]["number"] == 5
    for text in ('words == "w1"', "extra == 3", "exists extra"):
        with pytest.raises(MilvusException) as caught:
            client.query(name, text, output_fields=["id"])
        assert caught.value.code == 1100, text
    with pytest.raises(MilvusException):
        client.query(name, "id == 3", output_fields=["words"])
    with pytest.raises(MilvusException):
        client.search(name, [[5.0] * DIM], anns_field="second", limit=2)
    # Writes know all fields.
    client.upsert(name, [{"id": 3, "number": 3, "words": "new", "first": [3.0] * DIM, "second": [0.0] * DIM,
                          "extra": 1}])
    if "partial_update" in MilvusClient.upsert.__doc__:
        client.upsert(name, [{"id": 4, "number": 100}], partial_update=True)
        assert client.query(name, "number == 100", output_fields=["id"]) == [{"id": 4}]


def test_what_is_loaded_can_be_changed(own_server):
    client = MilvusClient(uri=own_server.uri)
    make(client, "t", second_index=True)
    client.load_collection("t", load_fields=["id", "first"])
    # The dynamic field is loaded unless the request says otherwise.
    assert fields_of(client, "t") == {"id", "first", "extra"}
    # What was left out is no key of it.
    with refused(1100, "not loaded"):
        client.query("t", 'words == "w1"', output_fields=["id"])
    with refused(1100, "not loaded"):
        client.query("t", "id == 1", output_fields=["words"])
    own_server.kill()
    own_server.start()
    client = MilvusClient(uri=own_server.uri)
    client.load_collection("t", load_fields=["id", "first", "second"])
    assert fields_of(client, "t") == {"id", "first", "second", "extra"}
    hits = client.search("t", [[-5.0] * DIM], anns_field="second", limit=1)[0]
    assert hits[0]["id"] == 5
    client.load_collection("t")
    everything = {"id", "number", "words", "first", "second", "extra"}
    assert fields_of(client, "t") == everything
    client.load_collection("t", load_fields=["id", "first"])
    client.release_collection("t")
    client.load_collection("t")
    assert fields_of(client, "t") == everything
    client.close()


def field(name, kind, **flags):
    """The SDK has no word for this parameter."""
    skips = flags.pop("skips", None)
    made = schema_rules.field(name, kind, **flags)
    if skips is not None:
        made.type_params.add(key="field.skipLoad", value=skips)
    return made


def test_a_field_may_say_that_it_is_left_out(client, call, name):
    first, second = (field(one, "FloatVector", params={"dim": DIM}, skips=skips)
                     for one, skips in (("first", "false"), ("second", "true")))
    assert call("CreateCollection", schema_rules.create(name, schema_rules.KEY, first, second)).code == 0
    client.insert(name, [{"id": 3, "first": [0.0] * DIM, "second": [1.0] * DIM}])
    add_index(client, name, "FLAT", field="first")
    client.load_collection(name)
    assert fields_of(client, name) == {"id", "first"}
    add_index(client, name, "FLAT", field="second")
    client.load_collection(name, load_fields=["id", "second"])
    assert fields_of(client, name) == {"id", "second"}, "who names it gets it"


def test_lists_that_leave_out_too_much_are_refused(client, name):
    make(client, name)
    cases = [(["number", "first"], 1100, "primary key"), (["id", "number"], 1100, "vector"),
             (["id", "first", "unknown"], None, "unknown")]
    for names, code, words in cases:
        with pytest.raises(MilvusException) as caught:
            client.load_collection(name, load_fields=names)
        assert code is None or caught.value.code == code, (names, caught.value)
        assert words in str(caught.value), names
    with refused(1100, "vector"):
        client.load_collection(name, load_fields=["id", "second", "first"])  # second has no index.


@pytest.mark.parametrize("flag", ["is_primary_key", "is_partition_key", "is_clustering_key"])
def test_keys_cannot_be_left_out(call, name, flag):
    key = field("key", "Int64", skips="true", **{flag: True})
    others = [] if flag == "is_primary_key" else [schema_rules.KEY]
    status = call("CreateCollection", schema_rules.create(name, *others, key, schema_rules.VECTOR))
    assert status.code == 1100 and "left out" in status.reason, status


@pytest.mark.parametrize("skips, words", [("true", "left out"), ("maybe", "skipLoad")])
def test_some_vector_is_always_loaded(call, name, skips, words):
    only = field("vector", "FloatVector", params={"dim": DIM}, skips=skips)
    status = call("CreateCollection", schema_rules.create(name, schema_rules.KEY, only))
    assert status.code == 1100 and words in status.reason, status
