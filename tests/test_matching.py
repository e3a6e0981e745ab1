# SPDX-License-Identifier: LGPL-2.1-or-later
"""pipelines/report/matching.py beside counting cells and trying every assignment."""
import functools
import itertools
import random
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "pipelines" / "report"))
import matching  # noqa: E402


def cells(box):
    return {(x, y) for x in range(box[0], box[2]) for y in range(box[1], box[3])}


def random_box(rng, size=8):
    x, y = rng.randrange(size), rng.randrange(size)
    return [x, y, x + rng.randrange(1, size), y + rng.randrange(1, size)]


def crowd(rng, count):
    """Boxes most of which overlap by half."""
    return [[rng.randrange(3), rng.randrange(3), 9 + rng.randrange(3), 9 + rng.randrange(3)] for _ in range(count)]


def best_sum(a, b, limit):
    """The largest sum of overlaps that any one-to-one assignment has, by trying all."""
    @functools.cache
    def best(i, free):
        if i == len(a):
            return 0.0
        sums = [best(i + 1, free)]
        for j in range(len(b)):
            shared = matching.overlap(a[i], b[j])
            if free >> j & 1 and shared >= limit:
                sums.append(shared + best(i + 1, free & ~(1 << j)))
        return max(sums)
    return best(0, (1 << len(b)) - 1)


class Overlap(unittest.TestCase):
    def test_beside_counted_cells(self):
        rng = random.Random(1)
        for _ in range(2000):
            a, b = random_box(rng), random_box(rng)
            self.assertAlmostEqual(matching.overlap(a, b), len(cells(a) & cells(b)) / len(cells(a) | cells(b)))
            self.assertEqual(matching.overlap(a, b), matching.overlap(b, a))

    def test_boxes_without_area(self):
        self.assertEqual(matching.overlap([1, 1, 1, 5], [1, 1, 1, 5]), 1)
        self.assertEqual(matching.overlap([1, 1, 1, 5], [0, 0, 9, 9]), 0)
        self.assertEqual(matching.overlap([3, 3, 1, 1], [0, 0, 9, 9]), 0)
        self.assertEqual(matching.match([[1, 1, 1, 5]], [[1, 1, 1, 5]], 0.5), [(0, 0, 1.0)])


class Match(unittest.TestCase):
    def check(self, a, b, limit):
        pairs = matching.match(a, b, limit)
        for side in (0, 1):
            self.assertEqual(len({pair[side] for pair in pairs}), len(pairs))
        for i, j, shared in pairs:
            self.assertEqual(shared, matching.overlap(a[i], b[j]))
            self.assertGreaterEqual(shared, limit)
        self.assertEqual(pairs, sorted(pairs))
        self.assertAlmostEqual(sum(pair[2] for pair in pairs), best_sum(a, b, limit))
        return pairs

    def test_random(self):
        rng = random.Random(2)
        matched = 0
        for _ in range(600):
            a, b = ([random_box(rng) for _ in range(rng.randrange(9))] for _ in range(2))
            matched += len(self.check(a, b, rng.choice([0.1, 0.3, 0.5])))
        self.assertGreater(matched, 400)

    def test_crowds(self):
        rng = random.Random(3)
        for _ in range(60):
            self.check(crowd(rng, rng.randrange(1, 11)), crowd(rng, rng.randrange(1, 11)), 0.5)

    def test_groups_that_do_not_touch(self):
        rng = random.Random(4)
        a, b = [], []
        for group in range(5):
            for side in (a, b):
                side += [[x0 + 50 * group, y0, x1 + 50 * group, y1] for x0, y0, x1, y1 in crowd(rng, 2)]
        self.check(a, b, 0.5)

    def test_greedy_would_be_worse(self):
        """The best single pair is not in the best assignment."""
        a, b = [[0, 0, 10, 10], [0, 0, 10, 15]], [[0, 0, 10, 12], [0, 0, 10, 8]]
        self.assertGreater(matching.overlap(a[0], b[0]), matching.overlap(a[0], b[1]))
        self.assertEqual([pair[:2] for pair in self.check(a, b, 0.5)], [(0, 1), (1, 0)])

    def test_same_again(self):
        rng = random.Random(5)
        a, b = crowd(rng, 9), crowd(rng, 9)
        self.assertEqual(matching.match(a, b, 0.5), matching.match(a, b, 0.5))


class LongestRise(unittest.TestCase):
    def test_beside_all_subsequences(self):
        rng = random.Random(6)
        for length in range(9):
            for _ in range(40):
                values = rng.sample(range(20), length)
                rise = matching.longest_rise(values)
                self.assertEqual(rise, sorted(set(rise)))
                chosen = [values[i] for i in rise]
                self.assertEqual(chosen, sorted(chosen))
                longest = max(n for n in range(length + 1)
                              if any(list(s) == sorted(s) for s in itertools.combinations(values, n)))
                self.assertEqual(len(rise), longest)


if __name__ == "__main__":
    unittest.main(verbosity=2)
