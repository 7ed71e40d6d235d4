"""Tests of the shared store, with servers that were written by others.

    python3 tests/fleet/store/shared/servers_test.py TESTS NODE_MODULES
        [ARGUMENT...]

TESTS is a program of GoogleTest. Left out where PostgreSQL is not installed.
"""
import os
import pathlib
import subprocess
import sys

sys.path.append(str(pathlib.Path(__file__).parents[2]))
import servers


def main():
    tests, modules, *arguments = sys.argv[1:]
    with servers.Postgres() as postgres, servers.S3Server(modules) as s3, \
            servers.FaultProxy(s3.endpoint) as proxy:
        environment = {
            **os.environ, **s3.environment,
            'WALLPROF_TEST_POSTGRES': postgres.url,
            'WALLPROF_TEST_POSTGRES_KILL': postgres.kill_command,
            'WALLPROF_TEST_S3': s3.endpoint,
            'WALLPROF_TEST_S3_FAULTS': proxy.endpoint,
        }
        done = subprocess.run([tests, '--gtest_brief=1', *arguments],
                              env=environment, check=False)
    sys.exit(done.returncode)


if __name__ == '__main__':
    main()
