"""Programs in Go that tests run: pinned in packages/go.txt, built by `go install` into a cache outside the repository."""
import fcntl
import os
import shutil
import subprocess

from devlib import Failed, pinned, say

CACHE = os.path.join(os.path.expanduser(os.environ.get("XDG_CACHE_HOME", "~/.cache")), "elanus")


def go_tool(name):
    """The program, built when it is missing: minutes, once a machine. None where there is no `go` to build it with."""
    (module,) = [line for line in pinned("go") if line.split("@")[0].endswith("/" + name)]
    folder = os.path.join(CACHE, f"{name}-{module.split('@')[1]}")
    program = os.path.join(folder, name)
    if os.path.exists(program):
        return program
    if shutil.which("go") is None:
        return None
    os.makedirs(CACHE, exist_ok=True)
    with open(folder + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # Whoever else wants it waits for the one build.
        if os.path.exists(program):
            return program
        making = folder + ".making"
        say(f"building {module}: minutes, once a machine")
        command = ["go", "install", module]
        for is_last in (False, True):  # Downloads fail now and then; a second failure is real.
            done = subprocess.run(command, cwd="/", env={**os.environ, "GOBIN": making}, capture_output=True, text=True)
            if done.returncode == 0:
                break
            if is_last:
                raise Failed(f"exit status {done.returncode}: {' '.join(command)}: {done.stderr[-2000:]}")
        os.rename(making, folder)
    return program
