// swift-tools-version: 6.2
import PackageDescription

// What every Swift target shares: the strictest settings that a consumer's build also accepts.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// A policy module: `SpillwayCore` and nothing else beneath it.
func module(
    _ name: String, _ dependencies: [Target.Dependency] = [], tests: [Target.Dependency] = []
) -> [Target] {
    [
        .target(name: name, dependencies: ["SpillwayCore", "CSpillway"] + dependencies),
        .testTarget(name: "\(name)Tests", dependencies: [.byName(name: name), "SpillwayTesting"] + tests),
    ]
}

let policyModules = [
    "CircuitBreaking", "Admission", "Retrying", "GPUClient", "Hedging", "CostLedger", "ModelRouting",
]
// What the tests of a module need beside it.
let moduleTests: [String: [Target.Dependency]] = [
    "GPUClient": ["CAllocations", "CFakeNVML", "CSpillway"], "Hedging": ["Retrying", "CAllocations"],
    "ModelRouting": ["CAllocations", "CSpillway"],
]
let umbrella: [Target.Dependency] = policyModules.map { .byName(name: $0) }

// Fetched only where the trait is enabled, because nothing names them without it.
let httpClient: [Target.Dependency] = [
    ("AsyncHTTPClient", "async-http-client"), ("NIOCore", "swift-nio"), ("NIOHTTP1", "swift-nio"),
    ("NIOPosix", "swift-nio"),
].map { .product(name: $0, package: $1, condition: .when(traits: ["HTTPClientSupport"])) }
let sqlite: [Target.Dependency] = [("GRDB", "GRDB.swift"), ("GRDBSQLite", "GRDB.swift")]
    .map { .product(name: $0, package: $1, condition: .when(traits: ["SQLiteSupport"])) }

let hiredis: [Target.Dependency] = [.target(name: "CHiredis", condition: .when(traits: ["ValkeySupport"]))]

let package = Package(
    name: "spillway",
    platforms: [.macOS(.v15), .iOS(.v18), .tvOS(.v18), .watchOS(.v11), .visionOS(.v2)],
    products: ([
        "SpillwayCore", "Spillway", "SpillwayTesting", "SpillwayHTTPClient", "SpillwaySQLite", "SpillwayValkey",
    ]
        + policyModules)
        .map {
            .library(name: $0, targets: [$0])
        },
    traits: [
        .default(enabledTraits: []),
        .trait(name: "HTTPClientSupport", description: "SpillwayHTTPClient: policies around AsyncHTTPClient"),
        .trait(
            name: "SQLiteSupport",
            description: "SpillwaySQLite: ledgers, jobs and sessions in files of SQLite, with GRDB"),
        .trait(name: "ValkeySupport", description: "SpillwayValkey: limits shared by a fleet, with hiredis"),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.80.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.30.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.5.0"),
    ],
    targets: [
        .systemLibrary(name: "CXXHash", providers: [.apt(["libxxhash-dev"]), .brew(["xxhash"])]),
        .target(name: "CSpillway", dependencies: ["CXXHash"]),
        .target(name: "SpillwayCore", dependencies: ["CSpillway"]),
        .testTarget(name: "SpillwayCoreTests", dependencies: ["SpillwayCore", "CSpillway", "SpillwayTesting"]),
        .target(name: "CAllocations", path: "Tests/CAllocations"),
        .target(name: "CFakeNVML", path: "Tests/CFakeNVML"),
        .testTarget(name: "AllocationTests", dependencies: ["Spillway", "CAllocations"]),
        .target(name: "SpillwayTesting", dependencies: ["SpillwayCore"]),
        .testTarget(name: "SpillwayTestingTests", dependencies: ["SpillwayTesting", "Spillway"]),
        .target(
            name: "SpillwayHTTPClient",
            dependencies: ["Spillway"] + httpClient
        ),
        .testTarget(
            name: "SpillwayHTTPClientTests",
            dependencies: ["SpillwayHTTPClient", "Spillway", "CostLedger", "SpillwayTesting"] + httpClient
        ),
        .target(
            name: "SpillwaySQLite", dependencies: ["SpillwayCore", "CostLedger", "GPUClient", "ModelRouting"] + sqlite),
        .testTarget(
            name: "SpillwaySQLiteTests",
            dependencies: [
                "SpillwaySQLite", "CostLedger", "GPUClient", "ModelRouting", "SpillwayCore", "SpillwayTesting",
            ] + sqlite
        ),
        .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"]), .brew(["hiredis"])]),
        .target(name: "SpillwayValkey", dependencies: ["SpillwayCore", "Admission", "CircuitBreaking"] + hiredis),
        .testTarget(
            name: "SpillwayValkeyTests",
            dependencies: ["SpillwayValkey", "Admission", "CircuitBreaking", "SpillwayCore", "SpillwayTesting"]
                + hiredis
        ),
    ]
        + policyModules.flatMap { module($0, tests: moduleTests[$0] ?? []) }
        + module("Spillway", umbrella),
    swiftLanguageModes: [.v6]
)

let inC = ["CXXHash", "CHiredis", "CSpillway", "CAllocations", "CFakeNVML"]
for target in package.targets where !inC.contains(target.name) {
    target.swiftSettings = strict + (target.swiftSettings ?? [])
}
