"""Autoencoder of the latents. Thesis 7.2 (its figure 22 is lost: ambiguity 5); explained in 04_improvement."""

from itertools import pairwise

from torch import Tensor, nn

from hgnb.model.config import AutoencoderConfig


class Autoencoder(nn.Module):
    """Latents (B, C, s, s) -> the same shape, through a code of `config.code` dimensions.

    3x3 convolutions reduce only the channels, a linear layer makes the code, and the decoder mirrors both.
    The code and the output stay signed: the latents of a pre-activation residual are signed too, and a final
    ReLU would clip them (ambiguity 5).

    >>> Autoencoder((8, 4, 4), AutoencoderConfig(code=10))(torch.zeros(2, 8, 4, 4)).shape
    torch.Size([2, 8, 4, 4])
    """

    def __init__(self, shape: tuple[int, int, int], config: AutoencoderConfig):
        super().__init__()
        c, s, _ = shape
        widths = [c // 2**i for i in range(config.halvings + 1)]
        self.config, self.shape = config, shape
        flat = widths[-1] * s * s
        down = [layer for a, b in pairwise(widths) for layer in (nn.Conv2d(a, b, 3, padding=1), nn.ReLU())]
        up = [layer for a, b in pairwise(widths[::-1]) for layer in (nn.ReLU(), nn.Conv2d(a, b, 3, padding=1))]
        self.encoder = nn.Sequential(*down, nn.Flatten(), nn.Linear(flat, config.code))
        self.decoder = nn.Sequential(nn.Linear(config.code, flat), nn.Unflatten(1, (widths[-1], s, s)), *up)

    def encode(self, latents: Tensor) -> Tensor:
        """(B, C, s, s) -> codes (B, code), the autoencoder's latent space of chapter 5."""
        return self.encoder(latents)

    def forward(self, latents: Tensor) -> Tensor:
        return self.decoder(self.encode(latents))
