internal import SpillwayCore
internal import Synchronization

#if canImport(Darwin)
private import Darwin
#elseif canImport(Glibc)
private import Glibc
#elseif canImport(Musl)
private import Musl
#endif

/// The slow start for readers without a lock.
///
/// The end alone decides for most of them. One that reads while the words change may mix two ramps, and gets a share from 0
/// to 1 all the same.
final class RampWords: Sendable {
    private let start = Atomic<Int64>(.min)
    private let end = Atomic<Int64>(.min)
    private let floor = Atomic<UInt64>(0)
    private let exponent = Atomic<UInt64>(0)

    /// Writes only what is another than before, so that readers keep their lines.
    func set(_ machine: HealthMachine) {
        let configuration = machine.configuration
        let length = configuration.ramp.clampedNanoseconds
        write(machine.rampStart, to: start)
        write(length > 0 ? machine.rampStart.adding(length) : .min, to: end)
        write(configuration.rampFrom.bitPattern, to: floor)
        write((1 / configuration.aggression).bitPattern, to: exponent)
    }

    func share(at now: Int64) -> Double {
        let end = end.load(ordering: .relaxed)
        guard now < end else { return 1 }
        let start = start.load(ordering: .relaxed), floor = Double(bitPattern: floor.load(ordering: .relaxed))
        guard now > start, end > start else { return floor }
        let part = Double(now.since(start)) / Double(end.since(start))
        let exponent = Double(bitPattern: exponent.load(ordering: .relaxed))
        return min(1, max(floor, exponent == 1 ? part : pow(part, exponent)))
    }

    private func write(_ value: Int64, to word: borrowing Atomic<Int64>) {
        if word.load(ordering: .relaxed) != value { word.store(value, ordering: .relaxed) }
    }

    private func write(_ value: UInt64, to word: borrowing Atomic<UInt64>) {
        if word.load(ordering: .relaxed) != value { word.store(value, ordering: .relaxed) }
    }
}
