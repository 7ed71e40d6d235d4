"""Collectors as they are run: over a directory, and over PostgreSQL and S3.

    python3 collector_test.py WALLPROF S3RVER_MODULES [TEST...]
"""
import concurrent.futures
import gzip
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path[:0] = [os.path.dirname(__file__), os.path.dirname(
    os.path.dirname(__file__))]
import servers  # noqa: E402
from collecting import Collector, message, profile  # noqa: E402

NIGHT = 1767323520  # 2026-01-02T03:12:00Z
KILLS = int(os.environ.get('WALLPROF_TEST_KILLS', '4'))


class Sender(threading.Thread):
    """Sends profiles one after the other until told to stop, each again until it
    is taken, and remembers what was."""

    def __init__(self, collectors, number):
        super().__init__()
        self.collectors = collectors
        self.number = number
        self.stopping = threading.Event()
        self.acknowledged = {}  # id: message
        self.refused = []

    def run(self):
        for i in range(1 << 30):
            if self.stopping.is_set():
                return
            sent = message({f'main;work{self.number};n{i}': i + 1},
                           NIGHT + random.randrange(3000))
            while not self.send(sent):
                if self.stopping.wait(0.02):
                    return

    def send(self, sent):
        collector = random.choice(self.collectors)
        try:
            answer = collector.upload('shop', 'wall', gzip.compress(sent, 1, mtime=0),
                                      f'instance={self.number}')
        except OSError:
            return False
        except Exception:  # noqa: BLE001: half an answer
            return False
        if answer.status == 200:
            self.acknowledged[answer.body['id']] = sent
        elif answer.status not in (429, 503, 507):
            self.refused.append(answer.bytes)
        return answer.status == 200


class Cases:
    """What holds over every store. The mixin's users say what the options are."""

    def collector(self, *more):
        return Collector(WALLPROF, [*self.options(), *more], self.environment())

    def environment(self):
        return {}

    def check_all_there(self, collector, senders):
        """Everything acknowledged is there once, whole."""
        acknowledged = {}
        for sender in senders:
            self.assertEqual(sender.refused, [])
            acknowledged.update(sender.acknowledged)
        ids = collector.list_ids('shop', NIGHT - 10, NIGHT + 10000)
        self.assertEqual(len(ids), len(set(ids)), 'one is there twice')
        self.assertEqual(set(acknowledged) - set(ids), set(), 'one is lost')
        # One that was not acknowledged may be there, but not twice, either:
        # each sender has at most one of those, which it sent again.
        self.assertLessEqual(len(ids), len(acknowledged) + len(senders))
        for taken in random.sample(sorted(acknowledged),
                                   min(50, len(acknowledged))):
            got = collector.ask('GET', f'/api/0/profiles/{taken}')
            self.assertEqual(gzip.decompress(got.bytes), acknowledged[taken])

    def test_go_reads_what_is_added_up(self):
        with self.collector() as collector:
            for i in range(20):
                answer = collector.upload(
                    'shop', 'wall', profile({'main;work': 10, 'main;wait': 30},
                                            NIGHT + i), f'host=db-{i % 3}')
                self.assertEqual(answer.status, 200, answer.bytes)
            top = subprocess.run(
                ['go', 'tool', 'pprof', '-top', '-sample_index=wall',
                 f'{collector.url}api/0/profiles/merge?service=shop&type=wall&'
                 f'from={NIGHT}&to={NIGHT + 100}'],
                capture_output=True, text=True, check=False,
                env={**os.environ, 'PPROF_TMPDIR': self.directory})
            self.assertRegex(top.stdout, r'600ms 75\.00% .* wait', top.stderr)
            self.assertRegex(top.stdout, r'200ms 25\.00% .* work')
            selected = collector.get(
                '/api/0/flamegraph', query='host=~"db-[01]"', type='wall',
                format='folded', to=NIGHT + 100, **{'from': NIGHT})
            self.assertEqual(selected.bytes.decode(),
                             'main;wait 420000\nmain;work 140000\n')

    def test_killed_at_any_moment_it_loses_nothing(self):
        collector = self.collector()
        collector.start()
        collectors = [collector]
        senders = [Sender(collectors, i) for i in range(4)]
        for sender in senders:
            sender.start()
        for _ in range(KILLS):
            time.sleep(random.uniform(0.05, 0.5))
            collector.kill()
            collector = self.collector()
            collector.start()
            collectors[:] = [collector]
        time.sleep(0.3)
        for sender in senders:
            sender.stopping.set()
            sender.join()
        self.assertTrue(all(sender.acknowledged for sender in senders))
        self.check_all_there(collector, senders)
        self.assertEqual(collector.stop(), 0)
        with self.collector() as again:
            self.check_all_there(again, senders)

    def test_it_can_be_profiled_itself(self):
        with self.collector() as collector:
            folded = collector.get('/debug/pprof/wall', seconds='0.2',
                                   format='folded')
            self.assertEqual(folded.status, 200, folded.bytes)
            self.assertIn(b'main', folded.bytes)
            self.assertIn(b'cmdline', collector.get('/debug/vars').bytes)
            self.assertIn(b'wallprof_collector_requests_total',
                          collector.get('/debug/metrics').bytes)

    def test_what_is_removed_stays_removed(self):
        collector = self.collector()
        collector.start()
        ids = [collector.upload('shop', 'wall',
                                profile({'main': i + 1}, NIGHT)).body['id']
               for i in range(4)]
        for taken in ids[:2]:
            self.assertEqual(
                collector.ask('DELETE', f'/api/0/profiles/{taken}').status, 200)
        collector.kill()
        with self.collector() as again:
            self.assertEqual(again.list_ids('shop', NIGHT, NIGHT),
                             sorted(ids[2:]))

    def test_sent_by_an_agent(self):
        with self.collector() as collector:
            with subprocess.Popen(
                    [WALLPROF, 'run', '--listen', '127.0.0.1:0', '--',
                     'sleep', '30'], stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE, text=True) as program:
                line = program.stderr.readline()
                target = re.search(r'http://([\d.:]+)/', line)[1]
                with subprocess.Popen(
                        [WALLPROF, 'agent', '--collector', collector.url,
                         '--service', 'sleeper', '--label', 'zone=eu',
                         '--target', target, '--profile', 'wall', '--interval',
                         '1s', '--window', '300ms', '--spool-dir', ''],
                        stderr=subprocess.DEVNULL) as agent:
                    end = time.monotonic() + servers.PATIENCE_SECONDS
                    while not collector.list_ids('sleeper', time.time() - 600,
                                                 time.time() + 600):
                        self.assertLess(time.monotonic(), end)
                        time.sleep(0.1)
                    agent.terminate()
                program.terminate()  # and with it what it runs
            series = collector.get('/api/0/series', service='sleeper').body
            self.assertEqual([(one['type'], one['labels'][0]) for one in series],
                             [('wall', {'key': 'instance', 'value': target})])
            folded = collector.get('/api/0/flamegraph', service='sleeper',
                                   type='wall', format='folded')
            self.assertIn(b'nanosleep', folded.bytes)

    def test_senders_of_others_can_be_pointed_here(self):
        form = (b'--b\r\nContent-Disposition: form-data; name="profile"; '
                b'filename="p"\r\n\r\n' + profile({'main;form': 5}, NIGHT) +
                b'\r\n--b--\r\n')
        with self.collector() as collector:
            for path, body, kind in (
                    ('format=folded', b'main;folded 3\n', 'text/plain'),
                    ('spyName=gospy', form, 'multipart/form-data; boundary=b')):
                answer = collector.ask(
                    'POST', f'/ingest?name=shop.cpu%7Bhost%3Ddb%7D&{path}&'
                    f'from={NIGHT}&until={NIGHT + 10}', body,
                    {'Content-Type': kind})
                self.assertEqual(answer.status, 200, answer.bytes)
            infos = collector.get('/api/0/profiles', service='shop', type='cpu',
                                  to=NIGHT, **{'from': NIGHT}).body
            self.assertEqual([info['labels'] for info in infos],
                             2 * [[{'key': 'host', 'value': 'db'}]])

    def test_sent_twice_it_is_there_once(self):
        with self.collector() as collector:
            body = profile({'main': 1}, NIGHT)
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                ids = {answer.body['id'] for answer in pool.map(
                    lambda _: collector.upload(
                        'shop', 'wall', body, headers={
                            'X-Wallprof-Profile-Id': 'one'}), range(40))}
            self.assertEqual(len(ids), 1)
            self.assertEqual(collector.list_ids('shop', NIGHT, NIGHT),
                             list(ids))


class DirectoryTest(Cases, unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.directory = temporary.name

    def options(self):
        return ['--dir', pathlib.Path(self.directory) / 'store']

    def test_the_directory_is_its_own(self):
        with self.collector():
            with self.assertRaisesRegex(RuntimeError, 'another process'):
                self.collector().start()

    def test_a_directory_that_cannot_be_made_is_named(self):
        path = pathlib.Path(self.directory) / 'file'
        path.write_text('')
        with self.assertRaisesRegex(RuntimeError, str(path)):
            Collector(WALLPROF, ['--dir', path / 'store']).start()


    def test_options_that_do_not_go_together_are_named(self):
        for options, words in ((['--blobs', 's3://a'], '--blobs: needs --index'),
                               (['--index', 'postgres://a'],
                                '--index: needs --blobs'),
                               ([], '--dir'),
                               (['--thin', '2h'], 'AGE=PERIOD'),
                               (['--max-age', 'soon'], 'soon')):
            with self.subTest(options=options):
                with self.assertRaisesRegex(RuntimeError, words):
                    Collector(WALLPROF, options).start()


class SharedTest(Cases, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.postgres = cls.enterClassContext(servers.Postgres())
        cls.s3 = cls.enterClassContext(servers.S3Server(MODULES))
        cls.proxy = cls.enterClassContext(servers.FaultProxy(cls.s3.endpoint))
        cls.databases = 0

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.directory = temporary.name
        type(self).databases += 1
        self.name = f'test{self.databases}'
        self.index = self.postgres.make_database(self.name)

    def options(self):
        return ['--index', self.index, '--blobs',
                self.s3.url(self.name, self.proxy.endpoint)]

    def environment(self):
        return self.s3.environment

    def test_two_over_one_store_while_all_fails(self):
        with self.collector() as one, self.collector() as two:
            senders = [Sender([one, two], i) for i in range(4)]
            for sender in senders:
                sender.start()
            for _ in range(2):
                self.proxy.script('PUT:503 PUT:half PUT:drop-before '
                                  'PUT:drop-after PUT:late')
                time.sleep(0.5)
                self.postgres.kill()
                time.sleep(0.5)
                self.postgres.wait_until_up()
            time.sleep(1)
            for sender in senders:
                sender.stopping.set()
            for sender in senders:
                sender.join()
            self.assertGreater(sum(len(sender.acknowledged)
                                   for sender in senders), 10)
            self.check_all_there(one, senders)
            self.check_all_there(two, senders)


if __name__ == '__main__':
    WALLPROF, MODULES = sys.argv[1:3]
    del sys.argv[1:3]
    unittest.main()
