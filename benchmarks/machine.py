"""What machine this is, by its own word."""

import os
import platform
from pathlib import Path

from char_rnn.model.blas import available_threads


def name() -> str:
    """Return what this machine calls its processor, and how many of its cores there are for us."""
    facts = _cpuinfo() if Path("/proc/cpuinfo").exists() else {}
    processor = facts.get("model name") or platform.processor() or platform.machine()
    kind = ", ".join(
        f"{word} {facts[key]}"
        for word, key in (("family", "cpu family"), ("model", "model"))
        if key in facts
    )
    cores = f"{available_threads()} of {os.cpu_count()} cores"
    return f"{processor} ({kind}), {cores}" if kind else f"{processor}, {cores}"


def _cpuinfo() -> dict[str, str]:
    """Return the facts of the first core."""
    first = Path("/proc/cpuinfo").read_text("utf-8").partition("\n\n")[0]
    pairs = (line.partition(":")[::2] for line in first.splitlines())
    return {key.strip(): value.strip() for key, value in pairs}
