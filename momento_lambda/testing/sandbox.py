"""The folders that a function's process sees.

| on Lambda      | here                                                              |
|----------------|-------------------------------------------------------------------|
| `/var/task`    | the task root itself                                              |
| `/opt`         | the layers laid over one another, a later one over an earlier one |
| `/var/runtime` | the runtime client's packages, and boto3                          |
| `/tmp`         | an empty folder, as `TMPDIR`                                      |
"""

import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

from momento_lambda.testing.errors import LocalLambdaError
from momento_lambda.testing.runtime_packages import RuntimePackages


class Sandbox:
    """The folders of one execution environment.

    Args:
        root: An empty folder to make them in.
        packages: What goes into the runtime folder.
        task_root: The function's folder.
        layers: Zip archives, or folders that they were unpacked into, in the order in which Lambda would unpack them.

    Raises:
        LocalLambdaError: A layer is neither.
    """

    def __init__(self, root: Path, packages: RuntimePackages, *, task_root: Path, layers: Sequence[Path]) -> None:
        self.python_version = packages.python_version
        self.task_root = task_root.absolute()
        self.runtime = root / "runtime"
        self.opt = root / "opt"
        self.tmp = root / "tmp"
        self.log = root / "log"
        self.clock = root / "clock"
        for folder in (self.runtime, self.opt, self.tmp):
            folder.mkdir()
        for path, installed in packages.entries.items():
            link = self.runtime / path
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(installed)
        for number, layer in enumerate(layers):
            unpacked = layer if layer.is_dir() else _unpack(layer, root / f"layer-{number}")
            shutil.copytree(unpacked.absolute(), self.opt, copy_function=_overlay, dirs_exist_ok=True)

    @property
    def python_path(self) -> tuple[Path, ...]:
        """What follows the task root on ``sys.path``, in Lambda's order."""
        python = self.opt / "python"
        return python / "lib" / f"python{self.python_version}" / "site-packages", python, self.runtime


def _unpack(archive: Path, folder: Path) -> Path:
    try:
        with zipfile.ZipFile(archive) as layer:
            for member in layer.infolist():
                extracted = Path(layer.extract(member, folder))
                # A zip that was made on another system has no mode.
                if mode := member.external_attr >> 16 & 0o777:
                    extracted.chmod(mode | 0o600)
    except (OSError, zipfile.BadZipFile) as error:
        raise LocalLambdaError(f"the layer {archive} is neither a folder nor a zip archive: {error}") from error
    return folder


def _overlay(source: str, target: str) -> None:
    Path(target).unlink(missing_ok=True)
    Path(target).symlink_to(source)
