"""A day of a fleet, compressed in time: three hundred processes that come and go
send real profiles of real programs, some of them twice, with clocks that differ,
to a collector that is killed meanwhile. At the end the day's sums are what was
sent, to the nanosecond.

    python3 day_test.py WALLPROF

WALLPROF_TEST_DAY_PROFILES is how many each process sends.
"""
import collections
import concurrent.futures
import gzip
import http.client
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(__file__))
import collecting  # noqa: E402
import daemons  # noqa: E402

PROCESSES = 300
SENDS = int(os.environ.get('WALLPROF_TEST_DAY_PROFILES', '4'))
MIDNIGHT = 1767225600  # 2026-01-01
DAY = 24 * 3600
KILLS = 3
CHURN = 0.05      # of processes are replaced after a profile
SENT_TWICE = 0.02
SKEW_SECONDS = 90  # of a tenth of the clocks

# What a service runs; found on any machine that builds this project.
PROGRAMS = {
    'compiler': ['g++', '-O1', '-x', 'c++', '-c', '-o', '/dev/null', '-'],
    'archiver': ['xz', '-6', '--stdout'],
    'script': ['python3', '-c',
               'import json,sys\nfor i in range(60): json.loads(json.dumps('
               '[dict(a=j,b=str(j)) for j in range(3000)]))'],
    'database': ['sqlite3', ':memory:',
                 'with recursive n(i) as (select 1 union all select i+1 from n '
                 'where i<400000) select sum(i*i), max(hex(i)) from n'],
}


def fields_of(message):
    """Each field of the message, with its number."""
    at = 0
    while at < len(message):
        start = at
        tag, at = varint_at(message, at)
        if tag & 7 == 0:
            _, at = varint_at(message, at)
        else:
            length, at = varint_at(message, at)
            at += length
        yield tag >> 3, message[start:at]


def varint_at(message, at):
    number = shift = 0
    while True:
        byte = message[at]
        at += 1
        number |= (byte & 0x7f) << shift
        shift += 7
        if byte < 0x80:
            return number, at


class Template:
    """A real profile, to be sent with any time."""

    TIME = 9

    def __init__(self, path):
        message = gzip.decompress(path.read_bytes())
        kept = b''.join(text for tag, text in fields_of(message)
                        if tag != self.TIME)
        self.head = gzip.compress(kept, 6, mtime=0)
        shown = subprocess.run(
            [WALLPROF, 'convert', '--to', 'json', path, '-'], check=True,
            capture_output=True)
        table = json.loads(shown.stdout)
        self.totals = collections.Counter(
            {kind['type']: total
             for kind, total in zip(table['types'], table['totals'])})

    def body(self, seconds):
        """Gzip of several members is the gzip of them all."""
        return self.head + gzip.compress(
            collecting.number(self.TIME, int(seconds * 1e9)), mtime=0)


def make_templates(directory):
    templates = {}
    source = (b'#include <regex>\nbool f(const char*s)'
              b'{return std::regex_match(s,std::regex("a*b+"));}\n')
    for service, command in PROGRAMS.items():
        templates[service] = []
        for run in range(2):
            path = pathlib.Path(directory) / f'{service}{run}.pb.gz'
            subprocess.run(
                [WALLPROF, 'run', '--hz', '499', '-o', path, '--', *command],
                input=source if service == 'compiler'
                else b'abc\n' * 400000 * (run + 1),
                check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            templates[service].append(Template(path))
    return templates


class Process:
    """One of the fleet. Replaced by another now and then, as by a deployment."""

    def __init__(self, number, service):
        self.number = number
        self.service = service
        self.generation = 0
        self.random = random.Random(number)
        self.skew = (self.random.uniform(-SKEW_SECONDS, SKEW_SECONDS)
                     if number % 10 == 0 else 0)

    @property
    def labels(self):
        return (f'instance={self.service}-{self.number}-{self.generation},'
                f'zone={"ab"[self.number % 2]},version=1.{self.generation}')


class DayTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.directory = pathlib.Path(temporary.name)
        self.lock = threading.Lock()
        self.sent = collections.defaultdict(collections.Counter)
        self.counts = collections.Counter()
        self.ids = set()
        self.collector = None

    def start(self):
        collector = collecting.Collector(
            WALLPROF, ['--dir', self.directory / 'store', '--log-level', 'warn',
                       '--max-merge', '1000000', '--query-timeout', '10m'])
        collector.start()
        self.collector = collector

    def send(self, process, body):
        """Until it is taken; its id."""
        end = time.monotonic() + daemons.PATIENCE_SECONDS
        while time.monotonic() < end:
            try:
                answer = self.collector.upload(process.service, 'wall', body,
                                               process.labels)
                if answer.status == 200:
                    return answer.body['id']
                self.assertIn(answer.status, (429, 503), answer.bytes)
            except (OSError, http.client.HTTPException):
                time.sleep(0.02)
        raise TimeoutError(process.labels)

    def run_process(self, process, templates):
        for i in range(SENDS):
            template = process.random.choice(templates[process.service])
            # Each in its own second: one that is sent twice is one.
            seconds = int(MIDNIGHT + DAY * (i + 0.4) / SENDS +
                          process.number + process.skew)
            body = template.body(seconds)
            taken = self.send(process, body)
            if process.random.random() < SENT_TWICE:
                self.assertEqual(self.send(process, body), taken)
            with self.lock:
                self.ids.add(taken)
                self.counts[process.service] += 1
                hour = (seconds - MIDNIGHT) // 3600
                self.sent[process.service, hour] += template.totals
            if process.random.random() < CHURN:
                process.generation += 1

    def totals_at(self, service, start, end):
        answer = self.collector.get('/api/0/top', service=service, type='wall',
                                    to=end, **{'from': start})
        if answer.status == 404:
            return collections.Counter()
        self.assertNotIn('warning', answer.json)
        table = answer.body
        return collections.Counter(
            {kind['type']: total
             for kind, total in zip(table['types'], table['totals'])})

    def test_a_day(self):
        templates = make_templates(self.directory)
        services = sorted(PROGRAMS)
        processes = [Process(i, services[i % len(services)])
                     for i in range(PROCESSES)]
        self.start()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            running = [pool.submit(self.run_process, process, templates)
                       for process in processes]
            for kill in range(1, KILLS + 1):
                due = len(processes) * kill // (KILLS + 1)
                concurrent.futures.wait(running[:due])
                self.collector.kill()
                self.start()
            for each in running:
                each.result()
        self.check_the_day(services)
        self.assertEqual(self.collector.stop(), 0)

    def check_the_day(self, services):
        self.assertEqual(self.collector.get('/api/0/services').body, services)
        self.assertEqual(len(self.ids), PROCESSES * SENDS)
        for service in services:
            ids = self.collector.list_ids(service, MIDNIGHT - 3600,
                                          MIDNIGHT + 2 * DAY)
            self.assertEqual(len(ids), self.counts[service], service)
            self.assertEqual(len(set(ids)), len(ids))
            self.assertLessEqual(set(ids), self.ids)
        # What was slow in any hour, to the nanosecond.
        hours = sorted(self.sent)
        for service, hour in random.sample(hours, min(12, len(hours))):
            start = MIDNIGHT + hour * 3600
            self.assertEqual(self.totals_at(service, start, start + 3599),
                             self.sent[service, hour], (service, hour))
        for service in services:
            expected = sum((totals for (of, _), totals in self.sent.items()
                            if of == service), collections.Counter())
            self.assertEqual(
                self.totals_at(service, MIDNIGHT - 3600, MIDNIGHT + 2 * DAY),
                expected, service)


if __name__ == '__main__':
    WALLPROF = sys.argv.pop(1)
    unittest.main()
