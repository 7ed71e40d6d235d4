"""Programs as they are found on a machine, under the profiler: they do what
they did, and their own functions are in the profile."""
import os
import shutil
import subprocess
import unittest

import preloaded
from preloaded import (FAST_HZ, PreloadTest, Running, open_url, run, subject,
                       system_python)

LIBRARIES = '/usr/lib/x86_64-linux-gnu'
JEMALLOC = f'{LIBRARIES}/libjemalloc.so.2'
TCMALLOC = f'{LIBRARIES}/libtcmalloc_minimal.so.4'


def needs(program):
    return unittest.skipUnless(shutil.which(program), f'no {program} here')


class InterpreterTest(PreloadTest):

    def check(self, *command, stdout, seen):
        for variables in ({'OUTPUT': self.path()},
                          {'OUTPUT': self.path(),
                           'LISTEN': 'unix:' + self.path('socket')}):
            done = run(*command, HZ=FAST_HZ, **variables)
            self.assert_ran(done, stdout=stdout)
            self.assertIn(seen, self.read())
            self.assertEqual(self.files(), ['out.folded'])

    def test_bash(self):
        self.check('bash', '-c', 'for ((i = 0; i < 30000; i++)); do '
                   'x=$(( x + i )); done; echo $x', stdout='449985000\n',
                   seen='execute_command')

    def test_dash(self):
        self.check('dash', '-c', 'i=0; while [ $i -lt 30000 ]; do '
                   'i=$((i + 1)); done; echo $i', stdout='30000\n',
                   seen='dash+0x')

    def test_python(self):
        self.check(system_python(), '-c', 'import ctypes, decimal, json, ssl, '
                   'sqlite3, subprocess, threading; '
                   'print(sum(range(3000000)))', stdout='4499998500000\n',
                   seen='main;')

    def test_python_that_starts_processes_and_threads(self):
        self.check(system_python(), '-c', 'import multiprocessing, threading\n'
                   'def work(n): return sum(range(n))\n'
                   'with multiprocessing.Pool(2) as pool:\n'
                   '    print(sum(pool.map(work, [10000] * 50)))\n'
                   'threads = [threading.Thread(target=work, args=[200000]) '
                   'for _ in range(8)]\n'
                   'for t in threads: t.start()\n'
                   'for t in threads: t.join()\n',
                   stdout='2499750000\n', seen='main;')

    @needs('perl')
    def test_perl(self):
        self.check('perl', '-e', 'my $s = 0; $s += $_ for 1..1000000; '
                   'print `echo $s`', stdout='500000500000\n',
                   seen='Perl_runops_standard')

    @needs('node')
    def test_node(self):
        # Exports OpenSSL and zlib, compiles its code while it runs, and uses
        # signals, pipes and threads of its own.
        self.check('node', '-e', '''
            const crypto = require("crypto"), zlib = require("zlib");
            const { Worker } = require("worker_threads");
            const text = "wall clock ".repeat(100000);
            let same = 0;
            for (let i = 0; i < 5; ++i) {
              same += zlib.gunzipSync(zlib.gzipSync(text)).toString() == text;
              crypto.createHash("sha256").update(text).digest("hex");
            }
            const busy = "let s = 0; for (let i = 0; i < 2e7; ++i) s += i;";
            new Worker(busy, { eval: true }).on("exit", code => {
              require("child_process").exec("echo child", (error, out) =>
                console.log(same, code, out.trim()));
            });''', stdout='5 0 child\n', seen='node::')

    @needs('node')
    def test_node_with_a_profiler_of_its_own(self):
        done = run('node', '--cpu-prof', f'--cpu-prof-dir={self.directory}',
                   '-e', 'let s = 0; for (let i = 0; i < 1e8; ++i) s += i;',
                   OUTPUT=self.path(), HZ=FAST_HZ)
        self.assert_ran(done)
        self.assertEqual(len(self.files()), 2, self.files())

    def test_go(self):
        if not os.path.exists(subject('goroutines')):
            self.skipTest('no Go compiler here')
        for hz in ('99', FAST_HZ):
            # Go ends by a system call of its own, and leaves no file.
            done = run(subject('goroutines'), HZ=hz, OUTPUT=self.path())
            self.assert_ran(done, stdout='true user defined signal 1\n')
            self.assertEqual(self.files(), [])
            done = subprocess.run(
                [os.path.join(preloaded.BUILD, 'wallprof'), 'run', '--hz', hz,
                 '-o', self.path('go.folded'), '--', subject('goroutines')],
                capture_output=True, text=True, check=False)
            self.assert_ran(done, stdout='true user defined signal 1\n')
            self.assertIn('runtime.', self.read('go.folded'))
            os.remove(self.path('go.folded'))


class AllocatorTest(PreloadTest):

    SUM = '12000\n'

    def test_own_libraries(self):
        done = run(subject('allocations'), OUTPUT=self.path(), HZ=FAST_HZ)
        self.assert_ran(done, stdout=self.SUM)
        self.assertIn('::Work(int)', self.read())

    def check(self, allocator):
        if not os.path.exists(allocator):
            self.skipTest(f'no {allocator} here')
        for preload in (f'{allocator}:{preloaded.library()}',
                        f'{preloaded.library()}:{allocator}'):
            for variables in ({'OUTPUT': self.path()},
                              {'LISTEN': 'unix:' + self.path('socket')}):
                done = run(subject('allocations'), preload=preload, HZ=FAST_HZ,
                           **variables)
                self.assert_ran(done, stdout=self.SUM)
                # Children load an engine of their own after the fork.
                done = run(subject('children'), 'fork', preload=preload,
                           OUTPUT=self.path('%p.folded'), CHILDREN='1')
                self.assert_ran(done)
            self.assertIn('::Work(int)', self.read())

    def test_jemalloc_before_and_after_us(self):
        self.check(JEMALLOC)

    def test_tcmalloc_before_and_after_us(self):
        self.check(TCMALLOC)

    def check_served(self, allocator):
        """Threads of the program start while others of ours have ended."""
        if not os.path.exists(allocator):
            self.skipTest(f'no {allocator} here')
        with Running(subject('allocating_threads'), LISTEN='0', HZ=FAST_HZ,
                     preload=f'{allocator}:{preloaded.library()}') as command:
            url = command.url()
            for _ in range(10):
                open_url(url + '?seconds=0.05')
            command.process.stdin.close()
            self.assertEqual(command.process.stdout.read(), 'allocated\n')
            self.assertEqual(command.process.wait(), 0)

    def test_jemalloc_while_serving(self):
        self.check_served(JEMALLOC)

    def test_tcmalloc_while_serving(self):
        self.check_served(TCMALLOC)

    def test_allocator_that_checks(self):
        done = run('env', 'MALLOC_CHECK_=3', 'MALLOC_PERTURB_=165',
                   subject('allocations'), OUTPUT=self.path(),
                   preload=f'{preloaded.library()}:libc_malloc_debug.so.0')
        self.assert_ran(done, stdout=self.SUM)


class SanitizedTest(PreloadTest):
    """Left alone, with a word."""

    def check(self, name):
        if not os.path.exists(subject(name)):
            self.skipTest('no such compiler here')
        done = run(subject(name), OUTPUT=self.path())
        self.assertEqual((done.returncode, done.stdout), (5, 'ran\n'))
        self.assert_one_line(done.stderr, 'sanitizer')
        self.assertEqual(self.files(), [])
        # And without it, where nothing is asked for.
        self.assert_ran(run(subject(name)), status=5, stdout='ran\n')

    def test_gcc_address(self):
        self.check('sanitized_gcc_address')

    def test_gcc_thread(self):
        self.check('sanitized_gcc_thread')

    def test_clang_address(self):
        self.check('sanitized_clang_address')

    def test_clang_thread(self):
        self.check('sanitized_clang_thread')


class CoreToolsTest(PreloadTest):

    def test_pipeline(self):
        command = ('seq 20000 | sort -rn | uniq -c | awk \'{ s += $2 } '
                   'END { print s }\' | tee /dev/null | tail -n 1')
        bare = subprocess.run(['sh', '-c', command], capture_output=True,
                              text=True, check=True)
        for children in ('0', '1'):
            done = run('sh', '-c', command, CHILDREN=children,
                       OUTPUT=self.path('%p.folded'))
            self.assert_ran(done, stdout=bare.stdout)

    @needs('unshare')
    def test_programs_that_need_a_single_thread_are_left_alone(self):
        bare = subprocess.run(['unshare', '-U', 'true'], check=False)
        done = run('unshare', '-U', 'sh', '-c', 'true', OUTPUT=self.path())
        self.assertEqual(done.returncode, bare.returncode)
        if bare.returncode == 0:
            self.assert_one_line(done.stderr, 'single-threaded')


if __name__ == '__main__':
    preloaded.main()
