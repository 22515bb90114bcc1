"""Writes the files of testdata/columns: the same scores and vectors as NumPy and PyArrow write them.

Usage: write_columns.py DIRECTORY   (NumPy 2.4, PyArrow 26.0; the files are in the repository, nothing runs this again)
"""

import csv
import pathlib
import sys

import numpy
import pyarrow
import pyarrow.parquet

out = pathlib.Path(sys.argv[1])
draw = numpy.random.default_rng(7)
# Twenty people, two samples each: every pair once.
samples = [(person, sample) for person in range(20) for sample in (1, 2)]
rows = []
for later, (a, i) in enumerate(samples):
    for b, j in samples[:later]:
        score = round(float(draw.normal(0.7 if a == b else 0.1, 0.15)), 4)
        rows.append((f"p{a}_{i}", f"p{b}_{j}", score, int(a == b), f"P{a}", f"P{b}", "FM"[a % 2], 1950 + 3 * a))
names = ["probe", "reference", "score", "mated", "probe_subject", "reference_subject", "sex", "born"]
with open(out / "scores.csv", "w", newline="") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
columns = dict(zip(names, map(list, zip(*rows))))
table = {
    "probe": pyarrow.array(columns["probe"]).dictionary_encode(),
    "trace": pyarrow.array([[k % 3] * (k % 4) for k in range(len(rows))], pyarrow.list_(pyarrow.int32())),
    "reference": pyarrow.array(columns["reference"]),
    "score": pyarrow.array(columns["score"], pyarrow.float64()),
    "mated": pyarrow.array([bool(mated) for mated in columns["mated"]]),
    "probe_subject": pyarrow.array(columns["probe_subject"]).dictionary_encode(),
    "reference_subject": pyarrow.array(columns["reference_subject"]).dictionary_encode(),
    "sex": pyarrow.array(columns["sex"]),
    "born": pyarrow.array(columns["born"], pyarrow.uint16()),
}
pyarrow.parquet.write_table(pyarrow.table(table), out / "scores.parquet", row_group_size=300)
few = pyarrow.table({name: table[name] for name in ("probe", "reference", "score", "mated")}).slice(0, 3)
pyarrow.parquet.write_table(few, out / "zstd.parquet", compression="zstd")
mated = numpy.array([row[2] for row in rows if row[3]], numpy.float32)
non_mated = numpy.array([row[2] for row in rows if not row[3]], numpy.float64)
numpy.savez(out / "scores.npz", mated=mated, non_mated=non_mated)
numpy.savez_compressed(out / "packed.npz", mated=mated, non_mated=non_mated)
faces = draw.normal(size=(6, 64)).astype(numpy.float16)
numpy.savez(out / "faces.npz", faces)
lists = pyarrow.array(list(faces.astype(numpy.float32)), pyarrow.list_(pyarrow.float32()))
pyarrow.parquet.write_table(pyarrow.table({"id": list(range(6)), "face": lists}), out / "faces.parquet")
halves = pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(faces.ravel()), 64)
pyarrow.parquet.write_table(pyarrow.table({"half": halves}), out / "halves.parquet", compression="none")
