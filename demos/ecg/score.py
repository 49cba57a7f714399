#!/usr/bin/python3
"""Compares what demos/ecg made of the recording with SciPy, which computes it in another way.

    score.py FOLDER LOST_FRAME [PICTURE.png]

FOLDER has the filters, trace.f32 and beats.txt, and trace-lost.f32 and beats-lost.txt of a run in
which the packet of LOST_FRAME never arrived. Prints what was found, and ends with 1 when something is
not as it should be. PICTURE shows each beat that only one of the two detectors has.
"""

import sys
from pathlib import Path

import numpy as np
from scipy import signal

from recording import RATE_HZ, millivolts, read_beats, read_trace, within

TOLERANCE_S = 0.075
MIN_AGREEMENT = 0.98
MAX_ERROR = 1e-6
PACKET_FRAMES = 12


def detect(recording):
    """R waves, by another way than the program's: no slope, no energy, no adaptive threshold. Waves
    of 1 to 25 Hz that stand out by 0.6 mV within half a second to either side."""
    sections = signal.butter(2, (1, 25), "bandpass", fs=RATE_HZ, output="sos")
    waves = signal.sosfiltfilt(sections, recording)
    return signal.find_peaks(waves, distance=RATE_HZ // 4, prominence=0.6, wlen=RATE_HZ)[0]


def unmatched(frames, others):
    """Those of `frames` that have none of `others` near. Neither has two so near to each other that
    one could serve both."""
    others = np.concatenate(([-(10**9)], others, [10**9]))
    right = np.searchsorted(others, frames)
    distance = np.minimum(others[right] - frames, frames - others[right - 1])
    return frames[distance > TOLERANCE_S * RATE_HZ]


def compare_trace(folder, recording):
    taps = np.convolve(np.loadtxt(folder / "wander.txt"), np.loadtxt(folder / "noise.txt"))
    delay = len(taps) // 2
    expected = signal.oaconvolve(recording, taps)[delay : delay + len(recording)]
    trace = read_trace(folder / "trace.f32")
    if len(trace) != len(expected):
        print(f"trace      {len(trace)} frames, of {len(expected)} that came in")
        return False
    error = np.linalg.norm(trace - expected) / np.linalg.norm(expected)
    print(f"trace      relative error {error:.1e} against scipy.signal.oaconvolve in float64")
    return error <= MAX_ERROR


def compare_beats(folder, recording, picture):
    beats, _, unknown = read_beats(folder / "beats.txt")
    others = detect(recording)
    others = others[~within(others, unknown)]
    missing, alone = unmatched(others, beats), unmatched(beats, others)
    found = 1 - len(missing) / len(others)
    confirmed = 1 - len(alone) / len(beats)
    print(
        f"beats      {len(beats)}; of {len(others)} that another detector finds, {found:.1%} are among "
        f"them, and it confirms {confirmed:.1%}, within {1000 * TOLERANCE_S:.0f} ms"
    )
    for name, frames in (("this one", alone), ("the other", missing)):
        times = ", ".join(f"{frame / RATE_HZ:.2f}" for frame in frames)
        print(f"           only {name}: {times or 'none'}" + (" s" if times else ""))
    if picture:
        from draw import draw_disagreements

        draw_disagreements(picture, recording, beats, others, np.sort(np.append(missing, alone)))
    return min(found, confirmed) >= MIN_AGREEMENT


def compare_loss(folder, lost_frame):
    """With a packet lost, nothing changes but near the loss, where nothing is told."""
    gap = lost_frame // PACKET_FRAMES * PACKET_FRAMES
    beats, _, _ = read_beats(folder / "beats.txt")
    kept, intervals, unknown = read_beats(folder / "beats-lost.txt")
    around = [stretch for stretch in unknown if stretch[0] <= gap and gap + PACKET_FRAMES <= stretch[1]]
    invented = np.setdiff1d(kept, beats)
    dropped = np.setdiff1d(beats[~within(beats, unknown)], kept)
    # An interval over what is unknown would be a pause that nobody saw.
    before = np.append(-1, kept[:-1])
    is_across = (before < gap) & (kept > gap)
    told_across = np.count_nonzero(~np.isnan(intervals[is_across]))

    trace, other = read_trace(folder / "trace.f32"), read_trace(folder / "trace-lost.f32")
    reach = (len(np.loadtxt(folder / "wander.txt")) + len(np.loadtxt(folder / "noise.txt"))) // 2
    far = np.ones(len(trace), bool)
    far[max(0, gap - reach) : gap + PACKET_FRAMES + reach] = False
    is_same = len(trace) == len(other) and np.allclose(trace[far], other[far], atol=1e-5, rtol=0)

    told = ", ".join(f"{begin} to {end}" for begin, end in around) or "none"
    print(
        f"loss       of frames {gap} to {gap + PACKET_FRAMES}: told as unknown: {told}; beats there "
        f"{np.count_nonzero(within(beats, around))}, invented {len(invented)}, lost elsewhere "
        f"{len(dropped)}, intervals across it {told_across}; the trace elsewhere is "
        f"{'the same' if is_same else 'ANOTHER'}"
    )
    return len(around) == 1 and not (len(invented) or len(dropped) or told_across) and is_same


def main(folder, lost_frame, picture=None):
    recording = millivolts()
    results = (
        compare_trace(folder, recording),
        compare_beats(folder, recording, picture),
        compare_loss(folder, int(lost_frame)),
    )
    if not all(results):
        sys.exit("FAILED")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(Path(sys.argv[1]), *sys.argv[2:])
