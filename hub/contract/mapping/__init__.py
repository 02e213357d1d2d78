"""The mapping language: what a channel's words mean, as data (mappings/README.md is its manual).

A file is read into a tree of texts with their places (document, extends), its expressions are parsed
(lexer, parser, syntax) and checked against the canon (targets, check, build), which gives a plan. The plan
runs as one generated function (generate, with phrases, paths and shortcuts) over a payload type made of the
paths that it names (payload), or step by step where a place or a source has to be told (interpret, walk);
engine chooses. What a step means stands in steps, and nowhere else.
"""

from hub.contract.mapping.compile import compile_expression, compile_mapping
from hub.contract.mapping.expression import Expression
from hub.contract.mapping.interpret import Trace
from hub.contract.mapping.mapping import Mapping
from hub.contract.mapping.readers import Shelf, apply, shelf
from hub.contract.mapping.steps.tables import Unknown
from hub.contract.mapping.trial import Case, Failure, run_tests

__all__ = [
    "Case",
    "Expression",
    "Failure",
    "Mapping",
    "Shelf",
    "Trace",
    "Unknown",
    "apply",
    "compile_expression",
    "compile_mapping",
    "run_tests",
    "shelf",
]
