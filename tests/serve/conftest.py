"""A server of two small models, for every test that only asks."""

import pytest
from serving import Running, a_model

import char_rnn

pytest.importorskip("starlette", reason="serving needs starlette")
pytest.importorskip("uvicorn", reason="serving needs uvicorn")


@pytest.fixture(scope="session")
def small():
    return a_model()


@pytest.fixture(scope="session")
def running(small, tmp_path_factory):
    """Return a server of two models: `small`, of characters, and `bytes`."""
    from char_rnn.serve.models import Models

    folder = tmp_path_factory.mktemp("served")
    small.save(folder / "small.safetensors")
    a_model(1, vocabulary=char_rnn.ByteVocabulary()).save(folder / "bytes.safetensors")
    models = Models()
    models.add(folder / "small.safetensors")
    models.add(folder / "bytes.safetensors")
    found = Running(models, runs=folder / "runs", minutes=5.0)
    yield found
    found.stop()
