"""Sealed data in an object store: a real MinIO, what lies there, what is fetched, and what happens without it."""
import os
import random
import re
import shutil
import subprocess
import threading
import time

import grpc
import pytest
from pymilvus import DataType, MilvusClient, MilvusException

from minio import BUCKET, KEY, SECRET, Minio, minio_program
from server_process import Server, StartFailed
from slow_link import SlowLink
from support import add_index, count, make, metric, metrics_page, refused, row, vectors
from test_compaction import OPTIONS, compact, until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROWS, DIM = 600, 16


@pytest.fixture(scope="module")
def minio(tmp_path_factory):
    running = Minio(minio_program(), tmp_path_factory.mktemp("minio"))
    yield running
    running.stop()


@pytest.fixture
def root(request):
    """What the keys of this test's server begin with."""
    return request.node.name.replace("[", "-").replace("]", "")[:60].strip("-_")


@pytest.fixture
def serve(binary, minio, tmp_path, root):
    """Starts servers whose objects lie in the store."""
    started = []

    def start(data="data", more=(), **options):
        server = Server(binary, str(tmp_path / data),
                        arguments=[*OPTIONS, *minio.options(**{"minio__rootPath": root, **options}), *more])
        started.append(server)
        return server
    yield start
    for server in started:
        if server.running:
            server.kill()
        with open(server.log_path) as log:
            assert SECRET not in log.read()


def gets(server):
    return metric(server, "milvus_storage_op_count", persistent_data_op_type="get", status="success")


def again_without_copies(server):
    """As after a crash on a machine that has lost its disk but for catalog and log."""
    server.kill()
    shutil.rmtree(os.path.join(server.data, "object-copies"))
    server.start()
    return MilvusClient(uri=server.uri)


def copy_bytes(server):
    return sum(os.path.getsize(os.path.join(folder, name))
               for folder, _, names in os.walk(os.path.join(server.data, "object-copies")) for name in names)


def everything(client, name="c"):
    rows = client.query(name, filter="id >= 0", output_fields=["group", "name", "vector"], consistency_level="Strong")
    return sorted((r["id"], r["group"], r["name"], tuple(r["vector"])) for r in rows)


def found(client, data, name="c"):
    return [[hit["id"] for hit in hits]
            for hits in client.search(name, data=list(data), limit=5, search_params={"params": {"ef": 200}})]


def indexed(client, name="c", field="vector"):
    until(lambda: client.describe_index(name, field)["pending_index_rows"] == 0, "the index is built")


def test_every_row_and_the_same_answers_after_a_crash_that_took_all_local_copies(serve, minio, root):
    server = serve(minio__listObjectsMaxKeys=3)
    client = MilvusClient(uri=server.uri)
    data = make(client, "c", rows=ROWS, index="HNSW", dim=DIM, params={"M": 8, "efConstruction": 64})
    client.flush("c")
    client.delete("c", ids=list(range(0, 50)))
    client.upsert("c", [dict(row(i, data[i]), name="newer") for i in range(50, 90)])
    client.flush("c")
    indexed(client)
    client.insert("c", [row(i, data[0]) for i in range(1000, 1010)])  # In the log alone.
    rows, hits = everything(client), found(client, data[100:110])
    assert len(rows) == ROWS - 50 + 10

    kinds = {key.split("/")[1] for key in minio.objects(root)}
    assert kinds == {".owner", "segments", "indexes", "deltas"}
    assert not os.path.exists(os.path.join(server.data, "objects"))

    client.close()
    client = again_without_copies(server)
    assert everything(client) == rows
    assert found(client, data[100:110]) == hits
    fetched = gets(server)
    assert fetched > 5

    # What is here by now is not fetched once more, also over a restart.
    client.close()
    server.kill()
    server.start()
    client = MilvusClient(uri=server.uri)
    assert everything(client) == rows
    assert gets(server) == 0
    assert metric(server, "milvus_storage_local_copy_count", cache_state="hit") > 5
    client.close()


def test_a_load_fetches_what_is_to_be_warm_and_reads_fetch_the_rest(serve):
    server = serve()
    client = MilvusClient(uri=server.uri)
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    for name in ("a", "b", "c"):
        schema.add_field(name, DataType.INT64)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM)
    client.create_collection("c", schema=schema, properties={
        "warmup.scalarField": "disable", "warmup.vectorField": "disable", "warmup.vectorIndex": "disable"})
    data = vectors(ROWS, DIM)
    client.insert("c", [{"id": i, "a": i, "b": i % 7, "c": -i, "vector": data[i]} for i in range(ROWS)])
    add_index(client, "c", "HNSW", params={"M": 8, "efConstruction": 64})
    client.flush("c")
    indexed(client)
    client.load_collection("c")
    client.close()

    client = again_without_copies(server)
    until(lambda: count(client, "c") == ROWS, "it is loaded")
    assert gets(server) == 3, "manifest, keys, timestamps"
    assert client.query("c", filter="a == 17", output_fields=["a"])[0]["id"] == 17
    assert gets(server) == 4
    assert client.query("c", filter="a == 18 and b == 4", output_fields=["b"])[0]["b"] == 4
    assert gets(server) == 5
    assert client.search("c", data=[data[3]], limit=1)[0][0]["id"] == 3
    assert gets(server) == 7, "the index, and the vectors that it refers to"
    assert client.query("c", filter="id == 5", output_fields=["a", "b"])[0]["a"] == 5
    assert gets(server) == 7
    client.close()


def test_a_load_from_a_store_far_away_fetches_many_files_at_the_same_time(serve, minio):
    server = serve()
    client = MilvusClient(uri=server.uri)
    data = make(client, "c", rows=200, dim=DIM)
    for part in range(1, 6):
        client.insert("c", [row(1000 * part + i, data[i]) for i in range(200)])
        client.flush("c")
    client.delete("c", ids=[0, 1000])
    client.flush("c")
    add_index(client, "c", "FLAT")
    indexed(client)
    client.load_collection("c")
    client.close()
    server.kill()

    def load(link, **options):
        """Starts without copies over the link and loads: seconds, and what was fetched."""
        shutil.rmtree(os.path.join(server.data, "object-copies"), ignore_errors=True)
        # Files stay as they are, so that both loads fetch the same ones.
        far = serve(more=["--set", "dataCoord.compaction.enableAutoCompaction=false"], minio__port=link.port, **options)
        loading = MilvusClient(uri=far.uri)
        begin = time.monotonic()
        until(lambda: count(loading, "c") == 1198, "it is loaded")
        seconds, fetched = time.monotonic() - begin, gets(far)
        loading.close()
        far.kill()
        link.stop()
        return seconds, fetched

    one = SlowLink(minio.port, 0.05)
    slow, fetched = load(one, queryNode__ioPoolSize=1)
    others = 2  # The collector of garbage, and a read that asks whether the load is over.
    assert one.most <= 1 + others
    many = SlowLink(minio.port, 0.05)
    _, fetched_too = load(many, queryNode__ioPoolSize=8)
    assert fetched_too == fetched > 25
    assert 4 < many.most <= 8 + others


def test_a_bound_smaller_than_the_collection_answers(serve):
    server = serve(more=["--set", "queryNode.segcore.tieredStorage.memoryBudget=1"], minio__localCopy__maxSize=1)
    client = MilvusClient(uri=server.uri)
    make(client, "c", dim=512)
    data = vectors(3000, 512)
    for first in range(0, 3000, 1000):  # 2 MB of vectors each.
        client.insert("c", [row(i, data[i]) for i in range(first, first + 1000)])
        client.flush("c")
    for seed in range(3):
        for i in random.Random(seed).sample(range(3000), 5):
            assert client.search("c", data=[data[i]], limit=1)[0][0]["id"] == i
            assert client.query("c", filter=f"id == {i}", output_fields=["name"])[0]["name"] == f"row {i}"
    assert copy_bytes(server) <= 1 << 20
    assert metric(server, "milvus_storage_local_copy_bytes") <= 1 << 20
    assert metric(server, "milvus_storage_local_copy_count", cache_state="miss") > 6
    client.close()


def test_a_damaged_copy_is_fetched_anew(serve):
    server = serve()
    client = MilvusClient(uri=server.uri)
    data = make(client, "c", rows=ROWS, index="HNSW", dim=DIM, params={"M": 8, "efConstruction": 64})
    client.flush("c")
    indexed(client)
    rows, hits = everything(client), found(client, data[:10])
    client.close()
    server.kill()
    damaged = 0
    for folder, _, names in os.walk(os.path.join(server.data, "object-copies")):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "r+b") as file:
                size = os.path.getsize(path)
                file.seek(size // 2)
                middle = file.read(64)
                file.seek(size // 2)
                file.write(bytes(255 - byte for byte in middle))
            damaged += 1
    assert damaged > 5
    server.start()
    client = MilvusClient(uri=server.uri)
    assert everything(client) == rows
    assert found(client, data[:10]) == hits
    assert gets(server) > 5
    client.close()


def test_large_objects_go_in_parts(serve, minio, root):
    server = serve()
    client = MilvusClient(uri=server.uri)
    rows, dim = 12_000, 512
    data = vectors(rows, dim)
    make(client, "c", dim=dim)
    for first in range(0, rows, 3000):
        client.insert("c", [row(i, data[i]) for i in range(first, first + 3000)])
    client.flush("c")
    client.close()
    client = again_without_copies(server)
    until(lambda: count(client, "c") == rows, "it is loaded")
    assert client.search("c", data=[data[7777]], limit=1)[0][0]["id"] == 7777
    assert metric(server, "milvus_storage_kv_bytes", persistent_data_op_type="get") > rows * dim * 4 > 16 << 20
    client.close()


def test_without_the_store_inserts_and_loaded_reads_go_on_and_a_flush_ends_when_it_is_back(serve, minio):
    server = serve()
    client = MilvusClient(uri=server.uri)
    data = make(client, "c", rows=ROWS, dim=DIM)
    client.flush("c")
    rows = everything(client)
    try:
        minio.stop()
        client.insert("c", [row(i, data[i % ROWS]) for i in range(ROWS, ROWS + 50)])
        client.delete("c", ids=[0])
        assert count(client, "c") == ROWS + 49
        assert client.search("c", data=[data[9]], limit=1)[0][0]["id"] == 9
        flushing = threading.Thread(target=lambda: MilvusClient(uri=server.uri).flush("c", timeout=120))
        flushing.start()
        until(lambda: metric(server, "milvus_storage_retry_count") > 3, "the flush is tried again")
        assert flushing.is_alive()
        assert [r for r in everything(client) if r[0] < ROWS] == rows[1:]
    finally:
        minio.start()
    flushing.join(120)
    assert not flushing.is_alive()
    client.close()
    client = again_without_copies(server)
    until(lambda: count(client, "c") == ROWS + 49, "it is loaded")
    assert [r for r in everything(client) if r[0] < ROWS] == rows[1:]
    client.close()


def test_the_page_of_metrics_lists_what_is_there(serve, minio):
    server = serve()
    client = MilvusClient(uri=server.uri)
    make(client, "c", rows=10, dim=DIM)
    flushing = threading.Thread(target=lambda: MilvusClient(uri=server.uri).flush("c", timeout=120))
    minio.pause()
    try:
        flushing.start()
        until(lambda: metric(server, "milvus_storage_retry_count") > 0, "a request is made again")
    finally:
        minio.go_on()
    flushing.join(120)
    # A get and the list of its start are there as well.
    with open(os.path.join(ROOT, "docs", "metrics.md")) as page:
        told = re.findall(r"^\| `(milvus_storage_\w+)` \| (\w+)", page.read(), re.MULTILINE)
    there = [tuple(line.split()[2:]) for line in metrics_page(server) if line.startswith("# TYPE milvus_storage_")]
    assert sorted(there) == sorted(told)
    client.close()


def test_the_configuration_of_the_readme_serves(binary, minio, tmp_path):
    with open(os.path.join(ROOT, "README.md")) as page:
        (example,) = re.findall(r"```yaml\n(.*?)```", page.read(), re.S)
    for name, value in (("port: 9000", f"port: {minio.port}"), ("accessKeyID: minioadmin", f"accessKeyID: {KEY}"),
                        ("secretAccessKey: minioadmin", f"secretAccessKey: {SECRET}")):
        assert name in example
        example = example.replace(name, value)
    (tmp_path / "elanus.yaml").write_text(example)
    with Server(binary, str(tmp_path / "data"), arguments=["--config", str(tmp_path / "elanus.yaml")]) as server:
        client = MilvusClient(uri=server.uri)
        make(client, "c", rows=10, dim=DIM)
        client.flush("c")
        client.close()
    assert any(key.startswith("files/segments/") for key in minio.objects())


def test_a_cold_read_without_the_store_is_a_clear_error_that_can_be_tried_again(serve, minio, root):
    server = serve()
    client = MilvusClient(uri=server.uri)
    make(client, "c", rows=ROWS, dim=DIM, properties={"warmup.scalarField": "disable"})
    client.flush("c")
    client.close()
    client = again_without_copies(server)
    until(lambda: count(client, "c") == ROWS, "it is loaded")
    for silent in (False, True):
        try:
            minio.pause() if silent else minio.stop()
            with refused(2, "service unavailable") as caught:
                client.query("c", filter="name == 'row 7'", output_fields=["name"], timeout=60)
            assert f"127.0.0.1:{minio.port}, bucket {BUCKET}" in caught.value.message
            assert f"{root}/segments/" in caught.value.message
            assert SECRET not in caught.value.message and KEY not in caught.value.message
        finally:
            minio.go_on() if silent else minio.start()
    assert client.query("c", filter="name == 'row 7'", output_fields=["name"])[0]["id"] == 7
    client.close()


def test_a_cold_read_ends_with_its_caller(serve, minio):
    server = serve(minio__requestTimeoutMs=60000)
    client = MilvusClient(uri=server.uri)
    make(client, "c", rows=ROWS, dim=DIM, properties={"warmup.scalarField": "disable"})
    client.flush("c")
    client.close()
    client = again_without_copies(server)
    until(lambda: count(client, "c") == ROWS, "it is loaded")

    def asked():
        return sum(metric(server, "milvus_storage_op_count", persistent_data_op_type="get", status=status) or 0
                   for status in ("success", "fail"))
    before = asked()
    minio.pause()
    try:
        begin = time.monotonic()
        with pytest.raises((MilvusException, grpc.RpcError)):
            client.query("c", filter="name == 'row 7'", output_fields=["name"], timeout=1)
        with pytest.raises((MilvusException, grpc.RpcError)):
            client.query("c", filter="group == 3", output_fields=["id"], timeout=1)
        # Each request is over, though the store would still be waited for.
        until(lambda: asked() == before + 2, "both requests to the store have ended")
        assert time.monotonic() - begin < 20
    finally:
        minio.go_on()
    assert client.query("c", filter="name == 'row 7'", output_fields=["name"])[0]["id"] == 7
    client.close()


def test_compaction_and_drops_remove_objects_but_none_that_a_loaded_segment_may_open(serve, minio, root):
    server = serve()
    client = MilvusClient(uri=server.uri)
    data = make(client, "c", dim=DIM, rows=200, index="HNSW", params={"M": 8, "efConstruction": 64},
                properties={"warmup.scalarField": "disable"})
    for first in (200, 400):
        client.flush("c")
        client.insert("c", [row(i, data[i % 200]) for i in range(first, first + 200)])
    client.flush("c")
    before = set(minio.objects(root))
    compact(client, "c")
    until(lambda: not before & {key for key in minio.objects(root) if "/segments/" in key}, "the old files go")
    assert [r["name"] for r in client.query("c", filter="id in [7, 207, 407]", output_fields=["name"])] == \
        ["row 7", "row 207", "row 407"]
    client.drop_collection("c")
    until(lambda: minio.objects(root) == [f"{root}/.owner"], "all files go")
    until(lambda: copy_bytes(server) == 0, "their copies go")
    client.close()


def test_an_iterator_goes_on_in_segments_that_were_compacted_away(serve, minio, root):
    server = serve(more=["--set", "queryNode.iterator.maxIdleTime=4"])
    client = MilvusClient(uri=server.uri)
    data = make(client, "c", dim=DIM, rows=200, properties={"warmup.scalarField": "disable"})
    for first in (200, 400):
        client.flush("c")
        client.insert("c", [row(i, data[i % 200]) for i in range(first, first + 200)])
    client.flush("c")
    client.close()
    client = again_without_copies(server)
    until(lambda: count(client, "c") == 600, "it is loaded")
    before = {key for key in minio.objects(root) if key.endswith(".col")}
    pages = client.search_iterator("c", data=[data[3]], batch_size=100, limit=600, output_fields=["name"])
    seen = [hit["entity"]["name"] for hit in pages.next()]
    compact(client, "c")
    until(lambda: len({key for key in minio.objects(root) if key.endswith(".col")} - before) == 5, "the new files are there")
    shutil.rmtree(os.path.join(server.data, "object-copies", "segments"))
    time.sleep(2.5)  # Two rounds of the collector of garbage.
    while page := pages.next():
        seen += [hit["entity"]["name"] for hit in page]
    assert sorted(seen) == sorted(f"row {i}" for i in range(600))
    assert before & set(minio.objects(root))
    pages.close()
    until(lambda: not before & set(minio.objects(root)), "the old files go")
    client.close()


@pytest.mark.skipif(not hasattr(MilvusClient, "create_snapshot"), reason="the SDK has no snapshots")
def test_a_snapshot_is_restored(serve, minio):
    server = serve()
    client = MilvusClient(uri=server.uri)
    data = make(client, "c", rows=ROWS, index="HNSW", dim=DIM, params={"M": 8, "efConstruction": 64})
    client.flush("c")
    client.delete("c", ids=list(range(30)))
    client.flush("c")
    indexed(client)
    rows = everything(client)
    client.create_snapshot("first", "c")
    client.delete("c", ids=list(range(30, 300)))
    client.flush("c")
    compact(client, "c")
    client.close()
    client = again_without_copies(server)
    job = client.restore_snapshot("first", "c", "again")
    until(lambda: client.get_restore_snapshot_state(job).state == "RestoreSnapshotCompleted", "the restore ends")
    client.load_collection("again")
    assert everything(client, "again") == rows
    assert [hits[0] for hits in found(client, data[400:405], "again")] == list(range(400, 405))
    client.close()


def test_a_root_belongs_to_one_data_folder_and_a_folder_to_one_root(serve, binary, minio, tmp_path, root):
    server = serve()
    client = MilvusClient(uri=server.uri)
    make(client, "c", rows=10, dim=DIM)
    client.flush("c")
    client.close()
    server.stop()
    with pytest.raises(StartFailed, match="belongs to another data folder"):
        serve("other")
    with pytest.raises(StartFailed, match="does not say that it is theirs"):
        serve(minio__rootPath=root + "2")
    with pytest.raises(StartFailed, match="common.storageType should be minio"):
        Server(binary, str(tmp_path / "data"))
    with Server(binary, str(tmp_path / "local")) as local:
        client = MilvusClient(uri=local.uri)
        make(client, "c", rows=10, dim=DIM)
        client.flush("c")
        client.close()
    with pytest.raises(StartFailed, match="common.storageType should be local"):
        serve("local", minio__rootPath=root + "3")
    server.start()
    client = MilvusClient(uri=server.uri)
    assert count(client, "c") == 10
    client.close()


def test_of_a_folder_and_its_copy_one_writes(serve, root, tmp_path):
    server = serve()
    client = MilvusClient(uri=server.uri)
    data = make(client, "c", rows=ROWS, dim=DIM)
    client.flush("c")
    rows = everything(client)
    client.close()
    server.stop()
    shutil.copytree(server.data, str(tmp_path / "copy"))
    server.start()
    with pytest.raises(StartFailed, match="has been taken over by a copy of .*/copy, .*/data: give"):
        serve("copy")
    # A copy that knows the claim is one of what runs: it takes the root over, and what ran writes no more.
    shutil.copy(os.path.join(server.data, "object-store"), str(tmp_path / "copy"))
    copy = serve("copy")
    client = MilvusClient(uri=server.uri)
    client.insert("c", [row(i, data[i % ROWS]) for i in range(ROWS, ROWS + 20)])
    with pytest.raises((MilvusException, grpc.RpcError)):
        client.flush("c", timeout=8)
    with open(server.log_path) as log:
        assert "/copy has taken it over, and this server writes nothing more" in log.read()
    assert count(client, "c") == ROWS + 20, "it still reads"
    client.close()
    other = MilvusClient(uri=copy.uri)
    other.insert("c", [row(i, data[i % ROWS]) for i in range(5000, 5010)])
    other.flush("c")
    assert [r for r in everything(other) if r[0] < 5000] == rows
    other.close()
    server.kill()
    with pytest.raises(StartFailed, match="stop the other for good and write 'claim: ") as refusal:
        server.start()
    # The way out that it names.
    copy.stop()
    claim = re.search(r"'(claim: \w+)'", str(refusal.value)).group(1)
    with open(os.path.join(server.data, "object-store"), "a") as place:
        place.write(claim + "\n")
    server.start()
    client = MilvusClient(uri=server.uri)
    until(lambda: count(client, "c") == ROWS + 20, "it is loaded")
    client.flush("c")
    client.close()


@pytest.mark.parametrize("key, value, says", [
    ("minio.useIAM", "true", "minio.useIAM should be one of false"),
    ("minio.cloudProvider", "azure", "minio.cloudProvider should be one of aws"),
    ("common.storageType", "opendal", "common.storageType should be one of"),
    ("minio.gcpCredentialJSON", "x", "unknown configuration key: minio.gcpCredentialJSON"),
    ("minio.bucketName", "No", "minio.bucketName should be"),
    ("minio.rootPath", "a//b", "minio.rootPath should be"),
    ("minio.address", "http://x", "minio.address should be a host"),
    ("minio.secretAccessKey", "", "minio.secretAccessKey should not be empty"),
    ("minio.secretAccessKey", "another-secret", "SignatureDoesNotMatch"),
    ("minio.port", "1", "minio.* no answer from|no answer from http://127.0.0.1:1/"),
])
def test_what_cannot_work_is_refused_at_the_start_and_no_secret_is_told(serve, key, value, says):
    with pytest.raises(StartFailed, match=says) as caught:
        serve(more=["--set", f"{key}={value}"])
    assert SECRET not in str(caught.value) and "another-secret" not in str(caught.value)


def test_tls_with_an_authority_of_its_own(binary, tmp_path):
    certificates = tmp_path / "certificates"
    certificates.mkdir()
    done = subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                           "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout",
                           certificates / "private.key", "-out", certificates / "public.crt"], capture_output=True)
    assert done.returncode == 0, done.stderr
    minio = Minio(minio_program(), tmp_path / "minio", certificates)
    try:
        options = minio.options(minio__useSSL="true", minio__requestTimeoutMs=5000)
        with pytest.raises(StartFailed, match="certificate"):
            Server(binary, str(tmp_path / "data"), arguments=options)
        trusted = [*options, "--set", f"minio.ssl.tlsCACert={certificates / 'public.crt'}"]
        with Server(binary, str(tmp_path / "data"), arguments=trusted) as server:
            client = MilvusClient(uri=server.uri)
            make(client, "c", rows=10, dim=DIM)
            client.flush("c")
            client.close()
            client = again_without_copies(server)
            until(lambda: count(client, "c") == 10, "it is loaded")
            client.close()
        assert len(minio.objects()) > 3
    finally:
        minio.stop()


def test_buckets_in_the_name_of_the_host(serve, minio):
    server = serve(minio__address="localhost", minio__useVirtualHost="true", minio__bucketName="other-bucket")
    client = MilvusClient(uri=server.uri)
    make(client, "c", rows=10, dim=DIM)
    client.flush("c")
    client.close()
    client = again_without_copies(server)
    until(lambda: count(client, "c") == 10, "it is loaded")
    client.close()
    assert len(minio.objects("", bucket="other-bucket")) > 3


def test_the_promises_of_object_stores_hold_on_a_real_one(binary, minio):
    """The conformance suite of the unit tests, on this store."""
    tests = os.path.join(os.path.dirname(binary), "backend_test")
    if not os.path.exists(tests):
        pytest.skip(f"no {tests}: unit tests are not built")
    environment = {**os.environ, "ELANUS_TEST_S3": f"127.0.0.1:{minio.port}", "ELANUS_TEST_S3_KEY": KEY,
                   "ELANUS_TEST_S3_SECRET": SECRET}
    done = subprocess.run([tests, "--gtest_filter=*RealStore*"], env=environment, capture_output=True, text=True,
                          timeout=300)
    assert done.returncode == 0, done.stdout[-4000:]
    assert int(re.search(r"\[  PASSED  \] (\d+) tests", done.stdout).group(1)) >= 12
