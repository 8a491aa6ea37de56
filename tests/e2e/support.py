"""Data and small tools that several end-to-end tests share."""
import re
import urllib.request
from contextlib import contextmanager

import numpy as np
import pytest
from pymilvus import DataType, MilvusClient, MilvusException
from server_process import Server

DIM = 8


def vectors(rows, dim=DIM, seed=1):
    return np.random.default_rng(seed).normal(size=(rows, dim)).astype(np.float32)


def clustered(rows, dim, seed, clusters=50):
    """Rows around `clusters` centres, as real embeddings are."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(clusters, dim))
    return (centres[random.integers(0, clusters, rows)] + random.normal(0, 0.5, (rows, dim))).astype(np.float32)


def settings(values):
    """The arguments of a server with these configuration keys."""
    return [piece for key, value in values.items() for piece in ("--set", f"{key}={value}")]


def metrics_page(server):
    """The lines of /metrics."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.management_port}/metrics", timeout=10) as answer:
        return answer.read().decode().splitlines()


def metrics(server):
    """The value of each line of /metrics, by its family and its labels."""
    values = {}
    for line in metrics_page(server):
        if not line.startswith("#"):
            family, labels, value = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line).groups()
            values[family, frozenset(re.findall(r'(\w+)="([^"]*)"', labels or ""))] = float(value)
    return values


def metric(server, family, **labels):
    """Of the series of the family that have these labels, the sum."""
    return sum(value for (name, has), value in metrics(server).items() if name == family and set(labels.items()) <= has)


def server_of_file(values, fill=None):
    """The fixture `server`, which `client` and `call` talk to, as one of a file's own: with these configuration keys,
    and what fill(client) has put into it."""
    @pytest.fixture(scope="module")
    def server(binary, tmp_path_factory):
        with Server(binary, str(tmp_path_factory.mktemp("own") / "data"), arguments=settings(values)) as running:
            if fill is not None:
                client = MilvusClient(uri=running.uri)
                fill(client)
                client.close()
            yield running
    return server


def make(client: MilvusClient, name, rows=0, index="FLAT", metric="L2", dim=DIM, params=None, load=True, level=None,
         **more):
    """A collection id, group, name, vector; `rows` rows with ids from 0; returns the vectors."""
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("group", DataType.INT64)
    schema.add_field("name", DataType.VARCHAR, max_length=64)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dim)
    if level:
        more["consistency_level"] = level
    client.create_collection(name, schema=schema, **more)
    data = vectors(rows, dim)
    if rows:
        client.insert(name, [row(i, data[i]) for i in range(rows)])
    add_index(client, name, index, metric, params)
    if load:
        client.load_collection(name)
    return data


def add_index(client, name, index, metric="L2", params=None, field="vector"):
    indexes = client.prepare_index_params()
    indexes.add_index(field, index_type=index, metric_type=metric, params=params or {})
    client.create_index(name, indexes)


def row(i, vector):
    return {"id": i, "group": i % 10, "name": f"row {i}", "vector": vector}


def count(client, name, filter_text=""):
    return client.query(name, filter=filter_text, output_fields=["count(*)"], consistency_level="Strong")[0]["count(*)"]


@contextmanager
def refused(code, words=""):
    """The block fails with this code, and the message says `words`."""
    with pytest.raises(MilvusException) as caught:
        yield caught
    assert caught.value.code == code, f"code {caught.value.code}: {caught.value.message}"
    assert words.lower() in caught.value.message.lower()
