"""Builds the Rust library with cargo and puts it into the wheel; everything else is in pyproject.toml.

GOURSAT_WHEEL_TARGET, such as ``x86_64-unknown-linux-gnu.2.17``, makes a wheel for every Linux with that glibc or a
later one, by cargo-zigbuild; ``make wheel`` sets it. Without it the wheel is for machines like this one.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

HERE = Path(__file__).resolve().parent
# A source distribution carries the Rust package along.
ROOT = HERE / "rust" if (HERE / "rust").exists() else HERE.parents[1]
WHEEL_TARGET = os.environ.get("GOURSAT_WHEEL_TARGET", "")
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).absolute()


def version():
    manifest = ROOT / "Cargo.toml"
    if not manifest.exists():
        sys.exit(f"{manifest} is missing: install a wheel, a source distribution or a checkout, with pip 21.3 or later")
    package = manifest.read_text().partition("[package]")[2]
    return re.search(r'^version\s*=\s*"([^"]+)"', package, re.MULTILINE).group(1)


def cargo(*arguments, **environment):
    """Return the lines that cargo prints."""
    program = os.environ.get("CARGO") or shutil.which("cargo") or shutil.which(Path.home() / ".cargo/bin/cargo")
    if program is None:
        sys.exit("cargo was not found: Goursat is built from Rust; install it from https://rustup.rs")
    environment = {**os.environ, **environment}
    ran = subprocess.run([program, *arguments], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    if ran.returncode != 0:
        sys.exit(f"cargo {arguments[0]} failed with status {ran.returncode}")
    return ran.stdout.splitlines()


def build_library():
    """Return the path of the shared library."""
    arguments = ["--release", "--lib", "--locked", "--message-format=json-render-diagnostics"]
    if WHEEL_TARGET:  # without debug information, which is three quarters of the library
        built = cargo("zigbuild", "--target", WHEEL_TARGET, *arguments, CARGO_PROFILE_RELEASE_STRIP="debuginfo")
    else:
        built = cargo("build", *arguments)
    artifacts = (json.loads(line) for line in built)
    for artifact in artifacts:
        if artifact.get("target", {}).get("name") == "goursat":
            for file in artifact.get("filenames", ()):
                if file.endswith((".so", ".dylib", ".dll")):
                    return Path(file)
    sys.exit("cargo built no shared library")


def manylinux(target):
    """Return the tag of wheels for a target with a version of glibc, with the older name that old pips know."""
    parts = re.fullmatch(r"(\w+)-unknown-linux-gnu\.2\.(\d+)", target)
    if parts is None:
        sys.exit(f"GOURSAT_WHEEL_TARGET is {target!r}; expected something like x86_64-unknown-linux-gnu.2.17")
    machine, minor = parts.groups()
    older = f".manylinux2014_{machine}" if minor == "17" else ""
    return f"manylinux_2_{minor}_{machine}{older}"


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


class WithLibrary(Distribution):
    """What is for one platform is not installed among what is for all."""

    def has_ext_modules(self):
        return True


class PlatformWheel(bdist_wheel):
    """py3-none-PLATFORM: the library is for one platform and for every Python."""

    def get_tag(self):
        return "py3", "none", manylinux(WHEEL_TARGET) if WHEEL_TARGET else super().get_tag()[2]


class SourcesToo(sdist):
    """The Python package with the Rust package beside it, as ``rust``."""

    def make_release_tree(self, base_dir, files):
        super().make_release_tree(base_dir, files)
        for file in cargo("package", "--list", "--allow-dirty"):
            # Cargo lists what it makes as well. The tests' vectors are ten times all else.
            if (ROOT / file).is_file() and not file.startswith("tests/"):
                copy = Path(base_dir, "rust", file)
                self.mkpath(str(copy.parent))
                shutil.copy2(ROOT / file, copy)


(TARGET / "python").mkdir(parents=True, exist_ok=True)
setup(
    version=version(),
    distclass=WithLibrary,
    cmdclass={"build_py": BuildPackage, "bdist_wheel": PlatformWheel, "sdist": SourcesToo},
    # Nothing is built inside the source tree.
    options={"build": {"build_base": str(TARGET / "python")}, "egg_info": {"egg_base": str(TARGET / "python")}},
)
