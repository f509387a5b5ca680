#!/bin/sh
# Makes the source package in a folder: this package with the Rust sources, and with the cases that its tests read.
set -eu
[ $# -eq 1 ] || { echo "usage: $0 FOLDER" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
root=$(cd "$(dirname "$0")/../.." && pwd)
stage=$out/stage/goursat

rm -rf "$out/stage" "$out"/goursat_*.tar.gz
mkdir -p "$stage/src/rust/kernels" "$stage/tests/testthat/vectors"
cd "$root/bindings/r"
cp -r DESCRIPTION LICENSE NAMESPACE README.md R man tests configure cleanup .Rbuildignore "$stage"
rm "$stage/tests/all.R"
cp src/*.c src/*.h src/Makevars.in "$stage/src"
cp "$root"/tests/vectors/*.json "$stage/tests/testthat/vectors"

cp -r "$root/src" "$root/include" "$root/build.rs" "$root/Cargo.lock" "$root"/LICENSE-* "$stage/src/rust"
cp "$root"/kernels/*.ptx "$root"/kernels/*.list "$stage/src/rust/kernels"
# Benchmarks stay behind, and cargo would miss them.
awk '/^\[\[bench\]\]/ { skip = 1; next } /^\[/ { skip = 0 } !skip' "$root/Cargo.toml" >"$stage/src/rust/Cargo.toml"

cd "$out"
R CMD build --no-manual "$stage"
