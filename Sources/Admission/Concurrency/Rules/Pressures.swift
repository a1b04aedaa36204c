#if canImport(Darwin)
private import Darwin
#elseif canImport(Glibc)
private import Glibc
#elseif canImport(Musl)
private import Musl
#endif

/// How near calls came to missing their goals: counts in eighths of an octave, from 1/64 to 4 times what they may take.
struct Pressures {
    private static let size = 64
    /// The first place in which a goal is missed.
    private static let met = 48

    private let counts: UnsafeMutablePointer<UInt32>

    /// Memory that is never freed: it belongs to a gate's state.
    init() {
        counts = .allocate(capacity: Self.size)
        counts.initialize(repeating: 0, count: Self.size)
    }

    func clear() { counts.update(repeating: 0, count: Self.size) }

    /// Counts a call that took `pressure` times what it may.
    func add(_ pressure: Double) {
        let place = pressure > 0 ? (log2(pressure) * 8).rounded(.up) - 1 + Double(Self.met) : 0
        counts[Int(min(max(place, 0), Double(Self.size - 1)))] += 1
    }

    /// How many calls missed a goal.
    var missed: Int {
        var sum: UInt32 = 0
        for place in Self.met..<Self.size { sum += counts[place] }
        return Int(sum)
    }

    /// The pressure, in octaves, that so many calls are above.
    func above(_ calls: Double) -> Double {
        var left = calls
        var place = Self.size - 1
        while place >= 0 {
            let here = Double(counts[place])
            if here > 0, left < here { return (Double(place + 1 - Self.met) - left / here) / 8 }
            left -= here
            place -= 1
        }
        return -Double(Self.met) / 8
    }
}
