"""A store whose program is killed again and again has all that it said it has.

    python3 kill_test.py STORE_SUBJECT

WALLPROF_TEST_KILLS says how often; ten times if it is not set.
"""
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

KILLS = int(os.environ.get('WALLPROF_TEST_KILLS', '10'))

# No two runs add the same profiles.
NUMBERS_A_RUN = 1_000_000


def lines_of(output):
    """What was said, as lists of numbers by the first word; whole lines."""
    said = {'added': [], 'remove': [], 'removed': [], 'there': [], 'wrong': []}
    for line in output[:output.rfind('\n') + 1].splitlines():
        word, number = line.split()
        said[word].append(int(number))
    return said


class KillTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.store = os.path.join(temporary.name, 'store')

    def run_until_killed(self, first, seconds):
        with subprocess.Popen([SUBJECT, self.store, str(first)],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as subject:
            timer = threading.Timer(seconds, subject.kill)
            timer.start()
            output, errors = subject.communicate()
            timer.cancel()
        self.assertEqual(subject.returncode, -signal.SIGKILL, errors)
        return lines_of(output)

    def look(self):
        subject = subprocess.run([SUBJECT, self.store], check=False,
                                 capture_output=True, text=True, timeout=60)
        self.assertEqual(subject.returncode, 0, subject.stderr)
        return lines_of(subject.stdout), subject.stderr

    def test_nothing_is_lost_and_nothing_is_there_twice(self):
        seed = random.randrange(1 << 32)
        chance = random.Random(seed)
        added, remove, removed = set(), set(), set()
        for kill in range(KILLS):
            said = self.run_until_killed(kill * NUMBERS_A_RUN,
                                         chance.uniform(0.03, 0.5))
            added.update(said['added'])
            remove.update(said['remove'])
            removed.update(said['removed'])
            there, log = self.look()
            with self.subTest(seed=seed, kill=kill, log=log):
                self.assertEqual(there['wrong'], [])
                numbers = set(there['there'])
                self.assertEqual(len(numbers), len(there['there']), 'twice')
                self.assertEqual(added - remove - numbers, set(), 'lost')
                self.assertEqual(removed & numbers, set(), 'came back')
        self.assertGreater(len(added), 10 * KILLS)
        self.assertGreater(len(removed), 0)


if __name__ == '__main__':
    SUBJECT = sys.argv.pop(1)
    unittest.main()
