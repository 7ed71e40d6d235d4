"""Programs at the end of what they may have: of descriptors, memory, stack and
file size they have as much as bare."""
import os
import resource
import unittest

import preloaded
from preloaded import FAST_HZ, PreloadTest, run, subject

MEBIBYTE = 1 << 20


def limited(option, limit, *command, sampled=True, **variables):
    """The command under a limit of the shell's ulimit, which is set before
    anything of ours is loaded."""
    return run('sh', '-c', 'ulimit "$0" "$1" && export LD_PRELOAD="$2" && '
               'shift 2 && exec "$@"', option, str(limit),
               preloaded.library() if sampled else '', *command, preload='',
               **variables)


class LimitTest(PreloadTest):

    def check(self, option, limit, *arguments):
        """The subject does what it does bare, and is profiled."""
        command = (subject('limits'), *map(str, arguments))
        bare = limited(option, limit, *command, sampled=False)
        self.assertEqual((bare.returncode, bare.stderr), (0, ''))
        for variables in ({'LISTEN': 'unix:' + self.path('socket')},
                          {'OUTPUT': self.path()}):
            done = limited(option, limit, *command, HZ=FAST_HZ, **variables)
            self.assert_ran(done, stdout=bare.stdout)
        self.assert_seen('Busy', self.read())


class DescriptorTest(LimitTest):

    LIMITS = (16, 64, 1024)

    def test_as_many_and_the_same(self):
        for limit in self.LIMITS:
            self.check('-n', limit, 'descriptors')

    def test_program_that_ends_with_all_in_use_is_profiled(self):
        for limit in self.LIMITS:
            self.check('-n', limit, 'all-descriptors')


class MemoryTest(PreloadTest):

    COMMAND = (subject('limits'), 'memory', str(MEBIBYTE))
    STDOUT = '256 pages\n'

    # A program in which nothing happens for so long hangs.
    HANG_SECONDS = 10

    def least(self, option):
        """KiB that the program needs, bare."""
        low, high = 0, 1 << 17
        while high - low > 16:
            middle = (low + high) // 2
            done = limited(option, middle, *self.COMMAND, sampled=False)
            if done.returncode == 0 and done.stdout == self.STDOUT:
                high = middle
            else:
                low = middle
        return high

    def check(self, option, kibibytes):
        """It ends well; unprofiled, if it says so. True if it was profiled."""
        done = limited(option, kibibytes, *self.COMMAND, HZ=FAST_HZ,
                       timeout=self.HANG_SECONDS, OUTPUT=self.path())
        self.assertEqual((done.returncode, done.stdout), (0, self.STDOUT),
                         f'{kibibytes} KiB: {done.stderr}')
        if done.stderr != '':
            self.assert_one_line(done.stderr)
        return done.stderr == ''

    def test_any_address_space(self):
        # The preloaded object itself takes less than 1 MiB; with 300 there is
        # enough for all.
        least = self.least('-v')
        for more in (1, 2, 4, 8, 16, 32, 48, 64, 96, 128, 192, 240, 280, 300):
            profiled = self.check('-v', least + more * 1024)
        self.assertTrue(profiled)
        self.assert_seen('Busy', self.read())

    def test_too_little_for_the_engine(self):
        least = self.least('-v')
        for more in (1, 2, 4):
            self.assertFalse(self.check('-v', least + more * 1024))
        self.assertEqual(self.files(), [])

    def test_any_size_of_data(self):
        least = self.least('-d')
        for more in (1, 2, 4, 8, 16, 32, 48, *range(56, 96, 2), 128, 192, 256,
                     300):
            profiled = self.check('-d', least + more * 1024)
        self.assertTrue(profiled)
        self.assert_seen('Busy', self.read())


class StackTest(LimitTest):

    SIZE = 8 * MEBIBYTE
    ALMOST_ALL = SIZE - (100 << 10)

    def test_main_stack_to_its_end(self):
        self.check('-s', self.SIZE >> 10, 'stack', self.ALMOST_ALL)

    def test_threads_stack_to_its_end(self):
        self.check('-s', self.SIZE >> 10, 'thread-stack', self.ALMOST_ALL)

    def test_small_main_stack(self):
        # Too small for it to be asked where it is.
        command = (subject('limits'), 'stack', str(20 << 10))
        bare = limited('-s', 100, *command, sampled=False)
        done = limited('-s', 100, *command, OUTPUT=self.path(), HZ=FAST_HZ)
        self.assert_ran(done, stdout=bare.stdout)

    @unittest.skipUnless(resource.getrlimit(resource.RLIMIT_STACK)[1] ==
                         resource.RLIM_INFINITY, 'may not be unlimited here')
    def test_unlimited(self):
        # The address space is then laid out from the bottom up.
        self.check('-s', 'unlimited', 'stack', 4 * self.SIZE)
        self.check('-s', 'unlimited', 'thread-stack', self.ALMOST_ALL)


class FileSizeTest(PreloadTest):

    def test_profile_that_may_not_be_written_does_not_end_the_program(self):
        done = limited('-f', 0, subject('endings'), OUTPUT=self.path(),
                       HZ=FAST_HZ)
        self.assertEqual((done.returncode, done.stdout), (7, ''))
        self.assert_one_line(done.stderr, self.path())

    def test_serving_program_writes_no_file(self):
        done = limited('-f', 0, subject('endings'), HZ=FAST_HZ,
                       LISTEN='unix:' + self.path('socket'))
        self.assert_ran(done, status=7)


if __name__ == '__main__':
    preloaded.main()
