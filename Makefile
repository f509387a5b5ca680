# Goursat: what is done to the whole repository. `make help` lists it.

CARGO ?= cargo
PYTHON ?= python3
export CARGO_TARGET_DIR := $(abspath $(or $(CARGO_TARGET_DIR),target))
RELEASE = $(CARGO_TARGET_DIR)/release
PIP = install --quiet --disable-pip-version-check

CPU = $(shell cat /proc/cpuinfo 2>/dev/null)
# Tests that depend on the level and do not run every one of them by themselves.
LEVEL_TESTS = $(filter-out abi abi_memory bad_input fork levels readme signature threads,\
	$(basename $(notdir $(wildcard tests/*.rs))))
# SIMD levels that this machine has below its best one: GOURSAT_SIMD lowers the level, it never raises it.
LESSER = $(if $(filter avx512f,$(CPU)),portable avx2,$(if $(filter avx2,$(CPU)),portable))

.PHONY: all help demo test test-rust test-levels test-python test-peers test-cuda-kernels bench-cuda ptx check-ptx header bench bench-peers clean
.DEFAULT_GOAL := all

all: ## build the shared and the static library
	$(CARGO) build --release --lib --locked
	@echo "$(RELEASE)/libgoursat.{so,a}; headers in include/"

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1 /p' $(MAKEFILE_LIST) | while read -r target text; do \
		printf '  make %-18s %s\n' "$$target" "$$text"; \
	done

demo: build/demo/ready ## signature kernels of real market data: a table and build/goursat-demo.png
	build/demo/bin/python -m goursat.demo --output build/goursat-demo.png

test: test-rust test-levels test-python ## everything but the peers

test-rust: ## format, lints, documentation, tests in Rust, C and C++
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps
	$(CARGO) test --locked

test-levels: ## the tests in Rust at each lesser SIMD level of this machine
	@echo "lesser levels here: $(or $(LESSER),none)"
	set -e; for level in $(LESSER); do \
		echo "GOURSAT_SIMD=$$level"; \
		GOURSAT_SIMD=$$level $(CARGO) test --locked $(addprefix --test ,$(LEVEL_TESTS)); \
	done

test-python: build/test/ready ## the Python package: its tests, doctests, the vectors at each SIMD level
	build/test/bin/pytest -q bindings/python
	set -e; for level in $(LESSER); do \
		echo "GOURSAT_SIMD=$$level"; \
		GOURSAT_SIMD=$$level build/test/bin/pytest -q bindings/python/tests/test_vectors.py; \
	done

test-peers: build/peers/ready ## other people's libraries against tests/vectors (downloads some gigabytes)
	build/peers/bin/python tests/vectors/check.py

# The CUDA kernels, on the CPU: tests/cuda/shim.hpp takes the place of CUDA.
CUDA_TESTS = build/cuda-tests/faults build/cuda-tests/kernels build/cuda-tests/signatures
GOURSAT_ARCHIVE ?= $(RELEASE)/libgoursat.a

test-cuda-kernels: $(CUDA_TESTS) build/cuda-tests/libcuda.so build/test/ready ## the CUDA kernels, compiled for the CPU, against the library: needs no GPU
	build/cuda-tests/faults
	build/cuda-tests/kernels f32 & other=$$!; build/cuda-tests/kernels f64; mine=$$?; wait $$other && exit $$mine
	build/cuda-tests/signatures f32 & other=$$!; build/cuda-tests/signatures f64; mine=$$?; wait $$other && exit $$mine
	GOURSAT_LIBCUDA=$(abspath build/cuda-tests/libcuda.so) build/test/bin/python benches/cuda/time_kernels.py --check --small
	GOURSAT_LIBCUDA=$(abspath build/cuda-tests/libcuda.so) build/test/bin/python benches/cuda/time_kernels.py --small

build/cuda-tests/%: tests/cuda/%.cpp $(wildcard tests/cuda/*.hpp kernels/*.cu kernels/*.cuh kernels/*.list) $(GOURSAT_ARCHIVE)
	mkdir -p $(@D)
	$(CXX) -std=c++17 -O1 $(if $(filter fma,$(CPU)),-mfma) -ffp-contract=off -Wall -Wextra -Werror -Wno-unknown-pragmas -Wno-clobbered -Iinclude \
		$< -o $@ $(GOURSAT_ARCHIVE) -lpthread -ldl -lm

build/cuda-tests/libcuda.so: tests/cuda/driver.cpp tests/cuda/shim.hpp $(wildcard kernels/*.cu kernels/*.cuh kernels/*.list)
	mkdir -p $(@D)
	$(CXX) -std=c++17 -O0 $(if $(filter fma,$(CPU)),-mfma) -ffp-contract=off -Wall -Wextra -Werror -Wno-unknown-pragmas \
		-Wno-clobbered -shared -fPIC $< -o $@

bench-cuda: ## times of the CUDA kernels beside their floors: needs a GPU and its driver, and Python with NumPy
	$(PYTHON) benches/cuda/time_kernels.py

$(RELEASE)/libgoursat.a:
	$(CARGO) build --release --lib --locked

ptx: build/kernels/ready ## write kernels/*.ptx and kernels/STATIC.md anew
	build/kernels/bin/python kernels/generate.py

check-ptx: build/kernels/ready ## fail where kernels/*.ptx or kernels/STATIC.md are not what the sources give
	build/kernels/bin/python kernels/generate.py --check

header: ## write include/goursat.h anew from src/ffi
	GOURSAT_BLESS=1 $(CARGO) test --locked --test abi header_is_fresh

bench: ## benchmarks on one thread; GOURSAT_SIMD=avx2 make bench for another level
	GOURSAT_NUM_THREADS=1 $(CARGO) bench --locked

bench-peers: build/peers/ready ## beside pySigLib on one thread: build/peers.md and build/peers.csv
	build/peers/bin/python -m pip $(PIP) ./bindings/python
	build/peers/bin/python benches/peers/compare.py

clean: ## remove all that was built
	$(CARGO) clean
	rm -rf build

# Virtual environments. The library's is installed anew whenever a target asks for it: cargo knows what changed.

.PHONY: build/demo/ready build/test/ready
build/demo/ready: build/demo/bin/python
	build/demo/bin/python -m pip $(PIP) "./bindings/python[demo]"

build/test/ready: build/test/bin/python
	build/test/bin/python -m pip $(PIP) "./bindings/python[test]"

build/kernels/ready: build/kernels/bin/python kernels/requirements.txt
	build/kernels/bin/python -m pip $(PIP) -r kernels/requirements.txt
	touch $@

build/peers/ready: build/peers/bin/python
	build/peers/bin/python -m pip $(PIP) --upgrade setuptools wheel numpy
	build/peers/bin/python -m pip $(PIP) --no-build-isolation iisignature==0.24
	build/peers/bin/python -m pip $(PIP) esig==1.0.0 torch pysiglib==4.0.0
	touch $@

build/%/bin/python:
	@$(PYTHON) -c "import ensurepip, venv" 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments: on Debian and Ubuntu, apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv build/$*
