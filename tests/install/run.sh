#!/usr/bin/env bash
# run.sh FOLDER: installs the libraries in FOLDER, moves the installation, and builds and runs programs in C and C++
# from what was installed alone, by pkg-config and by CMake, with the shared and with the static library.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
built=$(cd "${1:?expected the folder of libgoursat.so and libgoursat.a}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() { echo "test-install: $*" >&2; exit 1; }

# What README.md says that each of its first programs prints.
sed -n '/^```text$/,/^```$/p' "$root/README.md" | sed '1d;$d' >"$work/expected"
[ -s "$work/expected" ] || fail "README.md does not say what its programs print"

# check PROGRAM shared|static: it prints what it should, and needs the shared library or does not.
check() {
    "$1" >"$work/printed" || fail "$1 failed"
    diff "$work/expected" "$work/printed" || fail "$1 printed something else"
    local needs=static
    if readelf -d "$1" | grep -q 'NEEDED.*\[libgoursat\.so\.0\]'; then needs=shared; fi
    [ "$needs" = "$2" ] || fail "$1 is linked with the $needs library; expected $2"
    echo "$(basename "$1"): $2"
}

install_to() { # DESTDIR PREFIX LIBDIR
    DESTDIR=$1 PREFIX=$2 LIBDIR=$3 "$root/packaging/install.sh" install "$built" >/dev/null
}

# As a packager does: to a prefix that is not there, by way of DESTDIR; then it is moved.
install_to "$work/stage" /opt/goursat lib
prefix="$work/moved here"
mv "$work/stage/opt/goursat" "$prefix"
rm -rf "$work/stage"
if grep -rIl -e /opt/goursat -e "$root" "$prefix"; then fail "these files know where they were"; fi
cp "$root/examples/minimal.c" "$root/examples/minimal.cpp" "$work" # away from the headers of the repository

echo "--- pkg-config"
ln -s "$prefix" "$work/moved" # pkg-config and the shell do not agree about blanks
export PKG_CONFIG_PATH=$work/moved/lib/pkgconfig
version=$(sed -n 's/^#define GOURSAT_VERSION "\(.*\)"/\1/p' "$work/moved/include/goursat.h")
[ "$(pkg-config --modversion goursat)" = "$version" ] || fail "goursat.pc has another version than goursat.h"
strict=(-Wall -Wextra -Werror -pedantic)
for language in c99 c++17 c++20; do
    case $language in
        c99) compile=(cc "-std=$language" "${strict[@]}" "$work/minimal.c") ;;
        *) compile=(c++ "-std=$language" "${strict[@]}" "$work/minimal.cpp") ;;
    esac
    # Shared; everything static; the archive alone in a program that is otherwise dynamic.
    "${compile[@]}" $(pkg-config --cflags --libs goursat) -Wl,-rpath,"$prefix/lib" -o "$work/$language-shared"
    check "$work/$language-shared" shared
    # (of which the linker says what glibc cannot do without its shared libraries; nothing that is used here)
    "${compile[@]}" -static $(pkg-config --static --cflags --libs goursat) -o "$work/$language-all-static" \
        2>"$work/log" || { cat "$work/log"; fail "the C library cannot be linked in"; }
    check "$work/$language-all-static" static
    "${compile[@]}" $(pkg-config --cflags goursat) "$prefix/lib/libgoursat.a" \
        $(pkg-config --static --libs-only-l goursat | sed 's/-lgoursat//') -o "$work/$language-archive"
    check "$work/$language-archive" static
done

echo "--- CMake"
cmake_project() { # SOURCE BUILD more...
    local source=$1 build=$2
    shift 2
    cmake -S "$source" -B "$build" -DCMAKE_PREFIX_PATH="$prefix" "$@" >"$work/log" 2>&1 &&
        cmake --build "$build" --parallel 2 >>"$work/log" 2>&1 || { cat "$work/log"; fail "CMake failed in $source"; }
}
unset PKG_CONFIG_PATH
mkdir "$work/project"
cp "$root/tests/install/CMakeLists.txt" "$work/project"
cmake_project "$work/project" "$work/by cmake" -DPROGRAMS="$work"
for language in c99 cpp17 cpp20; do
    check "$work/by cmake/${language}_goursat" shared
    check "$work/by cmake/${language}_goursat_static" static
done
mkdir "$work/later"
printf '%s\n' 'cmake_minimum_required(VERSION 3.16)' 'project(later C)' 'find_package(Goursat 0.999 CONFIG)' \
    'if(Goursat_FOUND)' 'message(FATAL_ERROR "found")' 'endif()' >"$work/later/CMakeLists.txt"
cmake -S "$work/later" -B "$work/later/build" -DCMAKE_PREFIX_PATH="$prefix" >"$work/log" 2>&1 ||
    { cat "$work/log"; fail "a version that there is not yet was found"; }

echo "--- bindings/cpp/examples"
cp -r "$root/bindings/cpp/examples" "$work/examples"
cmake_project "$work/examples" "$work/built"
"$work/built/calibrate" | tee "$work/calibration"
# The truth is kappa 4, exp(m) 0.2, nu 0.8, rho -0.7; the tolerances are the scatter among markets of 256 paths. Central
# differences with steps of 1e-4 are some 1e-8 off.
awk '
    function off(value, truth, most) { if (!(value - truth <= most && truth - value <= most)) exit status = 1 }
    /central differences/ { seen += 1; off($NF, 0, 1e-7) }
    $1 == "guess" { seen += 1; before = $6 }
    $1 == "calibrated" { seen += 1; off($2, 4, 1); off($3, 0.2, 0.02); off($4, 0.8, 0.1); off($5, -0.7, 0.13);
        if (!($6 < 0.05 * before)) exit status = 1 }
    END { exit status || seen != 3 }' "$work/calibration" || fail "the calibration is off"

echo "--- other places"
install_to "" "$work/usr" lib/x86_64-linux-gnu
include=$(PKG_CONFIG_PATH=$work/usr/lib/x86_64-linux-gnu/pkgconfig pkg-config --variable=includedir goursat)
[ -f "$include/goursat.hpp" ] || fail "with LIBDIR, goursat.pc has the headers in $include"
prefix=$work/usr cmake_project "$work/project" "$work/multiarch" -DPROGRAMS="$work"
check "$work/multiarch/c99_goursat" shared
for wrong in "PREFIX=usr" "PREFIX=" "LIBDIR=../lib"; do
    if env PREFIX="$work/wrong" "$wrong" "$root/packaging/install.sh" install "$built" 2>"$work/log"; then
        fail "$wrong was accepted"
    fi
    grep -q expected "$work/log" || fail "$wrong was refused without a word"
done
[ ! -e "$work/wrong" ] || fail "something was installed where nothing should be"
PREFIX=$work/usr LIBDIR=lib/x86_64-linux-gnu "$root/packaging/install.sh" uninstall "$built"
left=$(find "$work/usr" ! -type d)
[ -z "$left" ] || fail "uninstall left $left"
echo "installed, moved, built, run: well"
