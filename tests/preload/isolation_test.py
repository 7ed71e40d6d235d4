"""What the preloaded object brings into a program: next to nothing."""
import os
import re
import subprocess

import preloaded
from preloaded import FAST_HZ, PreloadTest, run, subject, system_python


def tool(*command):
    return subprocess.run(command, capture_output=True, text=True,
                          check=True).stdout


class ObjectTest(PreloadTest):

    def test_needs_libc_alone(self):
        needed = re.findall(r'\(NEEDED\).*\[(.*)\]',
                            tool('readelf', '-d', preloaded.library()))
        self.assertEqual(needed, ['libc.so.6'])

    def test_defines_only_what_it_means_to_take_over(self):
        symbols = tool('nm', '-D', '--defined-only', preloaded.library())
        self.assertEqual(
            sorted(line.split()[-1] for line in symbols.splitlines()),
            ['_Exit', '__asan_default_options', '__sysv_signal', '_exit',
             'daemon', 'sigaction', 'sigaltstack', 'signal',
             'sigtimedwait', 'sigwait', 'sigwaitinfo'])

    def test_has_no_executable_stack_and_is_never_unloaded(self):
        flags = tool('readelf', '-Wdl', preloaded.library())
        self.assertIn('NODELETE', flags)
        self.assertRegex(flags, r'GNU_STACK\s+0x0+ 0x0+ 0x0+ 0x0+ 0x0+ RW ')


class InertTest(PreloadTest):
    """Without a variable that asks for something."""

    def check(self, **variables):
        done = run('bash', '-c', 'ls /proc/$$/task | wc -l; grep -c '
                   'wallprof_engine /proc/$$/maps; env | grep WALLPROF_PID; '
                   'exit 3', cwd=self.directory, **variables)
        self.assert_ran(done, 3, stdout='1\n0\n')
        self.assertEqual(self.files(), [])

    def test_no_variables(self):
        self.check()

    def test_only_settings(self):
        self.check(HZ='999', VIEW='cpu', CHILDREN='1')

    def test_empty_variables(self):
        self.check(OUTPUT='', LISTEN='')

    def test_another_process_is_meant(self):
        env = preloaded.environment(OUTPUT=self.path(), PID='1')
        done = subprocess.run(['sh', '-c', 'wc -l < /proc/$$/maps; '
                               'ls /proc/$$/task | wc -l'], env=env,
                              capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout.splitlines()[1], '1')
        self.assertEqual(self.files(), [])


class NamespaceTest(PreloadTest):
    """A program that is profiled finds nothing of ours."""

    FOREIGN = [
        '_Unwind_RaiseException', '_Unwind_Resume', 'unw_step', '_ULx86_64_step',
        '_Ux86_64_getcontext', 'SSL_new', 'CRYPTO_malloc', 'deflate', 'inflate',
        'BrotliDecoderDecompress', '_Znwm', '_ZdlPv', '_ZSt4cout',
        '__cxa_throw', '__gxx_personality_v0', 'elf_begin', 'gelf_getehdr',
        'dwarf_begin',
        '_ZN4absl12lts_202206236StatusC1Ev',
        '_ZN7httplib6ServerC1Ev', 'wallprof_engine_start',
        'wallprof_engine_serve', 'BeforeFork', 'libgcc_s.so.1',
        'libstdc++.so.6', 'libunwind.so.8', 'libunwind-x86_64.so.8',
        'libz.so.1', 'libelf.so.1', 'libdw.so.1', 'liblzma.so.5',
        'libbz2.so.1.0', 'libssl.so.3', 'libcrypto.so.3',
        'libcpp-httplib.so.0.11', 'libwallprof_engine.so',
    ]

    def test_no_symbol_or_library_is_found_while_sampled(self):
        done = run(subject('symbols'), *self.FOREIGN, OUTPUT=self.path())
        self.assert_ran(done)
        self.assertEqual(self.files(), ['out.folded'])

    def test_no_symbol_or_library_is_found_while_serving(self):
        done = run(subject('symbols'), *self.FOREIGN, LISTEN='unix:' +
                   self.path('socket'))
        self.assert_ran(done)

    def test_look_ups_find_what_there_is(self):
        done = run(subject('symbols'), 'printf', 'libc.so.6', '_exit')
        self.assert_ran(done, stdout='printf\nlibc.so.6\n_exit\n')

    def test_backtrace_is_that_of_libc(self):
        # libunwind has one too.
        done = run(system_python(), '-c', 'import ctypes; '
                   'libc = ctypes.CDLL("libc.so.6"); '
                   'everything = ctypes.CDLL(None); '
                   'address = lambda f: ctypes.cast(f, ctypes.c_void_p).value; '
                   'print(address(libc.backtrace) == '
                   'address(everything.backtrace))', OUTPUT=self.path())
        self.assert_ran(done, stdout='True\n')

    def test_cpp_runtime_loaded_later_is_the_systems(self):
        done = run(subject('late_cpp'), subject('thrower.so'),
                   OUTPUT=self.path(), HZ=FAST_HZ)
        self.assert_ran(done)
        self.assertIn('ThrowMany', self.read())

    def test_another_library_of_the_same_name_is_the_programs(self):
        # Were ours in the program's namespace, it would be found by its name.
        for name in ('libstdc++.so.6', 'libz.so.1', 'libssl.so.3'):
            os.symlink(subject('thrower.so'), self.path(name))
            done = run(system_python(), '-c', 'import ctypes; '
                       f'print(ctypes.CDLL("{self.path(name)}").ThrowMany(3))',
                       OUTPUT=self.path())
            self.assert_ran(done, stdout='3\n')

    def test_library_path_of_the_program_is_not_ours(self):
        # Were it, the engine would not load with these.
        names = ('libunwind-x86_64.so.8', 'libelf.so.1', 'libdw.so.1',
                 'liblzma.so.5', 'libz.so.1', 'libgcc_s.so.1')
        with preloaded.tempfile.TemporaryDirectory() as libraries:
            for name in names:
                os.symlink(subject('thrower.so'),
                           os.path.join(libraries, name))
            done = run('env', f'LD_LIBRARY_PATH={libraries}',
                       subject('endings'), OUTPUT=self.path(), HZ=FAST_HZ)
        self.assert_ran(done, status=7)
        self.assert_seen('Busy', self.read())


class DescriptorTest(PreloadTest):

    def test_program_has_only_its_own_descriptors(self):
        command = [system_python(), '-c', 'import os, time; '
                   'time.sleep(0.3); print(sorted(os.listdir("/proc/self/fd")))']
        bare = subprocess.run(command, capture_output=True, text=True,
                              check=True)
        self.assert_ran(run(*command, OUTPUT=self.path()), stdout=bare.stdout)
        self.assert_ran(run(*command, LISTEN='unix:' + self.path('socket')),
                        stdout=bare.stdout)

    def test_reader_of_a_closed_output_sees_its_end_at_once(self):
        # The program lives until we close its input, so that this would not
        # return if anybody else held its output open.
        for variables in ({'OUTPUT': self.path()},
                          {'LISTEN': 'unix:' + self.path('socket')}):
            with preloaded.Running(subject('early_close'),
                                   **variables) as command:
                self.assertEqual(command.process.stdout.read(), 'ready\n')
                self.assertIsNone(command.process.poll())
                command.process.stdin.close()
                self.assertEqual(command.process.wait(), 0)


if __name__ == '__main__':
    preloaded.main()
