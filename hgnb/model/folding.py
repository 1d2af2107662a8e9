"""A faster copy of a trained network: batch norms that follow a convolution become part of it. Explained in A1."""

from copy import deepcopy
from itertools import pairwise

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


@torch.no_grad()
def fold(network: nn.Module) -> nn.Module:
    """An eval-mode copy in which each BatchNorm2d behind a Conv2d has gone into its weights; the original stays.

    In evaluation batch norm is y = (x - mean) / sqrt(var + eps) * weight + bias with constants, so scaling the
    convolution's kernels and shifting its bias gives the same maps but for rounding. The first norm of a
    pre-activation residual follows a sum and stays.
    """
    folded = deepcopy(network).eval()
    for row in [module for module in folded.modules() if isinstance(module, nn.Sequential)]:
        for i, (layer, norm) in enumerate(pairwise(list(row))):
            if isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                row[i], row[i + 1] = fuse_conv_bn_eval(layer, norm), nn.Identity()
    return folded
