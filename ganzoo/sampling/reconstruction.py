"""Reconstructions: samples through the encoder and back through the generator, G(E(x))."""

import torch
from PIL import Image
from torch import Tensor

from ganzoo.core.data import Dataset, DataSpec
from ganzoo.core.encoder import Encoder
from ganzoo.core.errors import RunError, UsageError
from ganzoo.core.latents import Latents
from ganzoo.core.streams import generator
from ganzoo.data.batches import to_range
from ganzoo.sampling.chunks import cuts, generate_chunk, joined
from ganzoo.sampling.pictures import grid
from ganzoo.sampling.sampler import Sampler

__all__ = ["encode", "encoder_of", "held_out", "reconstruct", "side_by_side"]

COLUMNS = 10
"""Samples in a row of a picture; their reconstructions are in the row below."""


def encoder_of(sampler: Sampler) -> Encoder:
    """The encoder of a sampler's model.

    Raises:
        UsageError: it has none.
    """
    if sampler.encoder is None:
        raise UsageError(
            "a model without an encoder cannot reconstruct samples; train one that has an encoder, such as "
            "'ganzoo train bigan'"
        )
    return sampler.encoder


def encode(sampler: Sampler, samples: Tensor) -> Latents:
    """The latents that the encoder gives samples, in evaluation mode; row k depends on sample k alone.

    Args:
        sampler: of a model with an encoder.
        samples: (N, *shape), N at least 1, in the data's range.

    Returns:
        N latents, float32 on the CPU.

    Raises:
        UsageError: the model has no encoder, or these are not samples of its data.
    """
    encoder = encoder_of(sampler)
    if tuple(samples.shape[1:]) != sampler.data.shape or not len(samples):
        shape = "×".join(map(str, sampler.data.shape))
        raise UsageError(f"what is reconstructed has shape N×{shape}, N at least 1, and not {tuple(samples.shape)}")
    values = samples.detach().to("cpu", torch.float32)
    batches = (generate_chunk(encoder, values[rows], 0, sampler.device) for rows in cuts(len(values), 0))
    return Latents(sampler.latent, joined(batches, len(values), (sampler.latent.width,)))


def reconstruct(sampler: Sampler, samples: Tensor) -> Tensor:
    """What the generator makes of the latents that the encoder gives samples.

    Args:
        sampler: of a model with an encoder.
        samples: (N, *shape), N at least 1, in the data's range.

    Returns:
        (N, *shape), float32 on the CPU, in the data's range.

    Raises:
        UsageError: as for ``encode``.
    """
    return sampler.generate(encode(sampler, samples))


def held_out(dataset: Dataset, n: int, seed: int = 0) -> Tensor:
    """Test samples, chosen at random; the first n of a seed are the same whatever n.

    Args:
        dataset: the data.
        n: how many, at most.
        seed: names the order.

    Returns:
        (m, *shape), float32 on the CPU, in the data's range; fewer than n where there are fewer.

    Raises:
        UsageError: there is no test split.
    """
    data = dataset.spec
    try:
        split = dataset.split("test", data.sources[0])
    except RunError as error:  # such as a folder of images with none kept for testing
        raise UsageError(f"{data.name} has no test samples to reconstruct: {error}") from error
    if not len(split):
        raise UsageError(f"{data.name} has no test samples to reconstruct: its test split is empty")
    order = torch.randperm(len(split), generator=generator(seed, "reconstruction"))[:n]
    return to_range(split.rows(order), data)


def side_by_side(samples: Tensor, made: Tensor, data: DataSpec) -> Image.Image:
    """A picture of samples with their reconstructions: below each; of points, in another colour.

    Args:
        samples: (N, *shape).
        made: (N, *shape), the reconstructions.
        data: says how a sample is drawn.
    """
    labels = ("sample", "reconstructed")
    if data.drawn_as == "points":
        return grid(torch.cat([samples, made]), data, len(samples), labels)
    columns = min(COLUMNS, len(samples))
    rows = [row for pair in zip(torch.split(samples, columns), torch.split(made, columns), strict=True) for row in pair]
    short = columns - len(rows[-1])
    if short:
        blank = samples.new_full((short, *data.shape), data.range[0])
        rows[-2:] = [torch.cat([row, blank]) for row in rows[-2:]]
    return grid(torch.cat(rows), data, columns, labels * (len(rows) // 2))
