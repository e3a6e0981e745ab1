# SPDX-License-Identifier: LGPL-2.1-or-later
"""format=alto and format=pagexml: every region, line and word as computed here, and valid: PAGE by its schema, which the package
ocrd has; ALTO by its own where DOCLAYOUT_ALTO_SCHEMA names the file alto-4-4.xsd of loc.gov/standards/alto, and always by what is
said of it below.
"""
import importlib.util
import os
import re
from pathlib import Path

from lxml import etree

from . import pages as p

ALTO = "{http://www.loc.gov/standards/alto/ns-v4#}"
PAGE = "{http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15}"
PAGE_SCHEMA = etree.XMLSchema(file=str(Path(importlib.util.find_spec("ocrd_validators").origin).with_name("page.xsd")))
# ALTO's schema names that of XLink by its address, and needs of it that this group is there.
XLINK = """<schema xmlns="http://www.w3.org/2001/XMLSchema" targetNamespace="http://www.w3.org/1999/xlink">
<attributeGroup name="simpleLink"><anyAttribute namespace="http://www.w3.org/1999/xlink" processContents="skip"/></attributeGroup>
</schema>"""

BOX = "HPOS VPOS WIDTH HEIGHT"
# For each element of ALTO that is written here: its children in their order, as a regular expression; the attributes that it must
# have, and those that it may have.
ELEMENTS = {
    "alto": ("Description (Tags )?(ReadingOrder )?Layout ", "", "SCHEMAVERSION"),
    "Description": ("MeasurementUnit (sourceImageInformation )?(Processing )*", "", ""),
    "MeasurementUnit": ("", "", ""),
    "sourceImageInformation": ("(fileName )?(documentIdentifier )*", "", ""),
    "fileName": ("", "", ""), "documentIdentifier": ("", "", ""),
    "Processing": ("(processingStepDescription )*(processingSoftware )?", "ID", ""),
    "processingStepDescription": ("", "", ""),
    "processingSoftware": ("(softwareName )?(softwareVersion )?", "", ""),
    "softwareName": ("", "", ""), "softwareVersion": ("", "", ""),
    "Tags": ("(LayoutTag )*", "", ""),
    "LayoutTag": ("", "ID LABEL", ""),
    "ReadingOrder": ("(OrderedGroup )+", "", ""),
    "OrderedGroup": ("(ElementRef )+", "ID", ""),
    "ElementRef": ("", "ID REF", ""),
    "Layout": ("(Page )+", "", ""),
    "Page": ("(PrintSpace )?", "ID PHYSICAL_IMG_NR", "WIDTH HEIGHT QUALITY QUALITY_DETAIL"),
    "PrintSpace": ("((TextBlock|Illustration|ComposedBlock) )*", "", BOX),
    "ComposedBlock": ("((TextBlock|Illustration|ComposedBlock) )*", "ID", f"{BOX} TAGREFS TYPE"),
    "Illustration": ("", "ID", f"{BOX} TAGREFS TYPE"),
    "TextBlock": ("(TextLine )*", "ID", f"{BOX} TAGREFS"),
    "TextLine": ("(String (SP )?)+", "", f"ID {BOX}"),
    "String": ("", "CONTENT", f"ID {BOX}"),
    "SP": ("", "", BOX),
}


# A text in a figure that has words of its own around it, and a region that covers less than half of its word.
NESTED = {"document": "file:///tmp/scan.png", "page": 1, "width": 200, "height": 200, "layout-width": 200, "layout-height": 200,
          "width-pt": 100, "height-pt": 100,
          "regions": [["figure", 0, 0.9, 0, 0, 200, 160, "above\nbelow"], ["text", 1, 0.9, 20, 40, 120, 80, "one two\nthree"],
                      ["text", 1, 0.9, 20, 180, 120, 200, "clipped"]],
          "words": [[[(20, 20, 60, 30)], [(20, 100, 60, 110)]], [[(20, 40, 60, 50), (62, 40, 100, 50)], [(20, 60, 60, 70)]],
                    [[(20, 170, 60, 186)]]],
          "spans": [["above", 10, 10, 30, 15, 8, "", 0, 0], ["one", 10, 20, 30, 25, 8, "", 0, 1], ["two", 31, 20, 50, 25, 8, "", 0, 1],
                    ["three", 10, 30, 30, 35, 8, "", 0, 2], ["below", 10, 50, 30, 55, 8, "", 0, 3],
                    ["clipped", 10, 85, 30, 93, 8, "", 0, 4]]}


class Local(etree.Resolver):
    def resolve(self, url, public_id, context):
        return self.resolve_string(XLINK, context) if url.endswith("/xlink.xsd") else None


def alto_schema():
    """None where the file is not at hand."""
    path = os.environ.get("DOCLAYOUT_ALTO_SCHEMA")
    if not path:
        print("no DOCLAYOUT_ALTO_SCHEMA: ALTO is checked without its schema")
        return None
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(Local())
    return etree.XMLSchema(etree.parse(path, parser))


ALTO_SCHEMA = alto_schema()


def check_elements(root):
    ids = set()
    for element in root.iter():
        name = element.tag.removeprefix(ALTO)
        children, needed, allowed = ELEMENTS[name]
        assert re.fullmatch(children, "".join(child.tag.removeprefix(ALTO) + " " for child in element)), name
        attributes = {key for key in element.attrib if not key.startswith("{")}
        assert set(needed.split()) <= attributes <= set(needed.split()) | set(allowed.split()), (name, attributes)
        if "ID" in attributes:
            assert re.fullmatch(r"[A-Za-z_][\w.-]*", element.get("ID")) and element.get("ID") not in ids, element.get("ID")
            ids.add(element.get("ID"))
    assert {value for element in root.iter() for key in ("REF", "TAGREFS") if (value := element.get(key))} <= ids


def read(path, xsd):
    tree = etree.parse(str(path))
    assert xsd is None or xsd.validate(tree), xsd.error_log
    return tree.getroot()


def xml_text(text):
    """What XML cannot have is U+FFFD."""
    return "".join(c if c in "\t\n\r" or ord(c) >= 32 and c not in "\ufffe\uffff" else "\ufffd" for c in text)


def words_of(region):
    return [xml_text(line).split(" ") for line in p.lines(region[7])]


def row_of(region, table):
    return table.get(re.sub("[- ]", "_", region[0].lower()), table["text"])


def around(boxes):
    return [f(box[i] for box in boxes) for i, f in enumerate((min, min, max, max))]


# ---------------------------------------------------------------- ALTO

def check_box(element, box):
    if box is None:
        assert not {"HPOS", "VPOS", "WIDTH", "HEIGHT"} & set(element.attrib), element.attrib
        return
    for name, value in zip(("HPOS", "VPOS", "WIDTH", "HEIGHT"), (box[0], box[1], box[2] - box[0], box[3] - box[1])):
        p.near(element.get(name), value)


def check_alto_lines(block, region, places, count):
    lines = block.findall(ALTO + "TextLine") if block is not None else []
    expected = words_of(region)
    assert [[word.get("CONTENT") for word in line.findall(ALTO + "String")] for line in lines] == expected
    for line, boxes in zip(lines, places or [None] * len(lines)):
        assert len(line.findall(ALTO + "SP")) == len(line.findall(ALTO + "String")) - 1
        check_box(line, around(boxes) if boxes else None)
        for word, box in zip(line.findall(ALTO + "String"), boxes or [None] * 1000):
            check_box(word, box)
            count["alto words with places"] += box is not None


def check_alto_region(block, region, places, table, tags, count):
    expected = row_of(region, table)[2]
    has_text = bool(p.lines(region[7]))
    if expected == "Illustration" and has_text:
        check_box(block.find(ALTO + "Illustration"), region[3:7])
        expected = "ComposedBlock"
    assert block.tag == ALTO + expected, (block.tag, expected)
    assert tags[block.get("TAGREFS")] == xml_text(region[0])
    check_box(block, region[3:7])
    text = block if expected == "TextBlock" else block.find(ALTO + "TextBlock")
    assert (text is not None and len(text) > 0) == has_text
    check_alto_lines(text, region, places, count)


def check_alto(write, document, count, table):
    root = read(write("alto", document)[0], ALTO_SCHEMA)
    check_elements(root)
    assert root.findtext(f".//{ALTO}MeasurementUnit") == "pixel"
    assert root.findtext(f".//{ALTO}fileName") == p.file_name(document[0]["document"])
    assert root.findtext(f".//{ALTO}documentIdentifier") == document[0]["document"]
    tags = {tag.get("ID"): tag.get("LABEL") for tag in root.iter(ALTO + "LayoutTag")}
    assert len(set(tags.values())) == len(tags)
    pages = root.findall(f".//{ALTO}Page")
    assert len(pages) == len(document)
    order = []
    for element, page in zip(pages, document):
        assert int(element.get("PHYSICAL_IMG_NR")) == page["page"]
        assert [float(element.get(name)) for name in ("WIDTH", "HEIGHT")] == [page["layout-width"], page["layout-height"]]
        assert element.get("QUALITY_DETAIL") == (xml_text(page["error"]) if "error" in page else None)
        assert (element.get("QUALITY") == "Missing") == ("error" in page)
        found = list(element.find(ALTO + "PrintSpace"))
        assert len(found) == len(page.get("regions", ()))
        for block, region, places in zip(found, page.get("regions", ()), page["words"]):
            check_alto_region(block, region, places, table, tags, count)
        order += [block.get("ID") for block in found]
    assert [ref.get("REF") for ref in root.iter(ALTO + "ElementRef")] == order
    count["alto blocks"] += len(order)


# ---------------------------------------------------------------- PAGE

def check_points(element, box, page):
    corners = [tuple(map(int, point.split(","))) for point in element.find(PAGE + "Coords").get("points").split(" ")]
    size = (page["layout-width"], page["layout-height"]) * 2
    inside = [min(max(value, 0), edge) for value, edge in zip(box, size)]
    for i, (x, y) in enumerate(((0, 1), (2, 1), (2, 3), (0, 3))):
        assert abs(corners[i][0] - inside[x]) <= 0.5001 and abs(corners[i][1] - inside[y]) <= 0.5001, (corners, inside)


def unicode_of(element):
    return element.findtext(f"{PAGE}TextEquiv/{PAGE}Unicode")


def check_page_text(element, region, places, page, count):
    expected = words_of(region)
    assert unicode_of(element) == ("\n".join(map(" ".join, expected)) if expected else None)
    placed = [(words, boxes) for words, boxes in zip(expected, places or ()) if boxes]
    lines = element.findall(PAGE + "TextLine")
    assert len(lines) == len(placed)
    for line, (words, boxes) in zip(lines, placed):
        assert unicode_of(line) == " ".join(words)
        assert [unicode_of(word) for word in line.findall(PAGE + "Word")] == words
        check_points(line, around(boxes), page)
        for word, box in zip(line.findall(PAGE + "Word"), boxes):
            check_points(word, box, page)
            count["page words with places"] += 1


def check_page_region(element, region, places, page, table, count):
    expected = row_of(region, table)[3]
    kind = re.search("`(.*)`", expected)
    assert element.tag == PAGE + expected.split(" ")[0], (element.tag, expected)
    assert element.get("type") == (kind.group(1) if kind else None)
    assert [label.get("value") for label in element.iter(PAGE + "Label")] == [xml_text(region[0])]
    check_points(element, region[3:7], page)
    p.near(element.find(PAGE + "Coords").get("conf"), region[2], 0.000051)
    text = element
    if element.tag != PAGE + "TextRegion":
        text = element.find(PAGE + "TextRegion")
        assert (text is not None) == bool(p.lines(region[7]))
    if text is not None:
        check_page_text(text, region, places, page, count)


def check_page(write, page, count, table):
    root = read(write("pagexml", [page])[0], PAGE_SCHEMA)
    element = root.find(PAGE + "Page")
    assert element.get("imageFilename") == p.file_name(page["document"])
    assert [int(element.get(name)) for name in ("imageWidth", "imageHeight")] == [page["layout-width"], page["layout-height"]]
    assert element.get("custom") == f"page {{number:{page['page']};}}"
    assert root.find(PAGE + "Metadata").get("externalRef") == page["document"]
    assert root.findtext(f"{PAGE}Metadata/{PAGE}Comments") == (xml_text(page["error"]) if "error" in page else None)
    regions = [child for child in element if child.tag.endswith("Region")]
    assert len(regions) == len(page.get("regions", ()))
    for found, region, places in zip(regions, page.get("regions", ()), page["words"]):
        check_page_region(found, region, places, page, table, count)
    refs = [(int(ref.get("index")), ref.get("regionRef")) for ref in element.iter(PAGE + "RegionRefIndexed")]
    assert refs == list(enumerate(region.get("id") for region in regions))
    count["page regions"] += len(regions)


def check(write, document, count, table):
    check_alto(write, document, count, table)
    for page in document:
        check_page(write, page, count, table)
