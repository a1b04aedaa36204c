import CostLedger
import Spillway

extension Route {
    /// A model of an upstream.
    struct Place: Sendable {
        let upstream: Upstream
        /// `*`: the name that the client asked for.
        let model: String
        /// What the book of prices calls it; `*`: what the client asked for; empty: it costs nothing.
        let priced: String
        /// Who pays for what is asked here, and at what price; nil: nothing is priced.
        let account: Account?

        /// A place at its upstream, paid for by `ledger`.
        init(_ target: Configuration.Model.Place, at upstream: Upstream, ledger: Ledger?) throws {
            self.upstream = upstream
            model = target.model
            priced = target.priced
            // At the price of the model that answers. Where that is any, of the one that was asked for, which the bill says.
            account = try ledger?.account(
                .provider(target.upstream), .model(target.model), model: target.priced == "*" ? nil : target.priced,
                isPayerNeeded: true)
        }

        /// Whether its price is that of whatever the client asked for.
        var isWildcard: Bool { priced == "*" }

        /// The name that the upstream is asked for, for a client that asked for `name`.
        func asked(for name: String) -> String { model == "*" ? name : model }
    }
}
