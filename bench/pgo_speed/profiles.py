"""Profiles of a training: ours, AutoFDO's of the same samples, and that of an
instrumented build."""
import math
import os
import re
import shutil
import subprocess
import sys

import autofdo_names
import builds
import sources
import workloads

# An empty profile makes the program that none makes, and then every gain is 1.00:
# so a profile with fewer functions than this fails. All programs have hundreds.
LEAST_FUNCTIONS = 5


def instrumented(program, root, directory, training, version):
    """The profile of a build that counts; with the runs as often as `times` says,
    as the others are trained."""
    counting = directory / 'counting'
    builds.build(program, root, counting, version, ('-fprofile-generate',))
    merged = directory / 'counted.profdata'
    raw = directory / 'raw'
    raw.mkdir(exist_ok=True)
    for old in raw.iterdir():
        old.unlink()
    # A process may write over what another wrote, so each has its file.
    environment = {**os.environ, 'LLVM_PROFILE_FILE': f'{raw}/%p.profraw'}
    for run in training:
        for _ in range(run.times):
            workloads.execute(counting, run, subprocess.DEVNULL, environment)
    profdata = f'llvm-profdata-{version}'
    sources.run([profdata, 'merge', *sorted(raw.iterdir()), '-o', merged])
    shown = sources.run([profdata, 'show', '-topn=100', merged])
    called = [line for line in shown.splitlines()
              if 'max count' in line and not line.endswith(' 0')]
    require_functions(program, 'instrumented', len(called))
    return merged


def sample(program, plain, directory, training, wallprof, seconds):
    """A profile of the plain build's training, which is repeated until the program
    itself has had `seconds` of CPU time."""
    profile = directory / 'cpu.pb.gz'
    parts = directory / 'parts'
    shutil.rmtree(parts, ignore_errors=True)
    parts.mkdir()
    once = workloads.measure(plain, training).user
    if once <= 0:
        sys.exit(f'{program.name}: its training takes no time')
    for turn in range(math.ceil(seconds / once)):
        for number, run in enumerate(training):
            for time in range(run.times):
                part = parts / f'{turn}.{number}.{time}.pb.gz'
                workloads.execute(
                    wallprof, run, subprocess.DEVNULL,
                    prefix=['run', '--cpu-only', '--hz', '999', '-o', str(part),
                            '--', str(plain)])
                if not part.exists():
                    sys.exit(f'{wallprof} ran {plain} and made no profile')
    sources.run([wallprof, 'merge', '-o', profile, *sorted(parts.iterdir())])
    return profile


def exported(program, plain, samples, directory, wallprof, version):
    """Our profile for clang of what was sampled, and the export's report."""
    ours = directory / 'wallprof.prof'
    report = sources.run([wallprof, 'pgo', 'export', '--binary', plain, '-o', ours,
                          samples])
    require_sampled(program, 'sampled', ours, version)
    return ours, report


def autofdo(program, plain, samples, directory, wallprof, version):
    """What create_llvm_prof makes of the same samples, with its names put right."""
    text, profile = directory / 'samples.txt', directory / 'autofdo.prof'
    profile.unlink(missing_ok=True)
    sources.run([wallprof, 'pgo', 'export', '--format', 'autofdo-text', '--binary',
                 plain, '-o', text, samples])
    sources.run(['create_llvm_prof', '--profiler=text', '--use_lbr=false',
                 f'--binary={plain}', f'--profile={text}', '--format=text',
                 f'--out={profile}'])
    autofdo_names.repair(profile, plain, version)
    require_sampled(program, 'create_llvm_prof', profile, version)
    return profile


def overlap(ours, theirs, version):
    """How alike two profiles are, a line."""
    said = sources.run([f'llvm-profdata-{version}', 'overlap', '--sample', ours,
                        theirs])
    found = re.search(r'program profile similarity: ([\d.]+%)', said)
    if not found:
        sys.exit(f'llvm-profdata does not compare {ours} with {theirs}:\n{said}')
    return f"like AutoFDO's profile: {found[1]}\n"


def require_sampled(program, name, profile, version):
    shown = sources.run([f'llvm-profdata-{version}', 'show', '--sample', profile])
    require_functions(program, name, sum(line.startswith('Function: ')
                                         for line in shown.splitlines()))


def require_functions(program, name, functions):
    if functions < LEAST_FUNCTIONS:
        sys.exit(f'{program.name}: the {name} profile has {functions} functions, '
                 f'fewer than {LEAST_FUNCTIONS}: nothing can be learned from it')
