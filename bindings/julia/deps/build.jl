# Builds the library with cargo and puts it where src/library.jl looks: `Pkg.build("Goursat")` runs this.

import Libdl

const NAME = "libgoursat.$(Libdl.dlext)"

function find_cargo()
    home = joinpath(get(ENV, "CARGO_HOME", joinpath(homedir(), ".cargo")), "bin")
    # Not by Sys.which, which resolves links: rustup is called by the names of its links.
    in_folders = [joinpath(folder, "cargo") for folder in [split(get(ENV, "PATH", ""), ':'); home]]
    for cargo in [get(ENV, "CARGO", ""); in_folders]
        isfile(cargo) && return cargo
    end
    error("cargo was not found: Goursat is built from Rust; install it from https://rustup.rs, or set GOURSAT_LIBRARY " *
          "to a libgoursat that is built already")
end

function build()
    root = normpath(joinpath(@__DIR__, "..", "..", ".."))
    manifest = joinpath(root, "Cargo.toml")
    isfile(manifest) || error("$manifest is missing: the Rust sources are not beside the package. Clone the repository " *
                              "and Pkg.develop(path = \"goursat/bindings/julia\"), or set GOURSAT_LIBRARY to a " *
                              "libgoursat that is built already")
    run(Cmd(`$(find_cargo()) build --release --lib --locked`; dir = root))
    target = abspath(joinpath(root, get(ENV, "CARGO_TARGET_DIR", "target")))
    folder = mkpath(joinpath(@__DIR__, "usr", "lib"))
    # Renamed into place: a process may have the old one open.
    fresh = cp(joinpath(target, "release", NAME), joinpath(folder, "$NAME.new"); force = true)
    mv(fresh, joinpath(folder, NAME); force = true)
    println("built ", joinpath(folder, NAME))
end

if isempty(get(ENV, "GOURSAT_LIBRARY", ""))
    build()
else
    println("GOURSAT_LIBRARY is set: nothing to build")
end
