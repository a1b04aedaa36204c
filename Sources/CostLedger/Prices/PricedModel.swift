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
        guard let price = prices.last(where: { $0.from <= seconds })?.price else { throw .model }
        return try price.cost(of: usage, service: service)
    }

    /// Whether a call costs the same whatever it uses: then it need not say how many tokens it takes.
    func isFree(at time: Int64) -> Bool {
        (try? cost(of: Usage(input: Usage.most, output: Usage.most), service: .standard, at: time)) == .zero
    }
}
