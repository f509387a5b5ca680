"""Makes kernels/*.ptx from kernels/*.cu by NVRTC, and kernels/STATIC.md, what ptxas says of them.

    python kernels/generate.py            write both anew
    python kernels/generate.py --check    fail if what is committed is not what the sources give

Needs no GPU, no driver and no toolkit, only the packages of kernels/requirements.txt in the environment.
"""

import argparse
import concurrent.futures
import ctypes
import os
import pathlib
import re
import subprocess
import sys
import sysconfig
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TARGET, TARGETS = "compute_75", {"sigkernel_tensor": "compute_80"}
ARCHITECTURES = ("sm_75", "sm_80", "sm_86", "sm_89", "sm_90", "sm_100", "sm_120")
# The order of operations is ours: no contraction; fma is written where it is meant.
OPTIONS = ("--std=c++17", "--fmad=false", "--device-as-default-execution-space")
# Of a thread's spilled bytes, above which a kernel is not fit to be shipped; those for any degree keep their state in
# memory anyway.
MOST_SPILLED = 96
SPILLING = ("signature_f32_any", "signature_f64_any", "signature_back_f32_any", "signature_back_f64_any")


def package(*parts):
    """A file of one of the nvidia packages of this environment."""
    for kind in ("purelib", "platlib"):
        path = pathlib.Path(sysconfig.get_path(kind), "nvidia", *parts)
        if path.exists():
            return path
    sys.exit(f"no {'/'.join(parts)} here: pip install -r kernels/requirements.txt")


def flatten(path, seen):
    """The source with its includes in their places: NVRTC gets one string. Lists are included as often as asked."""
    text = []
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        match = re.match(r'\s*#include "(.+)"', line)
        inner = match and path.parent / match[1]
        if not match:
            text.append(line)
        elif inner.suffix == ".list" or inner not in seen:
            seen.add(inner)
            text.append(flatten(inner, seen))
    return "".join(text).replace("#pragma once", "")


class Nvrtc:
    """The run-time compiler, by its C interface."""

    def __init__(self):
        self.library = ctypes.CDLL(str(package("cuda_nvrtc", "lib", "libnvrtc.so.12")))
        self.library.nvrtcGetErrorString.restype = ctypes.c_char_p

    def call(self, name, *args):
        status = getattr(self.library, name)(*args)
        return status and self.library.nvrtcGetErrorString(status).decode()

    def text(self, program, kind):
        size = ctypes.c_size_t()
        self.call(f"nvrtcGet{kind}Size", program, ctypes.byref(size))
        buffer = ctypes.create_string_buffer(size.value)
        self.call(f"nvrtcGet{kind}", program, buffer)
        return buffer.value.decode()

    def compile(self, path):
        program = ctypes.c_void_p()
        source = flatten(path, set()).encode()
        self.call("nvrtcCreateProgram", ctypes.byref(program), source, path.name.encode(), 0, None, None)
        options = (*OPTIONS, f"--gpu-architecture={TARGETS.get(path.stem, TARGET)}")
        given = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
        failed = self.call("nvrtcCompileProgram", program, len(options), given)
        if failed:
            sys.exit(f"{path.name}: {failed}\n{self.text(program, 'ProgramLog')}")
        return tidy(self.text(program, "PTX"))


def tidy(ptx):
    """Without comments and blank lines, which are a third of it."""
    lines = (re.sub(r"\s*//.*", "", line).rstrip() for line in ptx.splitlines())
    return "\n".join(line for line in lines if line) + "\n"


def compile_one(name):
    return name, Nvrtc().compile(HERE / name)


def assemble(ptx, architecture):
    """What ptxas says of every kernel: {kernel: (registers, spilled bytes)}."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out.cubin")
        command = [package("cu13", "bin", "ptxas"), f"-arch={architecture}", "-v", str(ptx), "-o", out]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"ptxas -arch={architecture} {ptx.name}:\n{done.stderr}")
    kernels, name, spilled = {}, None, 0
    for line in done.stderr.splitlines():
        if match := re.search(r"Compiling entry function '(\w+)'", line):
            name = match[1]
        elif match := re.search(r"(\d+) bytes spill stores", line):
            spilled = int(match[1])
        elif match := re.search(r"Used (\d+) registers", line):
            kernels[name] = (int(match[1]), spilled)
    return kernels


def alone(text):
    """The text of each kernel as src/cuda/modules.rs gives it to the driver: {kernel: PTX}."""
    entry = ".visible .entry "
    head, *parts = text.split(entry)
    kept = "".join(line for line in head.splitlines(keepends=True) if not line.startswith(".global"))
    return {part[: part.index("(")]: kept + entry + part for part in parts}


def check_alone(kernel, text):
    """That a kernel's own text is enough for the assembler."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, f"{kernel}.ptx")
        path.write_text(text)
        target = re.search(r"\.target (\w+)", text)[1]
        command = [package("cu13", "bin", "ptxas"), f"-arch={target}", "-O0", str(path), "-o", os.path.join(folder, "out.cubin")]
        done = subprocess.run(command, capture_output=True, text=True)
    return f"{kernel} alone: {done.stderr}" if done.returncode else ""


def resident_warps(registers):
    """Of 65536 registers, given to warps in portions of 8 a thread; 64 warps at most."""
    return min(64, 65536 // (32 * -(-registers // 8) * 8))


def static_table(results):
    """The table of registers, and bytes spilled where there are any, in Markdown."""
    lines = [
        "# What ptxas says of the kernels",
        "",
        "Registers a thread, and bytes that a thread spills where it does, by `kernels/generate.py` (ptxas 13.0.88); warps are",
        "those of a multiprocessor of sm_90 that the registers leave room for. Nothing here was measured on a GPU.",
        "",
        f"| kernel | {' | '.join(ARCHITECTURES)} | warps |",
        "| --- |" + " ---: |" * (len(ARCHITECTURES) + 1),
    ]
    for kernel in sorted(results["sm_90"]):
        cells = []
        for architecture in ARCHITECTURES:
            registers, spilled = results[architecture].get(kernel, ("", 0))
            cells.append(f"{registers}, spills {spilled}" if spilled else str(registers))
        cells.append(str(resident_warps(results["sm_90"][kernel][0])))
        lines.append(f"| `{kernel}` | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def static_report(pool, ptx):
    jobs = [
        (architecture, pool.submit(assemble, path, architecture))
        for architecture in ARCHITECTURES
        for path in ptx
        if int(architecture[3:]) >= int(TARGETS.get(path.stem, TARGET)[8:])
    ]
    results = {architecture: {} for architecture in ARCHITECTURES}
    for architecture, job in jobs:
        results[architecture].update(job.result())
    spilling = [
        f"{kernel} spills {spilled} bytes on {architecture}, more than {MOST_SPILLED}: give it fewer rows"
        for architecture, kernels in results.items()
        for kernel, (_, spilled) in kernels.items()
        if spilled > MOST_SPILLED and kernel not in SPILLING
    ]
    if spilling:
        sys.exit("\n".join(spilling))
    return static_table(results)


def settle(path, text, check):
    """Writes a file, or says whether it is what it should be."""
    if not check:
        path.write_text(text)
        return True
    fresh = path.exists() and path.read_text() == text
    print(f"{path.name}: {'fresh' if fresh else 'STALE, run python kernels/generate.py'}")
    return fresh


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, fail if something is stale")
    check = parser.parse_args().check
    names = sorted(path.name for path in HERE.glob("*.cu"))
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        compiled = dict(pool.map(compile_one, names))
    fresh = [settle((HERE / name).with_suffix(".ptx"), text, check) for name, text in compiled.items()]
    if not all(fresh):
        sys.exit(1)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(check_alone, *item) for text in compiled.values() for item in alone(text).items()]
        wrong = [job.result() for job in jobs if job.result()]
        if wrong:
            sys.exit("\n".join(wrong))
        report = static_report(pool, [(HERE / name).with_suffix(".ptx") for name in names])
    if not settle(HERE / "STATIC.md", report, check):
        sys.exit(1)


if __name__ == "__main__":
    main()
