"""The programs: where their sources are, how they are compiled, what they are
trained with and what they are judged by."""
import dataclasses
import pathlib

import inputs

SCRIPTS = pathlib.Path(__file__).parent / 'scripts'


@dataclasses.dataclass(frozen=True)
class Run:
    """One execution: arguments, in which {in} is a file, and {folder} one for what
    is written. That, and standard output, must be the same of every build."""
    arguments: str
    make_input: object = None  # () -> text of {in}, which is standard input too
    times: int = 1


@dataclasses.dataclass(frozen=True)
class Program:
    """`sources` are globs below `folder` of the Debian source package, `without`
    those of them that are not compiled. `prepare` runs in `folder`; `files` are
    written there instead of what a configuration would make."""
    name: str
    kind: str
    package: str
    sources: tuple
    training: tuple
    test: tuple
    folder: str = '.'
    without: tuple = ()
    prepare: tuple = ()
    files: tuple = ()
    flags: tuple = ()
    libraries: tuple = ()


def of(maker, seed, size):
    return lambda: maker(seed, size)


LUA = Program(
    'lua', 'interpreter', 'lua5.4', ('src/*.c',), without=('src/luac.c',),
    flags=('-DLUA_USE_POSIX',), libraries=('-lm',),
    # Other scripts.
    training=(Run(f'{SCRIPTS}/train.lua 12'),),
    test=(Run(f'{SCRIPTS}/test.lua 12'),))

MUJS = Program(
    'mujs', 'interpreter', 'mujs', ('one.c', 'main.c'), libraries=('-lm',),
    # Other scripts.
    training=(Run(f'{SCRIPTS}/train.js 24'),),
    test=(Run(f'{SCRIPTS}/test.js 24'),))

SQLITE = Program(
    'sqlite', 'database', 'sqlite3', ('sqlite3.c', 'shell.c'),
    prepare=('./configure --disable-tcl --disable-readline',
             'make sqlite3.c shell.c'),
    flags=('-DSQLITE_THREADSAFE=0', '-DSQLITE_OMIT_LOAD_EXTENSION'),
    libraries=('-lm',),
    # Other tables and mostly other statements; a few of what it is trained with,
    # of another seed.
    training=(Run(':memory:', of(inputs.sql_of_orders, 1, 60000), 2),
              Run(':memory:', of(inputs.sql_of_events, 2, 20000))),
    test=(Run(':memory:', of(inputs.sql_of_events, 3, 90000), 2),
          Run(':memory:', of(inputs.sql_of_orders, 4, 30000))))

BZIP2 = Program(
    'bzip2', 'compressor', 'bzip2',
    ('blocksort.c', 'huffman.c', 'crctable.c', 'randtable.c', 'compress.c',
     'decompress.c', 'bzlib.c', 'bzip2.c'), flags=('-D_FILE_OFFSET_BITS=64',),
    # A log instead of prose, of another size.
    training=(Run('-c {in}', of(inputs.text, 1, 8_000_000), 2),),
    test=(Run('-c {in}', of(inputs.records, 3, 10_000_000), 2),))

EXPAT = Program(
    'xmlwf', 'parser', 'expat',
    ('lib/xmlparse.c', 'lib/xmlrole.c', 'lib/xmltok.c', 'xmlwf/codepage.c',
     'xmlwf/unixfilemap.c', 'xmlwf/xmlfile.c', 'xmlwf/xmlwf.c'),
    folder='expat',
    files=(('expat_config.h',
            '#define BYTEORDER 1234\n#define HAVE_UNISTD_H 1\n'
            '#define HAVE_MEMORY_H 1\n#define HAVE_FCNTL_H 1\n'
            '#define XML_CONTEXT_BYTES 1024\n#define XML_DTD 1\n#define XML_NS 1\n'
            '#define XML_GE 1\n#define XML_DEV_URANDOM 1\n#define STDC_HEADERS 1\n'
            '#define HAVE_MMAP 1\n#define PACKAGE "expat"\n'),),
    flags=('-I.', '-Ilib', '-DHAVE_EXPAT_CONFIG_H'),
    # Other documents: another depth, and more of them text. What is parsed is
    # written only of one, since writing takes longer than parsing.
    training=(Run('-r -p {in}', of(inputs.xml, 1, 8_000_000), 5),
              Run('-n -r {in}', of(inputs.xml, 2, 8_000_000), 5)),
    test=(Run('-r -p {in}', of(inputs.xml, 4, 12_000_000), 5),
          Run('-n -r {in}', of(inputs.xml, 6, 12_000_000), 5),
          Run('-n -d {folder} {in}', of(inputs.xml, 6, 1_000_000))))

# The one that takes longest to build is begun with.
ALL = {program.name: program for program in (SQLITE, LUA, MUJS, BZIP2, EXPAT)}
