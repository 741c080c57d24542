"""How large should the network be?

RNNs of 16 to 512 units read the same passage over and over, all of them as many characters: the
loss on what they have read and on what they have not, over the number of their parameters, and the
seconds that it took. Larger networks take smaller steps: the rate falls with the root of the units.
"""

from typing import Any

import numpy as np

from char_rnn.lab.experiment import Given, Result
from char_rnn.lab.learning import Learned, learn_text
from char_rnn.pictures.figure import Axis, Figure, Panel, over_seeds

USES = ("text", "seeds")


def run(
    given: Given,
    sizes: tuple[int, ...] = (16, 32, 64, 128, 256, 512),
    characters: int = 160_000,
    passage: int = 25_000,
) -> Result:
    """Do it; characters: how many each reads, of a passage of so many."""
    text = given.passage(passage)
    jobs = [(text, characters, H, seed) for seed in given.every_seed for H in sizes]
    found = dict(zip(jobs, given.each(_learn, jobs), strict=True))
    learned = [[found[text, characters, H, seed] for H in sizes] for seed in given.every_seed]
    parameters = [one.parameters for one in learned[0]]
    read = learned[0][0].characters[-1]
    trained = [[one.train_loss for one in row] for row in learned]
    validated = [[one.losses[-1] for one in row] for row in learned]
    cost = [[1000 * one.seconds[-1] / read for one in row] for row in learned]
    across = Axis(
        f"parameters (of {', '.join(map(str, sizes))} units)",
        log=True,
        ticks={float(count): f"{count / 1000:.0f}k" for count in parameters},
    )
    figure = Figure(
        f"RNNs of {sizes[0]} to {sizes[-1]} units on {given.name_of_text}",
        [
            Panel(
                f"After {read:,} characters of a passage of {len(text):,}",
                across,
                Axis("loss, nats a character"),
                [
                    over_seeds(parameters, validated, "what it has not read"),
                    over_seeds(parameters, trained, "what it has read"),
                ],
            ),
            Panel(
                "What it costs",
                across,
                Axis("seconds a thousand characters", log=True),
                [over_seeds(parameters, cost, "reading and learning", colour=2)],
            ),
        ],
    )
    numbers: dict[str, Any] = {
        "sizes": list(sizes),
        "parameters": parameters,
        "characters": read,
        "train_loss": trained,
        "val_loss": validated,
    }
    return Result(figure, numbers, _found(numbers), MEANS, {"seconds_a_thousand_characters": cost})


def _learn(text: str, characters: int, H: int, seed: int) -> Learned:
    settings: dict[str, Any] = {"learning_rate": 0.04 * H**-0.5, "val_fraction": 0.2}
    return learn_text(text, characters, seed, cell="rnn", hidden_size=H, **settings)


def _found(numbers: dict[str, Any]) -> str:
    sizes = numbers["sizes"]
    trained, validated = (np.median(numbers[of], axis=0) for of in ("train_loss", "val_loss"))
    best = int(validated.argmin())
    gap = validated - trained
    return (
        f"The loss on what a network has not read is {validated[0]:.2f} nats a character with "
        f"{sizes[0]} units, lowest with {sizes[best]} ({validated[best]:.2f}) and "
        f"{validated[-1]:.2f} with {sizes[-1]}. On what it has read it is lower by "
        f"{gap[0]:.2f}, {gap[best]:.2f} and {gap[-1]:.2f}."
    )


MEANS = (
    "A network too small cannot hold what the text has to teach. One too large learns the passage "
    "by heart, which does not help with another text, and every doubling costs up to four times "
    "the seconds. Where the best size lies depends on how much text there is and how long one "
    "trains: with more of both it lies further to the right than here, where both are small so "
    "that it takes a minute."
)
