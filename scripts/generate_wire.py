"""Generate the protocol modules from the .proto files, or check that they are what would be generated.

The compiler is old on purpose: its modules load on the whole range of protobuf that the library accepts.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WIRE = ROOT / "momento_lambda" / "wire"
COMPILER = ROOT / "build" / "wire-tools" / "bin" / "python"


def generate(output: Path) -> list[Path]:
    """Compile every .proto file into `output` and return the paths made, relative to it."""
    sources = sorted(path.relative_to(ROOT) for path in WIRE.glob("*.proto"))
    if not COMPILER.exists():
        sys.exit("the protocol compiler is not installed; run: make wire")
    options = ["-I.", f"--python_out={output}", f"--pyi_out={output}"]
    command = [str(COMPILER), "-m", "grpc_tools.protoc", *options, *map(str, sources)]
    subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603  # a fixed command on our own files
    return [source.with_name(f"{source.stem}_pb2{suffix}") for source in sources for suffix in (".py", ".pyi")]


def main() -> int:
    """Write the modules, or with --check name those that are not what the .proto files say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a module differs")
    check = parser.parse_args().check
    with tempfile.TemporaryDirectory() as folder:
        made = {path: (Path(folder) / path).read_bytes() for path in generate(Path(folder))}
    present = {path.relative_to(ROOT) for pattern in ("*_pb2.py", "*_pb2.pyi") for path in WIRE.glob(pattern)}
    abandoned = sorted(present - made.keys())
    changed = [path for path, content in made.items() if path not in present or (ROOT / path).read_bytes() != content]
    if check:
        for path in abandoned + changed:
            print(f"{path} is not what its .proto file generates; run: make wire", file=sys.stderr)
        return 1 if abandoned or changed else 0
    for path in abandoned:
        (ROOT / path).unlink()
    for path in changed:
        (ROOT / path).write_bytes(made[path])
    print(f"{len(made)} files generated, {len(changed)} changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
