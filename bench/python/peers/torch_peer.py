"""PyTorch on the CPU: conv1d and conv3d, torch.fft in blocks, matrix products; no gradients."""

from __future__ import annotations

import torch
from rows import Row
from torch.nn.functional import conv1d, conv3d, pad

from peers.way import Way, by_both, by_channel, by_kernel, the_only

VERSIONS = ("torch", "numpy")


def add_overlaps(y: torch.Tensor, block: int, length: int) -> torch.Tensor:
    """(..., blocks, block + taps - 1) to (..., length): what is past a block goes to the next."""
    out = y[..., :block].contiguous()
    out[..., 1:, : y.shape[-1] - block] += y[..., :-1, block:]
    return out.flatten(-2)[..., :length]


def in_blocks(x: torch.Tensor, block: int, taps: int) -> torch.Tensor:
    count = -(-(x.shape[-1] + taps - 1) // block)
    return pad(x, (0, count * block - x.shape[-1])).unflatten(-1, (count, block))


def fft_blocks(x: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
    """Overlap-add of x (..., frames) with h (..., taps), which broadcast against each other."""
    taps = h.shape[-1]
    size = max(256, 1 << (8 * taps - 1).bit_length())
    block = size - taps + 1
    spectra = torch.fft.rfft(in_blocks(x, block, taps), size)
    y = torch.fft.irfft(spectra * torch.fft.rfft(h, size).unsqueeze(-2), size)
    y = y[..., : block + taps - 1]
    return add_overlaps(y, block, x.shape[-1] + taps - 1)


def toeplitz(h: torch.Tensor, block: int) -> torch.Tensor:
    """(kernels, block, block + taps - 1), whose row i is the kernel, i places late."""
    kernels, taps = h.shape
    # Rows that are one shorter than what is repeated begin one place earlier in it each time.
    repeated = pad(h, (0, block)).repeat(1, block)[:, : block * (block + taps - 1)]
    return repeated.reshape(kernels, block, block + taps - 1)


def matrix_blocks(x: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
    """Overlap-add of x (frames,) with h (kernels, taps) by a product with Toeplitz matrices."""
    kernels, taps = h.shape
    block = max(64, taps)
    shifted = toeplitz(h, block).transpose(0, 1).flatten(1)
    y = in_blocks(x, block, taps) @ shifted
    y = y.unflatten(-1, (kernels, block + taps - 1)).transpose(0, 1)
    return add_overlaps(y, block, len(x) + taps - 1)


def fft_whole(x: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
    length = x.shape[-1] + h.shape[-1] - 1
    size = 1 << (length - 1).bit_length()
    return torch.fft.irfft(torch.fft.rfft(x, size) * torch.fft.rfft(h, size), size)[..., :length]


def signal_conv1d(x: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
    return conv1d(x[None, None], h.flip(0)[None, None], padding=len(h) - 1)[0, 0]


def diagonals(x: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
    frames, taps = len(x), len(h)
    products = x.flatten(1) @ h.flip(0).flatten(1).T
    return products.as_strided((frames - taps + 1, taps), (taps, taps + 1)).sum(1)


def rows_ways(row: Row, x: torch.Tensor, h: torch.Tensor) -> dict[str, Way]:
    channels, taps = len(x), h.shape[-1]

    def grouped():
        kernels = h.expand(channels, taps).flip(-1)[:, None]
        return conv1d(x[None], kernels, padding=taps - 1, groups=channels)[0]

    def in_parts(part: int):
        out = []
        for c in range(0, channels, part):
            own = h if row.one_kernel else h[c : c + part]
            out.extend(fft_blocks(x[c : c + part], own))
        return out

    found = {
        "conv1d, a group a row": Way(grouped, by_channel),
        "torch.fft in blocks, row by row": Way(lambda: in_parts(1), by_channel),
        "torch.fft in blocks, 16 rows at a time": Way(lambda: in_parts(16), by_channel),
    }
    if taps <= 1000:
        own = h.expand(channels, taps)
        found["matrix products, row by row"] = Way(
            lambda: [matrix_blocks(a, b[None])[0] for a, b in zip(x, own, strict=True)], by_channel
        )
    if row.one_kernel:
        found["conv1d, rows as batch"] = Way(
            lambda: conv1d(x[:, None], h.flip(0)[None, None], padding=taps - 1)[:, 0], by_channel
        )
    return found


def bank_ways(x: torch.Tensor, h: torch.Tensor) -> dict[str, Way]:
    taps = h.shape[1]
    return {
        "conv1d, channels as batch": Way(
            lambda: conv1d(x[:, None], h.flip(1)[:, None], padding=taps - 1), by_both
        ),
        "conv1d, channel by channel": Way(
            lambda: [conv1d(a[None], h.flip(1)[:, None], padding=taps - 1) for a in x], by_both
        ),
        "torch.fft in blocks, channel by channel": Way(
            lambda: [fft_blocks(a, h) for a in x], by_both
        ),
        "matrix products, channel by channel": Way(
            lambda: [matrix_blocks(a, h) for a in x], by_both
        ),
    }


def video_ways(x: torch.Tensor, h: torch.Tensor) -> dict[str, Way]:
    def along_frames():
        return conv1d(x.flatten(1).T[None], h.flip(0).flatten(1).T[None])[0, 0]

    def in_three_dimensions():
        return conv3d(x[None, None], h.flip(0)[None, None])[0, 0, :, 0, 0]

    valid = {"offset": len(h) - 1, "extent": "valid"}
    return {
        "conv1d, pixels as channels": Way(along_frames, the_only, **valid),
        "conv3d": Way(in_three_dimensions, the_only, **valid),
        "matrix product, sums of diagonals": Way(lambda: diagonals(x, h), the_only, **valid),
    }


def ways(row: Row, x, h, threads: int) -> dict[str, Way]:
    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    x = [torch.from_numpy(a) for a in x] if isinstance(x, list) else torch.from_numpy(x)
    h = [torch.from_numpy(a) for a in h] if isinstance(h, list) else torch.from_numpy(h)
    if row.kind == "rows":
        return rows_ways(row, x, h)
    if row.kind == "bank":
        return bank_ways(x, h)
    if row.kind == "video":
        return video_ways(x, h)
    calls = {"conv1d": signal_conv1d, "torch.fft": fft_whole, "torch.fft in blocks": fft_blocks}
    if row.kind == "one":
        return {name: Way(lambda f=call: f(x, h), the_only) for name, call in calls.items()}
    if row.kind == "powers":
        return {
            name: Way(lambda f=call: [f(a, b) for a, b in zip(x, h, strict=True)], by_kernel)
            for name, call in calls.items()
        }

    def padded():
        kernels = torch.nn.utils.rnn.pad_sequence(h, batch_first=True)
        y = fft_whole(x, kernels)
        return [y[k, : len(x) + len(taps) - 1] for k, taps in enumerate(h)]

    return {
        f"{name}, kernel by kernel": Way(lambda f=call: [f(x, taps) for taps in h], by_kernel)
        for name, call in calls.items()
    } | {"torch.fft, kernels padded, all at once": Way(padded, by_kernel)}
