#!/usr/bin/env bash
# Proves what a user of one module pays: builds a package that uses CircuitBreaking alone, and looks at what it fetched
# and what it links (invariant 8 of docs/architecture.md). Then builds the example that each module's page starts with.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir -p "$work/Sources/consumer"
cat >"$work/Package.swift" <<SWIFT
// swift-tools-version: 6.2
import PackageDescription
let package = Package(
    name: "consumer",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "spillway", path: "$root")],
    targets: [
        .executableTarget(name: "consumer", dependencies: [.product(name: "CircuitBreaking", package: "spillway")]),
        .target(
            name: "pages",
            dependencies: ["Spillway", "SpillwayTesting"].map { .product(name: \$0, package: "spillway") }
        ),
    ]
)
SWIFT
cat >"$work/Sources/consumer/main.swift" <<'SWIFT'
import CircuitBreaking
import SpillwayCore

func main() throws {
    let breaker = try CircuitBreaker("replica-1")
    let time = SystemTime()
    let permit = try breaker.admit(at: time.now)
    permit.settle(.success, at: time.now)
    print(breaker.counts(at: time.now).total)
}
try main()
SWIFT

# The first Swift example of each page. The adapters are left out: they pull packages.
mkdir -p "$work/Sources/pages"
for module in SpillwayCore CircuitBreaking Admission Retrying GPUClient Hedging ModelRouting Spillway SpillwayTesting; do
    awk '/^```swift$/ { inside = 1; next } /^```$/ { if (inside) exit } inside' \
        "$root/Sources/$module/$module.docc/$module.md" >"$work/Sources/pages/$module.swift"
    [ -s "$work/Sources/pages/$module.swift" ] || { echo "consumer: $module has no example" >&2; exit 1; }
done

fail() { printf 'consumer: %s\n' "$*" >&2; exit 1; }

cd "$work"
swift build -c release --product consumer -Xlinker -s >build.log 2>&1 || { cat build.log; fail 'it does not build'; }
[ "$(swift run -c release --skip-build consumer 2>/dev/null)" = 1 ] || fail 'the program does not count one call'

fetched=$(find .build/checkouts -mindepth 1 -maxdepth 1 2>/dev/null || true)
[ -z "$fetched" ] || fail "other packages were fetched: $fetched"

binary=.build/release/consumer
if command -v readelf >/dev/null; then linked=$(readelf -d "$binary" | grep NEEDED); else linked=$(otool -L "$binary"); fi
for unwanted in Foundation NIO xxhash sqlite hiredis; do
    if grep -qi "$unwanted" <<<"$linked"; then fail "the program links $unwanted: $linked"; fi
    if LC_ALL=C grep -qa "lib_\?$unwanted\|${unwanted}Core" "$binary"; then fail "the program names $unwanted"; fi
done
printf 'consumer: one package, no Foundation, no NIO, no libxxhash\n'
swift build --target pages >build.log 2>&1 || { cat build.log; fail 'an example of a page does not compile'; }
printf 'consumer: the examples of the pages compile\n'
