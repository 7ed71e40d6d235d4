"""Workers that are killed at every step leave the base of one that is not.

    python3 kill_test.py WORKER_SUBJECT

WALLPROF_TEST_KILLS says how often; ten times if it is not set.
"""
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

KILLS = int(os.environ.get('WALLPROF_TEST_KILLS', '10'))

# Profiles that a run stages, and runs that stage the same: a sender that was
# killed sends them again.
PROFILES_A_RUN = 4
RUNS_OF_THE_SAME = 3

# A run has about as many moments in which it can die.
STEPS = 160

# More than it has: it dies some other way.
NO_STEP = 1000000

# Two workers at a time.
WORKERS = 2


class KillTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.root = pathlib.Path(temporary.name)

    def start(self, directory, first, count, steps):
        # pylint: disable=consider-using-with
        return subprocess.Popen(
            [SUBJECT, str(directory), str(first), str(count), str(steps)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def end(self, subject, allowed):
        """Whether the subject was killed, and whether it had staged all."""
        try:
            output, errors = subject.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            subject.kill()
            self.fail(f'it does not end: {subject.communicate()[1]}')
        self.assertIn(subject.returncode, allowed, errors)
        self.assertNotIn('damaged', errors)
        return subject.returncode != 0, output == 'staged\n'

    def merge(self, directory, first, count):
        self.end(self.start(directory, first, count, 0), [0])

    def kill_some(self, directory, first, chance):
        """Runs workers that die; how many did, and whether one of them had
        staged all."""
        subjects, timers = [], []
        for _ in range(WORKERS):
            by_time = chance.random() < 0.2
            subject = self.start(directory, first, PROFILES_A_RUN,
                                 NO_STEP if by_time
                                 else chance.randint(1, STEPS))
            if by_time:
                timers.append(threading.Timer(chance.uniform(0.01, 0.3),
                                              subject.kill))
                timers[-1].start()
            subjects.append(subject)
        ends = [self.end(subject, [0, -signal.SIGKILL])
                for subject in subjects]
        for timer in timers:
            timer.cancel()
        return (sum(killed for killed, _ in ends),
                any(staged for _, staged in ends))

    def objects(self, directory):
        top = directory / 'objects'
        return {str(path.relative_to(top)): path.read_bytes()
                for path in top.rglob('*')
                if path.is_file() and '.writing' not in path.parts}

    def test_killed_workers_leave_the_base_of_a_calm_one(self):
        seed = random.randrange(1 << 32)
        chance = random.Random(seed)
        killed_there, calm_there = self.root / 'killed', self.root / 'calm'
        killed = runs = first = runs_of_these = 0
        staged = False  # those from `first` on
        while killed < KILLS or not staged:
            if staged and runs_of_these >= RUNS_OF_THE_SAME:
                first, runs_of_these, staged = first + PROFILES_A_RUN, 0, False
            died, has_staged = self.kill_some(killed_there, first, chance)
            killed += died
            staged |= has_staged
            runs_of_these += 1
            runs += 1
        profiles = first + PROFILES_A_RUN
        # What died between merging and telling is finished by the next that
        # has something to merge.
        for extra in range(2):
            self.merge(killed_there, profiles + extra, 1)
        self.merge(calm_there, 0, profiles + 2)
        with self.subTest(seed=seed, runs=runs):
            objects = self.objects(killed_there)
            base = objects['shop/default.pgo']
            self.assertEqual(base, self.objects(calm_there)['shop/default.pgo'])
            self.assert_tidy(killed_there, objects, profiles + 2)

    def assert_tidy(self, directory, objects, profiles):
        version = (directory / 'versions' / 'shop').read_text().split('\n')[1]
        record = json.loads(version)
        manifest = json.loads(objects[record['manifest']])
        self.assertEqual(objects[record['base']], objects['shop/default.pgo'])
        self.assertEqual(len(manifest['merged']), profiles)
        needed = {part['key'] for part in manifest['parts']}
        needed |= {record['manifest'], record['base'], 'shop/default.pgo'}
        self.assertEqual(set(objects), needed)


if __name__ == '__main__':
    SUBJECT = sys.argv.pop(1)
    unittest.main()
