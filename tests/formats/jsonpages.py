# SPDX-License-Identifier: LGPL-2.1-or-later
"""format=json: an array of the objects that format=jsonl writes as lines, as its schema says."""
import json

import jsonschema
import referencing


def validator(docs):
    page, pages = (json.loads((docs / name).read_text()) for name in ("gst-doclayout.schema.json", "gst-doclayout-pages.schema.json"))
    registry = referencing.Registry().with_resource("gst-doclayout.schema.json", referencing.Resource.from_contents(page))
    return jsonschema.Draft202012Validator(pages, registry=registry)


def check(write, document, count, schema):
    lines = write("jsonl", document)[0].read_text(encoding="utf-8").splitlines()
    found = json.loads(write("json", document)[0].read_text(encoding="utf-8"))
    schema.validate(found)
    assert not schema.is_valid(found[0]) and not schema.is_valid([{**found[0], "page": 0}])
    assert found == [json.loads(line) for line in lines] and len(found) == len(document)
    count["json pages"] += len(found)
