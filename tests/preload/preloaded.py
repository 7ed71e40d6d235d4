"""Runs commands under the preload library, for the tests of this folder.

    python3 tests/preload/SOME_test.py BUILD_DIRECTORY SUBJECTS_DIRECTORY [TEST...]
"""
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

# Long enough for a busy machine; a test that gets here has found a hang.
TIMEOUT_SECONDS = 60

# So often, a few tens of milliseconds of work are surely seen.
FAST_HZ = '999'


def library():
    return os.path.join(BUILD, 'libwallprof_preload.so')


def subject(name):
    return os.path.join(SUBJECTS, name)


def system_python():
    """An interpreter that is no script around another."""
    return '/usr/bin/python3' if os.path.exists(
        '/usr/bin/python3') else sys.executable


def environment(preload=None, **variables):
    """This process's, without settings of the profiler but those given."""
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith('WALLPROF_') and name != 'LD_PRELOAD'}
    return {**clean, 'LD_PRELOAD': library() if preload is None else preload,
            **{f'WALLPROF_{name}': value for name, value in variables.items()}}


def run(*command, preload=None, stdin=None, cwd=None, timeout=TIMEOUT_SECONDS,
        **variables):
    """The command ended, with its output as text. `variables` are those of the
    preload library, without their prefix."""
    return subprocess.run(command, env=environment(preload, **variables),
                          capture_output=True, text=True, input=stdin,
                          timeout=timeout, cwd=cwd, check=False)


def stacks(text):
    """Folded stacks as pairs of a list of frames and a weight."""
    return [(line.rsplit(' ', 1)[0].split(';'), int(line.rsplit(' ', 1)[1]))
            for line in text.splitlines()]


def wait_until(holds):
    """Returns what `holds` gives once it is true."""
    for _ in range(TIMEOUT_SECONDS * 100):
        held = holds()
        if held:
            return held
        time.sleep(0.01)
    raise AssertionError('it never came to hold')


def open_url(url):
    # No proxy stands between loopback and us.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=TIMEOUT_SECONDS) as answer:
        return answer.read().decode()


def free_port():
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        return listener.getsockname()[1]


class Running:
    """A command under way; killed at the end of the block."""

    def __init__(self, *command, preload=None, **variables):
        self.process = subprocess.Popen(
            command, env=environment(preload, **variables), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout,
                       self.process.stderr):
            stream.close()

    def url(self):
        """The one that the first line on standard error tells."""
        line = self.process.stderr.readline()
        told = re.fullmatch(r'wallprof: serving (http://127\.0\.0\.1:\d+/)\n',
                            line)
        if told is None:
            raise AssertionError(f'not the address of a server: {line!r}')
        return told[1]


class PreloadTest(unittest.TestCase):
    """Has a directory for outputs, and checks of what is in it."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def path(self, name='out.folded'):
        return os.path.join(self.directory, name)

    def files(self):
        return sorted(os.listdir(self.directory))

    def read(self, name='out.folded'):
        with open(self.path(name), encoding='utf-8') as file:
            return file.read()

    def assert_ran(self, done, status=0, stdout='', stderr=''):
        """The command ended as it does without us, and said nothing more."""
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (status, stdout, stderr))

    def assert_one_line(self, text, *parts):
        """`text` is one line of ours that holds all of `parts`."""
        self.assertRegex(text, r'\Awallprof: [^\n]+\n\Z')
        for part in parts:
            self.assertIn(part, text)

    def assert_seen(self, function, text):
        """`function` is a frame of the folded stacks in `text`."""
        self.assertTrue(any(function in frames for frames, _ in stacks(text)),
                        f'{function} is not in:\n{text}')


def main():
    # Named in the driver's own module, for the functions above.
    unittest.main(module='__main__')


BUILD = os.path.abspath(sys.argv.pop(1))
SUBJECTS = os.path.abspath(sys.argv.pop(1))
