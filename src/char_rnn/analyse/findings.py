"""What a diagnosis is made of: findings, each with its evidence and a remedy."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

WORTHLESS, ILL, HINT, UNSEEN = "worthless", "ill", "hint", "unseen"
SEVERITIES = (WORTHLESS, ILL, HINT, UNSEEN)
"""How serious a finding is: no model is worth keeping; much is lost; a little is to be gained; and
what could not be looked at."""

EXPLODING, VANISHING, COLLAPSE, SLOW, POOR = "exploding", "vanishing", "collapse", "slow", "poor"
OVERFITTING, TOO_SHORT, TOO_SMALL = "overfitting", "too short", "too small"
FOREIGN = "foreign"  # the validation part is of another kind than the rest
NOTHING = "nothing to learn"  # a text of one character
ILLNESSES = (
    *(EXPLODING, VANISHING, COLLAPSE, SLOW, POOR),  # the exercise's pitfalls
    *(OVERFITTING, TOO_SHORT, TOO_SMALL, FOREIGN, NOTHING),
)


@dataclass(frozen=True)
class Finding:
    """One thing that was found in a run.

    name: one of ILLNESSES; of what was not seen, what it was.
    severity: one of SEVERITIES.
    evidence: what was found, beside what would be healthy: whole sentences.
    remedy: what to do, a whole sentence; may be empty.
    numbers: those of the evidence, by name.
    settings: those of the remedy, by name, with the value to try.
    """

    name: str
    severity: str
    evidence: str
    remedy: str = ""
    numbers: dict[str, float] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """Evidence and remedy, as one line."""
        return f"{self.evidence} {self.remedy}".rstrip()

    def __str__(self) -> str:
        lines = [f"{self.name} ({self.severity})", f"  {self.evidence}"]
        return "\n".join(lines + [f"  {self.remedy}"] * bool(self.remedy))


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong with a run: its findings, the most serious first.

    unseen: what could not be looked at, and why. healthy: in one line what is in order.
    numbers: all that was measured, by name; lists are curves. speeds: what differs from one call
        to the next: characters a second.
    """

    name: str
    findings: tuple[Finding, ...]
    unseen: tuple[Finding, ...]
    healthy: str
    numbers: dict[str, Any] = field(repr=False)
    speeds: dict[str, float] = field(repr=False)

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong; a hint may be there, and something unseen."""
        return all(finding.severity == HINT for finding in self.findings)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def __str__(self) -> str:
        healthy = f": {self.healthy}" if self.healthy else ""
        said = [f"Nothing is wrong with {self.name}{healthy}."] if self.clean else []
        unseen = ["not looked at", *(f"  {found.sentence}" for found in self.unseen)]
        parts = said + [str(found) for found in self.findings]
        return "\n\n".join(parts + ["\n".join(unseen)] * bool(self.unseen))


def options(settings: dict[str, Any]) -> str:
    """Return `settings` as one would type them."""
    return " ".join(
        f"--{name} {value:g}" if isinstance(value, float) else f"--{name} {value}"
        for name, value in settings.items()
    )


def rounded(value: float) -> float:
    """Return `value` with two significant digits, as one would type it."""
    return float(f"{value:.2g}")
