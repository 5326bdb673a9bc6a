"""Templates as CloudFormation sees them: translated by SAM's own translator, decided for one choice of parameters."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias, final

import boto3  # type: ignore[import-untyped]  # it has no types
from samtranslator.parser.parser import Parser  # type: ignore[import-untyped]  # nor has this
from samtranslator.translator.translator import Translator  # type: ignore[import-untyped]  # nor has this
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]  # nor has this

from tests.sam.aws import REGION

Template: TypeAlias = dict[str, Any]

_LAYER: Final = re.compile(r"  (MomentoLayer\w+):")
_GIVEN: Final = re.compile(r"!Ref (MomentoLayer\w+),")
_NOTHING: Final = object()
_CODE: Final = ("CodeUri", "ContentUri")


def read(text: str) -> Template:
    """Return the template that YAML spells."""
    template: Template = yaml_parse(text)
    return template


def keep_layers(text: str, names: Iterable[str]) -> str:
    """Return a template with these layers alone, as its own remark on them suggests."""
    kept = set(names)
    blocks = [block for block in text.split("\n\n") if not (layer := _LAYER.match(block)) or layer[1] in kept]
    lines = "\n\n".join(blocks).splitlines(keepends=True)
    return "".join(line for line in lines if not (given := _GIVEN.search(line)) or given[1] in kept)


def without_code(template: Template) -> Template:
    """Return a template whose code lies in a bucket, as after `sam package`, but for the code itself."""
    resources = {
        name: resource
        | {
            "Properties": {
                key: "s3://bucket/key" if key in _CODE else value for key, value in resource["Properties"].items()
            }
        }
        for name, resource in template["Resources"].items()
    }
    return template | {"Resources": resources}


def translate(template: Template, **parameters: str) -> Template:
    """Return what the transform of SAM makes of a template."""
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=REGION))
    translated: Template = translator.translate(template, parameters)
    return translated


def decide(template: Template, **parameters: str) -> Template:
    """Return a translated template for one choice of parameters, with nothing conditional left in it.

    Args:
        template: The template.
        parameters: Those that are not to have their defaults.
    """
    return _Decision(template, parameters).template()


@final
class _Decision:
    def __init__(self, template: Template, parameters: Mapping[str, str]) -> None:
        self._template = template
        self._values = {
            name: _value(parameter, parameters.get(name, parameter.get("Default")))
            for name, parameter in template["Parameters"].items()
        }

    def template(self) -> Template:
        decided = {name: self._resolved(part) for name, part in self._template.items() if name != "Conditions"}
        decided["Resources"] = {
            name: {key: part for key, part in resource.items() if key != "Condition"}
            for name, resource in decided["Resources"].items()
            if "Condition" not in resource or self._holds({"Condition": resource["Condition"]})
        }
        return decided

    def _holds(self, condition: Mapping[str, Any]) -> bool:
        match condition:
            case {"Condition": str(name)}:
                return self._holds(self._template["Conditions"][name])
            case {"Fn::Equals": [left, right]}:
                return bool(self._resolved(left) == self._resolved(right))
            case {"Fn::Not": [negated]}:
                return not self._holds(negated)
            case {"Fn::And": conditions}:
                return all(map(self._holds, conditions))
            case _:
                raise NotImplementedError(condition)

    def _resolved(self, part: Any) -> Any:
        match part:
            case {"Ref": "AWS::NoValue"}:
                resolved = _NOTHING
            case {"Ref": str(name)} if name in self._values:
                resolved = self._values[name]
            case {"Fn::If": [str(name), chosen, other]}:
                resolved = self._resolved(chosen if self._holds({"Condition": name}) else other)
            case {"Fn::Join": ["", {"Ref": str(name)}]}:
                resolved = "".join(self._values[name])
            case dict():
                values = {name: self._resolved(inner) for name, inner in part.items()}
                resolved = {name: inner for name, inner in values.items() if inner is not _NOTHING}
            case list():
                resolved = [inner for inner in map(self._resolved, part) if inner is not _NOTHING]
            case _:
                resolved = part
        return resolved


def _value(parameter: Mapping[str, Any], value: Any) -> Any:
    if parameter["Type"] != "CommaDelimitedList":
        return value
    return value.split(",") if value else []
