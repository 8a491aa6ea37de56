"""./dev tidy: the layering check of src/ (scripts/layers.py), its self test, and clang-tidy on what changed."""
import json
import os
import re
import shutil
import subprocess
import time

import layers
from devlib import BUILD, ROOT, Tally, path, say

LINES_MAX = {".cc": 600, ".h": 200}
INCLUDE = re.compile(r'^\s*#include "([^"]+)"', re.M)
STRING_OR_COMMENT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.S)


def check_text(name, text):
    """Problems of one file, `name` being its path below src/, as 'name:line: words'."""
    module, test = name.split("/")[0], name.endswith(("_test.cc", "_bench.cc")) or "/test_" in name or "/testing/" in name
    found = []

    def problem(position, words):
        found.append(f"src/{name}:{text.count(chr(10), 0, position) + 1}: {words}")

    if module not in layers.LAYERS:
        problem(0, f"module {module} is not in scripts/layers.py")
        return found
    if not text.startswith("// "):
        problem(0, "the first line is one sentence that says what the file is for")
    for match in INCLUDE.finditer(text):
        if not test:
            _check_include(name, module, match.group(1), lambda words, at=match.start(): problem(at, words))
    code = STRING_OR_COMMENT.sub(lambda m: m.group() if m.group().startswith('"') and _is_include(text, m.start())
                                 else re.sub(r"[^\n]", " ", m.group()), text)
    rules = layers.FORBIDDEN + (layers.FORBIDDEN_IN_HEADERS if name.endswith(".h") else [])
    for pattern, why, allowed in rules:
        # A path of one machine is refused in comments and strings too.
        for match in re.finditer(pattern, text if "machine" in why else code):
            if module not in allowed and not (test and "thread" in why):
                problem(match.start(), f"{match.group().strip()}: {why}")
    lines = text.count("\n")
    limit = layers.LONG_FILES.get(name, LINES_MAX.get(os.path.splitext(name)[1]))
    if limit and lines > limit and not test:
        problem(len(text), f"{lines} lines, at most {limit}: which noun is hiding inside?")
    if name.endswith(".h") and "#pragma once" not in text:
        problem(0, "a header says #pragma once")
    return found


def _is_include(text, position):
    return text[text.rfind("\n", 0, position) + 1:position].strip() == "#include"


def _check_include(name, module, header, problem):
    if "/" not in header:
        if not header.endswith((".pb.h", ".h.inc")):
            problem(f"{header}: includes start at src/")
        return
    other = header.split("/")[0]
    if other not in layers.LAYERS or other == module:
        return
    if other not in layers.LAYERS[module]:
        problem(f"{module} may not include {other}: {header}")
    elif header.count("/") > 1 and not header.startswith(tuple(layers.PUBLIC_SUBFOLDERS)):
        if not (module == "server" and header.startswith(tuple(layers.SERVER_MAY_INCLUDE))):
            problem(f"{header} is private to {other}")


def self_test():
    """A bad file of each kind must be refused and a good one pass; returns (passed, failed)."""
    good = "// Adds numbers.\n#include \"base/status.h\"\nint Sleepy();\n"
    bad = {
        "an include upward": ("base/x.cc", "// X.\n#include \"model/schema.h\"\n"),
        "a role that includes a role": ("query/x.cc", "// X.\n#include \"coord/catalog.h\"\n"),
        "expr and index apart": ("expr/x.cc", "// X.\n#include \"index/vector_index.h\"\n"),
        "a private header": ("segment/x.cc", "// X.\n#include \"index/hnsw/graph.h\"\n"),
        "a thread": ("shard/x.cc", "// X.\nstd::thread t;\n"),
        "a sleep": ("shard/x.cc", "// X.\nvoid F() { usleep(3); }\n"),
        "the wall clock": ("coord/x.cc", "// X.\nauto t = std::chrono::system_clock::now();\n"),
        "chance": ("index/x.cc", "// X.\nint x = rand();\n"),
        "a prefetch that may be dropped": ("index/x.cc", "// X.\nvoid F(char* p) { __builtin_prefetch(p); }\n"),
        "a file": ("segment/x.cc", "// X.\nauto* f = fopen(\"a\", \"r\");\n"),
        "generated code": ("proxy/x.cc", "// X.\n#include \"milvus.pb.h\"\n"),
        "no first line": ("base/x.cc", "#include <vector>\n"),
        "a path of one machine": ("base/x.cc", "// See /" + "home/someone/x.\n"),
        "a long header": ("base/x.h", "// X.\n#pragma once\n" + "int x;\n" * 300),
        "iostream in a header": ("base/x.h", "// X.\n#pragma once\n#include <iostream>\n"),
    }
    failed = [name for name, (file, text) in bad.items() if not check_text(file, text)]
    if check_text("segment/x.cc", good):
        failed.append("a good file passes")
    for name in failed:
        print(f"tidy's self test: {name} was not judged rightly")
    return len(bad) + 1 - len(failed), len(failed)


def sources():
    """Names below src/ of all sources of ours."""
    found = []
    for folder, _, names in os.walk(path("src")):
        found += [os.path.relpath(os.path.join(folder, n), path("src")) for n in names if n.endswith((".cc", ".h"))]
    return sorted(found)


def _changed():
    """Sources that differ from the previous commit, committed or not; all of them when git cannot say."""
    base = subprocess.run(["git", "rev-parse", "-q", "--verify", "HEAD~1"], cwd=ROOT, capture_output=True)
    if base.returncode:
        return sources()
    names = subprocess.run(["git", "diff", "--name-only", "HEAD~1", "--", "src"], cwd=ROOT, capture_output=True,
                           text=True).stdout.split()
    names += subprocess.run(["git", "ls-files", "-o", "--exclude-standard", "--", "src"], cwd=ROOT,
                            capture_output=True, text=True).stdout.split()
    return sorted({name[4:] for name in names if os.path.exists(path(name))})


# One file of each kind that a change of the rules must not surprise: always looked at.
ALWAYS = ["base/status.cc", "model/reduce.cc", "expr/lexer.cc"]
CHANGED_MAX = 12


def clang_tidy(everything):
    """Runs clang-tidy-16 with .clang-tidy; returns (files passed, files failed)."""
    with open(os.path.join(BUILD, "release", "compile_commands.json")) as commands:
        known = {os.path.relpath(entry["file"], path("src")) for entry in json.load(commands)}
    # Tests are judged by running them: gtest's macros alone would take most of the time.
    candidates = [name for name in (sources() if everything else _changed())
                  if name.endswith(".cc") and not name.endswith("_test.cc") and name in known]
    chosen = candidates
    if not everything:
        chosen = sorted({*candidates[:CHANGED_MAX], *(name for name in ALWAYS if name in known)})
        if len(candidates) > CHANGED_MAX:
            print(f"clang-tidy: {CHANGED_MAX} of {len(candidates)} changed files; `./dev tidy --all` reads every file")
    passed = failed = 0
    workers = max(1, os.cpu_count() or 1)
    running = []

    def finish(entry):
        nonlocal passed, failed
        name, process = entry
        out = process.communicate()[0]
        if process.returncode:
            failed += 1
            print(f"src/{name}:\n{out}")
        else:
            passed += 1

    for name in chosen:
        if len(running) == workers:
            finish(running.pop(0))
        running.append((name, subprocess.Popen(
            ["clang-tidy-16", "--quiet", "--warnings-as-errors=*", "-p", os.path.join(BUILD, "release"),
             path("src", name)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)))
    for entry in running:
        finish(entry)
    return passed, failed


def layering():
    """Checks every source; returns (files passed, files failed)."""
    passed = failed = 0
    for name in sources():
        with open(path("src", name), encoding="utf-8") as file:
            found = check_text(name, file.read())
        for words in found:
            print(words)
        passed, failed = passed + (not found), failed + bool(found)
    return passed, failed


def tidy(tally: Tally, everything=False, layering_only=False):
    begin = time.time()
    tally.add("tidy: self test", *self_test(), begin)
    begin = time.time()
    tally.add("tidy: layering", *layering(), begin)
    if layering_only:
        return
    if not shutil.which("clang-tidy-16"):
        say("clang-tidy-16 is not installed; ./dev build installs it")
        tally.add("tidy: clang-tidy", 0, 1, time.time())
        return
    begin = time.time()
    tally.add("tidy: clang-tidy", *clang_tidy(everything), begin)
