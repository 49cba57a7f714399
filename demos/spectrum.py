#!/usr/bin/python3
"""Draws the spectrum of a recording before and after a filter, and the change beside the filter's
own response (in general they agree only roughly: a band's level depends on where its tones lie).

    demos/spectrum.py BEFORE AFTER FILTER PICTURE.png

Both spectra are Welch estimates, averaged over time and channels and summed in sixth-octave
bands, in dB relative to a sine of full scale. The filter may have another sample rate.
"""

import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import soundfile

SEGMENT_FRAMES = 16_384
BANDS_PER_OCTAVE = 6
LOWEST_HZ = 30.0

# Okabe and Ito's colours, told apart by every kind of colour vision.
BLUE, ORANGE, BLACK = "#0072B2", "#D55E00", "#000000"


def power_spectrum(samples, rate_hz):
    """Frequencies in Hz and the mean power per bin (Hann window, half overlap)."""
    window = np.hanning(SEGMENT_FRAMES + 1)[:-1]
    padding = max(0, SEGMENT_FRAMES - len(samples))
    samples = np.pad(samples, ((0, padding), (0, 0)))
    starts = range(0, len(samples) - SEGMENT_FRAMES + 1, SEGMENT_FRAMES // 2)
    power = np.mean(
        [
            np.abs(np.fft.rfft(window[:, None] * samples[start : start + SEGMENT_FRAMES], axis=0))
            ** 2
            for start in starts
        ],
        axis=(0, 2),
    )
    # A sine of full scale has power 1 in the sum over its bins.
    power *= 4 / (SEGMENT_FRAMES * np.sum(window**2))
    return np.fft.rfftfreq(SEGMENT_FRAMES, 1 / rate_hz), power


def response(taps, rate_hz):
    """Frequencies in Hz and the power response per bin, mean over the filters."""
    size = 1 << int(np.ceil(np.log2(len(taps))))
    power = np.mean(np.abs(np.fft.rfft(taps, size, axis=0)) ** 2, axis=1)
    return np.fft.rfftfreq(size, 1 / rate_hz), power


def bands(highest_hz):
    """Centres and edges in Hz of the bands."""
    count = int(np.floor(BANDS_PER_OCTAVE * np.log2(highest_hz / LOWEST_HZ)))
    edges = LOWEST_HZ * 2.0 ** (np.arange(count + 1) / BANDS_PER_OCTAVE)
    return np.sqrt(edges[1:] * edges[:-1]), edges


def in_bands(frequencies, power, edges, combine):
    band = np.digitize(frequencies, edges) - 1
    return np.array([combine(power[band == index]) for index in range(len(edges) - 1)])


def decibels(power):
    return 10 * np.log10(np.maximum(power, 1e-20))


def seconds_and_rate(samples, rate_hz):
    return f"{len(samples) / rate_hz:.3g} s, {rate_hz / 1000:g} kHz"


def main(before_path, after_path, filter_path, picture_path):
    before, rate_hz = soundfile.read(before_path, always_2d=True)
    after, after_rate_hz = soundfile.read(after_path, always_2d=True)
    taps, taps_rate_hz = soundfile.read(filter_path, always_2d=True)
    if rate_hz != after_rate_hz:
        sys.exit(f"{after_path} has a rate of {after_rate_hz} Hz, {before_path} of {rate_hz} Hz")

    # Averaged over the same time, so that the two can be compared although one is longer.
    frames = max(len(before), len(after))
    before_padded = np.pad(before, ((0, frames - len(before)), (0, 0)))
    after_padded = np.pad(after, ((0, frames - len(after)), (0, 0)))

    centres, edges = bands(min(20_000, rate_hz / 2, taps_rate_hz / 2))
    level_before = decibels(in_bands(*power_spectrum(before_padded, rate_hz), edges, np.sum))
    level_after = decibels(in_bands(*power_spectrum(after_padded, rate_hz), edges, np.sum))
    level_filter = decibels(in_bands(*response(taps, taps_rate_hz), edges, np.mean))

    plt.rcParams.update({"font.size": 11, "axes.grid": True, "grid.color": "#dddddd"})
    figure, (top, bottom) = plt.subplots(
        2, 1, figsize=(10, 7.5), sharex=True, height_ratios=(3, 2), layout="constrained"
    )
    figure.suptitle("A guitar before and after the hall, filtered by firbank", fontsize=15)
    name = before_path.rsplit("/", 1)[-1]
    hall = filter_path.rsplit("/", 1)[-1]
    top.plot(centres, level_before, color=BLUE, linewidth=2, linestyle="--",
             label=f"before: {name} ({seconds_and_rate(before, rate_hz)})")
    top.plot(centres, level_after, color=ORANGE, linewidth=2,
             label=f"after: through {hall} ({seconds_and_rate(taps, taps_rate_hz)})")
    top.set_ylabel("level in a sixth of an octave\n(dB re full-scale sine)")
    top.set_ylim(bottom=max(-130, min(level_before.min(), level_after.min()) - 5))
    top.legend(loc="upper right")

    bottom.plot(centres, level_after - level_before, color=ORANGE, linewidth=2,
                label="after minus before")
    offset = np.median(level_after - level_before - level_filter)
    bottom.plot(centres, level_filter + offset, color=BLACK, linewidth=1.5, linestyle=":",
                label=f"the filter's own response, moved by {offset:+.1f} dB to fit")
    bottom.set_ylabel("change (dB)")
    bottom.set_xlabel("frequency (Hz)")
    bottom.legend(loc="lower center")
    bottom.set_xscale("log")
    ticks = [31.5, 63, 125, 250, 500, 1000, 2000, 4000, 8000, 16000]
    bottom.set_xticks(ticks, ["31.5", "63", "125", "250", "500", "1 k", "2 k", "4 k", "8 k", "16 k"])
    bottom.minorticks_off()
    bottom.set_xlim(edges[0], edges[-1])
    figure.savefig(picture_path, dpi=120)


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
