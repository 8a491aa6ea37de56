"""./dev test: every kind of test, in order of cost, and the counts that they really report."""
import glob
import json
import os
import re
import subprocess
import time
import xml.etree.ElementTree as ElementTree

from devlib import BINARY, BUILD, Failed, Tally, install_packages, path, run, say, show, venv
import tidy

MANY_FILTERS = 100_000  # Random ones, with --all, on the engine and on the whole server; else 18,000 and 4,500.
MANY_SEEDS = 200  # Of the simulation, with --all; a plain run takes 20.
CLIENTS = ["pymilvus26", "pymilvus30"]
E2E_WORKERS = 4  # Files of tests at once, each worker with a server: most of their time they wait.
REPORTS = os.path.join(BUILD, "reports")


def fmt(tally, check):
    """clang-format-16 over src; with `check` a file that would change counts as failed."""
    begin, passed, failed = time.time(), 0, 0
    files = [path("src", name) for name in tidy.sources()]
    for file in files:
        if not check:
            run("clang-format-16", "-i", file)
            passed += 1
        elif run("clang-format-16", "--dry-run", "-Werror", file, check=False, stderr=subprocess.DEVNULL).returncode:
            print(f"{os.path.relpath(file, path())} is not formatted: ./dev fmt")
            failed += 1
        else:
            passed += 1
    tally.add("fmt", passed, failed, begin)


def configure(preset):
    if not os.path.exists(os.path.join(BUILD, preset, "build.ninja")):
        command = ("cmake", "--preset", preset)
        show(*command)
        run(*command, stdout=subprocess.DEVNULL)


def build(tally, preset):
    begin = time.time()
    configure(preset)
    command = ("ninja", "-C", os.path.join(BUILD, preset), "--quiet")
    show(*command)
    done = run(*command, check=False)
    tally.add(f"build {preset}", int(done.returncode == 0), int(done.returncode != 0), begin)
    if done.returncode:
        raise Failed(f"the {preset} build failed")


def unit(tally, preset, module, gtest_filter="*", env=None):
    """Runs the test binaries that CMake knows of and counts the tests in their reports."""
    folder = os.path.join(BUILD, preset)
    listed = subprocess.run(["ctest", "--test-dir", folder, "--show-only=json-v1"], capture_output=True, text=True)
    if listed.returncode:
        raise Failed("ctest lists no tests; ./dev build first")
    os.makedirs(REPORTS, exist_ok=True)
    chosen = [t for t in json.loads(listed.stdout)["tests"] if "command" in t and (not module or t["name"] == module)]
    if not chosen:
        raise Failed(f"no unit tests are named {module!r}")
    for entry in chosen:
        begin = time.time()
        report = os.path.join(REPORTS, f"{preset}-{entry['name']}.json")
        if os.path.exists(report):
            os.remove(report)
        show(*entry["command"], *([f"--gtest_filter={gtest_filter}"] if gtest_filter != "*" else []), env=env)
        done = run(*entry["command"], f"--gtest_output=json:{report}", f"--gtest_filter={gtest_filter}",
                   "--gtest_brief=1", cwd=folder, env=env, check=False, stdout=subprocess.PIPE,
                   stderr=subprocess.STDOUT, text=True, errors="replace")
        passed = failed = 0
        if os.path.exists(report):
            with open(report) as text:
                counts = json.load(text)
            failed = counts["failures"] + counts.get("errors", 0)
            passed = counts["tests"] - failed - counts.get("disabled", 0)
        if done.returncode and not failed:
            failed = 1  # It died before it could write its report.
        if failed:
            print(done.stdout[-6000:])
        if passed or failed:
            tally.add(f"unit {entry['name']}" if preset == "release" else f"{preset} {entry['name']}",
                      passed, failed, begin)


def _pytest_counts(report):
    suite = ElementTree.parse(report).getroot()
    suite = suite.find("testsuite") if suite.tag == "testsuites" else suite
    tests, skipped = int(suite.get("tests")), int(suite.get("skipped", 0))
    failed = int(suite.get("failures")) + int(suite.get("errors"))
    return tests - failed - skipped, failed


def _workers(arguments, preset):
    """How pytest spreads the files: one process when a test is named or its output wanted."""
    if any("::" in word or word in ("-s", "-n", "--pdb") for word in arguments):
        return []
    return ["-n", str(E2E_WORKERS if preset == "release" else 2), "--dist", "loadfile"]


def e2e(tally, client, arguments=(), preset="release", env=None):
    """Runs tests/e2e with unmodified pymilvus against the real server of a preset."""
    os.makedirs(REPORTS, exist_ok=True)
    for name in (CLIENTS if client == "python" else [client]):
        python, begin = venv(name), time.time()
        report = os.path.join(REPORTS, f"{preset}-e2e-{name}.xml")
        if os.path.exists(report):
            os.remove(report)
        command = (python, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}",
                   path("tests", "e2e"), *_workers(arguments, preset), *arguments)
        settings = {"ELANUS_BINARY": os.path.join(BUILD, preset, "elanus"), **(env or {})}
        show(*command, env=settings)
        done = run(*command, check=False, env={**settings, "PYTHONDONTWRITEBYTECODE": "1"})
        passed, failed = _pytest_counts(report) if os.path.exists(report) else (0, 1)
        if done.returncode and not failed:
            failed = 1
        tally.add(f"e2e {name}" if preset == "release" else f"{preset} e2e {name}", passed, failed, begin)


def counted(tally, name, *command):
    """Runs a program that closes with 'N passed, N failed' and adds what it says."""
    begin = time.time()
    show(*command)
    done = run(*command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    found = re.findall(r"(\d+) passed, (\d+) failed", done.stdout)
    passed, failed = map(int, found[-1]) if found else (0, 1)
    if done.returncode and not failed:
        failed = 1
    if failed:
        print(done.stdout[-6000:])
    tally.add(name, passed, failed, begin)


def proto_contract(tally):
    for name, mode in (("pymilvus30", "equal"), ("pymilvus26", "contains")):
        counted(tally, f"proto {name} {mode}", venv(name), path("tests", "proto_contract", "check.py"),
                "--protos", path("src", "wire", "proto"), "--mode", mode)


# What the sanitizers are told. Errors of the thread sanitizer do not stop a program, so one run shows them all. SIGBUS
# is the program's own: a handler of theirs before it would end the process in another way than the system does.
SANITIZERS = {
    "asan": {"ASAN_OPTIONS": "detect_leaks=1:strict_string_checks=1:handle_sigbus=0",
             "UBSAN_OPTIONS": "print_stacktrace=1"},
    "tsan": {"TSAN_OPTIONS": f"second_deadlock_stack=1:handle_sigbus=0:suppressions={path('tests', 'tsan.supp')}"},
}


def sanitized(tally, preset):
    """Every unit test, the cases, the golden files and the end-to-end tests in one of the sanitizer builds."""
    options = SANITIZERS[preset]
    build(tally, preset)
    unit(tally, preset, None, env=options)
    # A server that goes on, or is killed by its test, leaves its errors in files of this name.
    begin, prefix = time.time(), os.path.join(REPORTS, f"{preset}-server")
    for old in glob.glob(prefix + ".*"):
        os.remove(old)
    e2e(tally, "pymilvus30", preset=preset,
        env={"ELANUS_SANITIZED": preset, **{name: f"{value}:log_path={prefix}" for name, value in options.items()}})
    found = sorted(glob.glob(prefix + ".*"))
    for report in found:
        with open(report, errors="replace") as text:
            print(f"{report}:\n{text.read()[:6000]}")
    tally.add(f"{preset} e2e: no reports", int(not found), len(found), begin)


def arm(tally):
    """The kernels and their tests, compiled for aarch64 and run by an emulator."""
    install_packages("apt_arm")
    begin, folder = time.time(), os.path.join(BUILD, "arm")
    if not os.path.exists(os.path.join(folder, "build.ninja")):
        run("cmake", "-S", path("tests", "arm"), "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
            f"-DCMAKE_TOOLCHAIN_FILE={path('tests', 'arm', 'aarch64.cmake')}", stdout=subprocess.DEVNULL)
    command = ("ninja", "-C", folder, "--quiet")
    show(*command)
    done = run(*command, check=False)
    tally.add("build arm", int(done.returncode == 0), int(done.returncode != 0), begin)
    if not done.returncode:
        unit(tally, "arm", None)


def test(module, everything, on_arm=False):
    tally = Tally()
    try:
        if on_arm:
            arm(tally)
            return tally.close()
        install_packages()
        if module:
            configure("release")
            run("ninja", "-C", os.path.join(BUILD, "release"), "--quiet", f"{module}_test")
            unit(tally, "release", module)
            return tally.close()
        fmt(tally, check=True)
        begin = time.time()
        tally.add("tidy: self test", *tidy.self_test(), begin)
        begin = time.time()
        tally.add("tidy: layering", *tidy.layering(), begin)
        # The build comes before clang-tidy, which reads the generated message headers.
        build(tally, "release")
        begin = time.time()
        tally.add("tidy: clang-tidy", *tidy.clang_tidy(everything), begin)
        unit(tally, "release", None)
        proto_contract(tally)
        e2e(tally, "python")
        counted(tally, "demo, small cut", venv("demo"), path("demo", "run.py"), "--server", BINARY, "--small")
        counted(tally, "torture, short cut", venv("pymilvus30"), path("tests", "torture", "torture.py"),
                "--server", BINARY, "--seconds", "30", "--seed", "1")
        counted(tally, "consistency, short cut", venv("pymilvus30"), path("tests", "consistency", "check.py"),
                "--server", BINARY, "--seconds", "16", "--seed", "1")
        if everything:
            unit(tally, "release", "faults", env={"ELANUS_FAULT_STRIDE": "1"})
            unit(tally, "release", "sim", env={"ELANUS_SIM_SEEDS": str(MANY_SEEDS)})
            for module in ("expr", "filters"):
                unit(tally, "release", module, env={"ELANUS_FILTERS": str(MANY_FILTERS)})
            arm(tally)
            for preset in SANITIZERS:
                sanitized(tally, preset)
    except Failed as failure:
        say(f"stopped: {failure}")
        tally.add("stopped early", 0, 1, time.time())
    return tally.close()
