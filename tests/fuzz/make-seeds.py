#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the small models of tests/checkops.py as a corpus to begin fuzzing with.

    tests/fuzz/make-seeds.py FOLDER

A case gives two models: its inputs as such, and as weights, so that the operator folds.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import checkops  # noqa: E402
import onnx  # noqa: E402

LARGEST = 8192


def models(name, nodes, inputs, weights, tolerance, opset, outputs, *_):
    for given, constant in ((inputs, weights), ({}, weights | inputs)):
        try:
            yield checkops.make_model(nodes, given, constant, opset, outputs, strict=False)
        except onnx.shape_inference.InferenceError:
            pass  # a case of what the engine must refuse


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    checkops.start(1)
    for family in checkops.FAMILIES.values():
        family()
    written = 0
    for index, one in enumerate(checkops.cases):
        for k, model in enumerate(models(*one)):
            data = model.SerializeToString()
            if len(data) <= LARGEST:
                with open(os.path.join(folder, f"{index:04d}-{k}.onnx"), "wb") as file:
                    file.write(data)
                written += 1
    print(f"{written} models in {folder}")


if __name__ == "__main__":
    main()
