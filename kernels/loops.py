"""Instructions of the hottest loop of each signature kernel, a cell: what ptxas made of it, by pipe.

    cuobjdump -sass FILE.cubin > listing; python kernels/loops.py listing

cuobjdump comes with the CUDA toolkit, and with the package triton of PyPI. The hottest loop is the innermost one with
the most floating-point operations among those that shuffle; its steps are counted by the shuffles of k and e.
"""

import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
PIPES = (
    ("fp", r"[FD](FMA|ADD|MUL)\b"),
    ("shared", r"(LDS|STS)\b"),
    ("global", r"(LDG|STG|LD|ST)\b"),
    ("spilled", r"(LDL|STL)\b"),
    ("shuffle", r"SHFL\b"),
)


def shapes():
    """{kernel: (numbers a shuffle, channels, rows, columns)} of the lists of kernels that go forward."""
    pattern = r"(?:FORWARD|TENSOR)\((\w+), (\w+), (\d+), (\d+), (\d+)"
    lists = [(HERE / f"sigkernel_{name}.list").read_text() for name in ("forward", "tensor")]
    found = re.findall(pattern, "".join(lists))
    return {name: (2 if kind == "double" else 1, int(d), int(r), 1 << int(s)) for name, kind, d, r, s in found}


def functions(listing):
    """{kernel: [(address, instruction, operands, guarded)]}."""
    found, name = {}, None
    for line in listing.splitlines():
        if match := re.search(r"Function : (\w+)", line):
            name = match[1]
            found[name] = []
        elif match := re.match(r"\s+/\*([0-9a-f]{4,})\*/\s+(@!?U?P\w+\s+)?([A-Z0-9_.]+)([^;]*);", line):
            found[name].append((int(match[1], 16), match[3], match[4], bool(match[2])))
    return found


def innermost(code):
    """Loops (first address, last address) without another loop inside: guarded jumps back."""
    loops = []
    for address, name, operands, guarded in code:
        target = re.search(r"0x([0-9a-f]+)", operands)
        if name == "BRA" and guarded and target and int(target[1], 16) < address:
            loops.append((int(target[1], 16), address))
    return [a for a in loops if not any(b != a and a[0] <= b[0] and b[1] <= a[1] for b in loops)]


def count(code, loop):
    counts = {}
    for address, name, _, _ in code:
        if loop[0] <= address <= loop[1]:
            pipe = next((pipe for pipe, pattern in PIPES if re.match(pattern, name)), "other")
            counts[pipe] = counts.get(pipe, 0) + 1
    return counts


def main():
    print("| kernel | steps | fp a cell | all a cell | shuffles | shared | global | spilled |")
    print("| --- |" + " ---: |" * 7)
    known = shapes()
    for name, code in functions(pathlib.Path(sys.argv[1]).read_text()).items():
        loops = [counts for loop in innermost(code) if (counts := count(code, loop)).get("shuffle")]
        if name not in known or not loops:
            continue
        words, _, rows, columns = known[name]
        best = max(loops, key=lambda counts: counts.get("fp", 0))
        steps = best["shuffle"] / (2 * words * columns)
        cells = steps * rows * columns
        rest = " | ".join(str(best.get(pipe, 0)) for pipe in ("shuffle", "shared", "global", "spilled"))
        print(f"| `{name}` | {steps:g} | {best.get('fp', 0) / cells:.2f} | {sum(best.values()) / cells:.2f} | {rest} |")


if __name__ == "__main__":
    main()
