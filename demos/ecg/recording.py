#!/usr/bin/python3
"""The recording of demos/ecg, which comes with SciPy, and what the program makes of it.

    recording.py SAMPLES    writes the samples as the amplifier gave them: 16 bits, frame after frame

Five minutes, 19:35 to 24:35, of lead MLII of record 208 of the MIT-BIH Arrhythmia Database, 360
frames a second: G. B. Moody and R. G. Mark, "The impact of the MIT-BIH Arrhythmia Database", IEEE
Engineering in Medicine and Biology 20 (2001), 45-50, https://doi.org/10.13026/C2F305, on PhysioNet:
A. L. Goldberger et al., Circulation 101 (2000), e215-e220.
"""

import sys
import warnings

import numpy as np

RATE_HZ = 360
STEPS_PER_MV = 200
STEPS_AT_0_MV = 1024


def millivolts():
    # Debian 12 has SciPy 1.10, in which this place is only deprecated; the new one downloads.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from scipy.misc import electrocardiogram

        return electrocardiogram()


def samples():
    return np.round(millivolts() * STEPS_PER_MV + STEPS_AT_0_MV).astype(np.int16)


def read_trace(path):
    return np.fromfile(path, np.float32).astype(float)


def read_beats(path):
    """Frames of the beats, their intervals in ms (NaN where they are not known), and a list of
    stretches (from, to) in which beats may be missing."""
    frames, intervals, unknown = [], [], []
    with open(path, encoding="ascii") as lines:
        for kind, *fields in map(str.split, lines):
            if kind == "beat":
                frames.append(int(fields[0]))
                intervals.append(np.nan if fields[2] == "-" else float(fields[2]))
            elif kind == "unknown":
                unknown.append((int(fields[0]), int(fields[1])))
    return np.array(frames), np.array(intervals), unknown


def within(frames, stretches):
    """Which of the frames lie in one of the stretches."""
    inside = np.zeros(len(frames), bool)
    for begin, end in stretches:
        inside |= (frames >= begin) & (frames < end)
    return inside


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    samples().tofile(sys.argv[1])
