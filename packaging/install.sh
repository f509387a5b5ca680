#!/bin/sh
# install.sh install|uninstall FOLDER: puts the headers, the libraries in FOLDER, a pkg-config file and a CMake package
# beneath $DESTDIR$PREFIX, or takes them away. Nothing that is installed knows PREFIX: it may be moved as a whole.
# LIBDIR, relative to PREFIX, is where libraries go; "lib" unless said.
set -eu

action=${1:?expected install or uninstall}
built=${2:?expected the folder of libgoursat.so and libgoursat.a}
root=$(cd "$(dirname "$0")/.." && pwd)
LIBDIR=${LIBDIR:-lib}
fail() { echo "install: $*" >&2; exit 1; }

case ${PREFIX:-} in /*) ;; *) fail "PREFIX is \"${PREFIX:-}\"; expected an absolute path" ;; esac
case $LIBDIR in
    /* | .. | ../* | */.. | */../*) fail "LIBDIR is \"$LIBDIR\"; expected a folder beneath PREFIX, such as lib64" ;;
esac

version=$(sed -n '/^\[package\]/,/^\[/s/^version *= *"\(.*\)"/\1/p' "$root/Cargo.toml")
# The name that programs remember, of build.rs; the file has the whole version after its number.
soname=$(sed -n 's/.*-Wl,-soname,\([^"]*\)".*/\1/p' "$root/build.rs")
abi=${soname##*.so.}
real=libgoursat.so.$abi.${version#*.}

prefix=${DESTDIR:-}$PREFIX
include=$prefix/include
lib=$prefix/$LIBDIR

up() { realpath --canonicalize-missing --relative-to="$1" "$prefix"; }

fill() { # SOURCE TARGET
    sed -e "s|@VERSION@|$version|g" -e "s|@ABI@|$abi|g" -e "s|@SONAME@|$soname|g" -e "s|@REAL@|$real|g" \
        -e "s|@PREFIX_FROM_PKGCONFIG@|$(up "$lib/pkgconfig")|g" \
        -e "s|@PREFIX_FROM_CMAKE@|$(up "$lib/cmake/Goursat")|g" "$root/packaging/$1" >"$2"
    chmod 644 "$2"
}

case $action in
install)
    for file in libgoursat.so libgoursat.a; do
        [ -f "$built/$file" ] || fail "$built/$file is missing; expected what \"make\" builds"
    done
    install -d "$include/goursat" "$lib/pkgconfig" "$lib/cmake/Goursat"
    install -m 644 "$root/include/goursat.h" "$root/include/goursat.hpp" "$include"
    install -m 644 "$root"/include/goursat/*.hpp "$include/goursat"
    install -m 755 "$built/libgoursat.so" "$lib/$real"
    install -m 644 "$built/libgoursat.a" "$lib/libgoursat.a"
    # Where each line of the source is, 85 MB of it, helps who works on the library alone.
    if command -v strip >/dev/null; then strip --strip-debug "$lib/$real" "$lib/libgoursat.a"; fi
    ln -sf "$real" "$lib/$soname"
    ln -sf "$soname" "$lib/libgoursat.so"
    fill goursat.pc.in "$lib/pkgconfig/goursat.pc"
    fill GoursatConfig.cmake.in "$lib/cmake/Goursat/GoursatConfig.cmake"
    fill GoursatConfigVersion.cmake.in "$lib/cmake/Goursat/GoursatConfigVersion.cmake"
    echo "installed Goursat $version in $prefix"
    ;;
uninstall)
    rm -f "$include/goursat.h" "$include/goursat.hpp" "$lib/libgoursat.so" "$lib/$soname" "$lib/$real" \
        "$lib/libgoursat.a" "$lib/pkgconfig/goursat.pc"
    rm -rf "$include/goursat" "$lib/cmake/Goursat"
    ;;
*) fail "\"$action\"; expected install or uninstall" ;;
esac
