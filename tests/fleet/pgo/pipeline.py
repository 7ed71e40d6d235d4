"""Daemons and commands of `wallprof pgo`, and what is in their bases.

    with pipeline.Daemon(program, 'serve', ['--dir', directory]) as serve:
        pipeline.run(program, 'upload', '-a', 'shop', '-u', serve.url, file)
        serve.await_count('merged', 1)
        sums = pipeline.read(base)  # {('main', 'work'): [count, nanoseconds]}
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
import daemons  # noqa: E402

WALLPROF = None  # the program, as those who run the tests say
PATIENCE_SECONDS = daemons.PATIENCE_SECONDS


def run(program, *words, environment=None, stdin=None):
    """What a command printed. It must succeed."""
    done = subprocess.run(
        [program, 'pgo', *map(str, words)], capture_output=True, check=False,
        env={**os.environ, **(environment or {})}, input=stdin,
        timeout=PATIENCE_SECONDS)
    if done.returncode != 0:
        raise AssertionError(f'{words}: {done.returncode}: {done.stderr.decode()}')
    return done.stdout


def await_that(condition, what):
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(what() if callable(what) else what)
        time.sleep(0.05)


class Daemon(daemons.Daemon):
    """A verb of `wallprof pgo` that runs until the block ends."""

    def __init__(self, program, verb, options, listen='127.0.0.1:0',
                 environment=None):
        command = [program, 'pgo', verb, *map(str, options)]
        if listen:
            command += ['--listen', listen]
        super().__init__(command, environment)

    ask = daemons.Daemon.exchange

    def upload(self, app, body, version='', headers=None):
        """The key. It must be taken."""
        query = f'?version={version}' if version else ''
        status, _, answer = self.ask('POST', f'/api/profile/{app}{query}', body,
                                     headers)
        if status != 201:
            raise AssertionError(f'{status}: {answer}')
        return json.loads(answer)['key']

    def download(self, app):
        status, _, answer = self.ask('GET', f'/api/profile/{app}')
        if status != 200:
            raise AssertionError(f'{status}: {answer}')
        return answer

    def count(self, name):
        """What it counts under wallprof_pgo_<name>_total."""
        metrics = self.ask('GET', '/metrics')[2].decode()
        found = re.search(rf'^wallprof_pgo_{name}_total (\S+)$', metrics, re.M)
        return int(float(found[1])) if found else 0

    def await_count(self, name, count):
        await_that(lambda: self.count(name) >= count,
                   lambda: f'{name}: {self.count(name)} of {count}; ' +
                   ''.join(self.log[-20:]))

    def values(self, event, name):
        """The numbers `name` of its lines about `event`."""
        return [int(re.search(rf' {name}=(\d+)', line)[1])
                for line in list(self.log) if f' event={event} ' in line]


def raw(profile):
    """What Go's pprof prints of all that is in a profile."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(profile)
        file.flush()
        return go_pprof('-raw', '-symbolize=none', file.name)


def go_pprof(*words):
    done = subprocess.run(['go', 'tool', 'pprof', *map(str, words)],
                          capture_output=True, text=True, check=False,
                          env={**os.environ, 'PPROF_TMPDIR': '/nonexistent'})
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return done.stdout


def read(profile):
    """The values of a profile by stack, root first, as Go's pprof reads it."""
    text = raw(profile)
    samples, _, rest = text.partition('Locations\n')
    names = {}
    for line in rest.partition('Mappings\n')[0].splitlines():
        found = re.match(r'\s*(\d+): (0x[0-9a-f]+)?(?: M=\d+)?\s*(\S.*)?$', line)
        if found:
            last = found[1]
            names[last] = []
        if found and found[3] is None:
            names[last].append(found[2])
            continue
        function = found[3] if found else line.strip()
        names[last].append(re.sub(r' \S*:\d+ s=\d+.*$', '', function))
    sums = {}
    for values, locations in re.findall(
            r'^\s*(\d+(?:\s+\d+)*): ((?:\d+ ?)+)$', samples, re.M):
        stack = tuple(name for location in reversed(locations.split())
                      for name in reversed(names[location]))
        sums[stack] = [a + int(b) for a, b in zip(
            sums.get(stack, [0] * len(values.split())), values.split())]
    return sums


def shares(profile):
    """The share of each leaf's CPU time."""
    sums = read(profile)
    whole = sum(values[-1] for values in sums.values())
    out = {}
    for stack, values in sums.items():
        out[stack[-1]] = out.get(stack[-1], 0) + values[-1] / whole
    return out


class Subject:
    """An instance of a program that serves its profiles. `url` is where."""

    def __init__(self, *command):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = None

    def __enter__(self):
        self.url = self.process.stdout.readline().strip().rstrip('/')
        if not self.url.startswith('http://'):
            self.__exit__()
            raise RuntimeError(f'no URL: {self.url}')
        return self

    def __exit__(self, *_):
        with self.process:
            self.process.kill()


def write_targets(path, urls):
    pathlib.Path(path).write_text(
        json.dumps([{'address': url} for url in urls]), encoding='utf-8')


class Case(unittest.TestCase):
    """A test with a directory, where the program keeps what it keeps in `store`."""

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.directory = pathlib.Path(temporary.name)
        self.store = self.directory / 'store'

    def serve(self, *options, **more):
        return Daemon(WALLPROF, 'serve', ['--dir', self.store, *options], **more)

    def subjects(self, stack, program, count):
        return [stack.enter_context(Subject(program)).url for _ in range(count)]

    def pgo(self, *words, **more):
        return run(WALLPROF, *words, **more)
