"""LayerNorm in float32, whatever its parameters are in."""

import torch.nn.functional as F
from torch import Tensor, nn


class WideLayerNorm(nn.LayerNorm):
    """x […, D] of any floating dtype → float32 […, D].

    Reference: the norms of ViT and Q-Formers and `ln_vision`, which are in float32 under autocast,
    and with them the residual streams: half precision would round every sum on its way.
    """

    def narrow(self, x: Tensor) -> Tensor:
        """x in the parameters' dtype, to multiply matrices in."""
        return x.to(self.weight.dtype)

    def forward(self, x: Tensor) -> Tensor:
        """[…, D] → float32 […, D]"""
        weight, bias = self.weight.float(), self.bias.float()
        return F.layer_norm(x.float(), self.normalized_shape, weight, bias, self.eps)
