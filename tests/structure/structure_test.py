"""The shape of the source tree: who includes whom, and how long files get.

    python3 tests/structure/structure_test.py SOURCE_DIR

Includes follow the pipeline from left to right and never back.
"""
import pathlib
import re
import sys
import unittest

# The public headers, by the library that they belong to.
PUBLIC = {
    'wallprof/profile.h': 'profile API',
    'wallprof/merge.h': 'profile API',
    'wallprof/filter.h': 'profile API',
    'wallprof/formats.h': 'profile API',
    'wallprof/pprof_merge.h': 'profile API',
    'wallprof/profiler.h': 'profiler API',
    'wallprof/labels.h': 'profiler API',
    'wallprof/recorder.h': 'profiler API',
    'wallprof/bundle.h': 'bundle API',
    'wallprof/bundle_schedule.h': 'bundle API',
    'wallprof/variables.h': 'bundle API',
    'wallprof/http.h': 'http API',
    'wallprof/httplib_mount.h': 'http API',
    'wallprof/object_store.h': 'objects API',
    'wallprof/agent.h': 'agent API',
}
PROFILE = ['profile API']
PROFILER = PROFILE + ['profiler API']
BUNDLE = PROFILER + ['bundle API']
HTTP = BUNDLE + ['http API']
FLEET = PROFILER + ['agent API']

# Each room with the rooms whose headers its files may include, besides its
# own. A folder that is not named here belongs to the room above it.
ROOMS = {
    'profiler/include': PROFILER,
    'profiler/profile': PROFILE,
    'profiler/encode': ['profiler/profile'] + PROFILE,
    'profiler/threads': PROFILER,
    'profiler/unwind': ['profiler/threads', 'profiler/stacks'],
    # Turns what was recorded into the plain profile.
    'profiler/stacks': PROFILE,
    # Keeps what was measured, for the profiles of a day.
    'profiler/record': ['profiler/threads', 'profiler/stacks',
                        'profiler/profile'] + PROFILER,
    'profiler/capture/signal': [],
    'profiler/capture': ['profiler/threads', 'profiler/unwind',
                         'profiler/stacks', 'profiler/capture/signal',
                         'profiler/profile'] + PROFILER,
    'profiler/symbolize': ['profiler/profile'] + PROFILE,
    # The facade wires the rooms.
    'profiler': ['profiler/threads', 'profiler/unwind', 'profiler/stacks',
                 'profiler/capture', 'profiler/capture/signal',
                 'profiler/record', 'profiler/symbolize', 'profiler/profile'] + PROFILER,
    # The program around the library, as `cli` is.
    'profiler/preload': ['profiler', 'profiler/threads', 'profiler/capture',
                         'fleet/bundle', 'http'] + HTTP,
    'fleet/include': BUNDLE + FLEET + ['objects API'],
    # What of the program's own is called, and on which thread.
    'fleet/calls': [],
    # What happens, told on a line.
    'fleet/log': [],
    # Files that outlive a power cut.
    'fleet/files': [],
    # Profiles packed and unpacked in large numbers.
    'fleet/gzip': PROFILE,
    # What one process says of itself. HTTP is one of the ways it leaves by.
    'fleet/bundle': ['fleet/calls'] + BUNDLE,
    'http/include': HTTP,
    'http/socket': [],
    'http': ['http/socket', 'fleet/bundle'] + HTTP,
    # One HTTP request.
    'fleet/transfer': [],
    # Where to keep what profiles and bundles are written to.
    'fleet/objects': ['fleet/files', 'fleet/transfer', 'objects API'],
    # Tables that several programs share.
    'fleet/postgres': [],
    # Where a fleet's profiles are kept: here, or where several reach them.
    'fleet/store': ['fleet/files', 'fleet/gzip', 'fleet/log', 'fleet/postgres',
                    'objects API'],
    'fleet/agent': ['fleet/calls', 'fleet/log'] + FLEET,
    # What daemons have around what they serve.
    'fleet/serving': ['fleet/files', 'fleet/log', 'http', 'http/socket'] + HTTP,
    # Answers requests about what is kept.
    'fleet/collector': ['fleet/store', 'fleet/serving', 'fleet/agent',
                        'fleet/bundle', 'fleet/gzip', 'http',
                        'profiler/encode'] + HTTP,
    # Profiles for the next build. Engines know nothing of profiles, and
    # profiles nothing of engines; the base is where they meet.
    'fleet/pgo': [],
    'fleet/pgo/profile': ['fleet/pgo', 'fleet/gzip', 'fleet/log',
                          'profiler/encode', 'profiler/profile'] + PROFILE,
    # Where engines are, and connections to those that do several things.
    'fleet/pgo/engines': [],
    'fleet/pgo/events': ['fleet/pgo', 'fleet/pgo/engines'],
    'fleet/pgo/versions': ['fleet/pgo', 'fleet/pgo/engines', 'fleet/files',
                           'fleet/postgres'],
    'fleet/pgo/base': ['fleet/pgo', 'fleet/pgo/events', 'fleet/pgo/profile',
                       'fleet/pgo/versions', 'fleet/gzip', 'fleet/log',
                       'objects API'] + PROFILE,
    'fleet/pgo/server': ['fleet/pgo', 'fleet/pgo/base', 'fleet/pgo/events',
                         'fleet/pgo/profile', 'fleet/log', 'fleet/serving',
                         'http'] + HTTP,
    'fleet/pgo/client': ['fleet/pgo', 'fleet/pgo/base', 'fleet/transfer'],
    # What compilers read.
    'fleet/pgo/export': ['fleet/pgo', 'fleet/pgo/profile', 'profiler/profile',
                         'profiler/symbolize'] + PROFILE,
    'fleet/pgo/scrape': ['fleet/pgo', 'fleet/files', 'fleet/log',
                         'fleet/transfer'],
    # The programs wire what the libraries have.
    'cli': ['profiler', 'profiler/threads', 'profiler/profile', 'fleet/agent',
            'fleet/bundle', 'fleet/collector', 'fleet/files', 'fleet/gzip',
            'fleet/log', 'fleet/pgo', 'fleet/pgo/base', 'fleet/pgo/client', 'fleet/pgo/events', 'fleet/pgo/export',
            'fleet/pgo/profile', 'fleet/pgo/scrape', 'fleet/pgo/server',
            'fleet/pgo/versions', 'fleet/serving', 'fleet/store',
            'fleet/transfer', 'http', 'objects API'] + HTTP + FLEET,
    'examples': HTTP,
}

# Libraries that only some rooms may know, by a header's first letters.
LIBRARIES = {
    'httplib.h': ['http', 'http/include', 'examples'],
    'libunwind': ['profiler/unwind'],
    'protozero/': ['profiler/encode'],
    'gelf.h': ['profiler/symbolize'],
    'libelf.h': ['profiler/symbolize'],
    'elfutils/': ['profiler/symbolize'],
    'dwarf.h': ['profiler/symbolize'],
    'lzma.h': ['profiler/symbolize'],
    'zlib.h': ['profiler/encode', 'profiler/record', 'profiler/symbolize',
               'fleet/agent', 'fleet/bundle'],
    'libdeflate.h': ['fleet/gzip', 'fleet/store'],
    'sqlite3.h': ['fleet/store'],
    'zstd.h': ['fleet/store'],
    'zdict.h': ['fleet/store'],
    're2/': ['cli', 'fleet/pgo/profile', 'fleet/store'],
    'CLI/': ['cli'],
    'curl/': ['cli', 'fleet/transfer'],
    'openssl/': ['fleet/objects', 'fleet/serving', 'fleet/store'],
    'toml++/': ['cli'],
    'pugixml': ['fleet/objects'],
    'ares.h': ['fleet/agent'],
    'libpq-fe.h': ['fleet/postgres'],
    'nats/': ['fleet/pgo/engines', 'fleet/pgo/events',
              'fleet/pgo/versions'],
    'librdkafka/': ['fleet/pgo/events'],
    'yaml-cpp/': ['fleet/pgo/scrape'],
    'absl/': [room for room in ROOMS if room != 'profiler/capture/signal'],
}

# What code in a signal's context may know of the standard library: headers of
# C, and these, which allocate nothing and take no lock.
SIGNAL_ROOM = 'profiler/capture/signal'
SIGNAL_HEADERS = {'algorithm', 'array', 'atomic', 'bit', 'cerrno', 'csignal',
                  'cstddef', 'cstdint', 'cstring', 'ctime', 'limits', 'new',
                  'type_traits', 'utility'}

# Folders with tests and measurements may include everything.
FREE = ['tests', 'bench']

LONGEST_FILE = 400  # lines; one noun fits


def room_of(path):
    """The room that a file belongs to; None in a folder that is free."""
    folder = pathlib.PurePosixPath(path).parent
    for room in [folder, *folder.parents]:
        if str(room) in FREE:
            return None
        if str(room) in ROOMS:
            return str(room)
    raise ValueError(f'{path}: belongs to no room of {__file__}')


def includes_of(text):
    return re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', text, re.M)


def include_offences(path, text):
    """What is wrong with the includes of one file, a sentence each."""
    room = room_of(path)
    if room is None:
        return
    for header in includes_of(text):
        target = PUBLIC.get(header)
        if target is None and header.startswith('wallprof/'):
            yield f'{path}: {header} is missing in the table of public headers'
        elif target is None and '/' in header and (
                header.split('/')[0] in ('profiler', 'http', 'fleet', 'cli')):
            target = room_of(header)
        if target is not None and target != room and target not in ROOMS[room]:
            yield f'{path}: {room} must not include {header} ({target})'
        for library, rooms in LIBRARIES.items():
            if header.startswith(library) and room not in rooms:
                yield f'{path}: {room} must not include {header}'
        if (room == SIGNAL_ROOM and target is None and
                not header.endswith('.h') and header not in SIGNAL_HEADERS):
            yield f'{path}: signal context must not know <{header}>'


def guard_of(path):
    """The include guard that the header at `path` must have."""
    name = re.sub(r'^\w+/include/wallprof/', '', path)
    return 'WALLPROF_' + re.sub(r'\W', '_', name).upper() + '_'


def guard_offences(path, text):
    guard = guard_of(path)
    if not re.search(rf'^#ifndef {guard}\n#define {guard}$', text, re.M):
        yield f'{path}: its guard should be {guard}'
    elif not re.search(rf'^#endif\s+(// {guard}|/\* {guard} \*/)\s*\Z', text,
                       re.M):
        yield f'{path}: should end with #endif  // {guard}'


def length_offences(path, text):
    lines = text.count('\n')
    if lines > LONGEST_FILE:
        yield f'{path}: {lines} lines, more than {LONGEST_FILE}'


def offences_of(path, text):
    yield from include_offences(path, text)
    yield from length_offences(path, text)
    if path.endswith('.h'):
        yield from guard_offences(path, text)


class RulesTest(unittest.TestCase):
    """That the rules find what they are there to find."""

    def includes(self, path, *headers):
        text = ''.join(f'#include "{header}"\n' for header in headers)
        return list(include_offences(path, text))

    def test_pipeline_runs_one_way(self):
        capture = 'profiler/capture/sampler.cc'
        threads = 'profiler/threads/task.cc'
        self.assertEqual(self.includes(capture, 'profiler/threads/task.h'), [])
        self.assertEqual(len(self.includes(threads, 'profiler/capture/a.h')), 1)
        self.assertEqual(
            len(self.includes('profiler/encode/a.cc', 'profiler/stacks/b.h')), 1)

    def test_outer_rooms_see_public_headers_alone(self):
        self.assertEqual(self.includes('http/a.cc', 'wallprof/profiler.h'), [])
        self.assertEqual(self.includes('http/pages/a.cc', 'http/query.h'), [])
        for path in 'http/a.cc', 'cli/a.cc', 'profiler/preload/a.cc':
            self.assertEqual(len(self.includes(path, 'profiler/encode/a.h')), 1)

    def test_inner_rooms_do_not_see_outer_public_headers(self):
        self.assertEqual(
            len(self.includes('profiler/profile/a.cc', 'wallprof/http.h')), 1)
        self.assertEqual(
            len(self.includes('profiler/encode/a.cc', 'wallprof/profiler.h')), 1)

    def test_libraries_stay_in_their_rooms(self):
        self.assertEqual(self.includes('http/server.cc', 'httplib.h'), [])
        self.assertEqual(len(self.includes('cli/run.cc', 'httplib.h')), 1)
        self.assertEqual(
            len(self.includes('profiler/capture/a.cc', 'libunwind.h')), 1)

    def test_signal_context_knows_little(self):
        path = 'profiler/capture/signal/handler.cc'
        self.assertEqual(self.includes(path, 'atomic', 'signal.h',
                                       'profiler/capture/signal/a.h'), [])
        for header in ('string', 'mutex', 'absl/time/time.h',
                       'profiler/capture/sampler.h', 'wallprof/profiler.h'):
            self.assertEqual(len(self.includes(path, header)), 1, header)

    def test_new_rooms_and_headers_must_be_entered(self):
        with self.assertRaises(ValueError):
            room_of('fresh/a.cc')
        self.assertEqual(len(self.includes('cli/a.cc', 'wallprof/new.h')), 1)

    def test_guards_follow_the_path(self):
        self.assertEqual(guard_of('profiler/include/wallprof/merge.h'),
                         'WALLPROF_MERGE_H_')
        self.assertEqual(guard_of('http/query.h'), 'WALLPROF_HTTP_QUERY_H_')
        good = ('#ifndef WALLPROF_HTTP_QUERY_H_\n'
                '#define WALLPROF_HTTP_QUERY_H_\n'
                '#endif  // WALLPROF_HTTP_QUERY_H_\n')
        self.assertEqual(list(guard_offences('http/query.h', good)), [])
        self.assertEqual(len(list(guard_offences('http/other.h', good))), 1)

    def test_long_files_are_found(self):
        self.assertEqual(list(length_offences('a.cc', 400 * '\n')), [])
        self.assertEqual(len(list(length_offences('a.cc', 401 * '\n'))), 1)


class TreeTest(unittest.TestCase):
    """That the tree keeps the rules."""

    def test_every_file(self):
        files = [file for folder in ('profiler', 'fleet', 'http', 'cli', *FREE,
                                     'examples')
                 for suffix in ('cc', 'h')
                 for file in sorted((SOURCE / folder).rglob(f'*.{suffix}'))]
        self.assertGreater(len(files), 50)
        offences = [offence for file in files
                    for offence in offences_of(
                        file.relative_to(SOURCE).as_posix(),
                        file.read_text(encoding='utf-8'))]
        self.assertEqual(offences, [], '\n' + '\n'.join(offences))


if __name__ == '__main__':
    SOURCE = pathlib.Path(sys.argv.pop(1))
    unittest.main()
