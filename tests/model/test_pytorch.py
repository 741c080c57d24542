"""A saved model loads into PyTorch's modules and computes the same there."""

import numpy as np
import pytest

from char_rnn import CharRNN, Vocabulary
from char_rnn.model.parameters import apart
from char_rnn.storage.models import model_file

torch = pytest.importorskip("torch", reason="PyTorch is not installed; the extra `bench` has it")
safetensors_torch = pytest.importorskip("safetensors.torch")

V, H, L, T, B = 11, 16, 2, 7, 3


MODULES = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}


class Peer(torch.nn.Module):
    def __init__(self, cell):
        super().__init__()
        self.rnn = MODULES[cell](V, H, L)
        self.out = torch.nn.Linear(H, V)

    def forward(self, ids):
        x = torch.nn.functional.one_hot(ids, V).to(self.out.weight.dtype)
        return self.out(self.rnn(x)[0])


@pytest.mark.parametrize("cell", MODULES)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-4), ("float64", 1e-8)])
def test_parity(tmp_path, cell, dtype, tolerance):
    rng = np.random.default_rng(0)
    vocabulary = Vocabulary("abcdefghijk")
    model = CharRNN(V, H, cell, L, cell == "gru", dtype, rng, vocabulary, init="uniform")
    model.save(tmp_path / "model.safetensors")
    peer = Peer(cell).to(getattr(torch, dtype))
    peer.load_state_dict(safetensors_torch.load_file(tmp_path / "model.safetensors"), strict=True)
    ids, targets = rng.integers(V, size=(2, T, B))
    logits, _ = model.forward(ids)
    _, gradients = model.backward(targets)
    theirs = peer(torch.from_numpy(ids))
    torch.nn.functional.cross_entropy(
        theirs.reshape(-1, V), torch.from_numpy(targets).reshape(-1)
    ).backward()
    np.testing.assert_allclose(logits, theirs.detach().numpy(), rtol=0, atol=tolerance)
    for name, parameter in peer.named_parameters():
        np.testing.assert_allclose(gradients[name], parameter.grad.numpy(), rtol=0, atol=tolerance)


APART = [
    {"cell": cell, "layer_norm": norm, "tied": tied, "reset_after": cell == "gru" and after}
    for cell in MODULES
    for norm in (False, True)
    for tied in (False, True)
    for after in (False, True)[: 2 if cell == "gru" else 1]
    if norm or tied or (cell == "gru" and not after)
]


def stripped(tensors):
    """Yield the recurrent weights with all the names that people give them."""
    recurrent = {k: v for k, v in tensors.items() if not k.startswith("out.") and k != "h0"}
    yield recurrent
    yield {k[4:]: v for k, v in recurrent.items()}
    yield {k[4:]: v for k, v in recurrent.items() if k.startswith("rnn.")}
    yield {k.split(".")[-1]: v for k, v in recurrent.items()}
    yield {k.split(".", 1)[1]: v for k, v in recurrent.items() if "norm_" not in k}


@pytest.mark.parametrize("form", APART, ids=lambda form: "-".join(map(str, form.values())))
def test_what_pytorch_does_not_have_it_refuses(tmp_path, form):
    """Also where characters and units are as many, so that every shape fits."""
    model = CharRNN(H, H, layers=L, vocabulary=Vocabulary("abcdefghijklmnop"), **form)
    model.save(tmp_path / "model.safetensors")
    saved = safetensors_torch.load_file(tmp_path / "model.safetensors")
    live = {name: torch.from_numpy(array) for name, array in model.parameters.items()}
    module = MODULES[form["cell"]](H, H, L)
    for tensors in (saved, live):
        for named in stripped(tensors):
            with pytest.raises(RuntimeError, match="Missing key"):
                module.load_state_dict(named, strict=True)
            # Nor are there some that fit, which a load that is not strict would take.
            assert not set(named) & set(module.state_dict())


@pytest.mark.parametrize("cell", MODULES)
def test_a_learned_initial_state_is_a_tensor_of_its_own(cell):
    model = CharRNN(
        V, H, cell, L, cell == "gru", initial_state="learned", rng=np.random.default_rng(0)
    )
    rng = np.random.default_rng(1)
    for name in ("h0", "c0") if cell == "lstm" else ("h0",):
        model.parameters[name] = rng.standard_normal((L, H))
    named = {name: torch.from_numpy(array) for name, array in model.parameters.items()}
    peer = Peer(cell)
    with pytest.raises(RuntimeError, match="Unexpected key"):
        peer.load_state_dict(named, strict=True)
    begin = tuple(named.pop(name)[:, None] for name in ("h0", "c0") if name in named)
    peer.load_state_dict(named, strict=True)
    ids = rng.integers(V, size=(T, 1))
    x = torch.nn.functional.one_hot(torch.from_numpy(ids), V).float()
    theirs = peer.out(peer.rnn(x, begin if cell == "lstm" else begin[0])[0])
    np.testing.assert_allclose(model.forward(ids)[0], theirs.detach().numpy(), atol=1e-5)


@pytest.mark.parametrize("cell", MODULES)
@pytest.mark.parametrize("initial_state", ["zeros", "learned"])
def test_documents_are_read_one_by_one_there(cell, initial_state):
    """As docs/pytorch.md says: each from its own beginning, the symbol that begins it first."""
    rng, end = np.random.default_rng(0), V - 1
    more = {"initial_state": initial_state, "end": end, "init": "uniform"}
    model = CharRNN(V, H, cell, L, cell == "gru", "float64", rng, **more)
    model.parameters.flat[:] += 0.1 * rng.standard_normal(model.parameters.flat.size)
    named = {name: torch.from_numpy(array) for name, array in model.parameters.items()}
    begin = tuple(named.pop(name)[:, None] for name in ("h0", "c0") if name in named)
    peer = Peer(cell).double()
    peer.load_state_dict(named, strict=True)
    documents = [np.append(end, rng.integers(end, size=n)) for n in (5, 0, 8, 1)]
    ids = np.concatenate(documents)
    targets = rng.integers(V, size=len(ids))
    logits = model.forward(ids)[0][:, 0]
    _, gradients = model.backward(targets)
    theirs = []
    for document in documents:
        x = torch.nn.functional.one_hot(torch.from_numpy(document), V).double()[:, None]
        states, _ = peer.rnn(x, (begin if cell == "lstm" else begin[0]) if begin else None)
        theirs.append(peer.out(states)[:, 0])
    found = torch.cat(theirs)
    np.testing.assert_allclose(logits, found.detach().numpy(), rtol=0, atol=1e-12)
    torch.nn.functional.cross_entropy(found, torch.from_numpy(targets)).backward()
    for name, parameter in peer.named_parameters():
        np.testing.assert_allclose(gradients[name], parameter.grad.numpy(), rtol=0, atol=1e-12)


def test_the_shipped_model_is_the_same_there():
    model = CharRNN.load("shakespeare")
    V, H = model.config.vocab_size, model.config.hidden_size
    tensors = safetensors_torch.load_file(model_file("shakespeare"))
    assert set(tensors) == set(model.parameters)
    if apart(model.config):
        assert not any(name.endswith(("_l0", "_l1")) for name in tensors)
        return
    rnn, out = MODULES[model.config.cell](V, H, model.config.layers), torch.nn.Linear(H, V)
    rnn.load_state_dict({k[4:]: v for k, v in tensors.items() if k.startswith("rnn.")})
    out.load_state_dict({k[4:]: v for k, v in tensors.items() if k.startswith("out.")})
    ids = np.random.default_rng(0).integers(V, size=(50, 1))
    with torch.no_grad():
        theirs = out(rnn(torch.eye(V)[torch.from_numpy(ids)])[0]).numpy()
    np.testing.assert_allclose(model.forward(ids)[0], theirs, atol=1e-3)
