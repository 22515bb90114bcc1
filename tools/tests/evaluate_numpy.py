"""Counts the errors of verification from scores, in another way than khop does: NumPy, every distinct threshold.

Usage: evaluate_numpy.py MATED.npy NON_MATED.npy FMR...
Prints one JSON object: eer, and for each FMR the threshold and the counts.
"""

import json
import sys

import numpy

mated, non_mated = (numpy.load(path).astype(numpy.float32).ravel() for path in sys.argv[1:3])
thresholds = numpy.unique(numpy.concatenate([mated, non_mated]))
mated.sort()
non_mated.sort()
missed = numpy.searchsorted(mated, thresholds, side="left")
accepted = len(non_mated) - numpy.searchsorted(non_mated, thresholds, side="left")
fnmr, fmr = missed / len(mated), accepted / len(non_mated)
nearest = numpy.abs(fnmr - fmr).min()
equal = [(a + b) / 2 for a, b in zip(fnmr, fmr) if abs(abs(a - b) - nearest) < 1e-12]
lines = []
for asked in map(float, sys.argv[3:]):
    # The lowest threshold that keeps the rate, which has the fewest misses.
    place = int(numpy.argmax(accepted <= asked * len(non_mated) * (1 + 1e-9)))
    lines.append(
        {
            "fmr": asked,
            "threshold": float(thresholds[place]),
            "errors": int(missed[place]),
            "false_matches": int(accepted[place]),
        }
    )
print(json.dumps({"eer": equal, "fnmr_at_fmr": lines}))
