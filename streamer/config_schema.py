"""The JSON schema of config.yaml for editors, with the options of every plug-in that ships with the program."""

from __future__ import annotations

from typing import Any

from streamer import plugins
from streamer.config import Config

JsonSchema = dict[str, Any]

SCHEMA_VERSION = "https://json-schema.org/draft/2020-12/schema"
SOMEBODY_ELSES = r"\."
"""A name with a dot in it is a module of somebody else; its options are not known here."""


def schema() -> JsonSchema:
    """Build the schema: sections and keys with their descriptions, defaults and limits."""
    document = Config.model_json_schema()
    definitions: JsonSchema = document["$defs"]
    for seam, (owner, key) in {
        "trigger": (document, "triggers"),
        "rule": (document, "policy"),
        "output": (document, "outputs"),
        "judge": (definitions["GeneratorConfig"], "judges"),
    }.items():
        definitions[f"use.{seam}"] = _use_of(seam, definitions)
        owner["properties"][key]["items"] = {"$ref": f"#/$defs/use.{seam}"}
    generator = definitions["GeneratorConfig"]["properties"]
    generator["use"] |= _names("backend", "auto")
    backends = plugins.names("backend")
    definitions |= {f"backend.{name}": _options("backend", name, definitions) for name in backends}
    generator["backends"] |= {
        "properties": {name: {"$ref": f"#/$defs/backend.{name}"} for name in backends},
        "propertyNames": _names("backend"),
    }
    definitions.pop("Use", None)
    return {"$schema": SCHEMA_VERSION, **document, "title": "config.yaml of streamer"}


def _use_of(seam: str, definitions: JsonSchema) -> JsonSchema:
    """Describe one entry of a list of plug-ins: its ``use`` decides which options it may have."""
    variants = []
    for name in plugins.names(seam):
        options = _options(seam, name, definitions)
        options["properties"] = {"use": {"const": name}, **options.get("properties", {})}
        options["required"] = ["use", *options.get("required", [])]
        definitions[f"{seam}.{name}"] = options
        variants.append({
            "if": {"properties": {"use": {"const": name}}, "required": ["use"]},
            "then": {"$ref": f"#/$defs/{seam}.{name}"},
        })  # fmt: skip
    return {
        "type": "object",
        "properties": {"use": {"description": "name of the plug-in"} | _names(seam)},
        "required": ["use"],
        "allOf": variants,
    }


def _options(seam: str, name: str, definitions: JsonSchema) -> JsonSchema:
    """Return the schema of a plug-in's options; the models inside it become definitions of their own."""
    prefix = f"{seam}.{name}."
    options = plugins.options_of(seam, name).model_json_schema(ref_template=f"#/$defs/{prefix}{{model}}")
    for model, definition in options.pop("$defs", {}).items():
        definitions[prefix + model] = definition
    return options


def _names(seam: str, *more: str) -> JsonSchema:
    old_names = [old for of_seam, old in plugins.RENAMED if of_seam == seam]
    return {
        "anyOf": [{"enum": [*more, *plugins.names(seam), *old_names]}, {"type": "string", "pattern": SOMEBODY_ELSES}]
    }
