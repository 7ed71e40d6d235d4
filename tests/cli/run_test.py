"""`wallprof run`: a command with its profile, whatever ends it.

    python3 tests/cli/run_test.py WALLPROF SUBJECTS_DIRECTORY [TEST...]
"""
import gzip
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

# Long enough for a busy machine; a test that gets here has found a hang.
TIMEOUT_SECONDS = 60

FAST = ('--hz', '999')


def subject(name):
    return os.path.join(SUBJECTS, name)


def environment(**more):
    return {**{name: value for name, value in os.environ.items()
               if not name.startswith('WALLPROF_') and name != 'LD_PRELOAD'},
            **more}


class RunTest(unittest.TestCase):

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def path(self, name='out.folded'):
        return os.path.join(self.directory, name)

    def read(self, name='out.folded'):
        with open(self.path(name), encoding='utf-8') as file:
            return file.read()

    def run_it(self, *arguments, **options):
        return subprocess.run([WALLPROF, 'run', *arguments], text=True,
                              capture_output=True, timeout=TIMEOUT_SECONDS,
                              check=False, env=environment(), **options)

    def start(self, *arguments, **options):
        process = subprocess.Popen([WALLPROF, 'run', *arguments], text=True,
                                   stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=environment(),
                                   **options)
        for stream in (process.stdin, process.stdout, process.stderr):
            self.addCleanup(stream.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def assert_ran(self, done, status=0, stdout='', stderr=''):
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (status, stdout, stderr))

    def assert_one_line(self, text, *parts):
        self.assertRegex(text, r'\Awallprof: [^\n]+\n\Z')
        for part in parts:
            self.assertIn(part, text)


class OutputTest(RunTest):

    def test_each_suffix(self):
        for name in ('a.folded', 'a.txt'):
            self.assert_ran(self.run_it('-o', self.path(name), *FAST, '--',
                                        subject('endings')), 7)
            self.assertRegex(self.read(name), r'(?m);main;Busy \d+$')
        for name in ('a.pb.gz', 'a.pprof'):
            self.assert_ran(self.run_it('-o', self.path(name), *FAST, '--',
                                        subject('endings')), 7)
            with gzip.open(self.path(name)) as file:
                self.assertIn(b'Busy', file.read())

    def test_table_without_a_file(self):
        done = self.run_it(*FAST, '--', subject('endings'))
        self.assertEqual((done.returncode, done.stdout), (7, ''))
        self.assertRegex(done.stderr, r'(?m)% +Busy$')
        self.assertLessEqual(len(done.stderr.splitlines()), 24)

    def test_view(self):
        def weight(view):
            self.assert_ran(self.run_it('-o', self.path(), '--view', view, '--',
                                        'sleep', '0.3'))
            return sum(int(line.rsplit(' ', 1)[1])
                       for line in self.read().splitlines())

        self.assertGreater(weight('wall'), 2 * weight('cpu'))
        self.assertGreater(weight('offcpu'), 2 * weight('cpu'))

    def test_cpu_time_alone(self):
        done = self.run_it('--cpu-only', *FAST, '--', subject('endings'))
        self.assertEqual((done.returncode, done.stdout), (7, ''))
        self.assertRegex(done.stderr, r'(?m)^cpu: ')
        self.assertRegex(done.stderr, r'(?m)% +Busy$')
        # What sleeps has no CPU time; what has none is not in it.
        self.assert_ran(self.run_it('--cpu-only', *FAST, '-o', self.path(),
                                    '--', 'sleep', '0.1'))
        self.assertNotIn('nanosleep 1', self.read())

    def test_file_that_cannot_be_written(self):
        done = self.run_it('-o', '/nowhere/a.folded', '--', subject('endings'))
        self.assertEqual(done.returncode, 7)
        self.assert_one_line(done.stderr, '/nowhere/a.folded')

    def test_files_that_may_not_grow(self):
        done = subprocess.run(
            ['sh', '-c', 'ulimit -f 0 && exec "$0" "$@"', WALLPROF, 'run', '-o',
             self.path(), '--', subject('endings')], text=True,
            capture_output=True, timeout=TIMEOUT_SECONDS, check=False,
            env=environment())
        self.assertEqual((done.returncode, done.stdout), (7, ''))
        self.assertGreater(len(done.stderr.splitlines()), 0)
        for line in done.stderr.splitlines():
            self.assertRegex(line, r'^wallprof: ')

    def test_commands_own_streams(self):
        done = self.run_it('-o', self.path(), '--', 'sh', '-c',
                           'cat; echo error >&2', input='some\nlines\n')
        self.assert_ran(done, stdout='some\nlines\n', stderr='error\n')

    def test_settings_of_the_environment_do_not_mix_in(self):
        env = environment(WALLPROF_OUTPUT=self.path('other.folded'),
                          WALLPROF_CHILDREN='1', WALLPROF_PID='1')
        subprocess.run([WALLPROF, 'run', '-o', self.path(), *FAST, '--',
                        subject('children'), 'fork'], env=env, check=True)
        self.assertEqual(os.listdir(self.directory), ['out.folded'])
        self.assertNotIn('ChildBusy', self.read())

    def test_program_that_execs(self):
        for command in ([subject('children'), 'again', '20'],
                        ['env', 'nice', 'sh', '-c',
                         f'exec {subject("endings")}']):
            done = self.run_it('-o', self.path(), *FAST, '--', *command)
            self.assertEqual((done.stdout, done.stderr), ('', ''))
            self.assertRegex(self.read(), r'(?m);Busy \d+$')

    def test_under_itself(self):
        done = self.run_it('-o', self.path('outer.folded'), '--', WALLPROF,
                           'run', '-o', self.path(), *FAST, '--',
                           subject('endings'))
        self.assert_ran(done, 7)
        self.assertIn('Busy', self.read())
        self.assertNotIn('Busy', self.read('outer.folded'))


class EndTest(RunTest):

    def test_exit_status_is_the_commands(self):
        for status in (0, 1, 2, 77, 126, 127, 255):
            done = self.run_it('-o', self.path(), '--', 'sh', '-c',
                               f'exit {status}')
            self.assert_ran(done, status)
            # Also for those that a command which cannot run would have.
            os.remove(self.path())

    def test_all_ways_to_end(self):
        for how in ('return', 'exit', 'quick_exit', '_exit', '_Exit',
                    'thread-exit', 'thread-_exit', 'main-leaves-exit',
                    'many-at-once', 'in-handler'):
            done = self.run_it('-o', self.path(), *FAST, '--',
                               subject('endings'), how)
            self.assert_ran(done, 7)
            self.assertIn('Busy', self.read(), how)

    def test_signals(self):
        for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV,
                       signal.SIGABRT):
            done = self.run_it('-o', self.path(), *FAST, '--', 'bash', '-c',
                               'for ((i = 0; i < 50000; i++)); do :; done; '
                               f'kill -{number.value} $$; sleep 60')
            self.assert_ran(done, 128 + number)
            self.assertIn('execute_command', self.read())

    def test_command_that_is_not_there(self):
        done = self.run_it('-o', self.path(), '--', '/nowhere/command')
        self.assertEqual((done.returncode, done.stdout), (127, ''))
        self.assert_one_line(done.stderr, '/nowhere/command')
        self.assertEqual(os.listdir(self.directory), [])

    def test_command_that_cannot_be_executed(self):
        for command in (self.directory, self.path('text')):
            with open(self.path('text'), 'w', encoding='utf-8') as file:
                file.write('no program\n')
            done = self.run_it('--', command)
            self.assertEqual((done.returncode, done.stdout), (126, ''))
            self.assert_one_line(done.stderr, command)

    def test_wrong_usage(self):
        for arguments in ([], ['--'], ['--hz', '0', '--', 'true'],
                          ['--hz', '1001', '--', 'true'],
                          ['--hz', 'x', '--', 'true'],
                          ['--view', 'sideways', '--', 'true'],
                          ['--cpu-only', '--view', 'wall', '--', 'true'],
                          ['--cpu-only', '--record', '--', 'true'],
                          ['-o', self.path('a.what'), '--', 'touch',
                           self.path('ran')],
                          ['--nonsense', '--', 'true']):
            done = self.run_it(*arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ''), arguments)
            self.assertRegex(done.stderr, r'\Awallprof: ')
        self.assertEqual(os.listdir(self.directory), [])

    def test_arguments_of_the_command_are_its_own(self):
        done = self.run_it('-o', self.path(), '--', 'printf', '%s,', '-o', 'x',
                           '--hz', '--', '--help', '')
        self.assert_ran(done, stdout='-o,x,--hz,--,--help,,')


class SignalTest(RunTest):

    def test_asked_to_end_it_asks_the_command_and_writes(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            process = self.start('-o', self.path(), *FAST, '--', 'sh', '-c',
                                 'echo ready; exec sleep 600')
            self.assertEqual(process.stdout.readline(), 'ready\n')
            time.sleep(0.5)  # the profile is of the sleep, not of the shell
            process.send_signal(number)
            self.assertEqual(process.wait(TIMEOUT_SECONDS), 128 + number)
            self.assertIn('nanosleep', self.read())
            os.remove(self.path())

    def test_command_decides_what_a_signal_means(self):
        process = self.start('-o', self.path(), '--', 'bash', '-c',
                             'trap "exit 9" TERM; trap "echo usr" USR1; '
                             'echo ready; while :; do sleep 0.01; done')
        self.assertEqual(process.stdout.readline(), 'ready\n')
        process.send_signal(signal.SIGUSR1)
        self.assertEqual(process.stdout.readline(), 'usr\n')
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(TIMEOUT_SECONDS), 9)
        self.assertTrue(os.path.exists(self.path()))

    def test_command_that_is_killed_leaves_its_profile(self):
        process = self.start('-o', self.path(), *FAST, '--', 'sh', '-c',
                             'echo $$; exec sleep 600')
        pid = int(process.stdout.readline())
        time.sleep(0.1)
        os.kill(pid, signal.SIGKILL)
        self.assertEqual(process.wait(TIMEOUT_SECONDS), 128 + signal.SIGKILL)
        self.assertIn('nanosleep', self.read())

    def test_caller_that_ignores_its_childrens_end(self):
        done = self.run_it('-o', self.path(), '--', 'sh', '-c', 'exit 3',
                           preexec_fn=lambda: signal.signal(signal.SIGCHLD,
                                                            signal.SIG_IGN))
        self.assert_ran(done, 3)

    def test_command_inherits_what_the_caller_ignores_and_blocks(self):
        show = ['grep', '-E', 'SigBlk|SigIgn', '/proc/self/status']
        def prepare():
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        bare = subprocess.run(show, text=True, capture_output=True, check=True,
                              preexec_fn=prepare)
        done = self.run_it('-o', self.path(), '--', *show, preexec_fn=prepare)
        self.assert_ran(done, stdout=bare.stdout)

    def test_command_has_no_descriptors_of_ours(self):
        show = ['sh', '-c', 'ls /proc/$$/fd']
        bare = subprocess.run(show, text=True, capture_output=True, check=True)
        self.assert_ran(self.run_it('-o', self.path(), '--', *show),
                        stdout=bare.stdout)


class UnrecordedTest(RunTest):
    """Commands into which nothing can be loaded run all the same."""

    def check(self, *command, status, why):
        done = self.run_it('-o', self.path(), '--', *command)
        self.assertEqual((done.returncode, done.stdout), (status, ''))
        self.assert_one_line(done.stderr, why, 'nothing is recorded')
        self.assertFalse(os.path.exists(self.path()))

    def test_static(self):
        self.check(subject('endings_static'), status=7, why='static')

    @unittest.skipUnless(os.geteuid() == 0, 'needs to be root')
    def test_setuid(self):
        os.chmod(self.directory, 0o755)
        shutil.copy(subject('endings'), self.path('other'))
        for mode, group in ((stat.S_ISUID, 0), (stat.S_ISGID, 65534)):
            os.chown(self.path('other'), 65534, group)
            os.chmod(self.path('other'), 0o755 | mode)
            self.check(self.path('other'), status=7, why='another user')


class ListenTest(RunTest):

    def fetch(self, process, path):
        line = process.stderr.readline()
        told = re.fullmatch(r'wallprof: serving (http://127.0.0.1:\d+/)\n',
                            line)
        self.assertIsNotNone(told, line)
        # No proxy stands between loopback and us.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(told[1] + path, timeout=TIMEOUT_SECONDS) as answer:
            return answer.read().decode()

    def test_serves_and_shows_no_table(self):
        process = self.start('--listen', '0', '--', subject('early_close'))
        self.assertIn('main', self.fetch(process, '?seconds=0.3'))
        process.stdin.close()
        self.assertEqual(process.wait(TIMEOUT_SECONDS), 0)
        self.assertEqual(process.stderr.read(), '')

    def test_serves_and_writes(self):
        process = self.start('--listen', '0', '-o', self.path(), *FAST, '--',
                             subject('early_close'))
        self.assertIn('main', self.fetch(process, '?seconds=0.3'))
        process.stdin.close()
        self.assertEqual(process.wait(TIMEOUT_SECONDS), 0)
        self.assertIn('main', self.read())


class LeftoversTest(RunTest):

    def test_no_process_is_left(self):
        # A caller that is told of orphans sees none.
        done = subprocess.run(
            [sys.executable, '-c',
             'import ctypes, os, subprocess, sys\n'
             'ctypes.CDLL(None).prctl(36, 1)\n'  # PR_SET_CHILD_SUBREAPER
             'subprocess.run(sys.argv[1:], check=True)\n'
             'try: print(os.waitpid(-1, os.WNOHANG))\n'
             'except ChildProcessError: print("none")\n',
             WALLPROF, 'run', '-o', self.path(), '--', 'true'],
            capture_output=True, text=True, timeout=TIMEOUT_SECONDS,
            env=environment(), check=False)
        self.assert_ran(done, stdout='none\n')

    def test_a_build_directory_that_cannot_be_preloaded_from(self):
        os.mkdir(self.path('a b'))
        for name in ('wallprof', 'libwallprof_preload.so'):
            shutil.copy(os.path.join(os.path.dirname(WALLPROF), name),
                        self.path('a b'))
        done = subprocess.run([self.path('a b/wallprof'), 'run', '--', 'true'],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assert_one_line(done.stderr, 'a b', 'LD_PRELOAD')

    def test_library_that_is_not_there(self):
        shutil.copy(WALLPROF, self.path('wallprof'))
        done = subprocess.run([self.path('wallprof'), 'run', '--', 'true'],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assert_one_line(done.stderr, 'libwallprof_preload.so')


if __name__ == '__main__':
    WALLPROF = os.path.abspath(sys.argv.pop(1))
    SUBJECTS = os.path.abspath(sys.argv.pop(1))
    unittest.main()
