"""Runs a program on its workload: for its profile, its time, its output."""
import dataclasses
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time


@dataclasses.dataclass(frozen=True)
class Cost:
    user: float = 0  # seconds of CPU, without the kernel's
    wall: float = 0  # seconds

    def __add__(self, other):
        return Cost(self.user + other.user, self.wall + other.wall)


@dataclasses.dataclass(frozen=True)
class Prepared:
    """A Run whose input lies in a file."""
    arguments: tuple
    input: str
    folder: pathlib.Path
    times: int


def prepare(runs, directory, label):
    """Writes the inputs of `runs` to `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    prepared = []
    for number, run in enumerate(runs):
        path = os.devnull
        if run.make_input:
            path = str(directory / f'{label}{number}.in')
            if not os.path.exists(path):
                with open(path + '.part', 'w') as file:
                    file.write(run.make_input())
                os.rename(path + '.part', path)
        folder = directory / f'{label}{number}'
        folder.mkdir(exist_ok=True)
        arguments = tuple(word.format(folder=folder, **{'in': path})
                          for word in run.arguments.split())
        prepared.append(Prepared(arguments, path, folder, run.times))
    return prepared


def execute(executable, run, output, environment=None, prefix=()):
    """Cost of one execution, which must succeed; `output` takes what it prints.
    All builds see one name of themselves, since some programs print it."""
    with open(run.input, 'rb') as given, tempfile.TemporaryFile() as errors:
        start = time.monotonic()
        process = subprocess.Popen(['program', *prefix, *run.arguments],
                                   executable=executable, stdin=given,
                                   stdout=output, stderr=errors, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - start
        errors.seek(0)
        said = errors.read().decode(errors='replace')
    if process.returncode != 0:
        sys.exit(f'{executable} {" ".join(run.arguments)}: status '
                 f'{process.returncode}\n{said[-2000:]}')
    return Cost(usage.ru_utime, wall)


def measure(program, runs):
    """Cost of all `runs` of the executable."""
    total = Cost()
    for run in runs:
        for _ in range(run.times):
            total += execute(program, run, subprocess.DEVNULL)
    return total


def output_of(program, runs):
    """A digest of all that `runs` print and write, and how many bytes that is."""
    digest, size = hashlib.sha256(), 0
    for run in runs:
        shutil.rmtree(run.folder)
        run.folder.mkdir()
        with tempfile.TemporaryFile() as output:
            execute(program, run, output)
            output.seek(0)
            written = [output.read()]
        written += [path.read_bytes() for path in sorted(run.folder.iterdir())]
        for data in written:
            digest.update(data)
            size += len(data)
    return digest.hexdigest(), size
