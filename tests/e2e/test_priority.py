"""Workers that no request waits for run behind the others, as far as the option says."""
import os
import time

import pytest

from server_process import Server

BACKGROUND = ("build-", "compact-", "index-jobs-", "garbage", "restore")
NICE = 18  # Place in /proc/.../stat, the command being the second.


def nice_by_name(pid):
    """What each of the process's threads has, by the thread's name."""
    found = {}
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/stat") as stat:
            name, rest = stat.read().split("(", 1)[1].rsplit(")", 1)
        found[name] = int(rest.split()[NICE - 2])
    return found


def nices_of(server, kind):
    return {nice for name, nice in nice_by_name(server.process.pid).items() if name.startswith(kind)}


@pytest.mark.parametrize("options, by", [([], 10), (["common.background.nice=3"], 3),
                                         (["common.background.nice=0"], 0)])
def test_builds_and_compactions_give_way_to_requests(binary, tmp_path, options, by):
    arguments = [word for option in options for word in ("--set", option)]
    with Server(binary, str(tmp_path / "data"), arguments=arguments) as server:
        own = os.getpriority(os.PRIO_PROCESS, server.process.pid)
        # A thread sets its own when it first runs, which may be after the server is ready.
        end = time.monotonic() + 10
        while (nices := {kind: nices_of(server, kind) for kind in BACKGROUND}) != dict.fromkeys(
                BACKGROUND, {min(own + by, 19)}):
            assert time.monotonic() < end, nices
            time.sleep(0.05)
        told = nice_by_name(server.process.pid)
        others = {name: nice for name, nice in told.items() if not name.startswith(BACKGROUND)}
        assert any(name.startswith("search-") for name in others) and set(others.values()) == {own}, others
