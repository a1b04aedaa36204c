#!/usr/bin/env bash
# Makes Examples/.build/python: a virtual environment with the official OpenAI client, for the gateway's tests.
# Without a network it says so and the tests are left out; where CI is set that is an error.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf 'python: %s\n' "$*" >&2; }
wanted=Examples/Tests/PythonClientTests/requirements.txt
place=Examples/.build/python

cmp -s "$wanted" "$place/requirements.txt" && [ -x "$place/bin/python" ] && exit 0

fail() {
    rm -rf "$place"
    say "$*"
    [ -z "${CI:-}" ] || { say 'CI is set, so this is an error.'; exit 1; }
    say '*** The tests with the official OpenAI client WILL BE SKIPPED. ***'
    exit 0
}

command -v python3 >/dev/null || fail 'there is no python3'
rm -rf "$place"
mkdir -p "$(dirname "$place")"
say "installing $(grep '^openai==' "$wanted") in $place"
python3 -m venv "$place" || fail 'python3 -m venv does not work; is python3-venv installed?'
"$place/bin/python" -m pip install --quiet --disable-pip-version-check --retries 2 --requirement "$wanted" ||
    fail 'the packages cannot be fetched; is there a network?'
# Last, so that what is half made is made again.
cp "$wanted" "$place/requirements.txt"
