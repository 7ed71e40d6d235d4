"""Profiles of a program into the tools that read them.

    python3 tests/fleet/pgo/export/export_test.py WALLPROF SUBJECT_CC [TEST...]

Clang builds the subject, wallprof profiles it, and what is exported goes into
clang, llvm-profdata, AutoFDO's create_llvm_prof and, where it is there, BOLT.
"""
import functools
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
import bad_profiles  # noqa: E402

WALLPROF = None
SUBJECT = None
PATIENCE_SECONDS = 100
RUN_MILLISECONDS = '500'
BUILD = ['-O2', '-gline-tables-only', '-fdebug-info-for-profiling',
         '-Wl,--build-id=sha1', '-Wl,--emit-relocs']
# Of functions that have more samples than chance explains.
HOT = ['_Z4HashPKm', '_ZNK12_GLOBAL__N_15Usual2OfEm']


def run(*command, **options):
    return subprocess.run(
        [*map(str, command)], capture_output=True, check=False, text=True,
        errors='replace', timeout=PATIENCE_SECONDS, **options)


def output_of(*command):
    done = run(*command)
    if done.returncode != 0:
        raise AssertionError(f'{command}: {done.returncode}: {done.stderr}')
    return done.stdout


def export(*words):
    return run(WALLPROF, 'pgo', 'export', *words)


class Built:
    """The subject, built with DWARF of a version, and its profile."""

    def __init__(self, folder, name, *flags):
        self.binary = folder / name
        self.profile = folder / f'{name}.pb.gz'
        output_of('clang++', *BUILD, *flags, SUBJECT, '-o', self.binary)

    def measured(self):
        output_of(WALLPROF, 'run', '--hz', '1000', '-o', self.profile, '--',
                  self.binary, RUN_MILLISECONDS)
        return self


@functools.lru_cache(maxsize=None)
def folder():
    return pathlib.Path(tempfile.mkdtemp(prefix='pgo-export-'))


@functools.lru_cache(maxsize=None)
def built(version):
    """Once for all tests that need it."""
    return Built(folder(), f'dwarf{version}', f'-gdwarf-{version}').measured()


@functools.lru_cache(maxsize=None)
def linked_by_lld():
    """Its code is not loaded where it is in the file."""
    return Built(folder(), 'lld', '-gdwarf-4', '-fuse-ld=lld').measured()


def tearDownModule():  # noqa: N802
    if folder.cache_info().currsize:
        shutil.rmtree(folder())


def counts_of(text):
    """Counts by place of an LLVM text profile: {(function, place...): count}.

    Inlined functions are told by the place of their call; their names are in
    the second dict, as are the targets of calls. A line that is none belongs to
    the name before it.
    """
    counts, names, stack = {}, {}, []
    lines = []
    for line in text.split('\n'):
        if re.match(r' +\d+(\.\d+)?: |[^ ]+:\d+:\d+$', line):
            lines.append(line)
        elif line and lines:
            lines[-1] += line
    for line in lines:
        depth = len(line) - len(line.lstrip(' '))
        if depth == 0:
            stack = [line.rsplit(':', 2)[0]]
            counts[tuple(stack)] = int(line.rsplit(':', 2)[1])
            continue
        place, rest = line.strip().split(': ', 1)
        stack = stack[:depth]
        if re.match(r'\d+( [^ ]+:\d+)*$', rest):
            count, *targets = rest.split()
            counts[(*stack, place)] = int(count)
            if targets:
                names[(*stack, place)] = targets
        else:
            stack.append(place + ' call')
            names[tuple(stack)], total = rest.rsplit(':', 1)
            counts[tuple(stack)] = int(total)
    return counts, names


def similarity(one, other):
    """What llvm-profdata makes of two profiles, in percent."""
    overlap = output_of('llvm-profdata', 'overlap', '--sample', one, other)
    share = re.search(r'program profile similarity: ([\d.]+)%', overlap)
    return float(share.group(1))


def before_the_function(place):
    """Whether an offset is that of a line before the function's, in 16 bits."""
    return int(re.match(r'\d+', place).group()) >= 0x8000


class AddUp:
    """The figures of a report."""

    def __init__(self, text):
        match = re.search(
            r'^samples: +(\d+) on a CPU: (\d+) in it(?:, (\d+) elsewhere)?',
            text, re.M)
        self.total, self.matched, self.elsewhere = (
            int(figure or 0) for figure in match.groups())
        match = re.search(r'^written: +(\d+)(?:, (\d+) left out)?', text, re.M)
        self.written, self.dropped = (int(f or 0) for f in match.groups())

    def check(self, test):
        test.assertEqual(self.total, self.matched + self.elsewhere)
        test.assertEqual(self.matched, self.written + self.dropped)
        test.assertGreater(self.written, 100)


class ClangTest(unittest.TestCase):

    def exported(self, subject, *words):
        done = export('--binary', subject.binary, subject.profile, *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        AddUp(done.stderr).check(self)
        return done.stdout

    def test_profiles_of_dwarf_4_and_5_are_taken(self):
        for version in 4, 5:
            text = self.exported(built(version))
            for function in HOT:
                self.assertRegex(text, f'(?m)^{function}:')
            path = folder() / f'{version}.prof'
            path.write_text(text)
            merged = output_of('llvm-profdata', 'merge', '--sample', '--text',
                               path)
            self.assertEqual(counts_of(merged), counts_of(text))
            code = output_of(
                'clang++', *BUILD, f'-fprofile-sample-use={path}', '-S',
                '-emit-llvm', SUBJECT, '-o', '-')
            self.assertIn('"SampleProfile"', code)
            self.assertIn('!"branch_weights"', code)
            # The virtual call, which stacks know the targets of.
            self.assertRegex(text, r'(?m)^ \d+(\.\d+)?: \d+ '
                             r'_ZNK12_GLOBAL__N_15Usual2OfEm:\d+')
            remarks = run('clang++', *BUILD, f'-fprofile-sample-use={path}',
                          '-Rpass=pgo-icall-prom', '-c', SUBJECT, '-o',
                          '/dev/null').stderr
            # Where it does not think it hot enough, it knows of it still.
            self.assertTrue(
                'Promote indirect call to _ZNK12_GLOBAL__N_15Usual' in remarks
                or '!"VP"' in code, remarks + text)

    def test_what_is_stripped_off_is_found(self):
        subject = built(5)
        bare = Built(folder(), 'bare', '-gdwarf-5')
        shutil.copy(subject.binary, bare.binary)
        debug = folder() / 'bare.debug'
        output_of('objcopy', '--only-keep-debug', bare.binary, debug)
        output_of('strip', bare.binary)
        refused = export('--binary', bare.binary, subject.profile)
        self.assertEqual(refused.returncode, 1)
        self.assertIn('no debug information', refused.stderr)
        self.assertIn('-fdebug-info-for-profiling', refused.stderr)
        output_of('objcopy', f'--add-gnu-debuglink={debug}', bare.binary)
        done = export('--binary', bare.binary, subject.profile)
        self.assertEqual(done.stdout, self.exported(subject))
        beside = run(WALLPROF, 'pgo', 'export', '--binary', bare.binary.name,
                     subject.profile, cwd=folder())
        self.assertEqual(beside.stdout, done.stdout, beside.stderr)

    def test_local_functions_are_known_in_another_checkout(self):
        flags = ['-funique-internal-linkage-names', '-gdwarf-5']
        here = Built(folder(), 'here', *flags).measured()
        moved = folder() / 'moved'
        moved.mkdir()
        shutil.copy(SUBJECT, moved)
        there = moved / 'here'
        output_of('clang++', *BUILD, *flags, moved / pathlib.Path(SUBJECT).name,
                  '-o', there)

        def numbers(text):
            return set(re.findall(r'__uniq\.(\d+)', text))
        done = export('--match', 'lines', '--binary', there, here.profile)
        self.assertEqual(numbers(done.stdout), numbers(output_of('nm', there)),
                         done.stderr)
        self.assertTrue(numbers(output_of('nm', here.binary)).isdisjoint(
            numbers(done.stdout)))

    def test_gcc_is_known(self):
        subject = folder() / 'gcc'
        output_of('g++', '-O1', '-g', '-Wl,--build-id', SUBJECT, '-o', subject)
        done = export('--match', 'lines', '--binary', subject,
                      built(4).profile)
        self.assertEqual(done.returncode, 0, done.stderr)
        profile = folder() / 'gcc.pb.gz'
        output_of(WALLPROF, 'run', '--hz', '1000', '-o', profile, '--',
                  subject, '300')
        done = export('--binary', subject, profile)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('built by GCC', done.stderr)
        self.assertNotRegex(done.stdout, r'(?m)^ +\d+\.\d+: ')


    def test_lines_do_for_another_build(self):
        exact, _ = counts_of(self.exported(built(4)))
        done = export('--match', 'lines', '--binary', built(5).binary,
                      built(4).profile)
        self.assertEqual(done.returncode, 0, done.stderr)
        AddUp(done.stderr).check(self)
        found = re.search(r'(\d+) % of these at lines that it has', done.stderr)
        self.assertGreater(int(found.group(1)), 60)
        by_lines, _ = counts_of(done.stdout)
        met = {place for place, count in exact.items() if count > 1}
        self.assertGreater(len(met & set(by_lines)), 0.6 * len(met))


class AutofdoTest(unittest.TestCase):
    """The other opinion, of the same samples. It knows DWARF 4."""
    maxDiff = None

    def opinion(self, subject):
        samples = folder() / 'autofdo.txt'
        done = export('--format', 'autofdo-text', '--binary', subject.binary,
                      '-o', samples, subject.profile)
        self.assertEqual(done.returncode, 0, done.stderr)
        AddUp(done.stderr).check(self)
        theirs = folder() / 'autofdo.prof'
        output_of('create_llvm_prof', '--use_lbr=false', '--profiler=text',
                  f'--profile={samples}', f'--binary={subject.binary}',
                  f'--out={theirs}', '--format=text')
        # It writes an empty file, and ends well, where it finds nothing.
        self.assertGreater(theirs.stat().st_size, 100)
        return theirs.read_text(encoding='latin1')

    def test_agrees(self):
        for subject in built(4), linked_by_lld():
            with self.subTest(binary=subject.binary.name):
                self.agrees(subject)

    def agrees(self, subject):
        theirs, _ = counts_of(self.opinion(subject))
        done = export('--binary', subject.binary, subject.profile)
        self.assertEqual(done.returncode, 0, done.stderr)
        ours, names = counts_of(done.stdout)
        self.assertGreater(len(ours), 20)
        # It takes code that belongs to no line for that of line 0.
        known = {place: count for place, count in theirs.items()
                 if len(place) == 1 or not before_the_function(place[-1])}
        # Functions of ten samples or fewer it leaves out; we have them for ten,
        # or for what they call. Where calls were made from we count one.
        functions = {place[0] for place in theirs}
        called = {place for place in names if not place[-1].endswith('call')}
        for place, count in ours.items():
            if place[0] not in functions:
                self.assertLessEqual(count, 10, place)
            elif place in called and count == 1:
                self.assertIn(known.get(place, 0), (0, 1), place)
            else:
                self.assertEqual(count, known.get(place), place)
        self.assertLessEqual(set(known), set(ours))
        # Names of inlined functions it takes from freed memory: ours instead.
        paths = folder() / 'common.prof', folder() / 'repaired.prof'
        paths[0].write_text(self.written(
            {p: count for p, count in ours.items() if p[0] in functions},
            names))
        paths[1].write_text(self.written(known, names))
        self.assertGreater(similarity(*paths), 99)

    def written(self, counts, names):
        """`counts` as a profile, bodies before inlined functions."""
        def order(place):
            return [(part.endswith('call'), float(part.split()[0]))
                    for part in place[1:]]
        lines = []
        for function in [place for place in counts if len(place) == 1]:
            lines.append(f'{function[0]}:{counts[function]}:0')
            inner = [p for p in counts if p[0] == function[0] and len(p) > 1]
            for place in sorted(inner, key=order):
                name = (f'{names[place]}:' if place[-1].endswith('call')
                        else '')
                where = place[-1].split()[0]
                lines.append(f'{" " * (len(place) - 1)}{where}: '
                             f'{name}{counts[place]}')
        return '\n'.join(lines) + '\n'


class RefusalsTest(unittest.TestCase):

    def refused(self, *words):
        out = folder() / 'refused'
        done = export('-o', out, *words)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(done.stderr.count('\n'), 1, done.stderr)
        self.assertFalse(out.exists())
        return done.stderr

    def crafted(self, name, types, values):
        writer = bad_profiles.Writer(types)
        path = folder() / name
        path.write_bytes(writer.sample(['main', 'work'], values).bytes())
        return path

    def test_profiles_of_another_binary(self):
        other = Built(folder(), 'other', '-O1')
        said = self.refused('--binary', other.binary, built(4).profile)
        ids = [re.search(r'Build ID: (\w+)', output_of('readelf', '-n', path))
               .group(1) for path in (other.binary, built(4).binary)]
        for build_id in ids:
            self.assertIn(build_id, said)
        self.assertIn('--match lines', said)
        # By name there is none either; by lines it is the same program.
        said = self.refused('--match', 'name', '--binary', other.binary,
                            built(4).profile)
        self.assertIn('no sample of the profile is in a file called other',
                      said)
        done = export('--match', 'lines', '--binary', other.binary,
                      built(4).profile)
        self.assertEqual(done.returncode, 0, done.stderr)
        AddUp(done.stderr).check(self)
        self.assertIn('by functions and lines', done.stderr)
        for function in HOT:
            self.assertRegex(done.stdout, f'(?m)^{function}:')

    def test_profiles_without_addresses(self):
        path = self.crafted('bare.pb.gz', [('samples', 'count')], [20])
        said = self.refused('--binary', built(4).binary, path)
        self.assertIn('no addresses', said)
        self.assertIn('--match lines', said)

    def test_wall_time_alone(self):
        path = self.crafted(
            'wall.pb.gz', [('samples', 'count'), ('wall', 'nanoseconds')],
            [20, 10**9])
        for how in [], ['--match', 'lines'], ['--format', 'go']:
            said = self.refused('--binary', built(4).binary, *how, path)
            self.assertIn('wall-clock time', said)

    def test_binaries_that_are_none(self):
        said = self.refused('--binary', folder() / 'nowhere', built(4).profile)
        self.assertIn('nowhere: ', said)
        said = self.refused('--binary', SUBJECT, built(4).profile)
        self.assertIn(f'{SUBJECT}: ', said)

    def test_nothing_half_written(self):
        subject = built(4)
        for out, said in (('/dev/full', 'No space left'),
                          (folder() / 'no' / 'folder', 'No such file')):
            done = export('--binary', subject.binary, '-o', out,
                          subject.profile)
            self.assertEqual(done.returncode, 1)
            self.assertIn(said, done.stderr)
            self.assertNotIn('samples:', done.stderr)


class OthersTest(unittest.TestCase):

    def test_go_gets_pprof(self):
        out = folder() / 'default.pgo'
        done = export('--format', 'go', '-o', out, built(4).profile)
        self.assertEqual(done.returncode, 0, done.stderr)
        AddUp(done.stderr).check(self)
        again = export('--binary', built(4).binary, out)
        first = export('--binary', built(4).binary, built(4).profile)
        self.assertEqual(again.stdout, first.stdout)

    def test_bolt_takes_samples_for_functions(self):
        subject = built(5)
        out = folder() / 'bolt.fdata'
        done = export('--format', 'bolt', '--binary', subject.binary, '-o', out,
                      subject.profile)
        self.assertEqual(done.returncode, 0, done.stderr)
        AddUp(done.stderr).check(self)
        self.assertNotIn('--emit-relocs', done.stderr)
        names = {line.split()[1] for line in out.read_text().split('\n')[1:-1]}
        self.assertIn('_Z4HashPKm', names)
        bolt = shutil.which('llvm-bolt') or shutil.which('llvm-bolt-16')
        if bolt is None:
            self.skipTest('no llvm-bolt here')
        said = output_of(bolt, subject.binary, '-nl', f'-data={out}', '-o',
                         folder() / 'bolted', '-reorder-blocks=ext-tsp',
                         '-reorder-functions=hfsort')
        taken = re.search(r'(\d+) out of \d+ functions .* have non-empty', said)
        self.assertEqual(int(taken.group(1)), len(names), said)
        output_of(folder() / 'bolted', '1')


if __name__ == '__main__':
    WALLPROF, SUBJECT = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
