# SPDX-License-Identifier: LGPL-2.1-or-later
"""What changed between two results, page by page (docs/report.md says what each kind of change means)."""
from collections import Counter
from dataclasses import dataclass, field
from itertools import zip_longest

from matching import longest_rise, match
from resultlines import document_name

# In the order in which they are told.
KINDS = ("missing", "new", "relabelled", "moved", "score", "text", "reordered")
PAGE_TOLERANCE = 0.5  # points by which sizes of the same page may differ


@dataclass(frozen=True)
class Limits:
    """What counts as a change. IoU is intersection over union."""
    iou: float = 0.5  # from which on two boxes are the same region: as in PASCAL VOC, COCO's AP50 and panoptic quality
    moved: float = 0.9  # below which it has moved
    score: float = 0.05  # above which its score has changed


@dataclass
class Change:
    """A region of a, of b, or of both that are the same one."""
    kinds: tuple  # of KINDS; () where nothing changed
    iou: float | None
    a: int | None  # places in the pages' lists of regions
    b: int | None


@dataclass
class PagePair:
    """The same page of both results; None where one has no such page."""
    document: str
    number: int
    a: dict | None
    b: dict | None
    # What differs:
    state: str = "compared"  # or only_a, only_b, failed_a, failed_b, failed_both
    resized: bool = False
    changes: list = field(default_factory=list)  # all regions, those that did not change too
    place: int = 0  # in the order of the files

    def changed(self):
        return [change for change in self.changes if change.kinds]

    def differs(self):
        return self.state not in ("compared", "failed_both") or self.resized or bool(self.changed())

    def amount(self):
        """Sorts pages that differ: those that one result has not, then by changed regions, then as in the files."""
        return (self.state == "compared", -len(self.changed()), self.place)


def _boxes(page, other):
    """Boxes of both pages in one system: points where both have them, else parts of the frame's width and height."""
    if all(p["size_pt"] and all(region.get("bbox_pt") for region in p["regions"]) for p in (page, other)):
        return [[region["bbox_pt"] for region in p["regions"]] for p in (page, other)]
    sizes = [(p["width"] or 1, p["height"] or 1) * 2 for p in (page, other)]
    return [[[v / side for v, side in zip(region["bbox"], size)] for region in p["regions"]]
            for p, size in zip((page, other), sizes)]


def _same_label_first(a, b, boxes, limit):
    """Pairs of regions: equal ones, then the best overlaps of each label, then of what is left whatever its label."""
    left = [list(range(len(a))), list(range(len(b)))]
    found = []

    def take(pairs):
        found.extend(pairs)
        for side in (0, 1):
            taken = {pair[side] for pair in pairs}
            left[side] = [i for i in left[side] if i not in taken]

    places = {}
    for j in reversed(left[1]):
        places.setdefault((b[j]["label"], *boxes[1][j]), []).append(j)
    equal = []
    for i in left[0]:
        if same := places.get((a[i]["label"], *boxes[0][i])):
            equal.append((i, same.pop(), 1.0))
    take(equal)

    def best(chosen):
        indices = [[i for i in left[side] if chosen(regions[i])] for side, regions in ((0, a), (1, b))]
        pairs = match(*([boxes[side][i] for i in indices[side]] for side in (0, 1)), limit)
        return [(indices[0][i], indices[1][j], iou) for i, j, iou in pairs]

    for label in dict.fromkeys(a[i]["label"] for i in left[0]):
        take(best(lambda region, label=label: region["label"] == label))
    take(best(lambda region: True))
    return sorted(found)


def _words(region):
    text = region.get("text")
    return None if text is None else text.split()


def _kinds(a, b, iou, reordered, limits):
    kinds = set()
    if a["label"] != b["label"]:
        kinds.add("relabelled")
    if iou < limits.moved:
        kinds.add("moved")
    if round(abs(a["score"] - b["score"]), 6) > limits.score:
        kinds.add("score")
    if None not in (_words(a), _words(b)) and _words(a) != _words(b):
        kinds.add("text")
    if reordered:
        kinds.add("reordered")
    return tuple(kind for kind in KINDS if kind in kinds)


def _changes(a, b, limits):
    """A change for each region of both pages, in the order of a, what is new last."""
    regions_a, regions_b = a["regions"], b["regions"]
    pairs = _same_label_first(regions_a, regions_b, _boxes(a, b), limits.iou)
    in_order = set(longest_rise([j for _, j, _ in pairs]))
    changes = [Change(_kinds(regions_a[i], regions_b[j], iou, place not in in_order, limits), iou, i, j)
               for place, (i, j, iou) in enumerate(pairs)]
    matched_a, matched_b = {i for i, _, _ in pairs}, {j for _, j, _ in pairs}
    changes += [Change(("missing",), None, i, None) for i in range(len(regions_a)) if i not in matched_a]
    changes.sort(key=lambda change: change.a)
    return changes + [Change(("new",), None, None, j) for j in range(len(regions_b)) if j not in matched_b]


def _resized(a, b):
    size_a, size_b = a["size_pt"], b["size_pt"]
    return bool(size_a and size_b) and any(abs(v - w) > PAGE_TOLERANCE for v, w in zip(size_a, size_b))


def compare_pages(document, number, a, b, limits):
    pair = PagePair(document, number, a, b)
    if a is None or b is None:
        pair.state = "only_b" if a is None else "only_a"
        return pair
    failed = [page["status"] == "error" for page in (a, b)]
    if any(failed):
        pair.state = "failed_both" if all(failed) else "failed_a" if failed[0] else "failed_b"
        return pair
    pair.resized = _resized(a, b)
    pair.changes = _changes(a, b, limits)
    return pair


def _names(documents_a, documents_b):
    """For each side, URI → name that is the same on both. Two results of one document each are of the same one,
    wherever it lay; else documents go by their files' names, and by their URIs where a result has two of one name."""
    if len(documents_a) == len(documents_b) == 1:
        return {documents_a[0]: ""}, {documents_b[0]: ""}
    doubled = {name for documents in (documents_a, documents_b)
               for name, count in Counter(map(document_name, documents)).items() if count > 1}
    return tuple({uri: uri if document_name(uri) in doubled else document_name(uri) for uri in documents}
                 for documents in (documents_a, documents_b))


def compare(result_a, result_b, limits):
    """A PagePair for each page of either result. A page is kept in memory until its other side has come by, so that
    results in the same order take the memory of two pages."""
    names = _names(result_a.documents(), result_b.documents())
    seen, waiting = (Counter(), Counter()), ({}, {})
    place = 0
    for lines in zip_longest(result_a.pages(), result_b.pages()):
        for side, line in enumerate(lines):
            if line is None:
                continue
            page = line[1]
            key = names[side][page["document"]], page["page"]
            seen[side][key] += 1
            key = *key, seen[side][key]
            other = waiting[1 - side].pop(key, None)
            if other is None:
                waiting[side][key] = page
                continue
            pair = compare_pages(key[0], key[1], *((other, page) if side else (page, other)), limits)
            pair.place = place = place + 1
            yield pair
    for side in (0, 1):
        for key, page in waiting[side].items():
            pair = compare_pages(key[0], key[1], *((None, page) if side else (page, None)), limits)
            pair.place = place = place + 1
            yield pair


class Totals:
    """Sums over all pages."""

    def __init__(self):
        self.states = Counter()
        self.differing = self.resized = self.same = self.matched = 0
        self.regions = [0, 0]
        self.kinds = Counter()
        self.labels = {}  # label → Counter of a, b, same and kinds
        self.relabelled = Counter()  # (label of a, label of b) → regions
        self.overlaps = self.score_changes = 0.0
        self.facts = [{"pages": 0, "failed": 0, "models": {}, "devices": {}} for _ in range(2)]

    def _add_facts(self, side, page):
        facts = self.facts[side]
        facts["pages"] += 1
        facts["failed"] += page["status"] == "error"
        if page["model"].get("name"):
            facts["models"][page["model"]["name"]] = True
        if page["device"]:
            facts["devices"][page["device"]] = True
        self.regions[side] += len(page["regions"])
        for region in page["regions"]:
            self.labels.setdefault(region["label"], Counter())["ab"[side]] += 1

    def _add_change(self, pair, change):
        region = pair.b["regions"][change.b] if change.a is None else pair.a["regions"][change.a]
        of_label = self.labels[region["label"]]
        self.kinds.update(change.kinds)
        of_label.update(change.kinds)
        if None not in (change.a, change.b):
            self.matched += 1
            self.overlaps += change.iou
            other = pair.b["regions"][change.b]
            self.score_changes += abs(region["score"] - other["score"])
            if "relabelled" in change.kinds:
                self.relabelled[region["label"], other["label"]] += 1
            if not change.kinds:
                self.same += 1
                of_label["same"] += 1

    def add(self, pair):
        for side, page in enumerate((pair.a, pair.b)):
            if page is not None:
                self._add_facts(side, page)
        self.states[pair.state] += 1
        self.differing += pair.differs()
        self.resized += pair.resized
        for change in pair.changes:
            self._add_change(pair, change)
