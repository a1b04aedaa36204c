public import SpillwayCore

/// What models cost, and from when on.
///
/// Models are found by their exact names, as whoever made the book writes them. A model that is not in it has no price,
/// rather than that of one with a name like it.
public struct PriceBook: Sendable {
    private var prices: [String: [(from: Int64, price: Price)]] = [:]

    /// An empty book.
    public init() {}

    /// A book of prices that hold at all times.
    ///
    /// - Throws: `ConfigurationError` for what ``validate()`` refuses.
    public init(_ prices: [String: Price]) throws(ConfigurationError) {
        self.prices = prices.mapValues { [(.min, $0)] }
        try validate()
    }

    /// A book of prices with the seconds since 1970 from which they hold.
    ///
    /// - Throws: `ConfigurationError` when the dates of a model do not ascend, and for what ``validate()`` refuses.
    public init(dated prices: [String: [(from: Int64, price: Price)]]) throws(ConfigurationError) {
        let check = Validation("PriceBook")
        for model in prices.keys.sorted() {
            let dates = prices[model, default: []].map(\.from)
            try check.require(!dates.isEmpty, "prices of '\(model)'", "empty", "at least one")
            for (earlier, later) in zip(dates, dates.dropFirst()) {
                try check.require(later > earlier, "from of '\(model)'", later, "later than \(earlier)")
            }
        }
        self.prices = prices
        try validate()
    }

    /// Enters the price of `model` from `date` on, in seconds since 1970; one that held from the same date on is dropped.
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

    /// The names of all models, sorted.
    public var models: [String] { prices.keys.sorted() }
    /// How many models there are.
    public var count: Int { prices.count }

    /// Lays `other` over this book: for each of its models its prices hold from the first of their dates on, and prices of
    /// this book that began before then hold until then.
    public mutating func merge(_ other: PriceBook) {
        prices.merge(other.prices) { mine, theirs in
            mine.prefix { entry in theirs.first.map { entry.from < $0.from } ?? true } + theirs
        }
    }

    /// This book with `other` laid over it: a service's own prices over those that ship with the package.
    public func merging(_ other: PriceBook) -> PriceBook {
        var book = self
        book.merge(other)
        return book
    }

    /// Checks every name and every rate.
    ///
    /// - Throws: `ConfigurationError` for a name that is not 1 to 200 bytes long, a rate below 0 or above 1,000 dollars a
    ///   unit, or a negative size; the first by model's name.
    public func validate() throws(ConfigurationError) {
        let check = Validation("PriceBook")
        for model in models {
            try check.name(model)
            for (_, price) in prices(of: model) {
                for entry in price.entries {
                    let place = "\(entry.service) price of '\(model)'"
                    try check.require(entry.above >= 0, "above in \(place)", entry.above, "0 or more tokens")
                    guard let (meter, rate) = entry.rates.absurd else { continue }
                    try check.require(
                        false, "\(meter) in \(place)", "\(rate) per million", "from $0.00 to \(Price.Rates.most)")
                }
            }
        }
    }
}
