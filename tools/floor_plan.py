"""Draw the floor plan of the package, from its imports: docs/architecture.svg.

    python -m tools

A room is a file or a folder of src/char_rnn. It stands one floor above the highest room that it
imports. An arrow is an import; one that longer ways already tell (A → B → C tells A → C) is left
out, so that what is drawn can be followed with a finger.
"""

import ast
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "char_rnn"
PICTURE = ROOT / "docs" / "architecture.svg"

WIDTH, MARGIN, GAP, FLOOR_GAP = 1080, 24, 22, 46
LINE, TITLE, LETTER, PADDING = 16, 24, 6.7, 12
MOST_COLUMNS = 5

STYLE = """
text { font: 12px ui-monospace, Menlo, Consolas, monospace; fill: #333 }
.name { font-weight: bold; font-size: 15px; fill: #111 }
.room { fill: #fbfaf7; stroke: #8a8577; rx: 6px }
.floor { fill: #777; font-size: 11px }
.arrow { fill: none; stroke: #4b6f9c; stroke-width: 1.2 }
"""


def room_of(path: Path) -> str:
    """Return the room in which a file stands."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def read_rooms() -> tuple[dict[str, list[str]], dict[str, set[str]]]:
    """Return the files of each room, and the rooms that it imports."""
    files: dict[str, list[str]] = {}
    imports: dict[str, set[str]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        room = room_of(path)
        if room.startswith("__"):
            continue
        inside = path.relative_to(SOURCE / room) if (SOURCE / room).is_dir() else None
        names, found = files.setdefault(room, []), imports.setdefault(room, set())
        if inside is not None and not path.stem.startswith("__"):
            names.append(inside.with_suffix("").as_posix())
        found |= imported(path) - {room}
    rooms = set(files)
    return files, {room: found & rooms for room, found in imports.items()}


def imported(path: Path) -> set[str]:
    """Return the rooms that a file imports."""
    names = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from char_rnn import analyse` names the room last.
            ends = [f".{alias.name}" for alias in node.names] if node.module == "char_rnn" else [""]
            names += [node.module + end for end in ends]
    parts = [name.split(".") for name in names]
    return {p[1] for p in parts if p[0] == "char_rnn" and len(p) > 1}


def floors(imports: dict[str, set[str]]) -> dict[str, int]:
    """Return the floor of each room, 0 on the ground; raise ValueError for a circle."""
    known: dict[str, int] = {}
    while len(known) < len(imports):
        ready = [r for r in imports if r not in known and imports[r] <= known.keys()]
        if not ready:
            raise ValueError(f"rooms import each other in a circle: {set(imports) - set(known)}")
        known |= {r: 1 + max((known[i] for i in imports[r]), default=-1) for r in ready}
    return known


def direct(imports: dict[str, set[str]]) -> list[tuple[str, str]]:
    """Return the imports that no longer way tells, in order."""
    below = {room: reached(imports, room) for room in imports}
    return sorted(
        (room, other)
        for room, others in imports.items()
        for other in others
        if not any(other in below[way] for way in others)
    )


def reached(imports: dict[str, set[str]], room: str) -> set[str]:
    """Return all that a room stands on."""
    found: set[str] = set()
    waiting = set(imports[room])
    while waiting:
        found |= waiting
        waiting = set().union(*(imports[r] for r in waiting)) - found
    return found


class Box:
    """A room as it is drawn: its files in columns below its name."""

    def __init__(self, name: str, files: list[str]) -> None:
        self.name, self.files = name, files
        columns = min(MOST_COLUMNS, -(-len(files) // 6)) or 1
        self.rows = -(-len(files) // columns)
        self.column = LETTER * 1.08 * (max(map(len, files), default=0) + 1)
        self.width = max(columns * self.column, len(name) * 9.5) + 2 * PADDING
        self.height = TITLE + LINE * self.rows + PADDING
        self.x = self.y = 0.0

    @property
    def middle(self) -> float:
        """Where arrows to the box end, from the left."""
        return self.x + self.width / 2

    def draw(self) -> list[str]:
        """Return the SVG of the box."""
        out = [
            f'<rect class="room" x="{self.x:.0f}" y="{self.y:.0f}" width="{self.width:.0f}" '
            f'height="{self.height:.0f}"/>',
            f'<text class="name" x="{self.x + PADDING:.0f}" y="{self.y + 20:.0f}">'
            f"{escape(self.name)}</text>",
        ]
        for k, file in enumerate(self.files):
            x = self.x + PADDING + self.column * (k // self.rows)
            y = self.y + TITLE + LINE * (k % self.rows + 0.9)
            out.append(f'<text x="{x:.0f}" y="{y:.0f}">{escape(file)}</text>')
        return out


def place(boxes: dict[str, Box], floor_of: dict[str, int], arrows: list[tuple[str, str]]) -> int:
    """Put the boxes on their floors, the ground at the bottom; return the height of it all.

    On a floor each stands as far left or right as what imports it, so that few arrows cross.
    """

    def importers(room: str) -> float:
        found = [boxes[above].middle for above, below in arrows if below == room]
        return sum(found) / len(found) if found else 0.0

    y = MARGIN
    for floor in range(max(floor_of.values()), -1, -1):
        rooms = sorted(room for room in floor_of if floor_of[room] == floor)
        here = [boxes[room] for room in sorted(rooms, key=importers)]
        free = WIDTH - 2 * MARGIN - sum(box.width for box in here)
        gap = max(free / (len(here) + 1), GAP)
        x = MARGIN + gap
        for box in here:
            box.x, box.y = x, y
            x += box.width + gap
        y += round(max(box.height for box in here)) + FLOOR_GAP
    return y - FLOOR_GAP + MARGIN


def arrow(above: Box, below: Box, k: int, of: int) -> str:
    """Return the SVG of an arrow; the `k`-th `of` those that leave a box."""
    x1, y1 = above.x + above.width * (k + 1) / (of + 1), above.y + above.height
    x2, y2 = below.middle, below.y - 4
    bend = (y2 - y1) / 2
    return (
        f'<path class="arrow" marker-end="url(#head)" '
        f'd="M{x1:.0f} {y1:.0f} C{x1:.0f} {y1 + bend:.0f} {x2:.0f} {y2 - bend:.0f} '
        f'{x2:.0f} {y2:.0f}"/>'
    )


def floor_plan() -> str:
    """Return the picture as SVG."""
    files, imports = read_rooms()
    boxes = {room: Box(room + ("/" if names else ""), names) for room, names in files.items()}
    arrows = direct(imports)
    height = place(boxes, floors(imports), arrows)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" role="img" aria-label="The rooms of char-rnn, each above what it '
        'imports">',
        f"<style>{STYLE}</style>",
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="#4b6f9c"/></marker>'
        "</defs>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
    ]
    for above, below in arrows:
        mine = sorted((b for a, b in arrows if a == above), key=lambda b: boxes[b].x)
        out.append(arrow(boxes[above], boxes[below], mine.index(below), len(mine)))
    for room in sorted(boxes):
        out += boxes[room].draw()
    return "\n".join([*out, "</svg>", ""])


def main() -> None:
    """Write the picture."""
    PICTURE.write_text(floor_plan(), "utf-8", newline="\n")
    print(f"Written: {PICTURE.relative_to(ROOT).as_posix()}")
