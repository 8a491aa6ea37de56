"""A stand-in for the model services that functions ask: it speaks their HTTP protocols on the loopback, checks keys and
batches, and fails in every way a service can. Run alone with `--model` it serves all-MiniLM-L6-v2 as TEI does."""
import argparse
import base64
import hashlib
import hmac
import json
import os
import re
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote

import numpy as np

KEY = "stand-in-key"
AWS_ID, AWS_SECRET = "stand-in-id", "stand-in-secret"
DIM = 16


def embed(text, dim=DIM, query=False):
    """A vector of the text's words: texts with the same words are near. A query differs from a document a little."""
    vector = np.zeros(dim)
    for word in re.findall(r"\w+", text.lower()):
        digest = hashlib.sha256(word.encode()).digest()
        vector += np.frombuffer((digest * (dim // 32 + 1))[:dim], np.uint8) / 128 - 1
    vector[0] += 0.001 if query else 0
    norm = np.linalg.norm(vector)
    return (vector / norm if norm else vector).astype(np.float32).tolist()


def relevance(query, text):
    """The share of the query's words that the text has."""
    words = set(query.lower().split())
    return len(words & set(text.lower().split())) / max(1, len(words))


def rounded(vector):
    return [int(round(127 * value)) for value in vector]


class Refused(Exception):
    def __init__(self, status, words):
        super().__init__(words)
        self.status = status


def need(holds, words, status=400):
    if not holds:
        raise Refused(status, words)


class StandIn:
    """A running stand-in. `fail` is a list of faults for the next requests: a status, or one of "slow", "cut",
    "hang up", "garbage", "few", "many", "short", "null". `requests` are (path, headers, body) as they came, `batches`
    (number of texts, whether they are queries) of those for vectors. `google_key` is the PEM of the account's key."""

    def __init__(self, embedder=embed, port=0, certificate=None):
        self.embedder, self.requests, self.fail, self.batch_max, self.slow_s = embedder, [], [], 10 ** 6, 1.5
        self.batches, self.google_key = [], None
        self.lock = threading.Lock()
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                stand_in.handle(self)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        if certificate:  # The names of two files: certificate and key.
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def bodies(self, path=""):
        return [body for at, _, body in self.requests if path in at]

    # -- One request ---------------------------------------------------------------------------------------------------

    def handle(self, http):
        raw = http.rfile.read(int(http.headers.get("Content-Length", 0)))
        is_json = http.headers.get("Content-Type", "").startswith("application/json")
        with self.lock:
            body = json.loads(raw) if is_json else raw.decode()
            self.requests.append((http.path, dict(http.headers), body))
            fault = self.fail.pop(0) if self.fail else None
        try:
            if isinstance(fault, int):
                raise Refused(fault, f"fault {fault}, and your key is {KEY}")
            answer = self.answer(http, raw, body, fault)
            self.send(http, 200, json.dumps(answer).encode(), fault)
        except Refused as refused:
            self.send(http, refused.status, json.dumps({"error": str(refused)}).encode(), None)

    def send(self, http, status, payload, fault):
        if fault == "slow":
            time.sleep(self.slow_s)
        if fault == "hang up":
            http.close_connection = True
            return
        if fault == "garbage":
            payload = b"<html>not what you want</html>"
        try:
            http.send_response(status)
            http.send_header("Content-Type", "application/json")
            http.send_header("Content-Length", str(len(payload)))
            http.end_headers()
            if fault == "cut":
                payload = payload[:len(payload) // 2]
                http.close_connection = True
            http.wfile.write(payload)
        except (BrokenPipeError, ConnectionResetError):
            http.close_connection = True  # The client did not wait.

    def answer(self, http, raw, body, fault):
        path = http.path.split("?")[0]
        for pattern, method in ROUTES:
            found = re.fullmatch(pattern, path)
            if found:
                return method(self, Request(http, raw, body, fault, found))
        raise Refused(404, f"no such path: {path}")

    # -- What several protocols share ----------------------------------------------------------------------------------

    def vectors(self, request, texts, query=False, dim=None, int8=False):
        """Of each text, spoilt as the fault says."""
        need(isinstance(texts, list) and texts and all(isinstance(t, str) and t for t in texts), "texts, please")
        need(len(texts) <= self.batch_max, f"a batch of {len(texts)} is too large", 413)
        with self.lock:
            self.batches.append((len(texts), query))
        vectors = [self.embedder(text, dim or DIM, query) for text in texts]
        if int8:
            vectors = [rounded(vector) for vector in vectors]
        spoil = {"few": lambda v: v[:-1], "many": lambda v: v + v[:1], "short": lambda v: v[:-1] + [v[-1][:-1]],
                 "null": lambda v: v[:-1] + [[None] * len(v[-1])]}
        return spoil.get(request.fault, lambda v: v)(vectors)

    def scores(self, request, query, texts):
        need(isinstance(query, str) and isinstance(texts, list) and texts, "a query and texts, please")
        need(len(texts) <= self.batch_max, f"a batch of {len(texts)} is too large", 413)
        scores = [relevance(query, text) for text in texts]
        return scores[:-1] if request.fault == "few" else scores


class Request:
    def __init__(self, http, raw, body, fault, found):
        self.http, self.raw, self.body, self.fault, self.found = http, raw, body, fault, found

    def bearer(self):
        need(self.http.headers.get("Authorization") == f"Bearer {KEY}", "a wrong key", 401)

    def header(self, name):
        need(self.http.headers.get(name) == KEY, "a wrong key", 401)


def numbered(items, index, value, more=None):
    """As objects with their numbers, the last one first: whoever reads them has to look."""
    return [{index: i, value: item, **(more or {})} for i, item in reversed(list(enumerate(items)))]


def openai(stand_in, request):
    request.bearer()
    body = request.body
    need(body.get("model"), "a model, please")
    query = body.get("input_type") == "query"
    int8 = body.get("output_dtype") == "int8"
    dim = body.get("dimensions") or body.get("output_dimension")
    vectors = stand_in.vectors(request, body["input"], query, dim, int8)
    return {"object": "list", "data": numbered(vectors, "index", "embedding"), "usage": {"total_tokens": 1}}


def azure(stand_in, request):
    request.header("api-key")
    need("api-version" in parse_qs(request.http.path.split("?")[1]), "an api-version, please")
    vectors = stand_in.vectors(request, request.body["input"], dim=request.body.get("dimensions"))
    return {"data": numbered(vectors, "index", "embedding")}


def dashscope(stand_in, request):
    request.bearer()
    params = request.body["parameters"]
    vectors = stand_in.vectors(request, request.body["input"]["texts"], params["text_type"] == "query",
                               params.get("dimension"))
    return {"output": {"embeddings": numbered(vectors, "text_index", "embedding")}}


def cohere(stand_in, request):
    request.bearer()
    kind = request.body["embedding_types"][0]
    need(kind in ("float", "int8"), "an unknown embedding type")
    vectors = stand_in.vectors(request, request.body["texts"], request.body["input_type"] == "search_query",
                               request.body.get("output_dimension"), kind == "int8")
    return {"id": "x", "embeddings": {kind: vectors}}


def tei(stand_in, request):
    return stand_in.vectors(request, request.body["inputs"])


def hugging_face(stand_in, request):
    request.bearer()
    return stand_in.vectors(request, request.body["inputs"])


def gemini(stand_in, request):
    request.header("x-goog-api-key")
    asked = request.body["requests"]
    texts = [one["content"]["parts"][0]["text"] for one in asked]
    vectors = stand_in.vectors(request, texts, asked[0]["taskType"] == "RETRIEVAL_QUERY",
                               asked[0].get("outputDimensionality"))
    return {"embeddings": [{"values": vector} for vector in vectors]}


def is_signed(key, signed, signature):
    """RS256, by OpenSSL: the signature is that of the account's key."""
    with tempfile.TemporaryDirectory() as folder:
        names = {what: os.path.join(folder, what) for what in ("key", "signed", "signature")}
        for name, content in ((names["key"], key), (names["signed"], signed), (names["signature"], signature)):
            with open(name, "wb") as file:
                file.write(content)
        check = ["openssl", "dgst", "-sha256", "-prverify", names["key"], "-signature", names["signature"]]
        return subprocess.run([*check, names["signed"]], capture_output=True).returncode == 0


def unpadded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def google_token(stand_in, request):
    form = parse_qs(request.body)
    need(form.get("grant_type") == ["urn:ietf:params:oauth:grant-type:jwt-bearer"], "a wrong grant")
    head, claim, signature = form["assertion"][0].split(".")
    decoded = json.loads(unpadded(claim))
    need(json.loads(unpadded(head))["alg"] == "RS256", "a wrong algorithm", 401)
    need(decoded["iss"] == "me@stand-in", "a wrong claim", 401)
    need(time.time() < decoded["exp"] <= decoded["iat"] + 3600, "too old, or for too long", 401)
    need(decoded["aud"].endswith("/google/token") and decoded["scope"], "for nobody", 401)
    need(is_signed(stand_in.google_key, f"{head}.{claim}".encode(), unpadded(signature)), "a wrong signature", 401)
    return {"access_token": KEY, "expires_in": 3600, "token_type": "Bearer"}


def vertex(stand_in, request):
    request.bearer()
    asked = request.body["instances"]
    vectors = stand_in.vectors(request, [one["content"] for one in asked],
                               asked[0]["task_type"].endswith("QUERY"),
                               request.body.get("parameters", {}).get("outputDimensionality"))
    return {"predictions": [{"embeddings": {"values": vector}} for vector in vectors]}


def aws_signature(request):
    """What the Authorization header should say, by the documentation of AWS Signature Version 4."""
    headers = request.http.headers
    match = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d+)/([^/]+)/([^/]+)/aws4_request, "
                         r"SignedHeaders=([^,]+), Signature=(\w+)", headers.get("Authorization", ""))
    need(match and match[1] == AWS_ID, "not signed", 403)
    _, day, region, service, names, given = match.groups()
    path = "/".join(quote(part, safe="") for part in request.http.path.split("/"))
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in names.split(";"))
    canonical = "\n".join(["POST", path, "", lines, names, hashlib.sha256(request.raw).hexdigest()])
    to_sign = "\n".join(["AWS4-HMAC-SHA256", headers["X-Amz-Date"], f"{day}/{region}/{service}/aws4_request",
                         hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + AWS_SECRET).encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return given, hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()


def bedrock(stand_in, request):
    given, right = aws_signature(request)
    need(given == right, "a wrong signature", 403)
    vectors = stand_in.vectors(request, [request.body["inputText"]], dim=request.body.get("dimensions"))
    return {"embedding": vectors[0] if vectors else None, "inputTextTokenCount": 1}


def rerank_tei(stand_in, request):
    return numbered(stand_in.scores(request, request.body["query"], request.body["texts"]), "index", "score")


def rerank_open(stand_in, request):
    """vLLM, which wants no key here."""
    return {"results": numbered(stand_in.scores(request, request.body["query"], request.body["documents"]), "index",
                                "relevance_score")}


def rerank(stand_in, request):
    request.bearer()
    need(request.body.get("model"), "a model, please")
    results = numbered(stand_in.scores(request, request.body["query"], request.body["documents"]), "index",
                       "relevance_score")
    return {"results": results, "data": results}


def rerank_ali(stand_in, request):
    request.bearer()
    asked = request.body["input"]
    return {"output": {"results": numbered(stand_in.scores(request, asked["query"], asked["documents"]), "index",
                                           "relevance_score")}}


def rerank_hugging_face(stand_in, request):
    request.bearer()
    asked = request.body["inputs"]
    return stand_in.scores(request, asked["source_sentence"], asked["sentences"])


def highlight(_, request):
    """Sentences of which a share of the query's words is in, marked with the first tags."""
    request.bearer()
    body = request.body
    before, after = body.get("pre_tags", ["<em>"])[0], body.get("post_tags", ["</em>"])[0]
    results = []
    for i, text in enumerate(body["documents"]):
        scored = [(s.strip(), relevance(body["query"], s)) for s in text.split(".") if s.strip()]
        kept = [(s, score) for s, score in scored if score >= body.get("threshold", 0.5)]
        results.append({"index": i, "fragments": [before + s + after for s, _ in kept],
                        "scores": [score for _, score in kept]})
    return {"results": results[::-1]}


ROUTES = [
    ("/openai/v1/embeddings|/voyage/v1/embeddings|/v1/embeddings", openai),
    ("/azure/openai/deployments/[^/]+/embeddings", azure),
    ("/dashscope", dashscope),
    ("/cohere/v2/embed", cohere),
    ("/embed", tei),
    ("/hf/[^/]+/models/.+/pipeline/feature-extraction", hugging_face),
    ("/gemini/models/[^/]+:batchEmbedContents", gemini),
    ("/google/token", google_token),
    ("/vertex", vertex),
    ("/bedrock/model/[^/]+/invoke", bedrock),
    ("/rerank", rerank_tei),
    ("/v2/rerank", rerank_open),
    ("/rerank-with-key|/v1/rerank", rerank),
    ("/rerank-ali", rerank_ali),
    ("/rerank-hf", rerank_hugging_face),
    ("/v1/highlight", highlight),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--model", help="the folder of demo/embed.py: serve all-MiniLM-L6-v2 with it")
    options = parser.parse_args()
    embedder = embed
    if options.model:
        sys.path.insert(0, options.model)
        from embed import MiniLm
        model = MiniLm()

        def embedder(text, *_):
            return model.embed([text])[0].tolist()
    with StandIn(embedder, options.port) as running:
        print(f"model service on {running.url}", flush=True)
        running.thread.join()


if __name__ == "__main__":
    main()
