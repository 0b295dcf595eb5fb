"""History: what happened in each epoch of a training run."""

from __future__ import annotations

from dataclasses import dataclass, field

from autograd.notebooks import Shown


@dataclass
class History(Shown):
    """One number for each epoch in every list; ``print`` shows a summary.

    Attributes
    ----------
    losses : the mean training loss, each batch measured before its step.
    validation_losses : on the validation data, after the epoch; empty without.
    metrics : by name, on the validation data if there is any, else as the losses.
    learning_rates : of the epoch's last step.
    best_epoch : the index of the epoch with the least validation loss (else training
        loss); None before the first.
    stopped : why training ended before its last epoch, or "".
    engine : "compiled", or "eager: " and the reason; no part of a comparison.
    """

    losses: list[float] = field(default_factory=list)
    validation_losses: list[float] = field(default_factory=list)
    metrics: dict[str, list[float]] = field(default_factory=dict)
    learning_rates: list[float] = field(default_factory=list)
    stopped: str = ""
    engine: str = field(default="", compare=False)

    @property
    def best_epoch(self) -> int | None:
        """The index of the epoch with the least validation loss, else training loss."""
        watched = self.validation_losses or self.losses
        return watched.index(min(watched)) if watched else None

    def columns(self) -> dict[str, list[float]]:
        """Every list that has numbers, by name: for tables and plots."""
        named = {
            "loss": self.losses,
            "validation loss": self.validation_losses,
            **self.metrics,
            "learning rate": self.learning_rates,
        }
        return {name: numbers for name, numbers in named.items() if numbers}

    def __len__(self) -> int:
        return len(self.losses)

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, name: str) -> list[float]:
        return self.columns()[name]

    def summary(self) -> str:
        """The last number of every list, in one line."""
        columns = self.columns().items()
        return ", ".join([f"{name} {numbers[-1]:.4g}" for name, numbers in columns])

    def __str__(self) -> str:
        end = f"; stopped: {self.stopped}" if self.stopped else ""
        return f"{len(self)} epoch(s): {self.summary() or 'no numbers yet'}{end}"
