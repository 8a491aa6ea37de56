"""The judge of tests/consistency: it lets every read pass that can be, and none that cannot."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "consistency"))
from history import ABSENT, History, Read, Write, Wrong  # noqa: E402


def made(one_moment=True):
    """Key 1 is 10 from timestamp 100 on, 11 from 200 on, gone from 300 on; key 2 is 20 from 100 on, 21 from 300 on."""
    history = History(one_moment)
    for changes, begin, timestamp in (({1: 10, 2: 20}, 1.0, 100), ({1: 11}, 2.0, 200), ({1: ABSENT, 2: 21}, 3.0, 300)):
        history.writes.append(Write(changes, begin, begin + 0.5, timestamp))
    return history


def judged(history, found, begin=9.0, end=9.5, **more):
    history.reads.append(Read("read", (1, 2), found, begin, end, **more))
    history.judge()


@pytest.mark.parametrize("found, least", [({}, 0), ({1: 10, 2: 20}, 0), ({1: 11, 2: 20}, 200), ({2: 21}, 300)])
def test_a_moment_that_was_passes(found, least):
    judged(made(), found, least=least)


@pytest.mark.parametrize("found, more", [
    ({1: 10}, {}), ({1: 10, 2: 21}, {}), ({1: 12, 2: 20}, {}), ({1: 11, 2: 20}, {"least": 300}), ({2: 20}, {}),
    ({1: 11, 2: 20}, {"exact": 199}), ({1: 11, 2: 20}, {"exact": 300}), ({1: 11, 2: 20}, {"exact": 250, "least": 251}),
    ({1: 11, 2: 20}, {"repeated": [1]}), ({1: 11, 2: 20, 3: 1}, {}),
    ({2: 21}, {"begin": 2.6, "end": 2.9})])  # What was sent after it had ended.
def test_a_moment_that_never_was_does_not(found, more):
    with pytest.raises(Wrong):
        judged(made(), found, **more)


def test_two_shards_are_judged_key_by_key():
    judged(made(one_moment=False), {2: 20})
    with pytest.raises(Wrong):
        judged(made(one_moment=False), {1: 11, 2: 20}, least=300)


def test_an_exact_moment_is_compared_to_the_row():
    judged(made(), {1: 11, 2: 20}, exact=250, least=200)


def test_what_nobody_answered_is_left_out_until_it_is_settled():
    history = made()
    history.writes.append(Write({2: 22}, 4.0))
    history.reads.append(Read("before", (1, 2), {2: 21}, 3.6, 3.9))
    history.reads.append(Read("after", (1, 2), {2: 22}, 5.0, 5.5))
    unsure = history.judge()
    assert set(unsure) == {2}
    history.settle({2: 22}, unsure, 400)
    judged(history, {2: 22}, exact=500)
    with pytest.raises(Wrong):
        judged(history, {2: 21}, exact=500)
