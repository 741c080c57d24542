"""The minGRU, the worked example of CONTRIBUTING.md, as it stands there."""

import re
import textwrap
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "CONTRIBUTING.md"
SOURCE = re.search(
    r"^## Add a cell$.*?^ *```python\n(.*?)^ *```$", PAGE.read_text("utf-8"), re.S | re.M
)[1]
NAMES = {"__name__": "min_gru"}
exec(compile(textwrap.dedent(SOURCE), str(PAGE), "exec"), NAMES)
MinGRU = NAMES["MinGRU"]
