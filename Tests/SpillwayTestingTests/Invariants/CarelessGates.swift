import SpillwayCore
import SpillwayTesting

/// Seconds after the clock's origin.
func at(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64((seconds * 1e9).rounded())) }

/// A gate that lets all calls pass, and keeps or loses the words of every permit of a gate within.
final class CarelessHolder {
    private(set) var held: [RawPermit] = []

    /// Takes a permit of `gate` and keeps its words.
    func take(from gate: some Gate, at now: Instant) throws {
        held.append(try gate.admit(Call(), at: now).take())
    }
}

/// A gate that lets every call pass.
final class OpenGate: Gate {
    let name: String
    init(_ name: String = "open") { self.name = name }
    func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit { .free(at: now) }
}
