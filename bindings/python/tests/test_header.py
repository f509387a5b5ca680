"""The declarations against include/goursat.h, which is parsed here without a word from the package."""

import ctypes
import re
from pathlib import Path

import pytest

import goursat
from goursat import _native

HEADER = Path(__file__).resolve().parents[3] / "include" / "goursat.h"
SIZES = {"size_t": 8, "uint64_t": 8, "int64_t": 8, "double": 8, "int32_t": 4, "uint32_t": 4, "int": 4}
SIGNED = {"int32_t", "int64_t", "int"}


@pytest.fixture(scope="module")
def header():
    text = HEADER.read_text()
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL)
    return re.sub(r"//.*", " ", text)


def functions_of(header):
    code = re.sub(r"^\s*#.*$", "", header, flags=re.MULTILINE)
    found = re.findall(r"([\w\s]+?[\s*]+)(goursat_\w+)\s*\(([^()]*)\)\s*;", code)
    return {name: (" ".join(result.split()), arguments) for result, name, arguments in found}


def assert_is(kind, c_type):
    """A ctypes type carries a C type."""
    c_type = " ".join(c_type.replace("*", " * ").split())
    if "*" in c_type or c_type == "goursat_progress":
        expected = (ctypes.c_char_p,) if c_type == "const char *" else (ctypes.c_void_p,)
        assert kind in expected or (c_type == "goursat_progress" and kind is _native.Progress), (kind, c_type)
    else:
        assert ctypes.sizeof(kind) == SIZES[c_type], (kind, c_type)
        if c_type == "double":
            assert kind is ctypes.c_double
        else:
            assert kind(-1).value == (-1 if c_type in SIGNED else 2 ** (8 * SIZES[c_type]) - 1), (kind, c_type)


def test_every_function_is_declared_and_no_other(header):
    functions = functions_of(header)
    assert len(functions) > 25
    assert set(functions) == set(_native.declarations())


def test_results_and_arguments(header):
    functions = functions_of(header)
    for name, (restype, argtypes) in _native.declarations().items():
        result, arguments = functions[name]
        assert_is(restype, result)
        arguments = [] if arguments.strip() == "void" else arguments.split(",")
        assert len(arguments) == len(argtypes), name
        for argument, kind in zip(arguments, argtypes):
            assert_is(kind, re.fullmatch(r"\s*(.*?)\w+\s*", argument, re.DOTALL).group(1))


def test_precision_and_names_of_arguments(header):
    """A double where T is double, under the same name: the C types that an address hides."""
    functions = functions_of(header)
    for prototype in " ".join(_native.PROTOTYPES.split()).rstrip(";").split(";"):
        head, ours = prototype.strip().rstrip(")").split("(")
        name = head.split("goursat_")[1]
        suffixes = {"_f64": "double", "_f32": "float"} if "T *" in ours else {"": "T"}
        for suffix, precision in suffixes.items():
            theirs = " ".join(functions[f"goursat_{name}{suffix}"][1].split())
            theirs = theirs.replace("struct ", "")
            assert theirs == re.sub(r"\bT\b", precision, ours)


def test_functions_carry_their_declarations():
    for name, (restype, argtypes) in _native.declarations().items():
        function = _native.FUNCTIONS[name[len("goursat_") :]]
        assert function.__name__ == name
        assert function.restype is restype
        assert list(function.argtypes) == argtypes


STRUCTS = [("goursat_options", _native.Options), ("goursat_cuda_device_info", _native.CudaDeviceInfo)]


@pytest.mark.parametrize("name, ours", STRUCTS)
def test_structs(header, name, ours):
    body = re.search(rf"typedef struct {name} \{{(.*?)\}} {name};", header, re.DOTALL).group(1)
    lines = [line.strip() for line in body.split(";") if line.strip()]
    theirs = [re.fullmatch(r"(.*?)(\w+)(?:\[(\d+)\])?", line, re.DOTALL) for line in lines]
    assert [field.group(2) for field in theirs] == [name for name, _ in ours._fields_]
    for field, (_, kind) in zip(theirs, ours._fields_):
        if field.group(3):
            assert kind._length_ == int(field.group(3))
            kind = kind._type_
        if field.group(1).strip() == "char":
            assert kind is ctypes.c_char
        else:
            assert_is(kind, field.group(1))


@pytest.mark.parametrize("name, ours", STRUCTS)
def test_no_padding(name, ours):
    """So the offsets are the sums of the sizes, whatever the compiler."""
    assert ctypes.sizeof(ours) == sum(ctypes.sizeof(kind) for _, kind in ours._fields_)


def test_progress_callback(header):
    declared = re.search(r"typedef\s+int\s*\(\*goursat_progress\)\s*\(([^()]*)\)", header).group(1)
    kinds = [re.fullmatch(r"\s*(.*?)\w*\s*", argument).group(1) for argument in declared.split(",")]
    assert _native.Progress._restype_ is ctypes.c_int
    assert len(kinds) == len(_native.Progress._argtypes_)
    for kind, c_type in zip(_native.Progress._argtypes_, kinds):
        assert_is(kind, c_type)


def test_flags_and_statuses(header):
    flags = dict(re.findall(r"#define\s+GOURSAT_(\w+)\s+\(?(?:UINT64_C\()?(\d+)", header))
    for name in ("TIME_AUG", "LEAD_LAG", "LAG_FIRST", "SCALAR_TERM", "SYMMETRIC", "DIRECT"):
        assert getattr(_native, name) == int(flags[name])
    for name in ("HOST", "CUDA", "CUDA_COPY"):
        assert getattr(_native, name) == int(flags[name])
    statuses = dict(re.findall(r"GOURSAT_(\w+)\s*=\s*(\d+)", header))
    assert len(statuses) == 16
    for name, value in statuses.items():
        assert getattr(_native, name) == int(value)
        assert _native.FUNCTIONS["status_name"](int(value)).decode() == f"GOURSAT_{name}"


def test_versions(header):
    """One version everywhere: Cargo.toml's."""
    manifest = (HEADER.parents[1] / "Cargo.toml").read_text()
    version = re.search(r'^version = "(.+)"', manifest, re.MULTILINE).group(1)
    assert goursat.__version__ == version
    assert re.search(r'#define GOURSAT_VERSION "(.+)"', header).group(1) == version
    major, minor, patch = map(int, version.split("."))
    assert _native.FUNCTIONS["version_number"]() == 10000 * major + 100 * minor + patch
