"""The ORM style: connections, Collection, column-wise insert."""
import uuid

import numpy as np
import pytest
from pymilvus import Collection, CollectionSchema, DataType, FieldSchema, connections, utility

from support import DIM, vectors


@pytest.fixture
def collection(server):
    connections.connect("default", host="127.0.0.1", port=str(server.port))
    made = Collection("orm_" + uuid.uuid4().hex[:8], CollectionSchema([
        FieldSchema("pk", DataType.VARCHAR, is_primary=True, max_length=40),
        FieldSchema("number", DataType.DOUBLE),
        FieldSchema("vector", DataType.FLOAT_VECTOR, dim=DIM)], "made by a test"), consistency_level="Strong")
    yield made
    utility.drop_collection(made.name)
    connections.disconnect("default")


def test_the_whole_way_of_a_collection(collection):
    rows = 1000
    data = vectors(rows)
    result = collection.insert([[f"k{i}" for i in range(rows)], [i / 2 for i in range(rows)], data])
    assert result.insert_count == rows and list(result.primary_keys)[:2] == ["k0", "k1"]
    collection.flush()
    assert collection.num_entities == rows
    collection.create_index("vector", {"index_type": "IVF_FLAT", "metric_type": "L2", "params": {"nlist": 16}})
    assert collection.has_index()
    assert collection.index().params["index_type"] == "IVF_FLAT"
    utility.wait_for_index_building_complete(collection.name)
    progress = utility.index_building_progress(collection.name)
    assert progress["indexed_rows"] == progress["total_rows"] == rows
    collection.load()
    assert utility.loading_progress(collection.name)["loading_progress"] == "100%"
    hits = collection.search([data[7]], "vector", {"metric_type": "L2", "params": {"nprobe": 16}}, limit=5,
                             expr="number < 50", output_fields=["number"])[0]
    exact = np.argsort(((data[:100] - data[7]) ** 2).sum(1))[:5]
    assert list(hits.ids) == [f"k{i}" for i in exact]
    assert hits[0].entity.get("number") == 3.5
    assert hits.distances[0] == pytest.approx(0, abs=1e-5)
    found = collection.query('pk in ["k1", "k3"]', output_fields=["pk", "number"])
    assert sorted((row["pk"], row["number"]) for row in found) == [("k1", 0.5), ("k3", 1.5)]
    assert collection.delete('pk in ["k7"]').delete_count == 1
    assert "k7" not in collection.search([data[7]], "vector", {"params": {"nprobe": 16}}, limit=3)[0].ids
    collection.release()
    collection.drop_index()
    assert not collection.has_index()


def test_the_server_tells_its_version(collection):
    assert utility.get_server_version()
    assert utility.has_collection(collection.name)
    assert collection.name in utility.list_collections()


def test_credentials_are_accepted_while_authorisation_is_off(server):
    connections.connect("named", uri=server.uri, token="root:Milvus")
    assert isinstance(utility.list_collections(using="named"), list)
    connections.disconnect("named")


def test_partitions_keep_their_rows_apart(collection):
    collection.create_partition("first")
    assert collection.has_partition("first")
    data = vectors(20)
    collection.insert([[f"a{i}" for i in range(10)], [0.0] * 10, data[:10]], partition_name="first")
    collection.insert([[f"b{i}" for i in range(10)], [0.0] * 10, data[10:]])
    collection.create_index("vector", {"index_type": "FLAT", "metric_type": "IP", "params": {}})
    collection.load()
    assert collection.query("", partition_names=["first"], output_fields=["count(*)"])[0]["count(*)"] == 10
    hits = collection.search([data[15]], "vector", {}, limit=20, partition_names=["first"])[0]
    assert len(hits) == 10 and all(key.startswith("a") for key in hits.ids)
    collection.release()
    collection.drop_partition("first")
    assert [p.name for p in collection.partitions] == ["_default"]
