# SPDX-License-Identifier: LGPL-2.1-or-later
"""Published post-processing of the model families, written anew with numpy. Each function takes where the
frame lies in the input (decoding.Stretch or LetterBox) and the network's outputs as arrays, and returns
[(class, score, box in frame pixels, order or -1)…] in no particular order.
"""
import numpy as np

from decoding import suppress


def sigmoid(x):
    with np.errstate(over="ignore"):  # what is masked is hugely negative
        return (1 / (1 + np.exp(-x.astype(np.float64)))).astype(np.float32)


def corners(boxes):
    """cx cy w h to x0 y0 x1 y1."""
    return np.concatenate([boxes[..., :2] - boxes[..., 2:] / 2, boxes[..., :2] + boxes[..., 2:] / 2], axis=-1)


def regions(classes, scores, boxes, orders=None):
    orders = [-1] * len(classes) if orders is None else orders
    return [(int(c), float(s), tuple(map(float, b)), int(o)) for c, s, b, o in zip(classes, scores, boxes, orders)]


def order_sequence(logits):
    """PP-DocLayoutV3's image processor in transformers, _get_order_seqs()."""
    scores = sigmoid(logits[0]).astype(np.float64)
    votes = np.triu(scores, 1).sum(axis=0) + np.tril(1 - scores.T, -1).sum(axis=0)
    sequence = np.empty(len(votes), int)
    sequence[np.argsort(votes, kind="stable")] = np.arange(len(votes))
    return sequence


def detr(place, logits, boxes, threshold, order=None):
    """transformers' post_process_object_detection() with use_focal_loss."""
    flat = sigmoid(logits[0]).ravel()
    best = np.argsort(-logits[0].ravel(), kind="stable")[:logits.shape[1]]
    best = best[flat[best] > threshold]
    queries = best // logits.shape[2]
    found = place.place(corners(boxes[0][queries].astype(np.float64)) * np.array(place.size * 2))
    return regions(best % logits.shape[2], flat[best], found, None if order is None else order_sequence(order)[queries])


def docling(place, labels, boxes, scores, threshold):
    """The graph has done all but the threshold; a letterbox's boxes start at its corner."""
    corner = np.array([o / k for o, k in zip(place.offset, place.scale)] * 2)
    keep = scores[0] > threshold
    found = np.clip(boxes[0, keep] - corner, 0, np.array(place.frame * 2))
    return regions(labels[0, keep], scores[0, keep], found)


def paddle(place, rows, count, threshold):
    """PaddleX's LayoutAnalysisProcess: so many rows, the threshold, then the order's columns."""
    columns = rows.shape[1]
    keep = np.flatnonzero((rows[:count[0], 1] > threshold) & (rows[:count[0], 0] > -1))
    ranks = None
    if columns > 6:
        keys = (rows[keep, 6],) if columns == 7 else (-rows[keep, 7], rows[keep, 6])
        ranks = np.empty(len(keep), int)
        ranks[np.lexsort(keys)] = np.arange(len(keep))
    return regions(rows[keep, 0], rows[keep, 1], np.clip(rows[keep, 2:6], 0, np.array(place.frame * 2)), ranks)


def yolov8(place, head, threshold, iou):
    """Ultralytics' non_max_suppression() with multi_label off; boxes go back as the page came."""
    best, scores = head[0, 4:].argmax(axis=0), head[0, 4:].max(axis=0)
    keep = np.flatnonzero(scores > threshold)
    boxes = corners(head[0, :4].T[keep])
    left = suppress(best[keep], scores[keep], boxes, iou, 300)
    return regions(best[keep][left], scores[keep][left], place.place(boxes[left]))


def yolov10(place, rows, threshold):
    keep = rows[0, :, 4] > threshold
    return regions(rows[0, keep, 5], rows[0, keep, 4], place.place(rows[0, keep, :4]))
