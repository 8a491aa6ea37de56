"""What the commands of ./dev share: where things are, running programs, Debian packages, Python environments."""
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, "build")
BINARY = os.path.join(BUILD, "release", "elanus")


class Failed(Exception):
    """A step failed; the text says which and what to do."""


def path(*parts):
    return os.path.join(ROOT, *parts)


def say(text):
    print(f"\033[1m== {text}\033[0m" if sys.stdout.isatty() else f"== {text}", flush=True)


def show(*command, env=None):
    """Prints a command line as a person would type it, from the root of the checkout."""
    words = [*(f"{name}={value}" for name, value in (env or {}).items()), *map(str, command)]
    print("$ " + " ".join(word.replace(ROOT + os.sep, "") for word in words), flush=True)


def run(*command, cwd=ROOT, env=None, check=True, **more):
    """Runs a program in the foreground; raises Failed when it fails and `check` holds."""
    done = subprocess.run(command, cwd=cwd, env={**os.environ, **(env or {})}, **more)
    if check and done.returncode:
        raise Failed(f"exit status {done.returncode}: {' '.join(map(str, command))}")
    return done


def answers(key, *command):
    """What a program prints, a JSON object a line, by the objects' member `key`."""
    done = run(*command, stdout=subprocess.PIPE, text=True)
    return {one[key]: one for one in map(json.loads, done.stdout.splitlines())}


def pinned(name):
    """The lines of packages/<name>.txt without comments."""
    with open(path("packages", name + ".txt")) as lines:
        return [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]


def missing_packages(lists=("apt",)):
    """Packages of packages/<list>.txt that dpkg does not have."""
    wanted = [name for each in lists for name in pinned(each)]
    found = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Status}\n", *wanted], capture_output=True, text=True)
    present = {line.split()[0] for line in found.stdout.splitlines() if line.endswith("install ok installed")}
    return [name for name in wanted if name not in present]


def install_packages(*more):
    """Installs what is missing of packages/apt.txt and of the lists `more` with apt-get; does nothing, and needs no
    rights, when nothing is."""
    lists = ("apt", *more)
    missing = missing_packages(lists)
    if not missing:
        return
    say(f"Installing {len(missing)} Debian packages: {' '.join(missing)}")
    become = []
    if os.geteuid() != 0:
        if not shutil.which("sudo"):
            raise Failed("these packages are missing and neither root nor sudo is here: " + " ".join(missing))
        become = ["sudo"]
    quiet = [*become, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=300", "-qq"]
    run(*quiet, "update", check=False)
    for last in (False, True):
        # One retry: a busy machine's dpkg has been seen to lose its unpacked archives once.
        done = run(*quiet, "install", "-y", "--no-install-recommends", *missing, check=False, stdout=subprocess.DEVNULL)
        missing = missing_packages(lists)
        if done.returncode == 0 and not missing:
            return
        if last:
            raise Failed("apt-get could not install: " + " ".join(missing))


def venv(name):
    """The Python of the environment build/venv/<name>, made or renewed from packages/<name>.txt.

    The files pin everything an environment holds, so pip resolves nothing."""
    folder = os.path.join(BUILD, "venv", name)
    python = os.path.join(folder, "bin", "python")
    stamp = os.path.join(folder, "pins.sha256")
    with open(path("packages", name + ".txt"), "rb") as pins:
        digest = hashlib.sha256(pins.read()).hexdigest()
    if os.path.exists(stamp) and open(stamp).read() == digest and os.path.exists(python):
        return python
    say(f"Python environment {name}")
    install_packages()
    shutil.rmtree(folder, ignore_errors=True)
    run(sys.executable, "-m", "venv", folder)
    pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps",
           "-r", path("packages", name + ".txt")]
    if run(*pip, check=False).returncode:
        run(*pip)  # Downloads fail now and then; a second failure is real.
    with open(stamp, "w") as out:
        out.write(digest)
    return python


class Tally:
    """Counts of tests passed and failed, and the time each step took."""

    def __init__(self):
        self.passed = self.failed = 0
        self.steps = []

    def add(self, name, passed, failed, begin):
        self.passed += passed
        self.failed += failed
        self.steps.append((name, passed, failed, time.time() - begin))
        say(f"{name}: {passed} passed, {failed} failed ({time.time() - begin:.0f} s)")

    def close(self):
        """Prints the table and the closing line; returns the exit status."""
        print()
        for name, passed, failed, seconds in self.steps:
            print(f"{name:<28} {passed:>6} passed {failed:>4} failed {seconds:>7.0f} s")
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 1 if self.failed or not self.passed else 0


def machine():
    """The processor, what it computes with, memory and kernel: what a published figure was measured on."""
    with open("/proc/cpuinfo") as info:
        text = info.read()
    model = re.search(r"model name\s*: (.*)", text)
    wide = [name for name in ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile") if f" {name}" in text]
    with open("/proc/meminfo") as info:
        memory = int(info.readline().split()[1]) / 2 ** 20
    name = model.group(1) if model else platform.machine()
    return (f"{name}, {os.cpu_count()} CPUs ({', '.join(wide)}), {memory:.0f} GiB, "
            f"Linux {platform.release().split('-')[0]}")
