# SPDX-License-Identifier: LGPL-2.1-or-later
"""Lines of layoutjson: against the JSON Schema, against values computed here, in another locale.

usage: test_layoutjson.py LAYOUTJSON-LINES SCHEMA PAGE-THAT-DESCRIBES-IT
"""
import json
import os
import re
import subprocess
import sys
import tempfile

try:
    import jsonschema
except ImportError:
    print("skipped: the Python package jsonschema is not installed")
    sys.exit(77)

ERROR = 'quote " backslash \\ tab \t newline \n bell \a bad \ufffd\ufffd line separator \u2028 ü 頁'


def no_constant(name):
    raise ValueError(f"{name} in a line")


def close(value, expected, decimals):
    assert (value is None) == (expected is None), (value, expected)
    if value is not None:
        assert abs(value - expected) <= 0.5 * 10**-decimals + 1e-9 * abs(expected), (value, expected)


def to_points(given, x, y):
    """The page's point under a pixel: pixel → frame that the detector saw → frame as it was made → page."""
    if not given.get("width-pt"):
        return None, None
    x = (x * given["origin-sx"] + given["origin-tx"]) / given["origin-width"]
    y = (y * given["origin-sy"] + given["origin-ty"]) / given["origin-height"]
    if not given["scale"]:
        return x * given["width-pt"], y * given["height-pt"]
    return ((x * given["page-width"] - given["x"]) / given["scale"],
            (y * given["page-height"] - given["y"]) / given["scale"])


def check_boxes(given, got, want):
    keys = ("x0", "y0", "x1", "y1")
    points = to_points(given, want["x0"], want["y0"]) + to_points(given, want["x1"], want["y1"])
    assert (got["bbox_pt"] is None) == (points[0] is None), (got, points)
    for k, (value, point) in enumerate(zip(got["bbox"], points)):
        close(value, want[keys[k]], 2)
        if point is not None:
            close(got["bbox_pt"][k], point, 2)


def check_regions(given, line):
    keys = ("x0", "y0", "x1", "y1", "score")
    expected = [r for r in given["regions"] if all(r[k] is not None for k in keys)]
    expected.sort(key=lambda r: (r["order"], r["y0"], r["x0"], r["y1"], r["x1"]))
    assert len(line["regions"]) == len(expected)
    for i, (got, want) in enumerate(zip(line["regions"], expected)):
        assert got["id"] == i and got["label"] == want["label"]
        assert got.get("text") == want["text"] and ("text" in got) == (want["text"] is not None)
        close(got["score"], want["score"], 4)
        check_boxes(given, got, want)


def check_text(given, line):
    if given.get("orphans") is None:
        assert line["orphans"] is None and line["characters"] is None
        return
    assert [o["text"] for o in line["orphans"]] == [o["text"] for o in given["orphans"]]
    for got, want in zip(line["orphans"], given["orphans"]):
        check_boxes(given, got, want)
    assert list(line["characters"].items()) == list(zip(("page", "regions", "orphans"), given["counts"]))


def check_case(given, line):
    name = given["case"]
    failed = name.startswith("error")
    assert line["page"] == given.get("page", 5)
    assert (line["width"], line["height"]) != (640, 480) or "width" not in given
    assert line["status"] == ("error" if failed else "ok")
    assert line["error"] == (ERROR if failed else None), ascii(line["error"])
    if failed:
        assert line["regions"] == [] and line["timings_ms"]["infer"] is None
        assert line["orphans"] is None and line["characters"] is None
    else:
        if name != "odd text":
            check_regions(given, line)
        check_text(given, line)
        infer = given.get("infer")
        close(line["timings_ms"]["infer"], infer if infer is not None and infer >= 0 else None, 3)
    if name == "random":
        close(line["timings_ms"]["render"], given["render"], 3)
        sizes = (given["width-pt"], given["height-pt"])
        assert (line["size_pt"] is None) == (sizes[0] == 0)
        for got, want in zip(line["size_pt"] or (), sizes):
            close(got, want, 3)
        assert line["model"]["name"] == "layout_cdla.onnx" and line["pts"] == 1500000000
    if name == "odd text":
        assert line["regions"][0].get("text") is None and line["orphans"] == []
        assert line["regions"][1]["text"] == '"\\\a\x85\uffff', ascii(line["regions"][1])
        assert '"text": "\\"\\\\\\u0007\\u0085' in line["raw"]
    if name == "odd":
        assert '"score": 0.93, "bbox": [0.1, 0.2, 100, 49.99]' in line["raw"], line["raw"]
        assert '"bbox": [0, 0, 1e+20, 123456789.12' in line["raw"], line["raw"]


def check_output(output, schema):
    validator = jsonschema.Draft202012Validator(schema)
    pairs = output.split(b"\n")
    assert pairs.pop() == b"" and len(pairs) % 2 == 0
    regions = 0
    for given, raw in zip(pairs[::2], pairs[1::2]):
        text = raw.decode("utf-8")
        assert len(text.splitlines()) == 1
        line = json.loads(text, parse_constant=no_constant)
        validator.validate(line)
        regions += len(line["regions"])
        check_case(json.loads(given), {**line, "raw": text})
    return len(pairs) // 2, regions


def check_schema_refuses(schema, output):
    """The schema is worth something: it refuses lines that lack a field or have one too many."""
    validator = jsonschema.Draft202012Validator(schema)
    line = json.loads(output.split(b"\n")[-2])
    for key in line:
        assert not validator.is_valid({k: v for k, v in line.items() if k != key}), key
    for change in ({"more": 1}, {"status": "error"}, {"error": "x"}, {"page": 0}, {"size_pt": [1]},
                   {"schema": "gst-doclayout/2"}, {"regions": [{}]}, {"orphans": [{}]}, {"orphans": None},
                   {"characters": {"page": 0, "regions": 0}}, {"characters": None}):
        assert not validator.is_valid({**line, **change}), change


def check_documentation(schema, page):
    """The lines that docs/json.md shows are such lines."""
    with open(page, encoding="utf-8") as f:
        shown = re.findall(r"^```json\n(.*?)^```", f.read(), re.MULTILINE | re.DOTALL)
    for line in shown:
        jsonschema.Draft202012Validator(schema).validate(json.loads(line))
    assert shown


def comma_locale(folder):
    """Environment of a locale that writes 1,5; None where the system cannot make one."""
    for name in ("de_DE.UTF-8", "fr_FR.UTF-8"):
        made = subprocess.run(["localedef", "-i", name.split(".")[0], "-f", "UTF-8", f"{folder}/{name}"],
                              capture_output=True, check=False).returncode in (0, 1)
        if made and os.path.exists(f"{folder}/{name}"):
            return {**os.environ, "LOCPATH": folder, "LC_ALL": name}
    return None


def main(program, schema_path, page):
    with open(schema_path, encoding="utf-8") as f:
        schema = json.load(f)
    jsonschema.Draft202012Validator.check_schema(schema)
    output = subprocess.run([program], capture_output=True, check=True).stdout
    cases, regions = check_output(output, schema)
    check_schema_refuses(schema, output)
    check_documentation(schema, page)
    print(f"{cases} lines with {regions} regions are as computed here and as the schema says")
    with tempfile.TemporaryDirectory() as folder:
        env = comma_locale(folder)
        if env is None:
            print("no locale with a decimal comma can be made here (package locales): that part was left out")
            return
        decimal = subprocess.run(["locale", "decimal_point"], env=env, capture_output=True, text=True,
                                 check=True).stdout.strip()
        assert decimal == ",", decimal
        assert subprocess.run([program], env=env, capture_output=True, check=True).stdout == output
        print(f"the same bytes in {env['LC_ALL']}, whose decimal point is {decimal}")


if __name__ == "__main__":
    main(*sys.argv[1:])
