"""Prints what the preload library adds to the start and end of a program, in
milliseconds of CPU time and of wall clock time; asserts nothing.

    python3 tests/preload/startup_cost.py BUILD_DIRECTORY SUBJECTS_DIRECTORY
"""
import os
import resource
import statistics
import subprocess
import tempfile
import time

import preloaded

RUNS = 100


def once(environment):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    subprocess.run(['true'], env=environment, check=True)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = (after.ru_utime + after.ru_stime) - (before.ru_utime +
                                               before.ru_stime)
    return cpu * 1000, wall * 1000


def main():
    with tempfile.TemporaryDirectory() as directory:
        kinds = {
            'bare': preloaded.environment(preload=''),
            'inert': preloaded.environment(),
            'output': preloaded.environment(
                OUTPUT=os.path.join(directory, 'out.folded')),
            'listen': preloaded.environment(
                LISTEN='unix:' + os.path.join(directory, 'socket')),
        }
        times = {kind: [] for kind in kinds}
        # In turns, so that all see the same machine.
        for _ in range(RUNS):
            for kind, environment in kinds.items():
                times[kind].append(once(environment))
    print(f'`true`, {RUNS} runs: mean CPU ms, median wall ms')
    for kind, pairs in times.items():
        cpu = statistics.mean(cpu for cpu, _ in pairs)
        wall = statistics.median(wall for _, wall in pairs)
        print(f'{kind:8} {cpu:6.2f} {wall:6.2f}')


if __name__ == '__main__':
    main()
