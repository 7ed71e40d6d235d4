"""The store's tests against a server that was written by others.

    python3 tests/fleet/objects/s3_server_test.py TESTS NODE_MODULES

TESTS is the program of kept_objects_test.cc.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

BUCKET = 'profiles'


def main():
    tests, modules = sys.argv[1:]
    with tempfile.TemporaryDirectory() as directory, subprocess.Popen(
            # It makes its tokens with a cipher that OpenSSL has put aside.
            ['node', '--openssl-legacy-provider',
             pathlib.Path(__file__).with_name('s3_server.js'), directory,
             BUCKET],
            env={**os.environ, 'NODE_PATH': modules}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        try:
            endpoint = f'http://127.0.0.1:{int(server.stdout.readline())}'
            environment = {**os.environ,
                           'AWS_ACCESS_KEY_ID': 'S3RVER',
                           'AWS_SECRET_ACCESS_KEY': 'S3RVER',
                           'WALLPROF_TEST_ENDPOINT': endpoint}
            done = subprocess.run([tests, '--gtest_brief=1'], env=environment,
                                  check=False)
        finally:
            server.stdin.close()
        sys.exit(done.returncode)


if __name__ == '__main__':
    main()
