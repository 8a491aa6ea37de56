"""What a collection was at every moment, from the timestamps that its writes were answered with, and whether what a
read has found is one of those moments, and one that its consistency level allows.

A write is atomic in a shard: its rows change at its timestamp. Reads are judged when all writes of a life of the server
are known. A write that nobody answered, because the server was killed, may have happened or not: what it touched is not
judged from its begin on, until a read after the restart has settled it."""
import bisect
from dataclasses import dataclass, field

ABSENT = None
FOREVER = 1 << 64


@dataclass(eq=False)
class Write:
    changes: dict            # {key: version or ABSENT}
    begin: float             # On the test's own clock.
    end: float = 0.0         # 0: never answered.
    timestamp: int = 0


@dataclass
class Read:
    kind: str                # Of the read, for messages.
    keys: tuple              # That it would have found, had they been there.
    found: dict              # {key: version}
    begin: float
    end: float
    least: int = 0           # It may not be older than this moment.
    exact: int = 0           # It says that it read this very moment.
    repeated: list = field(default_factory=list)  # Keys that came twice.


class Wrong(AssertionError):
    """A read that no moment allows."""


class Line:
    """The versions of one key, each from its timestamp on."""

    def __init__(self):
        self.timestamps, self.versions, self.all_spans = [0], [ABSENT], None

    def add(self, timestamp, version):
        at = bisect.bisect(self.timestamps, timestamp)
        self.timestamps.insert(at, timestamp)
        self.versions.insert(at, version)
        self.all_spans = None

    def at(self, timestamp):
        return self.versions[bisect.bisect_right(self.timestamps, timestamp) - 1]

    def is_settled(self, version, timestamp):
        """It had this version at the timestamp and has had no other since."""
        return self.timestamps[-1] <= timestamp and self.versions[-1] == version

    def forget(self):
        """Keeps the last version, as if it had always been."""
        self.timestamps, self.versions, self.all_spans = [0], self.versions[-1:], None

    def spans(self, version):
        """The [from, to) in which the key had this version; made for all versions at once, for many reads ask."""
        if self.all_spans is None:
            self.all_spans = {}
            for begin, end, one in zip(self.timestamps, self.timestamps[1:] + [FOREVER], self.versions):
                if begin < end:
                    self.all_spans.setdefault(one, []).append((begin, end))
        return self.all_spans.get(version, [])


def meet(some, others):
    """The spans in which both lists have one. Both ascend."""
    both, i, j = [], 0, 0
    while i < len(some) and j < len(others):
        begin, end = max(some[i][0], others[j][0]), min(some[i][1], others[j][1])
        if begin < end:
            both.append((begin, end))
        if some[i][1] < others[j][1]:
            i += 1
        else:
            j += 1
    return both


class History:
    """Of one collection; `one_moment`: it has one shard, so that all its rows are read at the same moment."""

    def __init__(self, one_moment):
        self.one_moment = one_moment
        self.lines, self.writes, self.reads = {}, [], []
        self.judged = 0

    def least_of_strong(self, begin):
        """A Strong read that begins then sees every write that was answered before."""
        return max((w.timestamp for w in list(self.writes) if w.end and w.end < begin), default=0)

    def _lines_of_this_life(self):
        unsure = {}  # Since when a key is.
        for write in self.writes:
            for key, version in write.changes.items():
                self.lines.setdefault(key, Line())
                if write.end:
                    self.lines[key].add(write.timestamp, version)
                else:
                    unsure[key] = min(unsure.get(key, write.begin), write.begin)
        return unsure

    def judge(self):
        """Raises Wrong for the first read that cannot be; forgets the life's reads and writes."""
        unsure = self._lines_of_this_life()
        later = sorted((w.begin, w.timestamp) for w in self.writes if w.end)
        firsts = [FOREVER] * (len(later) + 1)  # The first timestamp of the writes from a place on.
        for i in range(len(later) - 1, -1, -1):
            firsts[i] = min(firsts[i + 1], later[i][1])
        for read in self.reads:
            keys = [k for k in read.keys if k in self.lines and unsure.get(k, read.end) >= read.end]
            if read.repeated:
                raise Wrong(f"{read.kind}: {read.repeated[:5]} came twice")
            strangers = [k for k in read.found if k not in self.lines]
            if strangers:
                raise Wrong(f"{read.kind}: nobody has written {strangers[:5]}")
            # What was sent after the answer cannot be in it.
            most = firsts[bisect.bisect_right(later, (read.end, FOREVER))]
            if read.exact:
                self._judge_exact(read, keys, most)
            else:
                self._judge_moment(read, keys, most)
            self.judged += 1
        self.writes, self.reads = [], []
        return unsure

    def _judge_exact(self, read, keys, most):
        if read.exact < read.least or read.exact >= most:
            raise Wrong(f"{read.kind}: read at {read.exact}, allowed is [{read.least}, {most})")
        wrong = {k: (read.found.get(k, ABSENT), self.lines[k].at(read.exact)) for k in keys
                 if not self.lines[k].is_settled(read.found.get(k, ABSENT), read.exact)
                 and read.found.get(k, ABSENT) != self.lines[k].at(read.exact)}
        if wrong:
            raise Wrong(f"{read.kind}: at {read.exact} {len(wrong)} of {len(keys)} keys are wrong, as in (found, was) "
                        f"{list(wrong.items())[:5]}: {self._tell(list(wrong)[0])}")

    def _judge_moment(self, read, keys, most):
        common = window = [(read.least, most)]
        for key in keys:
            if self.lines[key].is_settled(read.found.get(key, ABSENT), read.least):
                continue
            spans = meet(self.lines[key].spans(read.found.get(key, ABSENT)), window)
            if not spans:
                raise Wrong(f"{read.kind}: key {key} was never {read.found.get(key, ABSENT)} within {window[0]}: "
                            f"{self._tell(key)}")
            common = meet(common, spans)
            if self.one_moment and not common:
                raise Wrong(f"{read.kind}: no single moment has all that it found; key {key} is the first too much: "
                            f"{self._tell(key)}")

    def _tell(self, key):
        line = self.lines[key]
        return f"its last versions are {list(zip(line.timestamps, line.versions))[-4:]}"

    def settle(self, found, unsure, timestamp):
        """After a restart: what a Strong read has found holds from then on, and no read is older than that."""
        for key, line in self.lines.items():
            if key in unsure:
                line.add(timestamp, found.get(key, ABSENT))
            line.forget()
