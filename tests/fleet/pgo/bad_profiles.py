"""Uploads that must be refused, and why: for tests of those who take uploads.

    for bad in bad_profiles.all_of_them():
        status, answer = post(bad.body)
        assert status == bad.status and bad.reason in answer['message']

good() is one that is taken. Messages are written here byte by byte, so that
they do not depend on what is tested.

    python3 tests/fleet/pgo/bad_profiles.py DIRECTORY

writes them there, the good one as `good`, and prints a line for each bad one:
name, status and reason, with tabs between.
"""
import collections
import gzip
import pathlib
import sys

Bad = collections.namedtuple('Bad', 'name body status reason')

# What the server takes when nothing else is said (AcceptLimits).
MOST_BYTES = 256 << 20


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field, value):
    return varint(field << 3) + varint(value)


def message(field, body):
    return varint(field << 3 | 2) + varint(len(body)) + body


class Writer:
    """A profile.proto of one function for each frame's name."""

    def __init__(self, types, period_type=('cpu', 'nanoseconds')):
        self.strings = ['']
        self.body = b''.join(message(1, self._type(*t)) for t in types)
        self.body += message(11, self._type(*period_type)) + number(12, 10**7)
        self.frames = {}

    def _string(self, text):
        if text not in self.strings:
            self.strings.append(text)
        return self.strings.index(text)

    def _type(self, kind, unit):
        return number(1, self._string(kind)) + number(2, self._string(unit))

    def _location(self, name):
        if name not in self.frames:
            i = self.frames[name] = len(self.frames) + 1
            self.body += message(5, number(1, i) + number(2, self._string(name))
                                 + number(5, 10 * i))
            self.body += message(4, number(1, i) + message(
                4, number(1, i) + number(2, 10 * i + 3)))
        return self.frames[name]

    def sample(self, frames, values):
        """`frames`: root first; a number is a location's id."""
        ids = [f if isinstance(f, int) else self._location(f)
               for f in reversed(frames)]
        self.body += message(2, b''.join([number(1, i) for i in ids] +
                                         [number(2, v) for v in values]))
        return self

    def bytes(self):
        table = b''.join(message(6, s.encode()) for s in self.strings)
        return gzip.compress(self.body + table, mtime=0)


CPU = [('samples', 'count'), ('cpu', 'nanoseconds')]


def cpu_profile(samples):
    """Of {(frame, ...): count}, root first, ten milliseconds each."""
    writer = Writer(CPU)
    for frames, count in samples.items():
        writer.sample(frames, [count, count * 10**7])
    return writer.bytes()


def good():
    return cpu_profile({('main.main', 'main.work'): 7, ('main.main',): 3})


def of_types(types, period_type=('cpu', 'nanoseconds')):
    writer = Writer(types, period_type)
    return writer.sample(['main.main'], [1] * len(types)).bytes()


def bomb():
    """Few bytes that are many more than are taken when they are unpacked."""
    piece = gzip.compress(bytes(64 << 20), mtime=0)
    return piece * (MOST_BYTES // (64 << 20) + 1)


def all_of_them():
    truncated = good()[:-20]
    heap = of_types([('alloc_objects', 'count'), ('alloc_space', 'bytes'),
                     ('inuse_objects', 'count'), ('inuse_space', 'bytes')],
                    ('space', 'bytes'))
    mutex = of_types([('contentions', 'count'), ('delay', 'nanoseconds')],
                     ('contentions', 'count'))
    wall = of_types([('samples', 'count'), ('time', 'nanoseconds')],
                    ('wall', 'nanoseconds'))
    idle = Writer([*CPU, ('wall', 'nanoseconds')]).sample(
        ['main.main', 'main.wait'], [50, 0, 10**9]).bytes()
    dangling = Writer(CPU).sample(['main.main', 77], [1, 10**7]).bytes()
    negative = Writer(CPU).sample(['main.main'], [1, -10**7]).bytes()
    huge = Writer(CPU).sample(['main.main'], [1, 2**62]).bytes()
    return [
        Bad('empty', b'', 400, 'nothing was sent'),
        Bad('no_profile', b'hello, world\n', 400, 'this is no profile'),
        Bad('truncated', truncated, 400, 'this is no profile'),
        Bad('bomb', bomb(), 413, f'more than {MOST_BYTES} bytes'),
        Bad('heap', heap, 400, 'no CPU profile: it has alloc_objects/count'),
        Bad('mutex', mutex, 400, 'no CPU profile: it has contentions/count'),
        Bad('wall_clock', wall, 400, 'of wall-clock time'),
        Bad('no_samples', Writer(CPU).bytes(), 400, 'has no samples'),
        Bad('idle', idle, 400, 'no sample with CPU time'),
        Bad('dangling', dangling, 400, 'this is no profile'),
        Bad('negative', negative, 400, 'negative value'),
        Bad('overflow', huge, 400, 'more than can be added up'),
    ]


def main():
    directory = pathlib.Path(sys.argv[1])
    (directory / 'good').write_bytes(good())
    for bad in all_of_them():
        (directory / bad.name).write_bytes(bad.body)
        print(bad.name, bad.status, bad.reason, sep='\t')


if __name__ == '__main__':
    main()
