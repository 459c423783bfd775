#!/usr/bin/env bash
# Before a release: what a stranger gets from the wheel and from the README, each in a clean place.
#
#   tools/release_check.sh            everything (about half an hour, most of it installing twice)
#   tools/release_check.sh wheel      the wheel alone
set -euo pipefail

part=${1:-all}
root=$(cd "$(dirname "$0")/.." && pwd)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
say() { printf '\n== %s\n' "$*"; }

say "building from what is committed"
mkdir "$place/source"
git -C "$root" archive HEAD | tar -x -C "$place/source"
git -C "$root" diff --quiet HEAD || echo "note: there are changes that are not committed; they are not checked"
python3 -m venv "$place/builder"
"$place/builder/bin/pip" install -q build
"$place/builder/bin/python" -m build -q --outdir "$place/dist" "$place/source"

say "the wheel holds the data, and nothing of the tests"
python3 - "$place"/dist/*.whl "$place/source" <<'PYTHON'
import subprocess, sys, zipfile
names = zipfile.ZipFile(sys.argv[1]).namelist()
listed = subprocess.run(["find", "workflows", "structures", "-type", "f"], capture_output=True, text=True, check=True, cwd=sys.argv[2])
missing = [name for name in listed.stdout.split() if f"nanoslab/{name}" not in names]
strays = [name for name in names if name.startswith(("tests/", "docs/"))]
sys.exit(f"missing: {missing}; strays: {strays}" if missing or strays else 0)
PYTHON

say "the wheel in a clean environment, from a folder of its own"
mkdir "$place/elsewhere" && cd "$place/elsewhere"
python3 -m venv "$place/clean"
wheel=$(ls "$place"/dist/*.whl)
"$place/clean/bin/pip" install -q -c "$place/source/constraints.txt" "$wheel[chgnet]"
"$place/clean/bin/pip" check
export PATH="$place/clean/bin:$PATH"
nanoslab --version
nanoslab knockon Se Cd --kv 200 300
nanoslab build nanosheet CdSe-wurtzite --face 11-20 --monolayers 7 -o POSCAR
nanoslab new cdse-nanosheet >cdse_nanosheet.yaml
nanoslab write cdse_nanosheet.yaml decks >/dev/null
nanoslab run cdse_nanosheet.yaml | tail -n 12
test -s cdse_nanosheet/report.html
[ "$part" = wheel ] && { say "the wheel is good"; exit 0; }

say "the two commands of the README, as they stand there, in a clean checkout"
cd "$place/source"
git init -q . # some tools look for the top of a checkout
for number in 1 2; do
    command=$(awk -v wanted="$number" '/^```bash/ {n++; inside = 1; next} /^```/ {inside = 0} inside && n == wanted' README.md)
    [ -n "$command" ] || { echo "README.md: expected bash block $number" >&2; exit 1; }
    echo "+ $command"
    (export PATH="${PATH#"$place/clean/bin:"}" && bash -euo pipefail -c "$command")
done
say "ready to release $("$place/clean/bin/nanoslab" --version)"
