# SPDX-License-Identifier: LGPL-2.1-or-later
"""A network in which each floating-point value is rounded to half precision, summed in float32 all the same: what
half precision costs at most, told by ONNX Runtime."""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import nnrun

KEPT = {"Constant", "ConstantOfShape", "Identity", "Range", "Shape"}  # make no numbers of their own
TYPES = {"fp16": TensorProto.FLOAT16, "bf16": TensorProto.BFLOAT16}


def rounded(model, precision):
    model = onnx.shape_inference.infer_shapes(model)
    values = (*model.graph.value_info, *model.graph.input, *model.graph.output)
    floats = {v.name for v in values if v.type.tensor_type.elem_type == TensorProto.FLOAT}
    nodes = list(model.graph.node)
    del model.graph.node[:]
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT and np.prod(tensor.dims) > 1:
            array = nnrun.round_to(precision, numpy_helper.to_array(tensor))
            tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    for node in nodes:
        casts = []
        for i, name in enumerate(node.output):
            if name in floats and node.op_type not in KEPT:
                node.output[i] = f"{name}.exact"
                casts += [helper.make_node("Cast", [f"{name}.exact"], [f"{name}.half"], to=TYPES[precision]),
                          helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT)]
        model.graph.node.extend([node, *casts])
    return model
