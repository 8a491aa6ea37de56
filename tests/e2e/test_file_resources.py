"""File resources: objects that clients have given a name, and analyzers that read their words from them."""
import os

import pytest
from pymilvus import MilvusClient
from pymilvus.grpc_gen import milvus_pb2
from server_process import Server
from support import count, refused
from test_compaction import until
from test_full_text import make
from wire import calls, status_of


@pytest.fixture
def stored(binary, tmp_path):
    """A server of the test's own; `put` lays a file where the objects are, as an upload to a bucket would."""
    with Server(binary, str(tmp_path / "data")) as running:
        def put(key, text):
            path = tmp_path / "data" / "objects" / key
            os.makedirs(path.parent, exist_ok=True)
            path.write_bytes(text.encode() if isinstance(text, str) else text)
            return path
        running.put = put
        yield running


@pytest.fixture
def ask(stored):
    """ask("Add", name, path), ask("Remove", name): the code and the words; ask("List"): (name, path) of each."""
    def asking(what, name="", path=""):
        # A connection each time: the server may have started anew.
        with calls(stored.address) as call:
            if what == "List":
                answer = call("ListFileResources", milvus_pb2.ListFileResourcesRequest())
                assert answer.status.code == 0
                assert len({one.id for one in answer.resources} - {0}) == len(answer.resources)
                return [(one.name, one.path) for one in answer.resources]
            request = (milvus_pb2.AddFileResourceRequest(name=name, path=path) if what == "Add" else
                       milvus_pb2.RemoveFileResourceRequest(name=name))
            status = status_of(call(f"{what}FileResource", request))
            return status.code, status.reason
    return asking


def remote(name, file):
    return {"type": "remote", "resource_name": name, "file_name": file}


def stops(name="stops", file="stop.txt"):
    return {"tokenizer": "standard", "filter": [{"type": "stop", "stop_words_file": remote(name, file)}]}


def test_names_are_given_listed_and_taken_away(stored, ask):
    stored.put("dicts/stop.txt", "und\n")
    stored.put("dicts/other.txt", "x\n")
    assert ask("List") == []
    assert ask("Add", "stops", "dicts/stop.txt")[0] == 0
    assert ask("Add", "another", "dicts/other.txt")[0] == 0
    assert ask("Add", "stops", "dicts/stop.txt")[0] == 0, "the same again"
    code, words = ask("Add", "stops", "dicts/other.txt")
    assert code == 1100 and "file resource stops already exists" in words
    assert ask("List") == [("another", "dicts/other.txt"), ("stops", "dicts/stop.txt")]
    assert ask("Remove", "another")[0] == 0
    assert ask("Remove", "another")[0] == 0, "unknown"
    stored.kill()
    stored.start()
    assert ask("List") == [("stops", "dicts/stop.txt")]


@pytest.mark.parametrize("path", ["dicts/nothing.txt", "", "dicts", "/etc/passwd", "../data.log", "dicts/../x.txt",
                                  "a\nb"])
def test_a_path_leads_to_an_object(stored, ask, path):
    stored.put("dicts/stop.txt", "und\n")
    code, words = ask("Add", "stops", path)
    assert code == 1100 and "file resource path not exist" in words
    assert ask("List") == []


def test_what_the_server_has_written_is_no_resource(stored, ask):
    client = MilvusClient(uri=stored.uri)
    make(client, "t", ["a text"])
    client.flush("t")
    client.close()
    root = os.path.join(stored.data, "objects")
    own = [os.path.relpath(os.path.join(folder, file), root) for folder, _, files in os.walk(root) for file in files]
    assert any(path.endswith("manifest") for path in own)
    for path in own:
        assert ask("Add", "mine", path)[0] == 1100, path


@pytest.mark.parametrize("name", ["", "1x", "a b", "x" * 256, "a/b"])
def test_a_name_is_a_name(stored, ask, name):
    stored.put("dicts/stop.txt", "und\n")
    assert ask("Add", name, "dicts/stop.txt")[0] == 1100
    assert ask("Remove", name)[0] == 1100


@pytest.mark.skipif(not hasattr(MilvusClient, "add_file_resource"), reason="the SDK cannot say it yet")
def test_the_sdk_says_it(stored):
    stored.put("dicts/stop.txt", "und\n")
    client = MilvusClient(uri=stored.uri)
    client.add_file_resource("stops", "dicts/stop.txt")
    assert [(one.name, one.path) for one in client.list_file_resources()] == [("stops", "dicts/stop.txt")]
    with refused(1100, "file resource path not exist"):
        client.add_file_resource("more", "dicts/more.txt")
    client.remove_file_resource("stops")
    assert client.list_file_resources() == []
    client.close()


def test_analyzers_read_words_synonyms_and_dictionaries(stored, ask):
    stored.put("a/stop.txt", "und\noder\n")
    stored.put("a/same.txt", "car, auto\n")
    stored.put("b/dict.txt", "甲乙 5 n\n")
    stored.put("c/names.csv", "東京スカイツリー,カスタム名詞,トウキョウスカイツリー\n")
    for name, path in (("stops", "a/stop.txt"), ("same", "a/same.txt"), ("words", "b/dict.txt"),
                       ("names", "c/names.csv")):
        assert ask("Add", name, path)[0] == 0
    client = MilvusClient(uri=stored.uri)
    german = {"tokenizer": "standard", "filter": [
        "lowercase", {"type": "stop", "stop_words_file": remote("stops", "stop.txt")},
        {"type": "synonym", "synonyms_file": remote("same", "same.txt"), "expand": False}]}
    assert list(client.run_analyzer("Rad und Auto oder Bus", german).tokens) == ["rad", "car", "bus"]
    chinese = {"tokenizer": {"type": "jieba", "dict": [], "mode": "exact", "hmm": False,
                             "extra_dict_file": remote("words", "dict.txt")}}
    assert list(client.run_analyzer("甲乙丙", chinese).tokens) == ["甲乙", "丙"]
    japanese = {"tokenizer": {"type": "lindera", "dict_kind": "ipadic", "user_dict": remote("names", "names.csv")}}
    assert list(client.run_analyzer("東京スカイツリーの最寄り駅", japanese).tokens) == ["東京スカイツリー", "の", "最寄り駅"]
    client.close()


def test_a_collection_keeps_its_words_whatever_becomes_of_the_file(stored, ask):
    path = stored.put("dicts/stop.txt", "und\n")
    assert ask("Add", "stops", "dicts/stop.txt")[0] == 0
    client = MilvusClient(uri=stored.uri)
    make(client, "t", ["das Rad und das Auto", "ein Bus"], analyzer=stops(), match=True)
    path.unlink()
    for _ in range(3):
        assert [hit["id"] for hit in client.search("t", data=["Rad"], anns_field="sparse", limit=5)[0]] == [0]
        assert not client.search("t", data=["und"], anns_field="sparse", limit=5)[0]
        assert [row["id"] for row in client.query("t", 'text_match(text, "Auto")', output_fields=["id"])] == [0]
        assert not client.query("t", 'text_match(text, "und")', output_fields=["id"])
        client.flush("t")
        client.close()
        stored.kill()
        stored.start()
        client = MilvusClient(uri=stored.uri)
        until(lambda: "Loaded" in str(client.get_load_state("t")["state"]), "the collection is loaded")
    assert count(client, "t") == 2
    client.close()


def test_a_resource_in_use_stays_until_its_last_collection_goes(stored, ask):
    stored.put("dicts/stop.txt", "und\n")
    stored.put("new/stop.txt", "Rad\n")
    client = MilvusClient(uri=stored.uri)
    with refused(2000, "file resource: stops not found in local resource list"):
        make(client, "t", [], analyzer=stops())
    assert not client.has_collection("t")
    assert ask("Add", "stops", "dicts/stop.txt")[0] == 0
    make(client, "t", ["Rad und Bus"], analyzer=stops())
    make(client, "u", ["Rad und Bus"], analyzer=stops())
    code, words = ask("Remove", "stops")
    assert code == 1100 and "file resource stops is still in use: 2" in words
    client.drop_collection("t")
    code, words = ask("Remove", "stops")
    assert code == 1100 and "still in use: 1" in words
    client.drop_collection("u")
    assert ask("Remove", "stops")[0] == 0 and ask("List") == []
    with refused(2000, "file resource: stops not found"):
        client.run_analyzer("x", stops())
    assert ask("Add", "stops", "new/stop.txt")[0] == 0, "the name is free for another file"
    assert list(client.run_analyzer("Rad und Bus", stops()).tokens) == ["und", "Bus"]
    client.close()


def test_what_is_wrong_with_a_file_is_told(stored, ask):
    stored.put("dicts/stop.txt", "und\n")
    stored.put("dicts/latin.txt", "caf\xe9".encode("latin-1"))
    for name in ("stop", "latin"):
        assert ask("Add", name, f"dicts/{name}.txt")[0] == 0
    client = MilvusClient(uri=stored.uri)
    for analyzer, words in ((stops("stop", "other.txt"), "is not in file resource stop"),
                            (stops("latin", "latin.txt"), "no UTF-8"),
                            (stops("stop", ""), "file_name of stop_words_file must be set"),
                            (stops("", "stop.txt"), "resource_name of stop_words_file must be set")):
        with refused(2000, words):
            client.run_analyzer("x", analyzer)
    client.close()


def test_files_have_a_size_and_a_number(binary, tmp_path):
    arguments = ["--set", "function.analyzer.maxFileSize=10", "--set", "common.fileResource.maxNum=2"]
    with Server(binary, str(tmp_path / "data"), arguments=arguments) as server, calls(server.address) as call:
        folder = tmp_path / "data" / "objects" / "dicts"
        folder.mkdir()
        for name, size in (("small", 10), ("large", 11)):
            (folder / name).write_text("x" * size)

        def add(name, file):
            request = milvus_pb2.AddFileResourceRequest(name=name, path=f"dicts/{file}")
            return status_of(call("AddFileResource", request))
        assert add("a", "large").code == 1100 and "function.analyzer.maxFileSize" in add("a", "large").reason
        assert add("a", "small").code == 0 and add("b", "small").code == 0
        assert add("c", "small").code == 1100 and "common.fileResource.maxNum" in add("c", "small").reason
