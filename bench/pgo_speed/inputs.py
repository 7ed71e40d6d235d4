"""What the programs work on, made from a seed: trainings and tests have different
seeds, sizes and mixtures."""
import itertools
import random


def text(seed, size):
    """Prose of made-up words, of which few are frequent; with some numbers."""
    chance = random.Random(seed)
    words = [''.join(chance.choices('etaoinshrdlucmfwyp', k=chance.randint(1, 9)))
             for _ in range(4000)]
    weights = list(itertools.accumulate(1 / rank for rank in range(1, 4001)))
    lines, length = [], 0
    while length < size:
        line = chance.choices(words, cum_weights=weights, k=chance.randint(4, 14))
        if chance.random() < 0.2:
            line.append(str(chance.randrange(10**chance.randint(1, 8))))
        lines.append(' '.join(line) + chance.choice(['.', ',', '', ';']))
        length += len(lines[-1]) + 1
    return '\n'.join(lines) + '\n'


def records(seed, size):
    """Lines of a log: much alike, with numbers that differ."""
    chance = random.Random(seed)
    paths = [f'/{chance.choice(["api", "img", "shop", "doc"])}/'
             f'{chance.randrange(400)}' for _ in range(300)]
    lines, length, clock = [], 0, 1_700_000_000
    while length < size:
        clock += chance.randrange(3)
        lines.append(f'{clock}.{chance.randrange(1000):03d} '
                     f'10.0.{chance.randrange(4)}.{chance.randrange(256)} '
                     f'"GET {chance.choice(paths)}?id={chance.getrandbits(40):x}" '
                     f'{chance.choice([200, 200, 200, 304, 404, 500])} '
                     f'{chance.randrange(20000)}')
        length += len(lines[-1]) + 1
    return '\n'.join(lines) + '\n'


def xml(seed, size):
    """A catalogue; `seed` decides how deep it is and how much of it is text."""
    chance = random.Random(seed)
    prose = text(seed, 20000).splitlines()
    depth_limit = chance.randint(4, 7)
    out, length, depth = ['<?xml version="1.0"?>\n<catalogue>'], 0, []
    while length < size or depth:
        if length < size and len(depth) < depth_limit and chance.random() < 0.55:
            name = chance.choice(['item', 'price', 'part', 'note', 'ref:link'])
            depth.append(name)
            attributes = ''.join(
                f' {key}="{chance.randrange(9999)} &amp; {chance.choice("xyz")}"'
                for key in chance.sample(['id', 'kind', 'unit', 'by'],
                                         chance.randrange(4)))
            out.append(f'<{name}{attributes}>')
        elif depth and chance.random() < 0.6:
            out.append(f'</{depth.pop()}>\n')
        else:
            out.append(chance.choice(prose) + chance.choice(
                ['', '', ' &lt;', '<br/>', '<!-- none -->', ' é', '<![CDATA[<]]>']))
        length += len(out[-1])
    out.append('</catalogue>\n')
    return ''.join(out).replace('ref:link', 'reflink')


def sql_of_orders(seed, rows):
    """A shop's tables: filled, indexed, joined, changed."""
    chance = random.Random(seed)
    out = ['pragma journal_mode=memory; begin;',
           'create table customer(id integer primary key, name text, city text);',
           'create table orders(id integer primary key, customer int, day int, '
           'total real, note text);']
    for i in range(rows // 10):
        out.append(f"insert into customer values({i}, 'name{chance.randrange(999)}', "
                   f"'city{chance.randrange(40)}');")
    for i in range(rows):
        out.append(f'insert into orders values({i}, {chance.randrange(rows // 10)}, '
                   f"{chance.randrange(365)}, {chance.random() * 900:.2f}, "
                   f"'{'note ' * chance.randrange(4)}{chance.randrange(99)}');")
    out.append('create index by_customer on orders(customer, day); commit;')
    for _ in range(12):
        low = chance.randrange(300)
        out += [
            'select city, count(*), round(sum(total), 2) from orders '
            'join customer on customer.id = customer where day between '
            f'{low} and {low + 60} group by city order by 3 desc limit 3;',
            f"select count(*) from orders where note like '%{chance.randrange(99)}';",
            'select name, max(total) from customer join orders on customer = '
            f'customer.id where city = \'city{chance.randrange(40)}\' group by name '
            'order by name limit 5;',
            f'update orders set total = total + 1 where day = {low};',
        ]
    return '\n'.join(out) + '\n'


def sql_of_events(seed, rows):
    """A log of events: expressions, windows, recursion, strings, deletions."""
    chance = random.Random(seed)
    out = ['create table event(at int, kind text, host text, value int);',
           'create table host(name text primary key, rack int) without rowid;',
           'begin;']
    for i in range(200):
        out.append(f"insert into host values('host-{i}', {chance.randrange(20)});")
    kinds = ['get', 'put', 'del']
    for i in range(0, rows, 4):
        values = ', '.join(
            f"({i * 3 + chance.randrange(9)}, '{chance.choice(kinds)}', "
            f"'host-{chance.randrange(200)}', {chance.randrange(100000)})"
            for _ in range(4))
        out.append(f'insert into event values {values};')
    out.append('commit; create index by_host on event(host);')
    for _ in range(8):
        rack = chance.randrange(20)
        out += [
            'select kind, avg(value), min(at) from event where host in '
            f'(select name from host where rack = {rack}) group by kind;',
            'select host, at, sum(value) over (partition by host order by at) from '
            f"event where host = 'host-{chance.randrange(200)}' order by at limit 3;",
            'select upper(substr(host, 6)) || kind, count(distinct value % 97) from '
            f'event where at % 7 = {rack % 7} group by 1 order by 2 desc, 1 limit 3;',
            f'with recursive n(i) as (select 1 union all select i + 1 from n where '
            f'i < {8000 + rack}) select sum(i * i % 11) from n;',
            f'delete from event where value < {rack * 20};',
        ]
    return '\n'.join(out) + '\n'
