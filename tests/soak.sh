#!/usr/bin/env bash
# What is run for as long as one likes: tests/soak.sh MINUTES [PART...], shared out among those parts, or all of those
# next; building comes on top, and what has a length of its own. A part is a function, told how many seconds it has. It
# fails by a status that is not 0.
set -euo pipefail
cd "$(dirname "$0")/.."

PARTS=(fuzz seeds memory)

# ------------------------------------------------------------------------------------------------------------- fuzzing
# libFuzzer over the targets of tests/fuzz, with AddressSanitizer, at every SIMD level of the machine. What it finds new
# is kept in tests/fuzz/corpus, which `make test` replays; what fails is left in build/fuzz.

fuzz() {
    local seconds=$1 host binaries target level levels
    host=$(rustc -vV | sed -n 's/^host: //p')
    binaries=${CARGO_TARGET_DIR:-target}/fuzz
    RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$binaries RUSTFLAGS="-Zsanitizer=address -Cpasses=sancov-module \
        -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
        -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares" \
        cargo build --release --locked --manifest-path tests/fuzz/Cargo.toml --target "$host"
    binaries=$binaries/$host/release
    # All levels: those that the machine lacks are lowered to its best, and only that is run twice.
    levels=(portable avx2 avx512)
    for target in calls arguments; do
        # Is it what it is taken for? `grep -q` would end before nm does, and fail the pipe.
        nm "$binaries/$target" | grep __asan_init >/dev/null
        nm "$binaries/$target" | grep __sanitizer_cov_trace_cmp >/dev/null
        python3 tests/fuzz/corpus.py unpack "tests/fuzz/corpus/$target.hex" "build/fuzz/$target"
        for level in "${levels[@]}"; do
            fuzzer "$target" "$level" "-max_total_time=$((seconds / 2 / ${#levels[@]} + 1))"
        done
        rm -rf "build/fuzz/$target.few"
        mkdir -p "build/fuzz/$target.few"
        for level in "${levels[@]}"; do
            fuzzer "$target" "$level" -set_cover_merge=1 "build/fuzz/$target.few"
        done
        python3 tests/fuzz/corpus.py pack "build/fuzz/$target.few" "tests/fuzz/corpus/$target.hex"
        echo "soak: $target: $(wc -l <"tests/fuzz/corpus/$target.hex") inputs kept"
    done
}

# fuzzer TARGET LEVEL ARGUMENTS: runs it and says what it did.
fuzzer() {
    local target=$1 level=$2 log=build/fuzz/$1.$2.log
    shift 2
    # Memory that cannot be had is a status of the library, not a fault.
    if ! GOURSAT_SIMD=$level ASAN_OPTIONS=allocator_may_return_null=1 "$binaries/$target" -max_len=300 -timeout=120 \
        -rss_limit_mb=6000 -malloc_limit_mb=1000000000 -print_final_stats=1 "-artifact_prefix=build/fuzz/$target-" \
        "$@" "build/fuzz/$target" >"$log" 2>&1; then
        tail -n 60 "$log"
        echo "soak: $target at $level FAILED; the input is build/fuzz/$target-*" >&2
        return 1
    fi
    if grep -q number_of_executed_units "$log"; then
        echo "soak: $target at $level: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") executions," \
            "$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1) of" \
            "$(sed -n 's/.*modules.*(\([0-9]*\) inline 8-bit counters).*/\1/p' "$log" | head -n 1) edges"
    fi
}

# -------------------------------------------------------------------------------------------------------------- memory

memory() {
    tests/soak/memory.sh $((($1 + 59) / 60))
}

# --------------------------------------------------------------------------------------------------------------- seeds
# The same targets as `make test` builds them, without libFuzzer and sanitizer, at every level: bytes of a generator that
# begins elsewhere each time, or where GOURSAT_FUZZ_SEED says. A failure names the seed.

seeds() {
    local level levels=(portable avx2 avx512)
    for level in "${levels[@]}"; do
        GOURSAT_SIMD=$level GOURSAT_FUZZ_SECONDS=$(($1 / ${#levels[@]} + 1)) GOURSAT_FUZZ_SEED=${GOURSAT_FUZZ_SEED:-$((RANDOM << 15 | RANDOM))} \
            cargo test --quiet --locked --test fuzz_corpus seeded_calls -- --nocapture | sed -n "s/^seed/soak: $level, &/p"
    done
}

# ------------------------------------------------------------------------------------------------- of lengths of their own
# What takes as long as it takes, all of it some two hours on two cores: by name, or after the others where those have an
# hour or more.

LONG=(sanitizers machines accuracy)

sanitizers() {
    tests/sanitizers/run.sh address thread valgrind
}

machines() {
    make --no-print-directory test-nehalem test-haswell test-aarch64
}

accuracy() {
    make --no-print-directory accuracy
}

# ---------------------------------------------------------------------------------------------------------------- all

minutes=${1:-10}
if [ $# -gt 1 ]; then
    PARTS=("${@:2}") LONG=()
elif [ "$minutes" -lt 60 ]; then
    LONG=()
fi
for part in "${PARTS[@]}" ${LONG[@]+"${LONG[@]}"}; do
    begun=$SECONDS
    "$part" $((minutes * 60 / ${#PARTS[@]}))
    echo "soak: $part took $((SECONDS - begun)) s"
done
