"""Makes a component of a task: python -m hotcell task.py --output task.wasm"""

import argparse
import os
import pathlib
import site
import subprocess
import sys
import tempfile

# The module of the component. The task's own module stands behind it, under its own name.
ENTRY = """import {module}
import hotcell.cell

hotcell.cell.begin()


class Handler(hotcell.cell.Handler):
    pass
"""


def make(source: pathlib.Path, output: pathlib.Path) -> None:
    """Makes a component of the module."""
    try:
        import componentize_py  # noqa: F401
    except ImportError:
        raise SystemExit(
            f"hotcell: componentize-py is not installed for {sys.executable}; run: {sys.executable} -m pip install componentize-py"
        ) from None
    sdk = pathlib.Path(__file__).resolve().parent
    output.parent.mkdir(parents=True, exist_ok=True)
    beside = output.with_name(output.name + ".new")
    with tempfile.TemporaryDirectory(prefix="hotcell-task-") as work:
        pathlib.Path(work, "hotcell_component.py").write_text(ENTRY.format(module=source.stem))
        folders = [work, str(source.resolve().parent), str(sdk.parent), *site.getsitepackages()]
        command = [sys.executable, "-c", "import componentize_py; componentize_py.script()", "--quiet"]
        command += ["--wit-path", str(sdk / "wit"), "--world", "task", "componentize", "hotcell_component"]
        command += ["--output", str(beside)]
        for folder in folders:
            command += ["--python-path", folder]
        # Otherwise it asks whatever Python is first on the path for its packages.
        environment = {**os.environ, "VIRTUAL_ENV": sys.prefix} if sys.prefix != sys.base_prefix else None
        if subprocess.run(command, env=environment).returncode != 0:
            beside.unlink(missing_ok=True)
            raise SystemExit(1)
    beside.replace(output)
    print(f"{output}: {output.stat().st_size / (1 << 20):.1f} MiB, from {source}", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m hotcell", description="Makes a hotcell task of a module.")
    parser.add_argument("source", nargs="?", default="task.py", type=pathlib.Path, help="the module (default: %(default)s)")
    parser.add_argument("--output", "-o", default="task.wasm", type=pathlib.Path, help="the component (default: %(default)s)")
    given = parser.parse_args()
    if not given.source.is_file():
        parser.error(f"{given.source}: there is no such file")
    if not given.source.stem.isidentifier() or given.source.stem in ("hotcell", "task_world"):
        parser.error(f"{given.source}: this cannot be the name of a module; rename it, to task.py for example")
    make(given.source, given.output)


main()
