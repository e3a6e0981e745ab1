# SPDX-License-Identifier: LGPL-2.1-or-later
"""Small PDF files for tests, whole to the last byte of their cross-reference table."""

A4 = (595, 842)


def page_text(number, height):
    lines = [f"BT /F 24 Tf 72 {height - 100} Td (Page {number} of a document for tests) Tj ET"]
    for i in range(20):
        lines.append(f"BT /F 11 Tf 72 {height - 140 - 14 * i} Td "
                     f"(This is line {i + 1} of a paragraph that goes on for a while on this page.) Tj ET")
    return "\n".join(lines)


def write_pdf(sizes):
    """A PDF with one page for each (width, height) in points. The catalogue comes last, so that a file
    cut short has none."""
    font = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
    objects = {}
    for i, (width, height) in enumerate(sizes):
        text = page_text(i + 1, height)
        objects[3 + 2 * i] = (f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {width} {height}]"
                              f"/Contents {4 + 2 * i} 0 R/Resources<</Font<</F {font}>>>>>>")
        objects[4 + 2 * i] = f"<</Length {len(text)}>>stream\n{text}\nendstream"
    kids = " ".join(f"{3 + 2 * i} 0 R" for i in range(len(sizes)))
    objects[2] = f"<</Type/Pages/Count {len(sizes)}/Kids[{kids}]>>"
    objects[1] = "<</Type/Catalog/Pages 2 0 R>>"

    out = "%PDF-1.4\n"
    offsets = {}
    for number, content in objects.items():
        offsets[number] = len(out)
        out += f"{number} 0 obj\n{content}\nendobj\n"
    table = "".join(f"{offsets[n]:010d} 00000 n \n" for n in sorted(offsets))
    size = len(objects) + 1
    return (f"{out}xref\n0 {size}\n0000000000 65535 f \n{table}"
            f"trailer<</Size {size}/Root 1 0 R>>\nstartxref\n{len(out)}\n%%EOF\n").encode("ascii")
