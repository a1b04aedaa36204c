public import SpillwayCore

/// One kind of replica and what an answer costs there: money, time and carbon, for fleets of unlike hardware.
///
/// The price of an answer within the objective is what the replica costs while it makes the answer's tokens, at the load at which
/// the objective still holds. An hour that is not used costs as much: for that there is ``ReplicaPlan/idleCap``.
public struct ReplicaOffer: Sendable, Hashable {
    /// What it is called, such as `h200-spot`.
    public let name: String
    /// What it costs while it is deployed.
    public let price: ReplicaPrice
    /// Tokens of answers that it makes a second, for all its calls together, at that load; at least 1.
    public let tokensPerSecond: Int
    /// How long a call waits there for its first token, at that load.
    public let timeToFirstToken: Duration
    /// How long each further token takes, at that load.
    public let timePerToken: Duration
    /// What it draws at that load, with its part of the machine and the cooling; 0 when not said.
    public let watts: Int
    /// How dirty the current is, in grams of carbon dioxide; 0 when not said.
    public let gramsPerKilowattHour: Int

    /// A kind of replica.
    ///
    /// - Throws: `ConfigurationError` unless the name has 1 to 200 bytes, the speed is from 1 to 10⁹ tokens a second, times
    ///   are from 0 to 10 years, watts from 0 to 10⁶ and grams from 0 to 10,000.
    public init(
        _ name: String, price: ReplicaPrice, tokensPerSecond: Int, timeToFirstToken: Duration, timePerToken: Duration,
        watts: Int = 0, gramsPerKilowattHour: Int = 0
    ) throws(ConfigurationError) {
        let check = Validation("ReplicaOffer")
        try check.name(name)
        try check.count(tokensPerSecond, "tokensPerSecond", in: 1...1_000_000_000)
        try check.duration(timeToFirstToken, "timeToFirstToken")
        try check.duration(timePerToken, "timePerToken")
        try check.count(watts, "watts", in: 0...1_000_000)
        try check.count(gramsPerKilowattHour, "gramsPerKilowattHour", in: 0...10_000)
        self.name = name
        self.price = price
        self.tokensPerSecond = tokensPerSecond
        self.timeToFirstToken = timeToFirstToken
        self.timePerToken = timePerToken
        self.watts = watts
        self.gramsPerKilowattHour = gramsPerKilowattHour
    }

    /// What an answer of so many tokens costs, in nano-dollars, rounded to the nearest, ties to even; a count below 0 is 0.
    public func nanoDollars(tokens: Int) -> Int64 {
        Self.rounded(Int128(price.nanoDollarsPerHour) * Int128(max(0, tokens)), over: 3_600 * Int128(tokensPerSecond))
    }

    /// What it costs in carbon dioxide, in millionths of a gram, rounded likewise; 0 where watts or grams were not said.
    public func micrograms(tokens: Int) -> Int64 {
        // Watts × seconds ⁄ 3,600,000 are kilowatt-hours; × 1,000,000 for millionths.
        let work = Int128(watts) * Int128(gramsPerKilowattHour) * Int128(max(0, tokens)) * 10
        return Self.rounded(work, over: 36 * Int128(tokensPerSecond))
    }

    /// How long an answer of so many tokens takes there; stops at 292 years.
    public func duration(tokens: Int) -> Duration {
        let further = Int128(timePerToken.clampedNanoseconds) * Int128(max(0, tokens - 1))
        return .nanoseconds(Int64(clamping: further + Int128(timeToFirstToken.clampedNanoseconds)))
    }

    /// The offers that answer in time, the best first; of two alike the one that was named first.
    ///
    /// - Parameters:
    ///   - offers: What there is to choose from.
    ///   - tokens: How long the answer will be.
    ///   - limit: How long the whole answer may take.
    ///   - nanoDollarsPerKilogram: What a kilogram of carbon dioxide counts for beside the money: 0, the default, for nothing,
    ///     100,000,000 for 100 dollars a ton; one below 0 counts as 0.
    public static func ranked(
        _ offers: [ReplicaOffer], tokens: Int, within limit: Duration, nanoDollarsPerKilogram: Int64 = 0
    ) -> [ReplicaOffer] {
        offers.enumerated().filter { $0.element.duration(tokens: tokens) <= limit }
            .map { (cost: $0.element.cost(tokens, nanoDollarsPerKilogram), index: $0.offset, offer: $0.element) }
            .sorted { ($0.cost, $0.index) < ($1.cost, $1.index) }
            .map(\.offer)
    }

    /// Money and carbon together; a sum at full width, so that the largest amounts still order.
    private func cost(_ tokens: Int, _ nanoDollarsPerKilogram: Int64) -> Int128 {
        let carbon = Int128(micrograms(tokens: tokens)) * Int128(max(0, nanoDollarsPerKilogram))
        return Int128(nanoDollars(tokens: tokens)) + carbon / 1_000_000_000
    }

    private static func rounded(_ product: Int128, over divisor: Int128) -> Int64 {
        let (quotient, rest) = product.quotientAndRemainder(dividingBy: divisor)
        let isUp = 2 * rest > divisor || (2 * rest == divisor && quotient & 1 != 0)
        return Int64(clamping: quotient + (isUp ? 1 : 0))
    }
}
