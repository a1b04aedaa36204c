internal import SpillwayCore

/// The prices of one model over time, as an account looks them up.
final class PricedModel: Sendable {
    private let prices: [(from: Int64, price: Price)]

    init?(_ prices: [(from: Int64, price: Price)]) {
        if prices.isEmpty { return nil }
        self.prices = prices
    }

    /// What `usage` costs at `time`, in nanoseconds since 1970.
    func cost(of usage: Usage, service: Price.Service, at time: Int64) throws(Unpriced) -> Money {
        let seconds = time / 1_000_000_000
        // The last that holds. Not `last(where:)`, which allocates in builds without optimisation.
        var index = prices.count - 1
        while index >= 0, prices[index].from > seconds { index -= 1 }
        guard index >= 0 else { throw .model }
        return try prices[index].price.cost(of: usage, service: service)
    }

    /// Whether a call costs the same whatever it uses: then it need not say how many tokens it takes.
    func isFree(at time: Int64) -> Bool {
        (try? cost(of: Usage(input: Usage.most, output: Usage.most), service: .standard, at: time)) == .zero
    }
}
