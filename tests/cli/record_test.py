"""`wallprof run --record` and what reads it: fetch, top and convert.

    python3 tests/cli/record_test.py WALLPROF SUBJECTS_DIRECTORY [TEST...]
"""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

# Long enough for a busy machine; a test that gets here has found a hang.
TIMEOUT_SECONDS = 60


class RecordTest(unittest.TestCase):

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.environment = {
            name: value for name, value in os.environ.items()
            if not name.startswith('WALLPROF_') and name != 'LD_PRELOAD'}

    def tool(self, *arguments):
        return subprocess.run([WALLPROF, *arguments], text=True,
                              capture_output=True, timeout=TIMEOUT_SECONDS,
                              check=False, cwd=self.directory)

    def run_program(self, record):
        """One that waits for its input: `run`, and the address it serves on."""
        process = subprocess.Popen(
            [WALLPROF, 'run', record, '--listen', '0', '--',
             os.path.join(SUBJECTS, 'early_close')], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=self.environment, cwd=self.directory)
        for stream in (process.stdin, process.stdout, process.stderr):
            self.addCleanup(stream.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        line = process.stderr.readline()
        return process, re.search(r'http://([0-9.:]+)', line)[1]

    def test_directory_that_cannot_be_is_said_before_the_command_runs(self):
        in_the_way = os.path.join(self.directory, 'file')
        with open(in_the_way, 'w', encoding='ascii'):
            pass
        for directory in (in_the_way, '/proc/nowhere'):
            done = self.tool('run', f'--record={directory}', '--', 'echo', 'x')
            self.assertEqual((done.returncode, done.stdout), (1, ''))
            self.assertRegex(done.stderr,
                             rf'\Awallprof: cannot record to {directory}: .+\n\Z')

    def fetch_past(self, address):
        """Of what has been recorded, once something has."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            done = self.tool('fetch', '--from', '-1m', address)
            if done.stdout:
                return done.stdout
            time.sleep(0.05)
        self.fail(done.stderr)

    def kill_program(self, process):
        """The program, not `run`; with no chance to write anything."""
        path = f'/proc/{process.pid}/task/{process.pid}/children'
        with open(path, encoding='ascii') as children:
            os.kill(int(children.read().split()[0]), signal.SIGKILL)
        self.assertEqual(process.wait(TIMEOUT_SECONDS), 128 + signal.SIGKILL)

    def spool_file(self):
        spool = os.path.join(self.directory, 'spool')
        name, = os.listdir(spool)
        return os.path.join(spool, name)

    def assert_trace(self, name, least):
        """That a file is a trace with so many slices of the main thread."""
        with open(os.path.join(self.directory, name), encoding='utf-8') as file:
            events = json.load(file)['traceEvents']
        starts = [event['ts'] for event in events
                  if event['name'] == 'wall of early_close']
        self.assertGreaterEqual(len(starts), least, events)
        self.assertEqual(starts, sorted(starts))
        self.assertEqual(len(starts), len(set(starts)))
        self.assertIn('main', [event['name'] for event in events])

    def test_the_past_of_a_running_program(self):
        process, address = self.run_program('--record')
        self.assertIn('main;', self.fetch_past(address))
        self.fetch_past(address)
        done = self.tool('fetch', '--from', '-1m', '-o', 'past.trace.json',
                         address)
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        self.assert_trace('past.trace.json', 2)
        done = self.tool('fetch', '--from', '-1h', '--to', '-50m', address)
        self.assertEqual(done.returncode, 1)
        self.assertIn('what there is is from', done.stderr)
        process.stdin.close()
        self.assertEqual(process.wait(TIMEOUT_SECONDS), 0)

    def test_what_a_killed_program_has_written(self):
        process, address = self.run_program('--record=spool')
        self.fetch_past(address)
        self.fetch_past(address)  # the first is on disk by now
        self.kill_program(process)
        done = self.tool('top', 'spool')
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        self.assertIn(' read', done.stdout)
        done = self.tool('convert', '--from', '-1h', '--to', '0s', '--to',
                         'folded', 'spool', '-')
        self.assertEqual(done.returncode, 2, 'times are like -10m')
        done = self.tool('convert', '--from', '-1h', '--to', '-0s', '--to',
                         'folded', 'spool', '-')
        self.assertIn('main;', done.stdout)
        done = self.tool('convert', 'spool', 'spool.trace.json')
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        self.assert_trace('spool.trace.json', 2)
        done = self.tool('convert', '--view', 'blockedby', 'spool', '-')
        self.assertEqual((done.returncode, done.stderr, done.stdout),
                         (0, '', ''), 'it has waited for no lock')
        done = self.tool('top', '--from', '-2h', '--to', '-1h', 'spool')
        self.assertEqual(done.returncode, 1)
        self.assertIn('spool: Nothing is recorded from', done.stderr)

    def test_the_end_of_a_program_is_written_too(self):
        process, address = self.run_program('--record=spool')
        self.fetch_past(address)
        before = os.path.getsize(self.spool_file())
        time.sleep(0.1)
        process.stdin.close()
        self.assertEqual(process.wait(TIMEOUT_SECONDS), 0)
        self.assertGreater(os.path.getsize(self.spool_file()), before)

    def test_a_torn_file_is_named(self):
        process, address = self.run_program('--record=spool')
        for _ in range(3):
            self.fetch_past(address)
        self.kill_program(process)
        path = self.spool_file()
        os.truncate(path, os.path.getsize(path) - 1)
        done = self.tool('top', 'spool')
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(
            done.stderr, r'\Awallprof: spool/' +
            re.escape(os.path.basename(path)) +
            r': \d+ bytes at offset \d+ are a torn record; left out\n\Z')

    def test_times_are_of_directories(self):
        with open(os.path.join(self.directory, 'a.folded'), 'w',
                  encoding='ascii') as file:
            file.write('main 1\n')
        done = self.tool('top', '--from', '-1m', 'a.folded')
        self.assertEqual(done.returncode, 1)
        self.assertIn('--from is for a directory', done.stderr)


if __name__ == '__main__':
    WALLPROF = os.path.abspath(sys.argv.pop(1))
    SUBJECTS = os.path.abspath(sys.argv.pop(1))
    unittest.main()
