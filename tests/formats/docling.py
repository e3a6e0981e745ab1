# SPDX-License-Identifier: LGPL-2.1-or-later
"""format=docling: docling-core reads it, exports it, and has every region as computed here."""
import json
import math
import re

from docling_core.types.doc import ContentLayer, DoclingDocument

from . import pages as p

LISTS = {"picture": "pictures", "chart": "pictures", "table": "tables", "document_index": "tables", "form": "form_items",
         "key_value_region": "key_value_items"}
BULLETS = "-*•‣⁃∙·◦●○▪▫■□◆◇▶►▸➢–—\uf0b7"


def label_of(region, table, titled):
    """The region's label there, and its row."""
    row = table.get(re.sub("[- ]", "_", region[0].lower()), table["text"])
    label = re.match("`(.*?)`", row[0]).group(1)
    if "if it is the document's first" in row[0] and titled:
        label = "section_header"
    return label, row[0]


def split_marker(text):
    """Of a list item: marker, whether it is a number, and the rest."""
    number = re.match(r"(\(\d{1,9}\)|\d{1,9}[.)]) (?=.)", text)
    if number:
        return number.group(1), True, text[number.end():]
    if len(text) > 2 and text[0] in BULLETS and text[1] == " ":
        return text[0], False, text[2:]
    return "-", False, text


def distance(a, b):
    """Between two boxes."""
    gaps = [max(0, max(a[3 + i], b[3 + i]) - min(a[5 + i], b[5 + i])) for i in (0, 1)]
    return math.hypot(*gaps)


def subjects(regions, rows, height):
    """For each caption's place the place of what it belongs to."""
    found = {}
    for i, row in enumerate(rows):
        wanted = [kind for kind in ("picture", "table") if row[1].startswith("`caption` of") and kind in row[1]]
        kinds = [kind for kind in wanted for kind in ((("picture", "chart")) if kind == "picture" else ("table", "document_index"))]
        near = [(distance(regions[i], regions[j]), j) for j, other in enumerate(rows) if other[0] in kinds and "furniture" not in other[1]]
        if near and min(near)[0] <= height / 10:
            found[i] = min(near)[1]
    return found


def check_text(item, region, label):
    text = region[7] or ""
    expected = p.flow(text)
    if label == "list_item":
        marker, enumerated, expected = split_marker(expected)
        assert (item.marker, item.enumerated) == (marker, enumerated), (item.marker, item.enumerated, text)
    assert item.orig == text, (item.orig, text)
    assert item.text == (text if label == "code" else expected), (item.text, expected)


def check_item(item, page, region, label, row, doc):
    assert item.label == label, (item.label, label, region)
    assert item.content_layer == (ContentLayer.FURNITURE if "furniture" in row else ContentLayer.BODY)
    prov, = item.prov
    assert prov.page_no == page["page"] and tuple(prov.charspan) == (0, len(region[7] or ""))
    assert prov.bbox.coord_origin.value == "TOPLEFT"
    expected = p.to_points(page, *region[3:5]) + p.to_points(page, *region[5:7])
    edges = (page.get("width-pt") or page["layout-width"], page.get("height-pt") or page["layout-height"]) * 2
    for value, want, edge in zip((prov.bbox.l, prov.bbox.t, prov.bbox.r, prov.bbox.b), expected, edges):
        p.near(value, min(max(want, 0), edge))
    if label in ("table", "document_index"):
        assert (item.data.table_cells, item.data.num_rows, item.data.num_cols) == ([], 0, 0)
    elif label in ("form", "key_value_region"):
        assert (item.graph.cells, item.graph.links) == ([], [])
    elif label not in LISTS:
        check_text(item, region, label)
    parent = item.parent.resolve(doc)
    assert item.self_ref in [child.cref for child in parent.children]
    assert (parent.self_ref == "#/body") == (label != "list_item"), (parent.self_ref, label)


def check_groups(doc, labels):
    """Runs of list items, whatever furniture is between them, are groups."""
    runs, last = [], None
    for label, furniture in labels:
        if label == "list_item":
            runs[-1:] = [runs[-1] + 1] if last == "list_item" else [*runs[-1:], 1]
        if not furniture:
            last = label
    assert [len(group.children) for group in doc.groups] == runs, ([len(group.children) for group in doc.groups], runs)
    assert {group.label.value for group in doc.groups} <= {"list"}


def check_page(doc, items, page, table, titled, labels, count):
    """The page's items, which `items` gives in the document's order list by list."""
    regions = page.get("regions", [])
    rows, refs = [], []
    for region in regions:
        label, row = label_of(region, table, titled)
        titled = titled or label == "title"
        item = next(items[LISTS.get(label, "texts")])
        check_item(item, page, region, label, row, doc)
        rows.append((label, row))
        refs.append(item)
        labels.append((label, "furniture" in row))
    owners = subjects(regions, rows, page["layout-height"])
    for i, item in enumerate(refs):
        captions = [refs[caption].self_ref for caption, owner in owners.items() if owner == i]
        if hasattr(item, "captions"):
            assert [caption.cref for caption in item.captions] == captions, (item.captions, captions)
        count["docling captions"] += len(captions)
    count["docling items"] += len(refs)
    return titled, refs


def check_order(doc, refs):
    """Those of the body, its groups opened, come in the order of the regions; furniture stands where it is printed."""
    order = [item.self_ref for item, _ in doc.iterate_items() if item.self_ref not in ("#/body",)]
    expected = [item.self_ref for item in refs if item.content_layer == ContentLayer.BODY]
    assert order == expected, (order[:9], expected[:9])


def check_raw_boxes(raw):
    """Within their pages as they are written: docling-core's reader would see to it too."""
    for name in ("texts", *set(LISTS.values())):
        for item in raw[name]:
            size = raw["pages"][str(item["prov"][0]["page_no"])]["size"]
            box = item["prov"][0]["bbox"]
            assert 0 <= min(box["l"], box["r"]) and max(box["l"], box["r"]) <= size["width"] + 0.005, (box, size)
            assert 0 <= min(box["t"], box["b"]) and max(box["t"], box["b"]) <= size["height"] + 0.005, (box, size)


def check(write, document, count, table):
    text = write("docling", document)[0].read_text(encoding="utf-8")
    doc = DoclingDocument.model_validate_json(text)
    assert '"version": "1.8.0"' in text
    check_raw_boxes(json.loads(text))
    assert doc.name == re.sub(r"(?<=.)\.[^.]+$", "", p.file_name(document[0]["document"]))
    assert sorted(doc.pages) == [page["page"] for page in document]
    items = {name: iter(getattr(doc, name)) for name in ("texts", *set(LISTS.values()))}
    titled, refs, labels = False, [], []
    for page in document:
        size = doc.pages[page["page"]].size
        p.near(size.width, page.get("width-pt") or page["layout-width"], 0.00051)
        p.near(size.height, page.get("height-pt") or page["layout-height"], 0.00051)
        titled, found = check_page(doc, items, page, table, titled, labels, count)
        refs += found
    assert all(next(rest, None) is None for rest in items.values())
    check_groups(doc, labels)
    check_order(doc, refs)
    doc.export_to_markdown()
