"""How much memory there is, and how much the arrays of a model take, before any of it is taken.

A request that cannot be met ends in a line that says so: without this, the system may first make
the machine crawl and then end some process.
"""

import math
import os
import sys
from contextlib import suppress
from pathlib import Path

from char_rnn.config import ModelConfig
from char_rnn.errors import UsageError
from char_rnn.model.cells import cell_class
from char_rnn.model.parameters import parameter_shapes

GROUPS = (  # limit, what is used, and its file with what could be let go; of version 2 and 1
    ("memory.max", "memory.current", "memory.stat"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"),
)
STEP = 6_000
"""Bytes that one step of one layer takes for its plan, whatever the units are (measured: 3 to 7
thousand, 10 thousand with layer normalisation), and three times that for each layer."""
MOST_VALUES = 1 << 25
"""Values that a window of a text that is only read may have: 128 MiB, whatever the vocabulary."""


def need(size: float, what: str, instead: str) -> None:
    """Raise UsageError if `size` bytes are more than there are.

    what: what needs them. instead: what to do.
    """
    there = available_memory()
    if size > there:
        raise UsageError(
            f"{what} would take {amount(size)} of memory, and {amount(there)} are free; {instead}"
        )


def amount(size: float) -> str:
    """Return a number of bytes as a person says it."""
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if size < 1000:
            return f"{size:.1f} {unit}" if size < 10 else f"{size:.0f} {unit}"
        size /= 1000
    return "thousands of TB"


def available_memory() -> float:
    """Return how many bytes this process can still take; infinite where that is not known."""
    return max(0.0, min(_of_machine(), _of_group(), _of_process()))


def _of_machine() -> float:
    """Return the free memory and swap space, or on macOS all the memory that there is."""
    with suppress(OSError, ValueError):
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        sizes = {line.split(":")[0]: float(line.split()[1]) for line in lines}
        return 1024 * (sizes.get("MemAvailable", math.inf) + sizes.get("SwapFree", 0))
    if sys.platform == "win32":
        return _of_windows()
    with suppress(OSError, ValueError, AttributeError):
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return math.inf


def _of_windows() -> float:
    """Return what Windows would still give, its page file included."""
    import ctypes

    # struct MEMORYSTATUSEX: two DWORDs, then seven 64-bit numbers, the fourth is ullAvailPageFile.
    status = (ctypes.c_uint64 * 8)()
    ctypes.cast(status, ctypes.POINTER(ctypes.c_uint32))[0] = ctypes.sizeof(status)
    windows = getattr(ctypes, "windll", None)
    if windows is None or not windows.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
        return math.inf
    return float(status[4])


def _of_group(root: Path = Path("/sys/fs/cgroup")) -> float:
    """Return what a container's limit leaves."""
    for limit, used, statistics in GROUPS:
        with suppress(OSError, ValueError):  # "max" is no number
            most = int((root / limit).read_text("ascii"))
            lines = (root / statistics).read_text("ascii").splitlines()
            # Files that were read are kept in memory as long as nobody else wants it.
            files = sum(int(line.split()[1]) for line in lines if line.startswith("inactive_file "))
            return float(most - int((root / used).read_text("ascii")) + files)
    return math.inf


def _of_process() -> float:
    """Return what `ulimit -v` leaves."""
    with suppress(OSError, ValueError, ImportError):
        import resource

        most, _ = resource.getrlimit(resource.RLIMIT_AS)
        if most != resource.RLIM_INFINITY:
            pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
            return float(most - pages * resource.getpagesize())
    return math.inf


def parameter_count(config: ModelConfig) -> int:
    """Return how many numbers `parameter_shapes` adds up to, without making its dictionary.

    All layers but the first are alike, so that it takes no longer for a billion of them.
    """
    if config.layers == 1:
        return _sum_of_shapes(config, 1)
    one, two = _sum_of_shapes(config, 1), _sum_of_shapes(config, 2)
    return one + (config.layers - 1) * (two - one)


def _sum_of_shapes(config: ModelConfig, layers: int) -> int:
    shapes = parameter_shapes(ModelConfig.from_dict(config.to_dict() | {"layers": layers}))
    return sum(math.prod(shape) for shape in shapes.values())


def window_memory(config: ModelConfig, T: int, B: int) -> int:
    """Return the bytes that a network takes for windows of (T, B), its parameters not counted.

    What the forward pass leaves for the backward pass: the gates, states and kept arrays of each
    layer, gradients between them, logits; W x of the window's symbols and its gradient; and a plan
    for each step.
    """
    cell = cell_class(config)
    V, H, L = config.vocab_size, config.hidden_size, config.layers
    arrays = len(cell.gates) + cell.states + cell.kept
    if config.layer_norm:
        arrays += len(cell.gates) + cell.recurrent_gates()
    if config.end is not None:
        arrays += cell.states  # those before each step, apart from those after it
    floats = T * B * (L * H * arrays + H * (1 if L == 1 else 2) + V)
    floats += 2 * len(cell.gates) * H * min(T * B, V + 1)
    return floats * item_size(config) + STEP * L * (T + 3)


def steps(config: ModelConfig, streams: int, most: int) -> int:
    """Return how many steps of `streams` side by side a window of a reader may have: 1 to `most`.

    Its memory then has at most `MOST_VALUES` values.
    """
    # Logits, counted twice; of each layer gates, states and what the cell keeps.
    each = 2 * config.vocab_size + 8 * config.layers * config.hidden_size
    return max(1, min(most, MOST_VALUES // (each * streams)))


def item_size(config: ModelConfig) -> int:
    """Return the bytes of a number."""
    return 8 if config.dtype == "float64" else 4
