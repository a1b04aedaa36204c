// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "spillway-examples",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "ledger", targets: ["LedgerTool"])],
    dependencies: [
        .package(name: "spillway", path: "../", traits: ["HTTPClientSupport", "SQLiteSupport", "ValkeySupport"]),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-async-algorithms", from: "1.1.0"),
        .package(url: "https://github.com/apple/swift-crypto", "3.12.0"..<"5.0.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.80.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.5.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.20.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.30.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.8.0"),
    ],
    targets: [
        .executableTarget(
            name: "Assistant",
            dependencies: [
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "CostLedger", package: "spillway"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Spillway", package: "spillway"),
                .product(name: "SpillwayHTTPClient", package: "spillway"),
                .product(name: "SpillwaySQLite", package: "spillway"),
            ]
        ),
        .executableTarget(
            name: "BatchEmbeddings",
            dependencies: [
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Spillway", package: "spillway"),
                .product(name: "SpillwayHTTPClient", package: "spillway"),
            ]
        ),
        .target(name: "Drawing"),
        .executableTarget(
            name: "FakeFleet",
            dependencies: [
                "FleetFaults",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "SpillwayCore", package: "spillway"),
                .product(name: "SpillwayTesting", package: "spillway"),
            ]
        ),
        .target(name: "FleetFaults"),
        .executableTarget(
            name: "Gateway",
            dependencies: [
                "Drawing",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncAlgorithms", package: "swift-async-algorithms"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "CostLedger", package: "spillway"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Spillway", package: "spillway"),
                .product(name: "SpillwayHTTPClient", package: "spillway"),
                .product(name: "SpillwaySQLite", package: "spillway"),
                .product(name: "Yams", package: "Yams"),
            ]
        ),
        .executableTarget(
            name: "FleetSimulation",
            dependencies: [
                "Drawing",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "CostLedger", package: "spillway"),
                .product(name: "Spillway", package: "spillway"),
                .product(name: "SpillwayTesting", package: "spillway"),
            ]
        ),
        .executableTarget(
            name: "GPUReport",
            dependencies: [
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "GPUClient", package: "spillway"),
            ]
        ),
        .executableTarget(
            name: "JobCrash",
            dependencies: [
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "ModelRouting", package: "spillway"),
                .product(name: "SpillwayCore", package: "spillway"),
                .product(name: "SpillwaySQLite", package: "spillway"),
            ]
        ),
        .executableTarget(
            name: "LedgerTool",
            dependencies: [
                "Drawing",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "CostLedger", package: "spillway"),
                .product(name: "SpillwayCore", package: "spillway"),
                .product(name: "SpillwaySQLite", package: "spillway"),
            ]
        ),
        .executableTarget(
            name: "LedgerCrash",
            dependencies: [
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "CostLedger", package: "spillway"),
                .product(name: "SpillwayCore", package: "spillway"),
                .product(name: "SpillwaySQLite", package: "spillway"),
            ]
        ),
        .executableTarget(
            name: "Replay",
            dependencies: [
                "Drawing", "FleetFaults",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "CostLedger", package: "spillway"),
            ]
        ),
        .executableTarget(
            name: "SharedLimitFleet",
            dependencies: [
                .product(name: "Admission", package: "spillway"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "SpillwayCore", package: "spillway"),
                .product(name: "SpillwayValkey", package: "spillway"),
            ]
        ),
        .testTarget(
            name: "AssistantTests",
            dependencies: [
                "Assistant", "FakeFleet",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "SpillwayHTTPClient", package: "spillway"),
            ]
        ),
        .testTarget(
            name: "BatchEmbeddingsTests",
            dependencies: [
                "BatchEmbeddings", "FakeFleet", "FleetFaults",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "Spillway", package: "spillway"),
                .product(name: "SpillwayHTTPClient", package: "spillway"),
                .product(name: "SpillwayTesting", package: "spillway"),
            ]
        ),
        .testTarget(
            name: "FakeFleetTests",
            dependencies: [
                "FakeFleet", "FleetFaults",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "SpillwayTesting", package: "spillway"),
            ]
        ),
        .testTarget(name: "FleetSimulationTests", dependencies: ["Drawing", "FleetSimulation"]),
        .testTarget(
            name: "GatewayTests",
            dependencies: [
                "FakeFleet", "FleetFaults", "Gateway",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "CostLedger", package: "spillway"),
                .product(name: "SpillwaySQLite", package: "spillway"),
                .product(name: "SpillwayTesting", package: "spillway"),
            ]
        ),
        .testTarget(
            name: "LedgerToolTests",
            dependencies: [
                "LedgerTool",
                .product(name: "CostLedger", package: "spillway"),
                .product(name: "SpillwayCore", package: "spillway"),
                .product(name: "SpillwaySQLite", package: "spillway"),
            ]
        ),
        .testTarget(
            name: "ReplayTests",
            dependencies: ["Drawing", "Replay", .product(name: "CostLedger", package: "spillway")]
        ),
        .testTarget(name: "JobCrashTests", dependencies: ["JobCrash"]),
        .testTarget(name: "LedgerCrashTests", dependencies: ["LedgerCrash"]),
        .testTarget(name: "SharedLimitFleetTests", dependencies: ["SharedLimitFleet"]),
    ],
    swiftLanguageModes: [.v6]
)
