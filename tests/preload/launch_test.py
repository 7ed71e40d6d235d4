"""Programs started through others, scripts, daemons, and programs that nothing
can be loaded into."""
import os
import signal
import unittest

import preloaded
from preloaded import FAST_HZ, PreloadTest, Running, run, subject

STATUS = 7  # with which the subject ends


class WrapperTest(PreloadTest):

    def test_timeout_that_is_not_reached(self):
        # The program is its child.
        for children, count in (('0', 1), ('1', 2)):
            done = run('timeout', '50', subject('endings'), HZ=FAST_HZ,
                       OUTPUT=self.path('%p.' + children + '.folded'),
                       CHILDREN=children)
            self.assert_ran(done, STATUS)
            names = [name for name in self.files()
                     if name.endswith(f'.{children}.folded')]
            self.assertEqual(len(names), count, names)
            self.assertEqual(
                sum('Busy' in self.read(name) for name in names), count - 1)

    def test_timeout_that_is_reached(self):
        for options, status in (((), 124), (('--preserve-status',), 143),
                                (('-s', 'KILL'), -signal.SIGKILL)):
            done = run('timeout', *options, '0.2', 'sleep', '50', HZ=FAST_HZ,
                       OUTPUT=self.path('%p.folded'), CHILDREN='1')
            self.assert_ran(done, status)

    def test_buffering_by_another_preloaded_library(self):
        with Running('stdbuf', '-oL', 'cut', '-c', '1-3', OUTPUT=self.path(),
                     HZ=FAST_HZ) as command:
            for _ in range(20):
                command.process.stdin.write('abcdef\n')
                command.process.stdin.flush()
                # Without it nothing is written before the end.
                self.assertEqual(command.process.stdout.readline(), 'abc\n')
            command.process.stdin.close()
            self.assertEqual(command.process.wait(), 0)
        self.assertEqual(self.files(), ['out.folded'])

    @unittest.skipUnless(os.geteuid() == 0, 'needs to be root')
    def test_chroot(self):
        done = run('chroot', '/', subject('endings'), OUTPUT=self.path(),
                   HZ=FAST_HZ)
        self.assert_ran(done, STATUS)
        self.assert_seen('Busy', self.read())


class ScriptTest(PreloadTest):

    def check(self, *lines):
        script = self.path('script')
        with open(script, 'w', encoding='utf-8') as file:
            file.write('\n'.join(lines) + '\n')
        os.chmod(script, 0o755)
        done = run(script, OUTPUT=self.path(), HZ=FAST_HZ)
        self.assert_ran(done, STATUS)
        self.assertEqual(self.files(), ['out.folded', 'script'])
        return self.read()

    def test_interpreter(self):
        self.assert_seen('Busy', self.check(f'#!{subject("endings")} return'))

    def test_shell(self):
        self.assertNotIn('Busy', self.check('#!/bin/sh', subject('endings'),
                                            f'exit {STATUS}'))

    def test_shell_that_execs(self):
        self.assert_seen('Busy', self.check('#!/usr/bin/env -S sh -e',
                                            f'exec {subject("endings")}'))


class DaemonTest(PreloadTest):
    """The parent's profile is written, and the daemon's only if asked for."""

    def check(self, how):
        for children, count in (('0', 1), ('1', 3)):
            done = run(subject('daemons'), how, CHILDREN=children, HZ=FAST_HZ,
                       OUTPUT=self.path('%p.' + children + '.folded'))
            self.assert_ran(done)
            names = [name for name in self.files()
                     if name.endswith(f'.{children}.folded')]
            self.assertEqual(len(names), count, names)
            profiles = [self.read(name) for name in names]
            daemons = ['DaemonBusy' in text for text in profiles]
            parents = ['Busy' in text and 'DaemonBusy' not in text
                       for text in profiles]
            self.assertEqual((sum(parents), sum(daemons)), (1, count // 2),
                             '\n\n'.join(profiles))

    def test_before_threads_are_started(self):
        self.check('before')

    def test_while_threads_run(self):
        for _ in range(5):
            self.check('after')
            for name in self.files():
                os.remove(self.path(name))

    def test_made_by_libc(self):
        done = run(subject('daemons'), 'libc', OUTPUT=self.path(), HZ=FAST_HZ)
        self.assert_ran(done)
        self.assertEqual(self.files(), ['out.folded'])


class StaticTest(PreloadTest):

    def check(self, program):
        bare = run(program, preload='')
        done = run(program, OUTPUT=self.path(), HZ=FAST_HZ)
        self.assert_ran(done, bare.returncode, bare.stdout, bare.stderr)
        self.assertEqual(self.files(), [])

    def test_c(self):
        self.check(subject('endings_static'))

    def test_go(self):
        if not os.path.exists(subject('static_go')):
            self.skipTest('no Go compiler here')
        self.check(subject('static_go'))


if __name__ == '__main__':
    preloaded.main()
