"""A program is built with what its instances were seen doing, and is faster.

    python3 build_test.py WALLPROF EXAMPLE_DIR [TEST...]
"""
import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(__file__))
import pipeline  # noqa: E402

INSTANCES = int(os.environ.get('WALLPROF_TEST_INSTANCES', '10'))
FOREVER = 10**9  # rounds
# Some tenths of a second, and often enough for one that nothing came between.
ROUNDS = 500
RUNS = 7


def build(directory, compiler, *options):
    """The example, built in `directory`."""
    for command in [
            ['cmake', '-S', EXAMPLE, '-B', directory,
             f'-DCMAKE_CXX_COMPILER={compiler}', *options],
            ['cmake', '--build', directory]]:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return directory / 'shop'


class Instance:
    """`program` at work, sampled and serving its profiles at `url`."""

    def __init__(self, program):
        self.process = subprocess.Popen(
            [pipeline.WALLPROF, 'run', '--cpu-only', '--hz', '999', '--listen',
             '127.0.0.1:0', '--', program, str(FOREVER)],
            stderr=subprocess.PIPE, text=True, start_new_session=True)
        self.url = None

    def __enter__(self):
        for line in self.process.stderr:
            found = re.search(r'http://\S+[^/\s]', line)
            if found:
                self.url = found[0]
                return self
        self.__exit__()
        raise RuntimeError('no URL')

    def __exit__(self, *_):
        with self.process:
            os.killpg(self.process.pid, 9)


class BuildTest(pipeline.Case):
    def test_instances_make_the_next_build_faster(self):
        plain = build(self.directory / 'plain', 'clang++')
        profile = self.directory / 'shop.prof'
        with contextlib.ExitStack() as stack:
            targets = self.directory / 'targets.json'
            pipeline.write_targets(targets, [
                stack.enter_context(Instance(plain)).url
                for _ in range(INSTANCES)])
            with self.serve('--targets', targets, '-a', 'shop', '-s', INSTANCES,
                            '-d', '1s', '-f', '1m') as serve:
                serve.await_count('merged', INSTANCES)
                self.pgo('export', '--binary', plain, '-u', serve.url, '-o',
                         profile, 'shop')
        # The callers of stacks tell which functions are behind the pointers.
        self.assertRegex(profile.read_text(), r': \d+ .*_ZNK.*Shipping.*Applies')

        next_one = build(self.directory / 'next', 'clang++',
                         f'-DPGO_PROFILE={profile}')
        self.assertNotEqual(plain.read_bytes(), next_one.read_bytes())
        seconds = {plain: [], next_one: []}
        sums = set()
        for _ in range(RUNS):
            for program, taken in seconds.items():
                words = subprocess.run([program, str(ROUNDS)], check=True,
                                       capture_output=True, text=True).stdout.split()
                sums.add(words[0])
                taken.append(float(words[1]))
        self.assertEqual(len(sums), 1)
        ratio = min(seconds[plain]) / min(seconds[next_one])
        print(f'{INSTANCES} instances: {ratio:.2f} times as fast')
        # It is about 1.5.
        self.assertGreater(ratio, 1.1)

    def test_gcc_takes_its_own_form(self):
        plain = build(self.directory / 'plain', 'g++')
        cpu = self.directory / 'cpu.pb.gz'
        profile = self.directory / 'shop.afdo'
        subprocess.run([pipeline.WALLPROF, 'run', '--cpu-only', '--hz', '999', '-o',
                        cpu, '--', plain, str(ROUNDS)],
                       check=True, capture_output=True)
        self.pgo('export', '--format', 'gcc', '--binary', plain, '-o', profile,
                 cpu)
        next_one = build(self.directory / 'next', 'g++',
                         f'-DPGO_PROFILE={profile}')
        self.assertNotEqual(plain.read_bytes(), next_one.read_bytes())
        sums = {subprocess.run([program, '10'], check=True,
                               capture_output=True).stdout.split()[0]
                for program in (plain, next_one)}
        self.assertEqual(len(sums), 1)


class GuideTest(pipeline.Case):
    """What docs/faster-builds.md says, word for word."""

    def test_ten_lines(self):
        guide = (EXAMPLE / '../../docs/faster-builds.md').read_text()
        lines, = re.findall(r'^```cmake\n(.*?)^```', guide, re.M | re.S)
        commands = re.search(r'^```sh\n(.*?)^```', guide, re.M | re.S)[1]
        self.assertEqual(len((lines + commands).splitlines()), 10)
        (self.directory / 'CMakeLists.txt').write_text(
            'cmake_minimum_required(VERSION 3.16)\nproject(shop CXX)\n' + lines +
            'add_executable(shop shop.cc)\n')
        shutil.copy(EXAMPLE / 'shop.cc', self.directory)
        path = f'{pathlib.Path(pipeline.WALLPROF).parent}:{os.environ["PATH"]}'
        done = subprocess.run(['sh', '-e'], input=commands, cwd=self.directory,
                              env={**os.environ, 'PATH': path}, check=False,
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        flags = (self.directory / 'build/CMakeFiles/shop.dir/flags.make')
        self.assertIn('-fprofile-sample-use=', flags.read_text())


if __name__ == '__main__':
    pipeline.WALLPROF = os.path.abspath(sys.argv[1])
    EXAMPLE = pathlib.Path(sys.argv[2]).resolve()
    del sys.argv[1:3]
    unittest.main()
