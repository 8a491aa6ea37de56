"""Resource groups, replicas and moves of segments on one node, as both SDKs ask for them."""
import pytest
from pymilvus import MilvusClient
from pymilvus.client.types import ResourceGroupConfig
from pymilvus.grpc_gen import milvus_pb2, rg_pb2
from server_process import Server
from support import count, make, refused, row, settings, vectors
from wire import calls, status_of

DEFAULT = "__default_resource_group"


def config(requests=0, limits=None, **more):
    return ResourceGroupConfig(requests={"node_num": requests}, limits={"node_num": requests if limits is None else limits},
                               **more)


@pytest.fixture
def own(own_server):
    client = MilvusClient(uri=own_server.uri)
    yield client
    client.close()


def nodes(client):
    """Of each group how many nodes it has."""
    return {name: client.describe_resource_group(name).num_available_node for name in client.list_resource_groups()}


def replicas(call, **asked):
    answer = call("GetReplicas", milvus_pb2.GetReplicasRequest(**asked))
    assert status_of(answer).code == 0, answer
    return answer.replicas


def test_the_default_group_has_the_node(own, own_server):
    assert own.list_resource_groups() == [DEFAULT]
    group = own.describe_resource_group(DEFAULT)
    assert (group.name, group.capacity, group.num_available_node) == (DEFAULT, 0, 1)
    assert (group.config.requests.node_num, group.config.limits.node_num) == (0, 1000000)
    assert len(group.nodes) == 1 and group.nodes[0].node_id == 1 and group.nodes[0].hostname
    assert group.nodes[0].address.endswith(":" + own_server.address.split(":")[1])


def test_a_loaded_collection_has_one_replica_with_its_shards(own, own_server):
    make(own, "c", rows=10, load=False, num_shards=3)
    with calls(own_server.address) as call:
        assert not replicas(call, collection_name="c"), "not loaded: none, and no error"
        own.load_collection("c")
        told = own.describe_collection("c")
        for asked in ({"collection_name": "c"}, {"collectionID": told["collection_id"]}):
            (replica,) = replicas(call, **asked)
            assert not replica.shard_replicas
            (replica,) = replicas(call, with_shard_nodes=True, **asked)
            assert replica.replicaID and replica.collectionID == told["collection_id"]
            assert list(replica.node_ids) == [1] and not replica.partition_ids and not replica.num_outbound_node
            assert replica.resource_group_name == DEFAULT
            assert len({shard.dm_channel_name for shard in replica.shard_replicas}) == 3
            for shard in replica.shard_replicas:
                assert shard.leaderID == 1 and list(shard.node_ids) == [1] and shard.leader_addr
        assert status_of(call("GetReplicas", milvus_pb2.GetReplicasRequest(collection_name="nobody"))).code == 100
    (replica,) = own.describe_replica("c")
    assert replica.resource_group == DEFAULT and tuple(replica.group_nodes) == (1,) and len(replica.shards) == 3
    assert own.describe_resource_group(DEFAULT).num_loaded_replica == {"c": 1}
    own.release_collection("c")
    assert not own.describe_resource_group(DEFAULT).num_loaded_replica


def test_groups_take_the_node_and_give_it_back(own, own_server):
    own.create_resource_group("idle")
    assert nodes(own) == {DEFAULT: 1, "idle": 0}
    own.create_resource_group("first", config=config(1))
    own.create_resource_group("second", config=config(1))
    assert nodes(own) == {DEFAULT: 0, "first": 1, "idle": 0, "second": 0}, "the first that asked has it"
    own.update_resource_groups({"first": config(0, 1)})
    assert nodes(own)["second"] == 1, "it may have it, but the other misses it"
    own.update_resource_groups({"second": config(0, 1)})
    assert nodes(own)["second"] == 1, "nobody misses it"
    client = MilvusClient(uri=own_server.uri)
    own_server.kill()
    own_server.start()
    client.close()
    client = MilvusClient(uri=own_server.uri)
    assert nodes(client) == {DEFAULT: 0, "first": 0, "idle": 0, "second": 1}, "also after a restart"
    client.update_resource_groups({"second": config(0, 0, transfer_to=[{"resource_group": "first"}])})
    assert nodes(client)["first"] == 1, "what one lets go is given to whom it names"
    client.update_resource_groups({"first": config(0, 0)})
    assert nodes(client)[DEFAULT] == 1
    client.update_resource_groups({"idle": config(1, 1, node_filter={"node_labels": [{"key": "disk", "value": "fast"}]})})
    assert nodes(client)["idle"] == 0, "the node has no such label"
    client.close()


def test_loads_go_where_a_node_is(own, own_server):
    data = make(own, "c", rows=10, load=False)
    own.create_resource_group("rg", config=config(0, 1))
    with refused(304):
        own.load_collection("c", resource_groups=["rg"])
    with refused(300):
        own.load_collection("c", resource_groups=["nobody"])
    assert str(own.get_load_state("c")["state"]) == "NotLoad"
    own.update_resource_groups({"rg": config(1)})
    with refused(304):
        own.load_collection("c")  # The default group has none now.
    own.load_collection("c", resource_groups=["rg"])
    assert count(own, "c") == 10
    assert own.describe_replica("c")[0].resource_group == "rg"
    assert own.describe_resource_group("rg").num_loaded_replica == {"c": 1}
    own.load_collection("c")  # What is loaded stays where it is.
    assert own.describe_replica("c")[0].resource_group == "rg"
    with refused(1100, "replicas"):
        own.drop_resource_group("rg")
    # The node goes, the replica stays served and says so.
    own.update_resource_groups({"rg": config(0, 0)})
    (replica,) = own.describe_replica("c")
    assert replica.resource_group == "rg" and dict(replica.num_outbound_node) == {DEFAULT: 1}
    assert dict(own.describe_resource_group("rg").num_outgoing_node) == {"c": 1}
    assert dict(own.describe_resource_group(DEFAULT).num_incoming_node) == {"c": 1}
    own.insert("c", [row(100, data[0])])
    assert count(own, "c") == 11
    own.transfer_replica("rg", DEFAULT, "c", 1)
    (replica,) = own.describe_replica("c")
    assert replica.resource_group == DEFAULT and not replica.num_outbound_node
    own.drop_resource_group("rg")
    assert own.list_resource_groups() == [DEFAULT] and count(own, "c") == 11


def test_a_property_says_where_a_load_goes_that_names_no_group(own, own_server):
    key = "collection.resource_groups"
    own.create_resource_group("rg", config=config(1))
    own.create_resource_group("empty", config=config(0, 1))
    for groups, code in (("nobody", 300), ("rg,nobody", 300), ("", 300), ("rg,empty", 1100)):
        with refused(code):
            make(own, "c", rows=1, load=False, properties={key: groups})
    make(own, "c", rows=10, load=False, properties={key: " rg "})
    own.load_collection("c")
    assert own.describe_replica("c")[0].resource_group == "rg" and count(own, "c") == 10
    # Of what is loaded it changes the group at once, where there is a node.
    for groups, code in (("nobody", 300), ("empty", 304), (DEFAULT, 304), ("rg, empty", 1100)):
        with refused(code):
            own.alter_collection_properties("c", {key: groups})
        assert own.describe_collection("c")["properties"][key] == " rg "
    own.update_resource_groups({"rg": config(0, 0), "empty": config(1)})
    own.alter_collection_properties("c", {key: "empty"})
    assert own.describe_replica("c")[0].resource_group == "empty"
    own.release_collection("c")
    # Of what is not, it may name one that has no node yet.
    own.alter_collection_properties("c", {key: "rg"})
    with refused(304):
        own.load_collection("c")
    own.load_collection("c", resource_groups=["empty"])
    assert own.describe_replica("c")[0].resource_group == "empty", "the request goes first"
    own.release_collection("c")
    own.drop_collection_properties("c", [key])
    own.update_resource_groups({"empty": config(0, 0)})
    own.load_collection("c")
    assert own.describe_replica("c")[0].resource_group == DEFAULT and count(own, "c") == 10


def test_names_of_groups_follow_the_rules(call):
    for name, code in (("", 1101), ("9lives", 1100), ("a b", 1100), ("ä", 1100), ("x" * 256, 1100)):
        for method, request in (("CreateResourceGroup", milvus_pb2.CreateResourceGroupRequest(resource_group=name)),
                                ("DescribeResourceGroup", milvus_pb2.DescribeResourceGroupRequest(resource_group=name))):
            assert status_of(call(method, request)).code == code, name


def test_what_cannot_be_done_with_groups_is_refused(own):
    own.create_resource_group("a", config=config(0, 2))
    own.create_resource_group("a", config=config(0, 2))  # The same once more.
    with refused(301):
        own.create_resource_group("a", config=config(0, 3))
    for bad in (config(2, 1), config(-1, 1), config(0, 1, transfer_from=[{"resource_group": "nobody"}]),
                config(0, 1, transfer_to=[{"resource_group": "a"}])):
        with refused(303):
            own.update_resource_groups({"a": bad})
    with refused(303):
        own.update_resource_groups({DEFAULT: config(1, 1000000)})
    with refused(300):
        own.update_resource_groups({"a": config(1, 1), "nobody": config(0, 0)})
    assert own.describe_resource_group("a").config.limits.node_num == 2, "all or none"
    with refused(300):
        own.describe_resource_group("nobody")
    own.drop_resource_group("nobody")
    with refused(1100):
        own.drop_resource_group(DEFAULT)
    with refused(1100, "limits"):
        own.drop_resource_group("a")
    own.create_resource_group("b", config=config(0, 0, transfer_from=[{"resource_group": "a"}]))
    own.update_resource_groups({"a": config(0, 0)})
    with refused(1100, "used by"):
        own.drop_resource_group("a")
    own.drop_resource_group("b")
    own.drop_resource_group("a")
    assert own.list_resource_groups() == [DEFAULT]


def test_a_config_names_both_numbers(call):
    for given in (rg_pb2.ResourceGroupConfig(requests={"node_num": 0}), rg_pb2.ResourceGroupConfig(limits={"node_num": 0}),
                  rg_pb2.ResourceGroupConfig()):
        request = milvus_pb2.CreateResourceGroupRequest(resource_group="half", config=given)
        assert status_of(call("CreateResourceGroup", request)).code == 303
    assert "half" not in call("ListResourceGroups", milvus_pb2.ListResourceGroupsRequest()).resource_groups


def test_nodes_and_replicas_are_transferred_or_refused(own, own_server):
    make(own, "c", rows=5)
    make(own, "released", rows=5, load=False)
    own.create_resource_group("rg", config=config(0, 0))
    with calls(own_server.address) as call:
        def node(source, target, number):
            return status_of(call("TransferNode", milvus_pb2.TransferNodeRequest(
                source_resource_group=source, target_resource_group=target, num_node=number))).code

        def replica(source, target, number, name="c"):
            return status_of(call("TransferReplica", milvus_pb2.TransferReplicaRequest(
                source_resource_group=source, target_resource_group=target, collection_name=name, num_replica=number))).code
        assert [node("", "rg", 1), node(DEFAULT, "a b", 1), node("rg", "rg", 1), node(DEFAULT, "rg", 0),
                node(DEFAULT, "nobody", 1), node("nobody", "rg", 1), node(DEFAULT, "rg", 2), node("rg", DEFAULT, 1)] == \
            [1101, 1100, 1100, 1100, 300, 300, 304, 304]
        assert node(DEFAULT, "rg", 1) == 0
        group = own.describe_resource_group("rg")
        assert (group.num_available_node, group.config.requests.node_num, group.config.limits.node_num) == (1, 1, 1)
        assert node("rg", DEFAULT, 1) == 0
        group = own.describe_resource_group("rg")
        assert (group.num_available_node, group.config.requests.node_num, group.config.limits.node_num) == (0, 0, 0)
        assert [replica("", "rg", 1), replica(DEFAULT, "rg", 1, "nobody"), replica("nobody", "rg", 1),
                replica(DEFAULT, "nobody", 1), replica("rg", "rg", 1), replica(DEFAULT, "rg", 0),
                replica(DEFAULT, "rg", 1, "released"), replica(DEFAULT, "rg", 2), replica("rg", DEFAULT, 1)] == \
            [1101, 100, 300, 300, 1100, 1100, 101, 1100, 1100]
        assert replica(DEFAULT, "rg", 1) == 0 and own.describe_replica("c")[0].resource_group == "rg"


def test_there_are_so_many_groups_and_no_more(binary, tmp_path):
    options = settings({"quotaAndLimits.limits.maxResourceGroupNumOfQueryNode": 3})
    with Server(binary, str(tmp_path / "data"), arguments=options) as server:
        client = MilvusClient(uri=server.uri)
        client.create_resource_group("a")
        client.create_resource_group("b")
        with refused(302):
            client.create_resource_group("c")
        client.drop_resource_group("a")
        client.create_resource_group("c")
        client.close()


def test_segments_are_moved_where_there_is_one_node(client, call, name):
    data = vectors(20)
    make(client, name)
    client.insert(name, [row(i, data[i]) for i in range(20)])
    client.flush(name)

    def balance(collection=name, source=1, targets=(), segments=()):
        return status_of(call("LoadBalance", milvus_pb2.LoadBalanceRequest(
            collectionName=collection, src_nodeID=source, dst_nodeIDs=targets, sealed_segmentIDs=segments))).code
    info = call("GetQuerySegmentInfo", milvus_pb2.GetQuerySegmentInfoRequest(collectionName=name)).infos
    known = [one.segmentID for one in info]
    assert known
    assert balance() == 0 and balance(targets=[1], segments=known) == 0
    assert [balance("nobody"), balance(source=2), balance(targets=[7]), balance(segments=[1])] == [100, 400, 901, 600]
    assert count(client, name) == 20
    client.release_collection(name)
    assert balance() == 400
