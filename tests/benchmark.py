#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Speed and memory beside ONNX Runtime, OpenVINO and RapidLayout, in one run.

    tests/benchmark.py network BUILD [--rounds N]
        The network alone; ours, ONNX Runtime and OpenVINO take turns, so that a change of the
        machine's speed meets all of them. First pages a second with a page on each of two cores,
        which is how pipelines run it, then milliseconds a page on one thread pinned to one core.
    tests/benchmark.py job BUILD PDF… [--times N] [--dpi N] [--rounds N]
        PDF to JSON Lines, pages a second and peak memory: our pipeline and RapidLayout fed by
        pypdfium2 take turns, each a process of its own, with 1 and with 2 cores. Rendering counts on
        both sides, start-up (imports, loading the model) on neither: it is measured by a run
        over one page and taken off. --times repeats a document's pages, so that a short one runs long
        enough. Memory is the largest sum, over the process and its children,
        of proportional set sizes (PSS), sampled every 20 ms.
    tests/benchmark.py renderer BUILD PDF… [--processes 1,2] [--pages N] [--dpi N] [--rounds N]
        Pages a second out of pdfsrc with so many render workers, and of as many independent
        processes that draw with poppler and do nothing else, each into one memory again and again, and
        into two in turn; all take turns.

BUILD is a meson build folder. Needs the packages of tests/requirements.txt, and openvino for its
column (left out where it is missing). Medians over the rounds are printed as a Markdown table.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
MODEL = os.environ.get("DOCLAYOUT_MODEL", str(CACHE / "gst-doclayout" / "layout_cdla.onnx"))


def table(head, rows):
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")


# ---- the network alone ----

def onnxruntime_runner(data):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(MODEL, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda: session.run(None, {name: data})


def openvino_runner(data):
    import openvino
    core = openvino.Core()
    model = core.compile_model(MODEL, "CPU", {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"})
    request = model.create_infer_request()
    return lambda: request.infer([data])


def our_ms(build, repeat):
    text = subprocess.run([f"{build}/tests/nn-run", "--repeat", str(repeat), "--threads", "1", MODEL],
                          check=True, capture_output=True, text=True).stdout
    return float(re.search(r"median ([0-9.]+) ms", text).group(1))


def median_ms(run, repeat):
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


def our_pages_per_second(build, repeat):
    text = subprocess.run([f"{build}/tests/nn-run", "--repeat", str(repeat), "--threads", "1", "--sessions", "2", MODEL],
                          check=True, capture_output=True, text=True).stdout
    return sum(1e3 / float(ms) for ms in re.findall(r"median ([0-9.]+) ms", text))


def onnxruntime_pages_per_second(data, repeat):
    runners = [onnxruntime_runner(data) for _ in range(2)]
    threads = [threading.Thread(target=median_ms, args=(run, repeat)) for run in runners]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return repeat * len(runners) / (time.perf_counter() - start)


def openvino_pages_per_second(data, repeat):
    """In its own mode for throughput: two streams of one thread each."""
    import openvino
    model = openvino.Core().compile_model(MODEL, "CPU", {
        "PERFORMANCE_HINT": "THROUGHPUT", "NUM_STREAMS": 2, "INFERENCE_NUM_THREADS": 2,
        "INFERENCE_PRECISION_HINT": "f32"})
    queue = openvino.AsyncInferQueue(model, 2)
    queue.start_async([data])
    queue.wait_all()
    start = time.perf_counter()
    for _ in range(2 * repeat):
        queue.start_async([data])
    queue.wait_all()
    return 2 * repeat / (time.perf_counter() - start)


def two_pages_at_once(args, data, with_openvino):
    sides = {"gst-doclayout": lambda: our_pages_per_second(args.build, 10),
             "ONNX Runtime": lambda: onnxruntime_pages_per_second(data, 10)}
    if with_openvino:
        sides["OpenVINO"] = lambda: openvino_pages_per_second(data, 10)
    rates = {name: [] for name in sides}
    for _ in range(args.rounds):
        for name, measure in sides.items():
            rates[name].append(measure())
    base = rates["gst-doclayout"]
    table(["network, two pages at once on two cores", "pages/s", "ours ÷ this, median of rounds"],
          [[name, f"{statistics.median(r):.1f}",
            f"{statistics.median(a / b for a, b in zip(base, r)):.2f}"] for name, r in rates.items()])


def network(args):
    import numpy
    data = numpy.random.default_rng(0).standard_normal((1, 3, 800, 608)).astype(numpy.float32)
    runners = {"ONNX Runtime": onnxruntime_runner, "OpenVINO": openvino_runner}
    try:
        import openvino  # noqa: F401
    except ImportError:
        print("openvino is not installed: its column is left out", file=sys.stderr)
        del runners["OpenVINO"]
    # First, because OpenVINO looks only once at which cores there are.
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[:2])
    two_pages_at_once(args, data, "OpenVINO" in runners)
    os.sched_setaffinity(0, cores[:1])
    columns = {name: make(data) for name, make in runners.items()}
    times = {name: [] for name in ["gst-doclayout", *columns]}
    for _ in range(args.rounds):
        times["gst-doclayout"].append(our_ms(args.build, 10))
        for name, run in columns.items():
            run()
            times[name].append(median_ms(run, 10))
    base = times["gst-doclayout"]
    print()
    table(["network, 1 thread", "median ms/page", "ours ÷ this, median of rounds"],
          [[name, f"{statistics.median(t):.1f}",
            f"{statistics.median(a / b for a, b in zip(base, t)):.2f}"] for name, t in times.items()])


# ---- the whole job ----

def family(pid):
    """The process and all that it started."""
    pids, todo = [], [pid]
    while todo:
        pid = todo.pop()
        pids.append(pid)
        try:
            for task in Path(f"/proc/{pid}/task").iterdir():
                todo += [int(child) for child in (task / "children").read_text().split()]
        except OSError:
            pass
    return pids


def pss_kib(pid):
    total = 0
    for member in family(pid):
        try:
            text = Path(f"/proc/{member}/smaps_rollup").read_text()
            total += int(re.search(r"^Pss: +(\d+)", text, re.M).group(1))
        except (OSError, AttributeError):
            pass
    return total


def timed(command, cores, env):
    """Wall seconds, and the peak of PSS in MiB, of a command on `cores` cores."""
    start = time.perf_counter()
    process = subprocess.Popen(["taskset", "-c", cores, *command], env=env, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE)
    peak = 0
    done = threading.Event()

    def sample():
        nonlocal peak
        while not done.wait(0.02):
            peak = max(peak, pss_kib(process.pid))

    sampler = threading.Thread(target=sample)
    sampler.start()
    errors = process.communicate()[1]
    seconds = time.perf_counter() - start
    done.set()
    sampler.join()
    if process.returncode:
        sys.exit(f"{command[0]} failed: {errors.decode()}")
    return seconds, peak / 1024


RAPIDLAYOUT = """
import json, sys
import numpy, pypdfium2
from rapid_layout import EngineType, ModelType, RapidLayout, RapidLayoutInput
cores, dpi, first_page, output = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3] == "1", open(sys.argv[4], "w")
engine = RapidLayout(cfg=RapidLayoutInput(model_type=ModelType.PP_LAYOUT_CDLA, model_dir_or_path=sys.argv[5],
    engine_type=EngineType.ONNXRUNTIME,
    engine_cfg={"intra_op_num_threads": cores, "inter_op_num_threads": 1}))
for path in sys.argv[6:]:
    document = pypdfium2.PdfDocument(path)
    for number in range(1 if first_page else len(document)):
        image = document[number].render(scale=dpi / 72, rev_byteorder=False).to_numpy()
        found = engine(image)
        output.write(json.dumps({"document": path, "page": number + 1,
            "regions": [{"label": l, "score": float(s), "bbox": [float(v) for v in b]}
                        for b, l, s in zip(found.boxes, found.class_names, found.scores)]}) + "\\n")
"""


def our_environment(args):
    return dict(os.environ, GST_PLUGIN_PATH=f"{args.build}/elements",
                DOCLAYOUT_RENDER_WORKER=f"{args.build}/elements/pdf-render-worker")


def our_command(args, cores, pages, output, pdf):
    return [f"{args.build}/pipelines/doclayout-launch", "--set", f"src.location={pdf}", "--set",
            f"sink.location={output}", "pdfsrc", "name=src", f"dpi={args.dpi}", f"pages={pages}", "!",
            "cudalayoutdetect", f"batch-size={cores}", "!", "jsonsink", "name=sink"]


def rapid_command(args, cores, first, output, pdf):
    return [sys.executable, "-c", RAPIDLAYOUT, str(cores), str(args.dpi), "1" if first else "0", output, MODEL, pdf]


def repeat_pages(pdf, times, output):
    """Writes the document's pages `times` times over; returns how many there are then."""
    import pypdfium2
    source, result = pypdfium2.PdfDocument(pdf), pypdfium2.PdfDocument.new()
    for _ in range(times):
        result.import_pages(source)
    result.save(output)
    return len(result)


def job(args):
    env = our_environment(args)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        output = f"{folder}/out.jsonl"
        for cores, pin in ((1, "0"), (2, "0,1")):
            for original in args.pdf:
                pdf = f"{folder}/{Path(original).name}"
                pages = repeat_pages(original, args.times, pdf)
                sides = {"gst-doclayout": (our_command(args, cores, "1", output, pdf),
                                           our_command(args, cores, "1-", output, pdf)),
                         "RapidLayout": (rapid_command(args, cores, True, output, pdf),
                                         rapid_command(args, cores, False, output, pdf))}
                rates, memory = ({name: [] for name in sides} for _ in range(2))
                for _ in range(args.rounds):
                    for name, (one, every) in sides.items():
                        start_up, _ = timed(one, pin, env)
                        seconds, peak = timed(every, pin, env)
                        with open(output) as lines:
                            written = sum(1 for line in lines if json.loads(line))
                        if written != pages:
                            sys.exit(f"{name} wrote {written} of {pages} pages of {pdf}")
                        rates[name].append((pages - 1) / (seconds - start_up))
                        memory[name].append(peak)
                ratio = statistics.median(a / b for a, b in zip(rates["gst-doclayout"], rates["RapidLayout"]))
                for name in sides:
                    rows.append([cores, f"{Path(pdf).name} ({pages} pages)", name,
                                 f"{statistics.median(rates[name]):.1f}", f"{statistics.median(memory[name]):.0f}",
                                 f"{ratio:.2f}" if name == "gst-doclayout" else ""])
    table(["cores", "document", "", "pages/s", "peak MiB", "ours ÷ RapidLayout's"], rows)


# ---- the renderer alone ----

def pdfsrc_rate(args, env, workers, pdf):
    text = subprocess.run([f"{args.build}/pipelines/doclayout-bench", "--only", "renderer", "--json", "--repeat", "1",
                           "--pages", str(args.pages), "-p", f"dpi={args.dpi}", "-p", f"render-workers={workers}", pdf],
                          env=env, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    return json.loads(text)["renderer"]["pages_per_second"]


def poppler_rate(args, processes, frames, pdf):
    command = [f"{args.build}/tests/poppler-pages", pdf, processes, args.pages, args.dpi, frames]
    return float(subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True).stdout)


def renderer(args):
    env, rows = our_environment(args), []
    for pdf in args.pdf:
        for n in args.processes:
            ours, alone = [], {1: [], 2: []}
            for _ in range(args.rounds):
                ours.append(pdfsrc_rate(args, env, n, pdf))
                for frames, rates in alone.items():
                    rates.append(poppler_rate(args, n, frames, pdf))
            row = [Path(pdf).name, n, f"{statistics.median(ours):.0f}"]
            for rates in alone.values():
                row += [f"{statistics.median(rates):.0f}", f"{statistics.median(map(float.__truediv__, ours, rates)):.2f}"]
            rows.append(row)
    table(["document", "processes", "pdfsrc", "poppler, one memory", "ours ÷ this", "poppler, two in turn", "ours ÷ this"],
          rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=lambda text: [int(n) for n in text.split(",")], default=[1, 2])
    parser.add_argument("what", choices=["network", "job", "renderer"])
    parser.add_argument("build", type=lambda p: str(Path(p).resolve()))
    parser.add_argument("pdf", nargs="*")
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--dpi", type=float, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    if args.what != "network" and not args.pdf:
        parser.error(f"{args.what} needs a PDF")
    {"network": network, "job": job, "renderer": renderer}[args.what](args)


if __name__ == "__main__":
    main()
