// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "spillway-benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "spillway", path: "../")],
    targets: [
        .target(name: "CAllocations"),
        .target(name: "CLimits"),
        .executableTarget(
            name: "Report",
            dependencies: ["CAllocations", "CLimits", .product(name: "Spillway", package: "spillway")]
        ),
    ],
    swiftLanguageModes: [.v6]
)
