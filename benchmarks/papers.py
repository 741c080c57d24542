"""The texts that papers report on, cut as they cut them: bits a character, in a row of Markdown.

    python -m benchmarks.papers ptb FOLDER --minutes 20
    python -m benchmarks.papers text8 FOLDER --minutes 120 --layers 2

ptb: ptb.train.txt, ptb.valid.txt and ptb.test.txt (Mikolov's Penn Treebank; it may not be passed
on, so FOLDER is where you have it), each line stripped and ended by one newline. text8: the file
text8, of whose 100 million characters the first 90 train, the next 5 validate and the last 5 test.
Options that are not known here go to char-rnn train. The run's best model by validation is scored
on the test text, once, stateful, by char-rnn evaluate. docs/records.md has the results.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import NamedTuple

from benchmarks.minutes import call
from char_rnn.charrnn import CharRNN

PTB = {"train": 5_017_482, "valid": 393_042, "test": 442_423}
TEXT8 = {"train": 90_000_000, "valid": 5_000_000, "test": 5_000_000}


class Parts(NamedTuple):
    """A text as papers cut it."""

    train: str
    valid: str
    test: str

    @property
    def share(self) -> float:
        """What validates, of the text that is `train` and then `valid`; half a character off."""
        return (len(self.valid) - 0.5) / len(self.train + self.valid)


def ptb(folder: Path) -> Parts:
    """Read Penn Treebank by characters."""
    texts = {}
    for name in PTB:
        lines = (folder / f"ptb.{name}.txt").read_text("utf-8").splitlines()
        texts[name] = "".join(line.strip() + "\n" for line in lines)
    return checked(texts, PTB)


def text8(folder: Path) -> Parts:
    """Read text8."""
    text, at, texts = (folder / "text8").read_text("ascii"), 0, {}
    for name, count in TEXT8.items():
        texts[name] = text[at : at + count]
        at += count
    return checked(texts, TEXT8)


def checked(texts: dict[str, str], counts: dict[str, int]) -> Parts:
    """Return the parts; leave where one has not as many characters as papers count in it."""
    found = {name: len(text) for name, text in texts.items()}
    if found != counts:
        sys.exit(f"not the text that papers report on: {found} characters; they have {counts}")
    return Parts(**texts)


def measure(
    corpus: str, parts: Parts, minutes: float, out: Path, more: list[str]
) -> dict[str, float | str]:
    """Train, and return what came of it, losses in bits a character."""
    folder = out / f"{corpus}-{minutes:g}-minutes"
    out.mkdir(parents=True, exist_ok=True)
    text, test = out / f"{corpus}.txt", out / f"{corpus}-test.txt"
    text.write_text(parts.train + parts.valid, "utf-8", newline="")
    test.write_text(parts.test, "utf-8", newline="")
    given = ("--minutes", minutes, "--val_fraction", parts.share, "--out", folder)
    call("train", text, *given, *more)
    scored = [
        json.loads(call("evaluate", folder, name, "--json", "--no_baselines"))
        for name in (text, test)
    ]
    assert scored[0]["characters"] == len(parts.valid) - 1  # what comes first has nothing before it
    model, summary = CharRNN.load(folder), CharRNN.load(folder).summary
    return {
        "model": f"{model.config.layers} × {model.config.hidden_size} {model.config.cell}",
        "parameters": model.num_parameters,
        "epochs": summary["epoch"],
        "valid": scored[0]["loss"]["bits"],
        "test": scored[1]["loss"]["bits"],
    }


def main() -> None:
    """Train on one of the texts and print a row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", choices=("ptb", "text8"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--out", type=Path, default=Path("runs/papers"))
    options, more = parser.parse_known_args()
    parts = {"ptb": ptb, "text8": text8}[options.corpus](options.folder)
    r = measure(options.corpus, parts, options.minutes, options.out, more)
    print("| text | minutes | model | parameters | epochs | validation | test |")
    print("| --- | ---: | --- | ---: | ---: | ---: | ---: |")
    print(
        f"| {options.corpus} | {options.minutes:g} | {r['model']} | {r['parameters']:,} "
        f"| {r['epochs']:.1f} | {r['valid']:.4f} | {r['test']:.4f} |"
    )


if __name__ == "__main__":
    main()
