"""What README.md and CONTRIBUTING.md show is what works: their Python runs, their commands exist."""
import os
import re
import subprocess
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGES = ["README.md", "CONTRIBUTING.md"]


def blocks(page, language):
    with open(os.path.join(ROOT, page), encoding="utf-8") as text:
        return re.findall(rf"```{language}\n(.*?)```", text.read(), re.S)


def test_the_python_example_of_the_readme_runs(server):
    (example,) = blocks("README.md", "python")
    assert len(example.splitlines()) <= 15
    code = example.replace("http://localhost:19530", server.uri)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    said = re.findall(r"# prints (.*)", example)
    assert [line.strip() for line in said] == done.stdout.splitlines()


def commands():
    found = set()
    for page in PAGES:
        for block in blocks(page, "sh"):
            found.update(line.split("#")[0].strip() for line in block.splitlines() if line.strip().startswith("./dev"))
    return sorted(found)


@pytest.mark.parametrize("line", commands())
def test_commands_of_the_pages_exist(line):
    words = line.split()
    done = subprocess.run([sys.executable, os.path.join(ROOT, "dev"), words[1], "--help"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for option in (word for word in words[2:] if word.startswith("--") and words[1] != "run"):
        assert option in done.stdout, f"{line}: {option}"
