"""Builds in turns, and what the turns say."""
import math
import statistics

import workloads


def in_turns(binaries, runs, rounds):
    """{build: [Cost]}. Each round begins with another build, so that none is always
    the one after, or before, a certain other."""
    names = list(binaries)
    costs = {name: [] for name in names}
    for name in names:  # files and pages are there from now on
        workloads.measure(binaries[name], runs)
    for turn in range(rounds):
        start = turn % len(names)
        for name in names[start:] + names[:start]:
            costs[name].append(workloads.measure(binaries[name], runs))
    return costs


def speed_ups(costs, name, of='user'):
    """Of `name` to the plain build: the median, and the middle half's bounds. All
    of ratios within a round, of which what slows the machine down is common."""
    ratios = [getattr(plain, of) / getattr(mine, of)
              for plain, mine in zip(costs['plain'], costs[name])]
    low, median, high = statistics.quantiles(ratios, n=4, method='inclusive')
    return low, median, high


def geomean(ratios):
    return math.exp(statistics.fmean(map(math.log, ratios)))
