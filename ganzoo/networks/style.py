"""What may be varied about the stock networks without writing one's own."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["NetworkStyle", "Norm"]

Norm = Literal["batch", "layer", "group", "none"]
"""How a hidden layer is normalised; every kind but ``batch`` treats each sample alone."""


class NetworkStyle(BaseModel):
    """The style shared by every family of stock networks; immutable.

    The defaults give each family as its source describes it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: float = Field(1.0, gt=0, allow_inf_nan=False, description="factor on every hidden width of both networks")
    generator_norm: Norm = Field("batch", description="normalisation in the generator")
    critic_norm: Norm = Field(
        "batch", description="normalisation in the critic; batch statistics do not go with gradient penalties"
    )
    spectral_norm: bool = Field(
        False, description="hold the spectral norm of the critic's trunk and realness layers at 1"
    )
    recognition_hidden: int = Field(128, ge=1, description="hidden units of the recognition head, not scaled by width")

    def scaled(self, units: int) -> int:
        """A source's layer width under this style: itself at ``width=1``, else to the nearest multiple of 8.

        Multiples of 8 suit matrix units and divide into groups; the result is never below 8.
        """
        return units if self.width == 1 else max(8, 8 * round(units * self.width / 8))
