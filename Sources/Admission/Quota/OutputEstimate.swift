public import SpillwayCore

/// Estimates how many tokens an answer will have, from those that came of late on the same route: a high quantile of them, and
/// never more than the longest that the call allows.
///
/// A limit that holds the longest answer for every call is mostly held for nothing. Answers that were cut at their longest count as
/// at least that (the product limit of Kaplan and Meier, *Journal of the American Statistical Association*, 1958). Until enough
/// answers have come the longest is held. The quantile is read off at most once a second and route.
public final class OutputEstimate: Sendable {
    /// What is estimated, and from how much.
    public struct Configuration: Sendable, Hashable {
        /// The part of answers that shall have no more tokens than estimated, from 0.5 to 0.999; 0.95 by default.
        public var quantile = 0.95
        /// How many answers must be known, from 10 to 100,000; 50 by default.
        public var enough = 50
        /// How long answers count: this long in full, and as long again with those of the span before; 10 minutes by default.
        public var span: Duration = .seconds(600)
        /// How many routes are told apart, from 1 to 1,024; 64 by default.
        ///
        /// Each takes 90 KB once it is used; those beyond hold the
        /// longest answer.
        public var routes = 64

        /// The defaults.
        public init() {}

        /// An estimate of `quantile`, once `enough` answers are known.
        public init(quantile: Double, enough: Int = 50, span: Duration = .seconds(600), routes: Int = 64) {
            self.quantile = quantile
            self.enough = enough
            self.span = span
            self.routes = routes
        }
    }

    /// What was configured.
    public let configuration: Configuration
    private let routes = Locked<[String: AnswerLengths]>([:])

    /// An estimate that knows no answers.
    ///
    /// - Throws: `ConfigurationError` with the field and its value.
    public init(_ configuration: Configuration = Configuration()) throws(ConfigurationError) {
        let check = Validation("OutputEstimate")
        try check.number(configuration.quantile, "quantile", in: 0.5...0.999)
        try check.count(configuration.enough, "enough", in: 10...100_000)
        try check.duration(configuration.span, "span", atLeast: .seconds(1))
        try check.count(configuration.routes, "routes", in: 1...1_024)
        self.configuration = configuration
    }

    /// What a call is taken to use: its prompt, and as many tokens of answer as are likely to be enough.
    ///
    /// - Parameters:
    ///   - input: Tokens of the prompt.
    ///   - maxOutput: The longest answer that the call allows; never is more estimated.
    ///   - expected: What the caller expects, where it knows better than the past.
    ///   - route: What calls have in common, such as the name of a feature; all by default.
    ///   - now: The time of the call; the machine's by default.
    public func tokens(
        input: Int, maxOutput: Int, expected: Int? = nil, route: String = "", at now: Instant = SystemTime().now
    ) -> Call.Tokens {
        if let expected { return .estimate(input: input, maxOutput: min(expected, maxOutput)) }
        let usual = lengths(of: route)?.quantile(configuration, at: now)
        return .estimate(input: input, maxOutput: min(usual ?? maxOutput, maxOutput))
    }

    /// Takes note of an answer.
    ///
    /// - Parameters:
    ///   - output: Tokens that the answer had.
    ///   - isCut: Whether it was cut because it was as long as it might be, or for another reason; then it would have had more.
    ///   - route: What calls have in common; all by default.
    ///   - now: When it ended; the machine's time by default.
    public func learn(
        output: Int, isCut: Bool = false, route: String = "", at now: Instant = SystemTime().now
    ) {
        lengths(of: route, adds: true)?.add(output, isCut: isCut, configuration.span, at: now)
    }

    /// How many routes are known.
    public var routeCount: Int { routes.withLock { $0.count } }

    private func lengths(of route: String, adds: Bool = false) -> AnswerLengths? {
        routes.withLock { routes in
            if let known = routes[route] { return known }
            guard adds, routes.count < configuration.routes else { return nil }
            let new = AnswerLengths()
            routes[route] = new
            return new
        }
    }
}
