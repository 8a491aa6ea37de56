"""What README.md and CONTRIBUTING.md show is what works: their Python runs, their commands do what they say."""
import os
import re
import shutil
import signal
import subprocess
import sys

import pytest
from pymilvus import MilvusClient

from server_process import READY, Server, StartFailed
from support import make, refused, vectors

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGES = ["README.md", "CONTRIBUTING.md"]


def page(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as text:
        return text.read()


def blocks(name, language):
    return re.findall(rf"```{language}\n(.*?)```", page(name), re.S)


def commands(name):
    """The ./dev commands of a page, in its blocks and in its lines."""
    lines = [line.split("#")[0].strip() for block in blocks(name, "sh") for line in block.splitlines()]
    inline = [text for text in re.findall(r"`(\./dev [^`]+)`", page(name)) if "COMMAND" not in text]
    return sorted({line for line in lines + inline if line})


def test_the_python_example_of_the_readme_runs(binary, server, tmp_path):
    (example,) = blocks("README.md", "python")
    assert len(example.splitlines()) <= 15

    def run(code):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert re.findall(r"# prints (.*)", example) == done.stdout.splitlines()
    try:
        with Server(binary, str(tmp_path / "data"), port=19530):
            run(example)
    except StartFailed as failure:
        # Somebody serves on the usual port, so the example runs on another one.
        assert "19530" in str(failure)
        run(example.replace("http://localhost:19530", server.uri))


@pytest.fixture
def checkout(binary, tmp_path):
    """A copy of what ./dev needs, whose build has nothing left to do."""
    folder = tmp_path / "checkout"
    for name in ("scripts", "packages"):
        shutil.copytree(os.path.join(ROOT, name), folder / name)
    shutil.copy(os.path.join(ROOT, "dev"), folder / "dev")
    (folder / "build" / "release").mkdir(parents=True)
    (folder / "build" / "release" / "build.ninja").write_text("build elanus: phony\n")
    os.symlink(binary, folder / "build" / "release" / "elanus")
    return folder


def test_dev_run_serves_with_its_data_beside_it(checkout):
    assert "./dev run" in commands("README.md")
    command = ["./dev", "run", "--", "--port", "0", "--management-port", "0"]
    process = subprocess.Popen(command, cwd=checkout, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        said, ready = "", None
        for line in process.stdout:
            said += line
            ready = READY.search(line)
            if ready:
                break
        assert ready, said
        client = MilvusClient(uri=f"http://127.0.0.1:{ready.group(1)}")
        make(client, "birds", rows=3)
        client.close()
        assert os.path.isdir(checkout / "elanus-data") and os.listdir(checkout / "elanus-data")
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        process.stdout.close()


@pytest.mark.parametrize("line", sorted({line for name in PAGES for line in commands(name)}))
def test_commands_of_the_pages_exist(line):
    """They build or take minutes, so here only: the command is there and has the options that the page uses."""
    words = line.split()
    assert words[0] == "./dev"
    done = subprocess.run(["./dev", words[1], "--help"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for option in (word for word in words[2:] if word.startswith("--")):
        assert option in done.stdout, f"{line}: {option}"


def test_the_options_of_the_readme_are_those_of_the_server(binary, tmp_path):
    (line,) = re.findall(r"`build/release/elanus (serve [^`]*)`", page("README.md").replace("\n", " "))
    options = re.findall(r"\[(--[\w-]+) ", line)
    assert options == ["--data", "--port", "--management-port", "--config"]
    usage = subprocess.run([binary, "--help"], capture_output=True, text=True)
    assert all(option in usage.stdout + usage.stderr for option in options)
    config = tmp_path / "elanus.yaml"
    config.write_text("quotaAndLimits:\n  limits:\n    topK: 50\n")
    with Server(binary, str(tmp_path / "data"), arguments=["--config", str(config)]) as server:
        assert os.path.isdir(tmp_path / "data") and server.port and server.management_port
        client = MilvusClient(uri=server.uri)
        make(client, "c", rows=3)
        assert len(client.search("c", vectors(1).tolist(), limit=50)[0]) == 3
        with refused(1100, words="50"):
            client.search("c", vectors(1).tolist(), limit=51)
        client.close()


def test_the_page_of_configuration_is_what_the_server_says(binary):
    said = subprocess.run([binary, "options"], capture_output=True, text=True, check=True).stdout
    assert said == page("docs/generated/config.md")


def test_links_of_the_pages_lead_somewhere():
    for name in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", page(name)):
            assert os.path.exists(os.path.join(ROOT, target)), f"{name}: {target}"


def test_what_is_said_to_show_a_promise_is_there():
    """Each file that the page names exists, and each test that it names behind a file is in it."""
    named = 0
    for line in page("docs/storage-promises.md").split("## Not there")[0].splitlines():
        cells = line.split(" | ")
        if len(cells) != 2 or not cells[1].startswith("`"):
            continue
        for path, tests in re.findall(r"`((?:src|tests|docs)/[^`]+)`([^`]*)", cells[1]):
            full = os.path.join(ROOT, path)
            assert os.path.exists(full), path
            for test in re.findall(r"\b(?:test_\w+|[A-Z][a-z]+[A-Z]\w+)\b", tests):
                with open(full, encoding="utf-8") as text:
                    assert re.search(rf"\b{test}\b", text.read()), f"{path} has no {test}"
                named += 1
    assert named > 20
