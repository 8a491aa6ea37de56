"""Keys that lie scattered over many segments: the newest row of a key wins, and what is deleted stays deleted."""
import random

import pytest
from pymilvus import DataType, MilvusClient

from server_process import Server

KEYS, ROUNDS = 400, 8
OPTIONS = ["--set", "dataCoord.compaction.enableAutoCompaction=false"]


def make(client, kind):
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", kind, is_primary=True, **({"max_length": 32} if kind == DataType.VARCHAR else {}))
    schema.add_field("round", DataType.INT64)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
    indexes = client.prepare_index_params()
    indexes.add_index("vector", index_type="FLAT", metric_type="L2")
    client.create_collection("c", schema=schema, index_params=indexes)


def rounds_of(client, keys):
    """The round that each key's row is of, asked for by key in lists and one by one."""
    found = {}
    for first in range(0, len(keys), 100):
        for row in client.query("c", ids=keys[first:first + 100], output_fields=["round"], consistency_level="Strong"):
            assert row["id"] not in found, "two rows of one key"
            found[row["id"]] = row["round"]
    for key in keys[::40]:
        rows = client.query("c", ids=[key], output_fields=["round"], consistency_level="Strong")
        assert [row["round"] for row in rows] == ([found[key]] if key in found else [])
    return found


@pytest.mark.parametrize("kind", [DataType.INT64, DataType.VARCHAR])
def test_the_newest_row_of_a_key_wins_over_segments_and_restarts(binary, tmp_path, kind):
    with Server(binary, str(tmp_path / "data"), arguments=OPTIONS) as server:
        client = MilvusClient(uri=server.uri)
        make(client, kind)
        keys = [number if kind == DataType.INT64 else f"key {number}" for number in range(KEYS)]
        chance, model = random.Random(5), {}
        for turn in range(ROUNDS):
            chosen = chance.sample(keys, KEYS // 3)
            client.upsert("c", [{"id": key, "round": turn, "vector": [turn, 1]} for key in chosen])
            model.update(dict.fromkeys(chosen, turn))
            gone = chance.sample(keys, KEYS // 10)
            client.delete("c", ids=gone)
            for key in gone:
                model.pop(key, None)
            client.flush("c")
            assert rounds_of(client, keys) == model
        for end in (server.stop, server.kill):
            end()
            server.start()
            client = MilvusClient(uri=server.uri)
            assert rounds_of(client, keys) == model
        client.delete("c", filter=f"round >= {ROUNDS // 2}")
        model = {key: turn for key, turn in model.items() if turn < ROUNDS // 2}
        assert rounds_of(client, keys) == model
        client.flush("c")
        assert rounds_of(client, keys) == model
        assert client.query("c", output_fields=["count(*)"], consistency_level="Strong")[0]["count(*)"] == len(model)
