"""A program does under the profiler what it does without: its sleeps, signals,
identity and thread-specific data."""
import os
import unittest

import preloaded
from preloaded import FAST_HZ, PreloadTest, run, subject

# Nobody sees us look: at the default rate and at a high one.
RATES = ('99', FAST_HZ)


class SleepTest(PreloadTest):

    def test_sleeps_are_neither_interrupted_nor_cut_short(self):
        for hz in RATES:
            done = run(subject('sleeps'), OUTPUT=self.path(), HZ=hz)
            self.assert_ran(done, stdout='calls 180 interrupted 0 early 0\n')
            self.assert_seen('Compute', self.read())

    def test_interruptions_of_the_programs_own_arrive(self):
        for hz in RATES:
            done = run(subject('sleeps'), 'alarm', OUTPUT=self.path(), HZ=hz)
            self.assert_ran(done, stdout='interrupted 40 of 40\n')

    def test_the_same_while_serving(self):
        done = run(subject('sleeps'), LISTEN='unix:' + self.path('socket'),
                   HZ=FAST_HZ)
        self.assert_ran(done, stdout='calls 180 interrupted 0 early 0\n')


class SignalTest(PreloadTest):

    def test_waiting_for_all_signals_sees_none_of_ours(self):
        for how in ('sigwait', 'signalfd'):
            done = run(subject('signals'), how, OUTPUT=self.path(), HZ=FAST_HZ)
            self.assert_ran(done)
            # With all signals blocked, where it works cannot be asked.
            self.assertIn('[masked]', self.read())

    def test_masking_just_after_being_asked_leaves_none_for_sigwait(self):
        for how in ('sigwait', 'sigwaitinfo', 'sigtimedwait'):
            done = run(subject('signals'), 'masking', how, OUTPUT=self.path(),
                       HZ=FAST_HZ)
            self.assert_ran(done, stdout='waited 200 times\n')
            self.assert_seen('Busy', self.read())

    def test_signals_reach_the_program(self):
        for number, status in (('INT', -2), ('TERM', -15), ('KILL', -9),
                               ('SEGV', -11), ('PIPE', -13), ('PROF', -27)):
            done = run('sh', '-c', f'kill -{number} $$; sleep 60',
                       OUTPUT=self.path())
            self.assert_ran(done, status=status)
        # Ignored by default.
        done = run('sh', '-c', 'kill -URG $$; exit 3', OUTPUT=self.path())
        self.assert_ran(done, status=3)

    def test_stop_and_continue(self):
        with preloaded.Running(subject('endings'), OUTPUT=self.path(),
                               HZ=FAST_HZ) as command:
            for _ in range(20):
                command.process.send_signal(19)
                command.process.send_signal(18)
            self.assertEqual(command.process.wait(), 7)
        self.assert_seen('Busy', self.read())


class IdentityTest(PreloadTest):

    @unittest.skipUnless(os.geteuid() == 0, 'needs to be root')
    def test_changing_user_and_group(self):
        for how in ('setuid', 'setuid-threads'):
            os.chmod(self.directory, 0o777)
            done = run(subject('signals'), how, OUTPUT=self.path(), HZ=FAST_HZ)
            self.assert_ran(done, stdout='65534 65534\n')
            self.assert_seen('Busy', self.read())

    @unittest.skipUnless(os.geteuid() == 0, 'needs to be root')
    def test_changing_user_while_serving(self):
        # The socket may be made after the change.
        os.chmod(self.directory, 0o777)
        for _ in range(20):
            done = run(subject('signals'), 'setuid', LISTEN='unix:' +
                       self.path('socket'))
            self.assert_ran(done, stdout='65534 65534\n')

    @unittest.skipUnless(os.geteuid() == 0, 'needs to be root')
    def test_program_that_changes_its_capabilities_first_stays_alone(self):
        os.chmod(self.directory, 0o777)
        done = run('setpriv', '--reuid', '54321', '--clear-groups',
                   subject('endings'), OUTPUT=self.path(), HZ=FAST_HZ)
        self.assertEqual(done.returncode, 7)
        self.assert_one_line(done.stderr, 'single-threaded')
        self.assert_seen('Busy', self.read())


    def test_what_the_program_gives_up_the_profiler_gives_up(self):
        for mode in ({}, {'CPU_ONLY': '1'}):
            done = run(subject('signals'), 'privileges', OUTPUT=self.path(),
                       **mode)
            self.assert_ran(done, stdout='none has more\n')
            self.assert_seen('Busy', self.read())


class ThreadTest(PreloadTest):

    def test_thread_specific_data_stays_the_programs(self):
        for variables in ({'OUTPUT': self.path()},
                          {'LISTEN': 'unix:' + self.path('socket')}):
            done = run(subject('signals'), 'specific', HZ=FAST_HZ, **variables)
            self.assert_ran(done)

    @unittest.skipUnless(os.geteuid() == 0, 'needs to be root')
    def test_threads_that_may_not_be_started_are_said(self):
        # A user of its own, so that only its processes count.
        done = run('setpriv', '--reuid', '54321', '--clear-groups', 'prlimit',
                   '--nproc=1', 'env', f'LD_PRELOAD={preloaded.library()}',
                   subject('endings'), preload='', OUTPUT=self.path())
        self.assertEqual(done.returncode, 7)
        self.assert_one_line(done.stderr, 'unprofiled')


if __name__ == '__main__':
    preloaded.main()
