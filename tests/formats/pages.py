# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random pages to write, as tests/write-formats.c takes them, and what the documentation says of their labels."""
import re
import unicodedata

# What has a meaning in one of the formats, or looks like it.
HOSTILE = (
    "plain words", "# no heading", "## ##", "heading #", "* star", "- dash", "+ plus", "1. one", "12) twelve", "1234567890. long",
    "> quote", "    four spaces", "\ttab", "`code` ``x``", "```", "~~~ fence", "~~struck~~", "***", "---", "===", "= x", "_under_ __line__ *a*b*",
    "[link](http://x.y)", "![image](x.png)", "[ref]: http://x.y \"t\"", "[^1]: note", "<b>bold</b>", "<!-- comment -->", "-->", "<?php ?>",
    "<http://auto.link>", "http://bare.link/a_b_c", "&amp; &copy; &#65; &", "a\\b \\# \\", "trailing\\", "trailing  ", "| a | b |", "|---|---|", ":---", ": x",
    "$x^2$ $$", "^up^", "a\u00a0b", "\u2028", "e\u0301 ü 文字 \U0001f600", "\ufeff", "nul\x01\x1f\x7f\x85", "\ufffe\uffff", "]]>", "\"'", "{.class}",
    "%s %d %n", "•bullet", "• item", "(3) third", "- - nested", "1.", "-", "\r", "a\rb", "\x0b\x0c", "*", "\\", "!", "![", "x", ":smile:", "@user #1", "==mark==",
)
PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ \t01a"


def is_space(c):
    return c.isspace() or unicodedata.category(c) == "Cc"


def flow(text):
    """The words of a text with single spaces."""
    spaced = "".join(" " if is_space(c) else c for c in text or "")
    return " ".join(word for word in spaced.split(" ") if word)


def lines(text):
    return [line for line in map(flow, (text or "").split("\n")) if line]


def label_table(path):
    """docs/formats.md: for each label the four other columns of its row."""
    with open(path, encoding="utf-8") as f:
        section = f.read().split("## What labels become")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return {label: [cell.strip() for cell in row[1:]] for row in rows for label in re.findall(r"`([^`]+)`", row[0])}


def random_text(rand):
    choice = rand.random()
    if choice < 0.15:
        return ""
    if choice < 0.3:
        return "".join(rand.choice(PUNCTUATION + "\n") for _ in range(rand.randint(1, 40)))
    return "\n".join(" ".join(rand.choice(HOSTILE) for _ in range(rand.randint(1, 2))) for _ in range(rand.randint(1, 4)))


def to_points(page, x, y):
    """The page's point under a pixel of the layout's frame; the pixel itself where the page's size is not known."""
    if not page.get("width-pt"):
        return x, y
    x, y = x / page["layout-width"], y / page["layout-height"]
    if not page.get("scale"):
        return x * page["width-pt"], y * page["height-pt"]
    return (x * page["width"] - page["x"]) / page["scale"], (y * page["height"] - page["y"]) / page["scale"]


def place_words(rand, page, region, spans):
    """Spans for the words of a region, in its box; for each line the boxes of its words in pixels, None where the text layer has it
    otherwise."""
    x0, y0, x1, y1 = region[3:7]
    found = []
    texts = lines(region[7])
    first = spans[-1][8] + 1 if spans else 0
    for i, line in enumerate(texts):
        words = line.split(" ")
        top = y0 + (y1 - y0) * i / len(texts)
        bottom = y0 + (y1 - y0) * (i + 1) / len(texts)
        boxes = [(x0 + (x1 - x0) * j / len(words), top, x0 + (x1 - x0) * (j + 1) / len(words), bottom) for j in range(len(words))]
        other = rand.random() < 0.1 and texts.count(line) == 1
        for word, box in zip(words, boxes):
            spans.append([word + ("?" if other else ""), *to_points(page, *box[:2]), *to_points(page, *box[2:]), 10.5, "Font", 0, first + i])
        found.append(None if other else boxes)
    return found


def random_page(rand, number, labels, document):
    width, height = rand.randint(400, 1200), rand.randint(400, 1600)
    page = {"document": document, "page": number, "width": width, "height": height, "layout-width": width, "layout-height": height}
    if rand.random() < 0.1:
        return {**page, "error": "it took <too> \"long\" -- \x02 & 文 -->", "words": []}
    if rand.random() < 0.75:
        page.update({"width-pt": rand.uniform(300, 900), "height-pt": rand.uniform(300, 1200)})
        if rand.random() < 0.7:
            page.update({"scale": rand.uniform(0.5, 3), "x": rand.randint(0, 20), "y": rand.randint(0, 20)})
            page.update({"layout-width": rand.randint(300, 1300), "layout-height": rand.randint(300, 1700)})
    width, height = page["layout-width"], page["layout-height"]
    count = rand.choice((0, 1, 2, 5, 12, 25))
    tops = sorted(rand.uniform(-3, height) for _ in range(count))
    page["regions"] = []
    some = rand.choice((labels, rand.sample(labels, 5), ["list_item", "List-Item", "footer", "text"],
                        ["figure", "figure_caption", "table", "table_caption", "caption", "chart", "header_image", "text"]))
    for top, below in zip(tops, tops[1:] + [height + 3.0]):
        left = rand.uniform(-3, width * 0.8)
        text = None if rand.random() < 0.2 else random_text(rand)
        label = rand.choice(some)
        page["regions"].append([label, labels.index(label), rand.random(), left, top, left + rand.uniform(1, width * 0.3),
                                top + (below - top) * rand.uniform(0.3, 0.9), text])
    rand.shuffle(page["regions"])
    page["words"] = [None] * count
    if page.get("width-pt") and rand.random() < 0.7:
        page["spans"] = []
        page["words"] = [place_words(rand, page, region, page["spans"]) for region in page["regions"]]
    return page


def random_document(rand, labels, pages):
    name = rand.choice(("a%20b.pdf", "%E6%96%87.tar.pdf", "x%26%3Cy%3E.pdf", "scan.png"))
    document = None if rand.random() < 0.1 else "file:///tmp/" + name
    return [random_page(rand, number, labels, document) for number in range(1, pages + 1)]


def file_name(document):
    """What the formats call it."""
    return {None: "document", "file:///tmp/a%20b.pdf": "a b.pdf", "file:///tmp/%E6%96%87.tar.pdf": "文.tar.pdf",
            "file:///tmp/x%26%3Cy%3E.pdf": "x&<y>.pdf", "file:///tmp/scan.png": "scan.png"}[document]


def near(value, expected, tolerance=0.0051):
    assert abs(float(value) - expected) <= tolerance + 1e-9 * abs(expected), (value, expected)
