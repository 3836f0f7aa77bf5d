"""Makes what of the client comes out of the document of the API.

    python generate.py openapi.json

`src/energia_client/generated` is what openapi-python-client makes, as it comes: models, and a
function for each operation. `src/energia_client/operations.py` has a method for each of them, whose
answer is the one type that is no error; the methods of lists are iterators over all pages. They ask
for answers as a whole: who keeps answers and asks for new ones (304) calls the functions.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent / "src/energia_client"
GENERATED = PACKAGE / "generated"
HEAD = '''"""The operations of the API, a method each. Made by `generate.py` from the document."""

import datetime
from collections.abc import Iterator
from typing import Any, Literal

from energia_client.connection import Connection
{imports}


class Operations(Connection):
    """The operations of the API."""
'''
ONE = '''
    def {name}(self{parameters}) -> {answer}:
        """{text}"""
        return self._answer({name}.sync_detailed({arguments}).parsed, {kinds})
'''
NONE = '''
    def {name}(self{parameters}) -> None:
        """{text}"""
        self._done({name}.sync_detailed({arguments}))
'''
PAGES = '''
    def {name}(self{parameters}) -> Iterator[{item}]:
        """{text}"""
        return self._items(
            lambda cursor: {name}.sync_detailed({arguments}).parsed, {answer}
        )
'''


def generate(document: Path) -> None:
    """Run openapi-python-client; end where it leaves anything out."""
    with tempfile.TemporaryDirectory() as folder:
        # A project of its own, so that its code is put into the style that it is made for.
        made = Path(folder) / "made"
        paths = ["--path", str(document), "--output-path", str(made)]
        command = [sys.executable, "-m", "openapi_python_client", "generate", *paths]
        # It formats its code with the `ruff` of the path.
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path}
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        said = run.stdout + run.stderr
        if run.returncode or "WARNING" in said.upper():
            raise SystemExit(said)
        shutil.rmtree(GENERATED, ignore_errors=True)
        shutil.copytree(made / "energia_client", GENERATED)


def operations() -> str:
    """Return the source of the operations."""
    imports: set[str] = set()
    methods = []
    for path in sorted(GENERATED.glob("api/*/[!_]*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        method = _method(path.stem, tree)
        if method is not None:
            methods.append(method)
            imports |= set(_imports(tree))
            imports.add(f"from energia_client.generated.api.{path.parent.name} import {path.stem}")
            imports |= _item_import(method)
    return HEAD.format(imports="\n".join(sorted(imports))) + "".join(methods)


def _method(name: str, tree: ast.Module) -> str | None:
    """Return the method of an operation; None for those of files and pages of HTML."""
    (function,) = (
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name == "sync_detailed"
    )
    answers = set(re.split(r" \| ", ast.unparse(function.returns or ast.Constant(None))[9:-1]))
    answers -= {"Problem"}
    # Of 304 there is nothing but "Any": it answers a condition, which a method does not take.
    is_conditional = "response.status_code == 304" in ast.unparse(tree)
    answers -= {"Any"} if is_conditional else set()
    left_out = {"client"} | ({"if_none_match"} if is_conditional else set())
    if not answers or answers & {"str", "File"} or ("Any" in answers and len(answers) > 1):
        return None
    answer = " | ".join(sorted(answers))
    page = answer.endswith("Page")
    stated = dict(zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True))
    turns = page and any(argument.arg == "cursor" for argument in stated)
    keywords = {
        argument: "" if default is None else f" = {ast.unparse(default)}"
        for argument, default in stated.items()
        if argument.arg not in left_out and not (turns and argument.arg == "cursor")
    }
    parts = [ast.unparse(argument) for argument in function.args.args]
    parts += ["*"] if keywords else []
    parts += [ast.unparse(argument) + default for argument, default in keywords.items()]
    passed = [argument.arg for argument in function.args.args] + ["client=self._client"]
    passed += [f"{argument.arg}={argument.arg}" for argument in keywords]
    passed += ["cursor=cursor"] if turns else []
    shape = NONE if answer == "Any" else PAGES if page else ONE
    return shape.format(
        name=name,
        parameters="".join(f", {part}" for part in parts),
        arguments=", ".join(passed),
        answer=answer,
        kinds=answer.replace(" | ", ", "),
        item=_item(answer) if page else "",
        text=_text(function),
    )


def _text(function: ast.FunctionDef) -> str:
    """Return what the document says of an operation."""
    said = (ast.get_docstring(function) or "").partition("\n\nArgs:")[0].partition("\n\nRaises:")[0]
    lines = [line.strip() for line in said.replace('"""', "'''").replace("\\", "\\\\").splitlines()]
    return "\n        ".join(lines).rstrip().replace("\n        \n", "\n\n")


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.level == 3 and node.module:
            names = [name.name for name in node.names]
            if node.module.startswith(("models", "types")):
                yield f"from energia_client.generated.{node.module} import {', '.join(names)}"


def _item(page: str) -> str:
    """Return what the items of a page are."""
    path = GENERATED / "models" / f"{re.sub(r'(?<!^)(?=[A-Z])', '_', page).lower()}.py"
    (item,) = re.findall(
        r"^    items: list\[(.+)\]$", path.read_text(encoding="utf-8"), re.MULTILINE
    )
    return str(item)


def _item_import(method: str) -> set[str]:
    found = re.search(r"Iterator\[([\w |]+)\]", method)
    names = found[1].split(" | ") if found else []
    return {f"from energia_client.generated.models import {name}" for name in names}


def main() -> None:
    """Make the client from the document that is named."""
    generate(Path(sys.argv[1]))
    target = PACKAGE / "operations.py"
    target.write_text(operations(), encoding="utf-8")
    ruff = [sys.executable, "-m", "ruff"]
    for command in (["check", "--select", "F401,I", "--fix", "--quiet"], ["format", "--quiet"]):
        subprocess.run([*ruff, *command, "--isolated", str(target)], check=True)


if __name__ == "__main__":
    main()
