"""`wallprof run --bundle-dir` and WALLPROF_BUNDLE_DIR: bundles of programs that
end in every way.

    python3 tests/cli/bundle_test.py WALLPROF SUBJECTS_DIRECTORY [TEST...]
"""
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request
import zipfile

# Long enough for a busy machine; a test that gets here has found a hang.
TIMEOUT_SECONDS = 60

QUICK = ['meta', 'expvar', 'heap.json', 'threads.json', 'pprof/wall',
         'pprof/lockwait']


def subject(name):
    return os.path.join(SUBJECTS, name)


def sleeper(then='pass', seconds=0.2):
    """A command that sleeps, and then ends by `then`."""
    return ['/usr/bin/python3', '-c',
            'import ctypes, os, signal, sys, time\n'
            f'held = bytearray(3 << 20)\ntime.sleep({seconds})\n{then}']


class Bundle:
    """A file that must be whole."""

    def __init__(self, path):
        self.path = path
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None, path
            self.names = archive.namelist()
            self.entries = {name: archive.read(name) for name in self.names}
        self.meta = json.loads(self.entries['meta'])

    def parts(self):
        return {part['name']: part for part in self.meta['parts']}


class BundleTest(unittest.TestCase):

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.bundle_dir = os.path.join(self.directory, 'bundles')
        self.environment = {
            name: value for name, value in os.environ.items()
            if not name.startswith('WALLPROF_') and name != 'LD_PRELOAD'}

    def run_wallprof(self, *command, options=(), **settings):
        return subprocess.run(
            [WALLPROF, 'run', '--bundle-dir', self.bundle_dir, *options,
             '-o', os.path.join(self.directory, 'out.folded'), '--', *command],
            text=True, capture_output=True, timeout=TIMEOUT_SECONDS,
            check=False, env=self.environment, cwd=self.directory, **settings)

    def run_preloaded(self, *command, preexec_fn=None, **variables):
        env = {**self.environment, 'WALLPROF_BUNDLE_DIR': self.bundle_dir,
               'LD_PRELOAD': os.path.join(os.path.dirname(WALLPROF),
                                          'libwallprof_preload.so'),
               **variables}
        return subprocess.run(command, text=True, capture_output=True,
                              timeout=TIMEOUT_SECONDS, check=False, env=env,
                              cwd=self.directory, preexec_fn=preexec_fn)

    def files(self):
        """All below the directory, relative to it."""
        return sorted(os.path.relpath(os.path.join(folder, name),
                                      self.bundle_dir)
                      for folder, _, names in os.walk(self.bundle_dir)
                      for name in names)

    def bundles(self):
        """All of them, the oldest first. There is no other file."""
        for file in self.files():
            self.assertRegex(
                file, r'\A[^/]+/[^/]+/1-[0-9a-f]{8}-[0-9a-f]{24}-\d+/'
                      r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\.zip\Z')
        return [Bundle(os.path.join(self.bundle_dir, file))
                for file in sorted(self.files(), key=os.path.basename)]

    def assert_ran(self, done, status=0):
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (status, '', ''))

    def assert_says_where_it_came_from(self, bundle, program):
        meta = bundle.meta
        self.assertEqual(list(meta), ['main', 'revision', 'go_version',
                                      'hostname', 'proc_id', 'init_time',
                                      'capture_time', 'build_id', 'parts'])
        self.assertEqual(meta['main'], program)
        self.assertEqual(
            os.path.relpath(bundle.path, self.bundle_dir),
            f"{program}/{meta['hostname']}/{meta['proc_id']}/"
            f"{meta['capture_time']}.zip")
        self.assertLessEqual(meta['init_time'], meta['capture_time'])

    def test_long_enough_for_a_first_and_a_last(self):
        self.assert_ran(self.run_wallprof(*sleeper(seconds=1.5)))
        first, last = self.bundles()
        for bundle in first, last:
            self.assertEqual(bundle.names, QUICK)
            self.assert_says_where_it_came_from(
                bundle, os.path.basename(os.path.realpath('/usr/bin/python3')))
        self.assertEqual(first.meta['proc_id'], last.meta['proc_id'])
        self.assertRegex(last.meta['build_id'], r'\A[0-9a-f]{40}\Z')
        self.assertIn(b'"written":1', last.entries['expvar'])
        self.assertEqual(json.loads(last.entries['expvar'])['cmdline'][0],
                         '/usr/bin/python3')
        threads = json.loads(last.entries['threads.json'])['threads']
        self.assertEqual(len(threads), 1)
        self.assertGreater(json.loads(first.entries['heap.json'])['used_bytes'],
                           3 << 20, 'of the program, not of the engine')
        skipped = last.parts()['pprof/profile']
        self.assertEqual(skipped['status'], 'skipped')
        self.assertIn('no time', skipped['why'])

    def test_each_way_to_end_leaves_a_last_bundle(self):
        for number, (then, status) in enumerate((
                ('pass', 0), ('sys.exit(3)', 3),
                ('os._exit(4)', 4),
                ('os.kill(os.getpid(), signal.SIGKILL)', 137),
                ('os.kill(os.getpid(), signal.SIGTERM)', 143),
                ('ctypes.string_at(0)', 139), ('os.abort()', 134))):
            with self.subTest(then):
                self.bundle_dir = os.path.join(self.directory, str(number))
                self.assert_ran(self.run_wallprof(*sleeper(then)), status)
                (bundle,) = self.bundles()
                self.assertEqual(bundle.names[0], 'meta')
                self.assertIn('pprof/lockwait', bundle.names)
                self.assert_says_where_it_came_from(
                    bundle,
                    os.path.basename(os.path.realpath('/usr/bin/python3')))
                self.assertRegex(bundle.meta['build_id'], r'\A[0-9a-f]{40}\Z')
                wall = os.path.join(self.directory, 'wall.pb.gz')
                with open(wall, 'wb') as file:
                    file.write(bundle.entries['pprof/wall'])
                top = subprocess.run([WALLPROF, 'top', wall], text=True,
                                     capture_output=True, check=True)
                self.assertRegex(top.stdout, 'sleep|select')

    def test_readers(self):
        self.assert_ran(self.run_wallprof(*sleeper()))
        (bundle,) = self.bundles()
        tested = subprocess.run(['unzip', '-t', bundle.path], text=True,
                                capture_output=True, check=True)
        self.assertIn('No errors detected', tested.stdout)
        subprocess.run(['unzip', '-q', bundle.path, '-d', self.directory],
                       check=True)
        with open(os.path.join(self.directory, 'meta'), encoding='utf-8') as meta:
            self.assertEqual(json.load(meta), bundle.meta)
        if os.path.exists(subject('read_bundle')):
            read = subprocess.run([subject('read_bundle'), bundle.path],
                                  text=True, capture_output=True, check=True)
            self.assertEqual(read.stdout.splitlines(), [
                f"{bundle.meta['main']} {bundle.meta['proc_id']}",
                *(f'{name} true true' for name in bundle.names)])
            for profile in 'wall', 'lockwait':
                top = subprocess.run(
                    ['go', 'tool', 'pprof', '-top',
                     os.path.join(self.directory, 'pprof', profile)],
                    text=True, capture_output=True, check=True)
                self.assertIn(f'Type: {profile}', top.stdout)

    def test_served_bundle_is_of_the_same_process(self):
        process = subprocess.Popen(
            [WALLPROF, 'run', '--bundle-dir', self.bundle_dir, '--listen', '0',
             '--', '/usr/bin/python3', '-c',
             'import sys\nheld = bytearray(3 << 20)\n'
             'print("ready", flush=True)\nsys.stdin.read()'],
            text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=self.environment)
        for stream in process.stdin, process.stdout, process.stderr:
            self.addCleanup(stream.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        url = re.search(r'http://[0-9.:]+/', process.stderr.readline())[0]
        self.assertEqual(process.stdout.readline(), 'ready\n')
        # No proxy stands between loopback and us.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(url + 'debug/profiles?profile=0.3s',
                         timeout=TIMEOUT_SECONDS) as answer:
            name = answer.headers['Content-Disposition'].split('"')[1]
            path = os.path.join(self.directory, name)
            with open(path, 'wb') as file:
                file.write(answer.read())
        process.stdin.close()
        process.wait()
        served = Bundle(path)
        self.assertEqual(served.names, [*QUICK[:-1], 'pprof/profile', QUICK[-1]])
        self.assertGreater(json.loads(served.entries['heap.json'])['used_bytes'],
                           3 << 20, 'of the program, not of the engine')
        for bundle in self.bundles():
            self.assertEqual(bundle.meta['proc_id'], served.meta['proc_id'])

    def test_unprofiled_program_has_none_and_that_is_said_once(self):
        done = self.run_wallprof('/usr/bin/setpriv', '--version')
        self.assertEqual(done.stderr.count('no recording was made'), 1,
                         done.stderr)
        self.assertEqual(self.files(), [])

    def test_killed_program_keeps_both(self):
        self.assert_ran(self.run_wallprof(*sleeper(
            'os.kill(os.getpid(), signal.SIGKILL)', seconds=1.5)), 137)
        first, last = self.bundles()
        self.assertEqual(first.meta['proc_id'], last.meta['proc_id'])
        self.assertEqual(first.names, QUICK)
        self.assertEqual(last.names, ['meta', 'pprof/wall', 'pprof/lockwait'])
        self.assertEqual(last.parts()['threads.json']['why'],
                         'the program had ended')

    def test_preloaded_program(self):
        for then, status in (('pass', 0), ('os._exit(4)', 4)):
            with self.subTest(then):
                self.bundle_dir = os.path.join(self.directory, then[:8])
                self.assert_ran(self.run_preloaded(*sleeper(then)), status)
                (bundle,) = self.bundles()
                self.assertEqual(bundle.names, QUICK)

    def test_relative_directory_is_of_where_it_began(self):
        self.bundle_dir = 'relative'
        self.assert_ran(self.run_preloaded('/bin/sh', '-c', 'cd /; sleep 0.1'))
        self.bundle_dir = os.path.join(self.directory, 'relative')
        self.assertEqual(len(self.bundles()), 1)

    def test_forked_children_write_nothing(self):
        self.assert_ran(self.run_preloaded(
            '/bin/sh', '-c', '(exit 0); sleep 0.1; (exec sleep 0.1)'))
        (bundle,) = self.bundles()
        self.assertEqual(bundle.meta['main'], os.path.basename(
            os.path.realpath('/bin/sh')))

    def test_children_have_their_own_when_asked_for(self):
        self.assert_ran(self.run_preloaded(
            '/bin/sh', '-c', 'sleep 0.1; sleep 0.1; true',
            WALLPROF_CHILDREN='1'))
        bundles = self.bundles()
        self.assertEqual(sorted(bundle.meta['main'] for bundle in bundles),
                         ['dash', 'sleep', 'sleep'])
        self.assertEqual(len({bundle.meta['proc_id'] for bundle in bundles}), 3)

    def test_executed_image_is_the_same_process(self):
        self.assert_ran(self.run_wallprof('/bin/sh', '-c',
                                          'sleep 0.1; exec sleep 0.2'))
        (bundle,) = self.bundles()
        self.assertEqual(bundle.meta['main'], 'sleep')

    def test_program_that_leaves_its_namespace_of_files(self):
        """Its own descriptors say nothing of bundles."""
        self.assert_ran(self.run_wallprof(
            '/usr/bin/python3', '-c',
            'import os, time\nos.closerange(0, 4096)\ntime.sleep(1.3)'))
        self.assertEqual(len(self.bundles()), 2)

    def test_directory_that_cannot_be_is_said_before_the_command_runs(self):
        in_the_way = os.path.join(self.directory, 'file')
        with open(in_the_way, 'w', encoding='ascii'):
            pass
        for directory in in_the_way, '/proc/nowhere':
            self.bundle_dir = directory
            done = self.run_wallprof('echo', 'x')
            self.assertEqual((done.returncode, done.stdout), (1, ''))
            self.assertRegex(
                done.stderr,
                rf'\Awallprof: cannot write bundles to {directory}: .+\n\Z')
            done = self.run_preloaded('echo', 'x')
            self.assertEqual((done.returncode, done.stdout), (0, 'x\n'))
            self.assertRegex(done.stderr,
                             rf'\Awallprof: cannot make {directory}: .+; the '
                             r'program runs unprofiled\n\Z')

    @unittest.skipUnless(os.geteuid() == 0, 'needs to be root')
    def test_disk_that_fills_up_leaves_nothing_torn(self):
        os.mkdir(self.bundle_dir)
        mounted = subprocess.run(
            ['mount', '-t', 'tmpfs', '-o', 'size=64k', 'none', self.bundle_dir],
            capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest('nothing can be mounted here')
        self.addCleanup(subprocess.run, ['umount', self.bundle_dir], check=True)
        full = 0
        while full < 3:
            done = self.run_preloaded(*sleeper())
            self.assertEqual((done.returncode, done.stdout), (0, ''))
            if done.stderr != '':
                self.assertRegex(done.stderr, r'\Awallprof: [^\n]*No space left '
                                              r'on device[^\n]*\n\Z')
                full += 1
            # The ones that are there can be read.
            for bundle in self.bundles():
                self.assertIn('pprof/wall', bundle.names)

    def test_file_that_may_not_grow_leaves_nothing_torn(self):
        done = self.run_preloaded(
            *sleeper(seconds=1.3),
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE,
                                                  (4000, 4000)))
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stdout, '')
        self.assertRegex(
            done.stderr, r'\Awallprof: the last bundle is missing in '
                         r'[^\n]*: cannot write [^\n]*: File too large[^\n]*\n\Z')
        self.assertEqual(self.files(), [])

    def test_killed_at_any_moment_leaves_nothing_torn(self):
        """Of the program and its parent at once, which nobody survives."""
        for milliseconds in range(0, 60, 6):
            process = subprocess.Popen(
                [WALLPROF, 'run', '--bundle-dir', self.bundle_dir, '-o',
                 'out.folded', '--', *sleeper(seconds=0.05)],
                env=self.environment, cwd=self.directory,
                start_new_session=True)
            time.sleep(0.1 + milliseconds / 1000)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        whole = [file for file in self.files() if file.endswith('.zip')]
        for file in whole:
            Bundle(os.path.join(self.bundle_dir, file))
        for file in set(self.files()) - set(whole):
            self.assertRegex(os.path.basename(file), r'\A\.wallprof-.*\.tmp\Z')


if __name__ == '__main__':
    WALLPROF = os.path.abspath(sys.argv.pop(1))
    SUBJECTS = os.path.abspath(sys.argv.pop(1))
    unittest.main()
