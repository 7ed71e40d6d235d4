"""The store's tests against a server that was written by others.

    python3 tests/fleet/objects/s3_server_test.py TESTS NODE_MODULES

TESTS is the program of kept_objects_test.cc.
"""
import os
import pathlib
import subprocess
import sys

sys.path.append(str(pathlib.Path(__file__).parents[1]))
import servers


def main():
    tests, modules = sys.argv[1:]
    with servers.S3Server(modules) as server:
        environment = {**os.environ, **server.environment,
                       'WALLPROF_TEST_ENDPOINT': server.endpoint}
        done = subprocess.run([tests, '--gtest_brief=1'], env=environment,
                              check=False)
    sys.exit(done.returncode)


if __name__ == '__main__':
    main()
