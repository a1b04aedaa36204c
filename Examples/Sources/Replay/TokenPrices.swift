import CostLedger

/// What a million tokens cost.
struct TokenPrices: Sendable, Equatable {
    /// A million tokens of prompts, whether a cache had them or not.
    var input: Money
    /// A million tokens of answers.
    var output: Money

    /// About what hosted models of seven to eight billion parameters cost: an assumption, for no trace has prices.
    static let assumed = TokenPrices(input: .cents(10), output: .cents(30))
    /// The highest price: a thousand dollars.
    static let most = Money.dollars(1000)

    /// What tokens cost, rounded to the nearest nano-dollar for prompts and for answers.
    func cost(of tokens: Tokens) -> Money {
        input.times(Int64(tokens.prompt), over: 1_000_000) + output.times(Int64(tokens.generated), over: 1_000_000)
    }

    /// The prices in words, and whose they are.
    var text: String {
        let source =
            self == .assumed
            ? "an assumption, about what hosted models of the 7B class cost, for the trace has no prices"
            : "as given on the command line"
        return "\(input) a million prompt tokens, \(output) a million generated tokens: \(source)"
    }
}
