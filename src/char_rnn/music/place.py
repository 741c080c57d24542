"""Where a text of music stands: all of it that says what may follow."""

from dataclasses import dataclass, replace

from char_rnn.music.asked import FREE, Tonality
from char_rnn.music.bars import Meter, bar_length
from char_rnn.music.notation import BARS_A_LINE
from char_rnn.music.score import USUAL_METER, USUAL_STEPS

FIELDS, CHANGES = "MKQGI", "MKQ"
HIGHEST = 127
PITCHES = range(HIGHEST + 1)
NONE: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Place:
    """phase: which kind of word comes next (grammar.py).

    fields: of the header, or changes of the bar, that may still come. begun: whether the header
    has one. keyed: whether the key that is asked for is said.
    drums: whether each voice is. bar: new bars that are whole. line: bars of the line.
    voice, layer, now: in the bar, steps from its begin. rested: the last item was a rest.
    heads, tied: pitches of the item in hand, rising, and those of them that go on in the next bar.
    within: inside a chord. pending, carried: (voice, pitch) of what goes on in this bar from the
    last one, and in the next one from this. used: pitches of the voice's earlier layers; here: of
    this one. low: the lowest pitch with which a voice has ended the last bar. sounded: any note.
    """

    phase: str = "field"
    fields: str = FIELDS
    begun: bool = False
    keyed: bool = True
    meter: Meter = USUAL_METER
    grid: int = USUAL_STEPS
    tonality: Tonality = FREE
    drums: tuple[bool, ...] = (False,)
    bar: int = 0
    line: int = 0
    voice: int = -1
    layer: int = 0
    now: int = 0
    rested: bool = False
    heads: tuple[int, ...] = ()
    tied: frozenset[int] = NONE
    within: bool = False
    pending: frozenset[tuple[int, int]] = frozenset()
    carried: frozenset[tuple[int, int]] = frozenset()
    used: frozenset[int] = NONE
    here: frozenset[int] = NONE
    low: int = HIGHEST + 1
    sounded: bool = False

    @property
    def full(self) -> int:
        """Steps of the bar."""
        return bar_length(self.meter, self.grid)

    @property
    def left(self) -> int:
        """Steps of the bar that its layer has not filled."""
        return self.full - self.now

    @property
    def due(self) -> list[int]:
        """Pitches that the item in hand has to go on with."""
        if self.now or self.layer:
            return []
        return sorted({p for v, p in self.pending if v == self.voice} - {*self.heads})

    @property
    def closing(self) -> int:
        """The voice whose last note ends the piece: the last one that is not of drums, if any."""
        voices = range(len(self.drums))
        return max((v for v in voices if not self.drums[v]), default=voices[-1])

    def in_voice(self, voice: int) -> "Place":
        """Return the place where a voice begins its bar."""
        return replace(
            self, phase="item", voice=voice, layer=0, now=0, rested=False, used=NONE, here=NONE
        )

    def voiced(self) -> "Place":
        """Return the place of a bar before its first voice."""
        return replace(self, phase="voice", voice=-1)

    def in_layer(self) -> "Place":
        """Return the place where another layer of the voice begins."""
        layer, used = self.layer + 1, self.used | self.here
        return replace(self, phase="item", layer=layer, now=0, rested=False, used=used, here=NONE)

    def played(self, steps: int, tied: frozenset[int], ends: bool) -> "Place":
        """Return the place after the item in hand, which is so long; ends: the piece, perhaps."""
        now, low = self.now + steps, self.low
        if ends and now == self.full and self.heads and not self.drums[self.voice]:
            low = min(low, self.heads[0])
        pending = self.pending
        if not (self.now or self.layer):
            pending -= {(self.voice, pitch) for pitch in self.heads}
        return replace(
            self,
            phase="done" if now == self.full else "item",
            now=now,
            rested=not self.heads,
            heads=(),
            tied=NONE,
            pending=pending,
            carried=self.carried | {(self.voice, pitch) for pitch in tied},
            here=self.here | {*self.heads},
            low=low,
            sounded=self.sounded or bool(self.heads),
        )

    def next_bar(self) -> "Place":
        """Return the place behind the bar."""
        each = BARS_A_LINE if len(self.drums) == 1 else 1
        return replace(
            self,
            phase="line",
            fields=CHANGES,
            bar=self.bar + 1,
            line=(self.line + 1) % each,
            voice=-1,
            layer=0,
            now=0,
            rested=False,
            pending=self.carried,
            carried=frozenset(),
            used=NONE,
            here=NONE,
            low=HIGHEST + 1,
        )
