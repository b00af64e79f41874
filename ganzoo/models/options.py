"""The options that every model has; a plugin's own ``Options`` adds to them."""

from typing import ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["ModelOptions", "Norm"]

Norm = Literal["auto", "batch", "layer", "group", "none"]


class ModelOptions(BaseModel):
    """What a user may choose about any model.

    ``alternatives`` names options that say the same thing in two ways, so that only one side may be given:
    subclasses extend it, as in ``{"latent": ("noise", "categories")}``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    alternatives: ClassVar[dict[str, tuple[str, ...]]] = {}

    latent: str | None = Field(
        None, description="the whole latent space as text, e.g. 'z: normal(62), category: categorical(10) code'"
    )
    networks: str = Field("auto", description="family of stock networks, or auto: the first that fits the data")
    width: float = Field(1.0, gt=0, le=16, description="factor on the width of every hidden layer")
    generator_norm: Norm = Field("auto", description="normalisation layers of the generator (auto: batch)")
    critic_norm: Norm = Field(
        "auto", description="normalisation layers of the critic (auto: batch, or layer under a gradient penalty)"
    )
    spectral_norm: bool = Field(False, description="spectral normalisation of the critic's layers")
    adversarial: Literal["non-saturating", "least-squares", "hinge", "wasserstein"] = Field(
        "non-saturating", description="the adversarial loss"
    )
    gradient_penalty: float = Field(0.0, ge=0, description="weight of WGAN-GP's penalty (its paper: 10)")
    r1: float = Field(0.0, ge=0, description="weight gamma of the R1 penalty on real samples")
    augmentation: float = Field(
        0.0, ge=0, lt=1, description="share of what the critic sees that is moved by the data's invariances"
    )
    instance_noise: float = Field(
        0.0, ge=0, description="standard deviation of noise on all that the critic sees; falls to 0 at 75 %"
    )
    generator_lr: float = Field(2e-4, gt=0, description="Adam's step size for the generator")
    critic_lr: float = Field(2e-4, gt=0, description="Adam's step size for the critic")
    recognition_lr: float | None = Field(
        None, gt=0, description="Adam's step size for the critic's recognition head (none: the critic's)"
    )
    betas: tuple[float, float] = Field((0.5, 0.999), description="Adam's decay rates, for every player")
    critic_turns: int = Field(1, ge=1, description="steps of the critic for each step of the generator")
    updates: Literal["alternating", "simultaneous"] = Field(
        "alternating", description="whether the generator meets the critic after or before its step"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for whole, pieces in self.alternatives.items():
            given = [name for name in pieces if name in self.model_fields_set]
            if getattr(self, whole) is not None and given:
                raise ValueError(f"{whole} already describes {', '.join(given)}; give one or the other")
        if any(not 0 <= beta < 1 for beta in self.betas):
            raise ValueError(f"betas must lie in [0, 1), not {self.betas}")
        if self.adversarial == "wasserstein" and not (self.gradient_penalty or self.r1 or self.spectral_norm):
            raise ValueError(
                "the wasserstein loss needs a Lipschitz critic; add gradient_penalty=10 or spectral_norm=true"
            )
        return self
