"""Files hold one idea each, functions fit a screen."""

import ast
from pathlib import Path

MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_FUNCTION = 60


def test_files_are_short(package: Path) -> None:
    """No file of the package is longer than the limit."""
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in package.rglob("*.py")}
    too_long = [
        f"{path.relative_to(package)}: {length} lines"
        for path, length in sorted(lengths.items())
        if length > MOST_LINES_OF_A_FILE
    ]

    assert lengths, f"no Python files under {package}"
    assert not too_long, f"at most {MOST_LINES_OF_A_FILE} lines a file:\n" + "\n".join(too_long)


def code_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring: formulas and references may take their room."""
    last = node.end_lineno or node.lineno
    first = node.body[0]
    if ast.get_docstring(node) is None:
        return last - node.lineno + 1
    return last - node.lineno + 1 - ((first.end_lineno or first.lineno) - first.lineno + 1)


def test_functions_are_short(package: Path) -> None:
    """No function of the package is longer than the limit, its docstring apart."""
    too_long = [
        f"{path.relative_to(package)}:{node.lineno}: {node.name}, {length} lines"
        for path in sorted(package.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := code_lines(node)) > MOST_LINES_OF_A_FUNCTION
    ]

    assert not too_long, f"at most {MOST_LINES_OF_A_FUNCTION} lines each:\n" + "\n".join(too_long)
