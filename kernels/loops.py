"""Instructions of the hottest loops of each signature kernel, a cell: what ptxas made of them, by pipe.

    ptxas -arch=sm_90 FILE.ptx -o FILE.cubin; cuobjdump -sass FILE.cubin > listing; python kernels/loops.py listing

cuobjdump comes with the CUDA toolkit, and with the package triton of PyPI. Loops over steps are those that shuffle; how
many steps they have is told by what a step shuffles: k and e of each column forward; three numbers of each column and
the gradients of y back. Kernels that go back have a loop forward, one that replays, and one that goes back.
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
    """{kernel: (numbers a shuffle, channels, rows, columns)} of the lists."""
    pattern = r"(?:FORWARD|BACKWARD|TENSOR)\((\w+), (\w+), (\d+), (\d+), (\d+)"
    lists = [(HERE / f"sigkernel_{name}.list").read_text() for name in ("forward", "tensor", "backward")]
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


def loops(code):
    """{pipe: count} of each loop, without the loops inside it: guarded jumps back."""
    spans = []
    for address, name, operands, guarded in code:
        target = re.search(r"0x([0-9a-f]+)", operands)
        if name == "BRA" and guarded and target and int(target[1], 16) < address:
            spans.append((int(target[1], 16), address))
    for first, last in spans:
        inside = [s for s in spans if s != (first, last) and first <= s[0] and s[1] <= last]
        counts = dict.fromkeys([pipe for pipe, _ in PIPES], 0) | {"other": 0}
        for address, name, _, _ in code:
            if first <= address <= last and not any(s[0] <= address <= s[1] for s in inside):
                counts[next((pipe for pipe, pattern in PIPES if re.match(pattern, name)), "other")] += 1
        yield counts


def of_steps(code, shape):
    """(what it does, its steps, counts) of each loop over steps."""
    words, channels, rows, columns = shape
    back = words * (3 * columns + channels)
    kinds = iter(("forward", "replay"))
    for counts in loops(code):
        steps = counts["shuffle"] / (2 * words * columns)
        if counts["fp"] < 4 * rows * columns or not steps:
            continue
        if counts["shuffle"] == back and counts["fp"] > 10 * rows * columns:
            yield "back", 1, counts
        else:
            yield next(kinds), steps, counts


def main():
    print("| kernel | loop | steps | fp a cell | all a cell | shuffles | shared | global | spilled |")
    print("| --- | --- |" + " ---: |" * 7)
    known = shapes()
    for name, code in functions(pathlib.Path(sys.argv[1]).read_text()).items():
        for kind, steps, counts in of_steps(code, known[name]) if name in known else ():
            cells = steps * known[name][2] * known[name][3]
            rest = " | ".join(str(counts[pipe]) for pipe in ("shuffle", "shared", "global", "spilled"))
            print(f"| `{name}` | {kind} | {steps:g} | {counts['fp'] / cells:.2f} | {sum(counts.values()) / cells:.2f} | {rest} |")


if __name__ == "__main__":
    main()
