/// What models cost, and from when on.
public struct PriceBook: Sendable {
    private var prices: [String: [(from: Int64, price: Price)]] = [:]

    /// An empty book.
    public init() {}

    /// Enters the price of `model` from `date` on, in seconds since 1970.
    public mutating func set(_ price: Price, for model: String, from date: Int64 = .min) {
        prices[model, default: []].removeAll { $0.from == date }
        prices[model, default: []].append((date, price))
        prices[model]?.sort { $0.from < $1.from }
    }

    /// The prices of `model` with the seconds since 1970 from which they hold, the earliest first.
    public func prices(of model: String) -> [(from: Int64, price: Price)] { prices[model] ?? [] }

    /// The price of `model` at `date`, in seconds since 1970; nil: the book does not know it.
    public func price(of model: String, at date: Int64) -> Price? {
        prices[model]?.last { $0.from <= date }?.price
    }
}
