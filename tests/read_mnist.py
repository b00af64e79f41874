"""Imported by the process that others are forked from, so that they find MNIST decompressed."""

import torch

from ganzoo.data.mnist import MNIST

_threads = torch.get_num_threads()
torch.set_num_threads(1)  # threads of torch's own would not survive the fork
for _part in ("train", "test"):
    MNIST().split(_part)  # type: ignore[arg-type]
torch.set_num_threads(_threads)
