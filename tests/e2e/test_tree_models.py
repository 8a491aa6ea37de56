"""Chains that rank hits by models of trees, which are file resources; what XGBoost predicts is in tests/tree_models."""
import json
import os

import numpy as np
import pytest
from pymilvus import DataType, MilvusClient
from server_process import Server

pytest.importorskip("pymilvus.function_chain", reason="the older SDK has no function chains")
from pymilvus.exceptions import MilvusException  # noqa: E402
from pymilvus.function_chain import FunctionChain, FunctionChainStage, col, fn  # noqa: E402

MODELS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tree_models")
MERGED, SEGMENT = FunctionChainStage.L2_RERANK, FunctionChainStage.L0_RERANK
FEATURES = ("f0", "f1", "f2", "f3")
with open(os.path.join(MODELS, "expected.json")) as file:
    EXPECTED = json.load(file)
ROWS = EXPECTED["rows"]


def put(server, key, name):
    path = server.objects / key
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(os.path.join(MODELS, name), "rb") as file:
        path.write_bytes(file.read())


@pytest.fixture(scope="module")
def stored(binary, tmp_path_factory):
    """A server with the rows of the expected predictions: half of them in a sealed segment, half in a growing one."""
    data = tmp_path_factory.mktemp("trees") / "data"
    with Server(binary, str(data)) as running:
        running.objects = data / "objects"
        client = running.client = MilvusClient(uri=running.uri)
        schema = client.create_schema()
        schema.add_field("id", DataType.INT64, is_primary=True)
        for name in FEATURES:
            schema.add_field(name, DataType.FLOAT if name != "f2" else DataType.DOUBLE, nullable=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
        params = client.prepare_index_params()
        params.add_index("vector", index_type="FLAT", metric_type="IP")
        client.create_collection("c", schema=schema, index_params=params, consistency_level="Strong")
        rows = [{"id": i, "vector": [i / 64, 1.0], **dict(zip(FEATURES, row))} for i, row in enumerate(ROWS)]
        client.insert("c", rows[:20])
        client.flush("c")
        client.insert("c", rows[20:])
        yield running


def add(stored, name, file):
    key = f"models/{name}/{file}"
    put(stored, key, file)
    stored.client.remove_file_resource(name)
    stored.client.add_file_resource(name, key)
    return name


def search(client, chain, limit=len(ROWS)):
    found = client.search("c", [[1.0, 0.0]], anns_field="vector", limit=limit, function_chains=chain)[0]
    return {hit["id"]: hit["distance"] for hit in found}


def features():
    return [col(name) for name in FEATURES]


@pytest.mark.parametrize("file", sorted(EXPECTED["models"]))
@pytest.mark.parametrize("output", ["default", "raw"])
def test_hits_are_ranked_as_xgboost_predicts(stored, file, output):
    model = add(stored, "ranker", file)
    chain = FunctionChain(MERGED).map("$score", fn.xgboost(*features(), model_resource=model, output=output))
    got = search(stored.client, chain.sort(col("$score"), desc=True, tie_break_col=col("$id")))
    want = EXPECTED["models"][file][output]
    assert len(got) == len(ROWS)
    np.testing.assert_allclose([got[i] for i in range(len(ROWS))], want, rtol=1e-5, atol=1e-5)
    assert list(got.values()) == sorted(got.values(), reverse=True)


def test_hits_of_segments_are_scored_before_they_are_merged(stored):
    # The metric's order, and the best of all rows, which the vectors alone would not have found.
    model = add(stored, "ranker", "reg_squarederror.json")
    chain = FunctionChain(SEGMENT).map("$score", fn.xgboost(*features(), model_resource=model, output="raw"))
    got = search(stored.client, chain)
    want = np.array(EXPECTED["models"]["reg_squarederror.json"]["raw"])
    np.testing.assert_allclose([got[i] for i in range(len(ROWS))], want, rtol=1e-5)
    assert list(got.values()) == sorted(got.values(), reverse=True)


def test_a_model_takes_the_score_and_what_earlier_steps_wrote(stored):
    """f0 stands for the score: the score is laid there by steps, so that the model's answer is known."""
    model = add(stored, "ranker", "base.ubj")
    chain = (FunctionChain(MERGED).map("$score", fn.num_combine(col("f0"), col("f0"), mode="max"))
             .map("twice", fn.num_combine(col("f1"), col("f1"), mode="avg"))
             .map("$score", fn.xgboost(col("$score"), col("twice"), col("f2"), col("f3"), model_resource=model)))
    got = search(stored.client, chain)
    want = EXPECTED["models"]["base.ubj"]["default"]
    whole = [i for i, row in enumerate(ROWS) if row[0] is not None and row[1] is not None]   # Steps make 0 of nulls.
    assert len(whole) > 20
    np.testing.assert_allclose([got[i] for i in whole], [want[i] for i in whole], rtol=1e-5)


def test_a_name_that_passes_to_another_file_means_that_file(stored):
    for file in ("reg_gamma.ubj", "count_poisson.ubj"):
        chain = FunctionChain(MERGED).map("$score", fn.xgboost(*features(), model_resource=add(stored, "passed", file)))
        got = search(stored.client, chain)
        np.testing.assert_allclose([got[i] for i in range(len(ROWS))], EXPECTED["models"][file]["default"], rtol=1e-5)


@pytest.mark.parametrize("stage", [MERGED, SEGMENT])
@pytest.mark.parametrize("columns, file, words", [
    (FEATURES[:3], "base.ubj", "takes 4 features, got 3"), (FEATURES + ("$id",), "base.ubj", "takes 4 features, got 5"),
    (FEATURES, "refused_linear.ubj", "booster 'gblinear'"), (FEATURES, "refused_classes.json", "multi:softprob"),
    (FEATURES, "expected.json", "xgboost model"), (FEATURES, "make.py", "no JSON or UBJSON"),
    (FEATURES, None, "there is no file resource nobody")])
def test_what_is_no_model_for_these_columns_is_refused(stored, stage, columns, file, words):
    model = add(stored, "bad", file) if file else "nobody"
    chain = FunctionChain(stage).map("$score", fn.xgboost(*map(col, columns), model_resource=model))
    with pytest.raises(MilvusException) as refusal:
        search(stored.client, chain)
    assert refusal.value.code == 1100 and words in refusal.value.message


def test_models_are_there_after_a_restart(stored):
    model = add(stored, "lasting", "dart.json")
    stored.kill()
    stored.start()
    stored.client = MilvusClient(uri=stored.uri)
    got = search(stored.client, FunctionChain(MERGED).map("$score", fn.xgboost(*features(), model_resource=model)))
    np.testing.assert_allclose([got[i] for i in range(len(ROWS))], EXPECTED["models"]["dart.json"]["default"], rtol=1e-5)
