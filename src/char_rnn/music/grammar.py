"""What may follow in a text of music, word by word, such that all that is asked can still be met.

The words are those that `to_text` writes, and some of their many: changes stand at the begin of a
bar only, tempos are whole numbers, voices have no names. Every method of a phase returns the words
that may come, each with what makes the place behind it. What leads nowhere is not among them: a
length leaves a rest of the bar that can be filled, a tie leads to a note that can be written.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial

from char_rnn.errors import UsageError
from char_rnn.music.asked import EVERY, Asked, Tonality
from char_rnn.music.bar_grammar import BarGrammar, Words
from char_rnn.music.bars import bars
from char_rnn.music.notation import BARS_A_LINE
from char_rnn.music.place import CHANGES, FIELDS, PITCHES, Place
from char_rnn.music.score import USUAL_METER, Score
from char_rnn.music.spelling import C_MAJOR, Key

METERS = [(n, under) for under in (2, 4, 8, 16) for n in range(1, 17) if n <= 3 * under]
GRIDS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 96)
TEMPOS, MOST_VOICES, MOST_STEPS = range(10, 400), 16, 10_000
"""What is offered: grids that a file is read on unasked, and parts of them. A seed may have others,
with up to MOST_STEPS in a bar."""


class Grammar(BarGrammar):
    """The words of a piece.

    ends: whether the model has a symbol for the end of a document; else a blank line ends a piece.
    pitches: those that may be written, but for drums.
    """

    def __init__(
        self, asked: Asked, writable: Callable[[str], bool], ends: bool, pitches: range = PITCHES
    ) -> None:
        super().__init__(asked, writable, pitches)
        self._ends = ends
        self._headed = writable(": \n")
        self._keys = asked.tonalities(writable) if self._headed else {}
        sizes = {said: self._size(key) for said, key in self._keys.items()}
        most = max(sizes.values(), default=0)
        if asked.scale is not None:  # those in which most of it can be written
            sizes = {said: size for said, size in sizes.items() if size == most}
        self._keys = {said: key for said, key in self._keys.items() if sizes.get(said)}
        self.words = lru_cache(256)(self._words)

    def begin(self) -> Place:
        """Return the place where a piece begins, its tonic free where a key can say it.

        Raises UsageError if the model cannot write music, or not what is asked for.
        """
        self._check_music()
        place = Place(keyed=not self._keys, fields=FIELDS if self._headed else "")
        if self.asked.scale is not None and not self._keys:
            tonics = range(12) if self.asked.tonic is None else [self.asked.tonic]
            tonalities = [self.asked.tonality(tonic) for tonic in tonics]
            place = replace(place, tonality=max(tonalities, key=self._size))
        elif self.asked.scale is None and self.asked.bars is None:
            place = replace(place, keyed=True)
        self._check(place)
        return place

    def after(self, seed: Score, tonic: int) -> Place:
        """Return the place behind a piece that ends with a bar, in a key on this tonic.

        Raises UsageError as `begin` does, and for a meter that the model cannot fill.
        """
        self._check_music()
        spelt: Key = seed.keys[-1].value if seed.keys else C_MAJOR
        tonality = Tonality(spelt, tonic)
        if self.asked.scale is not None:
            tonality = self.asked.tonality(self.asked.tonic, spelt)
        elif not self._size(tonality):
            tonality = Tonality(spelt)
        said = [key.spelt for key in self._keys.values()]
        place = Place(
            phase="line",
            fields=CHANGES if self._headed and self.writable("[]") else "",
            keyed=self.asked.scale is None or spelt in said or not (said and self.writable("[]")),
            meter=seed.meters[-1].value if seed.meters else USUAL_METER,
            grid=seed.steps,
            tonality=tonality,
            drums=tuple(voice.drums for voice in seed.voices),
            sounded=True,
            line=len(bars(seed)) % (BARS_A_LINE if len(seed.voices) == 1 else 1),
        )
        self._check(place)
        return place

    def _check_music(self) -> None:
        """Raise UsageError if the model cannot write the least that music needs."""
        needed = "| " if self._ends else "| \n"
        if not (self.writable(needed) and self._fits(Place()) and self.spelt(C_MAJOR, EVERY)):
            raise UsageError(
                "the model knows no music: its characters are not enough for notes and bars; "
                "train one: char-rnn train tunes/"
            )

    def _check(self, place: Place) -> None:
        """Raise UsageError if what is asked for cannot be written from here."""
        if place.keyed and not self._size(place.tonality):
            raise UsageError(
                f"the model has no characters for the tonic of this {self.asked.scale} scale; ask "
                "for another key or scale"
            )
        if not self._fits(place):
            over, under = place.meter
            raise UsageError(
                f"the model cannot fill a bar of {over}/{under}; take a seed in another meter"
            )

    def tonality(self, said: str) -> Tonality | None:
        """Return what a key stands for; None if it is not one that may be written."""
        return self._keys.get(said)

    def may_end(self, place: Place) -> bool:
        """Tell whether the piece may end at this place."""
        if place.phase == "end":
            return True
        return self._ends and place.phase == "line" and self._is_whole(place)

    def _words(self, place: Place) -> Words:
        """Return the words that may come at a place, each with what makes the place behind it."""
        found: Words = getattr(self, PHASES[place.phase])(place)
        return {word: after for word, after in found.items() if self.writable(word)}

    # The phases

    def field(self, place: Place) -> Words:
        """Return the fields that may come next in the first line, and its end."""
        words: Words = {}
        space = " " if place.begun else ""
        for at, name in enumerate(place.fields):
            rest = place.fields[at + 1 :]
            for said, changed in self._said(place, name).items():
                words[space + said] = partial(replace, changed, fields=rest, begun=True)
            if name == "K" and not place.keyed:
                return words
        words["\n" if place.begun else ""] = partial(replace, place, phase="bar", fields="")
        return words

    def program(self, place: Place) -> Words:
        """Return the programs that another voice may have; one voice alone is of drums."""
        kinds = ("",) if any(place.drums) else ("", "d")
        return {
            f"{kind}{number}": partial(
                replace, place, phase="programs", drums=(*place.drums, kind == "d")
            )
            for kind in kinds
            for number in range(128)
        }

    def programs(self, place: Place) -> Words:
        """Return another voice, or the end of the first line."""
        words: Words = {"\n": partial(replace, place, phase="bar", fields="")}
        count = len(place.drums) + 1
        if count <= MOST_VOICES and all(self.writable(f"{n}: ") for n in range(1, count + 1)):
            words[","] = partial(replace, place, phase="program")
        return words

    def bar(self, place: Place) -> Words:
        """Return the changes that may stand at a bar's begin, and what follows them."""
        words: Words = {}
        if not place.pending and (not self._is_last(place) or not place.keyed):
            for at, name in enumerate(place.fields):
                if name != "K" and not place.keyed:
                    continue
                rest = place.fields[at + 1 :]
                for said, changed in self._said(place, name).items():
                    words[f"[{said}]"] = partial(replace, changed, fields=rest)
        if place.keyed or not words:
            begun = replace(place, fields="")
            single = len(place.drums) == 1
            words[""] = partial(begun.in_voice, 0) if single else partial(begun.voiced)
        return words

    def line(self, place: Place) -> Words:
        """Return what stands behind a bar: an end of the line, of the piece, or another bar."""
        words: Words = {}
        if not self._ends and self._is_whole(place):
            words["\n\n"] = partial(replace, place, phase="end")
        if place.bar < self.limit:
            breaks = place.line == 0 and self.writable("\n")
            words["\n" if breaks else ""] = partial(replace, place, phase="bar")
        return words

    def end(self, _: Place) -> Words:
        """Return nothing: the piece has ended."""
        return {}

    # What they ask

    def _is_whole(self, place: Place) -> bool:
        least = self.limit if self.asked.bars else 1
        return place.sounded and not place.pending and place.bar >= least

    def _size(self, tonality: Tonality) -> int:
        """Return how many pitch classes can be written in a key; 0 where its tonic cannot."""
        classes = {pitch % 12 for pitch in self.spelt(tonality.spelt, tonality.classes)}
        return len(classes) if tonality.tonic is None or tonality.tonic in classes else 0

    def _fits(self, place: Place) -> bool:
        """Tell whether bars of this meter can be filled, and one of them end the piece."""
        if place.full > MOST_STEPS:
            return False
        table = self.lengths(place.meter, place.grid)
        return table.filled[table.full] and table.ended[table.full]

    def _said(self, place: Place, name: str) -> dict[str, Place]:
        """Return the fields of a name that may come, each with the place that it makes."""
        if not self.writable(f"{name}:"):
            return {}
        match name:
            case "M":
                meters = {f"M:{over}/{under}": (over, under) for over, under in METERS}
                found = {said: replace(place, meter=meter) for said, meter in meters.items()}
                return {said: there for said, there in found.items() if self._holds(there)}
            case "G":
                grids = {f"G:{grid}": replace(place, grid=grid) for grid in GRIDS}
                return {said: there for said, there in grids.items() if self._holds(there)}
            case "K":
                keys = self._keys if self.asked.scale is None or not place.keyed else {}
                return {
                    f"K:{said}": replace(place, tonality=tonality, keyed=True)
                    for said, tonality in keys.items()
                }
            case "Q":
                return dict.fromkeys((f"Q:{tempo}" for tempo in TEMPOS), place)
        one = self.spelt(C_MAJOR, EVERY) and any(self.writable(str(n)) for n in range(128))
        return {"I:": replace(place, phase="program", drums=())} if one else {}

    def _holds(self, place: Place) -> bool:
        """Tell whether bars of this meter are whole on the grid, and can be written."""
        (over, under), grid = place.meter, place.grid
        return (4 * grid * over) % under == 0 and self._fits(place)


PHASES = {
    "field": "field", "program": "program", "programs": "programs", "bar": "bar", "line": "line",
    "end": "end", "voice": "in_voice", "item": "item", "note": "note", "chord": "chord",
    "length": "length", "done": "done",
}  # fmt: skip
