"""Builds the Rust library with cargo and puts it into the wheel; everything else is in pyproject.toml."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).absolute()


def version():
    manifest = ROOT / "Cargo.toml"
    if not manifest.exists():
        sys.exit(f"{manifest} is missing: install in a checkout of the repository, with pip 21.3 or later")
    package = manifest.read_text().partition("[package]")[2]
    return re.search(r'^version\s*=\s*"([^"]+)"', package, re.MULTILINE).group(1)


def build_library():
    """Return the path of the shared library."""
    cargo = os.environ.get("CARGO") or shutil.which("cargo") or shutil.which(Path.home() / ".cargo/bin/cargo")
    if cargo is None:
        sys.exit("cargo was not found: Goursat is built from Rust; install it from https://rustup.rs")
    command = [cargo, "build", "--release", "--lib", "--locked", "--message-format=json-render-diagnostics"]
    built = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if built.returncode != 0:
        sys.exit(f"cargo build failed with status {built.returncode}")
    artifacts = (json.loads(line) for line in built.stdout.splitlines())
    for artifact in artifacts:
        if artifact.get("target", {}).get("name") == "goursat":
            for file in artifact.get("filenames", ()):
                if file.endswith((".so", ".dylib", ".dll")):
                    return Path(file)
    sys.exit("cargo built no shared library")


class BuildPackage(build_py):
    """Puts the library beside the modules. An editable install uses the one in target/release."""

    def run(self):
        library = build_library()
        if not self.editable_mode:
            package = Path(self.build_lib) / "goursat"
            shutil.rmtree(package, ignore_errors=True)  # what an earlier build left must not get into the wheel
            self.mkpath(str(package))
            shutil.copy2(library, package)
            for licence in ROOT.glob("LICENSE*"):
                shutil.copy2(licence, package)
        super().run()


class PlatformWheel(bdist_wheel):
    """py3-none-PLATFORM: the library is for one platform and for every Python."""

    def finalize_options(self):
        super().finalize_options()
        self.root_is_pure = False

    def get_tag(self):
        return "py3", "none", super().get_tag()[2]


(TARGET / "python").mkdir(parents=True, exist_ok=True)
setup(
    version=version(),
    cmdclass={"build_py": BuildPackage, "bdist_wheel": PlatformWheel},
    # Nothing is built inside the source tree.
    options={"build": {"build_base": str(TARGET / "python")}, "egg_info": {"egg_base": str(TARGET / "python")}},
)
