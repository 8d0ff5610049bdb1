"""What a run is asked to record beyond the cheap columns that are always there."""

from __future__ import annotations

from dataclasses import dataclass, fields

__all__ = ["Recording"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Switches for the parts of a trace that cost time or memory.

    Attributes:
        norms: Loss and gradient norm of every step. Off, only epochs and the stop are kept.
        counters: Learning rate, the optimizer's count and the batch size of every step.
        samples: Which examples were in each batch.
        hooks: Every callback hook as an event, in order.
        gradients: Raw and clipped gradients of every step.
        state: Every variable before and after every step.
        examples: The training and validation arrays themselves.
        memory: Resident memory after every batch, and what is kept at the end of every epoch:
            tensors, traced functions, things in callbacks.
    """

    norms: bool = True
    counters: bool = True
    samples: bool = False
    hooks: bool = False
    gradients: bool = False
    state: bool = False
    examples: bool = False
    memory: bool = False

    def __or__(self, other: Recording) -> Recording:
        """Record whatever either asks for."""
        return Recording(
            **{
                field.name: getattr(self, field.name) or getattr(other, field.name)
                for field in fields(self)
            }
        )

    @classmethod
    def of(cls, *parts: str) -> Recording:
        """A recording with the named parts switched on."""
        return cls(**dict.fromkeys(parts, True))
