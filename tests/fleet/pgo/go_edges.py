"""What Go's compiler takes from a profile: how often functions call each other,
and where. A reader of its own, so that it can tell whether a base still says
what the profiles in it said.

    python3 tests/fleet/pgo/go_edges.py FILE...

prints the sum over all files, a line for each edge: weight, caller, callee, and
the call's line from the caller's first on.

As cmd/internal/pgo has it: the first sample type that is samples/count or
cpu/nanoseconds; functions by name; inlined lines are frames like others; an
edge counts once a sample; recursion is no edge. An error where there is no such
type, or no function has a first line.
"""
import collections
import gzip
import sys

TYPES = [('samples', 'count'), ('cpu', 'nanoseconds')]


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7f) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def fields(data):
    """{field: [numbers and bytes]}"""
    found = collections.defaultdict(list)
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        value, at = varint(data, at)
        if key & 7 == 2:
            value, at = data[at:at + value], at + value
        elif key & 7 != 0:
            raise ValueError(f'wire type {key & 7}')
        found[key >> 3].append(value)
    return found


def numbers(values):
    """Of a repeated field, packed or not."""
    for value in values:
        if isinstance(value, int):
            yield value
            continue
        at = 0
        while at < len(value):
            number, at = varint(value, at)
            yield number


def one(message, field):
    return message[field][-1] if field in message else 0


def weight_index(profile, strings):
    for i, data in enumerate(profile[1]):
        kind = fields(data)
        if (strings[one(kind, 1)], strings[one(kind, 2)]) in TYPES:
            return i
    raise ValueError('no samples/count and no cpu/nanoseconds')


def edges(packed):
    """{(caller, callee, line): weight} of a profile, gzipped or not."""
    data = gzip.decompress(packed) if packed[:2] == b'\x1f\x8b' else packed
    profile = fields(data)
    strings = [text.decode() for text in profile[6]]
    functions = {}
    for data in profile[5]:
        function = fields(data)
        functions[one(function, 1)] = (strings[one(function, 2)],
                                       one(function, 5))
    if functions and not any(line for _, line in functions.values()):
        raise ValueError('no function has a first line')
    locations = {}
    for data in profile[4]:
        location = fields(data)
        lines = [fields(line) for line in location[4]]
        locations[one(location, 1)] = [(one(line, 1), one(line, 2))
                                       for line in lines]
    index = weight_index(profile, strings)
    found = collections.Counter()
    for data in profile[2]:
        sample = fields(data)
        frames = [frame for i in numbers(sample[1]) for frame in locations[i]]
        calls = set()
        for (inner, _), (outer, line) in zip(frames, frames[1:]):
            caller, first_line = functions[outer]
            callee = functions[inner][0]
            if caller != callee:
                calls.add((caller, callee, line - first_line))
        weight = list(numbers(sample[2]))[index]
        for call in calls:
            found[call] += weight
    return found


def main():
    found = collections.Counter()
    for path in sys.argv[1:]:
        with open(path, 'rb') as file:
            found.update(edges(file.read()))
    for (caller, callee, line), weight in sorted(found.items()):
        print(weight, caller, callee, line)


if __name__ == '__main__':
    main()
