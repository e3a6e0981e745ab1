#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a GPU finds in half precision beside what the CPU finds in float32 (which parity.py and test_fullsize.py
compare with ONNX Runtime): the default model and full-size networks, from the page to its regions.

    tests/gpu/regions.py NN-DETECT [--pages FOLDER] [--count N] [--precision fp16] [NAME …]

FOLDER holds images of pages (tests/pages.py makes them); without one pages come from the PDF files at hand, or are
drawn where these cannot be rendered. The default model sees all of them, each other network OTHERS. Of the regions with
a score of at least THRESHOLD on either side a share must have one on the other, of the same label, with an IoU of at
least IOU; that one's score may be CLOSE times the threshold: MATCHED of the default model's and of all networks'
together, RANDOM of each other network's. Fewer than 5 regions a page compare nothing.
DETR's networks have the weights of fill_weights.py's calm ones: where ONNX Runtime rounds each value to a half, it finds
99.1 % of RT-DETR's regions again (40 pages), and 98.2 % of D-FINE's (16 pages), which is looked at only if named.
YOLO's have random weights and scores shifted so that some reach 0.5.
"""
import argparse
import concurrent.futures
import os
import pathlib
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "models")]

try:
    import numpy as np
    import onnx

    import fill_weights
    import pages
    import test_fullsize
    import yolo_graph
    from nndetect import Detector, match
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

MATCHED, RANDOM = 0.995, 0.99
THRESHOLD, CLOSE, IOU = 0.5, 0.9, 0.95
REGIONS_LEAST = 5
SIDE_LEAST = 4  # pixels
DEFAULT = "default"
OTHERS = 40  # pages
DETR = ["rtdetr-r50", "rtdetrv2-r50", "dfine-l"]
NAMES = [DEFAULT, "rtdetr-r50", "rtdetrv2-r50", "yolov8", "yolov10", "yolo11"]
SEED = 0


def page_images(args):
    if args.pages:
        os.environ["DOCLAYOUT_TEST_PAGES"] = args.pages
    found = [pixels for _, pixels in pages.images()][:args.count]
    try:
        found = found or [pixels for _, pixels in pages.spread(args.count)]
    except ImportError as error:
        print(f"pages are drawn: no folder of images was given, and {error}")
        found = [np.rint(yolo_graph.page(800, seed)[0].transpose(1, 2, 0) * 255).astype(np.uint8)
                 for seed in range(args.count)]
    return found


def model_path(name, folder, images):
    """The default model where it lies, or a network of full size with weights filled in; None: it is not there."""
    if name == DEFAULT:
        return pages.model_file()
    build, size, _, _, resize, *_ = test_fullsize.MODELS[name]
    path = folder / f"{name}.onnx"
    if name in DETR:
        model = fill_weights.fill(HERE.parent / "models" / f"{name}-structure.onnx.xz", SEED, calm=True)
        fill_weights.confident(model, [test_fullsize.to_input(image, resize, size) for image in images[:3]])
        onnx.save(model, path)
        return path
    onnx.save(shift_scores(build([]), test_fullsize.MODELS[name][3]), path)
    return path


def shift_scores(model, score):
    """What had this score gets 0.5."""
    at = max(i for i, node in enumerate(model.graph.node) if node.op_type == "Sigmoid")
    sigmoid = model.graph.node[at]
    shift = onnx.helper.make_node("Add", [sigmoid.input[0], "shift"], ["shifted"], name="shift")
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.float32(np.log(1 / score - 1)), "shift"))
    sigmoid.input[0] = "shifted"
    model.graph.node.insert(at, shift)
    return model


def detect(program, path, images, threshold, *options):
    detector = Detector(program, str(path), "duplicates=keep", "max=1000", f"threshold={CLOSE * threshold}", *options)
    results = [detector(image, "RGB") for image in images]
    detector.close()
    return results


def is_box(box):
    """Random networks make lines, too, of which the tenth part of a pixel is much."""
    return min(box[2] - box[0], box[3] - box[1]) >= SIDE_LEAST


def matched(ones, others, threshold):
    """How many confident regions of `ones` have a like among `others`, and how many there are."""
    confident = [region for region in ones if region["score"] >= threshold and is_box(region["bbox"])]
    return len(match(confident, others, IOU)[0]), len(confident)


def share_of(found, there):
    return min(same / max(1, n) for same, n in (found, there))


def check(args, name, path, images):
    """Whether they are alike, and how many regions matched of how many, on the GPU and on the CPU."""
    start, threshold = time.monotonic(), THRESHOLD
    cpu, gpu = (detect(args.program, path, images, threshold, *options)
                for options in (["device=cpu"], [f"device={args.device}", f"precision={args.precision}"]))
    found, there = (np.sum([matched(a, b, threshold) for a, b in zip(*sides)], axis=0) for sides in ((gpu, cpu), (cpu, gpu)))
    share = share_of(found, there)
    good = share >= (MATCHED if name == DEFAULT else RANDOM) and min(found[1], there[1]) >= REGIONS_LEAST * len(images)
    print(f"{'ok    ' if good else 'FAILED'} {name}, {args.precision}: {len(images)} pages, {found[1]} regions above {threshold} "
          f"({found[1] / len(images):.1f} a page), {found[0]} of them on the CPU too; there {there[1]}, {there[0]} of them "
          f"here; {100 * share:.2f} % match, {time.monotonic() - start:.0f} s", flush=True)
    return good, np.array([found, there])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program", metavar="NN-DETECT")
    parser.add_argument("--pages")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--precision", default="fp16")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    args = parser.parse_intermixed_args()
    images, names, failed, sums = page_images(args), args.names or NAMES, [], np.zeros((2, 2))
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(4) as pool:
        for name, path in zip(names, pool.map(lambda name: model_path(name, pathlib.Path(folder), images), names)):
            if path is None:
                print(f"skipped {name}: it is not in the cache, and DOCLAYOUT_MODEL does not name it")
                continue
            good, counts = check(args, name, path, images if name == DEFAULT else images[::max(1, len(images) // OTHERS)][:OTHERS])
            sums += counts
            failed += [] if good else [name]
    share = share_of(*sums)
    print(f"{'ok    ' if share >= MATCHED else 'FAILED'} together: {100 * share:.2f} % match")
    failed += [] if share >= MATCHED else ["together"]
    print(f"{len(names)} models, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
