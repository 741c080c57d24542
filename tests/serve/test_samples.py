"""More samples while somebody looks, farther and farther apart."""

from serving import TEXT

import char_rnn
from char_rnn.serve.samples import Samples


class Clocked(Samples):
    """Is told that a second has passed with each step."""

    def __call__(self, event):
        object.__setattr__(event, "elapsed", float(event.iteration))
        super().__call__(event)


def trained(folder, looks=True, **settings):
    """Return a run, and at which iterations it wrote besides."""
    found = []
    own = Clocked(lambda sample: found.append(sample.iteration), lambda: looks)
    more = {"hidden_size": 4, "layers": 1, "iterations": 8, "seq_length": 10, "batch_size": 2}
    more |= {"progress": False, "callbacks": [own]} | settings
    return char_rnn.train(TEXT * 10, out=folder, **more), found


def test_samples_while_somebody_looks(tmp_path):
    rare = {"sample_every": 100, "sample_length": 5}
    seen, found = trained(tmp_path / "seen", **rare)
    assert found == [1, 3, 5, 7]
    unseen, none = trained(tmp_path / "unseen", looks=False, **rare)
    assert none == []
    assert (seen.model.parameters.flat == unseen.model.parameters.flat).all()
    assert trained(tmp_path / "often", sample_every=2, sample_length=5)[1] == [1, 4, 6]
    assert trained(tmp_path / "none", sample_every=0)[1] == []
