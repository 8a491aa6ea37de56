"""What a schema that lives may become, rule by rule, each with its code, and what describe shows of it; messages are
made by hand, past the SDK."""
import pytest
from pymilvus import MilvusClient
from pymilvus.grpc_gen import milvus_pb2, schema_pb2
from server_process import Server
from support import DIM, refused, settings, vectors
from test_schema_rules import KEY, VECTOR, create, default, field
from test_schema_rules_more import NUMBER, TEXT, function, part, struct
from wire import calls, column, insert_request, status_of


def described(call, name):
    return call("DescribeCollection", milvus_pb2.DescribeCollectionRequest(collection_name=name))


# --- What describe shows ---------------------------------------------------------------------------------------------

def test_describe_shows_ids_properties_and_none_of_its_own_fields(client, call, name):
    request = create(name, KEY, VECTOR, enable_dynamic_field=True, struct_array_fields=[struct(NUMBER, part("other"))],
                     properties={"mine": "words"})
    assert call("CreateCollection", request).code == 0
    told = described(call, name)
    assert [(one.name, one.fieldID) for one in told.schema.fields] == [("id", 100), ("vector", 101)]
    things = told.schema.struct_array_fields[0]
    assert (things.name, things.fieldID) == ("things", 103), "$meta has 102 and is not shown"
    assert [(one.name, one.fieldID) for one in things.fields] == [("number", 104), ("other", 105)]
    properties = {pair.key: pair.value for pair in told.properties}
    assert properties == {"mine": "words", "timezone": "UTC", "max_field_id": "105",
                          "namespace.sharding.enabled": "false"}
    assert told.schema.version == 0 and told.shards_num == 1 and told.num_partitions == 1


def test_a_collection_is_made_like_another(client, call, name):
    assert call("CreateCollection", create(name, KEY, VECTOR)).code == 0
    properties = {pair.key: pair.value for pair in described(call, name).properties}
    again = create(name, KEY, VECTOR, properties=properties)
    assert call("CreateCollection", again).code == 0, "the same, in what the server itself said"
    other = create(name + "_b", KEY, VECTOR, field("x", "Int64"), properties=properties)
    assert call("CreateCollection", other).code == 0
    told = {pair.key: pair.value for pair in described(call, name + "_b").properties}
    assert told == {**properties, "max_field_id": "102"}
    client.drop_collection(name + "_b")


def test_the_highest_id_is_that_of_every_field_there_has_been(client, call, name):
    assert call("CreateCollection", create(name, KEY, VECTOR)).code == 0
    assert add(call, name, "a", "Int64").code == 0
    properties = {pair.key: pair.value for pair in described(call, name).properties}
    assert properties["max_field_id"] == "102"


def test_functions_are_counted_from_100(call, name):
    counts = [field(f"counts{i}", "SparseFloatVector") for i in range(2)]
    request = create(name, KEY, VECTOR, TEXT, *counts, functions=[
        function(name=f"f{i}", outputs=[f"counts{i}"]) for i in range(2)])
    assert call("CreateCollection", request).code == 0
    told = described(call, name).schema
    assert [one.id for one in told.functions] == [100, 101]
    assert [list(one.output_field_ids) for one in told.functions] == [[103], [104]]
    assert [list(one.input_field_ids) for one in told.functions] == [[102], [102]]


def test_reserved_names_are_refused(client, call, name):
    assert call("CreateCollection", create(name, KEY, VECTOR, field("$namespace_id", "Int64"))).code == 1701
    assert not client.has_collection(name)


# --- Keys that clients bring -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("yes", ["true", "True", "TRUE", "t", "1"])
def test_clients_may_bring_keys_where_the_collection_allows_it(client, call, name, yes):
    key = field("id", "Int64", is_primary_key=True, autoID=True)
    assert call("CreateCollection", create(name, key, VECTOR)).code == 0
    rows = [column("id", "Int64", [7, 8]), column("vector", "FloatVector", vectors(2).ravel(), DIM)]
    assert status_of(call("Insert", insert_request(name, rows))).code == 1100
    client.alter_collection_properties(name, {"allow_insert_auto_id": yes})
    answer = call("Insert", insert_request(name, rows))
    assert answer.status.code == 0 and list(answer.IDs.int_id.data) == [7, 8]
    made = call("Insert", insert_request(name, rows[1:]))
    assert made.insert_cnt == 2 and not {7, 8} & set(made.IDs.int_id.data), "those that bring none get theirs"
    client.alter_collection_properties(name, {"allow_insert_auto_id": "false"})
    assert status_of(call("Insert", insert_request(name, rows))).code == 1100


# --- Fields and structs that are added -------------------------------------------------------------------------------

def add(call, name, field_name, kind, nullable=True, **more):
    made = field(field_name, kind, nullable=nullable, **more)
    request = milvus_pb2.AddCollectionFieldRequest(collection_name=name, schema=made.SerializeToString())
    return status_of(call("AddCollectionField", request))


def test_fields_that_may_not_be_added_have_their_code(client, call, name):
    request = create(name, KEY, VECTOR, field("order", "Int64", is_clustering_key=True),
                     struct_array_fields=[struct(NUMBER)])
    assert call("CreateCollection", request).code == 0
    for what, code, status in [
            ("the name of a struct", 1100, add(call, name, "things", "Int64")),
            ("a second clustering key", 1100, add(call, name, "x", "Int64", is_clustering_key=True)),
            ("a text with a default", 1100, add(call, name, "x", "Text", **default(string_data="x"))),
            ("a default out of range", 1100, add(call, name, "x", "Int8", **default(int_data=300))),
            ("a default of JSON", 1100, add(call, name, "x", "JSON", **default(bytes_data=b"{}"))),
            ("a dynamic field", 1100, add(call, name, "x", "JSON", is_dynamic=True)),
            ("no type", 1100, add(call, name, "x", 0)), ("String", 1100, add(call, name, "x", "String")),
            ("__virtual_pk__", 1100, add(call, name, "__virtual_pk__", "Int64")),
            ("$namespace_id", 1100, add(call, name, "$namespace_id", "Int64")),
            ("Timestamp", 1100, add(call, name, "Timestamp", "Int64")),
            ("a word of the language", 1701, add(call, name, "like", "Int64")),
            ("max_length 65536", 1100, add(call, name, "x", "VarChar", params={"max_length": 65536})),
            ("an array without max_capacity", 1101, add(call, name, "x", "Array", element_type=schema_pb2.Int64)),
            ("an array of JSON", 1100, add(call, name, "x", "Array", element_type=schema_pb2.JSON,
                                           params={"max_capacity": 4})),
            ("a sparse vector with a dim", 1100, add(call, name, "x", "SparseFloatVector", params={"dim": 4})),
            ("a list of vectors", 1100, add(call, name, "x", "ArrayOfVector", element_type=schema_pb2.FloatVector,
                                            params={"dim": 4, "max_capacity": 4})),
            ("a null vector with a default", 1100, add(call, name, "x", "FloatVector", params={"dim": 4},
                                                       **default(float_data=1))),
            ("analyzers that are none", 2000, add(call, name, "x", "VarChar", params={
                "max_length": 9, "enable_analyzer": "true", "enable_match": "true",
                "analyzer_params": '{"type": "klingon"}'})),
            ("matches without an analyzer", 1100, add(call, name, "x", "VarChar", params={
                "max_length": 9, "enable_match": "true"}))]:
        assert status.code == code, (what, status)
    assert described(call, name).schema.version == 0, "nothing has changed"
    for i in range(9):
        assert add(call, name, f"v{i}", "FloatVector", params={"dim": 4}).code == 0
    assert add(call, name, "one_more", "FloatVector", params={"dim": 4}).code == 1100, "the eleventh"
    assert described(call, name).schema.version == 9


def test_a_clustering_key_may_come_later(client, call, name):
    assert call("CreateCollection", create(name, KEY, VECTOR)).code == 0
    assert add(call, name, "by", "JSON", is_clustering_key=True).code == 105
    assert add(call, name, "by", "Int64", is_clustering_key=True).code == 0
    assert described(call, name).schema.fields[2].is_clustering_key


@pytest.mark.skipif(not hasattr(milvus_pb2, "AddCollectionStructFieldRequest"), reason="the SDK cannot say it yet")
def test_structs_that_may_not_be_added_have_their_code(client, call, name):
    assert call("CreateCollection", create(name, KEY, VECTOR, *(field(f"f{i}", "Int64") for i in range(58)))).code == 0

    def add_struct(*parts, nullable=True, **more):
        made = struct(*parts, nullable=nullable, **more)
        request = milvus_pb2.AddCollectionStructFieldRequest(collection_name=name)
        request.struct_array_field_schema.CopyFrom(made)
        return status_of(call("AddCollectionStructField", request))
    for what, code, status in [
            ("one that is not nullable", 1100, add_struct(NUMBER, nullable=False)), ("no parts", 1100, add_struct()),
            ("a name that a field has", 1100, add_struct(NUMBER, name="f1")),
            ("a system name", 1100, add_struct(NUMBER, name="RowID")),
            ("a bad name", 1701, add_struct(NUMBER, name="1x")),
            ("a part that is no array", 1100, add_struct(NUMBER, field("x", "Int64"))),
            ("capacities that differ", 1100, add_struct(NUMBER, part("x", params={"max_capacity": 5}))),
            ("a part twice", 1100, add_struct(NUMBER, NUMBER)),
            ("more fields than may be", 1100, add_struct(*(part(f"p{i}") for i in range(4))))]:
        assert status.code == code, (what, status)
    assert described(call, name).schema.version == 0
    assert add_struct(*(part(f"p{i}") for i in range(3))).code == 0, "64 with the struct"
    assert add(call, name, "one_more", "Int64").code == 1100


@pytest.mark.skipif(not hasattr(MilvusClient, "drop_collection_field"), reason="the SDK cannot say it yet")
def test_fields_that_others_need_stay(client, call, name):
    ends = field("ends", "Timestamptz", nullable=True)
    request = create(name, KEY, VECTOR, ends, struct_array_fields=[struct(NUMBER)], properties={"ttl_field": "ends"})
    assert call("CreateCollection", request).code == 0
    for what, words in (("ends", "ttl_field"), ("things[number]", "sub-field")):
        with refused(1100, words):
            client.drop_collection_field(name, what)
    client.drop_collection_properties(name, ["ttl_field"])
    client.drop_collection_field(name, "ends")
    client.drop_collection_field(name, "things")
    told = described(call, name)
    assert [one.name for one in told.schema.fields] == ["id", "vector"] and not told.schema.struct_array_fields
    assert {pair.key: pair.value for pair in told.properties}["max_field_id"] == "104", "no id is given again"


# --- Fields that are altered -----------------------------------------------------------------------------------------

def test_alterations_of_fields_have_their_code(client, call, name):
    array = field("list", "Array", element_type=schema_pb2.VarChar, params={"max_capacity": 4, "max_length": 8})
    text = field("text", "VarChar", params={"max_length": 8})
    given = field("given", "VarChar", params={"max_length": 8}, **default(string_data="given"))
    request = create(name, KEY, VECTOR, array, text, given, struct_array_fields=[struct(NUMBER, part("other"))])
    assert call("CreateCollection", request).code == 0

    def alter(field_name, delete=(), **params):
        request = milvus_pb2.AlterCollectionFieldRequest(collection_name=name, field_name=field_name,
                                                         delete_keys=delete)
        for key, value in params.items():
            request.properties.add(key=key.replace("__", "."), value=value)
        return status_of(call("AlterCollectionField", request)).code
    assert alter("list", max_capacity="4097") == 1100 and alter("list", max_capacity="0") == 1100
    assert alter("text", max_capacity="5") == 1100 and alter("id", max_length="5") == 1100
    assert alter("text", max_length="65536") == 1100 and alter("text", max_length="ten") == 1100
    assert alter("text", dim="4") == 1100 and alter("text", warmup="soon") == 1100
    assert alter("text", mmap__enabled="perhaps") == 1100
    assert alter("text", delete=["max_length"]) == 1100
    assert alter("text", delete=["mmap.enabled"], max_length="9") == 1100
    assert alter("things", max_capacity="9") in (1100, 1700), "the struct itself"
    assert alter("text", max_length="0") == 1100 and alter("text", max_length="-1") == 1100
    assert alter("given", max_length="4") == 1100 and alter("given", max_length="5") == 0, "less than the default"
    before = described(call, name).schema
    assert alter("text", max_length="8") == 0 and described(call, name).schema == before, "nothing new is no change"
    assert alter("list", max_capacity="6", max_length="9") == 0 and alter("text", field__description="told") == 0
    assert alter("things[number]", max_capacity="7") == 0
    assert alter("text", mmap__enabled="true") == 0 and alter("text", delete=["mmap.enabled"]) == 0
    told = described(call, name).schema

    def param(one, key):
        return next((pair.value for pair in one.type_params if pair.key == key), None)
    assert (param(told.fields[2], "max_capacity"), param(told.fields[2], "max_length")) == ("6", "9")
    assert told.fields[3].description == "told" and param(told.fields[3], "mmap.enabled") is None
    assert {param(one, "max_capacity") for one in told.struct_array_fields[0].fields} == {"7"}, "one for all parts"
    # A number is kept as others read it, however it is written: the schema can change after it.
    for number, kept in (("+9", "9"), ("0x10", "16"), ("010", "8"), ("1", "1")):
        assert alter("text", max_length=number) == 0
        assert param(described(call, name).schema.fields[3], "max_length") == kept
        assert add(call, name, f"after_{kept}", "Int64").code == 0


# --- How many there may be -------------------------------------------------------------------------------------------

def test_limits_of_schemas_have_keys(binary, tmp_path):
    limits = {"proxy.maxFieldNum": 4, "proxy.maxVectorFieldNum": 2, "proxy.maxDimension": 16, "proxy.maxShardNum": 2,
              "proxy.maxNameLength": 10, "proxy.maxVarCharLength": 20, "proxy.maxArrayCapacity": 3,
              "proxy.maxCollectionDescriptionLength": 5, "common.JSONMaxLength": 10, "proxy.maxTextLength": 30,
              "rootCoord.maxPartitionNum": 3, "rootCoord.maxGeneralCapacity": 7,
              "quotaAndLimits.limits.maxCollectionNum": 3}
    with Server(binary, str(tmp_path / "data"), arguments=settings(limits)) as server, calls(server.address) as call:
        def code(*fields, name="c", **more):
            shards = more.pop("shards_num", 0)
            request = create(name, KEY, VECTOR, *fields, **more)
            request.shards_num = shards
            return call("CreateCollection", request).code

        def text(length):
            return field("t", "VarChar", params={"max_length": length})
        numbers = [field(f"f{i}", "Int64") for i in range(3)]
        more_vectors = [field(f"v{i}", "FloatVector", params={"dim": 4}) for i in range(2)]
        lists = [field("a", "Array", element_type=schema_pb2.Int64, params={"max_capacity": size}) for size in (3, 4)]
        for what, refusal in [
                ("five fields", code(*numbers)), ("three vectors", code(*more_vectors)),
                ("dim 17", code(field("v", "FloatVector", params={"dim": 17}))),
                ("three shards", code(shards_num=3)), ("a long name", code(name="c" * 11)),
                ("a long text", code(text(21))), ("a long array", code(lists[1])),
                ("a long description", code(description="x" * 6)),
                ("a long Text", code(field("t", "Text", params={"max_length": 31})))]:
            assert refusal == 1100, what
        assert code(field("n" * 11, "Int64")) == 1701
        doc = field("doc", "JSON")
        assert code(lists[0], doc, description="x" * 5) == 0
        row = [column("id", "Int64", [1]), column("vector", "FloatVector", [0.5] * DIM, DIM),
               column("a", "Array", [[1]])]
        for size, expected in ((10, 0), (11, 1100)):
            texts = column("doc", "JSON", [b'"' + b"x" * (size - 2) + b'"'])
            assert status_of(call("Insert", insert_request("c", [*row, texts], rows=1))).code == expected, size
        client = MilvusClient(uri=server.uri)
        client.create_partition("c", "p1")
        client.create_partition("c", "p2")
        with refused(1100):
            client.create_partition("c", "p3")
        assert code(name="d", shards_num=2) == 0, "3 + 2 partitions on shards"
        client.create_partition("d", "p1")
        assert code(name="e") == 250, "7 are there"
        client.drop_partition("d", "p1")
        assert code(name="e") == 0
        client.drop_partition("c", "p1")
        assert code(name="f") == 102, "the fourth"
        client.drop_collection("e")
        assert code(name="f") == 0
        client.drop_collection("f")
        client.drop_collection("d")
        assert code(field("by", "Int64", is_partition_key=True), name="g") == 0
        assert client.list_partitions("g") == [f"_default_{i}" for i in range(3)], "not the usual 16"
        client.close()
