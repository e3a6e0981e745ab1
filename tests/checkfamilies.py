#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whole detectors of every architecture against ONNX Runtime on a drawn page: RT-DETR, RT-DETRv2,
D-FINE and PP-DocLayoutV3 at full size (tests/models/), YOLOv8, v10 and 11 (tests/yolo_graph.py), all
with seeded random weights that behave.

    tests/checkfamilies.py --nn-run build/tests/nn-run [--device cuda] [--precision fp32] [NAME …]

Compared query by query, each number relative to the largest of its query: LIMIT. Where a network
takes the best of many places, two that are nearly equal may change ranks, so queries are first
matched, by boxes and scores; and the scores that the top-k chooses by are compared too, in place. A
place that only one of the two chose has no match; STRAYS of them are let pass, and their number is
printed. Before that ONNX Runtime must agree with itself: with and without its optimisations.

With halves these networks, whose weights are random, make something else of the page: behind a top-k nothing can be
compared. What lies before it (YOLO: all outputs) must be no further from float32 than WORSE times what ONNX Runtime
has when it rounds each value to a half (halves.py), by the root of the mean of the squares.
"""
import argparse
import os
import pathlib
import sys
import tempfile

try:
    import numpy as np
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper
except ImportError as error:
    print(f"skipped: {error.name} is not installed (tests/run.sh makes an environment that has it)")
    sys.exit(77)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "models"))
import fill_weights
import halves
import nnrun
import yolo_graph

LIMIT = 1e-3
STRAYS = 0.01
MASKED = -1e3
WORSE = 1.25
SEED = 0
PAGE = 7
MODELS = pathlib.Path(__file__).resolve().parent / "models"


def detr(name):
    """The network, with the scores that its top-k chooses by as one more output."""
    model = fill_weights.fill(MODELS / f"{name}-structure.onnx.xz", SEED)
    choice = next(node for node in model.graph.node if node.op_type == "TopK")
    model.graph.output.append(helper.make_tensor_value_info(choice.input[0], TensorProto.FLOAT, None))
    return model


def yolo(version):
    return yolo_graph.build(version, 640, 11, 0.25, SEED, dynamic=True)


CASES = {
    "rtdetr-r50": lambda: detr("rtdetr-r50"),
    "rtdetrv2-r50": lambda: detr("rtdetrv2-r50"),
    "dfine-l": lambda: detr("dfine-l"),
    "pp-doclayout-v3": lambda: detr("pp-doclayout-v3"),
    "yolov8": lambda: yolo("8"),
    "yolov10": lambda: yolo("10"),
    "yolo11": lambda: yolo("11"),
}
BATCHES = {"rtdetrv2-r50": (1, 2), "yolov10": (1, 2)}  # of the others 1: time


def run_reference(path, x, optimised):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if not optimised:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return [o.name for o in session.get_outputs()], session.run(None, {session.get_inputs()[0].name: x})


def run_engine(args, folder, path, x):
    engine = nnrun.NnRun(args.nn_run, "--batch", len(x), "--device", args.device, "--precision", args.precision,
                         wrapper=args.wrapper)
    results = nnrun.outputs(engine(path, folder, [x]), folder)
    engine.close()
    return results


def queries(names, outputs, image):
    """One row for each query of an image, and parts of a row that are compared by their own largest number."""
    by_name = {name: output[image] for name, output in zip(names, outputs)}
    if "pred_boxes" in by_name:
        return [by_name["pred_boxes"], by_name["logits"]]
    rows = by_name["output0"]
    if rows.shape[-1] != 6:  # one column an anchor
        return [rows[:4].T, rows[4:].T]
    return [rows[:, :4], rows[:, 4:]]


def match(got, want):
    """Which query of `got` is the nearest to each of `want`; each is taken once, -1 where none is left."""
    scale = [np.abs(part).max() for part in want]
    a, b = (np.concatenate([part / s for part, s in zip(parts, scale)], axis=1) for parts in (got, want))
    taken, found = np.zeros(len(a), bool), np.full(len(b), -1)
    for i in range(len(b)):
        distance = np.abs(a - b[i]).max(axis=1)
        distance[taken] = np.inf
        j = i if distance[i] < LIMIT / 10 else int(distance.argmin())
        if distance[j] <= LIMIT:
            found[i], taken[j] = j, True
    return found


def worst_of(got, want):
    """The largest difference relative to the largest number of its row."""
    got, want = got.reshape(len(got), -1).astype(np.float64), want.reshape(len(want), -1)
    return float((np.abs(got - want).max(axis=1) / np.maximum(np.abs(want).max(axis=1), 1e-6)).max())


def compare_image(names, gots, wants, image):
    """The largest difference, the queries that moved and those without a match."""
    got, want = queries(names, gots, image), queries(names, wants, image)
    found = match(got, want)
    here = np.flatnonzero(found >= 0)
    there = found[here]
    if len(here) < 2:
        return np.inf, 0, len(found) - len(here), len(found)
    worst = max(worst_of(g[there], w[here]) for g, w in zip(got, want))
    for name, g, w in zip(names, gots, wants):
        if name == "order_logits":  # of pairs; half of them, by their place, are masked by a huge number
            if not np.array_equal(g[image] < MASKED, w[image] < MASKED):
                return np.inf, 0, 0, len(found)
            g, w = g[image][np.ix_(there, there)], w[image][np.ix_(here, here)]
            known = (g >= MASKED) & (w >= MASKED)
            rows = known.any(axis=1)
            worst = max(worst, worst_of(np.where(known, g, 0)[rows], np.where(known, w, 0)[rows]))
        elif name not in ("pred_boxes", "logits", "output0"):  # what the top-k chooses by: in place
            worst = max(worst, float(np.abs(g[image] - w[image]).max() / np.abs(w[image]).max()))
    return worst, int((there != here).sum()), len(found) - len(here), len(found)


def compare(label, names, gots, wants):
    for name, got, want in zip(names, gots, wants, strict=True):
        if got.shape != want.shape or not np.isfinite(got).all():
            print(f"FAILED {label}: {name} is {got.shape} instead of {want.shape}, or not finite")
            return False
    results = [compare_image(names, gots, wants, image) for image in range(len(wants[0]))]
    worst, moved, strays, n = max(r[0] for r in results), sum(r[1] for r in results), sum(r[2] for r in results), sum(r[3] for r in results)
    good = worst <= LIMIT and strays <= STRAYS * n
    print(f"{'ok    ' if good else 'FAILED'} {label}: {', '.join(f'{k} {list(w.shape)}' for k, w in zip(names, wants))}: "
          f"largest relative error {worst:.1e} of {LIMIT:.0e}, {n} queries, {moved} in another place, {strays} without a match")
    return good


def off_by(got, want):
    """Relative to how far its numbers lie apart."""
    return float(np.sqrt(np.mean(np.square(got.astype(np.float64) - want))) / want.std())


def compare_halves(name, args, folder, path, x):
    model = onnx.load(path)
    names, wants = run_reference(path, x, True)
    half_path = os.path.join(folder, "half.onnx")
    onnx.save(halves.rounded(model, args.precision), half_path)
    every, gots = run_reference(half_path, x, True)[1], run_engine(args, folder, path, x)
    good = True
    for output, want, half, got in zip(names, wants, every, gots, strict=True):
        if name == "yolov10" or output in ("logits", "pred_boxes", "order_logits"):
            continue
        ours, rounding = off_by(got, want), off_by(half, want)
        fine = ours <= WORSE * rounding  # false for NaN
        good = good and fine
        print(f"{'ok    ' if fine else 'FAILED'} {name}, {args.precision}: {output} {list(want.shape)} off by {ours:.1e}, "
              f"each value rounded to a half by {rounding:.1e}", flush=True)
    return good


def check(name, args):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.onnx")
        model = CASES[name]()
        size = model.graph.input[0].type.tensor_type.shape.dim[2].dim_value
        onnx.save(model, path)
        good = True
        if args.precision in halves.TYPES:
            return compare_halves(name, args, folder, path, yolo_graph.page(size, PAGE))
        for batch in BATCHES.get(name, (1,)):
            x = np.concatenate([yolo_graph.page(size, PAGE + i) for i in range(batch)])
            names, wants = run_reference(path, x, False)
            if batch == 1:
                good = compare(f"{name}, ONNX Runtime with itself", names, run_reference(path, x, True)[1], wants)
            try:
                good = compare(f"{name}, batch {batch}", names, run_engine(args, folder, path, x), wants) and good
            except nnrun.Failed as error:
                print(f"FAILED {name}, batch {batch}: {error}")
                good = False
        return good


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--nn-run", required=True)
    nnrun.add_arguments(parser)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(CASES))
    args = parser.parse_intermixed_args()
    print(f"weights of seed {SEED}, pages from {PAGE} on, onnxruntime {onnxruntime.__version__}")
    results = [check(name, args) for name in args.names or CASES]
    print(f"{sum(results)} networks agree, {len(results) - sum(results)} do not")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
