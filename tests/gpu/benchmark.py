#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""RT-DETRv2-R50 (docling heron's architecture, 640x640, random weights, fp16) on one GPU beside PyTorch, and the default
model beside ONNX Runtime on the CPU, in one run. Prints Markdown tables for docs/performance.md.

    tests/gpu/benchmark.py BUILD [--batch 1,8,32] [--only ours,eager,graph,compile,default] [--repeat N]

  ours      nn-run, the file that tests/models/fill_weights.py makes
  eager     transformers' model, half precision, channels last, cuDNN's benchmark mode
  graph     the same in one CUDA graph: its anchors are kept (anchor_image_size), and what it copies from the host in
            each run is copied once (Constants)
  compile   the same by torch.compile, mode reduce-overhead; minutes, at most --limit seconds a batch

Each measurement is a process of its own. "device" is between two events around a run, inputs and outputs on the GPU;
"wall" is from a page's numbers in pinned host memory to results in host memory, one run after the other. Memory is what the
GPU has in use at most, beyond what it has with nothing but a bare CUDA context. The start is from the process's start to
its first result; ours with what an earlier process left in the cache.
"""
import argparse
import ctypes
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
SIZE, LABELS, WARM_UP = 640, 17, 10
THEIRS = {"eager": "PyTorch eager", "graph": "PyTorch, one CUDA graph", "compile": "torch.compile, reduce-overhead"}


# ---- in the process that is measured ----

def constants_mode(torch):
    """What a model computes from the host's numbers in each run is the same each time: kept from the first run, so that
    a CUDA graph, which cannot copy from pageable memory or wait for the host, can be captured."""
    makers = {torch.tensor, torch.as_tensor, torch.Tensor.to, torch.Tensor.cuda}
    readers = {torch.Tensor.item, torch.Tensor.tolist, torch.Tensor.__bool__, torch.Tensor.__int__, torch.Tensor.__float__,
               torch.Tensor.__index__}

    class Constants(torch.overrides.TorchFunctionMode):
        def __init__(self):
            super().__init__()
            self.kept, self.next, self.replay = [], 0, False

        def start(self, replay):
            self.next, self.replay = 0, replay
            return self

        def __torch_function__(self, func, types, args=(), kwargs=None):
            kwargs = kwargs or {}
            first = args[0] if args else None
            on_gpu = isinstance(first, torch.Tensor) and first.is_cuda
            if func is torch.Tensor.__setitem__ and on_gpu and isinstance(args[2], (int, float)):
                return first[args[1]].fill_(args[2])
            made = func is torch.Tensor.new_tensor or (func in makers and not on_gpu)
            if not made and not (func in readers and on_gpu):
                return func(*args, **kwargs)
            if self.replay:
                self.next += 1
                return self.kept[self.next - 1]
            self.kept.append(func(*args, **kwargs))
            return self.kept[-1]

    return Constants()


def make_model(torch, anchors):
    import transformers
    make_config = getattr(transformers, "RTDetrV2Config", None) or transformers.RtDetrV2Config
    make = getattr(transformers, "RTDetrV2ForObjectDetection", None) or transformers.RtDetrV2ForObjectDetection
    torch.manual_seed(0)
    model = make(make_config(num_labels=LABELS, anchor_image_size=[SIZE, SIZE] if anchors else None))
    model = model.eval().half().cuda().to(memory_format=torch.channels_last)
    if anchors:  # made in float32 on the CPU; where there can be none they hold the type's largest number
        most = torch.finfo(torch.half).max
        model.model.anchors = model.model.anchors.clamp(max=most).half().cuda()
        model.model.valid_mask = model.model.valid_mask.cuda()
    return model


def forward(model, x):
    result = model(pixel_values=x, return_dict=True)
    return result.logits, result.pred_boxes


def runner(torch, kind, x):
    """A function that computes the outputs of what is in `x`."""
    model = make_model(torch, anchors=kind != "eager")
    if kind == "eager":
        return lambda: forward(model, x)
    if kind == "compile":
        compiled = torch.compile(model, mode="reduce-overhead", dynamic=False)

        def run():
            torch.compiler.cudagraph_mark_step_begin()
            return forward(compiled, x)
        return run
    constants, stream = constants_mode(torch), torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for _ in range(3):
            constants.kept.clear()
            with constants.start(replay=False):
                forward(model, x)
        stream.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream), constants.start(replay=True):
        outputs = forward(model, x)

    def replay():
        graph.replay()
        return outputs
    return replay


def device_times(torch, run, repeat):
    events = [[torch.cuda.Event(enable_timing=True) for _ in range(2)] for _ in range(repeat)]
    for start, end in events:
        start.record()
        run()
        end.record()
    torch.cuda.synchronize()
    return statistics.median(start.elapsed_time(end) for start, end in events)


def wall_times(torch, run, x, repeat):
    pages, times = torch.rand(x.shape, dtype=x.dtype).to(memory_format=torch.channels_last).pin_memory(), []
    results = [torch.empty(r.shape, dtype=r.dtype).pin_memory() for r in run()]
    for _ in range(repeat):
        torch.cuda.synchronize()
        start = time.perf_counter()
        x.copy_(pages, non_blocking=True)
        for to, result in zip(results, run()):
            to.copy_(result, non_blocking=True)
        torch.cuda.synchronize()
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


def measure_here(kind, batch, repeat):
    import torch
    import transformers
    torch.backends.cudnn.benchmark = True
    with torch.inference_mode():
        x = torch.rand(batch, 3, SIZE, SIZE, device="cuda").half().to(memory_format=torch.channels_last)
        run = runner(torch, kind, x)
        assert all(bool(torch.isfinite(result).all()) for result in run())
        first = time.time()
        for _ in range(WARM_UP):
            run()
        torch.cuda.synchronize()
        found = {"device": device_times(torch, run, repeat), "wall": wall_times(torch, run, x, repeat), "first": first}
    found["versions"] = (f"{torch.cuda.get_device_name()}, PyTorch {torch.__version__}, cuDNN {torch.backends.cudnn.version()}, "
                         f"transformers {transformers.__version__}")
    print("RESULT " + json.dumps(found))


# ---- the one that measures ----

class Memory:
    """The most that the GPU had in use while this was open, MiB; None where NVML does not tell."""

    class Info(ctypes.Structure):
        _fields_ = [("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong)]

    def __enter__(self):
        self.most, self.done = None, threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()

    def watch(self):
        try:
            nvml, device, info = ctypes.CDLL("libnvidia-ml.so.1"), ctypes.c_void_p(), self.Info()
        except OSError:
            return
        if nvml.nvmlInit_v2() or nvml.nvmlDeviceGetHandleByIndex_v2(0, ctypes.byref(device)):
            return
        while not self.done.wait(0.005):
            if nvml.nvmlDeviceGetMemoryInfo(device, ctypes.byref(info)) == 0:
                self.most = max(self.most or 0, info.used / 2 ** 20)


def process(command, limit):
    """What it printed, the most memory the GPU had in use, and when it started. Raises RuntimeError."""
    start = time.time()
    with Memory() as memory:
        try:
            done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=limit)
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"not done in {limit} s") from None
    if done.returncode != 0:
        raise RuntimeError((done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1][:300])
    return done.stdout, memory.most, start


BARE_CONTEXT = """
import ctypes, time
cuda, context = ctypes.CDLL("libcuda.so.1"), ctypes.c_void_p()
assert cuda.cuInit(0) == 0 and cuda.cuDevicePrimaryCtxRetain(ctypes.byref(context), 0) == 0
time.sleep(1)
"""


def measure_theirs(args, kind, batch):
    text, memory, start = process([sys.executable, __file__, "--measure", kind, batch, args.repeat], args.limit)
    found = json.loads(text.split("RESULT ")[1])
    return {**found, "memory": memory, "start": found["first"] - start}


def measure_ours(args, model, batch, sessions=1, precision="fp16"):
    command = [args.run, "--device", args.device, "--precision", precision, "--batch", batch]
    process([*command, model], args.limit)  # fills the cache of choices
    begin = time.time()
    process([*command, model], args.limit)
    start = time.time() - begin
    text, memory, _ = process([*command, "--sessions", sessions, "--repeat", args.repeat, model], args.limit)
    device = re.search(r"device ([0-9.]+) ms", text)
    wall = re.search(r"together ([0-9.]+) ms a run" if sessions > 1 else r"median ([0-9.]+) ms", text)
    return {"device": float(device[1]) if device else None, "wall": float(wall[1]), "memory": memory, "start": start}


def cell(value, form="{:.2f}"):
    return "–" if value is None else form.format(value)


def ratio(ours, theirs, key):
    return ours[key] / theirs[key] if ours and ours.get(key) and theirs.get(key) else None


def print_row(name, batch, found, ours, bare):
    memory = found["memory"] - bare if found.get("memory") and bare else None
    per_page = [found[key] / batch if found.get(key) else None for key in ("device", "wall")]
    print(f"| {name} | {batch} | {cell(per_page[0], '{:.3f}')} | {cell(per_page[1], '{:.3f}')} | "
          f"{cell(ratio(ours, found, 'device'))} | {cell(ratio(ours, found, 'wall'))} | {cell(memory, '{:.0f}')} | "
          f"{cell(found.get('start'), '{:.1f}')} |", flush=True)


HEAD = ("| {} | batch | device, ms a page | wall, ms a page | ours ÷ this, device | wall | GPU memory, MiB | start to first result, s |\n"
        + "|---" * 8 + "|")


def compare_large(args, bare):
    model, versions = args.model or fill_weights(args.folder), set()
    print(HEAD.format("RT-DETRv2-R50, fp16"))
    for batch in args.batch:
        ours = None
        for name, sessions in (("gst-doclayout", 1), ("gst-doclayout, two batches under way", 2)):
            if "ours" in args.only:
                try:
                    found = measure_ours(args, model, batch, sessions)
                    ours = ours or found
                    print_row(name, batch, found, ours, bare)
                except RuntimeError as error:
                    print(f"| {name} | {batch} | {error} | | | | | |", flush=True)
        for kind in THEIRS:
            if kind in args.only:
                try:
                    found = measure_theirs(args, kind, batch)
                    versions.add(found["versions"])
                    print_row(THEIRS[kind], batch, found, ours, bare)
                except RuntimeError as error:
                    print(f"| {THEIRS[kind]} | {batch} | {error} | | | | | |", flush=True)
    print("\n" + "; ".join(sorted(versions)))


def fill_weights(folder):
    path = folder / "rtdetrv2-r50.onnx"
    subprocess.run([sys.executable, HERE.parent / "models" / "fill_weights.py",
                    HERE.parent / "models" / "rtdetrv2-r50-structure.onnx.xz", path], check=True)
    return path


def compare_default(args, bare):
    sys.path.insert(0, str(HERE.parent))
    import benchmark_models
    import pages
    model = pages.model_file()
    if model is None:
        print("The default model is not in the cache, and DOCLAYOUT_MODEL does not name it.")
        return
    print("\n" + HEAD.format("PicoDet CDLA, 800×608"))
    ours = None
    for name, sessions, precision in (("gst-doclayout, fp16", 1, "fp16"), ("gst-doclayout, fp16, two pages under way", 2, "fp16"),
                                      ("gst-doclayout, fp32", 1, "fp32")):
        try:
            found = measure_ours(args, model, 1, sessions, precision)
            ours = ours or found
            print_row(name, 1, found, ours, bare)
        except RuntimeError as error:
            print(f"| {name} | 1 | {error} | | | | | |", flush=True)
    for threads in (1, args.threads):
        load, ms, _ = benchmark_models.measure_theirs("onnxruntime", str(model), threads, 1, 20)
        print_row(f"ONNX Runtime, CPU, {threads} threads", 1, {"wall": ms, "start": load}, ours, bare)


def main():
    if sys.argv[1:2] == ["--measure"]:
        measure_here(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
        return
    numbers = lambda text: [int(number) for number in text.split(",")]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=lambda p: pathlib.Path(p).resolve())
    parser.add_argument("--batch", type=numbers, default=[1, 8, 32])
    parser.add_argument("--only", type=lambda text: text.split(","), default=["ours", *THEIRS, "default"])
    parser.add_argument("--repeat", type=int, default=100)
    parser.add_argument("--threads", type=int, default=8, help="of ONNX Runtime")
    parser.add_argument("--limit", type=int, default=400, help="seconds that one process may take")
    parser.add_argument("--model", type=pathlib.Path, help="a filled file, where fill_weights.py has run before")
    parser.add_argument("--device", default="cuda")
    args = parser.parse_args()
    args.run = args.build / "tests" / "nn-run"
    with tempfile.TemporaryDirectory() as folder:
        args.folder = pathlib.Path(folder)
        try:
            bare = process([sys.executable, "-c", BARE_CONTEXT], 60)[1]
        except RuntimeError as error:
            print(f"skipped: no CUDA device ({error})")
            sys.exit(77)
        if {"ours", *THEIRS} & set(args.only):
            compare_large(args, bare)
        if "default" in args.only:
            compare_default(args, bare)


if __name__ == "__main__":
    main()
