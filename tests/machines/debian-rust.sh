# shellcheck shell=bash
# To be sourced, with the folder $work: makes $work/rustc, Debian's compiler with the standard library of aarch64, unpacked
# and not installed. `fetch FOLDER PACKAGE...` unpacks other packages of either machine. Needs apt of Debian 12.

# Lists of packages of both machines, beside those of this system, which knows nothing of aarch64.
mkdir -p "$work"/{lists/partial,cache/archives/partial,debs,host}
apt() {
    local command=$1
    shift
    "$command" -qq -o APT::Architectures::=amd64 -o APT::Architectures::=arm64 -o APT::Sandbox::User=root \
        -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" "$@"
}
depends() { apt apt-cache depends "$1" | sed -n "s/^ *Depends: \\($2\\)\$/\\1/p"; }

fetch() {
    local folder=$1
    shift
    (cd "$work/debs" && rm -f ./*.deb && apt apt-get download "$@" && for deb in *.deb; do
        dpkg-deb -x "$deb" "$folder"
    done)
}

if [ ! -e "$work/rust-ready" ]; then
    apt apt-get update
    std=$(depends libstd-rust-web-dev 'libstd-rust-web-[0-9.]*')
    fetch "$work/host" rustc-web libstd-rust-web-dev "$std" "$(depends "$std" 'libllvm[0-9]*')" \
        libstd-rust-web-dev:arm64 "$std:arm64"
    touch "$work/rust-ready"
fi

cat >"$work/rustc" <<'END'
#!/bin/sh
host=$(dirname "$(readlink -f "$0")")/host/usr
LD_LIBRARY_PATH=$host/lib/x86_64-linux-gnu exec "$host/bin/rustc" "$@"
END
chmod +x "$work/rustc"
"$work/rustc" --version
