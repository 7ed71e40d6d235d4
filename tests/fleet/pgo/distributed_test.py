"""Servers and workers over S3, NATS and PostgreSQL, with all that goes wrong
between them: their base is the one that a single worker makes in peace.

    python3 distributed_test.py WALLPROF NODE_MODULES [TEST...]

WALLPROF_TEST_KILLS says how often a worker is killed.
"""
import concurrent.futures
import contextlib
import gzip
import http.client
import json
import os
import pathlib
import random
import socket
import sys
import threading
import time
import unittest
import uuid

sys.path[:0] = [os.path.dirname(__file__),
                os.path.join(os.path.dirname(__file__), '..')]
import bad_profiles  # noqa: E402
import pipeline  # noqa: E402
import servers  # noqa: E402

KILLS = int(os.environ.get('WALLPROF_TEST_KILLS', '3'))
PROFILES = 15 * KILLS
APPS = ['shop', 'till']
FAULTS = ['503', 'late', 'half', 'drop-before', 'drop-after']
MINUTE = 60 * 10**9


class NatsClient:
    """As much of NATS's protocol as it takes to say and to ask something."""

    def __init__(self, port):
        self.connection = socket.create_connection(('127.0.0.1', port))
        self.lines = self.connection.makefile('rb')

    def __enter__(self):
        try:
            self.lines.readline()  # what the server says of itself
            self.send(b'CONNECT {"verbose":false,"headers":false}',
                      b'SUB answers 1')
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.lines.close()
        self.connection.close()

    def send(self, *lines):
        self.connection.sendall(b''.join(line + b'\r\n' for line in lines))

    def publish(self, subject, body, reply=''):
        self.send(f'PUB {subject} {reply} {len(body)}'.encode(), body)

    def ask(self, subject):
        self.publish(subject, b'', 'answers')
        while not (line := self.lines.readline()).startswith(b'MSG'):
            if line == b'PING\r\n':
                self.send(b'PONG')
        return json.loads(self.lines.read(int(line.split()[-1])))


class Profile:
    """One of several that are the same whenever the test is run."""

    def __init__(self, number, start):
        self.app = APPS[number % len(APPS)]
        self.id = start + number
        self.key = f'{self.app}/staging/{self.id}'
        self.body = gzip.compress(gzip.decompress(bad_profiles.cpu_profile(
            {('main', 'work'): 1, ('main', f'n{number % 7}'): 1 + number})) +
            bad_profiles.number(9, start - number * MINUTE), mtime=0)

    def send(self, server):
        """Until it is taken; by its number it is always the same one."""
        while True:
            try:
                server.upload(self.app, self.body, f'1.{self.id % 2}',
                              {'Idempotency-Key': str(self.id)})
                return
            except (OSError, http.client.HTTPException, AssertionError):
                time.sleep(0.05)

    def event(self):
        """One that tells of it, again."""
        return json.dumps({
            'id': str(uuid.uuid4()), 'timestamp': '2026-01-02T03:04:05Z',
            'type': 'profile.uploaded',
            'payload': {'app': self.app, 'profileKey': self.key}}).encode()


class DistributedTest(pipeline.Case):
    OPTIONS = ['--half-life', '1h', '--old-version-weight', '0.5']

    def setUp(self):
        super().setUp()
        self.stack = self.enterContext(contextlib.ExitStack())
        self.nats = self.stack.enter_context(servers.Nats())
        self.s3 = self.stack.enter_context(servers.S3Server(MODULES))
        self.proxy = self.stack.enter_context(
            servers.FaultProxy(self.s3.endpoint))
        now = time.time_ns()
        self.profiles = [Profile(i, now) for i in range(PROFILES)]
        self.expected = self.make_in_peace()

    def make_in_peace(self):
        with self.serve(*self.OPTIONS) as serve:
            for profile in self.profiles:
                profile.send(serve)
            serve.await_count('merged', PROFILES)
            return {app: serve.download(app) for app in APPS}

    def daemon(self, verb, versions):
        # A worker that died is noticed soon.
        events = f'nats://{self.nats.host}/pgo.events'
        options = ['--blob-store-url', self.s3.url('p', self.proxy.endpoint),
                   '--event-writer-url', events, *versions]
        if verb == 'worker':
            options += ['--event-reader-url', events + '?ack_wait=2s',
                        *self.OPTIONS]
        return pipeline.Daemon(pipeline.WALLPROF, verb, options,
                               environment=self.s3.environment)

    def test_versions_in_nats(self):
        self.check([])

    def test_versions_in_postgres(self):
        postgres = self.stack.enter_context(servers.Postgres())
        self.check(['--version-store-url', postgres.url], postgres.kill)

    def check(self, versions, kill_versions=lambda: None):
        server = self.stack.enter_context(self.daemon('server', versions))
        workers = [self.stack.enter_context(self.daemon('worker', versions))
                   for _ in range(2)]
        stopping = threading.Event()
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            disturbing = [pool.submit(self.spoil, stopping),
                          pool.submit(self.repeat, stopping)]
            sending = [pool.submit(profile.send, server)
                       for profile in self.profiles]
            try:
                for i in range(KILLS):
                    time.sleep(random.uniform(0.1, 0.5))
                    workers[i % 2].kill()
                    if i % 3 == 1:
                        self.nats.kill()
                        kill_versions()
                    workers[i % 2].start()
                concurrent.futures.wait(sending)
            finally:
                stopping.set()
            for done in disturbing + sending:
                done.result()
        self.proxy.script('')
        self.await_bases(server, workers)
        # What comes much too late changes nothing.
        with NatsClient(self.nats.port) as nats:
            for profile in random.sample(self.profiles, PROFILES):
                nats.publish('pgo.events.late', profile.event())
            self.await_quiet(nats)
        self.assertEqual(self.bases(server), self.expected)
        for worker in workers:
            self.assertEqual(worker.stop(), 0, ''.join(worker.log[-20:]))

    def spoil(self, stopping):
        """What S3 does meanwhile."""
        while not stopping.wait(0.1):
            self.proxy.script(' '.join(
                random.choices([*FAULTS, 'ok', 'ok', 'ok'], k=5)))

    def repeat(self, stopping):
        """Tells of all profiles twice more, in any order."""
        events = [profile.event() for profile in 2 * self.profiles]
        random.shuffle(events)
        while events and not stopping.wait(0.02):
            with contextlib.suppress(OSError), \
                    NatsClient(self.nats.port) as nats:
                nats.publish('pgo.events', events.pop())

    def bases(self, server):
        found = {app: server.ask('GET', f'/api/profile/{app}') for app in APPS}
        return {app: body for app, (status, _, body) in found.items()
                if status == 200}

    def await_bases(self, server, workers):
        pipeline.await_that(
            lambda: self.bases(server) == self.expected,
            lambda: 'the base is not what was sent: ' +
            ''.join(workers[0].log[-10:] + workers[1].log[-10:]))
        pipeline.await_that(
            lambda: not self.staged(),
            lambda: f'still staged: {self.staged()}')

    def staged(self):
        """Profiles that are merged and still there."""
        path = pathlib.Path(self.s3.directory)
        return [file.name for file in path.rglob('staging/*')]

    def await_quiet(self, nats):
        """Until each event has been read and is done with."""
        def is_quiet():
            consumer = nats.ask('$JS.API.CONSUMER.INFO.'
                                'wallprof-pgo_events.wallprof-pgo')
            return consumer['num_pending'] + consumer['num_ack_pending'] == 0
        pipeline.await_that(is_quiet, 'events are left')


if __name__ == '__main__':
    pipeline.WALLPROF, MODULES = sys.argv[1:3]
    del sys.argv[1:3]
    unittest.main()
