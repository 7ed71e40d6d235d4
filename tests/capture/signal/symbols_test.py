"""What code in a signal's context may call.

    python3 symbols_test.py OBJECT...

The objects are those of profiler/capture/signal. Whatever they leave to the
linker must be in the list below, with the reason why it may be called while
the interrupted code holds any lock.
"""
import subprocess
import sys
import unittest

ALLOWED = {
    # The handler itself.
    '__errno_location': 'an address in the thread control block; no call',
    # A foreign signal, which is passed on.
    'pthread_sigmask': 'async-signal-safe by POSIX; one system call',
    'sigorset': 'arithmetic on the set that it is given',
    'sigaddset': 'async-signal-safe by POSIX; arithmetic',
    # Installation, by the thread that starts the profiler.
    'sigaction': 'async-signal-safe by POSIX',
    'sigfillset': 'async-signal-safe by POSIX; arithmetic',
    'sigdelset': 'async-signal-safe by POSIX; arithmetic',
    # Timers and signals, by the sampler.
    'syscall': 'a bare system call',
    'getpid': 'async-signal-safe by POSIX',
    'getuid': 'async-signal-safe by POSIX',
    # Made by the compiler and the linker.
    '_GLOBAL_OFFSET_TABLE_': 'position-independent code',
}


def undefined_symbols(objects):
    """The names that the objects need of others, with who needs them."""
    names = {}
    defined = set()
    for path in objects:
        output = subprocess.run(['nm', '-P', path], check=True,
                                capture_output=True, text=True).stdout
        for line in output.splitlines():
            name, kind = line.split()[:2]
            if kind in 'Uwv':
                names.setdefault(name, []).append(path)
            else:
                defined.add(name)
    return {name: paths for name, paths in names.items()
            if name not in defined}


class SymbolsTest(unittest.TestCase):
    objects = []

    def test_there_are_objects(self):
        self.assertGreaterEqual(len(self.objects), 2)
        self.assertTrue(any('handler' in path for path in self.objects))

    def test_only_allowed_functions_are_called(self):
        for name, paths in undefined_symbols(self.objects).items():
            self.assertIn(name, ALLOWED, f'needed by {paths}')

    def test_the_handler_needs_libc(self):
        # That the check above sees anything at all.
        self.assertIn('__errno_location', undefined_symbols(self.objects))

    def test_no_function_of_the_handler_is_bound_at_its_first_call(self):
        # The loader's resolver takes more stack than the handler may, and
        # runs code of the loader's.
        for path in self.objects:
            if 'handler' not in path:
                continue
            relocations = subprocess.run(
                ['readelf', '-rW', path], check=True, capture_output=True,
                text=True).stdout
            for name in undefined_symbols([path]):
                self.assertNotRegex(relocations, rf'PLT32.* {name} ')

    def test_there_is_no_thread_local_storage(self):
        for path in self.objects:
            sections = subprocess.run(['readelf', '-SW', path], check=True,
                                      capture_output=True, text=True).stdout
            self.assertNotIn('.tdata', sections)
            self.assertNotIn('.tbss', sections)

    def test_nothing_runs_before_main(self):
        for path in self.objects:
            sections = subprocess.run(['readelf', '-SW', path], check=True,
                                      capture_output=True, text=True).stdout
            self.assertNotIn('.init_array', sections)
            self.assertNotIn('.ctors', sections)


if __name__ == '__main__':
    SymbolsTest.objects = sys.argv[1:]
    unittest.main(argv=sys.argv[:1])
