# SPDX-License-Identifier: LGPL-2.1-or-later
"""Results of jsonsink as tests make them up (docs/json.md)."""
import json

WIDTH, HEIGHT = 600, 800


def region(label="text", box=(100, 100, 300, 200), score=0.9, scale=0.72, **more):
    """A region; `scale` is points a pixel, None where none are known."""
    box = [float(v) for v in box]
    return {"label": label, "score": score, "bbox": box, "bbox_pt": scale and [v * scale for v in box], **more}


def page(number=1, regions=(), document="file:///a/b.pdf", error=None, width=WIDTH, height=HEIGHT, scale=0.72, **more):
    return {"schema": "gst-doclayout/1", "document": document, "page": number, "pages": None, "width": width,
            "height": height, "size_pt": scale and [width * scale, height * scale], "rotation": None, "pts": None,
            "model": {"name": "m.onnx", "sha256": None}, "device": "cpu", "status": "error" if error else "ok",
            "error": error, "timings_ms": {"render": 3.5, "wait": 0.25, "infer": 20.0 + number},
            "regions": [{"id": i, **r} for i, r in enumerate(regions)], **more}


def write(path, pages):
    with path.open("w", encoding="ascii") as out:
        out.writelines(json.dumps(p) + "\n" for p in pages)
    return path
