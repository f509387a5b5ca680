#!/usr/bin/env bash
# aarch64.sh WORK TOOLS: makes the wheel for aarch64 on x86-64 and imports it under qemu. The standard library of Rust
# for aarch64, its compiler, and the Python of aarch64 are Debian's, unpacked to the folder WORK and not installed; TOOLS
# is the folder of the tools of `make wheel`. Needs apt of Debian 12 and qemu-aarch64-static.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "${1:?expected a folder to work in}"
work=$(cd "$1" && pwd)
tools=$(cd "${2:?expected the folder of the tools}" && pwd)
export PATH=$tools:$PATH

fail() { echo "wheel-aarch64: $*" >&2; exit 1; }

. "$root/tests/machines/debian-rust.sh"
mkdir -p "$work"/{device,site}
if [ ! -e "$work/ready" ]; then
    fetch "$work/device" {python3.11-minimal,libpython3.11-minimal,libpython3.11-stdlib,libc6,libgcc-s1}:arm64 \
        {libstdc++6,zlib1g,libexpat1,libssl3,libffi8,libuuid1,libbz2-1.0,liblzma5}:arm64
    python -m pip download --quiet --no-deps --only-binary :all: --python-version 3.11 --dest "$work/site" \
        --platform manylinux_2_28_aarch64 --platform manylinux_2_27_aarch64 --platform manylinux2014_aarch64 numpy
    touch "$work/ready"
fi

# In a folder of its own: another compiler would make all that is in target/ anew.
rm -f "$root"/build/dist/goursat-*aarch64.whl
RUSTC=$work/rustc CARGO_TARGET_DIR=$work/target GOURSAT_WHEEL_TARGET=aarch64-unknown-linux-gnu.2.17 \
    python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir "$root/build/dist" "$root/bindings/python"
wheel=$(ls "$root"/build/dist/goursat-*aarch64.whl)
auditwheel show "$wheel" | tr '\n' ' ' >"$work/audit"
grep -q 'consistent with the following platform tag: "manylinux_2_17_aarch64"' "$work/audit" ||
    fail "auditwheel: $(cat "$work/audit")"

rm -rf "$work/packages"
for file in "$work"/site/*.whl "$wheel"; do
    python -m zipfile -e "$file" "$work/packages"
done
sed -n '/^```text$/,/^```$/p' "$root/README.md" | sed '1d;$d' >"$work/expected"
qemu-aarch64-static -L "$work/device" -E PYTHONHOME=/usr -E PYTHONPATH="$work/packages" \
    "$work/device/usr/bin/python3.11" -S "$root/examples/minimal.py" >"$work/printed"
diff "$work/expected" "$work/printed" || fail "the first program printed something else"
echo "$(basename "$wheel"): auditwheel agrees, the first program runs under qemu"
