import Admission
import SpillwayCore

/// Judges a limit on tokens from outside when all is known, by brute force: what every call that was let in really used counts
/// from its admission, and what it used beyond its estimate from when that was known.
struct Hindsight {
    private struct Charge {
        let at: Int64
        var units: Int
        /// Whether somebody decided about it; what was used beyond an estimate was not asked for.
        let isDecided: Bool
    }

    let rate: Int
    let burst: Int
    private var charges: [Charge] = []

    init(rate: Int, burst: Int) {
        (self.rate, self.burst) = (rate, burst)
    }

    /// A call was let in with `estimate` units; returns its number.
    mutating func admit(_ estimate: Int, at now: Instant) -> Int {
        charges.append(Charge(at: now.nanoseconds, units: estimate, isDecided: true))
        return charges.count - 1
    }

    /// A call has ended, and used `real` units.
    mutating func settle(_ charge: Int, _ real: Int, at now: Instant) {
        let beyond = real - charges[charge].units
        charges[charge].units = min(charges[charge].units, real)
        if beyond > 0 { charges.append(Charge(at: now.nanoseconds, units: beyond, isDecided: false)) }
    }

    /// By how many billionths of a unit the worst call was let in too early; 0: none was.
    ///
    /// Charges must have come in the order of time.
    var excess: Int {
        var owed = 0, last = Int64.min, worst = 0
        for charge in charges {
            if last > .min { owed = max(0, owed - Int(charge.at - last) * rate) }
            last = max(last, charge.at)
            owed += charge.units * 1_000_000_000
            if charge.isDecided { worst = max(worst, owed - burst * 1_000_000_000) }
        }
        return worst
    }

    var used: Int { charges.reduce(0) { $0 + $1.units } }
}

/// A call that was let in, in a place that can be part of an array.
final class HeldCall {
    private var permit: Permit?
    let estimate: Int

    init(_ permit: consuming Permit, _ estimate: Int) {
        self.permit = consume permit
        self.estimate = estimate
    }

    /// Ends it in one of the ways in which calls end, and returns how much it used.
    func end(_ random: inout RandomSource, at now: Instant) -> Int {
        guard let permit = permit.take() else { return 0 }
        switch random.next(through: 9) {
        case 0:
            permit.void(at: now)
            return 0
        case 1:
            // Dropped without a word: it may have used all of it.
            permit.settle(.neutral(.cancelled), Measurements(), at: now)
            return estimate
        case 2:
            permit.settle(.failure(.connect), Measurements(), at: now)
            return 0
        case 3:
            let real = estimate + Int(random.next(through: UInt64(estimate)))
            permit.settle(.success, Measurements(usage: Usage(input: real)), at: now)
            return real
        default:
            let real = Int(random.next(through: UInt64(estimate)))
            permit.settle(.success, Measurements(usage: Usage(input: real / 2, output: real - real / 2)), at: now)
            return real
        }
    }
}
