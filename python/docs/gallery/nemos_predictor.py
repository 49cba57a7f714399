"""A predictor of NeMoS that does not fit into memory: its batches, and a memory limit.

Spike counts of many neurons, each convolved with a few raised cosines, as the features of a GLM
that couples the neurons. The result has samples x neurons x kernels values, and NeMoS computes it
as one JAX array; its batch sizes bound what is computed at a time, not the result, nor the copy
that puts it together. firbank writes the same values to a file within a limit.

NeMoS runs on the CPU here. First it gets all the memory that it wants; then the system refuses more
than `budget_bytes`, so that it fails as it does on a machine, or on a GPU, that has no more.
"""

from __future__ import annotations

from dataclasses import dataclass

import measure
import numpy as np

GIB = 1 << 30
GROUP = 8  # neurons


@dataclass(frozen=True)
class Case:
    samples: int
    neurons: int
    kernels: int
    window: int
    budget_bytes: int
    memory_limit: str


def case_of(small: bool) -> Case:
    if small:
        return Case(3_000, 4, 3, 50, 4 * GIB, "16MiB")
    return Case(240_000, 320, 10, 200, 4 * GIB, "256MiB")


def prepare(case, folder):
    random = np.random.default_rng(1)
    counts = random.poisson(0.02, (case.samples, case.neurons)).astype(np.float32)
    np.save(folder / "counts.npy", counts)


def load(case, folder):
    from firbank.nemos import RaisedCosineLog

    basis = RaisedCosineLog(case.kernels, case.window).kernels().astype(np.float32)
    return np.load(folder / "counts.npy"), basis


def load_for_nemos(case, folder):
    """The same in JAX's arrays, and NeMoS's function."""
    import jax
    from nemos.convolve import create_convolutional_predictor

    counts, basis = load(case, folder)
    return jax.numpy.asarray(counts), jax.numpy.asarray(basis), create_convolutional_predictor


def nemos_as_it_comes(case, folder):
    """Before: the predictor as tutorials write it."""
    counts, basis, create_convolutional_predictor = load_for_nemos(case, folder)
    yield
    result = create_convolutional_predictor(basis, counts).block_until_ready()
    yield
    np.save(folder / "nemos.npy", result)


def nemos_unbounded(case, folder):
    """The same on a machine that is large enough."""
    yield from nemos_as_it_comes(case, folder)
    (folder / "nemos.npy").rename(folder / "unbounded.npy")


def nemos_in_batches(case, folder):
    """Before, when that has failed: smaller and smaller batches, until one goes through."""
    counts, basis, create_convolutional_predictor = load_for_nemos(case, folder)
    yield
    neurons = [
        case.neurons // part for part in (2, 4, 16, 64, case.neurons) if part <= case.neurons
    ]
    trials = [{"batch_size_channels": count} for count in neurons]
    trials += [trial | {"batch_size_samples": 16_384, "batch_size_basis": 1} for trial in trials]
    for batches in trials:
        try:
            result = create_convolutional_predictor(basis, counts, **batches).block_until_ready()
            break
        except Exception as failure:
            if not measure.is_out_of_memory(failure):
                raise
    else:
        raise measure.GaveUp(f"out of memory, in each of {len(trials)} trials")
    yield {"batches that went through": batches, "trials that did not": trials.index(batches)}
    np.save(folder / "nemos_batches.npy", result)


def nemos_group_by_group(case, folder):
    """Before, at last: an own loop over groups of neurons, each written to a file."""
    counts, basis, create_convolutional_predictor = load_for_nemos(case, folder)
    yield
    shape = (case.samples, case.neurons, case.kernels)
    result = np.lib.format.open_memmap(folder / "nemos_groups.npy", "w+", np.float32, shape)
    for first in range(0, case.neurons, GROUP):
        group = slice(first, first + GROUP)
        result[:, group] = create_convolutional_predictor(basis, counts[:, group])
    result.flush()
    yield


def with_firbank(case, folder):
    """After: the same arguments, a memory limit, and a memory map to write to."""
    from firbank.nemos import create_convolutional_predictor

    counts, basis = load(case, folder)
    yield
    shape = (case.samples, case.neurons, case.kernels)
    result = np.lib.format.open_memmap(folder / "firbank.npy", "w+", np.float32, shape)
    create_convolutional_predictor(basis, counts, memory_limit=case.memory_limit, out=result)
    result.flush()
    yield


def main():
    measure.main(
        case_of,
        prepare,
        [
            measure.Way("unbounded", "NeMoS, as much memory as it wants", nemos_unbounded, False),
            measure.Way("nemos", "NeMoS, default batches", nemos_as_it_comes),
            measure.Way("nemos_batches", "NeMoS, batches by trial", nemos_in_batches),
            measure.Way("nemos_groups", "NeMoS, an own loop into a file", nemos_group_by_group),
            measure.Way("firbank", "firbank.nemos, within a limit, into a file", with_firbank),
        ],
        tolerance=2e-6,
        packages=("numpy", "nemos", "jax", "jaxlib"),
        description=__doc__.splitlines()[0],
        budget_of=lambda case: case.budget_bytes,
    )


if __name__ == "__main__":
    main()
