public import SpillwayCore

extension Fault {
    /// The kinds of faults that a random script can be made of.
    public enum Form: String, Sendable, CaseIterable {
        case crash, hang, latency, slowdown, errors, rateLimit, memory, zoneLoss, clockJump, cancellation
    }
}

extension FaultScript {
    /// A script from a seed: each fault of any of `forms`, anywhere, at any time, all equally likely.
    ///
    /// Faults last up to a third of the span, delays and hints up to a tenth of it; GPUs are up to 16 times as slow, and
    /// clocks jump by up to a tenth of the span, back half of the time. Times are whole milliseconds. A call is cancelled at
    /// one of its first 40 awaits, the early ones more often.
    ///
    /// - Parameters:
    ///   - random: Where the choice comes from; a seeded source gives the same script every time.
    ///   - replicas: How many replicas there are, from 1 to 10,000.
    ///   - zones: How many zones there are, from 1 to 10,000; 1 by default.
    ///   - calls: How many calls there are that could be cancelled; 0, the default: none.
    ///   - span: When the last fault begins at the latest, from 10 ms to 10 years.
    ///   - count: How many faults, from 0 to 10,000.
    ///   - forms: What may happen; anything by default.
    /// - Throws: `ConfigurationError` with the parameter and its value.
    public static func random(
        using random: RandomSource, replicas: Int, zones: Int = 1, calls: Int = 0, span: Duration, count: Int,
        forms: [Fault.Form] = Fault.Form.allCases
    ) throws(ConfigurationError) -> FaultScript {
        let check = Validation("FaultScript")
        try check.count(replicas, "replicas", in: 1...10_000)
        try check.count(zones, "zones", in: 1...10_000)
        try check.count(calls, "calls", in: 0...Int.max)
        try check.duration(span, "span", atLeast: .milliseconds(10))
        try check.count(count, "count", in: 0...10_000)
        let forms = forms.filter { $0 != .cancellation || calls > 0 }
        try check.require(
            !forms.isEmpty || count == 0, "forms", forms, "at least one that is possible (cancellation takes calls)")
        let maker = FaultMaker(
            random: random, replicas: replicas, zones: zones, calls: calls, span: span.clampedNanoseconds / 1_000_000)
        var faults: [Fault] = []
        for _ in 0..<count { faults.append(try maker.fault(forms[maker.number(below: forms.count)])) }
        return FaultScript(faults)
    }
}

/// Makes one random fault after another.
private struct FaultMaker {
    let random: RandomSource
    let replicas: Int
    let zones: Int
    let calls: Int
    /// Milliseconds.
    let span: Int64

    func number(below limit: Int) -> Int { Int(random.next(through: UInt64(limit - 1))) }

    func fault(_ form: Fault.Form) throws(ConfigurationError) -> Fault {
        let start = time(upTo: span), length = time(upTo: span / 3)
        let short = time(upTo: span / 10), percent = number(below: 101), share = Double(percent) / 100
        // One fault in eight strikes a whole zone.
        let place: Fault.Place =
            number(below: 8) == 0 ? .zone(number(below: zones)) : .replica(number(below: replicas))
        return switch form {
        case .crash: try .crash(.replica(number(below: replicas)), at: start, for: length)
        case .hang: try .hang(place, at: start, for: length)
        case .latency: try .latency(place, adding: short, at: start, for: length)
        case .slowdown: try .slowdown(place, by: Double(100 + 15 * percent) / 100, at: start, for: length)
        case .errors: try .errors(place, rate: share, at: start, for: length)
        case .rateLimit:
            try .rateLimit(place, retryAfter: number(below: 2) == 0 ? nil : short, at: start, for: length)
        case .memory: try .memory(place, leaving: share, at: start, for: length)
        case .zoneLoss: try .zoneLoss(number(below: zones), at: start, for: length)
        case .clockJump: try .clockJump(by: number(below: 2) == 0 ? short : .zero - short, at: start)
        case .cancellation:
            try .cancellation(ofCall: number(below: calls), atAwait: number(below: 1 + number(below: 40)))
        }
    }

    private func time(upTo milliseconds: Int64) -> Duration {
        .milliseconds(Int64(random.next(through: UInt64(max(1, milliseconds)))))
    }
}
