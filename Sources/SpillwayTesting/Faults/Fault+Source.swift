internal import SpillwayCore

extension Fault: CustomStringConvertible {
    /// The fault as Swift source, such as `.crash(.replica(3), at: .seconds(2), for: .milliseconds(1500))`.
    public var description: String {
        let span = "at: \(start.source), for: \(length.source)"
        return switch (kind, place) {
        case (.crash, .zone(let zone)): ".zoneLoss(\(zone), \(span))"
        case (.clockJump(let jump), _): ".clockJump(by: \(jump.source), at: \(start.source))"
        case (.cancellation(let call, let number), _): ".cancellation(ofCall: \(call), atAwait: \(number))"
        default: ".\(name)(\(placeSource)\(arguments), \(span))"
        }
    }

    private var name: String {
        switch kind {
        case .crash: "crash"
        case .hang: "hang"
        case .latency: "latency"
        case .slowdown: "slowdown"
        case .errors: "errors"
        case .rateLimit: "rateLimit"
        case .memory: "memory"
        case .clockJump: "clockJump"
        case .cancellation: "cancellation"
        }
    }

    private var arguments: String {
        switch kind {
        case .latency(let delay): ", adding: \(delay.source)"
        case .slowdown(let factor): ", by: \(factor)"
        case .errors(let rate): ", rate: \(rate)"
        case .rateLimit(let hint): ", retryAfter: \(hint?.source ?? "nil")"
        case .memory(let share): ", leaving: \(share)"
        case .crash, .hang, .clockJump, .cancellation: ""
        }
    }

    private var placeSource: String {
        switch place {
        case .replica(let number)?: ".replica(\(number))"
        case .zone(let number)?: ".zone(\(number))"
        case nil: ""
        }
    }
}

extension Duration {
    /// A duration of whole nanoseconds as Swift source, in the largest unit that is exact.
    var source: String {
        let nanoseconds = clampedNanoseconds
        let units: [(name: String, size: Int64)] = [
            ("seconds", 1_000_000_000), ("milliseconds", 1_000_000), ("microseconds", 1_000),
        ]
        if nanoseconds == 0 { return ".zero" }
        for unit in units where nanoseconds % unit.size == 0 { return ".\(unit.name)(\(nanoseconds / unit.size))" }
        return ".nanoseconds(\(nanoseconds))"
    }
}
