#!/usr/bin/env bash
# run.sh DIST TOOLS: the wheel in the folder DIST, looked at by auditwheel in the folder TOOLS, installed where there is
# no Rust, put through all tests of the Python package, and run on a processor without AVX. Then the source distribution
# beside it, from which pip builds. PYTHON is the Python to install for.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
dist=$(cd "${1:?expected the folder of the wheel}" && pwd)
tools=$(cd "${2:?expected the folder of auditwheel}" && pwd)
python=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() { echo "test-wheel: $*" >&2; exit 1; }

wheel=$(ls "$dist"/goursat-*x86_64.whl)
echo "--- $(basename "$wheel")"
case $wheel in *-py3-none-manylinux_2_*) ;; *) fail "the tag is not py3-none-manylinux_2_*" ;; esac
tag=$(basename "$wheel" | sed 's/.*-py3-none-\(manylinux_2_[0-9]*_x86_64\).*/\1/')
PATH=$tools:$PATH auditwheel show "$wheel" | tr '\n' ' ' >"$work/audit"
grep -q "consistent with the following platform tag: \"$tag\"" "$work/audit" || fail "auditwheel: $(cat "$work/audit")"
echo "auditwheel agrees: $tag"

"$python" -m zipfile -e "$wheel" "$work/unpacked"
library=$work/unpacked/goursat/libgoursat.so
nm -D --defined-only "$library" | sed 's/.* //' | sort >"$work/exported"
sed -n 's/^[a-z].*[ *]\(goursat_[a-z0-9_]*\)(.*/\1/p' "$root/include/goursat.h" | grep -v '^goursat_progress$' |
    sort >"$work/declared"
diff "$work/declared" "$work/exported" || fail "the library exports something else than goursat.h declares"
if readelf -S "$library" | grep -q debug; then fail "the library has its debug information"; fi
for file in LICENSE-MIT LICENSE-APACHE py.typed; do
    [ -f "$work/unpacked/goursat/$file" ] || fail "$file is not in the wheel"
done

echo "--- without Rust"
clean() { env -i PATH=/usr/bin:/bin HOME="$work" PYTHONDONTWRITEBYTECODE=1 "$@"; }
for tool in cargo rustc; do
    if clean sh -c "command -v $tool" >/dev/null; then fail "$tool is in /usr/bin; expected a machine without Rust"; fi
done
clean "$python" -m venv "$work/venv"
clean "$work/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: "$wheel[test]"
cp "$root/examples/minimal.py" "$work"
sed -n '/^```text$/,/^```$/p' "$root/README.md" | sed '1d;$d' >"$work/expected"
first_program() {
    clean "$@" "$work/venv/bin/python" "$work/minimal.py" >"$work/printed"
    diff "$work/expected" "$work/printed" || fail "the first program printed something else"
}
first_program
where=$(cd "$work" && clean "$work/venv/bin/python" -c 'import goursat; print(goursat.library_path())')
case $where in "$work/venv"/*) ;; *) fail "the library was found in $where" ;; esac
clean "$work/venv/bin/python" -m pytest -q -p no:cacheprovider "$root/bindings/python"

echo "--- Nehalem, which has no AVX"
level=$(cd "$work" && clean qemu-x86_64-static -cpu Nehalem "$work/venv/bin/python" \
    -c 'import goursat; print(goursat.simd_level())')
[ "$level" = portable ] || fail "the level is $level; expected portable"
first_program qemu-x86_64-static -cpu Nehalem
echo "$level: well"

source=$(ls "$dist"/goursat-*.tar.gz)
echo "--- $(basename "$source")"
tar -xzf "$source" -C "$work"
diff -r "$root/src" "$work"/goursat-*/rust/src || fail "the source distribution has other sources"
# Unoptimised, which takes a quarter of the time.
CARGO_TARGET_DIR=$work/target CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_DEBUG=0 \
    "$work/venv/bin/pip" wheel --quiet --disable-pip-version-check --no-deps --wheel-dir "$work/built" "$source"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --force-reinstall --no-deps "$work"/built/*.whl
first_program
echo "installed, tested: well"
