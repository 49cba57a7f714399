#!/usr/bin/env python3
"""torch.fft, which is cuFFT, on one case: overlap-save with one batched transform of all inputs, the
products, one batched inverse of all outputs; the spectra of the filters and the history stay on the
device, and samples come from pinned memory and go there. Of a stream block by block, all taps in one
transform; of a file with the fastest of a few sizes, while copies run both ways beside it. Prints
figures as the other programs of bench/gpu do; exit 77 with a line when torch or its CUDA is not
there.

    bench/gpu/torch_peer.py CASE [--seconds N] [--quick]
"""

import sys

sys.dont_write_bytecode = True

import peer_cases  # noqa: E402
from peer_cases import Case, tell  # noqa: E402

DEVICE = "cuda"
SIZES = {"bank": (4_096, 8_192, 16_384), "rows": (32_768, 65_536, 131_072)}  # of transforms of files


def good_size(least: int) -> int:
    """The least size from `least` on that has only the factors 2, 3, 5 and 7, and is even."""
    size = least + least % 2
    while True:
        rest = size
        for factor in (2, 3, 5, 7):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return size
        size += 2


class OverlapSave:
    """`new` frames at a time; their history is kept."""

    def __init__(self, torch, case: Case, filters, size: int, new: int) -> None:
        self.torch, self.case, self.size, self.new = torch, case, size, new
        taps = torch.from_numpy(filters)
        spectra = [
            torch.fft.rfft(part.to(DEVICE), n=size) for part in taps.split(max(1, 2**28 // size))
        ]
        self.responses = torch.cat(spectra)
        if case.wiring == "matrix":  # as the products of matrices and vectors like it, bin by bin
            shape = (case.outputs, case.inputs, -1)
            self.responses = self.responses.reshape(shape).permute(2, 0, 1).contiguous()
        self.window = torch.zeros(case.inputs, case.taps - 1 + new, device=DEVICE)

    def render(self, fresh):
        """[input][new frame] to [output][new frame]."""
        case, torch = self.case, self.torch
        kept = case.taps - 1
        self.window = torch.cat((self.window[:, self.new :], fresh), dim=1)
        spectra = torch.fft.rfft(self.window, n=self.size)
        if case.wiring == "matrix":
            products = torch.bmm(self.responses, spectra.t().unsqueeze(2)).squeeze(2).t()
        elif case.wiring == "bank":
            products = (spectra[:, None] * self.responses).reshape(case.outputs, -1)
        else:
            products = spectra * self.responses
        frames = torch.fft.irfft(products, n=self.size)
        return frames[:, kept : kept + self.new].contiguous()


def pinned(torch, rows: int, frames: int):
    return torch.zeros(rows, frames, pin_memory=True)


class Stream:
    """One block after the other, from pinned memory to pinned memory."""

    def __init__(self, torch, save: OverlapSave) -> None:
        self.torch, self.save = torch, save
        self.host_in = pinned(torch, save.case.inputs, save.new)
        self.host_out = pinned(torch, save.case.outputs, save.new)

    def one_block(self) -> None:
        fresh = self.host_in.to(DEVICE, non_blocking=True)
        self.host_out.copy_(self.save.render(fresh), non_blocking=True)
        self.torch.cuda.current_stream().synchronize()


class File:
    """Chunks in three streams: while one is computed, copies bring the next and take the last one
    home."""

    PLACES = 2

    def __init__(self, torch, save: OverlapSave) -> None:
        self.torch, self.save = torch, save
        case, new, places = save.case, save.new, range(self.PLACES)
        self.host_in = [pinned(torch, case.inputs, new) for _ in places]
        self.host_out = [pinned(torch, case.outputs, new) for _ in places]
        self.fresh = [torch.zeros(case.inputs, new, device=DEVICE) for _ in places]
        self.way_in, self.compute, self.way_out = (torch.cuda.Stream() for _ in range(3))
        self.arrived, self.rendered, self.home = (
            [torch.cuda.Event() for _ in places] for _ in range(3)
        )

    def one_chunk(self, number: int) -> None:
        """Queues a chunk, when the one that had its place is home."""
        torch = self.torch
        place = number % self.PLACES
        self.home[place].synchronize()
        with torch.cuda.stream(self.way_in):
            self.way_in.wait_event(self.rendered[place])
            self.fresh[place].copy_(self.host_in[place], non_blocking=True)
            self.arrived[place].record()
        with torch.cuda.stream(self.compute):
            self.compute.wait_event(self.arrived[place])
            frames = self.save.render(self.fresh[place])
            self.rendered[place].record()
        with torch.cuda.stream(self.way_out):
            self.way_out.wait_event(self.rendered[place])
            # Its memory must not be used anew before the copy is done.
            frames.record_stream(self.way_out)
            self.host_out[place].copy_(frames, non_blocking=True)
            self.home[place].record()


class Heard:
    """Samples on the device, of which the host wants a few rows."""

    def __init__(self, samples) -> None:
        self.samples, self.shape = samples, samples.shape

    def __getitem__(self, where):
        return self.samples[where].cpu().numpy()


def error_of(torch, numpy, case: Case, filters, save: OverlapSave, one) -> float:
    """Of the last of some calls: one(samples of a call) gives its output. Gigabytes of samples are
    sooner made on the device."""
    calls = -(-(case.taps - 1) // save.new) + 1
    torch.manual_seed(2)
    samples = torch.rand(case.inputs, calls * save.new, device=DEVICE).mul_(2).sub_(1)
    for call in range(calls):
        found = one(samples[:, call * save.new : (call + 1) * save.new])
    heard = Heard(samples[:, -(case.taps - 1 + save.new) :])
    return peer_cases.error(numpy, case, filters, heard, found)


def measure_stream(options, torch, numpy, filters) -> int:
    case = options.case
    size = good_size(case.taps - 1 + case.block)
    save = OverlapSave(torch, case, filters, size, case.block)
    stream = Stream(torch, save)

    def one(samples):
        stream.host_in.copy_(samples)
        stream.one_block()
        return stream.host_out.numpy()

    if not peer_cases.tell_error(error_of(torch, numpy, case, filters, save, one)):
        return 1
    peer_cases.tell_calls("a call", stream.one_block, options.seconds)
    return 0


def measure_file(options, torch, numpy, filters) -> int:
    case = options.case
    wait = torch.cuda.synchronize
    best, best_size = 0.0, 0
    for size in SIZES[case.wiring] if not options.quick else (4_096, 8_192):
        save = OverlapSave(torch, case, filters, size, size - case.taps + 1)
        fresh = torch.rand(case.inputs, save.new, device=DEVICE)
        seconds = options.seconds / 4
        rate = peer_cases.rate(lambda _: save.render(fresh), wait, save.new, seconds)
        if rate > best:
            best, best_size = rate, size
        del save, fresh
        torch.cuda.empty_cache()
    save = OverlapSave(torch, case, filters, best_size, best_size - case.taps + 1)
    file = File(torch, save)
    number = 0

    def one(samples):
        nonlocal number
        wait()
        place = number % file.PLACES
        file.host_in[place].copy_(samples)
        file.one_chunk(number)
        wait()
        number += 1
        return file.host_out[place].numpy()

    if not peer_cases.tell_error(error_of(torch, numpy, case, filters, save, one)):
        return 1
    tell(name="rate on the device", unit="frames/s", value=best)
    tell(name="rate", unit="frames/s",
         value=peer_cases.rate(file.one_chunk, wait, save.new, options.seconds, sys.maxsize))  # fmt: skip
    tell(name="frames at a time", unit="frames", value=save.new)
    return 0


def main() -> int:
    options = peer_cases.options(__doc__)
    try:
        import numpy
        import torch
    except ImportError as missing:
        print(f"no torch here: {missing}", file=sys.stderr)
        return peer_cases.MISSING
    if not torch.cuda.is_available():
        print("no torch for CUDA here: torch.cuda.is_available() is False", file=sys.stderr)
        return peer_cases.MISSING
    filters = peer_cases.make_filters(numpy, options.case)
    return (measure_file if options.case.is_file else measure_stream)(
        options, torch, numpy, filters
    )


if __name__ == "__main__":
    sys.exit(main())
