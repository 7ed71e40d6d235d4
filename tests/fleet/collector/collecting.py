"""A collector as a process, and profiles to send it.

    with collecting.Collector(program, ['--dir', directory]) as collector:
        collector.upload('shop', 'wall', profile({'main;work': 10}))
"""
import gzip
import http.client
import json
import os
import signal
import subprocess
import threading
import urllib.parse

PATIENCE_SECONDS = 60  # of a machine that does much else


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
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.bytes = response.read()

    @property
    def json(self):
        return json.loads(self.bytes)

    @property
    def body(self):
        """What is in the envelope, if all is well."""
        if self.status != 200:
            raise AssertionError(f'{self.status}: {self.bytes[:500]}')
        return self.json['body']


class Collector:
    """Runs until the block ends. `log` has what it said."""

    def __init__(self, program, options, environment=None, before=()):
        self.command = [*before, program, 'collect', '--listen', '127.0.0.1:0',
                        *map(str, options)]
        self.environment = {**os.environ, **(environment or {})}
        self.log = []
        self.process = None
        self.reader = None
        self.url = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True, env=self.environment)
        for line in self.process.stderr:
            self.log.append(line)
            if line.startswith('wallprof: collecting at '):
                self.url = line.split()[-1]
                break
        else:
            self.process.wait()
            self.process.stderr.close()
            raise RuntimeError(''.join(self.log))
        self.reader = threading.Thread(
            target=lambda: self.log.extend(self.process.stderr))
        self.reader.start()

    def kill(self):
        self.process.kill()
        self._wait()

    def stop(self):
        """Its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self._wait()

    def _wait(self):
        status = self.process.wait(PATIENCE_SECONDS)
        self.reader.join()
        self.process.stderr.close()
        return status

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection(
            urllib.parse.urlsplit(self.url).netloc, timeout=PATIENCE_SECONDS)
        try:
            connection.request(method, path, body, headers or {})
            return Answer(connection.getresponse())
        finally:
            connection.close()

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
