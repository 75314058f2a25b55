"""Augmentation of batches on tf.data; it changes what the generator learns to draw."""

import tensorflow as tf

from kgan.errors import InputError


def flip(images, seed):
    """Mirrors each picture left to right with probability 1/2.

    Args:
        images: float tensor (B, H, W, C).
        seed: int64 tensor (2,); the same seed flips the same pictures.

    Returns:
        Tensor of the same shape.
    """
    return tf.image.stateless_random_flip_left_right(images, seed)


AUGMENTATIONS = {"flip": flip}


def check(augment):
    """Returns the augmentations as functions of (images, seed).

    Args:
        augment: names in `AUGMENTATIONS` and callables of a float batch (B, H, W, C).

    Raises:
        InputError: not a list, or a name in it that is not known.
    """
    if not isinstance(augment, (list, tuple)):
        raise InputError(f'augment must be a list, such as ["flip"]. Received: {augment!r}')
    chosen = []
    for item in augment:
        if callable(item):
            chosen.append(lambda images, seed, function=item: function(images))
        elif isinstance(item, str) and item in AUGMENTATIONS:
            chosen.append(AUGMENTATIONS[item])
        else:
            raise InputError(
                f"Unknown augmentation. Known: {', '.join(AUGMENTATIONS)}. Received: {item!r}"
            )
    return chosen
