"""Which processes are profiled: those that exec in place, not their children
unless asked for."""
import os

import preloaded
from preloaded import FAST_HZ, PreloadTest, run, subject

ENDINGS_STATUS = 7


class ExecTest(PreloadTest):

    def check(self, *wrapper):
        done = run(*wrapper, subject('endings'), OUTPUT=self.path(), HZ=FAST_HZ)
        self.assert_ran(done, ENDINGS_STATUS)
        self.assertEqual(self.files(), ['out.folded'])
        self.assert_seen('Busy', self.read())

    def test_env(self):
        self.check('env', 'A=b')

    def test_nice_and_nohup_and_setsid(self):
        self.check('nice', 'setsid', '--wait', 'nohup')

    def test_shell_that_execs(self):
        self.check('sh', '-c', 'exec "$0" "$@"')

    def test_shell_that_execs_its_last_command(self):
        self.check('bash', '-c', '"$0"')

    def test_many_images(self):
        images = os.environ.get('WALLPROF_TEST_IMAGES', '50')
        done = run(subject('children'), 'again', images, OUTPUT=self.path(),
                   HZ=FAST_HZ, timeout=max(60, int(images) // 10))
        self.assert_ran(done)
        self.assert_seen('Busy', self.read())

    def test_file_is_that_of_the_last_image(self):
        done = run('bash', '-c', 'for ((i = 0; i < 50000; i++)); do :; done; '
                   f'exec {subject("endings")}', OUTPUT=self.path(), HZ=FAST_HZ)
        self.assert_ran(done, ENDINGS_STATUS)
        self.assertNotIn('bash', self.read())

    def test_failed_exec_leaves_the_profile_going(self):
        done = run('bash', '-c', 'shopt -s execfail; exec /nowhere/x '
                   '2>/dev/null; for ((i = 0; i < 50000; i++)); do :; done',
                   OUTPUT=self.path(), HZ=FAST_HZ)
        self.assert_ran(done)
        self.assertIn('execute_command', self.read())


class ChildTest(PreloadTest):
    """Children write nothing, and the parent's file is its own."""

    def check(self, *arguments):
        done = run(subject('children'), *arguments,
                   OUTPUT=self.path('%p.folded'), HZ=FAST_HZ)
        self.assert_ran(done)
        self.assertEqual(len(self.files()), 1, self.files())
        text = self.read(self.files()[0])
        self.assert_seen('Busy', text)
        self.assertNotIn('ChildBusy', text)
        self.assertNotIn('Busy;Busy', text)

    def test_fork(self):
        self.check('fork')

    def test_fork_and__exit(self):
        self.check('fork-_exit')

    def test_fork_by_system_call(self):
        self.check('raw')

    def test_daemon(self):
        self.check('daemonise')

    def test_exec(self):
        self.check('exec', subject('children'), 'fork')

    def test_vfork(self):
        self.check('vfork', subject('children'), 'fork')

    def test_failed_exec_after_vfork(self):
        done = run(subject('children'), 'vfork', '/nowhere/x',
                   OUTPUT=self.path(), HZ=FAST_HZ)
        self.assert_ran(done, status=127)
        self.assert_seen('Busy', self.read())

    def test_posix_spawn(self):
        self.check('spawn', subject('children'), 'fork')

    def test_system(self):
        self.check('system', f'{subject("children")} fork; true')

    def test_popen(self):
        self.check('popen', f'{subject("children")} fork; echo')

    def test_signal_mask_is_what_it_was(self):
        for children in ('0', '1'):
            done = run(preloaded.system_python(), '-c', 'import os, signal\n'
                       'signal.pthread_sigmask(signal.SIG_BLOCK, [10])\n'
                       'child = os.fork()\n'
                       'if child != 0: os.waitpid(child, 0)\n'
                       'print(signal.pthread_sigmask(signal.SIG_BLOCK, []))',
                       OUTPUT=self.path('%p.folded'), CHILDREN=children)
            mask = '{<Signals.SIGUSR1: 10>}\n'
            self.assert_ran(done, stdout=mask + mask)

    def test_many_forks_beside_threads_that_allocate(self):
        self.check('many', '300')

    def test_one_file_name_is_not_overwritten_by_children(self):
        done = run('perl', '-e', 'my $s = 0; $s += $_ for 1..2000000; '
                   'if (fork() == 0) { exit 0 } wait; system("true");',
                   OUTPUT=self.path(), HZ=FAST_HZ)
        self.assert_ran(done)
        self.assertIn('Perl_runops_standard', self.read())


class ChildrenTooTest(PreloadTest):
    """WALLPROF_CHILDREN=1."""

    def profiles(self, *command, count, status=0):
        done = run(*command, OUTPUT=self.path('%p.folded'), CHILDREN='1',
                   HZ=FAST_HZ)
        self.assert_ran(done, status)
        self.assertEqual(len(self.files()), count, self.files())
        return [self.read(name) for name in self.files()]

    def count(self, function, profiles):
        found = sum(function in text for text in profiles)
        if found == 0: print(profiles)
        return found

    def test_fork(self):
        profiles = self.profiles(subject('children'), 'fork', count=2)
        # What the parent had recorded is not the child's.
        self.assertEqual(self.count('ChildBusy', profiles), 1)
        self.assertEqual(self.count('main;Busy', profiles), 1)

    def test_fork_and__exit(self):
        profiles = self.profiles(subject('children'), 'fork-_exit', count=2)
        self.assertEqual(self.count('ChildBusy', profiles), 1)

    def test_exec(self):
        self.profiles(subject('children'), 'exec', subject('children'), 'fork',
                      count=3)

    def test_vfork(self):
        self.profiles(subject('children'), 'vfork', subject('children'), 'fork',
                      count=3)

    def test_posix_spawn(self):
        self.profiles(subject('children'), 'spawn', subject('children'), 'fork',
                      count=3)

    def test_system(self):
        # The shell too.
        self.profiles(subject('children'), 'system',
                      f'{subject("endings")}; true', count=3)

    def test_daemon(self):
        profiles = self.profiles(subject('children'), 'daemonise', count=3)
        self.assertEqual(self.count('ChildBusy', profiles), 1)

    def test_nested_forks(self):
        profiles = self.profiles(subject('children'), 'nested', '3', count=4)
        self.assertEqual(self.count('ChildBusy', profiles), 3)

    def test_more_generations_than_the_loader_has_room_for(self):
        # Each loads an engine beside those of its ancestors.
        done = run(subject('children'), 'nested', '20', CHILDREN='1',
                   OUTPUT=self.path('%p.folded'))
        self.assertEqual((done.returncode, done.stdout), (0, ''))
        self.assert_one_line(done.stderr, 'cannot load the engine')

    def test_child_that_execs_in_place(self):
        self.profiles('sh', '-c', f'env nice {subject("endings")}; true',
                      count=2)

    def test_compiler_and_what_it_runs(self):
        source = self.path('hello.c')
        with open(source, 'w', encoding='utf-8') as file:
            file.write('int main(void) { return 0; }\n')
        with preloaded.tempfile.TemporaryDirectory() as outputs:
            done = run('gcc', '-o', self.path('hello'), source, CHILDREN='1',
                       OUTPUT=f'{outputs}/%p.folded')
            self.assert_ran(done)
            # gcc, cc1, as, collect2 and ld.
            self.assertGreaterEqual(len(preloaded.os.listdir(outputs)), 5)
        self.assert_ran(run(self.path('hello')))

    def test_needs_the_pid_in_the_file_name(self):
        done = run('sh', '-c', '/bin/true; exit 3', OUTPUT=self.path(),
                   CHILDREN='1')
        self.assertEqual(done.returncode, 3)
        self.assert_one_line(done.stderr, 'WALLPROF_CHILDREN', '%p')
        self.assertEqual(self.files(), [])

    def test_needs_port_zero(self):
        done = run('sh', '-c', '/bin/true; exit 3', LISTEN='127.0.0.1:6060',
                   CHILDREN='1')
        self.assertEqual(done.returncode, 3)
        self.assert_one_line(done.stderr, 'WALLPROF_CHILDREN', 'port 0')

    def test_each_serves_at_a_port_of_its_own(self):
        with preloaded.Running('sh', '-c', f'{subject("early_close")}; true',
                               LISTEN='0', CHILDREN='1') as command:
            first, second = command.url(), command.url()
            self.assertNotEqual(first, second)
            pids = {preloaded.open_url(url + 'debug/pprof/cmdline')
                    for url in (first, second)}
            self.assertEqual(len(pids), 2)

    def test_other_values_do_not_mean_yes(self):
        done = run(subject('children'), 'fork', OUTPUT=self.path(),
                   CHILDREN='0')
        self.assert_ran(done)
        self.assertEqual(self.files(), ['out.folded'])


if __name__ == '__main__':
    preloaded.main()
