"""Functions that ask model services, beside a stand-in that speaks their protocols: embeddings, rerankers, the semantic
highlighter. tests/e2e/stand_in_models.py is the other end."""
import base64
import json
import subprocess
import threading
import time

import numpy as np
import pytest
from pymilvus import (AnnSearchRequest, DataType, Function, FunctionType, MilvusClient, MilvusException, RRFRanker,
                      SemanticHighlighter)
from pymilvus.grpc_gen import common_pb2, milvus_pb2
from server_process import Server
from stand_in_models import AWS_ID, AWS_SECRET, DIM, KEY, StandIn, embed, relevance, rounded
from support import add_index, count, refused
from test_fault_order import FAULTS
from wire import calls, search_request, status_of

FAILED, UNAVAILABLE = 2400, 2
TEXTS = ["a red kite over the hill", "an eagle and its prey", "the wren sings in the hedge", "gulls follow the plough",
         "an owl hunts by night", "swifts sleep on the wing"]


@pytest.fixture(scope="module")
def services():
    with StandIn() as running:
        yield running


@pytest.fixture(autouse=True)
def clean(services):
    services.requests.clear()
    services.batches.clear()
    services.fail.clear()
    services.batch_max, services.slow_s = 10 ** 6, 1.5


def new_certificate(folder, name):
    """Of this machine, signed by itself; the names of its files."""
    files = str(folder / f"{name}.pem"), str(folder / f"{name}.key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-out", files[0], "-keyout", files[1]],
                   capture_output=True, check=True)
    return files


@pytest.fixture(scope="module")
def trusted(tmp_path_factory):
    return new_certificate(tmp_path_factory.mktemp("trusted"), "trusted")


def configuration(services, trusted):
    at = services.url
    key = subprocess.run(["openssl", "genrsa", "2048"], capture_output=True, check=True).stdout.decode()
    services.google_key = key.encode()
    account = {"client_email": "me@stand-in", "token_uri": f"{at}/google/token", "private_key": key}
    embedding = {"openai": "/openai/v1/embeddings", "azure_openai": "/azure", "dashscope": "/dashscope",
                 "bedrock": "/bedrock", "vertexai": "/vertex", "voyageai": "/voyage/v1/embeddings",
                 "cohere": "/cohere/v2/embed", "siliconflow": "/openai/v1/embeddings", "yc": "/openai/v1/embeddings",
                 "gemini": "/gemini", "huggingface": "/hf"}
    reranking = {"cohere": "/rerank-with-key", "voyageai": "/rerank-with-key", "siliconflow": "/rerank-with-key",
                 "ali": "/rerank-ali", "huggingface": "/rerank-hf"}
    lines = [f"credential.stand_in.apikey: {KEY}", f"credential.aws.access_key_id: {AWS_ID}",
             f"credential.aws.secret_access_key: {AWS_SECRET}",
             f"credential.google.credential_json: {base64.b64encode(json.dumps(account).encode()).decode()}",
             "function.model.retryBackoff: 10", "function.model.requestTimeout: 10s",
             f"function.model.tlsCACert: {trusted[0]}",
             f"function.models.zilliz.url: {at}", "function.models.zilliz.credential: stand_in"]
    lines += [f"function.textEmbedding.providers.{name}.url: {at}{path}" for name, path in embedding.items()]
    lines += [f"function.rerank.model.providers.{name}.url: {at}{path}" for name, path in reranking.items()]
    lines += ["function.textEmbedding.providers.openai.credential: stand_in"]
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def server(binary, services, trusted, tmp_path_factory):
    folder = tmp_path_factory.mktemp("functions")
    config = folder / "elanus.yaml"
    config.write_text(configuration(services, trusted))
    with Server(binary, str(folder / "data"), arguments=["--config", str(config)]) as running:
        yield running


def schema_of(client, params, dim=DIM, kind=DataType.FLOAT_VECTOR, fields=("vector",), dynamic=False):
    schema = client.create_schema(auto_id=False, enable_dynamic_field=dynamic)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=2000)
    for field in fields:
        schema.add_field(field, kind, dim=dim)
        schema.add_function(Function(name=f"make_{field}", function_type=FunctionType.TEXTEMBEDDING,
                                     input_field_names=["text"], output_field_names=[field], params=params))
    return schema


def make(client, name, params, texts=TEXTS, metric="COSINE", properties=None, **more):
    schema = schema_of(client, params, **more)
    client.create_collection(name, schema=schema, consistency_level="Strong", properties=properties or {})
    indexes = client.prepare_index_params()
    for field in more.get("fields", ("vector",)):
        indexes.add_index(field, index_type="FLAT", metric_type=metric)
    client.create_index(name, indexes)
    client.load_collection(name)
    if texts:
        client.insert(name, [{"id": i, "text": text} for i, text in enumerate(texts)])


def tei(services, **more):
    return {"provider": "TEI", "endpoint": services.url, **more}


PROVIDERS = {
    "openai": {"model_name": "m", "user": "me"},
    "azure_openai": {"model_name": "m", "credential": "stand_in"},
    "dashscope": {"model_name": "text-embedding-v3", "credential": "stand_in"},
    "bedrock": {"model_name": "amazon.titan-embed-text-v2:0", "region": "eu-west-1", "credential": "aws"},
    "vertexai": {"model_name": "m", "projectid": "p", "credential": "google"},
    "voyageai": {"model_name": "m", "truncation": "true", "credential": "stand_in"},
    "cohere": {"model_name": "m", "truncate": "END", "credential": "stand_in"},
    "siliconflow": {"model_name": "m", "credential": "stand_in"},
    "tei": {},
    "zilliz": {"model_deployment_id": "d"},
    "yc": {"model_name": "m", "credential": "stand_in"},
    "gemini": {"model_name": "m", "credential": "stand_in"},
    "huggingface": {"model_name": "a/b", "normalize": "true", "credential": "stand_in"},
}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_provider_embeds_rows_and_queries(client, name, services, provider):
    params = {"provider": provider, **PROVIDERS[provider]}
    if provider == "tei":
        params["endpoint"] = services.url
    texts = TEXTS[:4] if provider == "bedrock" else TEXTS  # Of which five batches of one go into a request.
    make(client, name, params, texts)
    rows = client.query(name, filter="id >= 0", output_fields=["vector"])
    for row in rows:
        np.testing.assert_allclose(row["vector"], embed(TEXTS[row["id"]]), rtol=1e-6)
    found = client.search(name, data=["an eagle and its prey", "a red kite"], anns_field="vector", limit=2)
    assert [hits[0]["id"] for hits in found] == [1, 0]
    assert found[0][0]["distance"] == pytest.approx(1, abs=1e-4)


# As their documentation has it, and the one that says nothing of it as the reference does.
BATCHES = {"openai": 128, "azure_openai": 128, "dashscope": 6, "bedrock": 1, "vertexai": 128, "voyageai": 128,
           "cohere": 96, "siliconflow": 32, "tei": 32, "zilliz": 64, "yc": 128, "gemini": 32, "huggingface": 128}


@pytest.mark.parametrize("provider", BATCHES)
def test_a_provider_is_sent_no_more_texts_than_it_takes(client, name, services, provider):
    params = {"provider": provider, **PROVIDERS[provider], **({"endpoint": services.url} if provider == "tei" else {})}
    make(client, name, params, texts=None)
    services.batches.clear()
    services.batch_max = BATCHES[provider]
    client.insert(name, [{"id": i, "text": f"text {i}"} for i in range(BATCHES[provider] + 1)])
    assert sorted(services.batches) == [(1, False), (BATCHES[provider], False)]
    with refused(1100, f"nq [{5 * BATCHES[provider] + 1}]"):
        client.search(name, data=["x"] * (5 * BATCHES[provider] + 1), anns_field="vector", limit=1)
    assert len(services.batches) == 2


@pytest.mark.parametrize("provider", ["dashscope", "vertexai", "voyageai", "cohere", "gemini", "zilliz"])
def test_a_service_is_told_which_texts_are_queries(client, name, services, provider):
    make(client, name, {"provider": provider, **PROVIDERS[provider]}, TEXTS[:2])
    services.batches.clear()
    client.search(name, data=[TEXTS[0]], anns_field="vector", limit=1)
    client.insert(name, [{"id": 7, "text": "seven"}])
    assert services.batches == [(1, True), (1, False)]


def test_vectors_of_bytes_are_made_where_a_provider_can(client, name):
    for provider in ("voyageai", "cohere"):
        params = {"provider": provider, **PROVIDERS[provider]}
        make(client, name, params, kind=DataType.INT8_VECTOR, metric="L2")
        rows = client.query(name, filter="id >= 0", output_fields=["vector"])
        for row in rows:
            stored = np.frombuffer(row["vector"][0], np.int8) if isinstance(row["vector"][0], bytes) else row["vector"]
            assert list(stored) == rounded(embed(TEXTS[row["id"]]))
        assert client.search(name, data=[TEXTS[3]], anns_field="vector", limit=1)[0][0]["id"] == 3
        client.drop_collection(name)
    with refused(1100, "mismatch"):
        client.create_collection(name, schema=schema_of(client, {"provider": "openai", "model_name": "m"},
                                                        kind=DataType.INT8_VECTOR))


def test_rows_go_in_batches_and_too_many_are_refused(client, name, services):
    make(client, name, tei(services, max_client_batch_size="10"), texts=None)
    services.requests.clear()
    services.batch_max = 10
    client.insert(name, [{"id": i, "text": f"text {i}"} for i in range(50)])
    assert sorted(len(body["inputs"]) for body in services.bodies()) == [10] * 5
    for row in client.query(name, filter="id in [0, 9, 10, 49]", output_fields=["vector", "text"]):
        np.testing.assert_allclose(row["vector"], embed(row["text"]), rtol=1e-6)
    services.requests.clear()
    with refused(FAILED, "numRows [51] > function [make_vector]'s max batch [50]"):
        client.insert(name, [{"id": 100 + i, "text": "x"} for i in range(51)])
    with refused(1100, "nq [51]"):
        client.search(name, data=["x"] * 51, anns_field="vector", limit=1)
    assert not services.requests and count(client, name) == 50


def test_prompts_tell_documents_from_queries(client, name, services):
    make(client, name, tei(services, ingestion_prompt="passage: ", search_prompt="query: "), ["one"])
    client.search(name, data=["two"], anns_field="vector", limit=1)
    assert [body["inputs"] for body in services.bodies()[1:]] == [["passage: one"], ["query: two"]]


@pytest.mark.parametrize("faults", [[500], [429, 503], ["cut"], ["hang up", "cut"]])
def test_a_service_in_trouble_is_asked_again(client, name, services, faults):
    make(client, name, tei(services), texts=None)
    services.fail[:] = faults
    client.insert(name, [{"id": 1, "text": "one"}])
    services.fail[:] = faults
    assert client.search(name, data=["one"], anns_field="vector", limit=1)[0][0]["id"] == 1


TROUBLE = [500, 429, "cut", "slow"]
REFUSAL = [401, 400, 413, "garbage", "few", "many", "short", "null"]


@pytest.mark.parametrize("fault, code", [(f, UNAVAILABLE) for f in TROUBLE] + [(f, FAILED) for f in REFUSAL])
def test_a_fault_that_stays_fails_the_request_and_writes_nothing(client, name, services, fault, code):
    patience = "600" if fault == "slow" else "10000"
    make(client, name, tei(services, timeout_ms=patience, credential="stand_in"), ["one"])
    services.fail[:] = [fault] * 3
    begin = time.monotonic()
    with refused(FAILED, "function execution failed") as caught:
        client.insert(name, [{"id": 2, "text": "two"}, {"id": 3, "text": "three"}])
    assert KEY not in str(caught.value)
    # pymilvus may try again what is worth it.
    services.fail[:] = [fault] * 30
    if code == UNAVAILABLE:
        with pytest.raises(MilvusException):
            client.search(name, data=["one", "two"], anns_field="vector", limit=1, timeout=1.5)
    else:
        with refused(code):
            client.search(name, data=["one", "two"], anns_field="vector", limit=1)
    assert time.monotonic() - begin < 30
    services.fail.clear()
    time.sleep(0 if fault != "slow" else services.slow_s)
    services.fail.clear()
    assert count(client, name) == 1


def test_empty_texts_are_refused(client, name, services):
    make(client, name, tei(services), ["one"])
    with refused(FAILED, "does not support empty text"):
        client.insert(name, [{"id": 2, "text": ""}])
    with refused(1100, "does not support empty text"):
        client.search(name, data=[""], anns_field="vector", limit=1)
    assert count(client, name) == 1


def test_a_vector_is_searched_for_as_it_is(client, name, services):
    make(client, name, tei(services))
    services.requests.clear()
    hits = client.search(name, data=[embed(TEXTS[2])], anns_field="vector", limit=1)[0]
    assert hits[0]["id"] == 2 and not services.requests


def test_what_cannot_be_searched_costs_no_call(client, name, services):
    make(client, name, tei(services))
    client.release_collection(name)
    services.requests.clear()
    with refused(101):
        client.search(name, data=["one"], anns_field="vector", limit=1)
    assert not services.requests


def text_queries(*texts):
    value = common_pb2.PlaceholderValue(tag="$0", type=common_pb2.PlaceholderType.VarChar,
                                        values=[text.encode() for text in texts])
    return common_pb2.PlaceholderGroup(placeholders=[value]).SerializeToString()


def text_search(name, filter_text="", **params):
    return search_request(name, ["an owl"], queries=text_queries("an owl"), filter_text=filter_text,
                          **{"metric_type": "COSINE", **params})


def with_score(name, **params):
    """A search whose function of scores has these parameters."""
    request = text_search(name)
    function = request.function_score.functions.add(name="f", type=3)
    for key, value in params.items():
        function.params.add(key=key, value=value)
    return request


def with_chain(name):
    pytest.importorskip("pymilvus.function_chain", reason="the older SDK has no function chains")
    request = text_search(name)
    request.function_chains.add(stage=5).ops.add(op="shuffle")
    return request


def ahead(name):
    request = text_search(name)
    request.guarantee_timestamp = (1 << 62)
    return request


def hybrid(name, *parts, **params):
    request = milvus_pb2.HybridSearchRequest(collection_name=name, requests=parts or [text_search(name)])
    for key, value in {"strategy": "rrf", "limit": "3", **params}.items():
        request.rank_params.add(key=key, value=value)
    return request


def fault_search(fault):
    """A search by text with a mistake of test_fault_order."""
    def made(name):
        wrong = dict(FAULTS[fault][0])
        return text_search(wrong.pop("collection", name), **wrong)
    return made


# What is refused: the request, and words of the refusal.
REFUSED = {fault: (fault_search(fault), words) for fault, (wrong, _, words) in FAULTS.items() if "vectors" not in wrong}
REFUSED.update({
    "range": (lambda name: text_search(name, params='{"radius": 0.9, "range_filter": 0.1}'), "range_filter"),
    "index parameter": (lambda name: text_search(name, params='{"radius": "x"}'), "radius"),
    "reranker": (lambda name: with_score(name, reranker="guess"), "guess"),
    "model of a reranker": (lambda name: with_score(name, reranker="model", provider="acme", queries='["q"]'), ""),
    "chain": (with_chain, "unknown operator type"),
    "moment": (ahead, ""),
    "hybrid: a part": (lambda name: hybrid(name, text_search(name), text_search(name, filter_text="id >")), "query plan"),
    "hybrid: decimals": (lambda name: hybrid(name, round_decimal="9"), "round_decimal"),
    "hybrid: ranker": (lambda name: hybrid(name, strategy="guess"), "guess"),
    "hybrid: numbers of queries": (lambda name: hybrid(
        name, text_search(name), search_request(name, ["a", "b"], queries=text_queries("a", "b"), metric_type="COSINE")), "nq"),
})


@pytest.mark.parametrize("mistake", REFUSED)
def test_a_search_by_text_that_is_refused_asks_nobody(server, birds, services, mistake):
    request, words = REFUSED[mistake][0](birds), REFUSED[mistake][1]
    method = "HybridSearch" if isinstance(request, milvus_pb2.HybridSearchRequest) else "Search"
    with calls(server.address) as call:
        status = status_of(call(method, request))
        assert status.code != 0 and words in status.reason, status.reason
        assert not services.requests
        good = text_search(birds) if method == "Search" else hybrid(birds, text_search(birds), text_search(birds))
        assert status_of(call(method, good)).code == 0
        assert len(services.requests) == (1 if method == "Search" else 2)


def test_an_upsert_makes_vectors_anew(client, name, services):
    make(client, name, tei(services))
    client.upsert(name, [{"id": 1, "text": "something else"}])
    row = client.get(name, ids=[1], output_fields=["vector"])[0]
    np.testing.assert_allclose(row["vector"], embed("something else"), rtol=1e-6)


def test_a_partial_update_asks_only_when_the_text_has_changed(client, name, services):
    schema = schema_of(client, tei(services))
    schema.add_field("note", DataType.VARCHAR, max_length=100, nullable=True)
    client.create_collection(name, schema=schema, consistency_level="Strong")
    add_index(client, name, "FLAT")
    client.load_collection(name)
    client.insert(name, [{"id": 1, "text": "one", "note": "a"}])
    services.requests.clear()
    client.upsert(name, [{"id": 1, "note": "b"}], partial_update=True)
    assert not services.requests
    row = client.get(name, ids=[1], output_fields=["vector", "note"])[0]
    assert row["note"] == "b"
    np.testing.assert_allclose(row["vector"], embed("one"), rtol=1e-6)
    client.upsert(name, [{"id": 1, "text": "two"}], partial_update=True)
    row = client.get(name, ids=[1], output_fields=["vector", "note"])[0]
    assert row["note"] == "b"
    np.testing.assert_allclose(row["vector"], embed("two"), rtol=1e-6)


def test_hybrid_search_takes_texts(client, name, services):
    make(client, name, tei(services), fields=("vector", "other"))
    parts = [AnnSearchRequest(data=["an owl by night"], anns_field=field, param={}, limit=3)
             for field in ("vector", "other")]
    hits = client.hybrid_search(name, parts, RRFRanker(), limit=3)[0]
    assert hits[0]["id"] == 4
    assert len(services.bodies()) == 2 + 2 + 2  # Probes, rows, queries of both fields.


def test_bad_functions_are_refused_when_a_collection_is_made(client, name, services):
    def refuse(code, words, **more):
        params = {"provider": "tei", "endpoint": services.url, **more.pop("params", {})}
        params = {key: value for key, value in params.items() if value is not None}
        with refused(code, words):
            client.create_collection(name, schema=schema_of(client, params, **more))
        assert not client.has_collection(name)

    refuse(1100, "inconsistent with the dim of the model", dim=DIM + 1)
    refuse(1100, "unsupported text embedding service provider", params={"provider": "acme"})
    refuse(1100, "parameter:[provider] was not found", params={"provider": None})
    refuse(1101, "endpoint", params={"endpoint": None})
    refuse(1100, "http", params={"endpoint": "ftp://x"})
    refuse(1100, "not a apikey", params={"provider": "openai", "model_name": "m", "credential": "nobody"})
    refuse(1100, "MILVUS_SILICONFLOW_API_KEY", params={"provider": "siliconflow", "model_name": "m"})
    refuse(1101, "model_name", params={"provider": "openai"})
    refuse(1100, "dim", params={"dim": "8"})
    services.fail[:] = [401]
    refuse(FAILED, "401")
    services.fail[:] = [500] * 3
    refuse(UNAVAILABLE, "500")


def test_a_dead_service_does_not_hinder_who_asks_not_to_be_checked(client, name):
    schema = schema_of(client, {"provider": "tei", "endpoint": "http://127.0.0.1:9"})
    with refused(UNAVAILABLE, "no answer"):
        client.create_collection(name, schema=schema)
    client.create_collection(name, schema=schema, properties={"disable_func_runtime_check": "true"})
    assert client.has_collection(name)


def test_a_service_has_to_prove_who_it_is(client, name, trusted, tmp_path):
    with StandIn(certificate=new_certificate(tmp_path, "stranger")) as stranger:
        with refused(UNAVAILABLE, "certificate"):
            client.create_collection(name, schema=schema_of(client, tei(stranger)))
        assert not stranger.requests
    with StandIn(certificate=trusted) as friend:
        make(client, name, tei(friend))
        assert client.search(name, data=[TEXTS[1]], anns_field="vector", limit=1)[0][0]["id"] == 1


def test_a_description_names_the_credential_and_not_the_key(client, name, server):
    params = {"provider": "openai", "model_name": "m", "credential": "stand_in"}
    make(client, name, params)
    described = client.describe_collection(name)
    function = described["functions"][0]
    assert function["params"] == params
    made = {field["name"]: field.get("is_function_output", False) for field in described["fields"]}
    assert made == {"id": False, "text": False, "vector": True}
    assert KEY not in json.dumps(described, default=str)
    with open(server.log_path) as log:
        assert KEY not in log.read()


def test_rows_may_bring_their_vectors_where_the_collection_allows_it(client, name, services):
    make(client, name, tei(services))
    row = {"id": 50, "text": "fifty", "vector": [0.5] * DIM}
    with refused(1100):
        raw_insert(client, name, row)
    client.alter_collection_properties(name, {"collection.function.allowInsertNonBM25FunctionOutputs": "true"})
    services.requests.clear()
    raw_insert(client, name, row)
    assert not services.requests
    assert client.get(name, ids=[50], output_fields=["vector"])[0]["vector"] == [0.5] * DIM


def raw_insert(client, name, row):
    """As an SDK that sends every field it is given."""
    from pymilvus.exceptions import MilvusException as Refusal
    from pymilvus.grpc_gen import milvus_pb2_grpc
    import grpc
    from wire import column, insert_request
    columns = [column("id", "Int64", [row["id"]]), column("text", "VarChar", [row["text"]]),
               column("vector", "FloatVector", row["vector"], dim=len(row["vector"]))]
    with grpc.insecure_channel(SERVER_OF[client]) as channel:
        answer = milvus_pb2_grpc.MilvusServiceStub(channel).Insert(insert_request(name, columns, rows=1))
    if answer.status.code:
        raise Refusal(code=answer.status.code, message=answer.status.reason)


SERVER_OF = {}


@pytest.fixture
def client(server):
    made = MilvusClient(uri=server.uri)
    SERVER_OF[made] = server.address
    yield made
    made.close()


def test_slow_services_do_not_hold_up_others(client, name, services):
    make(client, name, tei(services))
    services.fail[:] = ["slow"]
    services.slow_s = 4
    waits = threading.Thread(target=lambda: client.search(name, data=["one"], anns_field="vector", limit=1, timeout=20))
    waits.start()
    time.sleep(0.2)
    assert count(client, name) == len(TEXTS)
    assert waits.is_alive()
    waits.join()


# -- Rerankers ---------------------------------------------------------------------------------------------------------

RERANKERS = {
    "tei": {}, "vllm": {}, "cohere": {"model_name": "m", "max_tokens_per_doc": 100}, "voyageai": {"model_name": "m"},
    "siliconflow": {"model_name": "m", "max_chunks_per_doc": 4}, "ali": {"model_name": "m"},
    "huggingface": {"model_name": "m"}, "zilliz": {"model_deployment_id": "d"},
}


def reranker(services, provider, queries, **more):
    params = {"reranker": "model", "provider": provider, "queries": queries, **RERANKERS[provider], **more}
    if provider in ("tei", "vllm"):
        params["endpoint"] = services.url
    elif provider != "zilliz":
        params["credential"] = "stand_in"
    return Function(name="rank", function_type=FunctionType.RERANK, input_field_names=["text"], params=params)


@pytest.fixture
def birds(client, name, services):
    make(client, name, tei(services))
    services.requests.clear()
    return name


@pytest.mark.parametrize("provider", RERANKERS)
def test_each_provider_ranks_hits(client, birds, services, provider):
    ranker = reranker(services, provider, ["the hedge sings", "by night"])
    found = client.search(birds, data=[embed(TEXTS[0])] * 2, anns_field="vector", limit=3, ranker=ranker,
                          search_params={"params": {}}, output_fields=["id"])
    # The three nearest, in the model's order.
    near = sorted(range(len(TEXTS)), key=lambda i: -np.dot(embed(TEXTS[0]), embed(TEXTS[i])))[:3]
    for query, hits in zip(["the hedge sings", "by night"], found):
        scores = {i: len(set(query.split()) & set(TEXTS[i].split())) / len(query.split()) for i in near}
        assert [hit["id"] for hit in hits] == sorted(near, key=lambda i: (-scores[i], i))
        np.testing.assert_allclose([hit["distance"] for hit in hits], sorted(scores.values(), reverse=True), rtol=1e-6)
        assert "text" not in hits[0]["entity"]


def test_a_reranker_gets_batches(client, birds, services):
    services.batch_max = 2
    ranker = reranker(services, "tei", ["the wren"], max_client_batch_size=2)
    hits = client.search(birds, data=[embed(TEXTS[0])], anns_field="vector", limit=6, ranker=ranker)[0]
    assert hits[0]["id"] == 2 and len(hits) == 6
    assert [len(body["texts"]) for body in services.bodies("/rerank")] == [2, 2, 2]


def test_a_reranker_ranks_a_hybrid_search(client, birds, services):
    parts = [AnnSearchRequest(data=[TEXTS[i]], anns_field="vector", param={}, limit=2) for i in (0, 1)]
    hits = client.hybrid_search(birds, parts, reranker(services, "cohere", ["eagle prey"]), limit=4)[0]
    assert hits[0]["id"] == 1 and hits[0]["distance"] == pytest.approx(1)
    asked = services.bodies("/rerank-with-key")[0]
    assert asked["query"] == "eagle prey" and len(set(asked["documents"])) == len(asked["documents"])


def test_a_reranker_that_cannot_work_is_refused(client, birds, services):
    def search(ranker, **more):
        return client.search(birds, data=[embed(TEXTS[0])], anns_field="vector", limit=2, ranker=ranker, **more)

    with refused(1100, "queries"):
        search(reranker(services, "tei", ["one", "two"]))
    with refused(1100, "queries"):
        search(reranker(services, "tei", []))
    with refused(1100, "unknown rerank model provider"):
        search(Function(name="rank", function_type=FunctionType.RERANK, input_field_names=["text"],
                        params={"reranker": "model", "provider": "acme", "queries": ["q"]}))
    with refused(1100, "VarChar"):
        search(Function(name="rank", function_type=FunctionType.RERANK, input_field_names=["id"],
                        params={"reranker": "model", "provider": "tei", "endpoint": services.url, "queries": ["q"]}))
    services.fail[:] = [401]
    with refused(FAILED, "401"):
        search(reranker(services, "tei", ["q"]))
    services.fail[:] = ["few"]
    with refused(FAILED, "do not match"):
        search(reranker(services, "tei", ["q"]))


@pytest.fixture
def chains():
    return pytest.importorskip("pymilvus.function_chain", reason="the older SDK has no function chains")


def near_to(text, count):
    return sorted(range(len(TEXTS)), key=lambda i: -np.dot(embed(text), embed(TEXTS[i])))[:count]


@pytest.mark.parametrize("provider", RERANKERS)
def test_each_provider_is_a_step_of_a_chain(client, birds, services, chains, provider):
    """The text fits, the vector is near, and both count: 0.75 of the one, 0.25 of the other."""
    params = {k: v for k, v in reranker(services, provider, []).params.items() if k not in ("reranker", "queries")}
    if "model_name" in params:
        params["model"] = params.pop("model_name")  # As the SDK's documentation has it.
    col, fn = chains.col, chains.fn
    chain = (chains.FunctionChain(chains.FunctionChainStage.L2_RERANK)
             .map("fit", fn.rerank_model(col("text"), queries=["the hedge sings", "by night"], **params))
             .map("$score", fn.num_combine(col("fit"), col("$score"), mode="weighted", weights=[0.75, 0.25]))
             .sort(col("$score"), desc=True, tie_break_col=col("$id")))
    found = client.search(birds, data=[embed(TEXTS[0]), embed(TEXTS[3])], anns_field="vector", limit=4,
                          function_chains=chain, output_fields=["id"])
    for text, query, hits in zip((TEXTS[0], TEXTS[3]), ("the hedge sings", "by night"), found):
        scores = {i: 0.75 * relevance(query, TEXTS[i]) + 0.25 * np.dot(embed(text), embed(TEXTS[i]))
                  for i in near_to(text, 4)}
        assert [hit["id"] for hit in hits] == sorted(scores, key=lambda i: (-scores[i], i))
        np.testing.assert_allclose([hit["distance"] for hit in hits], sorted(scores.values(), reverse=True), rtol=1e-4)
        assert "text" not in hits[0]["entity"]


def test_a_chain_asks_only_about_the_hits_that_are_left(client, birds, services, chains):
    col, fn = chains.col, chains.fn
    chain = (chains.FunctionChain(chains.FunctionChainStage.L2_RERANK).limit(2)
             .map("$score", fn.rerank_model(col("text"), queries=["an owl"], provider="tei", endpoint=services.url,
                                            max_client_batch_size=1)))
    hits = client.search(birds, data=[embed(TEXTS[4])], anns_field="vector", limit=6, function_chains=chain)[0]
    nearest = near_to(TEXTS[4], 2)
    assert [hit["id"] for hit in hits] == nearest
    assert sorted(body["texts"][0] for body in services.bodies("/rerank")) == sorted(TEXTS[i] for i in nearest)
    services.requests.clear()
    assert not client.search(birds, data=[embed(TEXTS[4])], anns_field="vector", limit=6, function_chains=chain,
                             filter="id < 0")[0]
    assert not services.requests


def test_a_chain_that_cannot_ask_is_refused(client, birds, services, chains):
    def search(stage=chains.FunctionChainStage.L2_RERANK, field="text", queries=("q",), **params):
        expression = chains.fn.rerank_model(chains.col(field), queries=list(queries), **params)
        return client.search(birds, data=[embed(TEXTS[0])], anns_field="vector", limit=2,
                             function_chains=chains.FunctionChain(stage).map("$score", expression))

    good = {"provider": "tei", "endpoint": services.url}
    assert len(search(**good)[0]) == 2
    services.requests.clear()
    with refused(1100, "nq"):
        search(queries=("one", "two"), **good)
    with refused(1100, "VarChar"):
        search(field="id", **good)
    with refused(1100, "L2"):
        search(stage=chains.FunctionChainStage.L0_RERANK, **good)
    with refused(1100, "unknown rerank model provider"):
        search(provider="acme")
    with refused(1100, "lost rerank params:provider"):
        search()
    with refused(1101, "model_name"):
        search(provider="cohere", credential="stand_in")
    with refused(1100, "rerank_model should be"):
        search(**good, extra=["a"])
    assert not services.requests
    services.fail[:] = [401]
    with refused(FAILED, "401"):
        search(**good)


# -- The semantic highlighter ------------------------------------------------------------------------------------------

def test_the_parts_of_texts_that_answer_are_marked(client, name, services):
    make(client, name, tei(services), texts=None, dynamic=True)
    client.insert(name, [
        {"id": 1, "text": "Gulls are loud. The owl is quiet. Owls hunt.", "more": "quiet owl. nothing"},
        {"id": 2, "text": "Nothing here.", "more": 7}])
    mark = SemanticHighlighter(["quiet owl"], ["text", "more"], pre_tags=["<b>"], post_tags=["</b>"], threshold=0.4,
                               model_deployment_id="d")
    hits = client.search(name, data=["owl"], anns_field="vector", limit=2, highlighter=mark, output_fields=["id"])[0]
    by_id = {hit["id"]: hit for hit in hits}
    assert by_id[1]["highlight"]["text"] == {"fragments": ["<b>The owl is quiet</b>"], "scores": [1.0]}
    assert by_id[1]["highlight"]["more"]["fragments"] == ["<b>quiet owl</b>"]
    assert by_id[2]["highlight"]["text"] == {"fragments": [], "scores": []}
    assert by_id[2]["highlight"]["more"] == {"fragments": [], "scores": []}
    assert set(by_id[1]["entity"]) <= {"id"}
    with refused(1100, "queries"):
        client.search(name, data=["owl"], anns_field="vector", limit=2,
                      highlighter=SemanticHighlighter(["a", "b"], ["text"], model_deployment_id="d"))
    services.fail[:] = [500] * 30
    with pytest.raises(MilvusException):
        client.search(name, data=[embed("owl")], anns_field="vector", limit=2, highlighter=mark, timeout=1.5)


# -- Functions of collections that live --------------------------------------------------------------------------------

def test_functions_are_attached_altered_and_dropped(client, name, services):
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=2000)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM)
    client.create_collection(name, schema=schema, consistency_level="Strong")
    add_index(client, name, "FLAT", "COSINE")
    client.load_collection(name)

    def function(**params):
        return Function(name="make", function_type=FunctionType.TEXTEMBEDDING, input_field_names=["text"],
                        output_field_names=["vector"], params=tei(services, **params))

    services.fail[:] = [401]
    with refused(FAILED, "401"):
        client.add_collection_function(name, function())
    client.add_collection_function(name, function())
    client.insert(name, [{"id": 1, "text": "one"}])
    client.alter_collection_function(name, "make", function(ingestion_prompt="passage: "))
    services.requests.clear()
    client.insert(name, [{"id": 2, "text": "two"}])
    assert services.bodies() == [{"inputs": ["passage: two"]}]
    client.drop_collection_function(name, "make")
    client.insert(name, [{"id": 3, "text": "three", "vector": [1.0] + [0.0] * (DIM - 1)}])
    rows = client.query(name, filter="id > 0", output_fields=["vector"])
    stored = {row["id"]: row["vector"] for row in rows}
    np.testing.assert_allclose(stored[1], embed("one"), rtol=1e-6)
    np.testing.assert_allclose(stored[2], embed("passage: two"), rtol=1e-6)
    assert stored[3][0] == 1


def test_what_a_function_becomes_has_its_words(client, name, services):
    """Of functions that make vectors, and of BM25's, which nobody touches."""
    schema = schema_of(client, tei(services))
    schema.add_field("title", DataType.VARCHAR, max_length=100, enable_analyzer=True)
    schema.add_field("words", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(Function("bm25", FunctionType.BM25, ["title"], ["words"]))
    client.create_collection(name, schema=schema)

    def bm25(called="bm25"):
        return Function(called, FunctionType.BM25, ["title"], ["words"])

    def makes(called="make_vector", **params):
        return Function(called, FunctionType.TEXTEMBEDDING, ["text"], ["vector"], params={**tei(services), **params})
    with refused(1100, "does not support adding BM25 function"):
        client.add_collection_function(name, bm25("more"))
    with refused(1100, "does not support altering BM25 function"):
        client.alter_collection_function(name, "bm25", bm25())
    with refused(1100, "does not support dropping BM25 function"):
        client.drop_collection_function(name, "bm25")
    with refused(1100, "invalid function config, name not match"):
        client.alter_collection_function(name, "make_vector", makes("other"))
    with refused(1100, "function nobody not found"):
        client.alter_collection_function(name, "nobody", makes("nobody"))
    with refused(1100):
        client.add_collection_function(name, makes("second"))  # Its field has a function already.
    client.drop_collection_function(name, "nobody")
    # Names of parameters are read in any case; a patience that is none is the usual one.
    client.alter_collection_function(name, "make_vector", Function(
        "make_vector", FunctionType.TEXTEMBEDDING, ["text"], ["vector"],
        params={"Provider": "Tei", "ENDPOINT": services.url, "timeout_ms": "soon"}))
    client.insert(name, [{"id": 1, "text": "one", "title": "t"}])
    client.drop_collection_function(name, "make_vector")
    fields = [field["name"] for field in client.describe_collection(name)["fields"]]
    assert fields == ["id", "text", "vector", "title", "words"], "the vector stays"
    client.insert(name, [{"id": 2, "text": "two", "title": "t", "vector": [0.5] * DIM}])


def test_providers_can_be_switched_off(binary, tmp_path, services):
    off = [f"function.{kind}.providers.{one}.enable=false" for kind, one in (("textEmbedding", "tei"), ("rerank.model", "vllm"))]
    arguments = [piece for key in off for piece in ("--set", key)] + ["--set", "function.batch_factor=1"]
    with Server(binary, str(tmp_path / "data"), arguments=arguments) as server:
        client = MilvusClient(uri=server.uri)
        with refused(1100, "text embedding model provider [tei] is disabled"):
            client.create_collection("c", schema=schema_of(client, tei(services)))
        schema = client.create_schema()
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("text", DataType.VARCHAR, max_length=100)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM)
        client.create_collection("c", schema=schema, consistency_level="Strong")
        add_index(client, "c", "FLAT")
        client.load_collection("c")
        client.insert("c", [{"id": i, "text": f"text {i}", "vector": [float(i)] * DIM} for i in range(40)])

        def rank(provider, **more):
            params = {"reranker": "model", "provider": provider, "queries": ["text 3"], "endpoint": services.url, **more}
            ranker = Function("rank", FunctionType.RERANK, ["text"], params={k: v for k, v in params.items() if v is not None})
            return client.search("c", data=[[0.0] * DIM], anns_field="vector", limit=40, ranker=ranker)[0]
        with refused(1100, "rerank provider: [vllm] is disabled"):
            rank("vllm")
        with refused(1100, "lost rerank params:provider"):
            rank(None)
        with refused(1100, "max_client_batch_size should be positive"):
            rank("tei", max_client_batch_size=0)
        services.requests.clear()
        assert rank("TEI")[0]["id"] == 3
        # 32 texts a request, unless it says otherwise; hits are not bounded by batches as rows are.
        assert sorted(len(body["texts"]) for body in services.bodies("/rerank")) == [8, 32]
        client.close()
