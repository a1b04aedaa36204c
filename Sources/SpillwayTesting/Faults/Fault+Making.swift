public import SpillwayCore

extension Fault {
    /// A process that dies, and comes back with an empty cache after `length`.
    ///
    /// - Throws: `ConfigurationError`, as all of these do: for a number of a place that is not from 0 to 9,999, and times
    ///   that are not from 0 to 10 years.
    public static func crash(
        _ place: Place, at start: Duration, for length: Duration
    ) throws(ConfigurationError) -> Fault {
        try Fault(.crash, place, start, length)
    }

    /// A process that takes requests and answers none, as with a kernel in deadlock.
    ///
    /// - Throws: `ConfigurationError`.
    public static func hang(
        _ place: Place, at start: Duration, for length: Duration
    ) throws(ConfigurationError) -> Fault {
        try Fault(.hang, place, start, length)
    }

    /// Answers that begin later by `delay`, up to 10 years.
    ///
    /// - Throws: `ConfigurationError`.
    public static func latency(
        _ place: Place, adding delay: Duration, at start: Duration, for length: Duration
    ) throws(ConfigurationError) -> Fault {
        try Validation("Fault").duration(delay, "latency")
        return try Fault(.latency(.nanoseconds(delay.clampedNanoseconds)), place, start, length)
    }

    /// A GPU that computes `factor` times as slowly, from 1 to 1,000.
    ///
    /// - Throws: `ConfigurationError`.
    public static func slowdown(
        _ place: Place, by factor: Double, at start: Duration, for length: Duration
    ) throws(ConfigurationError) -> Fault {
        try Validation("Fault").number(factor, "slowdown", in: 1...1_000)
        return try Fault(.slowdown(factor), place, start, length)
    }

    /// Server errors in answer to a share of requests, from 0 to 1.
    ///
    /// - Throws: `ConfigurationError`.
    public static func errors(
        _ place: Place, rate: Double, at start: Duration, for length: Duration
    ) throws(ConfigurationError) -> Fault {
        try Validation("Fault").number(rate, "rate", in: 0...1)
        return try Fault(.errors(rate), place, start, length)
    }

    /// Refusals for the caller's quota (HTTP 429), with a hint of up to 10 years, or none.
    ///
    /// - Throws: `ConfigurationError`.
    public static func rateLimit(
        _ place: Place, retryAfter: Duration?, at start: Duration, for length: Duration
    ) throws(ConfigurationError) -> Fault {
        if let retryAfter { try Validation("Fault").duration(retryAfter, "retryAfter") }
        let hint = retryAfter.map { Duration.nanoseconds($0.clampedNanoseconds) }
        return try Fault(.rateLimit(retryAfter: hint), place, start, length)
    }

    /// GPU memory that runs out: a share from 0 to 1 is left for keys and values.
    ///
    /// - Throws: `ConfigurationError`.
    public static func memory(
        _ place: Place, leaving share: Double, at start: Duration, for length: Duration
    ) throws(ConfigurationError) -> Fault {
        try Validation("Fault").number(share, "leaving", in: 0...1)
        return try Fault(.memory(share), place, start, length)
    }

    /// The loss of all replicas of a zone at once.
    ///
    /// - Throws: `ConfigurationError`.
    public static func zoneLoss(
        _ zone: Int, at start: Duration, for length: Duration
    ) throws(ConfigurationError) -> Fault {
        try crash(.zone(zone), at: start, for: length)
    }

    /// A clock that jumps by up to 10 years, forward or back.
    ///
    /// - Throws: `ConfigurationError`.
    public static func clockJump(by jump: Duration, at start: Duration) throws(ConfigurationError) -> Fault {
        let most = Duration.seconds(315_576_000)
        try Validation("Fault").require(jump >= .zero - most && jump <= most, "jump", jump, "at most 10 years")
        return try Fault(.clockJump(.nanoseconds(jump.clampedNanoseconds)), nil, start, .zero)
    }

    /// A caller that goes away just before its call goes on for the n-th time, 0 being its start.
    ///
    /// - Throws: `ConfigurationError` for negative numbers.
    public static func cancellation(ofCall call: Int, atAwait: Int) throws(ConfigurationError) -> Fault {
        try Validation("Fault").count(call, "call", in: 0...Int.max)
        try Validation("Fault").count(atAwait, "atAwait", in: 0...Int.max)
        return try Fault(.cancellation(call: call, atAwait: atAwait), nil, .zero, .zero)
    }
}
