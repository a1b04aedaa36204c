// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "spillway-benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "spillway", path: "../", traits: ["SQLiteSupport"]),
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.0", traits: []),
    ],
    targets: [
        .target(name: "CAllocations"),
        .target(name: "CLimits"),
        .executableTarget(
            name: "Report",
            dependencies: [
                "CAllocations", "CLimits", .product(name: "Spillway", package: "spillway"),
                .product(name: "CostLedger", package: "spillway"),
                .product(name: "GPUClient", package: "spillway"),
                .product(name: "ModelRouting", package: "spillway"),
                .product(name: "SpillwayTesting", package: "spillway"),
                .product(name: "SpillwaySQLite", package: "spillway"),
            ]
        ),
        .executableTarget(
            name: "Microbenchmarks",
            dependencies: [
                .product(name: "Benchmark", package: "benchmark"), .product(name: "Spillway", package: "spillway"),
            ],
            path: "Benchmarks/Microbenchmarks",
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]
        ),
    ],
    swiftLanguageModes: [.v6]
)
