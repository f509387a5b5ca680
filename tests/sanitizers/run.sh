#!/usr/bin/env bash
# run.sh address|thread|valgrind [MORE...]: the tests under a sanitizer; TESTS="gram fork" chooses among those in Rust.
# First a planted fault must be found, and every binary is looked into for the sanitizer's functions: a run without a
# word then means something.
#
# Calls are slow there: of the points where one is cancelled and of the allocations that fail, every GOURSAT_POINT_STRIDE-th
# is tried, beside the first of every call.
#
# address   AddressSanitizer with leaks: the tests in Rust, their programs in C and C++, the examples, Python by ctypes.
# thread    ThreadSanitizer: the tests that use threads. The standard library is instrumented, too: its sources are had
#           from Debian (rust-web-src), with the compiler that goes with them, into the target folder.
# valgrind  Memcheck: the programs in C, with the library as it is shipped.
set -euo pipefail
cd "$(dirname "$0")/../.."

target=${CARGO_TARGET_DIR:-$PWD/target}
host=$(rustc -vV | sed -n 's/^host: //p')
fail() { echo "sanitizers: $*" >&2; exit 1; }

# has BINARY FUNCTION: the instrumentation is there. (`grep -c` reads all, so that nm is not cut off.)
has() { [ "$(nm "$1" 2>/dev/null | grep -c "$2")" -gt 0 ] || fail "$1 has no $2: it is not instrumented"; }

# tests DEPS FUNCTION: every test that was built in that folder is instrumented.
tests() {
    local count=0 name
    for name in tests/*.rs; do
        name=$(basename "$name" .rs)
        for binary in $(find "$1" -maxdepth 1 -name "$name-*" -executable -newer "$begun"); do
            has "$binary" "$2"
            count=$((count + 1))
        done
    done
    [ "$count" -gt 0 ] || fail "no tests were built in $1"
    has "$1/libgoursat.so" "$2"
    echo "sanitizers: $count tests and libgoursat.so are instrumented"
}

# finds WORD COMMAND...: the command must fail with this word.
finds() {
    local word=$1 said
    shift
    if said=$("$@" 2>&1); then fail "a planted fault was not found: $*"; fi
    grep -q "$word" <<<"$said" || fail "expected $word of $*: $said"
    echo "sanitizers: planted, and found: $word"
}

python_with_numpy() {
    make --no-print-directory build/test/ready >&2
    echo "$PWD/build/test/bin/python"
}

address() {
    local own=$target/sanitizers/address begun python
    export RUSTC_BOOTSTRAP=1 CARGO_PROFILE_DEV_OPT_LEVEL=1 CARGO_PROFILE_TEST_OPT_LEVEL=1
    mkdir -p "$own"
    begun=$own/begun
    rustc --edition 2024 -Zsanitizer=address -Copt-level=1 tests/sanitizers/planted.rs -o "$own/planted"
    finds heap-buffer-overflow "$own/planted" overflow
    finds 'LeakSanitizer: detected memory leaks' "$own/planted" leak

    # Programs in C and C++ that tests build are instrumented too. The sanitizer keeps what is freed for a while, so
    # memory is not flat: two tests of that are left out. A crash of a child that is meant to crash is no fault.
    local chosen=
    for test in ${TESTS:-}; do chosen+=" --test $test"; done
    touch "$begun"
    sleep 1
    CARGO_TARGET_DIR=$own RUSTFLAGS=-Zsanitizer=address CFLAGS=-fsanitize=address CXXFLAGS=-fsanitize=address \
        ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 GOURSAT_POINT_STRIDE=${GOURSAT_POINT_STRIDE:-10} \
        cargo test --locked --no-fail-fast ${chosen:---tests} --target "$host" \
        -- --skip memory_stays_flat --skip loaded_a_hundred_times
    touch -d '1 year ago' "$begun"
    local deps=$own/$host/debug/deps
    tests "$deps" __asan_report
    [ -z "${TESTS:-}" ] || return 0
    python=${PYTHON_WITH_NUMPY:-$(python_with_numpy)}

    local program
    for program in minimal.c ragged.c minimal.cpp; do
        case $program in
            *.c) cc -fsanitize=address -O1 -g -Iinclude "examples/$program" "$deps/libgoursat.a" -lm -lpthread -ldl -o "$own/example" ;;
            *) c++ -std=c++17 -fsanitize=address -O1 -g -Iinclude "examples/$program" "$deps/libgoursat.a" -lm -lpthread -ldl -o "$own/example" ;;
        esac
        has "$own/example" __asan_report
        "$own/example" >/dev/null || fail "examples/$program"
    done
    echo "sanitizers: the examples in C and C++ are done"

    # Python itself is not instrumented, and leaves memory behind when it ends: only stacks with the library count.
    local log=$own/python.log
    rm -f "$log".*
    LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libstdc++.so.6)" \
        ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 PYTHONMALLOC=malloc GOURSAT_LIBRARY=$deps/libgoursat.so GOURSAT_FLAT_CALLS=20 \
        "$python" -m pytest -q -p no:cacheprovider bindings/python/tests/test_values.py bindings/python/tests/test_errors.py \
        bindings/python/tests/test_shapes.py bindings/python/tests/test_arrays.py bindings/python/tests/test_vectors.py
    LD_PRELOAD=$(gcc -print-file-name=libasan.so) ASAN_OPTIONS=detect_leaks=1:exitcode=0:allocator_may_return_null=1:log_path=$log PYTHONMALLOC=malloc \
        GOURSAT_LIBRARY=$deps/libgoursat.so PYTHONPATH=bindings/python "$python" tests/sanitizers/every_function.py
    if grep -l goursat "$log".* 2>/dev/null; then fail "memory of the library is left behind: $log.*"; fi
    echo "sanitizers: address is done"
}

# The compiler of Debian 12 whose standard library comes with its sources, in a folder of its own.
debian_rust() {
    local folder=$1
    [ -x "$folder/usr/bin/rustc" ] && return
    mkdir -p "$folder/packages"
    (cd "$folder/packages" && apt-get download -qq rustc-web rust-web-src libstd-rust-web-dev libstd-rust-web-1.96 libllvm22 &&
        for package in *.deb; do dpkg-deb -x "$package" ..; done) >/dev/null 2>&1 ||
        fail "the sources of the standard library are not to be had: this is for Debian 12 with its security archive"
}

thread() {
    local own=$target/sanitizers/thread begun runtime flags
    mkdir -p "$own/bin"
    begun=$own/begun
    debian_rust "$own/rust"
    runtime=$(find "$(rustc --print sysroot)" -name 'librustc*_rt.tsan.a' | head -n 1)
    [ -n "$runtime" ] || fail "this rustc has no runtime of ThreadSanitizer"
    # Debian's compiler has no runtime of its own: programs, and not shared libraries, are linked with the other's.
    cat >"$own/bin/rustc" <<EOF
#!/bin/sh
LD_LIBRARY_PATH=$own/rust/usr/lib/x86_64-linux-gnu exec $own/rust/usr/bin/rustc "\$@"
EOF
    cat >"$own/bin/cc" <<EOF
#!/bin/sh
case " \$* " in
*" -shared "*) exec /usr/bin/cc "\$@" ;;
*) exec /usr/bin/cc -Wl,--whole-archive $runtime -Wl,--no-whole-archive "\$@" -lresolv ;;
esac
EOF
    chmod +x "$own/bin/rustc" "$own/bin/cc"
    flags="-Zsanitizer=thread -Zexternal-clangrt -Clinker=$own/bin/cc"
    export RUSTC=$own/bin/rustc RUSTC_BOOTSTRAP=1 RUSTFLAGS=$flags CARGO_TARGET_DIR=$own
    export CARGO_PROFILE_DEV_OPT_LEVEL=1 CARGO_PROFILE_TEST_OPT_LEVEL=1

    mkdir -p "$own/planted/src"
    cp tests/sanitizers/planted.rs "$own/planted/src/main.rs"
    printf '[package]\nname = "planted"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n' >"$own/planted/Cargo.toml"
    # With the profiles of the tests: the standard library is then built once.
    sed -n '/^\[profile\./,$p' Cargo.toml >>"$own/planted/Cargo.toml"
    (cd "$own/planted" && cargo build -q -Zbuild-std --profile test --target "$host")
    finds 'ThreadSanitizer: data race' "$own/$host/debug/planted" race

    touch "$begun"
    sleep 1
    # Children of fork make threads of their own, which the sanitizer forbids where it is not told.
    TSAN_OPTIONS=halt_on_error=0:exitcode=66:die_after_fork=0 GOURSAT_POINT_STRIDE=${GOURSAT_POINT_STRIDE:-25} \
        cargo test --locked --no-fail-fast -Zbuild-std --target "$host" $(for test in ${TESTS:-threads abi_threads abi_cancel abi_memory fork}; do echo --test "$test"; done)
    touch -d '1 year ago' "$begun"
    tests "$own/$host/debug/deps" __tsan_write
    echo "sanitizers: thread is done"
}

valgrind_() {
    local own=$target/sanitizers/valgrind program
    command -v valgrind >/dev/null || fail "valgrind was not found: apt install valgrind"
    mkdir -p "$own"
    local library=${GOURSAT_SHARED:-$target/release/libgoursat.so}
    cp "$library" "$own/libgoursat.so.0"
    local check=(valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite,indirect
        --show-leak-kinds=definite,indirect)
    local flags=(-O1 -g -Wno-missing-field-initializers -Iinclude)
    printf '#include <stdlib.h>\nint main(int n, char **a) { (void)a; char *p = malloc(8); int v = n > 1 ? p[8] : p[0]; if (v == 7) n++; p = 0; return p != 0; }\n' >"$own/planted.c"
    cc -O0 -g "$own/planted.c" -o "$own/planted"
    finds 'Invalid read' "${check[@]}" "$own/planted" once
    finds 'uninitialised' "${check[@]}" "$own/planted"
    for program in tests/processes/flat.c tests/c/values.c examples/minimal.c examples/ragged.c; do
        cc "${flags[@]}" "$program" "$own/libgoursat.so.0" -Wl,-rpath,"$own" -lm -lpthread -o "$own/program"
        # flat.c: 20 calls of each function; valgrind's own memory grows, so any growth is let pass.
        "${check[@]}" "$own/program" 20 1000000000 >"$own/said" || { cat "$own/said"; fail "$program"; }
        echo "sanitizers: valgrind, $program"
    done
    echo "sanitizers: valgrind is done"
}

[ $# -gt 0 ] || fail "expected address, thread or valgrind"
for name in "$@"; do
    began=$SECONDS
    case $name in
        address | thread) ("$name") ;;
        valgrind) valgrind_ ;;
        *) fail "$name: expected address, thread or valgrind" ;;
    esac
    echo "sanitizers: $name took $((SECONDS - began)) s"
done
