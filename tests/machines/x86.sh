#!/usr/bin/env bash
# x86.sh CPU LEVEL [TEST...]: tests in Rust and C on a processor that qemu knows, such as Nehalem, which has no AVX, or
# Haswell, which has AVX2 and no AVX-512; LEVEL is what the library must find there. PYTHON, if it is set, is a Python
# with the package and pytest, which then reads the vectors as well.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
cpu=${1:?expected a processor of qemu-x86_64-static -cpu help}
level=${2:?expected the SIMD level of it}
shift 2
command -v qemu-x86_64-static >/dev/null || { echo "apt install qemu-user-static" >&2; exit 1; }

run="qemu-x86_64-static -cpu $cpu"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER=$run
export GOURSAT_TEST_RUNNER=$run GOURSAT_TEST_LEVEL=$level GOURSAT_TEST_LEVEL_LOG=$log
unset GOURSAT_SIMD
cd "$root"

# Those that take long under qemu are left out, and in abi what does not run the library.
tests=("$@")
[ ${#tests[@]} -gt 0 ] || tests=(gram kernel levels peers)
${CARGO:-cargo} test --locked "${tests[@]/#/--test=}"
if [ $# -eq 0 ]; then
    ${CARGO:-cargo} test --locked --test abi -- programs layouts first_program options
fi
for test in "${tests[@]}"; do
    grep -qx "$level $test" "$log" || { echo "$cpu: $test computed nothing at level $level" >&2; exit 1; }
done
if [ -n "${PYTHON:-}" ]; then
    found=$($run "$PYTHON" -c 'import goursat; print(goursat.simd_level())')
    [ "$found" = "$level" ] || { echo "$cpu: Python found level $found, expected $level" >&2; exit 1; }
    $run "$PYTHON" -m pytest -q -p no:cacheprovider bindings/python/tests/test_vectors.py
fi
echo "$cpu: $level, well"
