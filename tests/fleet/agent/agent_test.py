"""Agents in real programs, against a collector that answers as profefe's does.

    python3 agent_test.py SUBJECT WALLPROF [TEST...]
"""
import concurrent.futures
import datetime
import gzip
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(__file__))
from stand_in_collector import StandInCollector  # noqa: E402
from stand_in_target import StandInTarget  # noqa: E402

# Far above what stopping takes, far below what it would wait for.
STOP_BOUND_MS = 10000


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class Ran:
    """What a run of the subject left."""

    def __init__(self, url, spool, seconds, *options):
        ended = subprocess.run(
            [SUBJECT, url, str(spool), str(seconds), *options],
            capture_output=True, text=True, timeout=60, check=False)
        self.status = ended.returncode
        self.log = ended.stderr
        self.values = dict(line.split('=', 1)
                           for line in ended.stdout.splitlines())

    def __getitem__(self, name):
        return int(self.values[name])


def labels_of(profile):
    return {label['key']: label['value'] for label in profile['labels']}


def spooled(directory, suffix):
    return sorted(pathlib.Path(directory).glob(f'subject/*.{suffix}'))


class AgentTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.spool = temporary.name

    def check_balance(self, ran):
        """Each profile is in exactly one place."""
        lost = sum(ran[name] for name in (
            'failed', 'empty', 'refused', 'overflow', 'expired', 'unknown',
            'corrupt', 'stopped'))
        self.assertEqual(ran['taken'] + ran['adopted'],
                         ran['sent'] + ran['left'] + lost, ran.values)


class LibraryTest(AgentTest):
    def test_wall_and_cpu_profiles_reach_profefe(self):
        # By name, so that one is looked up.
        with StandInCollector() as collector:
            ran = Ran(collector.url.replace('127.0.0.1', 'localhost'),
                      self.spool, 1.5)
        self.assertEqual(ran.status, 0, ran.log)
        self.check_balance(ran)
        self.assertGreaterEqual(ran['sent'], 2)
        self.assertEqual(ran['sent'], len(collector.profiles))
        wall, cpu = collector.profiles[:2]
        self.assertEqual((wall['type'], labels_of(wall)['profile']),
                         ('other', 'wall'))
        self.assertEqual(cpu['type'], 'cpu')
        for profile in wall, cpu:
            self.assertEqual(profile['service'], 'subject')
            labels = labels_of(profile)
            self.assertEqual(labels['version'], '1.0.0')
            self.assertEqual(labels['odd'], 'a=b,c d%2F+ä')
            self.assertRegex(labels['instance'], r'.+-\d+$')
            self.assertIn(b'ComputeSomething', gzip.decompress(profile['body']))
        self.assertIn(b'nanosleep', gzip.decompress(wall['body']))
        created = datetime.datetime.fromisoformat(wall['created_at'][:-1])
        self.assertLess(abs(datetime.datetime.utcnow() - created),
                        datetime.timedelta(minutes=1))
        ids = [head['X-Wallprof-Profile-Id'] for head in collector.headers]
        self.assertEqual(len(ids), len(set(ids)))
        self.assertIn('event=sent type=wall', ran.log)
        # The threads that take and send are not in what they take.
        self.assertNotIn(b'wallprof-', gzip.decompress(wall['body']))

    def test_a_collector_that_knows_our_types_gets_them(self):
        types = {'wall', 'offcpu', 'lockwait'}
        with StandInCollector(types=types) as collector:
            ran = Ran(collector.url, self.spool, 1.2, 'wall', 'offcpu',
                      'lockwait')
        self.check_balance(ran)
        self.assertEqual({profile['type'] for profile in collector.profiles},
                         types)
        waits = next(profile for profile in collector.profiles
                     if profile['type'] == 'lockwait')
        self.assertIn(b'[held by]', gzip.decompress(waits['body']))
        self.assertNotIn('profile', labels_of(waits))

    def test_sources_of_the_program_are_sent(self):
        with StandInCollector() as collector:
            Ran(collector.url, self.spool, 1, 'source=malloc')
        heap = [profile for profile in collector.profiles
                if profile['type'] == 'heap']
        self.assertEqual(heap[0]['body'], b'profile')
        self.assertEqual(labels_of(heap[0])['allocator'], 'malloc')

    def test_a_fork_leaves_the_agent_alone(self):
        with StandInCollector() as collector:
            ran = Ran(collector.url, self.spool, 1, 'fork')
        self.assertEqual(ran['child'], 0)
        self.assertGreater(ran['sent'], 0)
        self.check_balance(ran)


class FaultTest(AgentTest):
    """One send goes wrong; the program ends; the next start makes it good."""

    # fault: the first run's counters, and whether the profile of the fault is
    # there in the end.
    CASES = {
        '500': ({'refused': 0}, True),
        '503': ({'refused': 0}, True),
        '429': ({'refused': 0}, True),
        '413': ({'refused': 1}, False),
        'hang': ({'refused': 0}, True),
        'reset': ({'refused': 0}, True),
        'lost': ({'refused': 0}, True),
        'close': ({'refused': 0}, True),
        'envelope': ({'refused': 0}, True),
        'slow': ({'refused': 0}, True),
    }

    def run_case(self, fault):
        expected, arrives = self.CASES[fault]
        spool = os.path.join(self.spool, fault)
        with StandInCollector(faults=[fault], types={'wall'}) as collector:
            first = Ran(collector.url, spool, 0, 'wall', 'tried')
            second = Ran(collector.url, spool, 0, 'wall',
                         *(['drained'] if first['left'] else []))
        for ran in first, second:
            self.check_balance(ran)
            self.assertLess(ran['stop_ms'], STOP_BOUND_MS, fault)
        for name, value in expected.items():
            self.assertEqual(first[name], value, (fault, first.values))
        self.assertEqual(second['adopted'], first['left'], fault)
        if first['left'] > 0:
            self.assertGreaterEqual(second['sent'], first['left'],
                                    (fault, second.values, second.log))
        # Each POST that was not refused is there once.
        ids = [head['X-Wallprof-Profile-Id'] for head in collector.headers]
        self.assertEqual(len(collector.profiles),
                         len(set(ids)) - (0 if arrives else 1), fault)
        self.assertEqual(first['sent'] + second['sent'],
                         len(collector.profiles), fault)
        created = [profile['created_at'] for profile in collector.profiles]
        self.assertEqual(created, sorted(created), fault)
        return first, second

    def test_each_fault(self):
        with concurrent.futures.ThreadPoolExecutor(len(self.CASES)) as pool:
            ran = dict(zip(self.CASES, pool.map(self.run_case, self.CASES)))
        # What got lost with its answer was asked for, not sent again.
        self.assertEqual(ran['lost'][1]['confirmed'], 1)
        self.assertIn('too large', ran['413'][0].log)

    def test_without_a_spool_what_waits_is_lost_and_counted(self):
        ran = Ran(f'http://127.0.0.1:{free_port()}', '', 1)
        self.check_balance(ran)
        self.assertGreater(ran['stopped'], 0)
        self.assertEqual(ran['left'], 0)

    def test_a_spool_that_cannot_be_written_is_said_and_costs_nothing(self):
        with StandInCollector() as collector:
            ran = Ran(collector.url, '/proc/no/such', 1)
        self.assertGreater(ran['sent'], 0)
        self.assertGreater(ran['spool_errors'], 0)
        self.assertIn('event=spool_error', ran.log)

    def test_what_a_killed_program_left_is_sent_and_the_rest_left_alone(self):
        directory = pathlib.Path(self.spool, 'subject')
        away = f'http://127.0.0.1:{free_port()}'
        with subprocess.Popen([SUBJECT, away, self.spool, '60', 'wall'],
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as program:
            end = time.monotonic() + 20
            while len(spooled(self.spool, 'parcel')) < 2:
                self.assertLess(time.monotonic(), end)
                time.sleep(0.02)
            program.kill()
        corrupt = spooled(self.spool, 'parcel')[0]
        corrupt.write_bytes(corrupt.read_bytes()[:-1])
        (directory / 'notes.txt').write_text('mine')
        (directory / corrupt.name.replace('.parcel', '.bak')).write_text('')
        left = len(spooled(self.spool, 'parcel'))
        with StandInCollector(types={'wall'}) as collector:
            ran = Ran(collector.url, self.spool, 0, 'wall', 'drained')
        self.assertEqual((ran['adopted'], ran['corrupt']), (left, 1))
        self.assertGreaterEqual(len(collector.profiles), left - 1)
        self.assertIn('event=spool_corrupt_file', ran.log)
        self.assertIn('event=spool_foreign_file file=notes.txt', ran.log)
        self.assertEqual(len(spooled(self.spool, 'corrupt')), 1)
        self.assertEqual((directory / 'notes.txt').read_text(), 'mine')


class ProgramTest(AgentTest):
    """`wallprof agent`."""

    def start(self, *arguments, **environment):
        return subprocess.Popen(
            [WALLPROF, 'agent', *arguments], stderr=subprocess.PIPE, text=True,
            env={**os.environ, **environment})

    def stop(self, agent):
        start = time.monotonic()
        agent.send_signal(signal.SIGTERM)
        log = agent.communicate(timeout=30)[1]
        self.assertLess(time.monotonic() - start, STOP_BOUND_MS / 1000)
        self.assertEqual(agent.returncode, 0, log)
        return log

    def fast(self):
        return ['--interval', '500ms', '--window', '100ms',
                '--spool-dir', self.spool]

    def test_scrapes_and_forwards(self):
        with StandInCollector() as collector, StandInTarget() as target:
            agent = self.start(
                '--collector', collector.url, '--service', 'svc',
                '--label', 'env=prod,zone=a', '--label', 'rack=7',
                '--target', f'127.0.0.1:{target.port}',
                '--profile', 'wall,cpu,heap,goroutine,trace,offcpu,lockwait',
                *self.fast())
            collector.await_profiles(7)
            log = self.stop(agent)
        by_type = {profile['type']: profile for profile in collector.profiles}
        self.assertEqual(set(by_type),
                         {'other', 'cpu', 'heap', 'goroutine', 'trace'})
        self.assertEqual(by_type['trace']['body'], target.TRACE)
        self.assertEqual({labels_of(profile)['profile']
                          for profile in collector.profiles
                          if profile['type'] == 'other'},
                         {'wall', 'offcpu', 'lockwait'})
        self.assertIn('/debug/pprof/wall?seconds=0.1&view=blockedby',
                      target.paths)
        labels = labels_of(by_type['cpu'])
        self.assertEqual((labels['env'], labels['zone'], labels['rack']),
                         ('prod', 'a', '7'))
        self.assertEqual(labels['instance'], f'127.0.0.1:{target.port}')
        self.assertIn('/debug/pprof/profile?seconds=0.1', target.paths)
        for line in log.splitlines():
            self.assertRegex(line, r'^time=\S+Z event=\w+( \w+=(\S+|".*"))*$')

    def test_is_told_by_variables(self):
        with StandInCollector() as collector, StandInTarget() as target:
            agent = self.start(
                WALLPROF_AGENT_COLLECTOR=collector.url,
                WALLPROF_AGENT_SERVICE='svc',
                WALLPROF_AGENT_LABEL='env=prod,instance=',
                WALLPROF_AGENT_TARGET=f'127.0.0.1:{target.port}',
                WALLPROF_AGENT_PROFILE='cpu',
                WALLPROF_AGENT_INTERVAL='500ms',
                WALLPROF_AGENT_WINDOW='100ms',
                WALLPROF_AGENT_SPOOL_DIR=self.spool)
            profiles = collector.await_profiles(1)
            self.stop(agent)
        self.assertEqual(labels_of(profiles[0]), {'env': 'prod'})

    def test_shows_its_token(self):
        path = pathlib.Path(self.spool) / 'token'
        path.write_text('first-token \n', encoding='ascii')
        with StandInCollector() as collector, StandInTarget() as target:
            agent = self.start(
                '--collector', collector.url, '--service', 'svc', '--profile',
                'cpu', '--target', f'127.0.0.1:{target.port}', '--token-file',
                str(path), *self.fast())
            collector.await_profiles(1)
            path.write_text('second-token', encoding='ascii')
            collector.await_profiles(len(collector.profiles) + 2)
            self.stop(agent)
        shown = [headers['Authorization'] for headers in collector.headers]
        self.assertEqual(shown[0], 'Bearer first-token')
        self.assertEqual(shown[-1], 'Bearer second-token')
        path.write_text('\n', encoding='ascii')
        refused = self.start('--collector', 'http://c', '--service', 's',
                             '--target', ':1', '--token-file', str(path))
        self.assertIn('has no token on its first line',
                      refused.communicate(timeout=30)[1])
        self.assertEqual(refused.returncode, 2)

    def test_what_a_target_has_not_is_said_once(self):
        with StandInCollector() as collector, \
                StandInTarget(missing={'wall', 'fgprof'}) as target:
            agent = self.start(
                '--collector', collector.url, '--service', 'svc', '--target',
                f'127.0.0.1:{target.port}', '--profile', 'wall,cpu',
                *self.fast())
            collector.await_profiles(2)
            log = self.stop(agent)
        self.assertEqual(log.count('event=not_taken'), 1, log)

    def test_go_programs_with_fgprof_have_wall_profiles(self):
        with StandInCollector() as collector, \
                StandInTarget(missing={'wall'}) as target:
            agent = self.start(
                '--collector', collector.url, '--service', 'svc', '--target',
                f'127.0.0.1:{target.port}', '--profile', 'wall', *self.fast())
            profiles = collector.await_profiles(1)
            self.stop(agent)
        self.assertEqual(labels_of(profiles[0])['profile'], 'wall')
        self.assertIn('/debug/fgprof?seconds=0.1', target.paths)

    def test_stops_at_once_while_target_and_collector_hang(self):
        with StandInCollector(faults=['hang'] * 9) as collector, \
                StandInTarget() as target, StandInTarget(hangs=True) as hung:
            agent = self.start(
                '--collector', collector.url, '--service', 'subject',
                '--target', f'127.0.0.1:{target.port}',
                '--target', f'127.0.0.1:{hung.port}', '--profile', 'cpu',
                *self.fast())
            end = time.monotonic() + 20
            while not (collector.headers and hung.paths):
                self.assertLess(time.monotonic(), end)
                time.sleep(0.02)
            log = self.stop(agent)
        self.assertEqual(len(spooled(self.spool, 'unsure')), 1, log)

    def test_collectors_with_tls_are_trusted_by_their_certificate(self):
        certificate = os.path.join(self.spool, 'certificate.pem')
        subprocess.run(
            ['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes',
             '-keyout', certificate + '.key', '-out', certificate, '-subj',
             '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'],
            check=True, capture_output=True, timeout=60)
        with open(certificate + '.both', 'w', encoding='ascii') as both:
            for name in certificate, certificate + '.key':
                both.write(pathlib.Path(name).read_text(encoding='ascii'))
        with StandInTarget() as target, StandInCollector(
                certificate=certificate + '.both') as collector:
            arguments = ['--collector', collector.url, '--service', 'svc',
                         '--target', f'127.0.0.1:{target.port}', '--profile',
                         'cpu', *self.fast()]
            trusting = self.start(*arguments, '--cacert', certificate)
            self.assertTrue(collector.await_profiles(1))
            self.stop(trusting)
            before = len(collector.profiles)
            doubting = self.start(*arguments)
            time.sleep(1)
            log = self.stop(doubting)
        self.assertEqual(len(collector.profiles), before)
        self.assertIn('certificate', log)

    def test_real_programs(self):
        """One that `wallprof run` serves, by a socket without a port."""
        path = os.path.join(self.spool, 'socket')
        with StandInCollector() as collector, subprocess.Popen(
                [WALLPROF, 'run', '--listen', 'unix:' + path, '--',
                 '/bin/sh', '-c', 'while :; do sleep 0.01; done'],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as served:
            while not os.path.exists(path):
                self.assertIsNone(served.poll())
                time.sleep(0.02)
            agent = self.start(
                '--collector', collector.url, '--service', 'svc', '--target',
                'unix:' + path, '--profile', 'wall,cpu,offcpu',
                '--interval', '2s', '--window', '300ms', '--spool-dir', '')
            profiles = collector.await_profiles(3)
            log = self.stop(agent)
            served.terminate()
        self.assertEqual({(profile['type'], labels_of(profile).get('profile'))
                          for profile in profiles},
                         {('other', 'wall'), ('cpu', None),
                          ('other', 'offcpu')}, log)
        self.assertEqual(labels_of(profiles[0])['instance'], 'unix:' + path)
        self.assertIn(b'wait4', gzip.decompress(profiles[0]['body']))

    def test_usage(self):
        def run(*arguments):
            ran = subprocess.run([WALLPROF, 'agent', *arguments],
                                 capture_output=True, text=True, timeout=30,
                                 check=False)
            return ran.returncode, ran.stdout + ran.stderr
        status, text = run('--help')
        self.assertEqual(status, 0)
        for flag in ('collector', 'service', 'label', 'target', 'profile',
                     'interval', 'window', 'send-timeout', 'spool-dir',
                     'spool-mib', 'spool-age', 'memory-mib', 'cacert'):
            self.assertIn('--' + flag, text)
            self.assertIn('WALLPROF_AGENT_' + flag.upper().replace('-', '_'),
                          text)
        good = ['--collector', 'http://c', '--service', 's', '--target', ':1']
        for wrong in (['--collector', 'ftp://c', *good[2:]], good[:4],
                      good[2:], [*good, '--label', 'x'],
                      [*good, '--profile', 'lunch'],
                      [*good, '--interval', '5s'],
                      [*good, '--window', '-1s'],
                      [*good, '--spool-mib', '0']):
            self.assertEqual(run(*wrong)[0], 2, wrong)


if __name__ == '__main__':
    SUBJECT, WALLPROF = sys.argv[1:3]
    del sys.argv[1:3]
    unittest.main()
