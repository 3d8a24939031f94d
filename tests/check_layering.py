"""Fails if a file includes or touches what its folder may not: python3 check_layering.py ROOT"""

import pathlib
import re
import sys

# What a layer sees besides itself.
BELOW = {
    "autodiff": set(),
    "nn": {"autodiff"},
    "ode": {"autodiff"},
    "optim": {"autodiff"},
    "flows": {"autodiff", "nn", "ode", "optim"},
}
LAYERS = set(BELOW)
FOLDERS = LAYERS | {"apps", "bench", "examples", "tests"}
CPP_LIKE = re.compile(r"\.(c|cc|cpp|cxx|c\+\+|h|hh|hpp|hxx|h\+\+|inc|inl|ipp|tcc|tpp|ixx|cppm)$")
INCLUDE = re.compile(r'^\s*(?:/\*.*?\*/\s*)*#\s*(?:include|include_next|import)\b\s*(.*?)\s*$', re.M)
OWN_HEADER = re.compile(r"fjord/(\w+)/(?:\w+/)*\w+\.hpp")
# What autodiff keeps to itself and its own tests.
INNER_ROOM = re.compile(r"fjord/autodiff/(?:record|rules|kernels)/")
# What loops over raw memory know nothing of.
RECORDED = re.compile(r"fjord/autodiff/(?:ops/|rules/|(?:tape|var|sweep|operation|derivatives)\.hpp)")
TERMINAL = re.compile(r"\bstd::(?:cout|cerr|clog)\b|\b(?:printf|fprintf|puts|fputs|putchar|perror)\s*\(")

# Headers of others that only some folders may include: pattern, folders, what to do instead.
RESERVED = [
    (r"(.*/)?(xtensor|xtl|xflens|cblas|f77blas|openblas|lapack).*", {"autodiff", "bench"}, "use fjord/autodiff/tensor.hpp"),
    (r"chrono|ctime|time\.h|sys/time\.h", FOLDERS - LAYERS, "only programs see a clock"),
    (r"iostream|print|syncstream|termios\.h|sys/ioctl\.h", FOLDERS - LAYERS, "only programs see a terminal"),
    (r"fstream|filesystem|cstdio|stdio\.h|fcntl\.h|unistd\.h|sys/stat\.h|sys/mman\.h",
     FOLDERS - {"ode", "optim", "flows"}, "files belong to autodiff, nn and programs"),
]

# Of these each costs every user's file more to compile than all of a layer's own headers.
COSTLY = re.compile(r"filesystem|format|future|iostream|random|ranges|regex|sstream|fstream")


def visible(path):
    """The folders whose headers the file at `path`, relative to the root, may include."""
    top = path.parts[0]
    if top in LAYERS:
        return BELOW[top] | {top}
    if top == "tests" and path.parts[1] in LAYERS:
        return visible(pathlib.PurePath(*path.parts[1:])) | {"tests"}
    # Benchmarks time objectives that tests hold to published numbers.
    return LAYERS | {"apps": {"apps"}, "examples": set(), "bench": {"apps", "bench", "tests"}}.get(top, {"apps", top})


def own_include(path, name):
    """What is wrong with including a header of the repository, or None."""
    if name == "fjord/fjord.hpp":
        is_layer = LAYERS & set(path.parts[: 2 if path.parts[0] == "tests" else 1])
        return "umbrella headers are for programs" if is_layer else None
    match = OWN_HEADER.fullmatch(name)
    if not match:
        return "write \"fjord/<layer>/<file>.hpp\""
    layer = match[1]
    if layer not in visible(path):
        return f"{path.parts[0]}/ may only see {', '.join(sorted(visible(path)))}"
    if layer == "tests" and not name.startswith(("fjord/tests/support/", f"fjord/tests/{path.parts[1]}/")):
        return "what tests of several layers share is in tests/support"
    if name == f"fjord/{layer}/{layer}.hpp" and path.parts[0] in LAYERS:
        return "umbrella headers are for users, not for the layers"
    if name == "fjord/autodiff/ops/ops.hpp" and path.parts[0] in LAYERS and path.name != "autodiff.hpp":
        return "umbrella headers are for users, not for the layers"
    if path.parts[0] == "apps" and name.startswith("fjord/apps/") and name.split("/")[2] not in ("common", path.parts[1]):
        return "programs share what is in apps/common, which knows none of them"
    if INNER_ROOM.match(name) and "autodiff" not in path.parts[:2]:
        return "record, rules and kernels are for autodiff itself"
    if RECORDED.match(name) and path.parts[:2] == ("autodiff", "kernels"):
        return "kernels know no tape and no operation"
    if name == "fjord/ode/adjoint.hpp" and path.parts[0] == "ode" and path.stem not in ("adjoint", "backsolve", "ode"):
        return "the gradient modes sit above solve, which never mentions them"
    return None


def other_include(path, name):
    """What is wrong with including a header in angle brackets, or None."""
    parts = name.split("/")
    if parts[0] in FOLDERS | {"fjord", ""} or ".." in parts:
        return "write \"fjord/<layer>/<file>.hpp\""
    for pattern, folders, advice in RESERVED:
        if re.fullmatch(pattern, name) and path.parts[0] not in folders:
            return advice
    if path.suffix == ".hpp" and path.parts[0] in LAYERS and COSTLY.fullmatch(name):
        return "it takes long to compile: include it in sources alone"
    if name.startswith("xtensor") and path.name != "xt.hpp":
        return "use fjord/autodiff/kernels/xt.hpp, which mends it"
    return None


def problems_in(path, text):
    if path.suffix not in (".hpp", ".cpp"):
        yield f"{path}: C++ files end in .hpp or .cpp"
    for argument in INCLUDE.findall(text):
        quoted = re.match(r'"([^"]*)"', argument)
        angled = re.match(r"<([^>]*)>", argument)
        if quoted:
            problem = own_include(path, quoted[1])
        elif angled:
            problem = other_include(path, angled[1])
        else:
            problem = "name the header itself"
        if problem:
            yield f"{path}: includes {argument}; {problem}"
    if path.parts[0] in LAYERS:
        for call in TERMINAL.findall(text):
            yield f"{path}: {call}; libraries do not print"


def umbrella_problems(root):
    """fjord.hpp, the only C++ file of the root, includes the headers of all layers, and nothing else."""
    expected = sorted(f'"fjord/{layer}/{layer}.hpp"' for layer in LAYERS)
    umbrella = root / "fjord.hpp"
    if not umbrella.is_file() or INCLUDE.findall(umbrella.read_text(encoding="utf-8")) != expected:
        yield f"fjord.hpp: must include {', '.join(expected)}"
    for file in sorted(p for p in root.iterdir() if p.is_file() and CPP_LIKE.search(p.name.lower())):
        if file != umbrella:
            yield f"{file.name}: no folder for C++; they are {', '.join(sorted(FOLDERS))}"


def problems(root):
    yield from umbrella_problems(root)
    for layer in sorted(LAYERS):
        if not (root / layer / f"{layer}.hpp").is_file():
            yield f"{layer}/{layer}.hpp: missing, the header of everything in {layer}"
    for folder in sorted(p for p in root.iterdir() if p.is_dir() and not p.is_symlink()):
        if folder.name.startswith(".") or (folder / "meson-private").exists():
            continue
        for file in sorted(p for p in folder.rglob("*") if p.is_file() and CPP_LIKE.search(p.name.lower())):
            path = file.relative_to(root)
            if folder.name in FOLDERS:
                yield from problems_in(path, file.read_text(encoding="utf-8"))
            else:
                yield f"{path}: no folder for C++; they are {', '.join(sorted(FOLDERS))}"


if __name__ == "__main__":
    sys.exit("\n".join(problems(pathlib.Path(sys.argv[1]))) or 0)
