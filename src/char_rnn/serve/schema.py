"""A small part of JSON Schema: what a value may be, for checking it and for the API's document.

A schema is a dictionary, as the OpenAPI document holds it: type, enum, anyOf, minimum, maximum,
minLength, maxLength, minItems, maxItems, items, properties, required, additionalProperties.
"""

from collections.abc import Callable
from typing import Any

from char_rnn.errors import did_you_mean
from char_rnn.serve.errors import Refused

Schema = dict[str, Any]
SHOWN = 60  # characters of a wrong value in a message


def number(least: float, most: float, **more: Any) -> Schema:
    """Return the schema of a number."""
    return {"type": "number", "minimum": least, "maximum": most, **more}


def whole(least: int, most: int, **more: Any) -> Schema:
    """Return the schema of a whole number."""
    return {"type": "integer", "minimum": least, "maximum": most, **more}


def text(most: int, least: int = 0, **more: Any) -> Schema:
    """Return the schema of a text."""
    return {"type": "string", "minLength": least, "maxLength": most, **more}


def array(items: Schema, most: int, least: int = 0, **more: Any) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": items, "minItems": least, "maxItems": most, **more}


def flag(**more: Any) -> Schema:
    """Return the schema of true or false."""
    return {"type": "boolean", **more}


def one_of(*schemas: Schema, **more: Any) -> Schema:
    """Return the schema of what is any of several."""
    return {"anyOf": list(schemas), **more}


def record(properties: dict[str, Schema], required: tuple[str, ...] = ()) -> Schema:
    """Return the schema of an object with these fields and no others; null is not given."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def checked(schema: Schema, value: Any) -> dict[str, Any]:
    """Return the fields of the object `value` that are given; raise Refused, by name, for others.

    A field that is null counts as not given.
    """
    if not isinstance(value, dict):
        raise Refused(f"the body is {_shown(value)}; it must be an object of JSON")
    known: dict[str, Schema] = schema["properties"]
    found = {}
    for name, given in value.items():
        if name not in known:
            raise Refused(
                f"unknown field {_shown(name)}{did_you_mean(name, known)}; "
                f"known: {', '.join(known)}",
                param=name[:SHOWN],
                code="unknown_field",
            )
        if given is not None:
            found[name] = _value(known[name], given, name)
    for name in schema["required"]:
        if name not in found:
            raise Refused(f"the field {name} is missing", param=name, code="missing_field")
    return found


def _value(schema: Schema, value: Any, name: str) -> Any:
    """Return `value` as it is kept."""
    if "refused" in schema.get("x-char-rnn", {}):
        if value == schema["x-char-rnn"].get("unless", object()):
            return value
        raise Refused(
            f"{name} is not supported: {schema['x-char-rnn']['refused']}",
            param=name,
            code="unsupported_field",
        )
    for single in schema.get("anyOf", [schema]):
        if fits(single, value):
            return int(value) if single.get("type") == "integer" else value
    raise Refused(f"{name} is {_shown(value)}; it must be {said(schema)}", param=name)


def fits(schema: Schema, value: Any) -> bool:
    """Tell whether `value` is what `schema` says."""
    if "anyOf" in schema:
        return any(fits(single, value) for single in schema["anyOf"])
    if "enum" in schema:
        return type(value) is str and value in schema["enum"]
    found: bool = _OF_TYPE[schema["type"]](schema, value)
    return found


def _is_number(schema: Schema, value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return bool(schema["minimum"] <= value <= schema["maximum"])


def _is_whole(schema: Schema, value: Any) -> bool:
    # As JSON Schema has it 1.0 is a whole number.
    return _is_number(schema, value) and bool(value == int(value))


def _is_text(schema: Schema, value: Any) -> bool:
    return isinstance(value, str) and schema["minLength"] <= len(value) <= schema["maxLength"]


def _is_array(schema: Schema, value: Any) -> bool:
    if not isinstance(value, list):
        return False
    items = schema["items"]
    return schema["minItems"] <= len(value) <= schema["maxItems"] and all(
        fits(items, item) for item in value
    )


def _is_object(schema: Schema, value: Any) -> bool:
    if not isinstance(value, dict) or len(value) > schema.get("maxProperties", len(value)):
        return False
    known, others = schema.get("properties", {}), schema["additionalProperties"]
    return all(
        fits(known[name], given) if name in known else bool(others) and fits(others, given)
        for name, given in value.items()
    )


_OF_TYPE: dict[str, Any] = {
    "number": _is_number,
    "integer": _is_whole,
    "string": _is_text,
    "array": _is_array,
    "object": _is_object,
    "boolean": lambda _, value: isinstance(value, bool),
    "null": lambda _, value: value is None,
}


def said(schema: Schema) -> str:
    """Return in words what a value may be."""
    if "anyOf" in schema:
        kinds = [single for single in schema["anyOf"] if single.get("type") != "null"]
        return " or ".join(map(said, kinds))
    if "enum" in schema:
        return "one of " + ", ".join(repr(name) for name in schema["enum"])
    return _SAID[schema["type"]](schema)


def _object_said(schema: Schema) -> str:
    fields = schema.get("properties")
    return f"an object of {', '.join(fields)}" if fields else "an object"


_SAID: dict[str, Callable[[Schema], str]] = {
    "boolean": lambda _: "true or false",
    "string": lambda s: f"a text of {s['minLength']:,} to {s['maxLength']:,} characters",
    "array": lambda s: (
        f"a list of {s['minItems']:,} to {s['maxItems']:,} items, each {said(s['items'])}"
    ),
    "object": _object_said,
    "integer": lambda s: f"a whole number from {s['minimum']} to {s['maximum']}",
    "number": lambda s: f"a number from {s['minimum']} to {s['maximum']}",
}


def _shown(value: Any) -> str:
    found = repr(value) if not isinstance(value, str) else repr(value[: SHOWN + 1])
    return found if len(found) <= SHOWN else found[:SHOWN] + "…"
