"""The built-in data sets, registered through the hook that anybody's plugin uses."""

from ganzoo.core.data import Dataset
from ganzoo.data.celeba import CelebA
from ganzoo.data.dsprites import DSprites
from ganzoo.data.folder import Folder
from ganzoo.data.mnist import MNIST
from ganzoo.data.sprites import Sprites
from ganzoo.data.torchvision_sets import CIFAR10, KMNIST, SVHN, FashionMNIST
from ganzoo.zoo.hookspecs import hookimpl

__all__ = ["ganzoo_register_datasets"]


@hookimpl
def ganzoo_register_datasets() -> list[type[Dataset]]:
    """MNIST (bundled), torchvision's sets, sprites with known factors, and any folder of images."""
    return [MNIST, FashionMNIST, KMNIST, SVHN, CIFAR10, CelebA, Sprites, DSprites, Folder]
