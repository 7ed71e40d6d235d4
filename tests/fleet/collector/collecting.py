"""A collector as a process, and profiles to send it.

    with collecting.Collector(program, ['--dir', directory]) as collector:
        collector.upload('shop', 'wall', profile({'main;work': 10}))
"""
import gzip
import json
import pathlib
import sys
import urllib.parse

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
import daemons  # noqa: E402


def varint(number):
    out = bytearray()
    while number > 0x7f:
        out.append(number & 0x7f | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def number(tag, value):
    """A field of a protobuf message."""
    return varint(tag << 3) + varint(value)


def field(tag, value):
    return varint(tag << 3 | 2) + varint(len(value)) + value


def message(stacks, time_seconds, seconds=10):
    """A profile.proto of wall time: {'main;work': milliseconds}."""
    strings = ['']

    def text(value):
        if value not in strings:
            strings.append(value)
        return strings.index(value)

    samples, frames = b'', []
    types = b''.join(
        field(1, number(1, text(kind)) + number(2, text(unit)))
        for kind, unit in (('samples', 'count'), ('wall', 'nanoseconds')))
    for stack, milliseconds in stacks.items():
        ids = []
        for frame in reversed(stack.split(';')):
            if frame not in frames:
                frames.append(frame)
            ids.append(frames.index(frame) + 1)
        samples += field(2, field(1, b''.join(map(varint, ids))) + field(
            2, varint(1) + varint(milliseconds * 1000000)))
    tables = b''.join(
        field(4, number(1, i) + field(4, number(1, i))) +
        field(5, number(1, i) + number(2, text(frame)))
        for i, frame in enumerate(frames, 1))
    end = (number(9, int(time_seconds * 1e9)) + number(10, int(seconds * 1e9)) +
           field(11, number(1, text('wall')) + number(2, text('nanoseconds'))) +
           number(12, 10101010) + number(14, text('wall')))
    return types + samples + tables + b''.join(
        field(6, string.encode()) for string in strings) + end


def profile(stacks, time_seconds, seconds=10):
    return gzip.compress(message(stacks, time_seconds, seconds), mtime=0)


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.bytes = body

    @property
    def json(self):
        return json.loads(self.bytes)

    @property
    def body(self):
        """What is in the envelope, if all is well."""
        if self.status != 200:
            raise AssertionError(f'{self.status}: {self.bytes[:500]}')
        return self.json['body']


class Collector(daemons.Daemon):
    """Runs until the block ends."""

    def __init__(self, program, options, environment=None, before=()):
        super().__init__([*before, program, 'collect', '--listen',
                          '127.0.0.1:0', *map(str, options)], environment)

    def ask(self, method, path, body=None, headers=None):
        return Answer(*self.exchange(method, path, body, headers))

    def get(self, path, **query):
        query = urllib.parse.urlencode(query)
        return self.ask('GET', f'{path}?{query}' if query else path)

    def upload(self, service, kind, body, labels='', headers=None):
        query = urllib.parse.urlencode(
            {'service': service, 'type': kind, 'labels': labels})
        return self.ask('POST', f'/api/0/profiles?{query}', body, headers)

    def list_ids(self, service, start, end):
        """All ids of the service, in order."""
        answer = self.get('/api/0/profiles', service=service, **{
            'from': int(start), 'to': int(end)})
        if answer.status == 404:
            return []
        return [info['id'] for info in answer.body]
