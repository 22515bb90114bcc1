#!/usr/bin/env python3
"""How fast are other libraries at what `khop bench face` measures? Both in one run, on one core, as ratios.

    python3 -m venv rivals && rivals/bin/pip install numpy faiss-cpu hnswlib usearch
    taskset -c 1 rivals/bin/python benches/rivals/face.py --khop target/release/khop --n 200000

Times are processor time of this process or of khop's searching thread, so that other programs on the machine disturb
them little; khop is measured before, between and after the others, and ratios are against its median. Vectors are
made from a seed: unit length, a spectrum that falls off, probes at cosines of 0.3 to 0.95 from their mates.
One JSON object a line.
"""

import argparse
import json
import os
import statistics
import subprocess
import time

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
import numpy as np  # noqa: E402  (threads are limited before it is loaded)

PROBES = 200
SECONDS_PER_PEER = 8


def faces(count, dim, seed):
    """Unit vectors whose variance falls off along randomly turned axes."""
    draws = np.random.default_rng(seed)
    spectrum = np.arange(1, dim + 1, dtype=np.float32) ** -0.25
    axes = np.linalg.qr(draws.standard_normal((dim, dim)))[0].astype(np.float32)
    rows = np.empty((count, dim), np.float32)
    for start in range(0, count, 20_000):
        part = draws.standard_normal((min(20_000, count - start), dim), dtype=np.float32)
        rows[start : start + len(part)] = (part * spectrum) @ axes
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def mated(rows, seed):
    """Probes at known cosines from some of the rows, and which rows these are."""
    draws = np.random.default_rng(seed)
    mates = draws.choice(len(rows), PROBES, replace=False)
    cosines = np.clip(draws.normal(0.62, 0.12, (PROBES, 1)), 0.3, 0.95).astype(np.float32)
    other = draws.standard_normal((PROBES, rows.shape[1]), dtype=np.float32)
    other -= np.sum(other * rows[mates], axis=1, keepdims=True) * rows[mates]
    other /= np.linalg.norm(other, axis=1, keepdims=True)
    return cosines * rows[mates] + np.sqrt(1 - cosines**2) * other, mates


def khop(binary, n, rounds):
    """What `khop bench face` says on this core."""
    command = [binary, "bench", "face", "--n", str(n), "--rounds", str(rounds), "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def timed(search, probes, mates, batch):
    """Median processor milliseconds a probe, and the share of mates among the ten best."""
    search(probes[:batch])
    spent, found, done, started = [], 0, 0, time.process_time()
    while done + batch <= len(probes) and (not spent or time.process_time() - started < SECONDS_PER_PEER):
        before = time.process_time()
        best = search(probes[done : done + batch])
        spent.append((time.process_time() - before) / batch * 1e3)
        found += sum(mate in row for mate, row in zip(mates[done : done + batch], best))
        done += batch
    return statistics.median(spent), found / done


def peers(rows, probes):
    """Name, how it is built, batch, and which figure of khop it is held against."""
    import faiss
    from usearch.index import MetricKind
    from usearch.index import search as exact

    faiss.omp_set_num_threads(1)
    faiss.cvar.distance_compute_blas_threshold = 1  # else batches below 128 000 comparisons run probe by probe
    dim = rows.shape[1]

    def of_faiss(make):
        index = make()
        index.train(rows[:50_000])
        index.add(rows)
        return lambda wanted: index.search(wanted, 10)[1]

    def scalar(kind):
        return lambda: of_faiss(lambda: faiss.IndexScalarQuantizer(dim, kind, faiss.METRIC_INNER_PRODUCT))

    def factory(text):
        def make():
            index = faiss.index_factory(dim, text, faiss.METRIC_INNER_PRODUCT)
            if "RFlat" in text:
                index.k_factor = 20  # 200 rescored for ten
            return index

        return lambda: of_faiss(make)

    def of_usearch():
        def bytes_of(vectors):
            return np.round(vectors * 127 / np.abs(vectors).max(1, keepdims=True)).astype(np.int8)

        coded = bytes_of(rows)
        return lambda wanted: exact(coded, bytes_of(wanted), 10, MetricKind.IP, exact=True, threads=1).keys.reshape(
            len(wanted), -1
        )

    flat = lambda: of_faiss(lambda: faiss.IndexFlatIP(dim))  # noqa: E731
    yield "faiss SQ8 flat", scalar(faiss.ScalarQuantizer.QT_8bit), 1, "exact_cpu_ms"
    yield "faiss flat f32", flat, 1, "exact_cpu_ms"
    yield "usearch exact i8", of_usearch, 1, "exact_cpu_ms"
    yield "faiss flat f32, batch of 200", flat, PROBES, "exact_batch_64"
    yield "faiss RaBitQ fast-scan flat", factory("RaBitQfs"), 1, "bounded_cpu_ms"
    yield "faiss PQ128x4fs + refine 200", factory("PQ128x4fs,RFlat"), 1, "bounded_cpu_ms"


def graph(rows, probes, mates, breadth):
    """hnswlib at one breadth: milliseconds, mates found, build seconds."""
    import hnswlib

    index = hnswlib.Index("ip", rows.shape[1])
    index.init_index(len(rows), M=16, ef_construction=200)
    index.set_num_threads(1)
    before = time.process_time()
    index.add_items(rows)
    build_s = time.process_time() - before
    index.set_ef(breadth)
    return *timed(lambda wanted: index.knn_query(wanted, 10)[0], probes, mates, 1), build_s


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--khop", required=True, help="the khop binary, built with --release")
    options.add_argument("--n", type=int, default=200_000, help="references")
    options.add_argument("--rounds", type=int, default=3, help="rounds of each run of khop")
    options.add_argument("--graph", type=int, default=0, help="also hnswlib, of so many references")
    options = options.parse_args()
    rows = faces(options.n, 512, 1)
    probes, mates = mated(rows, 2)
    ours, theirs = [khop(options.khop, options.n, options.rounds)], []
    for position, (name, build, batch, against) in enumerate(peers(rows, probes)):
        try:
            search = build()
            ms, found = timed(search, probes, mates, batch)
            theirs.append((name, batch, against, ms, found))
            del search
        except Exception as error:  # a peer that cannot run is reported, not hidden
            print(json.dumps({"peer": name, "error": str(error)[:200]}), flush=True)
        if position in (2, 5):
            ours.append(khop(options.khop, options.n, options.rounds))
    for name, batch, against, ms, found in theirs:
        if against == "exact_batch_64":
            mine = statistics.median(options.n / run["exact_batch_64_comparisons_per_s_per_core"] * 1e3 for run in ours)
        else:
            mine = statistics.median(run[against] for run in ours)
        line = {"peer": name, "n": options.n, "batch": batch, "cpu_ms": round(ms, 3), "mates_in_ten": round(found, 4)}
        print(json.dumps(line | {"khop": against, "khop_cpu_ms": round(mine, 3), "times": round(ms / mine, 2)}), flush=True)
    if options.graph:
        few, few_mates = mated(rows[: options.graph], 3)
        ms, found, build_s = graph(rows[: options.graph], few, few_mates, 256)
        line = {"peer": "hnswlib M16 ef256", "n": options.graph, "cpu_ms": round(ms, 3)}
        print(json.dumps(line | {"mates_in_ten": round(found, 4), "build_cpu_s": round(build_s, 1)}), flush=True)


if __name__ == "__main__":
    main()
