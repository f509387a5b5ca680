#!/usr/bin/env bash
# aarch64.sh WORK [TEST...]: tests in Rust and C for aarch64, built on x86-64 and run under qemu, where NEON is the level.
# Debian's compilers: that of C is installed (by root, if it is not there), that of Rust unpacked to the folder WORK.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "${1:?expected a folder to work in}"
work=$(cd "$1" && pwd)
shift

if [ ! -x /usr/bin/aarch64-linux-gnu-g++ ] || ! command -v qemu-aarch64-static >/dev/null; then
    [ "$(id -u)" = 0 ] || { echo "apt install g++-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static" >&2; exit 1; }
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        g++-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static </dev/null
fi
. "$root/tests/machines/debian-rust.sh"

run="qemu-aarch64-static -L /usr/aarch64-linux-gnu"
target=aarch64-unknown-linux-gnu
log=$work/levels-run
rm -f "$log"
# In a folder of its own: another compiler would make all that is in target/ anew.
export RUSTC=$work/rustc CARGO_TARGET_DIR=$work/target
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER=$run
export CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc CXX_aarch64_unknown_linux_gnu=aarch64-linux-gnu-g++
export GOURSAT_TEST_RUNNER=$run GOURSAT_TEST_LEVEL=neon GOURSAT_TEST_LEVEL_LOG=$log
cd "$root"

# Those that take long under qemu are left out, and in abi what asks tools of this machine about the library.
tests=("$@")
[ ${#tests[@]} -gt 0 ] || tests=(bits gram kernel levels peers)
cargo test --locked --target $target "${tests[@]/#/--test=}"
if [ $# -eq 0 ]; then
    cargo test --locked --target $target --test abi -- programs layouts first_program options
fi
for test in "${tests[@]}"; do
    grep -qx "neon $test" "$log" || { echo "test-aarch64: $test computed nothing on NEON" >&2; exit 1; }
done
