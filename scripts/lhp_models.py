"""Prints the models of an installed lhp as JSON: the type of each field of its YAML files.

Run it with the Python of a venv that has lhp, or with the folder of an lhp package as argument.
src/scan/models.ts explains how types are written. A type that cannot be written ends the program
with an error, so that no field is omitted.
"""

import enum
import json
import sys
import types
import typing

if len(sys.argv) > 1:
    sys.path.insert(0, sys.argv[1])

import annotated_types
from pydantic import BaseModel

try:
    from lhp.models import FlowGroup  # noqa: F401 (before 0.9 this package is empty)
    import lhp.models as models
except ImportError:
    import lhp.models.config as models

#: What a file of a project is read as; the other models are reached from these.
ROOTS = ["ProjectConfig", "FlowGroup", "Template", "Preset", "Blueprint", "BlueprintInstance"]
SCALARS = {str: "str", int: "int", bool: "bool", type(None): "null", typing.Any: "any"}


def written(annotation, limits=()):
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return "|".join(written(argument, limits) for argument in arguments)
    if annotation in SCALARS:
        return SCALARS[annotation] + (bounds(limits) if annotation is int else "")
    if origin is list:
        return "[%s]" % written(arguments[0])
    if origin is dict and arguments[0] is str:
        return "{%s}" % written(arguments[1])
    if origin is typing.Literal:
        return "=" + ",".join(arguments)
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return "=" + ",".join(member.value for member in annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        describe(annotation)
        return annotation.__name__
    raise TypeError("no way to write the type %r" % (annotation,))


def bounds(limits):
    least = greatest = ""
    for limit in limits:
        if isinstance(limit, annotated_types.Ge):
            least = limit.ge
        elif isinstance(limit, annotated_types.Le):
            greatest = limit.le
        else:
            raise TypeError("no way to write the limit %r" % (limit,))
    return "(%s..%s)" % (least, greatest) if limits else ""


def describe(model):
    if model.__name__ in described:
        return
    fields = described[model.__name__] = {}
    for name, field in model.model_fields.items():
        needed = "!" if field.is_required() else ""
        fields[field.alias or name] = written(field.annotation, field.metadata) + needed
    # What a model checks beyond types has no effect here but must not change unseen.
    decorators = model.__pydantic_decorators__
    for kind in ("validators", "field_validators", "root_validators", "model_validators"):
        for name in getattr(decorators, kind):
            fields["@" + name] = kind
    if model.model_config.get("extra", "ignore") != "ignore":
        fields["@extra"] = model.model_config["extra"]


described = {}
for root in ROOTS:
    if hasattr(models, root):
        describe(getattr(models, root))
json.dump(described, sys.stdout)
