#!/usr/bin/env bash
# memory.sh MINUTES: memory, threads and processes for that long and a little more. First what `make test` has in a light
# form, in full; then the tests of threads and forks, again and again until the time is over.
set -euo pipefail
cd "$(dirname "$0")/../.."

minutes=${1:?expected a number of minutes}
python=${PYTHON:-python3}
target=${CARGO_TARGET_DIR:-$PWD/target}
end=$((SECONDS + 60 * minutes))
rounds=0

echo "10 000 calls of each function, from C and from Python"
GOURSAT_FLAT_CALLS=10000 cargo test --locked --test processes
GOURSAT_LIBRARY=$target/release/libgoursat.so GOURSAT_FLAT_CALLS=10000 \
    "$python" -m pytest -q -p no:cacheprovider bindings/python/tests/test_memory.py
echo "every allocation fails in turn, in every plan"
GOURSAT_SOAK=1 cargo test --locked --test abi_memory -- --nocapture
while [ $SECONDS -lt $end ]; do
    # Pools of other sizes than the machine's, too: more threads than cores, and one.
    export GOURSAT_NUM_THREADS=$((1 + rounds % 7))
    cargo test --quiet --locked --test threads --test abi_threads --test abi_cancel --test fork --test processes
    rounds=$((rounds + 1))
done
echo "soak of memory, threads and processes: $rounds rounds of threads and forks in $SECONDS s"
