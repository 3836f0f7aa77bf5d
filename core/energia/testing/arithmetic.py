"""The value of an expression as steps show it: `15.50 x 1/31`."""

import ast
import operator
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Final

_ARITHMETIC: Final = re.compile(r"[\d\s.+\-*/()x×]+")  # noqa: RUF001 - the sign
_OPERATORS: Final[Mapping[type[ast.operator], Callable[[Fraction, Fraction], Fraction]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_LONGEST: Final = 2000


def value_of(expression: str) -> Fraction | None:
    """Return the value of an expression; None where it is more than arithmetic."""
    if len(expression) > _LONGEST or not _ARITHMETIC.fullmatch(expression):
        return None
    text = re.sub(r"[x×]", "*", expression)  # noqa: RUF001 - the sign
    try:
        return _value(ast.parse(text.strip(), mode="eval").body, text.strip())
    except (SyntaxError, ZeroDivisionError, ValueError):
        return None


def _value(node: ast.expr, text: str) -> Fraction:
    if isinstance(node, ast.Constant):
        return Fraction(str(ast.get_source_segment(text, node)))
    if isinstance(node, ast.UnaryOp):
        value = _value(node.operand, text)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        left, right = _value(node.left, text), _value(node.right, text)
        return _OPERATORS[type(node.op)](left, right)
    raise ValueError(text)
