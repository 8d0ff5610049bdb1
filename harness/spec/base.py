"""The base of every spec and the scalar types that scenario files are checked against.

TOML says exactly what a number is, so scalars are strict: ``true`` is not ``1`` and ``"0.1"`` is
not ``0.1``. A whole number is accepted where a real one is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Strict,
)
from pydantic_core import CoreSchema, core_schema


@dataclass(frozen=True, slots=True)
class Rule:
    """What a value must do, in words, where its type and range don't say it well.

    Attributes:
        text: To follow "must": ``be written package.module:function``.
    """

    text: str


class Spec(BaseModel):
    """One frozen table of a scenario file; unknown keys are refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        ser_json_inf_nan="constants",
        validate_default=False,
    )


@dataclass(frozen=True, slots=True)
class NamedByKind:
    """Lets a bare name stand for the table that has nothing but that kind."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Turn the name into a table before the union looks for its kind."""
        return core_schema.no_info_before_validator_function(_kind_from_name, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Offer the names of the kinds that need no other key, beside the tables."""
        table = handler(schema)
        names = [
            kind
            for kind, reference in table["discriminator"]["mapping"].items()
            if not set(handler.resolve_ref_schema({"$ref": reference}).get("required", ()))
            - {"kind"}
        ]
        return {"anyOf": [{"type": "string", "enum": sorted(names)}, table]}


def _kind_from_name(value: Any) -> Any:
    return {"kind": value} if isinstance(value, str) else value


def _plain(value: Any) -> Any:
    """Tables, lists, text, numbers and flags; what JSON cannot carry is refused."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, str | int | float):
        return value
    message = f"hold text, numbers, flags, lists and tables only, not {value}"
    raise ValueError(message)


Integer = Annotated[int, Strict()]
Real = Annotated[float, Strict()]
Flag = Annotated[bool, Strict()]
Text = Annotated[str, Strict()]

Count = Annotated[int, Strict(), Field(ge=0)]
PositiveCount = Annotated[int, Strict(), Field(ge=1)]
Finite = Annotated[float, Strict(), Field(allow_inf_nan=False)]
NonNegative = Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Strict(), Field(gt=0, allow_inf_nan=False)]
Fraction = Annotated[float, Strict(), Field(ge=0, lt=1, allow_inf_nan=False)]
AtLeastTwo = Annotated[int, Strict(), Field(ge=2)]
UnitInterval = Annotated[float, Strict(), Field(ge=0, le=1, allow_inf_nan=False)]

Named = NamedByKind()
PlainTable = Annotated[dict[str, Any], AfterValidator(_plain)]

ImportPath = Annotated[
    str,
    Strict(),
    Field(
        pattern=r"^[A-Za-z_][\w]*(\.[A-Za-z_][\w]*)*:[A-Za-z_][\w]*(\.[A-Za-z_][\w]*)*$",
        description="package.module:function",
    ),
    Rule("be written package.module:function"),
]


class ImportSpec(Spec):
    """Something of the user's own, as ``package.module:function``.

    Attributes:
        import_: Where the function lives; written ``import`` in the file.
        arguments: Keyword arguments it is called with.
    """

    import_: ImportPath = Field(alias="import")
    arguments: PlainTable = Field(default_factory=dict)
