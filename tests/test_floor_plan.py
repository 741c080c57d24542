"""The picture of the rooms is that of the code as it is."""

import importlib.util
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def plan():
    spec = importlib.util.spec_from_file_location("floor_plan", ROOT / "tools" / "floor_plan.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_picture_is_current(plan):
    said = "rooms, files or imports have changed; renew it: python -m tools"
    assert plan.PICTURE.read_text("utf-8") == plan.floor_plan(), said


def test_every_room_and_file_is_drawn(plan):
    drawn = {node.text for node in ElementTree.fromstring(plan.floor_plan()).iter() if node.text}
    files, _ = plan.read_rooms()
    for room, names in files.items():
        assert {room, f"{room}/"} & drawn
        assert set(names) <= drawn


def test_each_room_stands_above_what_it_imports(plan):
    _, imports = plan.read_rooms()
    floor = plan.floors(imports)
    assert all(floor[room] > floor[below] for room in imports for below in imports[room])


def test_a_circle_is_an_error(plan):
    with pytest.raises(ValueError, match="circle"):
        plan.floors({"a": {"b"}, "b": {"a"}, "c": set()})


def test_what_longer_ways_tell_is_left_out(plan):
    assert plan.direct({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == [("a", "b"), ("b", "c")]
