"""The examples, run as a reader would run them.

    python3 tests/examples/examples_test.py DIRECTORY_OF_THE_PROGRAMS [TEST...]
"""
import gzip
import os
import re
import subprocess
import sys
import tempfile
import unittest
import urllib.request

FUNCTIONS = ['slowNetworkRequest', 'cpuIntensiveTask', 'weirdFunction']

# The profile looks 99 times a second; three seconds of it are far closer than
# this to what the example measures.
SHARE_TOLERANCE = 0.1


def program(name):
    return os.path.join(DIRECTORY, name)


def run(*command):
    """Exit status, standard output and standard error of a program that ends."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


class Running:
    """A program that serves, from its first line until the end of the block."""

    def __init__(self, *command):
        self.command = command

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE,
                                        text=True)
        self.url = self.process.stdout.readline().removeprefix('serving ')
        self.url = self.url.strip()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()

    def fetch(self, path):
        # No proxy stands between loopback and us.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(self.url + path, timeout=60) as answer:
            return answer.read()

    def folded(self, path):
        """Folded stacks as pairs of frames and weight."""
        lines = self.fetch(path).decode().splitlines()
        return [(line.rsplit(' ', 1)[0].split(';'),
                 int(line.rsplit(' ', 1)[1])) for line in lines]


class MinimalTest(unittest.TestCase):

    def test_serves_its_profile(self):
        with Running(program('minimal'), '0') as minimal:
            stacks = minimal.folded('?seconds=1')
        self.assertTrue(any('main' in frames for frames, _ in stacks), stacks)

    def test_a_port_in_use_is_said(self):
        with Running(program('minimal'), '0') as minimal:
            port = minimal.url.rstrip('/').rsplit(':', 1)[1]
            status, _, errors = run(program('minimal'), port)
        self.assertEqual(status, 1)
        self.assertIn(port, errors)


class GprofExampleTest(unittest.TestCase):

    def totals(self, output):
        """Seconds and share by function, from the last lines."""
        return {name: (float(seconds), float(share))
                for name, seconds, share in re.findall(
                    r'^total (\w+) ([\d.]+) ([\d.]+)$', output, re.M)}

    def test_profile_agrees_with_its_own_timing(self):
        with Running(program('gprof_example'), '--listen', '127.0.0.1:0',
                     '--seconds', '4', '--quiet') as example:
            stacks = example.folded('?seconds=3')
            output = example.process.stdout.read()
        totals = self.totals(output)
        self.assertEqual(list(totals), FUNCTIONS)
        weights = {name: sum(weight for frames, weight in stacks
                             if f'{name}()' in frames) for name in FUNCTIONS}
        everything = sum(weights.values())
        self.assertGreater(everything, 0, stacks)
        for name in FUNCTIONS:
            self.assertAlmostEqual(weights[name] / everything, totals[name][1],
                                   delta=SHARE_TOLERANCE, msg=name)

    def test_waiting_for_the_network_ends_in_recv(self):
        with Running(program('gprof_example'), '--listen', '127.0.0.1:0',
                     '--quiet') as example:
            stacks = example.folded('?seconds=1')
        self.assertTrue(any(frames[-2:] == ['slowNetworkRequest()', 'recv']
                            for frames, _ in stacks), stacks)

    def test_go_tools_addresses_work(self):
        with Running(program('gprof_example'), '--listen', '127.0.0.1:0',
                     '--quiet') as example:
            profile = example.fetch('debug/pprof/wall?seconds=1')
        self.assertIn(b'cpuIntensiveTask', gzip.decompress(profile))

    def test_runs_without_a_profiler(self):
        status, output, errors = run(program('gprof_example'), '--listen',
                                     'none', '--seconds', '4')
        self.assertEqual((status, errors), (0, ''))
        self.assertNotIn('serving', output)
        for name in FUNCTIONS:
            self.assertRegex(output, rf'(?m)^{name}: \d+\.\d ms$')
        totals = self.totals(output)
        self.assertAlmostEqual(sum(share for _, share in totals.values()), 1,
                               delta=0.001)
        # Sleeps may be longer than asked for, never shorter.
        self.assertGreater(totals['slowNetworkRequest'][0],
                           totals['cpuIntensiveTask'][0])
        self.assertGreater(totals['cpuIntensiveTask'][0],
                           totals['weirdFunction'][0])

    def test_quiet_prints_only_totals(self):
        _, output, _ = run(program('gprof_example'), '--listen', 'none',
                           '--seconds', '0.2', '--quiet')
        self.assertEqual([line.split()[0] for line in output.splitlines()],
                         ['total'] * 3)

    def test_bad_flags_are_refused(self):
        for flags in (['--seconds', '0'], ['--seconds', 'x'], ['--what'],
                      ['more']):
            status, output, errors = run(program('gprof_example'), *flags)
            self.assertEqual((status, output), (2, ''), flags)
            self.assertNotEqual(errors, '')

    def test_a_bad_address_is_said(self):
        status, _, errors = run(program('gprof_example'), '--listen', 'no:where')
        self.assertEqual(status, 1)
        self.assertIn('no:where', errors)


class WriteFileTest(unittest.TestCase):

    def test_writes_by_suffix(self):
        with tempfile.TemporaryDirectory() as directory:
            folded = os.path.join(directory, 'profile.folded')
            status, output, errors = run(program('write_file'), folded)
            self.assertEqual((status, output, errors),
                             (0, f'wrote {folded}\n', ''))
            with open(folded, encoding='utf-8') as file:
                self.assertIn('serveRequests(std::atomic<bool> const&);',
                              file.read())

            pprof = os.path.join(directory, 'profile.pb.gz')
            self.assertEqual(run(program('write_file'), pprof)[0], 0)
            with gzip.open(pprof) as file:
                self.assertIn(b'serveRequests', file.read())

    def test_a_file_that_cannot_be_written_is_said(self):
        status, _, errors = run(program('write_file'), '/nowhere/profile.folded')
        self.assertEqual(status, 1)
        self.assertIn('/nowhere', errors)


class MountTest(unittest.TestCase):

    def test_profiler_is_beside_the_service(self):
        with Running(program('mount'), '0') as mount:
            self.assertEqual(mount.fetch(''), b'the service\n')
            stacks = mount.folded('profiler/?seconds=1')
        self.assertTrue(any('main' in frames for frames, _ in stacks), stacks)


class LockTest(unittest.TestCase):

    def test_serves_few_requests_on_little_cpu_time(self):
        before = os.times()
        status, output, _ = run(program('lock'), '0.5')
        after = os.times()
        self.assertEqual(status, 0)
        self.assertRegex(output, r'^\d+ requests in 0.5 s\n$')
        # One request at a time, each at least 5 ms under the lock.
        self.assertLess(int(output.split()[0]), 105)
        self.assertLess(after.children_user - before.children_user, 0.25)


if __name__ == '__main__':
    DIRECTORY = sys.argv.pop(1)
    unittest.main()
