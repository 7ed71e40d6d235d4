"""WALLPROF_OUTPUT: a file, however the program ends, and nothing else."""
import gzip
import os
import re

import preloaded
from preloaded import FAST_HZ, PreloadTest, run, subject

STATUS = 7  # with which the subject ends


class EndingTest(PreloadTest):

    def check(self, how, status=STATUS):
        done = run(subject('endings'), how, OUTPUT=self.path(), HZ=FAST_HZ)
        self.assert_ran(done, status)
        self.assertEqual(self.files(), ['out.folded'])
        self.assert_seen('Busy', self.read())

    def test_return_from_main(self):
        self.check('return')

    def test_exit(self):
        self.check('exit')

    def test_quick_exit(self):
        self.check('quick_exit')

    def test__exit(self):
        self.check('_exit')

    def test__Exit(self):
        self.check('_Exit')

    def test_exit_by_another_thread(self):
        self.check('thread-exit')

    def test__exit_by_another_thread(self):
        self.check('thread-_exit')

    def test_last_thread_returns_after_main_has_left(self):
        self.check('main-leaves', status=0)

    def test_exit_after_main_has_left(self):
        self.check('main-leaves-exit')

    def test_several_threads_end_the_program_at_once(self):
        for _ in range(10):
            self.check('many-at-once')

    def test__exit_in_a_signal_handler(self):
        self.check('in-handler')

    def test_after_the_environment_is_cleared(self):
        self.check('cleared-environment')

    def test_after_all_descriptors_are_closed(self):
        self.check('closed-descriptors')

    def test_a_signal_writes_nothing(self):
        done = run(subject('endings'), 'signal', OUTPUT=self.path())
        self.assert_ran(done, status=-15)
        self.assertEqual(self.files(), [])

    def test_a_shell_that_ends_by__exit(self):
        done = run('dash', '-c', 'i=0; while [ $i -lt 50000 ]; do i=$((i+1)); '
                   'done; exit 3', OUTPUT=self.path(), HZ=FAST_HZ)
        self.assert_ran(done, status=3)
        self.assertRegex(self.read(), r'(?m)^dash\+0x')


class PathTest(PreloadTest):

    def test_pid_in_the_name(self):
        done = run('sh', '-c', 'echo $$', OUTPUT=self.path('%p-and-%p.folded'))
        pid = done.stdout.strip()
        self.assert_ran(done, stdout=f'{pid}\n')
        self.assertEqual(self.files(), [f'{pid}-and-{pid}.folded'])

    def test_suffix_tells_the_format(self):
        for name in ('a.folded', 'a.txt'):
            done = run(subject('endings'), OUTPUT=self.path(name), HZ=FAST_HZ)
            self.assert_ran(done, STATUS)
            self.assert_seen('Busy', self.read(name))
        for name in ('a.pb.gz', 'a.pprof'):
            done = run(subject('endings'), OUTPUT=self.path(name), HZ=FAST_HZ)
            self.assert_ran(done, STATUS)
            with gzip.open(self.path(name)) as file:
                self.assertIn(b'Busy', file.read())

    def test_relative_path_is_of_the_first_directory(self):
        done = preloaded.run(subject('endings'), 'changed-directory',
                             cwd=self.directory, OUTPUT='out.folded')
        self.assert_ran(done, STATUS)
        self.assertEqual(self.files(), ['out.folded'])

    def test_relative_path_stays_so_through_exec(self):
        done = run('env', '-C', '/', 'true', cwd=self.directory,
                   OUTPUT='out.folded')
        self.assert_ran(done)
        self.assertEqual(self.files(), ['out.folded'])

    def test_a_shell_with_an_environment_of_its_own(self):
        done = run('bash', '-c', 'cd /; /bin/true; exit 3', cwd=self.directory,
                   OUTPUT='out.folded')
        self.assert_ran(done, status=3)
        self.assertEqual(self.files(), ['out.folded'])

    def test_unknown_suffix_is_said_before_the_program_runs(self):
        done = run('sh', '-c', 'echo ran >&2; exit 4',
                   OUTPUT=self.path('out.what'))
        self.assertEqual(done.returncode, 4)
        said, ran = done.stderr.splitlines(keepends=True)
        self.assert_one_line(said, 'out.what', 'unprofiled')
        self.assertEqual(ran, 'ran\n')
        self.assertEqual(self.files(), [])

    def test_what_is_wrong_is_said_once_for_all_images_and_children(self):
        done = run('env', 'nice', 'sh', '-c', '/bin/true; /bin/true; exit 4',
                   OUTPUT=self.path('out.what'), CHILDREN='1')
        self.assertEqual(done.returncode, 4)
        self.assert_one_line(done.stderr)

    def test_directory_that_is_not_there(self):
        done = run(subject('endings'), OUTPUT='/nowhere/out.folded')
        self.assertEqual((done.returncode, done.stdout), (STATUS, ''))
        self.assert_one_line(done.stderr, '/nowhere/out.folded')

    def test_directory_in_the_place_of_the_file(self):
        os.mkdir(self.path())
        done = run(subject('endings'), OUTPUT=self.path())
        self.assertEqual((done.returncode, done.stdout), (STATUS, ''))
        self.assert_one_line(done.stderr, self.path())
        self.assertEqual(self.files(), ['out.folded'])

    def test_earlier_file_is_replaced_by_a_new_one(self):
        # Another file takes its name: who has opened it sees it unchanged.
        with open(self.path(), 'w', encoding='utf-8') as file:
            file.write('before')
        with open(self.path(), encoding='utf-8') as earlier:
            done = run(subject('endings'), OUTPUT=self.path(), HZ=FAST_HZ)
            self.assert_ran(done, STATUS)
            self.assertEqual(earlier.read(), 'before')
        self.assert_seen('Busy', self.read())


class SettingsTest(PreloadTest):

    def test_view(self):
        def weight(view):
            done = run('sleep', '0.3', OUTPUT=self.path(), VIEW=view)
            self.assert_ran(done)
            return sum(weight for _, weight in preloaded.stacks(self.read()))

        # Sleeping takes wall clock time, and next to no CPU time.
        self.assertGreater(weight('wall'), 2 * weight('cpu'))
        self.assertGreater(weight('offcpu'), 2 * weight('cpu'))

    def test_bad_settings_are_said(self):
        for name, value in (('VIEW', 'sideways'), ('HZ', '0'), ('HZ', '1001'),
                            ('HZ', 'x'), ('HZ', '9 '), ('HZ', '99.5')):
            done = run(subject('endings'), OUTPUT=self.path(), **{name: value})
            self.assertEqual(done.returncode, STATUS)
            self.assert_one_line(done.stderr, f'WALLPROF_{name}', value)
            self.assertEqual(self.files(), [])

    def test_weights_are_whole_microseconds(self):
        run(subject('endings'), OUTPUT=self.path(), HZ=FAST_HZ)
        for line in self.read().splitlines():
            self.assertTrue(re.fullmatch(r'[^\n]+ [1-9]\d*', line), line)


if __name__ == '__main__':
    preloaded.main()
