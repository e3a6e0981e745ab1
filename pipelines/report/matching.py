# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which boxes of two lists are the same one: the one-to-one assignment with the largest sum of overlaps.

Overlap is intersection over union (Jaccard index). Pairs that overlap by less than a limit are none, so that boxes
fall into groups that do not touch; each group is solved exactly. Equal input gives equal output: nothing depends on
chance or on hashes.
"""
from bisect import bisect_left
from math import inf


def overlap(a, b):
    """Intersection over union of two boxes [x0, y0, x1, y1], from 0 to 1. Boxes without area overlap if equal."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return float(a == b)
    shared = width * height
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


class _Assignment:
    """The Hungarian method with potentials and shortest augmenting paths: R. Jonker and A. Volgenant, A shortest
    augmenting path algorithm for dense and sparse linear assignment problems, Computing 38 (1987), the method of
    SciPy's linear_sum_assignment(). Row and column 0 stand for nothing. There are at most as many rows as columns."""

    def __init__(self, costs):
        self.costs = costs
        self.rows, self.columns = len(costs), len(costs[0])
        self.row_price, self.column_price = [0.0] * (self.rows + 1), [0.0] * (self.columns + 1)
        self.row_of = [0] * (self.columns + 1)
        for row in range(1, self.rows + 1):
            self._assign(row)

    def _assign(self, row):
        """The cheapest path from a row without column to a column without row; what lies on it moves up by one."""
        cheapest, before = [inf] * (self.columns + 1), [0] * (self.columns + 1)
        done = [False] * (self.columns + 1)
        self.row_of[0] = row
        column = 0
        while self.row_of[column]:
            done[column] = True
            column = self._extend(column, cheapest, before, done)
        while column:
            self.row_of[column] = self.row_of[before[column]]
            column = before[column]

    def _extend(self, last, cheapest, before, done):
        """The next column of the path, behind `last`; prices are raised by what the way there costs."""
        row = self.row_of[last]
        costs, price = self.costs[row - 1], self.row_price[row]
        step, following = inf, 0
        for column in range(1, self.columns + 1):
            if done[column]:
                continue
            cost = costs[column - 1] - price - self.column_price[column]
            if cost < cheapest[column]:
                cheapest[column], before[column] = cost, last
            if cheapest[column] < step:
                step, following = cheapest[column], column
        for column, is_done in enumerate(done):
            if is_done:
                self.row_price[self.row_of[column]] += step
                self.column_price[column] -= step
            else:
                cheapest[column] -= step
        return following

    def pairs(self):
        return [(row - 1, column - 1) for column, row in enumerate(self.row_of) if row and column]


def _solve(weights, rows, columns):
    """Pairs of a group, of which `weights` knows {(row, column): overlap}."""
    if len(rows) > len(columns):
        flipped = {(column, row): weight for (row, column), weight in weights.items()}
        return [(row, column) for column, row in _solve(flipped, columns, rows)]
    costs = [[-weights.get((row, column), 0.0) for column in columns] for row in rows]
    found = [(rows[i], columns[j]) for i, j in _Assignment(costs).pairs()]
    return [pair for pair in found if pair in weights]


def _groups(weights):
    """Rows and columns that hang together by pairs, in the order of their first rows."""
    by_row, by_column = {}, {}
    for row, column in weights:
        by_row.setdefault(row, []).append(column)
        by_column.setdefault(column, []).append(row)
    seen = set()
    for first in by_row:
        if first in seen:
            continue
        rows, columns, waiting = {first}, set(), [first]
        while waiting:
            for column in by_row[waiting.pop()]:
                if column not in columns:
                    columns.add(column)
                    new = [row for row in by_column[column] if row not in rows]
                    rows.update(new)
                    waiting += new
        seen |= rows
        yield sorted(rows), sorted(columns)


def match(boxes_a, boxes_b, limit):
    """Pairs (index in a, index in b, overlap) of boxes that are the same, in the order of a. `limit` is above 0."""
    weights = {}
    for i, a in enumerate(boxes_a):
        for j, b in enumerate(boxes_b):
            if a[0] < b[2] and b[0] < a[2] or a[0] == b[0]:  # most boxes of a page are far apart
                shared = overlap(a, b)
                if shared >= limit:
                    weights[i, j] = shared
    pairs = []
    for rows, columns in _groups(weights):
        if len(rows) == len(columns) == 1:
            pairs.append((rows[0], columns[0]))
        else:
            inside = {pair: weights[pair] for pair in weights if pair[0] in set(rows)}
            pairs += _solve(inside, rows, columns)
    return sorted((i, j, weights[i, j]) for i, j in pairs)


def longest_rise(values):
    """Places of a longest rising subsequence of distinct numbers (C. Schensted, 1961; patience sorting)."""
    tails, places, before = [], [], []
    for place, value in enumerate(values):
        at = bisect_left(tails, value)
        before.append(places[at - 1] if at else -1)
        tails[at:at + 1] = [value]
        places[at:at + 1] = [place]
    rise, place = [], places[-1] if places else -1
    while place >= 0:
        rise.append(place)
        place = before[place]
    return rise[::-1]
