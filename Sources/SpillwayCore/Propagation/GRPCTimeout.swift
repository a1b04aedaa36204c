/// The value of gRPC's `grpc-timeout`, such as `100m` for 100 ms.
///
/// Source: *gRPC over HTTP/2*, "Timeout": at most eight digits, and one of `H`, `M`, `S`, `m`, `u`, `n`.
package enum GRPCTimeout {
    private static let units: [(name: UInt8, nanoseconds: Int64)] = [
        (UInt8(ascii: "n"), 1), (UInt8(ascii: "u"), 1_000), (UInt8(ascii: "m"), 1_000_000),
        (UInt8(ascii: "S"), 1_000_000_000), (UInt8(ascii: "M"), 60_000_000_000), (UInt8(ascii: "H"), 3_600_000_000_000),
    ]

    /// What the value says; nil when it makes no sense.
    package static func read(_ value: String) -> Duration? {
        let digits = value.utf8.dropLast()
        guard (1...8).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }),
            let unit = units.first(where: { $0.name == value.utf8.last })
        else { return nil }
        let number = digits.reduce(0) { $0 * 10 + Int64($1 - 0x30) }
        return .nanoseconds(unit.nanoseconds) * number
    }

    /// The value that says `duration`, in the finest unit that has room for it, rounded down; `0n` for what is past.
    package static func write(_ duration: Duration) -> String {
        let nanoseconds = max(0, duration.clampedNanoseconds)
        let unit = units.first { nanoseconds / $0.nanoseconds < 100_000_000 } ?? units[units.count - 1]
        return "\(nanoseconds / unit.nanoseconds)\(Character(UnicodeScalar(unit.name)))"
    }
}
