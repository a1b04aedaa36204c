import Spillway

/// Where and how embeddings are asked for.
struct CallSettings: Sendable {
    /// The API's address without `embeddings`.
    var baseURL: String
    var apiKey: String?
    var model: String
    var dimensions: Int?
    /// The most requests in flight.
    var concurrency = 16
    var requestsPerMinute: Int?
    var tokensPerMinute: Int?
    /// Retries of one call.
    var retries = 5
    /// The longest that one attempt may take.
    var timeout = Duration.seconds(60)
    /// How long nothing may succeed before the run ends.
    var patience = Duration.seconds(600)
    /// The most that all runs together may spend; nil: any amount.
    var budget: Money?
    /// What a million tokens cost; nil: what the book of common prices says.
    var price: Money?

    private static let scope = Scope.project("embeddings")

    /// What the model costs; nil: nobody knows.
    var prices: PriceBook? {
        var book = PriceBook()
        if let price {
            book.set(Price(input: price), for: model)
        } else if let known = PriceBook.common.prices(of: model).last?.price {
            book.set(known, for: model)
        } else {
            return nil
        }
        return book
    }

    /// What so many tokens cost; nil: nobody knows.
    func cost(ofTokens tokens: Int) -> Money? {
        try? prices?.price(of: model, at: .max)?.cost(of: Usage(input: tokens, requests: 0))
    }

    /// An account that pays by the model's price, within what is left of the budget; nil where there is no price.
    func account(spent: Money) throws(ConfigurationError) -> Account? {
        guard let prices else { return nil }
        let left = budget.map { Swift.max(.zero, $0 - spent) } ?? .max
        let limits = [SpendLimit(Self.scope, hard: left, per: .total)]
        let ledger = try Ledger("spend", prices: prices, .init(limits: limits))
        return try ledger.account(Self.scope, model: model)
    }
}
