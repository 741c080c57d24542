"""Figures for Prometheus, in its text format."""

import threading
from collections import Counter
from collections.abc import Iterable

from char_rnn.serve.models import Served

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """Counts what is answered."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: Counter[tuple[str, int]] = Counter()
        self._first: Counter[float] = Counter()
        self._sum, self._count = 0.0, 0

    def answered(self, route: str, status: int) -> None:
        """Count an answer."""
        with self._lock:
            self._answers[route, status] += 1

    def observe(self, seconds: float) -> None:
        """Count how long a client waited for the first character."""
        with self._lock:
            self._sum += seconds
            self._count += 1
            for bound in BUCKETS:
                if seconds <= bound:
                    self._first[bound] += 1

    def text(self, models: Iterable[Served]) -> str:
        """Return everything."""
        with self._lock:
            lines = [
                "# HELP char_rnn_requests_total Answers by route and status.",
                "# TYPE char_rnn_requests_total counter",
                *(
                    f'char_rnn_requests_total{{route="{route}",status="{status}"}} {count}'
                    for (route, status), count in sorted(self._answers.items())
                ),
                "# HELP char_rnn_first_character_seconds Until the first character was there.",
                "# TYPE char_rnn_first_character_seconds histogram",
                *(
                    f'char_rnn_first_character_seconds_bucket{{le="{bound}"}} {self._first[bound]}'
                    for bound in BUCKETS
                ),
                f'char_rnn_first_character_seconds_bucket{{le="+Inf"}} {self._count}',
                f"char_rnn_first_character_seconds_sum {self._sum:.6f}",
                f"char_rnn_first_character_seconds_count {self._count}",
            ]
        return "\n".join([*lines, *_of_models(list(models))]) + "\n"


def _of_models(models: list[Served]) -> list[str]:
    lines = [
        "# HELP char_rnn_texts Texts by what is done with them.",
        "# TYPE char_rnn_texts gauge",
    ]
    for served in models:
        counts = served.engine.counts() | {"conditions": served.solo.busy}
        lines += [
            f'char_rnn_texts{{model="{_label(served.name)}",is="{kind}"}} {count}'
            for kind, count in counts.items()
        ]
    for name, what in (("written", "written"), ("read", "read of prompts")):
        lines += [
            f"# HELP char_rnn_characters_{name}_total Characters {what}, since it was loaded.",
            f"# TYPE char_rnn_characters_{name}_total counter",
        ]
        lines += [
            f'char_rnn_characters_{name}_total{{model="{_label(served.name)}"}} '
            f"{getattr(served.engine, name)}"
            for served in models
        ]
    return lines


def _label(name: str) -> str:
    return name.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
