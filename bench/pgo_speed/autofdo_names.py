"""Puts the names of functions right in what create_llvm_prof 0.19 writes.

Those of inlined functions it prints from memory that it has freed (google/autofdo
issue 95), so that clang does not read its profiles. The rest is right: their
lengths, their order, which is that of the right names, and where they were called.
What is inlined where is told by the debug information, which llvm-dwarfdump prints.
From names of others it takes what -funique-internal-linkage-names appends, without
which clang does not know them.
"""
import collections
import re
import subprocess
import sys

ENTRY = re.compile(rb'( +)(\d+)(?:\.(\d+))?: (.*):(\d+)', re.DOTALL)
COUNT = re.compile(rb'( +)(\d+)(?:\.(\d+))?: (\d+)')
FUNCTION = re.compile(rb'[^ ].*:\d+:\d+')
DIE = re.compile(r'0x([0-9a-f]+):( +)DW_TAG_(\w+)')
ATTRIBUTE = re.compile(r' +DW_AT_(\w+)\s+\((?:0x([0-9a-f]+)|(\d+))?[^"]*(?:"(.*)")?')


def base_discriminator(encoded):
    """The first of the numbers that LLVM packs into one."""
    if encoded & 1:
        return 0
    encoded >>= 1
    if encoded & 0x20:
        return (encoded >> 1) & 0xfe0 | encoded & 0x1f
    return encoded & 0x1f


class Die:
    def __init__(self, depth, tag):
        self.depth, self.tag = depth, tag
        self.text, self.number = {}, {}


def read_dies(binary, version):
    """[(offset, Die)] of functions, in order."""
    dump = subprocess.Popen([f'llvm-dwarfdump-{version}', '--debug-info', binary],
                            stdout=subprocess.PIPE, text=True)
    dies, current = [], None
    for line in dump.stdout:
        if found := DIE.match(line):
            current = None
            if found[3] in ('subprogram', 'inlined_subroutine'):
                current = Die(len(found[2]), found[3])
                dies.append((int(found[1], 16), current))
        elif current and (found := ATTRIBUTE.match(line)):
            current.text[found[1]] = found[4]
            current.number[found[1]] = int(found[2] or '0', 16) or int(found[3] or 0)
    if dump.wait() != 0:
        sys.exit(f'llvm-dwarfdump cannot read {binary}')
    return dies


def inlined_names(binary, version):
    """{path: {(offset, discriminator): names}}; a path is a function and the calls
    that were inlined, each (offset, discriminator, name)."""
    dies = read_dies(binary, version)
    by_offset = dict(dies)

    def origin(die):
        return by_offset.get(die.number.get('abstract_origin') or
                             die.number.get('specification'), die)

    def described(die):  # (name, line where it is declared)
        while origin(die) is not die and 'decl_line' not in die.number:
            die = origin(die)
        return (die.text.get('linkage_name') or die.text.get('name') or '',
                die.number.get('decl_line', 0))

    names = collections.defaultdict(lambda: collections.defaultdict(set))
    stack = []  # (depth, path, declared line)
    for _, die in dies:
        while stack and stack[-1][0] >= die.depth:
            stack.pop()
        name, declared = described(die)
        if die.tag == 'subprogram':
            stack.append((die.depth, (name,), declared))
            names[name,]  # functions without inlined ones are known, too
        elif stack:
            _, path, caller_line = stack[-1]
            place = ((die.number.get('call_line', 0) - caller_line) & 0xffff,
                     base_discriminator(die.number.get('GNU_discriminator', 0)))
            names[path][place].add(name)
            stack.append((die.depth, (*path, (*place, name)), declared))
    return names


def whole_lines(data):
    """Lines, of which a name with a line's end in it is no two."""
    line = b''
    for part in data.split(b'\n')[:-1]:
        line += part
        if any(form.fullmatch(line) for form in (FUNCTION, COUNT, ENTRY)):
            yield line
            line = b''
        else:
            line += b'\n'
    if line:
        sys.exit(f'create_llvm_prof wrote a line of no known form: {line!r}')


def align(lengths, candidates):
    """Of the sorted `candidates` those that have the `lengths`, in that order."""
    chosen, rest = [], iter(candidates)
    for length in lengths:
        chosen.append(next((name for name in rest if len(name) == length), None))
    return chosen


def repair(profile, binary, version):
    """Writes `profile` anew. Returns how many names were put right, and of how many
    inlined copies the name is not known: those are left out."""
    known = inlined_names(binary, version)
    whole = collections.defaultdict(set)  # by what create_llvm_prof leaves of it
    for path in known:
        whole[path[0].split('.')[0]].add(path[0])
    lines = list(whole_lines(profile.read_bytes()))
    lengths = collections.defaultdict(list)  # by number of the parent's line
    parents, place_of = [], {}
    for number, line in enumerate(lines):
        found = not COUNT.fullmatch(line) and ENTRY.fullmatch(line)
        depth = len(found[1]) if found else 0
        if FUNCTION.fullmatch(line) and not line.startswith(b' '):
            parents = [number]
        elif found:
            del parents[depth:]
            place_of[number] = (parents[-1], (int(found[2]), int(found[3] or 0)))
            lengths[place_of[number]].append((number, len(found[4])))
            parents.append(number)
    out, path_of, fixed, lost, skip = [], {}, 0, 0, None
    answers = {}
    for number, line in enumerate(lines):
        depth = len(line) - len(line.lstrip(b' '))
        if skip is not None and depth > skip:
            continue
        skip = None
        if number in place_of:
            parent, place = place_of[number]
            if number not in answers:
                siblings = lengths[parent, place]
                names = align([length for _, length in siblings],
                              sorted(known[path_of[parent]][place]))
                answers.update(zip((n for n, _ in siblings), names))
            name = answers[number]
            if name is None:
                lost, skip = lost + 1, depth
                continue
            fixed += 1
            path_of[number] = (*path_of[parent], (*place, name))
            start = line[:line.index(b': ') + 2]
            line = start + name.encode() + line[line.rindex(b':'):]
        elif depth == 0:
            name, rest = line.decode().split(':', 1)
            if len(whole[name]) == 1:
                name, = whole[name]
            path_of[number] = (name,)
            line = f'{name}:{rest}'.encode()
        out.append(line + b'\n')
    profile.write_bytes(b''.join(out))
    return fixed, lost
