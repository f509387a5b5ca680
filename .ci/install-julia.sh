#!/bin/sh
# Installs Julia 1.5.3 on Debian 12, which has none, from Debian 11, which was the last to have one:
#     .ci/install-julia.sh [FOLDER]        by default /opt/julia, and as root with a link in /usr/local/bin
# The packages are unpacked in a folder of their own: neither the system's sources nor its packages change.
set -eu

folder=${1:-/opt/julia}
julia=$folder/usr/bin/julia
arch=$(gcc -print-multiarch 2>/dev/null || echo x86_64-linux-gnu)
libraries=$folder/usr/lib/$arch

# What breaks when a library is missing or of the wrong version: big numbers (mpfr), exceptions out of the system image
# (libunwind), products of matrices (OpenBLAS, gfortran).
works() {
    "$julia" --startup-file=no -e '
        using Libdl, LinearAlgebra, Test
        @test sqrt(big(2)) ^ 2 ≈ 2
        @test_throws DomainError log(-1.0)
        @test [2.0 0.0; 0.0 3.0] * [1.0, 1.0] == [2.0, 3.0]'
}

if [ -x "$julia" ] && works 2>/dev/null; then
    exit 0
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/lists/partial" "$scratch/archives/partial" "$folder"

# The mirror that this machine uses, in the old form of sources or in the new one.
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
    grep -oE '^(deb|URIs:)[^#]*' | grep -oE 'https?://[^ ]*/debian/?( |$)' | head -n 1 | tr -d ' ')
: "${mirror:=http://deb.debian.org/debian}"
for release in bookworm bullseye; do
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror%/} $release main"
done >"$scratch/sources"

# apt-get with lists, sources and downloads of its own; the system's are only read for what is installed.
private_apt() {
    apt-get -qq -o Dir::Etc::SourceList="$scratch/sources" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::State::Lists="$scratch/lists" -o Dir::Cache="$scratch" -o Dir::Cache::Archives="$scratch/archives" \
        -o Debug::NoLocking=true -o Acquire::Languages=none -o Acquire::Retries=3 -o APT::Sandbox::User=root "$@"
}

private_apt update
private_apt -t bookworm --yes --no-install-recommends --download-only install julia </dev/null
# Two libraries must be those that Julia was built with: with the newer libunwind every exception of its own is a crash,
# with the newer mpfr big numbers print differently.
(cd "$scratch/archives" && private_apt download libunwind8/bullseye libmpfr6/bullseye)
# Tells libraries where their neighbours are, so that nobody needs LD_LIBRARY_PATH.
(cd "$scratch" && private_apt download patchelf/bookworm && dpkg-deb -x patchelf_*.deb tool)
for archive in "$scratch"/archives/*.deb; do
    dpkg-deb -x "$archive" "$folder"
done

# Links to libraries that are installed in the system already, and so were not downloaded.
find "$libraries/julia" -xtype l | while read -r link; do
    ln -sf "/usr/lib/$arch/$(basename "$(readlink "$link")")" "$link"
done

# An RPATH of the program, unlike a RUNPATH, is searched for what its libraries need; those with a RUNPATH are told.
patchelf=$scratch/tool/usr/bin/patchelf
"$patchelf" --force-rpath --set-rpath "\$ORIGIN/../lib/$arch:\$ORIGIN/../lib/$arch/julia" "$julia"
"$patchelf" --set-rpath "\$ORIGIN" "$libraries"/libLLVM-9.so.1
find "$libraries/julia" -name '*.so*' -type f -exec "$patchelf" --set-rpath "\$ORIGIN:\$ORIGIN/.." {} \;

works
if [ -w /usr/local/bin ]; then
    ln -sf "$julia" /usr/local/bin/julia
fi
"$julia" --version
