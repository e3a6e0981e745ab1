# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the writers of jsonsink make of random pages, through the formats' own readers, beside what Python computes from the same
pages by the table in docs/formats.md.

usage: test_formats.py WRITE-FORMATS SOURCE-ROOT [SEEDS]
"""
import collections
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    from formats import coco, docling, jsonpages, markdown, pages, xml
except ImportError as error:
    print(f"skipped: {error.name} is not installed (tests/run.sh makes an environment that has it)")
    sys.exit(77)


def main(program, root, seeds=40):
    docs = Path(root) / "docs"
    table = pages.label_table(docs / "formats.md")
    labels = sorted(table) + ["List-Item", "page header", "of no model", "<odd> & \"label\" --> \x03"]
    schema = jsonpages.validator(docs)
    count = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "pages"

        def write(name, document):
            output, companion = Path(folder) / f"output.{name}", Path(folder) / f"companion.{name}"
            given.write_text(json.dumps(document))
            subprocess.run([program, name, given, output, companion], check=True)
            return output, companion

        xml.check(write, [xml.NESTED], count, table)
        for seed in range(int(seeds)):
            rand = random.Random(seed)
            document = pages.random_document(rand, labels, rand.randint(1, 8))
            jsonpages.check(write, document, count, schema)
            coco.check(write, document, count)
            docling.check(write, document, count, table)
            markdown.check(write, document, count, table)
            xml.check(write, document, count, table)
    print(", ".join(f"{number} {name}" for name, number in count.items()), "as computed here")


if __name__ == "__main__":
    main(*sys.argv[1:])
