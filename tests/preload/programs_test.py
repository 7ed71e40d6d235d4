"""Programs that do seconds of real work: byte for byte what they do bare, and
profiled all the while."""
import hashlib
import os
import random
import shutil
import subprocess
import unittest

import preloaded
from preloaded import FAST_HZ, PreloadTest, run

# So that a machine without a program skips its test and says so.
def needs(program):
    return unittest.skipUnless(shutil.which(program), f'no {program} here')


def digest(path):
    with open(path, 'rb') as file:
        return hashlib.sha256(file.read()).hexdigest()


class ProgramTest(PreloadTest):

    def setUp(self):
        super().setUp()
        self.profiles = os.path.join(self.directory, 'profiles')
        os.mkdir(self.profiles)

    def bare(self, *command, **options):
        return subprocess.run(command, capture_output=True, check=True,
                              cwd=self.directory, **options).stdout

    def sampled(self, *command, stdin=None, **variables):
        """Standard output; the program has succeeded and said nothing else."""
        done = run(*command, stdin=stdin, cwd=self.directory, HZ=FAST_HZ,
                   OUTPUT=os.path.join(self.profiles, '%p.folded'), **variables)
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        return done.stdout

    def profile(self):
        """All profiles that were written, together."""
        text = ''
        for name in os.listdir(self.profiles):
            text += self.read(os.path.join('profiles', name))
        return text

    def write_lines(self, name, count):
        numbers = random.Random(7)
        with open(self.path(name), 'w', encoding='utf-8') as file:
            for _ in range(count):
                file.write(f'{numbers.getrandbits(64)} wall clock\n')

    @needs('sort')
    def test_sort_on_several_threads(self):
        self.write_lines('lines', 600000)
        options = ('--parallel=4', '-S', '64M', '-k1,1n', 'lines')
        self.bare('sort', *options, '-o', 'bare')
        self.sampled('sort', *options, '-o', 'sampled')
        self.assertEqual(digest(self.path('bare')), digest(self.path('sampled')))
        self.assertIn('sort+0x', self.profile())

    @needs('xz')
    def test_xz_on_several_threads(self):
        self.write_lines('lines', 150000)
        shutil.copy(self.path('lines'), self.path('again'))
        self.bare('xz', '-T3', '-1', '--block-size=1MiB', 'lines')
        self.sampled('xz', '-T3', '-1', '--block-size=1MiB', 'again')
        self.assertEqual(digest(self.path('lines.xz')),
                         digest(self.path('again.xz')))
        self.assertIn('liblzma', self.profile())

    @needs('git')
    def test_git(self):
        self.bare('git', 'init', '-q', 'repository')
        self.write_lines('repository/lines', 20000)
        commit = ('git', '-C', 'repository', '-c', 'user.name=A', '-c',
                  'user.email=a@b', 'commit', '-q', '--no-gpg-sign', '-m', 'x',
                  '--date=@0 +0000')
        self.bare('git', '-C', 'repository', 'add', 'lines')
        self.bare(*commit, env={**os.environ, 'GIT_COMMITTER_DATE': '@0 +0000'})
        # Several processes that talk through pipes.
        self.sampled('git', 'clone', '-q', '--no-local', 'repository', 'copy',
                     CHILDREN='1')
        self.assertEqual(digest(self.path('repository/lines')),
                         digest(self.path('copy/lines')))
        log = ('git', '-C', 'copy', 'log', '-p', '--format=%H')
        self.assertEqual(self.bare(*log).decode(), self.sampled(*log))
        self.sampled('git', '-C', 'copy', 'fsck', '--strict')

    @needs('sqlite3')
    def test_sqlite3(self):
        script = ('PRAGMA journal_mode = WAL;'
                  'CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT);'
                  'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM '
                  'n WHERE i < 300000) INSERT INTO t SELECT i, hex(i * 7919) '
                  'FROM n; CREATE INDEX u ON t(b);'
                  'SELECT count(*), sum(a), min(b), max(b) FROM t;'
                  'PRAGMA integrity_check;')
        self.assertEqual(
            self.bare('sqlite3', 'bare.db', input=script.encode()).decode(),
            self.sampled('sqlite3', 'sampled.db', stdin=script))
        dump = ('.dump',)
        self.assertEqual(self.bare('sqlite3', 'bare.db', *dump),
                         self.bare('sqlite3', 'sampled.db', *dump))
        self.assertIn('sqlite3_step', self.profile())

    @needs('g++')
    def test_compiler(self):
        source = os.path.join(os.path.dirname(__file__), 'subjects',
                              'allocations.cc')
        compile_it = ('g++', '-std=c++17', '-O2', '-c', source, '-o')
        self.bare(*compile_it, 'bare.o')
        self.sampled(*compile_it, 'sampled.o', CHILDREN='1')
        self.assertEqual(digest(self.path('bare.o')),
                         digest(self.path('sampled.o')))
        self.assertIn('cc1plus+0x', self.profile())


if __name__ == '__main__':
    preloaded.main()
