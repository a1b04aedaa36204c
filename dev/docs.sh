#!/usr/bin/env bash
# Builds the DocC pages of every module with warnings as errors, into .build/docs.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v docc >/dev/null || { echo 'docs: docc comes with the Swift toolchain, but is not on the PATH' >&2; exit 1; }
graphs=.build/symbol-graphs
# Graphs stay from run to run: a build writes only those of the modules that it compiles.
rm -rf .build/docs
mkdir -p "$graphs" .build/docs
swift build --enable-all-traits --scratch-path .build/docs-build \
    -Xswiftc -emit-symbol-graph -Xswiftc -emit-symbol-graph-dir -Xswiftc "$PWD/$graphs" \
    -Xswiftc -symbol-graph-minimum-access-level -Xswiftc public 2>&1 | tail -1
for catalogue in Sources/*/*.docc; do
    module=$(basename "$catalogue" .docc)
    own=.build/symbol-graphs-of/$module
    rm -rf "$own"
    mkdir -p "$own"
    cp "$graphs/$module.symbols.json" "$own/"
    for extension in "$graphs/$module@"*.symbols.json; do [ -e "$extension" ] && cp "$extension" "$own/"; done
    docc convert "$catalogue" --additional-symbol-graph-dir "$own" --warnings-as-errors \
        --fallback-display-name "$module" --fallback-bundle-identifier "spillway.$module" \
        --output-path ".build/docs/$module"
    echo "docs: $module"
done
